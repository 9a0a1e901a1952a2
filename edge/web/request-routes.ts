import { z } from 'zod';
import { slugPattern, uuidPattern } from '#edge/domain/ids.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import { alarmSchema, problems, requestBodySchema, requestResultSchema, resetSchema } from './schemas.ts';
import type { App } from './server.ts';

/** The one administrator of this version; people and roles come with accounts. */
export const person = 'admin';

/** Everything a person may do. Core does it, and answers when it is on disk. */
export function addRequestRoutes(app: App, rpc: RpcClient): void {
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
    async ({ body }) => {
      const { point, ...wish } = body;
      return requestResultSchema.parse(await rpc.call('request', { ref: point, ...wish, person }));
    },
  );

  app.post(
    '/api/v1/alarms/:id/acknowledge',
    {
      config: { access: 'acknowledge' },
      schema: {
        tags: ['alarms'],
        summary: 'Says that a person has seen it; the body may be missing',
        params: z.object({ id: z.string().regex(uuidPattern, 'must be the id of an alarm') }),
        body: z.strictObject({ note: z.string().max(500).default('') }).nullish(),
        response: { ...problems(400, 404, 409, 503), 200: alarmSchema },
      },
    },
    async ({ params, body }) =>
      alarmSchema.parse(await rpc.call('alarm.acknowledge', { id: params.id, person, note: body?.note ?? '' })),
  );

  app.post(
    '/api/v1/interlocks/:id/reset',
    {
      config: { access: 'operate' },
      schema: {
        tags: ['actions'],
        summary: 'Resets a latched interlock; `reset` is false while its cause still stands',
        params: z.object({ id: z.string().regex(slugPattern, 'must be the id of an interlock') }),
        body: z.strictObject({ reason: z.string().min(1).max(200) }),
        response: { ...problems(400, 404, 409, 503), 200: resetSchema },
      },
    },
    async ({ params, body }) =>
      resetSchema.parse(await rpc.call('interlock.reset', { id: params.id, person, reason: body.reason })),
  );
}
