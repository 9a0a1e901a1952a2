import { tmpdir } from 'node:os';
import type { Device, Point } from '#edge/domain/device.ts';
import type { DeviceHealth } from '#edge/domain/health.ts';
import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import type { Quality, Reason, Sample, Value } from '#edge/domain/reading.ts';
import { broadcastDriver } from '#edge/drivers/broadcast/driver.ts';
import { createCjt188Driver } from '#edge/drivers/cjt188/driver.ts';
import { createDlt645Driver } from '#edge/drivers/dlt645/driver.ts';
import type { Driver, Session, Sink } from '#edge/drivers/driver.ts';
import { createFirePanelDriver } from '#edge/drivers/fire-panel/driver.ts';
import { httpPaDriver } from '#edge/drivers/http-pa/driver.ts';
import { lineDriver } from '#edge/drivers/line/driver.ts';
import { createModbusDriver } from '#edge/drivers/modbus/driver.ts';
import { onvifDriver } from '#edge/drivers/onvif/driver.ts';
import { createPingDriver } from '#edge/drivers/ping/driver.ts';
import { Probes } from '#edge/drivers/ping/probes.ts';
import { createPjlinkDriver } from '#edge/drivers/pjlink/driver.ts';
import { createBuses } from '#edge/drivers/ports/buses.ts';
import { sipDriver } from '#edge/drivers/sip/driver.ts';
import { snapcastDriver } from '#edge/drivers/snapcast/driver.ts';
import { createSnmpDriver } from '#edge/drivers/snmp/driver.ts';
import { openStudio } from '#edge/drivers/sound/studio.ts';
import { type ProfileShelf, pointsOf } from '#edge/profiles/expand.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { delay, within } from '#edge/runtime/lifecycle.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { type Judgement, judgeTried } from './profile-try-judge.ts';

/* One reading of a device by its real driver: nothing is kept and nothing is written to it. */

export interface TriedPoint {
  readonly point: string;
  readonly label: Name;
  readonly value: Value | null;
  readonly unit: string;
  readonly quality: Quality;
  readonly reason?: Reason;
}

export interface Tried {
  readonly ok: boolean;
  /** What went wrong, in a sentence; empty when ok. */
  readonly message: string;
  readonly ms: number;
  readonly points: readonly TriedPoint[];
  /** Whether that can be, and what would make it so; absent when it could not be read at all. */
  readonly judgement?: Judgement;
}

/** A camera needs several calls until its events flow; a meter behind a slow line several requests. */
const patience = 15_000;
const pause = 300;
const closePatience = 5_000;
/** Nothing better is to be expected from a device that says this of itself. */
const settled: ReadonlySet<DeviceHealth['state']> = new Set(['online', 'offline', 'held', 'misconfigured']);

/** Throws PROFILE_UNKNOWN. What is wrong with the address or the device is the answer, not an error. */
export async function tryDevice(
  shelf: ProfileShelf,
  name: string,
  address: unknown,
  during: During = async () => {},
): Promise<Tried> {
  const profile = shelf.profiles.get(name);
  if (profile === undefined) {
    throw new CodedError('PROFILE_UNKNOWN', shelf.broken.get(name) ?? `there is no profile "${name}"`);
  }
  const started = systemClock.monotonic();
  const points = pointsOf(profile, { fast: 2_000, normal: 15_000, slow: 300_000 });
  const device: Device = {
    id: 'tried' as DeviceId,
    name: profile.name,
    profile: name,
    protocol: profile.protocol,
    zone: 'tried' as ZoneId,
    points,
    address,
  };
  let watched = 0;
  const outcome = await readOnce(device, shelf, async (...open) => {
    const from = systemClock.monotonic();
    await during(...open);
    watched = systemClock.monotonic() - from;
  });
  const ms = Math.round(systemClock.monotonic() - started - watched);
  const left = Math.min(judgePatience, mostInAll - ms);
  const judgement =
    left < 1_000 ? null : await judgeTried({ profile, path: name, address, tried: outcome, patience: left });
  return { ...outcome, ms, ...(judgement === null ? {} : { judgement }) };
}

/** The console waits 20 s for all of it. */
const mostInAll = 18_000;
const judgePatience = 10_000;

type Outcome = Omit<Tried, 'ms'>;
/** What is done with the open device beside reading it once. */
export type During = (session: Session, device: Device) => Promise<void>;
const failed = (message: string): Outcome => ({ ok: false, message, points: [] });

