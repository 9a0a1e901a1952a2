import type { InboundMessage } from '#edge/bus/bus.ts';
import type { Device, Point } from '#edge/domain/device.ts';
import type { DeviceId, PointName, PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { Accepted, Ingest } from '#edge/ingest/ingest.ts';
import { createIngest } from '#edge/ingest/ingest.ts';
import { devicesOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';

/** 2026-11-20 (a Friday) 08:00 in Shanghai. */
export const start = Date.UTC(2026, 10, 20, 0, 0, 0);
export const timeZone = 'Asia/Shanghai';

export const shelf = await loadProfiles(new URL('../../../device-profiles', import.meta.url).pathname);

export interface DeviceSpec {
  readonly id: string;
  readonly profile: string;
  readonly address: Record<string, unknown>;
}

/** Devices as the site file and the real profiles of this repository make them. */
export function devices(...specs: readonly DeviceSpec[]): Device[] {
  const made = devicesOf(
    {
      devices: specs.map((spec) => ({
        ...spec,
        id: spec.id as DeviceId,
        name: { zh: spec.id, en: spec.id },
        zone: 'school' as ZoneId,
      })),
      poll: { fast: 2_000, normal: 15_000, slow: 300_000 },
    },
    shelf,
  );
  if (made.broken.length > 0) throw new Error(made.broken.map((one) => one.message).join('\n'));
  return made.devices;
}

/** A device of a driver process with points of our choosing. */
export function driverDevice(id: string, points: readonly Partial<Point>[]): Device {
  return {
    id: id as DeviceId,
    name: { zh: id, en: id },
    profile: 'meter/test',
    protocol: 'modbus',
    zone: 'school' as ZoneId,
    points: points.map((point) => ({
      name: 'value' as PointName,
      label: { zh: 'v', en: 'v' },
      type: 'number',
      unit: '1',
      poll: 'normal',
      deadband: 0,
      staleAfter: 30_000,
      address: { at: 0 },
      ...point,
    })),
    address: {},
  };
}

export interface Bench {
  readonly clock: ManualClock;
  readonly ingest: Ingest;
  /** Objects are sent as JSON. */
  send(topic: string, payload: object | string | Buffer, client?: string): Accepted;
  latest(ref: string): Reading | undefined;
  /** Moves time and ticks. */
  wait(ms: number): readonly Reading[];
  readonly changed: Device[];
}

export function bench(list: readonly Device[], zone = timeZone): Bench {
  const clock = new ManualClock(start);
  const changed: Device[] = [];
  const ingest = createIngest({
    devices: list,
    clock,
    log: silentLog,
    timeZone: zone,
    onDeviceChanged: (device) => changed.push(device),
  });
  return {
    clock,
    ingest,
    changed,
    send: (topic, payload, client = 'test') => ingest.accept(message(topic, payload, client)),
    latest: (ref) => ingest.latest().get(ref as PointRef),
    wait(ms) {
      clock.advance(ms);
      return ingest.tick(clock.now());
    },
  };
}

export function message(topic: string, payload: object | string | Buffer, client = 'test'): InboundMessage {
  const bytes = Buffer.isBuffer(payload)
    ? payload
    : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  return { client, topic, payload: bytes, qos: 1, retain: false };
}

/** `ref value quality reason` of each reading: what most tests want to see. */
export function brief(readings: readonly Reading[]): string[] {
  return readings.map(({ ref, value, quality, reason }) =>
    [ref, value, quality, reason].filter((x) => x !== undefined).join(' '),
  );
}
