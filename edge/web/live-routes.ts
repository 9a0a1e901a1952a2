import { z } from 'zod';
import type { Device, Point } from '#edge/domain/device.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { principalOf } from './access.ts';
import { describeCampus } from './campus-view.ts';
import { visibleRef } from './history.ts';
import type { LiveState } from './live.ts';
import { RuleShelf } from './rule-shelf.ts';
import { campusSchema, deviceHealthSchema, outputSchema, pointSchema, problems } from './schemas.ts';
import { createScopes, type Scope } from './scope.ts';
import type { App, CampusView } from './server.ts';

type PointView = z.infer<typeof pointSchema>;

/** Everything that is true now, as far as one's zones go: the campus, its points, outputs and devices. */
export function addLiveRoutes(app: App, campus: CampusView, live: LiveState): void {
  const { site } = campus;
  const scopeOf = createScopes(site.devices);
  const shelf = new RuleShelf(campus.reader, site.devices);

  app.get(
    '/api/v1/campus',
    {
      config: { access: 'see' },
      schema: {
        tags: ['live'],
        summary: 'Names of places, zones, devices, interlocks and clips',
        response: { ...problems(), 200: campusSchema },
      },
    },
    (request) => describeCampus(campus, scopeOf(principalOf(request)), shelf.safety()),
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
    (request) => listPoints(campus, live, scopeOf(principalOf(request))),
  );

  app.get(
    '/api/v1/outputs',
    {
      config: { access: 'see' },
      schema: {
        tags: ['live'],
        summary:
          'Who holds each output, until when and why, what comes next, who is below, what waits and what is forbidden',
        response: { ...problems(), 200: z.array(outputSchema) },
      },
    },
    (request) => {
      const scope = scopeOf(principalOf(request));
      return [...live.outputs.values()]
        .filter(({ ref }) => scope.seesRef(ref))
        .map((output) => scope.output(output))
        .sort((a, b) => a.ref.localeCompare(b.ref));
    },
  );

  app.get(
    '/api/v1/outputs/:device/:point',
    {
      config: { access: 'see' },
      schema: {
        tags: ['live'],
        summary: 'The same of one output',
        description: '404 also for an output that core has said nothing of yet.',
        params: z.object({ device: z.string(), point: z.string() }),
        response: { ...problems(400, 404), 200: outputSchema },
      },
    },
    (request) => {
      const scope = scopeOf(principalOf(request));
      const ref = visibleRef(request.params.device, request.params.point, scope);
      const output = live.outputs.get(ref);
      if (output === undefined) throw new CodedError('POINT_NOT_FOUND', `there is no output "${ref}"`);
      return scope.output(output);
    },
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
    (request) => listDevices(campus, live, scopeOf(principalOf(request))),
  );
}

function listPoints(campus: CampusView, live: LiveState, scope: Scope): PointView[] {
  const heard = Map.groupBy(live.readings.values(), (reading) => reading.device);
  const visible = campus.devices.filter(({ id }) => scope.seesDevice(id));
  return visible.flatMap((device) => {
    const readings = new Map((heard.get(device.id) ?? []).map((reading) => [reading.point, reading]));
    const declared = device.points.flatMap((point) => {
      const reading = readings.get(point.name);
      readings.delete(point.name);
      // A button has no value, and is not operated like an output.
      if (point.write?.momentary) return [];
      if (point.optional && (reading?.reason ?? 'never-read') === 'never-read') return [];
      return [reading === undefined ? silent(device, point) : seen(now(reading, live), device, point)];
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

function listDevices(campus: CampusView, live: LiveState, scope: Scope): z.infer<typeof deviceHealthSchema>[] {
  // What notify says of are channels, which GET /notify tells.
  const drivers = [...live.health.values()].filter(({ process }) => process !== 'notify');
  const reported = drivers.flatMap((health) =>
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
  return [...reported, ...broken].filter(({ device }) => scope.seesDevice(device));
}
