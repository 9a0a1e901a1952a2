import { z } from 'zod';
import type { Point } from '#edge/domain/device.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { LiveState } from './live.ts';
import { renderMetrics } from './metrics.ts';
import { alarmSchema, deviceHealthSchema, healthSchema, outputSchema, pointSchema, problemSchema } from './schemas.ts';
import type { App, CampusView, WebOptions } from './server.ts';
import type { Streams } from './stream.ts';
import type { CookieSessions } from './token.ts';

/** Everything that is true now: health, points, outputs, devices, and the stream of changes. */
export function addLiveRoutes(app: App, options: WebOptions, streams: Streams, sessions: CookieSessions): void {
  const { live, campus } = options;

  app.get(
    '/healthz',
    { schema: { security: [], response: { 200: healthSchema, 503: healthSchema } } },
    async (_, reply) => {
      const settled = live.processes.every((child) => child.state === 'ready');
      const isOk = settled && live.connected && options.siteError === null;
      return reply.code(isOk ? 200 : 503).send({
        status: isOk ? 'ok' : 'degraded',
        processes: live.processes.map((child) => ({ ...child })),
        coreConnected: live.connected,
        siteError: options.siteError,
      });
    },
  );

  app.get('/metrics', { schema: { hide: true } }, async (_, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(renderMetrics(live, streams)),
  );

  app.get('/api/v1/openapi.json', { schema: { hide: true } }, () => app.swagger());

  app.get('/api/v1/stream', { schema: { hide: true } }, (request, reply) => {
    const last = request.headers['last-event-id'];
    reply.hijack();
    if (!streams.open(reply.raw, typeof last === 'string' ? last : undefined)) {
      reply.raw.writeHead(503, { 'content-type': 'application/json' });
      reply.raw.end(JSON.stringify({ error: 'too-many-streams', message: 'too many browsers listen already' }));
    }
  });

  app.post('/api/v1/session', { schema: { response: { 204: z.null() } } }, async (_, reply) =>
    reply
      .header('set-cookie', `campus_session=${sessions.create()}; HttpOnly; SameSite=Strict; Path=/flows-editor`)
      .code(204)
      .send(null),
  );

  if (campus === null) return;

  app.get('/api/v1/campus', { schema: { response: { 200: campusSchema } } }, () => describeCampus(campus));

  app.get('/api/v1/points', { schema: { response: { 200: z.array(pointSchema) } } }, () => listPoints(campus, live));

  app.get('/api/v1/outputs', { schema: { response: { 200: z.array(outputSchema) } } }, () =>
    [...live.outputs.values()].sort((a, b) => a.ref.localeCompare(b.ref)),
  );

  app.get('/api/v1/devices', { schema: { response: { 200: z.array(deviceHealthSchema) } } }, () =>
    listDevices(campus, live),
  );

  app.get(
    '/api/v1/alarms',
    {
      schema: {
        querystring: z.object({
          open: z.stringbool().optional(),
          limit: z.coerce.number().int().min(1).max(1000).default(200),
        }),
        response: { 200: z.array(alarmSchema), 400: problemSchema },
      },
    },
    ({ query }) =>
      campus.reader
        .alarms({ limit: query.limit, ...(query.open === undefined ? {} : { open: query.open }) })
        .map((alarm) => ({ ...alarm })),
  );
}

const name = z.object({ zh: z.string(), en: z.string() });
const campusSchema = z.object({
  id: z.string(),
  name,
  timeZone: z.string(),
  zones: z.array(z.object({ id: z.string(), name })),
  devices: z.array(z.object({ id: z.string(), name, zone: z.string(), protocol: z.string() })),
  interlocks: z.array(z.object({ id: z.string(), name, latch: z.boolean() })),
  clips: z.array(z.string()),
  flowsEditor: z.boolean(),
});

function describeCampus(campus: CampusView): z.infer<typeof campusSchema> {
  const { site } = campus;
  return {
    id: site.campus.id,
    name: site.campus.name,
    timeZone: site.campus.timeZone,
    zones: site.zones.map(({ id, name }) => ({ id, name })),
    devices: campus.devices.map(({ id, name, zone, protocol }) => ({ id, name, zone, protocol })),
    interlocks: site.interlocks.map(({ id, name, latch }) => ({ id, name, latch })),
    clips: Object.keys(site.clips),
    flowsEditor: campus.flows !== null,
  };
}

function listPoints(campus: CampusView, live: LiveState): z.infer<typeof pointSchema>[] {
  return campus.devices.flatMap((device) => {
    const declared = new Map<string, Point>(device.points.map((point) => [point.name, point]));
    const heard = [...live.readings.values()].filter((reading) => reading.device === device.id);
    const named = heard.map((reading) => {
      const label = declared.get(reading.point)?.label ?? { zh: reading.point, en: reading.point };
      return { ...now(reading, live), id: reading.ref, deviceName: device.name, label, zone: device.zone };
    });
    const silent = device.points
      .filter((point) => !live.readings.has(`${device.id}/${point.name}`))
      .map((point) => ({
        id: `${device.id}/${point.name}`,
        device: device.id,
        point: point.name,
        deviceName: device.name,
        label: point.label,
        zone: device.zone,
        value: null,
        unit: point.unit,
        quality: 'bad' as const,
        reason: 'never-read',
        sourceTime: 0,
        receivedTime: 0,
      }));
    return [...named, ...silent];
  });
}

/** While core is away nothing on the screen may look fresh. */
function now(reading: Reading, live: LiveState): Reading {
  if (live.isTrusted || reading.quality === 'bad') return reading;
  return { ...reading, quality: 'uncertain', reason: 'last-usable-value' };
}

function listDevices(campus: CampusView, live: LiveState): z.infer<typeof deviceHealthSchema>[] {
  const reported = [...live.health.values()].flatMap((health) =>
    health.devices.map((device) => ({
      ...device,
      counters: { ...device.counters },
      process: health.process,
      ...(health.state === 'stopped'
        ? { state: 'offline', message: `the process ${health.process} is not running` }
        : {}),
    })),
  );
  const broken = campus.broken.map(({ device, message }) => ({
    process: 'core',
    device,
    state: 'misconfigured',
    message,
    since: 0,
    counters: {},
  }));
  return [...reported, ...broken];
}
