import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Device, Point } from '#edge/domain/device.ts';
import type { DeviceId, PointName, ZoneId } from '#edge/domain/ids.ts';
import type { Sample } from '#edge/domain/reading.ts';
import type { DriverEvent, Session, Sink } from '#edge/drivers/driver.ts';
import { type OnvifDriver, type OnvifDriverOptions, onvifDriver } from '#edge/drivers/onvif/driver.ts';
import type { AbilityTimings } from '#edge/drivers/onvif/facts-timings.ts';
import type { OnvifTimings } from '#edge/drivers/onvif/timings.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { Camera, CameraOptions } from '#edge/simulators/camera.ts';
import { startCamera } from '#edge/simulators/camera.ts';

/** A camera and a session on it over loopback, with every pace compressed. */
export const quick: Partial<OnvifTimings> = {
  attemptGap: 20,
  backoffFirst: 20,
  backoffCap: 100,
  healthyAfter: 500,
  answer: 1_000,
  pull: 300,
  firstPull: 100,
  pullMargin: 1_000,
  pullPace: 5,
  held: 60_000,
  heldLook: 20,
  termination: 60_000,
  coalesce: 50,
  settled: 50,
  snapshotGap: 50,
};

export interface Heard {
  readonly events: DriverEvent[];
  readonly samples: Sample[];
  readonly healths: { state: string; message: string }[];
  readonly counters: Map<string, number>;
  readonly count: (word: string) => number;
  readonly last: () => string;
}

export function recorder(): { sink: Sink; heard: Heard } {
  const events: DriverEvent[] = [];
  const samples: Sample[] = [];
  const healths: { state: string; message: string }[] = [];
  const counters = new Map<string, number>();
  const sink: Sink = {
    sample: (sample) => samples.push(sample),
    event: (event) => events.push(event),
    health: (state, message) => healths.push({ state, message }),
    count: (word) => counters.set(word, (counters.get(word) ?? 0) + 1),
  };
  const count = (word: string) => counters.get(word) ?? 0;
  const last = () => `${healths.at(-1)?.state}: ${healths.at(-1)?.message}`;
  return { sink, heard: { events, samples, healths, counters, count, last } };
}

export const user = { username: 'operator', password: 'lan-tian-88' };
export const atNames = ['online', 'events', 'motion', 'person', 'clock_skew'];

export function cameraDevice(address: unknown, names: readonly string[] = atNames): Device {
  const points = names.map(
    (name): Point => ({
      name: name as PointName,
      label: { zh: name, en: name },
      type: name === 'clock_skew' ? 'number' : 'boolean',
      unit: name === 'clock_skew' ? 's' : '',
      poll: 'normal',
      deadband: 0,
      staleAfter: 0,
      address: name,
    }),
  );
  return {
    id: 'gate-cam' as DeviceId,
    name: { zh: '大门', en: 'Gate' },
    profile: 'camera/onvif-generic',
    protocol: 'onvif',
    zone: 'gate' as ZoneId,
    points,
    address,
  };
}

export function cameraOptions(overrides: Partial<CameraOptions> = {}): CameraOptions {
  return {
    host: '127.0.0.1',
    port: 0,
    ...user,
    clock: systemClock,
    auth: 'both',
    model: 'DS-2CD2143',
    topicDialect: 'reolink',
    personFor: 150,
    ...overrides,
  };
}

export interface Scene extends AsyncDisposable {
  readonly camera: Camera;
  readonly session: Session;
  readonly driver: OnvifDriver;
  readonly heard: Heard;
  readonly folder: string;
  readonly device: Device;
}

export interface SceneOptions {
  /** Points besides the usual ones. */
  readonly points?: readonly string[];
  readonly camera?: Partial<CameraOptions>;
  readonly config?: Record<string, unknown>;
  readonly timings?: Partial<OnvifTimings & AbilityTimings>;
  /** Options of the driver beside those that every scene has. */
  readonly before?: (camera: Camera) => Promise<void> | void;
  readonly driver?: Partial<OnvifDriverOptions>;
}

/** Starts a camera and opens the driver on it. */
export async function startScene(options: SceneOptions = {}): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'onvif-'));
  const camera = await startCamera(cameraOptions(options.camera));
  await options.before?.(camera);
  const driver = onvifDriver({
    snapshotFolder: folder,
    clock: systemClock,
    log: silentLog,
    timings: { ...quick, ...options.timings },
    ...options.driver,
  });
  const { sink, heard } = recorder();
  const address = { host: camera.host, port: camera.port, ...user, ...options.config };
  const device = cameraDevice(address, [...atNames, ...(options.points ?? [])]);
  const session = await driver.open(device, driver.config.parse(address), sink, new AbortController().signal);
  return {
    camera,
    session,
    driver,
    heard,
    folder,
    device,
    async [Symbol.asyncDispose]() {
      await driver[Symbol.asyncDispose]();
      await camera[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Looks until it is so; patient, because the machine may be busy. */
export function eventually<T>(look: () => T, options: { timeout?: number } = {}) {
  return expect.poll(look, { timeout: 12_000, ...options });
}

/** Waits until the driver says that events flow. */
export async function streaming(scene: Scene, within = 12_000): Promise<void> {
  await eventually(() => scene.heard.last(), { timeout: within }).toMatch(/^online/);
}

/** Smallest distance between two neighbours, ms; Infinity for fewer than two. */
export function closest(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted
    .slice(1)
    .reduce((least, time, i) => Math.min(least, time - (sorted[i] ?? time)), Number.POSITIVE_INFINITY);
}
