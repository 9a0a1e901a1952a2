import { join } from 'node:path';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceId, PointName } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import type { Sample } from '#edge/domain/reading.ts';
import type { Sink } from '#edge/drivers/driver.ts';
import { snapcastDriver } from '#edge/drivers/snapcast/driver.ts';
import { openStudio } from '#edge/drivers/sound/studio.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { loadProfile } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { writeClips } from '#edge/simulators/clips/generate.ts';
import { speakerDevice, temporaryFolder } from '../broadcast/speakers.ts';
import { writeTone } from '../line/tone-clip.ts';

const profiles = new URL('../../../device-profiles', import.meta.url).pathname;
const profile = await loadProfile(profiles, 'speaker/snapcast');
const polls = { fast: 2_000, normal: 15_000, slow: 300_000 };
export const patience = { timeout: 15_000, interval: 50 };

/** A studio with tones, and the driver on it. */
export async function snapRig(probeEvery = 200) {
  const folder = await temporaryFolder();
  await writeClips(folder.path);
  await writeTone(join(folder.path, 'low.wav'), 500, 20);
  await writeTone(join(folder.path, 'high.wav'), 1_500, 20);
  await writeTone(join(folder.path, 'short.wav'), 800, 1);
  const clips = {
    ...{ evacuation: { file: 'evacuation.wav', loop: true }, short: { file: 'short.wav', loop: false } },
    ...{ low: { file: 'low.wav', loop: false }, high: { file: 'high.wav', loop: false } },
  };
  const studio = openStudio({ clips, folder: folder.path, clock: systemClock });
  const driver = snapcastDriver({ studio, clock: systemClock, probeEvery });
  return {
    ...{ folder: folder.path, driver },
    device: (address: object): Device => ({
      ...{ ...speakerDevice(address), protocol: 'snapcast', points: pointsOf(profile, polls) },
    }),
    async [Symbol.asyncDispose]() {
      await driver[Symbol.asyncDispose]();
      await studio[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

export function addressOf(controlPort: number, streamPort: number, clients: readonly string[] = ['left']) {
  return { host: '127.0.0.1', control: controlPort, stream: { name: 'hall', port: streamPort }, clients };
}

export function order(value: string, changes: Partial<Command> = {}): Command {
  return {
    ...{ id: newHappeningId(systemClock), device: 'hall' as DeviceId, point: 'clip' as PointName, value, priority: 8 },
    ...{ issued: systemClock.now(), expires: systemClock.now() + 20_000, until: null },
    ...changes,
  };
}

export interface Heard extends Sink {
  readonly states: string[];
  readonly counts: string[];
  value(point: string): Sample['value'] | undefined;
}

export function listen(): Heard {
  const samples = new Map<string, Sample>();
  const [states, counts]: [string[], string[]] = [[], []];
  return {
    ...{ states, counts },
    sample: (sample) => void samples.set(sample.point, sample),
    event: () => {},
    health: (state, message) => void states.push(`${state}: ${message}`),
    count: (word) => void counts.push(word),
    value: (point) => samples.get(point)?.value,
  };
}
