import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceId, PointName, ZoneId } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import type { Sample, Value } from '#edge/domain/reading.ts';
import type { Session, Sink } from '#edge/drivers/driver.ts';
import { type SipDriverOptions, sipDriver } from '#edge/drivers/sip/driver.ts';
import type { Talk } from '#edge/drivers/sip/talk.ts';
import { openStudio } from '#edge/drivers/sound/studio.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { loadProfile } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { writeClips } from '#edge/simulators/clips/generate.ts';

const profiles = new URL('../../../device-profiles', import.meta.url).pathname;
const profile = await loadProfile(profiles, 'speaker/sip-speaker');
export const sipPoints = pointsOf(profile, { fast: 2_000, normal: 15_000, slow: 300_000 });
export const never = new AbortController().signal;
/** Something outside answers, on a busy machine. */
export const patience = { timeout: 20_000, interval: 10 };

export function sipDevice(address: unknown, id = 'hall'): Device {
  return {
    id: id as DeviceId,
    name: { zh: '礼堂', en: 'Hall' },
    profile: 'speaker/sip-speaker',
    protocol: 'sip',
    zone: 'hall' as ZoneId,
    points: sipPoints,
    address,
  };
}

export function order(value: string, changes: Partial<Command> = {}): Command {
  return {
    id: newHappeningId(systemClock),
    device: 'hall' as DeviceId,
    point: 'clip' as PointName,
    value,
    priority: 8,
    issued: systemClock.now(),
    expires: systemClock.now() + 5_000,
    until: null,
    ...changes,
  };
}

/** What a session said without being asked. */
export class Heard implements Sink {
  readonly samples: Sample[] = [];
  readonly states: { readonly state: string; readonly message: string }[] = [];
  readonly counts = new Map<string, number>();
  sample(sample: Sample): void {
    this.samples.push(sample);
  }
  event(): void {}
  health(state: string, message: string): void {
    this.states.push({ state, message });
  }
  count(word: string): void {
    this.counts.set(word, (this.counts.get(word) ?? 0) + 1);
  }
  /** How often a word that begins so was counted. */
  counted(start: string): number {
    return [...this.counts].reduce((sum, [word, n]) => sum + (word.startsWith(start) ? n : 0), 0);
  }
}

/** A studio with the demo's clips and a driver on it. */
export async function startRig(options: Partial<SipDriverOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'sip-'));
  await writeClips(folder);
  const studio = openStudio({
    clips: {
      evacuation: { file: 'evacuation.wav', loop: true, emergency: true },
      bell: { file: 'class-bell.wav', loop: false },
      tones: { file: 'test-tones.wav', loop: true },
    },
    folder,
    clock: systemClock,
  });
  const talks: Talk[] = [];
  const driver = sipDriver({
    studio,
    clock: systemClock,
    probeEvery: 200,
    onTalk: (_device, talk) => talks.push(talk),
    ...options,
  });
  const sessions: Session[] = [];
  return {
    ...{ studio, driver, talks, folder },
    async open(
      address: unknown,
      id?: string,
    ): Promise<
      Session & {
        heard: Heard;
        write(command: Command, signal?: AbortSignal): ReturnType<NonNullable<Session['write']>>;
      }
    > {
      const heard = new Heard();
      const session = await driver.open(sipDevice(address, id), driver.config.parse(address), heard, never);
      sessions.push(session);
      return {
        heard,
        read: (points, signal) => session.read(points, signal),
        write: (command, signal = never) => {
          if (session.write === undefined) throw new Error('a session of SIP takes commands');
          return session.write(command, signal);
        },
        [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
      };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(sessions.map((session) => session[Symbol.asyncDispose]()));
      await driver[Symbol.asyncDispose]();
      await studio[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function pointOf(session: Session, name: string): Promise<Value | null> {
  const point = sipPoints.find((known) => known.name === name);
  if (point === undefined) throw new Error(`no point ${name}`);
  return (await session.read([point], never))[0]?.value ?? null;
}
