import { z } from 'zod';
import { schoolEntrySchema } from '#edge/runtime/school-schema.ts';
import { problems } from './schemas.ts';
import type { SchoolViews } from './school-desk.ts';
import { powerDecision } from './school-schemas.ts';
import type { App, CampusView } from './server.ts';

const circuits = z.array(
  z.object({
    entry: z.string(),
    power: schoolEntrySchema,
    decision: powerDecision,
    /** To the end of tomorrow; what is assumed is among the reasons. */
    next: z.array(z.object({ at: z.number(), decision: powerDecision })),
    /** Starts that were measured: degrees to go, and minutes that a degree took. */
    learned: z.array(z.object({ gap: z.number(), pace: z.number() })).optional(),
  }),
);
/** null: nothing is decided, because nothing vouches for the clock. */
export const powerView = z.object({ circuits: circuits.nullable() });

/** What circuits, air conditioners and screens do by the school day now and next, and why. */
export function addSchoolPowerRoute(app: App, { rpc }: Pick<CampusView, 'rpc'>, views: SchoolViews): void {
  app.get(
    '/api/v1/school/power',
    {
      config: { access: 'see' },
      schema: {
        tags: ['school'],
        summary: 'What the signed schedule has circuits do now and until tomorrow night, and why',
        response: { ...problems(503), 200: powerView },
      },
    },
    async (request) => {
      const scope = views.scopeOf(request);
      const { circuits } = powerView.parse(await rpc.call('school.power', {}));
      const isSeen = ({ power }: NonNullable<typeof circuits>[number]) =>
        power.part === 'power' && power.outputs.every((ref) => scope.seesRef(ref));
      return { circuits: circuits?.filter(isSeen) ?? null };
    },
  );
}
