import type { DeviceHealth, ProcessHealth, ProcessStatus } from '#edge/domain/health.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { type Campus, driverProcesses } from '../campus.ts';
import { bridgeDown, type DevicePlace, deviceDown, processDown, voiceLost, voiceSource } from './watch-alarms.ts';

/*
 * Every silence is known: devices that do not answer and processes that are gone become alarms, once each. A device is
 * given a moment first, because a start or a lost poll is not a fault.
 */

/** How long a device may be in a state before people are told, ms; the others are no fault. */
const graces: Partial<Readonly<Record<DeviceHealth['state'], number>>> = {
  offline: 20_000,
  held: 20_000,
  misconfigured: 0, // it will not get better by itself
  starting: 120_000,
};
const voiceGrace = 20_000;
const bridgeGrace = 20_000;
/** A process that left the broker is back at once, or the supervisor says why not; without one, this is the word, ms. */
const awayGrace = 10_000;
const firstWordGrace = 60_000;

interface Seen {
  readonly health: DeviceHealth;
  /** Since when it has not worked, whatever the word for it was meanwhile; monotonic ms. */
  readonly faultySince: number | null;
  readonly degradedSince: number | null;
  /** The state that was told; null when none was, `unknown` for an alarm of before the start. */
  told: DeviceHealth['state'] | 'unknown' | null;
}

interface ProcessSeen {
  instance: string | null;
  /** Since when it is not on the broker, monotonic ms; null while it is. */
  awaySince: number | null;
  grace: number;
  /** As the supervisor last said, when it is not running. */
  down: ProcessStatus | null;
  raised: boolean;
}

export interface HealthNews {
  /** A driver process (re)started or is back: what it should hold is said again. */
  readonly restarted: boolean;
  /** It left the broker: nobody speaks for its devices. */
  readonly left: boolean;
  readonly cameBack: readonly DeviceId[];
}

const nothing: HealthNews = { restarted: false, left: false, cameBack: [] };

export interface WatchOptions {
  readonly campus: Pick<Campus, 'devices' | 'processOf' | 'devicesOfProcess'>;
  /** Every device of the site file, also those whose profile is broken. */
  readonly places: readonly DevicePlace[];
  /** Devices that cannot be had at all, and why. */
  readonly unusable: readonly { readonly device: string; readonly message: string }[];
  /** Sources whose alarm was open before the start: it returns when what they name is seen to work. */
  readonly alarmed: Iterable<string>;
  readonly clock: Clock;
}

