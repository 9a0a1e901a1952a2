import { z } from 'zod';
import { CodedError } from '#edge/runtime/errors.ts';
import { renderMetrics } from './metrics.ts';
import { healthSchema, problems } from './schemas.ts';
import type { App, WebOptions } from './server.ts';
import { maxStreams, type Streams } from './stream.ts';

/** What is there whether or not the site file is good: health, metrics, the stream, the description of the API. */
export function addStatusRoutes(app: App, options: WebOptions, streams: Streams): void {
  const { live, campus, siteError } = options;

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
        summary: 'Prometheus text format 0.0.4',
        response: { ...problems(), 200: textOf('text/plain', 'metrics') },
      },
    },
    async (_, reply) =>
      reply
        .type('text/plain; version=0.0.4; charset=utf-8')
        .send(renderMetrics({ live, streams, reader: campus?.reader ?? null })),
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
        summary: 'Server-sent events: reading, output, alarm, event, health, processes, core; resumes by Last-Event-ID',
        response: { ...problems(503), 200: textOf('text/event-stream', 'one message for each change') },
      },
    },
    (request, reply) => {
      if (streams.isFull) throw new CodedError('STREAMS_FULL', `${maxStreams} browsers listen already`);
      const last = request.headers['last-event-id'];
      const missed = streams.missedSince(typeof last === 'string' ? last : undefined);
      reply.hijack();
      streams.open(reply.raw, missed);
    },
  );
}

function textOf(type: string, description: string) {
  return { description, content: { [type]: { schema: z.string() } } };
}
