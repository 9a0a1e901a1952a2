import type { CameraFacts } from '#edge/domain/camera.ts';
import type { Point } from '#edge/domain/device.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { WriteOutcome } from '../read-back.ts';
import type { Caller } from './caller.ts';
import { careForClock } from './clock-set.ts';
import type { Credentials } from './config.ts';
import { IoStates, portsOfProfile } from './device-io-states.ts';
import { readFacts } from './facts.ts';
import { Asker } from './facts-ask.ts';
import { FactsKeeper } from './facts-keeper.ts';
import type { AbilityTimings } from './facts-timings.ts';
import type { Notification } from './notification.ts';
import { type Home, Ptz, parseVelocity } from './ptz.ts';
import { interpret } from './topics.ts';
import { Trouble } from './trouble.ts';

export interface AbilitiesOptions {
  readonly device: DeviceId;
  /** As streams are to be fetched from it, without brackets; it follows a camera that has moved. */
  readonly host: () => string;
  readonly devicePath: string;
  readonly caller: Caller;
  readonly clock: Clock;
  readonly timings: AbilityTimings;
  /** One question, ms. */
  readonly answer: number;
  readonly home: Home | null;
  readonly maySetClock: boolean;
  readonly log: Log;
  readonly count: (outcome: string) => void;
  readonly signal: AbortSignal;
  readonly mayAsk: () => 'now' | 'later' | 'no';
  readonly onFacts: (facts: CameraFacts) => void;
  /** What a point (by its `at`) is now. */
  readonly onState: (at: string, value: Value) => void;
  readonly onSkew: (skew: number) => void;
  /** A clause about its clock for the health page; null: all is well. */
  readonly onRemark: (remark: string | null) => void;
}

const ports = Array.from({ length: portsOfProfile }, (_, i) => i + 1);
const ptzPoints = ['ptz_preset', 'ptz_home', 'ptz_move'];
const writable = new Set([...ptzPoints, ...ports.flatMap((n) => [`relay_${n}`, `relay_${n}_pulse`])]);
/** What profiles may name, beside the camera's life and its events. */
export const abilityPoints: ReadonlySet<string> = new Set([...writable, ...ports.map((n) => `input_${n}`)]);

/** What one camera can do beside telling events: its streams, PTZ, contacts and clock. */
export class Abilities {
  readonly #options: AbilitiesOptions;
  readonly #asker: Asker;
  readonly #keeper: FactsKeeper;
  readonly #ptz: Ptz;
  readonly #io: IoStates;
  #password = '';

