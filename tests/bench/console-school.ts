import type { Device, Point } from '#edge/domain/device.ts';
import type { ProcessHealth } from '#edge/domain/health.ts';
import { pointRef } from '#edge/domain/ids.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { checkSite, type Site } from '#edge/runtime/site.ts';
import type { LiveState } from '#edge/web/live.ts';

/* What core would tell the web process: of the demo's campus, or of a school with as many points as a large one has. */

const both = (text: string) => ({ zh: text, en: text });
const buildings = 4;
const zonesEach = 5;

/** Meters of one model, 16 points each, spread over twenty zones. */
export function largeSchool(meters: number, folder: string): Site {
  const zones = Array.from({ length: buildings * zonesEach }, (_, n) => `zone-${n}`);
  const file = {
    site: 1,
    campus: { id: '2151009903', name: both('Bench school'), timeZone: 'Asia/Shanghai' },
    buildings: Array.from({ length: buildings }, (_, b) => ({
      id: `building-${b}`,
      name: both(`Building ${b}`),
      floors: [
        {
          id: `floor-${b}`,
          name: both('Ground floor'),
          spaces: Array.from({ length: zonesEach }, (_, s) => ({
            id: `space-${b * zonesEach + s}`,
            name: both(`Room ${b}0${s}`),
          })),
        },
      ],
    })),
    zones: zones.map((id, n) => ({ id, name: both(`Zone ${n}`), spaces: [`space-${n}`] })),
    mqtt: { hosts: ['127.0.0.1'], port: 1883 },
    http: { host: '127.0.0.1', port: 8080 },
    https: null,
    flows: { enabled: false },
    devices: Array.from({ length: meters }, (_, n) => ({
      id: `meter-${n}`,
      name: both(`Meter ${n}`),
      profile: 'meter/eastron-sdm630',
      zone: zones[n % zones.length] ?? '',
      address: { tcp: { host: '127.0.0.1', port: 1502 }, unit: n + 1 },
    })),
  };
  return checkSite(file, folder);
}

/** Everything is well: core is there, each device answers, each point has a value, nobody holds an output. */
export function tellState(live: LiveState, devices: readonly Device[], clock: Clock): void {
  live.setConnected(true);
  live.accept({
    kind: 'processes',
    body: ['core', 'fieldbus', 'camera', 'broadcast', 'web', 'uplink'].map((name) => ({
      name,
      state: 'ready',
      pid: 4_000,
      restarts: 0,
      since: clock.now() - 3_600_000,
      lastExit: null,
      rss: 90e6,
      loopDelay: 12,
    })),
  });
  for (const device of devices) {
    for (const point of device.points) {
      tellReading(live, device, point, 0, clock.now());
      if (point.write !== undefined) tellOutput(live, device, point, clock.now());
    }
  }
  tellHealth(live, devices, clock);
}

export function tellReading(live: LiveState, device: Device, point: Point, round: number, t: number): void {
  const body = {
    ref: pointRef(device.id, point.name),
    device: device.id,
    point: point.name,
    value: levelOf(point, round),
    unit: point.unit,
    quality: 'good',
    sourceTime: t,
    receivedTime: t,
  } as const;
  live.accept({ kind: 'reading', body });
}

function levelOf({ type, range }: Point, round: number): Value {
  if (type !== 'number') return type === 'boolean' ? round % 2 === 1 : `round ${round}`;
  const [low, high] = range ?? [0, 1_000];
  return Math.round((low + (high - low) * (0.5 + 0.4 * Math.sin(round / 3))) * 10) / 10;
}

const calm = { next: null, waiting: null, forbidden: [], local: null };

function tellOutput(live: LiveState, device: Device, point: Point, since: number): void {
  const free = {
    value: null,
    holder: null,
    priority: null,
    reason: '',
    until: null,
    stack: [],
    confirmed: null,
    ...calm,
  };
  live.accept({ kind: 'output', body: { ref: pointRef(device.id, point.name), since, ...free } });
}

/** As the driver processes say it every few seconds. */
export function tellHealth(live: LiveState, devices: readonly Device[], clock: Clock): void {
  const process = { modbus: 'fieldbus', onvif: 'camera', broadcast: 'broadcast' } as const;
  for (const [protocol, name] of Object.entries(process)) {
    const body: ProcessHealth = {
      process: name,
      state: 'ready',
      time: clock.now(),
      instance: 'bench',
      devices: devices
        .filter((device) => device.protocol === protocol)
        .map(({ id }) => ({ device: id, state: 'online', message: '', since: 0, counters: { good: 100, timeout: 1 } })),
    };
    live.accept({ kind: 'health', body });
  }
}
