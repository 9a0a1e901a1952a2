import { z } from 'zod';
import { slugPattern, uuidPattern } from '#edge/domain/ids.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import { alarmSchema, problemSchema, requestBodySchema, requestResultSchema } from './schemas.ts';
import type { App } from './server.ts';

/** The one administrator of this version; people and roles come with accounts. */
const person = 'admin';

/** Everything a person may do. Core does it, and answers when it is on disk. */
export function addRequestRoutes(app: App, rpc: RpcClient): void {
  app.post(
    '/api/v1/requests',
    {
      schema: {
        body: requestBodySchema,
        response: { 200: requestResultSchema, 400: problemSchema, 503: problemSchema },
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
      schema: {
        params: z.object({ id: z.string().regex(uuidPattern) }),
        body: z.strictObject({ note: z.string().max(500).default('') }).nullish(),
        response: { 200: alarmSchema, 404: problemSchema, 409: problemSchema, 503: problemSchema },
      },
    },
    async ({ params, body }) =>
      alarmSchema.parse(await rpc.call('alarm.acknowledge', { id: params.id, person, note: body?.note ?? '' })),
  );

  app.post(
    '/api/v1/interlocks/:id/reset',
    {
      schema: {
        params: z.object({ id: z.string().regex(slugPattern) }),
        body: z.strictObject({ reason: z.string().min(1).max(200) }),
        response: { 200: z.object({ reset: z.boolean() }), 404: problemSchema, 409: problemSchema, 503: problemSchema },
      },
    },
    async ({ params, body }) =>
      z
        .object({ reset: z.boolean() })
        .parse(await rpc.call('interlock.reset', { id: params.id, person, reason: body.reason })),
  );
}
