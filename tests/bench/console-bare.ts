import { fastify } from 'fastify';
import { z } from 'zod';
import { serveOrders } from './rig.ts';

/* Fastify and nothing else: each path answers with bytes that were made before. */

const orderSchema = z.strictObject({ answers: z.record(z.string(), z.string()) });

serveOrders(async (message) => {
  const { answers } = orderSchema.parse(message);
  const app = fastify();
  for (const [path, body] of Object.entries(answers)) {
    app.get(path, (_, reply) => reply.type('application/json; charset=utf-8').send(body));
  }
  return { url: await app.listen({ host: '127.0.0.1', port: 0 }) };
});
