import type { DeviceHealth, ProcessHealth, ProcessStatus } from '#edge/domain/health.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { Campus } from '../campus.ts';

/*
 * Every silence is known: devices that do not answer and processes that are gone become alarms, once each. A device is
 * given a moment first, because a start or a lost poll is not a fault.
 */

const deviceGrace = 20_000;
const faulty: ReadonlySet<DeviceHealth['state']> = new Set(['offline', 'held', 'misconfigured']);

interface Seen {
  readonly health: DeviceHealth;
  readonly since: number;
  raised: boolean;
}

export interface HealthNews {
  /** A driver process (re)started: what it should hold is said again. */
  readonly restarted: boolean;
  readonly cameBack: readonly DeviceId[];
}

export class Watch {
  readonly #campus: Campus;
  readonly #clock: Clock;
  readonly #devices = new Map<string, Seen>();
  readonly #instances = new Map<string, string>();
  readonly #downProcesses = new Set<string>();

  constructor(campus: Campus, clock: Clock) {
    this.#campus = campus;
    this.#clock = clock;
  }

  /** What a driver process says of itself and its devices. Only devices it owns are believed. */
  hear(health: ProcessHealth): HealthNews {
    const restarted = health.state === 'ready' && this.#instances.get(health.process) !== health.instance;
    if (health.state === 'ready') this.#instances.set(health.process, health.instance);
    const cameBack: DeviceId[] = [];
    for (const device of health.devices) {
      const id = device.device as DeviceId;
      if (this.#campus.processOf(id) !== health.process) continue;
      const before = this.#devices.get(id);
      if (before?.health.state === device.state) {
        this.#devices.set(id, { ...before, health: device });
        continue;
      }
      if (device.state === 'online' && before !== undefined) cameBack.push(id);
      this.#devices.set(id, { health: device, since: this.#clock.monotonic(), raised: before?.raised ?? false });
    }
    return { restarted, cameBack };
  }

  /** A sensor that speaks MQTT itself has no driver to tell on it: its readings do. */
  hearSensor(device: DeviceId, isSilent: boolean, message: string): void {
    const state = isSilent ? 'offline' : 'online';
    const before = this.#devices.get(device);
    if (before?.health.state === state) return;
    const health: DeviceHealth = { device, state, message, since: this.#clock.now(), counters: {} };
    this.#devices.set(device, { health, since: this.#clock.monotonic(), raised: before?.raised ?? false });
  }

  /** The supervisor's table: which processes are gone since the last look, and what to raise or return. */
  hearProcesses(processes: readonly ProcessStatus[]): {
    readonly gone: readonly string[];
    readonly decisions: readonly AlarmDecision[];
  } {
    const gone: string[] = [];
    const decisions: AlarmDecision[] = [];
    for (const child of processes) {
      const isDown = child.state === 'backing-off' || child.state === 'crash-loop';
      if (isDown && !this.#downProcesses.has(child.name)) {
        this.#downProcesses.add(child.name);
        gone.push(child.name);
      }
      if (isDown) decisions.push(processDown(child));
      else if (child.state === 'ready' && this.#downProcesses.delete(child.name)) {
        decisions.push({ kind: 'return', source: `process:${child.name}`, reason: 'it runs again' });
      }
    }
    return { gone, decisions };
  }

  /** Call about once a second: devices that stayed faulty long enough, and those that recovered. */
  tick(): AlarmDecision[] {
    const now = this.#clock.monotonic();
    const decisions: AlarmDecision[] = [];
    for (const [id, seen] of this.#devices) {
      const isFaulty = faulty.has(seen.health.state);
      if (isFaulty && !seen.raised && now - seen.since >= deviceGrace) {
        seen.raised = true;
        decisions.push(this.#deviceDown(id as DeviceId, seen.health));
      } else if (!isFaulty && seen.raised && seen.health.state !== 'starting') {
        seen.raised = false;
        decisions.push({ kind: 'return', source: `device:${id}`, reason: seen.health.message });
      }
    }
    return decisions;
  }

  /** For the city: what is known of every device, without words. */
  summary(): readonly Omit<DeviceHealth, 'message'>[] {
    return [...this.#devices.values()].map(({ health: { message: _, ...rest } }) => rest);
  }

  #deviceDown(id: DeviceId, health: DeviceHealth): AlarmDecision {
    const device = this.#campus.devices.find((candidate) => candidate.id === id);
    const name = device?.name ?? { zh: id, en: id };
    return {
      kind: 'raise',
      source: `device:${id}`,
      class: device?.protocol === 'onvif' ? 'medium' : 'low',
      message: both(
        name,
        (text) => `${text}离线`,
        (text) => `${text} is ${health.state}`,
      ),
      next: { zh: `检查供电和网络：${health.message}`, en: `Check its power and network: ${health.message}` },
      reason: health.message,
      device: id,
      ...(device === undefined ? {} : { zone: device.zone }),
    };
  }
}

function processDown(child: ProcessStatus): AlarmDecision {
  const again = child.state === 'crash-loop';
  return {
    kind: 'raise',
    source: `process:${child.name}`,
    class: again ? 'critical' : 'high',
    message: {
      zh: `进程 ${child.name} ${again ? '反复崩溃' : '中断'}（${child.lastExit ?? ''}）`,
      en: `Process ${child.name} ${again ? 'crashes again and again' : 'stopped'} (${child.lastExit ?? ''})`,
    },
    next: {
      zh: '系统会自动重启它；若反复出现，请联系管理员并保留日志',
      en: 'It is started again by itself; if this repeats, call the administrator and keep the log',
    },
    reason: child.lastExit ?? 'ended',
  };
}

function both(name: Name, zh: (text: string) => string, en: (text: string) => string): Name {
  return { zh: zh(name.zh), en: en(name.en) };
}
