import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { principalOf } from './access.ts';
import { renderMetrics } from './metrics.ts';
import { healthSchema, problems } from './schemas.ts';
import { createScopes } from './scope.ts';
import type { App, WebOptions } from './server.ts';
import type { Streams } from './stream.ts';

/** What is there whether or not the site file is good: health, metrics, the stream, the description of the API. */
export function addStatusRoutes(app: App, options: WebOptions, streams: Streams): void {
  const { live, campus, siteError } = options;
  const scopeOf = createScopes(campus?.site.devices ?? []);

  app.get(
    '/healthz',
    {
      config: { access: 'open' },
      schema: {
        tags: ['health'],
        summary:
          'Every process with its restarts; 503 unless all are ready, core is connected and the site file is good',
        security: [],
        response: { 200: healthSchema, 503: healthSchema },
      },
    },
    async (_, reply) => {
      const settled = live.processes.every((child) => child.state === 'ready');
      const isOk = settled && live.connected && siteError === null;
      return reply
        .header('cache-control', 'no-store')
        .code(isOk ? 200 : 503)
        .send({
          status: isOk ? 'ok' : 'degraded',
          processes: live.processes.map((child) => ({ ...child })),
          coreConnected: live.connected,
          siteError,
        });
    },
  );

  app.get(
    '/metrics',
    {
      config: { access: 'system' },
      schema: {
        tags: ['health'],
        summary: 'Prometheus text format 0.0.4; it speaks of the whole campus, so it is for those who see all of it',
        response: { ...problems(), 200: textOf('text/plain', 'metrics') },
      },
    },
    async (request, reply) => {
      if (!scopeOf(principalOf(request)).isWhole) {
        throw new CodedError('FORBIDDEN', 'the metrics speak of the whole campus, and you see a part of it');
      }
      return reply
        .type('text/plain; version=0.0.4; charset=utf-8')
        .send(renderMetrics({ live, streams, reader: campus?.reader ?? null }));
    },
  );

  app.get(
    '/api/v1/openapi.json',
    {
      config: { access: 'signed-in' },
      schema: { tags: ['health'], summary: 'This description', response: { ...problems(), 200: z.looseObject({}) } },
    },
    () => ({ ...app.swagger() }),
  );

  app.get(
    '/api/v1/stream',
    {
      config: { access: 'see' },
      schema: {
        tags: ['live'],
        summary: "Server-sent events of one's zones; resumes by Last-Event-ID",
        // A page that opens a stream anew by itself cannot set the header.
        querystring: z.object({ lastEventId: z.string().max(64).optional() }),
        description:
          '`readings`: `[[ref, value, quality, reason or null, sourceTime, receivedTime], ...]`, the latest of each point, ' +
          'at most twice a second. `event`, `alarm` (`{id, state: "normal"}`: it is over), `output`, `health`, `processes`: ' +
          'as the other routes give them. `core`: `{connected}`. `missed`: more happened than is sent again; ask for ' +
          'everything anew. At most 8 streams a person, 200 in all; a stream ends with the session that opened it.',
        response: { ...problems(400, 503), 200: textOf('text/event-stream', 'one message for each change') },
      },
    },
    (request, reply) => {
      const principal = principalOf(request);
      streams.admit(principal.who);
      const listener = { who: principal.who, sessionId: request.sessionId, scope: scopeOf(principal) };
      const last = request.headers['last-event-id'] ?? request.query.lastEventId;
      const missed = streams.missedSince(typeof last === 'string' ? last : undefined, listener.scope);
      reply.hijack();
      streams.open(reply.raw, listener, missed);
    },
  );
}

function textOf(type: string, description: string) {
  return { description, content: { [type]: { schema: z.string() } } };
}