export class Watch {
  readonly #options: WatchOptions;
  readonly #devices = new Map<string, Seen>();
  readonly #alarmed: Set<string>;
  readonly #processes = new Map<string, ProcessSeen>();
  readonly #bridges = new Map<string, { silentSince: number | null; sensors: number; raised: boolean }>();
  #voiceRaised = '';

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#alarmed = new Set(options.alarmed);
    const { campus, clock, unusable } = options;
    for (const name of driverProcesses) {
      if (campus.devicesOfProcess(name).length === 0) continue;
      const seen = this.#process(name);
      seen.awaySince = clock.monotonic();
      seen.grace = firstWordGrace;
    }
    for (const { device, message } of unusable) this.#see(device, 'misconfigured', message);
  }

  /** What a driver process says of itself and its devices. `process` is who says it; only devices it owns are believed. */
  hear(process: string, health: ProcessHealth): HealthNews {
    if (health.process !== process || !driverProcesses.some((name) => name === process)) return nothing;
    const seen = this.#process(process);
    if (health.state === 'stopped') {
      // The last will of a run before this one may come late.
      if (seen.instance !== null && seen.instance !== health.instance) return nothing;
      seen.instance = null;
      seen.awaySince ??= this.#options.clock.monotonic();
      seen.grace = awayGrace;
      return { ...nothing, left: true };
    }
    const restarted = seen.instance !== health.instance;
    seen.instance = health.instance;
    seen.awaySince = null;
    const cameBack: DeviceId[] = [];
    for (const device of health.devices) {
      const id = device.device as DeviceId;
      if (this.#options.campus.processOf(id) !== process) continue;
      const before = this.#devices.get(id);
      this.#note(device);
      const works = graces[device.state] === undefined;
      if (works && before !== undefined && before.faultySince !== null) cameBack.push(id);
    }
    return { restarted, left: false, cameBack };
  }

  /** A sensor that speaks MQTT itself has no driver to tell on it: its readings do. */
  hearSensor(device: DeviceId, isSilent: boolean, message: string): void {
    const state = isSilent ? 'offline' : 'online';
    const before = this.#devices.get(device);
    if (before?.health.state !== state && before?.health.state !== 'misconfigured') this.#see(device, state, message);
  }

  /** Many sensors speak through one bridge; `null` when nothing can be said of it yet. */
  hearBridge(bridge: string, sensors: number, verdict: 'heard' | 'silent' | null): void {
    const source = bridgeSource(bridge);
    const before = this.#bridges.get(bridge) ?? { silentSince: null, raised: this.#alarmed.delete(source) };
    const since = verdict === 'silent' ? (before.silentSince ?? this.#options.clock.monotonic()) : null;
    const silentSince = verdict === null ? before.silentSince : since;
    // Alarmed before the start and not yet heard: it stands.
    const stands = before.raised && before.silentSince === null && verdict !== 'heard';
    this.#bridges.set(bridge, { ...before, sensors, silentSince: stands ? Number.NEGATIVE_INFINITY : silentSince });
  }

  /** The supervisor's table: which processes are gone since the last look, and what to raise or return. */
  hearProcesses(processes: readonly ProcessStatus[]): {
    readonly gone: readonly string[];
    readonly decisions: readonly AlarmDecision[];
  } {
    const gone: string[] = [];
    const decisions: AlarmDecision[] = [];
    for (const child of processes) {
      const seen = this.#process(child.name);
      const isDown = child.state === 'backing-off' || child.state === 'crash-loop';
      if (isDown && seen.down === null) {
        gone.push(child.name);
        seen.instance = null;
      }
      if (isDown) seen.down = child;
      else if (child.state === 'ready') seen.down = null;
      decisions.push(...this.#judgeProcess(child.name, seen));
    }
    return { gone, decisions };
  }

  /** Call about once a second: devices that stayed faulty long enough, and those that recovered. */
  tick(): AlarmDecision[] {
    const decisions = [...this.#processes].flatMap(([name, seen]) => this.#judgeProcess(name, seen));
    for (const [id, seen] of this.#devices) decisions.push(...this.#judgeDevice(id, seen));
    for (const bridge of this.#bridges.keys()) decisions.push(...this.#judgeBridge(bridge));
    decisions.push(...this.#judgeVoice());
    return decisions;
  }

  /** For the city: what is known of every device, without words. */
  summary(): readonly Omit<DeviceHealth, 'message'>[] {
    return [...this.#devices.values()].map(({ health: { message: _, ...rest } }) => rest);
  }

  /** What is known of every device, with words. */
  healths(): readonly DeviceHealth[] {
    return [...this.#devices.values()].map(({ health }) => health);
  }

  #process(name: string): ProcessSeen {
    const known = this.#processes.get(name);
    if (known !== undefined) return known;
    const seen: ProcessSeen = { instance: null, awaySince: null, grace: awayGrace, down: null, raised: false };
    this.#processes.set(name, seen);
    return seen;
  }

  #see(device: string, state: DeviceHealth['state'], message: string): void {
    this.#note({ device, state, message, since: this.#options.clock.now(), counters: {} });
  }

  #note(health: DeviceHealth): void {
    const before = this.#devices.get(health.device);
    const now = this.#options.clock.monotonic();
    this.#devices.set(health.device, {
      health,
      faultySince: graces[health.state] === undefined ? null : (before?.faultySince ?? now),
      degradedSince: health.state === 'degraded' ? (before?.degradedSince ?? now) : null,
      told: before?.told ?? (this.#alarmed.delete(`device:${health.device}`) ? 'unknown' : null),
    });
  }

  #judgeProcess(name: string, seen: ProcessSeen): AlarmDecision[] {
    const { down, awaySince, grace } = seen;
    const isAway = awaySince !== null && this.#options.clock.monotonic() - awaySince >= grace;
    if (down !== null || isAway) {
      seen.raised = true;
      return [processDown(name, down)];
    }
    // It runs, but until it has said so itself its devices have nobody.
    if (!seen.raised || awaySince !== null) return [];
    seen.raised = false;
    return [{ kind: 'return', source: `process:${name}`, reason: 'it runs again' }];
  }

  #judgeDevice(id: string, seen: Seen): AlarmDecision[] {
    const { health, faultySince } = seen;
    const grace = graces[health.state];
    if (grace === undefined || faultySince === null) {
      if (seen.told === null) return [];
      seen.told = null;
      return [{ kind: 'return', source: `device:${id}`, reason: health.message }];
    }
    const isDue = this.#options.clock.monotonic() - faultySince >= grace;
    if (!isDue || seen.told === health.state) return [];
    seen.told = health.state;
    const { campus, places } = this.#options;
    const protocol = campus.devices.find((device) => device.id === id)?.protocol;
    return [
      deviceDown(
        health,
        places.find((place) => place.id === id),
        protocol,
      ),
    ];
  }

  #judgeBridge(bridge: string): AlarmDecision[] {
    const seen = this.#bridges.get(bridge);
    if (seen === undefined) return [];
    const source = bridgeSource(bridge);
    const isDown = seen.silentSince !== null && this.#options.clock.monotonic() - seen.silentSince >= bridgeGrace;
    if (isDown === seen.raised || (seen.raised && seen.silentSince !== null)) return [];
    seen.raised = isDown;
    return [isDown ? bridgeDown(source, bridge, seen.sensors) : { kind: 'return', source, reason: 'it is heard' }];
  }

  /** One broken clip takes the voice of every speaker: one alarm, not two hundred. */
  #judgeVoice(): AlarmDecision[] {
    const now = this.#options.clock.monotonic();
    const { campus } = this.#options;
    const mute = campus.devicesOfProcess('broadcast').flatMap(({ id }) => {
      const seen = this.#devices.get(id);
      const since = seen?.degradedSince ?? null;
      return seen === undefined || since === null || now - since < voiceGrace ? [] : [seen.health];
    });
    const key = mute.map(({ device, message }) => `${device} ${message}`).join();
    if (key === this.#voiceRaised) return [];
    this.#voiceRaised = key;
    const [first] = mute;
    return first === undefined
      ? [{ kind: 'return', source: voiceSource, reason: 'every speaker can play every clip' }]
      : [voiceLost(first, mute.length)];
  }
}

/** Sources are in lower case; the bases of bridges are what somebody has typed. */
export function bridgeSource(bridge: string): string {
  return `bridge:${bridge.toLowerCase().replace(/[^a-z0-9_/-]/g, '-')}`;
}
