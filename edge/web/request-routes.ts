import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { actorOf, principalOf } from './access.ts';
import { reachesInto, staysWithin } from './rule-reach-scope.ts';
import { instancePattern } from './rule-routes.ts';
import { RuleShelf } from './rule-shelf.ts';
import { problems, requestBodySchema, requestResultSchema, resetSchema } from './schemas.ts';
import { createScopes } from './scope.ts';
import type { App, CampusView } from './server.ts';

/** What a person may do to outputs and interlocks. Core does it, and answers when it is on disk. */
export function addRequestRoutes(app: App, { site, reader, rpc }: CampusView): void {
  const scopeOf = createScopes(site.devices);
  const shelf = new RuleShelf(reader, site.devices);

  app.post(
    '/api/v1/requests',
    {
      config: { access: 'operate' },
      schema: {
        tags: ['actions'],
        summary: 'Asks core to hold an output, or (value null) to let go of what was asked before',
        description: '`accepted` false says why not in `outcome` and `message`; the answer comes once it is on disk.',
        body: requestBodySchema,
        response: { ...problems(400, 404, 503), 200: requestResultSchema },
      },
    },
    async (request) => {
      const { point: ref, ...wish } = request.body;
      const scope = scopeOf(principalOf(request));
      if (!scope.seesRef(ref)) throw new CodedError('POINT_NOT_FOUND', `there is no point "${ref}"`);
      const result = requestResultSchema.parse(await rpc.call('request', { ref, ...wish, ...actorOf(request) }));
      // Who is stronger says why, and that may be something elsewhere.
      return { ...result, message: scope.words(result.message) };
    },
  );

  app.post(
    '/api/v1/interlocks/:id/reset',
    {
      config: { access: 'operate' },
      schema: {
        tags: ['actions'],
        summary:
          'Resets a latched interlock or rule (or one instance, `<rule>@<place>`); `reset` is false while its cause still stands',
        description: '403 for one that also looks or acts in zones that are not yours.',
        params: z.object({ id: z.string().regex(instancePattern, 'must be the id of an interlock') }),
        body: z.strictObject({ reason: z.string().min(1).max(200) }),
        response: { ...problems(400, 404, 409, 503), 200: resetSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const scope = scopeOf(principalOf(request));
      const itsReach = shelf.reach()(id);
      if (itsReach === undefined || !reachesInto(itsReach, scope)) {
        throw new CodedError('INTERLOCK_NOT_FOUND', `there is no interlock "${id}"`);
      }
      if (!staysWithin(itsReach, scope)) {
        throw new CodedError('FORBIDDEN', `the interlock "${id}" also acts in zones that are not yours`);
      }
      const { reason } = request.body;
      return resetSchema.parse(await rpc.call('interlock.reset', { id, reason, ...actorOf(request) }));
    },
  );
}
