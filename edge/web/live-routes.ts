import { z } from 'zod';
import type { Device, Point } from '#edge/domain/device.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { LiveState } from './live.ts';
import { alarmSchema, campusSchema, deviceHealthSchema, outputSchema, pointSchema, problems } from './schemas.ts';
import type { App, CampusView } from './server.ts';

type PointView = z.infer<typeof pointSchema>;

/** Everything that is true now: the campus, its points, outputs, devices and alarms. */
export function addLiveRoutes(app: App, campus: CampusView, live: LiveState): void {
  app.get(
    '/api/v1/campus',
    {
      config: { access: 'see' },
      schema: {
        tags: ['live'],
        summary: 'Names of zones, devices, interlocks and clips',
        response: { ...problems(), 200: campusSchema },
      },
    },
    () => describeCampus(campus),
  );

  app.get(
    '/api/v1/points',
    {
      config: { access: 'see' },
      schema: {
        tags: ['live'],
        summary: 'The latest value of every point; what was never read is bad/never-read',
        response: { ...problems(), 200: z.array(pointSchema) },
      },
    },
    () => listPoints(campus, live),
  );

  app.get(
    '/api/v1/outputs',
    {
      config: { access: 'see' },
      schema: {
        tags: ['live'],
        summary: 'Who holds each output, at which priority, until when, why, and the stack below',
        response: { ...problems(), 200: z.array(outputSchema) },
      },
    },
    () => [...live.outputs.values()].sort((a, b) => a.ref.localeCompare(b.ref)),
  );

  app.get(
    '/api/v1/devices',
    {
      config: { access: 'see' },
      schema: {
        tags: ['live'],
        summary: 'What each driver says of its devices: state, what is wrong, when it is tried again',
        response: { ...problems(), 200: z.array(deviceHealthSchema) },
      },
    },
    () => listDevices(campus, live),
  );

  app.get(
    '/api/v1/alarms',
    {
      config: { access: 'see' },
      schema: {
        tags: ['alarms'],
        summary: 'Alarms, latest raised first',
        querystring: z.object({
          open: z.stringbool().optional(),
          limit: z.coerce.number().int().min(1).max(1000).default(200),
        }),
        response: { ...problems(400, 503), 200: z.array(alarmSchema) },
      },
    },
    ({ query }) =>
      campus.reader
        .alarms({ limit: query.limit, ...(query.open === undefined ? {} : { open: query.open }) })
        .map((alarm) => ({ ...alarm })),
  );
}

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

function listPoints(campus: CampusView, live: LiveState): PointView[] {
  const heard = Map.groupBy(live.readings.values(), (reading) => reading.device);
  return campus.devices.flatMap((device) => {
    const readings = new Map((heard.get(device.id) ?? []).map((reading) => [reading.point, reading]));
    const declared = device.points.map((point) => {
      const reading = readings.get(point.name);
      readings.delete(point.name);
      return reading === undefined ? silent(device, point) : seen(now(reading, live), device, point);
    });
    return [...declared, ...[...readings.values()].map((reading) => seen(now(reading, live), device, undefined))];
  });
}

function about(device: Device, point: Point) {
  const { min, max, step } = point.write ?? {};
  return {
    id: `${device.id}/${point.name}`,
    device: device.id,
    point: point.name,
    deviceName: device.name,
    label: point.label,
    zone: device.zone,
    type: point.type,
    ...(point.write === undefined
      ? {}
      : {
          write: {
            ...(min === undefined ? {} : { min }),
            ...(max === undefined ? {} : { max }),
            ...(step === undefined ? {} : { step }),
          },
        }),
  };
}

function seen(reading: Reading, device: Device, point: Point | undefined): PointView {
  const { ref, value, unit, quality, reason, sourceTime, receivedTime } = reading;
  const label = { zh: reading.point, en: reading.point };
  const named = { id: ref, device: device.id, point: reading.point, deviceName: device.name, label, zone: device.zone };
  return {
    ...(point === undefined ? named : about(device, point)),
    value,
    unit,
    quality,
    ...(reason === undefined ? {} : { reason }),
    sourceTime,
    receivedTime,
  };
}

function silent(device: Device, point: Point): PointView {
  const never = { value: null, quality: 'bad', reason: 'never-read', sourceTime: 0, receivedTime: 0 } as const;
  return { ...about(device, point), unit: point.unit, ...never };
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
