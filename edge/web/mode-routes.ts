import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { DocumentBody } from '#edge/store/documents.ts';
import { actorOf } from './access.ts';
import { modeBody, modeSchema } from './rule-schemas.ts';
import { problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';

type ModeView = z.infer<typeof modeSchema>;
type ModeNow = DocumentBody<'mode'>;
const setSchema = z.object({
  on: z.boolean(),
  since: z.number(),
  until: z.number().nullable(),
  by: z.string(),
  why: z.string(),
});

/** The modes of the campus: what is on, until when, and who said so. */
export function addModeRoutes(app: App, { site, reader, rpc }: CampusView, clock: Clock): void {
  const viewOf = (id: string, name: ModeView['name'], now: ModeNow | null): ModeView => {
    // Core ends it at the same time, a second later at most.
    const isOn = now?.on === true && (now.until === null || now.until > clock.now());
    const { since = null, by = null, why = null } = now ?? {};
    return { id, name, on: isOn, since, until: isOn ? (now?.until ?? null) : null, by, why };
  };

  app.get(
    '/api/v1/modes',
    {
      config: { access: 'see' },
      schema: {
        tags: ['rules'],
        summary: 'The modes that the site file knows, and which are on',
        response: { ...problems(503), 200: z.array(modeSchema) },
      },
    },
    () => {
      const stored = new Map(reader.documents('mode').map(({ id, body }) => [id, body]));
      return site.modes.map(({ id, name }) => viewOf(id, name, stored.get(id) ?? null));
    },
  );

  app.put(
    '/api/v1/modes/:id',
    {
      config: { access: 'operate', wholeCampus: true },
      schema: {
        tags: ['rules'],
        summary: 'Turns a mode on, until a time if one is given, or off: rules heed it at once',
        params: z.object({ id: z.string().regex(slugPattern, 'must be the id of a mode') }),
        body: modeBody,
        response: { ...problems(400, 404, 503), 200: modeSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const mode = site.modes.find((one) => one.id === id);
      if (mode === undefined) throw new CodedError('MODE_NOT_FOUND', `there is no mode "${id}" in the site file`);
      const now = setSchema.parse(await rpc.call('mode.set', { id, ...request.body, ...actorOf(request) }));
      return viewOf(id, mode.name, now);
    },
  );
}