async function readOnce(device: Device, shelf: ProfileShelf, during: During): Promise<Outcome> {
  if (device.protocol === 'mqtt') {
    return failed(
      'a sensor that speaks MQTT is not reached by an address: let it publish, and it appears in the inbox of unknown devices',
    );
  }
  const driver = driverFor(device.protocol, shelf);
  if (driver === null) return failed(`nothing here speaks ${device.protocol}`);
  const ending = new AbortController();
  const heard: { health: DeviceHealth['state'] | null; message: string } = { health: null, message: '' };
  const sink: Sink = {
    sample: () => {},
    event: () => {},
    count: () => {},
    health: (state, message) => {
      heard.health = state;
      heard.message = message;
    },
  };
  let session: Session | null = null;
  try {
    const config = driver.config.parse(quiet(device));
    session = await within(patience, 'opening the device', driver.open(device, config, sink, ending.signal));
    const samples = await readUntilSettled(session, device, () => heard.health, ending.signal);
    const outcome = judge(device, samples, heard);
    if (outcome.ok) await during(session, device);
    return outcome;
  } catch (error) {
    return failed(messageOf(error));
  } finally {
    ending.abort();
    await within(closePatience, 'leaving the device', close(session, driver)).catch(() => {}); // it was only tried
  }
}

/** No picture is asked of a camera that is only tried. */
function quiet({ protocol, address }: Device): unknown {
  const isRecord = typeof address === 'object' && address !== null;
  return protocol === 'onvif' && isRecord ? { ...address, snapshot: false } : address;
}

async function close(session: Session | null, driver: Driver<unknown>): Promise<void> {
  await session?.[Symbol.asyncDispose]();
  await driver[Symbol.asyncDispose]();
}

function driverFor(protocol: string, { profiles }: ProfileShelf): Driver<unknown> | null {
  const common = { clock: systemClock, log: silentLog };
  if (protocol === 'modbus') return createModbusDriver({ clock: systemClock, profiles });
  const lined = { clock: systemClock, profiles, buses: createBuses(common) };
  if (protocol === 'dlt645') return createDlt645Driver(lined);
  if (protocol === 'cjt188') return createCjt188Driver(lined);
  if (protocol === 'onvif') return onvifDriver({ snapshotFolder: tmpdir(), ...common });
  if (protocol === 'snmp') return createSnmpDriver(common);
  if (protocol === 'pjlink') return createPjlinkDriver(common);
  if (protocol === 'fire-panel') return createFirePanelDriver(common);
  if (protocol === 'sip') return sipDriver(common);
  if (protocol === 'http-pa') return httpPaDriver(common);
  const silent = () => openStudio({ clips: {}, folder: '.', ...common });
  if (protocol === 'line') return lineDriver(common);
  if (protocol === 'snapcast') return snapcastDriver({ studio: silent(), ...common });
  if (protocol === 'ping') return createPingDriver({ ...common, probes: new Probes(common) });
  return protocol === 'broadcast' ? broadcastDriver({ clips: {}, folder: '.', ...common }) : null;
}

/** Reads until something good comes and the driver has made up its mind, or patience ends. */
async function readUntilSettled(
  session: Session,
  device: Device,
  state: () => DeviceHealth['state'] | null,
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  const deadline = systemClock.monotonic() + patience;
  // What a meter or a relay says in full does not change its mind by being asked again.
  const isPlain = ['modbus', 'dlt645', 'cjt188'].includes(device.protocol);
  let reads = 0;
  let samples: readonly Sample[] = [];
  while (systemClock.monotonic() < deadline) {
    samples = await within(patience, 'reading the device', session.read(device.points, signal));
    const health = state();
    const isGood = samples.some(({ quality }) => quality === 'good');
    reads++;
    const enough = samples.every(isAnswered) ? 2 : 3;
    if (health === 'degraded' && reads >= enough && isPlain && samples.some(isAnswered)) break;
    if (health === null ? isGood : settled.has(health)) break;
    await delay(pause, signal);
  }
  return samples;
}

const isAnswered = ({ reason }: Sample) => reason !== 'no-communication' && reason !== 'communication-error';

function judge(
  device: Device,
  samples: readonly Sample[],
  heard: { readonly health: DeviceHealth['state'] | null; readonly message: string },
): Outcome {
  const byName = new Map(samples.map((sample) => [sample.point, sample]));
  const points = device.points.map((point) => tried(point, byName.get(point.name)));
  const isFault = heard.health !== null && heard.health !== 'online' && heard.health !== 'degraded';
  const good = points.filter(({ quality }) => quality !== 'bad').length;
  const ok = !isFault && good > 0;
  const first = points.find(({ quality }) => quality === 'bad')?.reason;
  const why = heard.message !== '' ? heard.message : `no point could be read (${first ?? 'no answer'})`;
  return { ok, message: ok ? '' : why, points };
}

function tried({ name, label, unit }: Point, sample: Sample | undefined): TriedPoint {
  const { value = null, quality = 'bad', reason } = sample ?? {};
  return { point: name, label, value, unit, quality, ...(reason === undefined ? {} : { reason }) };
}
