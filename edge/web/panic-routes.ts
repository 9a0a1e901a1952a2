import { z } from 'zod';
import { slugPattern } from '#edge/domain/ids.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { type IncidentDesk, personOf } from './incident-routes.ts';
import { outcome, said } from './incident-schemas.ts';
import { problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';

const name = z.object({ zh: z.string(), en: z.string() });
const state = z.enum(['ready', 'pressed', 'faulty']);

const panicSchema = z.object({
  id: z.string(),
  name,
  zone: z.string(),
  /** `faulty`: its line is cut or shorted, or nothing is heard of it. */
  state,
  /** ms since epoch; null: ready. */
  since: z.number().nullable(),
  /** Its incident, while it is pressed. */
  incident: z.string().nullable(),
  cameras: z.array(z.object({ device: z.string(), preset: z.string().nullable() })),
  /** null: it is silent. */
  sound: z.object({ clip: z.string(), zones: z.union([z.literal('all'), z.array(z.string())]) }).nullable(),
});
const resetBody = z.strictObject({
  outcome: outcome.default('handled'),
  reason: said(500).min(1),
});
const resetSchema = z.object({
  reset: z.boolean(),
  /** Why not: its button is still pressed; or that it is. */
  message: z.string(),
});
const coreSays = z.object({
  buttons: z.array(z.object({ id: z.string(), state, since: z.number().nullable(), incident: z.string().nullable() })),
});
const coreReset = z.object({ reset: z.boolean(), message: z.string() });

/** The one-key alarms: how each is, and ending one, by a person who has signed in and with a reason. */
export function addPanicRoutes(app: App, { site, rpc }: CampusView, { scopeOf }: IncidentDesk): void {
  app.get(
    '/api/v1/panic',
    {
      config: { access: 'incidents' },
      schema: {
        tags: ['incidents'],
        summary: 'The one-key alarms of one’s zones, and whether they are pressed or their lines broken',
        response: { ...problems(503), 200: z.array(panicSchema) },
      },
    },
    async (request) => {
      const scope = scopeOf(request);
      const { buttons } = coreSays.parse(await rpc.call('emergency.list', {}));
      const known = new Map(buttons.map((button) => [button.id, button]));
      return site.panic
        .filter(({ zone }) => scope.covers(zone))
        .map(({ id, name: called, zone, cameras, sound }) => {
          const { state: now = 'faulty' as const, since = null, incident = null } = known.get(id) ?? {};
          const seen = cameras.filter(({ device }) => scope.seesDevice(device));
          return { id, name: called, zone, state: now, since, incident, cameras: seen, sound };
        });
    },
  );

  app.post(
    '/api/v1/panic/:id/reset',
    {
      config: { access: 'emergency' },
      schema: {
        tags: ['incidents'],
        summary: 'Ends a one-key alarm and its incident, with what came of it and why; not by token',
        description: 'While its button is still pressed `reset` is false, and `message` says so.',
        params: z.object({ id: z.string().regex(slugPattern, 'must be the id of a one-key alarm') }),
        body: resetBody,
        response: { ...problems(400, 404, 503), 200: resetSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const scope = scopeOf(request);
      if (!site.panic.some((button) => button.id === id && scope.covers(button.zone)))
        throw new CodedError('PANIC_NOT_FOUND', `there is no one-key alarm "${id}"`);
      return coreReset.parse(await rpc.call('emergency.reset', { id, ...request.body, ...personOf(request) }));
    },
  );
}
