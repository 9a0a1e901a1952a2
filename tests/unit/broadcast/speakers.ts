import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Device, Point } from '#edge/domain/device.ts';
import type { DeviceId, HappeningId, PointName, ZoneId } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import type { Sample } from '#edge/domain/reading.ts';
import { broadcastDriver } from '#edge/drivers/broadcast/driver.ts';
import type { Sink } from '#edge/drivers/driver.ts';
import { openStudio } from '#edge/drivers/sound/studio.ts';
import { type Clock, systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { writeClips } from '#edge/simulators/clips/generate.ts';

/** A folder that is gone at the end of the block. */
export async function temporaryFolder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'broadcast-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A driver with the demo's clips, generated anew. */
export async function demoDriver(probeEvery = 15_000, more: Record<string, { file: string; loop: boolean }> = {}) {
  const folder = await temporaryFolder();
  await writeClips(folder.path);
  const clips = {
    evacuation: { file: 'evacuation.wav', loop: true },
    bell: { file: 'class-bell.wav', loop: false },
    tones: { file: 'test-tones.wav', loop: true },
    ...more,
  };
  const studio = openStudio({ clips, folder: folder.path, clock: systemClock });
  const driver = broadcastDriver({
    clips,
    folder: folder.path,
    clock: systemClock,
    log: silentLog,
    probeEvery,
    studio,
  });
  return {
    driver,
    studio,
    folder: folder.path,
    async [Symbol.asyncDispose]() {
      await driver[Symbol.asyncDispose]();
      await studio[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** What a session said without being asked. */
export class HeardSink implements Sink {
  readonly samples: Sample[] = [];
  readonly states: { state: string; message: string }[] = [];
  readonly counts = new Map<string, number>();

  sample(sample: Sample): void {
    this.samples.push(sample);
  }
  event(): void {}
  health(state: string, message: string): void {
    this.states.push({ state, message });
  }
  count(outcome: string): void {
    this.counts.set(outcome, (this.counts.get(outcome) ?? 0) + 1);
  }
}

const names = ['clip', 'playing', 'packets_sent'] as const;
export const speakerPoints: readonly Point[] = names.map((name) => ({
  name: name as PointName,
  label: { zh: name, en: name },
  type: name === 'clip' ? 'text' : name === 'playing' ? 'boolean' : 'number',
  unit: name === 'packets_sent' ? '1' : '',
  poll: 'fast',
  deadband: 0,
  staleAfter: 0,
  address: { at: name },
}));

export function speakerDevice(address: unknown, id = 'speaker-1'): Device {
  return {
    id: id as DeviceId,
    name: { zh: '音箱', en: 'Speaker' },
    profile: 'speaker/rtp-speaker',
    protocol: 'broadcast',
    zone: 'gate' as ZoneId,
    points: speakerPoints,
    address,
  };
}

export function playCommand(value: string, changes: Partial<Command> = {}, clock: Clock = systemClock): Command {
  const id: HappeningId = newHappeningId(clock);
  return {
    id,
    device: 'speaker-1' as DeviceId,
    point: 'clip' as PointName,
    value,
    priority: 1,
    issued: clock.now(),
    expires: clock.now() + 5000,
    until: null,
    ...changes,
  };
}