  constructor(options: AbilitiesOptions) {
    const { caller, clock, timings, home, count, signal, log, mayAsk, onState } = options;
    this.#options = options;
    this.#asker = new Asker(caller, { timeout: options.answer, devicePath: options.devicePath });
    this.#io = new IoStates({ clock, onState });
    this.#keeper = new FactsKeeper({
      clock,
      timings,
      log,
      count,
      signal,
      mayAsk,
      read: (ending) => this.#read(ending),
      onKnowledge: ({ facts, ports }) => {
        this.#io.use(ports);
        options.onFacts(facts);
      },
    });
    this.#ptz = new Ptz({
      asker: this.#asker,
      clock,
      timings,
      home,
      count,
      signal,
      knowledge: async (fresh) => {
        const known = fresh
          ? await this.#keeper.recent()
          : await this.#keeper.wait(AbortSignal.timeout(timings.stopWithin));
        if (known === null) throw new Trouble('unreachable', 'the camera has not said yet what it can do');
        return known.ptz;
      },
      onPlace: (token) => onState('ptz_preset', token),
    });
  }

  /** The camera has let us in. */
  connected(credentials: Credentials): void {
    this.#password = credentials.password;
    this.#keeper.connected();
    this.#ptz.connected();
  }

  async #read(signal: AbortSignal) {
    const { device, clock, host } = this.#options;
    const reach = { host: host(), password: this.#password };
    const knowledge = await readFacts({ asker: this.#asker, device, clock, reach }, signal);
    await this.#careForClock(signal);
    return knowledge;
  }

  async #careForClock(signal: AbortSignal): Promise<void> {
    const { caller, clock, answer, maySetClock, onSkew, onRemark, count, log } = this.#options;
    const care = { asker: this.#asker, caller, clock, timeout: answer, maySet: maySetClock };
    const report = await careForClock(care, signal);
    onSkew(report.skew);
    onRemark(report.remark);
    if (!report.wasSet) return;
    count('clock-set');
    log.info({ skew: report.skew }, 'the clock of the camera was set');
  }

  /** A bulkhead is around it: see the session. */
  hear(notification: Notification): void {
    if (!/^(?:\w+:)?Device\//i.test(notification.topic)) return;
    const verdict = interpret(notification);
    if (verdict.kind === 'happening') this.#io.hear(notification, verdict.meanings);
  }

  static knows(at: string): boolean {
    return writable.has(at);
  }

  /** Never throws. `at` is one of those that `knows`. */
  async write(at: string, point: Point, command: Command, signal: AbortSignal): Promise<WriteOutcome> {
    const { clock } = this.#options;
    const left = command.expires - clock.now();
    if (left < 0) return { outcome: 'expired', message: `came ${-left} ms too late` };
    const patience = AbortSignal.any([signal, this.#options.signal, AbortSignal.timeout(left)]);
    if ((await this.#keeper.wait(patience)) === null) {
      return { outcome: 'failed', message: 'the camera has not said yet what it can do' };
    }
    if (clock.now() > command.expires) return { outcome: 'expired', message: 'too late when its turn came' };
    try {
      if (at.startsWith('ptz_')) return await this.#writePtz(at, command.value, signal);
      return await this.#writeRelay(at, point, command.value, signal);
    } catch (error) {
      const refused = error instanceof Trouble && error.kind === 'fault';
      return { outcome: refused ? 'refused' : 'failed', message: messageOf(error) };
    }
  }

  async #writePtz(at: string, value: Value, signal: AbortSignal): Promise<WriteOutcome> {
    if (at === 'ptz_home') {
      if (value !== true) return { outcome: 'refused', message: 'a button is pressed with true' };
      return this.#ptz.toHome(signal);
    }
    if (typeof value !== 'string' || value === '') {
      const wanted = at === 'ptz_move' ? 'text "pan tilt zoom", each -1 to 1' : 'the token of a preset as text';
      return { outcome: 'refused', message: `${at} takes ${wanted}` };
    }
    if (at === 'ptz_preset') return this.#ptz.toPreset(value, signal);
    const velocity = parseVelocity(value);
    if (velocity !== null) return this.#ptz.move(velocity, signal);
    return {
      outcome: 'refused',
      message: `"${value.slice(0, 40)}" is not "pan tilt zoom", three numbers from -1 to 1`,
    };
  }

  async #writeRelay(at: string, point: Point, value: Value, signal: AbortSignal): Promise<WriteOutcome> {
    const isPulse = at.endsWith('_pulse');
    if (typeof value !== 'boolean') return { outcome: 'refused', message: `${at} takes true or false` };
    if (isPulse && !value) return { outcome: 'refused', message: 'a button is pressed with true' };
    const index = Number(/\d+/.exec(at)?.[0]);
    const within = point.write?.verifyWithin ?? 2_000;
    return this.#io.switch({ asker: this.#asker, index, isActive: value, isPulse, within }, signal);
  }

  /** Nothing moves on when we go. Best effort. */
  async close(): Promise<void> {
    const { timings, log } = this.#options;
    try {
      await within(timings.stopWithin, 'stopping the camera', this.#ptz.close());
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'the camera may still move');
    }
  }

  async idle(): Promise<void> {
    this.#io[Symbol.dispose]();
    await this.#keeper.idle();
  }
}
