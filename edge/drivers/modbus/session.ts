import type { Device, Point } from '#edge/domain/device.ts';
import type { PointName } from '#edge/domain/ids.ts';
import type { Command, CommandResult } from '#edge/domain/output.ts';
import type { Sample } from '#edge/domain/reading.ts';
import { noValue } from '#edge/profiles/decode.ts';
import type { ModbusProfile } from '#edge/profiles/profile.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { Backoff } from '#edge/runtime/lifecycle.ts';
import type { Session, Sink } from '../driver.ts';
import type { AskOptions, Bus } from '../ports/bus.ts';
import { checkedNames, judgeChecks } from './check-gate.ts';
import type { ModbusConfig } from './config.ts';
import { reasonOf } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { identify, needsIdentity } from './identify.ts';
import { type Identity, type Item, layoutIn, parsedAddress, plain } from './layout.ts';
import { fingerprintOf, type LearnedFacts, Teachings } from './learned.ts';
import { askModbus } from './line.ts';
import { barrierAt } from './planner.ts';
import { makePlan, type Plan, type PlanOptions } from './read-plan.ts';
import { Reader } from './reader.ts';
import { Voice } from './voice.ts';
import { writePoint } from './write.ts';

export interface ModbusSessionOptions {
  readonly device: Device;
  readonly profile: ModbusProfile;
  readonly config: ModbusConfig;
  readonly bus: Bus;
  /** Cost of a request in registers, from the line's physics. */
  readonly overhead: number;
  readonly sink: Sink;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** What the device taught before the last restart. */
  readonly learned?: LearnedFacts;
  /** Gives the line back. */
  readonly release: () => Promise<void>;
}

/** A device that does not look like its profile is looked at again ever more rarely. */
const secondLook = { first: 10_000, cap: 600_000 };
const serialPoint = 'serial';

/** One Modbus device: finds out what it is, reads and writes it, and says how it is. */
export class ModbusSession implements Session {
  readonly #options: ModbusSessionOptions;
  readonly #unit: string;
  readonly #items: readonly Item[];
  readonly #limits: Pick<PlanOptions, 'max' | 'gap' | 'overhead' | 'barriers'>;
  readonly #fingerprint: string;
  readonly #teachings: Teachings;
  readonly #reader: Reader;
  readonly #asking: { readonly read: AskOptions; readonly write: AskOptions };
  readonly #checkPoints: readonly Point[];
  /** Plans by the very list of points that was asked for: the schedule asks for the same few again and again. */
  #plans = new WeakMap<readonly Point[], Plan>();
  #isDirty = false;
  #layout: ReadonlyMap<PointName, Item>;
  /** null: it has to be looked at first. */
  #identity: Identity | null;
  #complaint: string | null = null;
  #lookNotBefore = 0;
  #lookError: unknown = null;
  #look = new Backoff(secondLook);
  #checked: boolean;
  /** What the plausibility checks said last; null: nothing is wrong. */
  #gate: string | null = null;
  /** Monotonic time of the last write to a point: what was asked for before it says nothing about it. */
  readonly #written = new Map<PointName, number>();
  #lastWritten = Number.NEGATIVE_INFINITY;
  readonly #voice: Voice;
  readonly #hasSerial: boolean;
  #signals: { readonly given: AbortSignal; readonly both: AbortSignal } | null = null;

  constructor(options: ModbusSessionOptions) {
    this.#options = options;
    this.#unit = String(options.config.unit);
    const { device, profile, overhead, clock } = options;
    this.#items = device.points.map((point): Item => ({ point, address: parsedAddress(point.address) }));
    const names = checkedNames(profile.check);
    this.#hasSerial = device.points.some(({ name }) => name === serialPoint);
    this.#checkPoints = device.points.filter(({ name }) => names.has(name));
    this.#checked = names.size === 0;
    this.#identity = needsIdentity(profile) ? null : plain;
    this.#layout = layoutIn(this.#items, plain);
    this.#limits = { max: profile.bus.max, gap: profile.bus.gap, overhead, barriers: barriersOf(profile) };
    this.#fingerprint = fingerprintOf(device, profile);
    this.#teachings = new Teachings(options.learned?.recall(device.id, this.#fingerprint) ?? null, clock.now());
    this.#voice = new Voice(options.sink, options.bus.label);
    this.#reader = this.#makeReader(this.#teachings);
    this.#asking = { read: this.#askOptions('read'), write: this.#askOptions('write') };
  }

  async read(points: readonly Point[], signal: AbortSignal): Promise<readonly Sample[]> {
    const started = this.#now();
    const both = this.#both(signal);
    if (this.#isLookDue() && !(await this.#identify(both))) return this.#allBad(points);
    const plan = this.#planFor(points);
    const { samples, error } = await this.#reader.read(plan, both);
    this.#keep();
    if (!this.#checked) this.#judge(samples);
    const own = samples.length > points.length ? samples.slice(0, points.length) : samples;
    this.#noteSerial(own);
    this.#sayHealth(samples, error);
    const doubted = this.#isDoubtful() ? own.map(doubt) : own;
    if (this.#lastWritten < started) return doubted;
    return doubted.filter(({ point }) => (this.#written.get(point) ?? Number.NEGATIVE_INFINITY) < started);
  }

  async write(command: Command, given: AbortSignal): Promise<CommandResult> {
    const signal = AbortSignal.any([given, this.#options.signal]);
    const { clock, config, bus } = this.#options;
    const outcome = await writePoint(
      {
        unit: config.unit,
        clock,
        request: (exchange) => this.#ask(exchange, 'write', signal),
        lastWrite: (name) => this.#written.get(name) ?? Number.NEGATIVE_INFINITY,
        written: (name) => {
          this.#lastWritten = this.#now();
          this.#written.set(name, this.#lastWritten);
        },
        signal,
      },
      this.#layout.get(command.point),
      command,
    );
    const { id, device, point } = command;
    if (outcome.value !== undefined) {
      // The read-back is news: the reading follows the output at once, not at the next poll.
      const sample: Sample = { point, value: outcome.value, quality: 'good' };
      this.#options.sink.sample(bus.isShared(this.#unit) ? doubt(sample) : sample);
    }
    return { id, device, point, ...outcome, time: clock.now() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.release();
  }

  #planFor(points: readonly Point[]): Plan {
    const now = this.#options.clock.now();
    const known = this.#plans.get(points);
    if (known !== undefined && now < known.until) return known;
    const extra = this.#checked ? [] : this.#checkPoints.filter((point) => !points.includes(point));
    const plan = makePlan([...points, ...extra], this.#layout, this.#planOptions(this.#teachings));
    this.#plans.set(points, plan);
    return plan;
  }

  /** Something was learned: they no longer hold. */
  #dropPlans(): void {
    this.#plans = new WeakMap();
  }

  #planOptions(teachings: Teachings): PlanOptions {
    return { ...this.#limits, teachings, now: this.#options.clock.now() };
  }

  #makeReader(teachings: Teachings): Reader {
    const { config, clock, sink, bus } = this.#options;
    return new Reader({
      unit: config.unit,
      clock,
      teachings,
      limits: this.#limits,
      ask: (exchange, signal) => this.#ask(exchange, 'read', signal),
      count: (word) => sink.count(word),
      learned: () => {
        this.#dropPlans();
        this.#isDirty = true;
      },
      lastHeard: () => bus.lastHeard(this.#unit),
    });
  }

  #askOptions(urgency: 'read' | 'write'): AskOptions {
    const { config, profile, device, sink, signal } = this.#options;
    return {
      urgency,
      timeout: Math.max(config.timeout, profile.bus.timeout ?? 0),
      lateWindow: config.lateWindow,
      pause: profile.bus.pause,
      afterConnect: profile.bus.after_connect,
      signal,
      count: (word) => sink.count(word),
      device: device.id,
    };
  }

  #ask(exchange: Exchange, urgency: 'read' | 'write', signal: AbortSignal): Promise<Buffer> {
    const options = this.#asking[urgency];
    return askModbus(this.#options.bus, exchange, signal === options.signal ? options : { ...options, signal });
  }

  /** The caller's patience and the session's life. */
  #both(given: AbortSignal): AbortSignal {
    const { signal } = this.#options;
    if (given === signal) return signal;
    if (this.#signals?.given !== given) this.#signals = { given, both: AbortSignal.any([given, signal]) };
    return this.#signals.both;
  }

  #isLookDue(): boolean {
    return this.#identity === null || (this.#complaint !== null && this.#now() >= this.#lookNotBefore);
  }

  /** true when it is known what the device is, or that it is not what its profile says; false when it was not heard. */
  async #identify(signal: AbortSignal): Promise<boolean> {
    try {
      const { profile, config } = this.#options;
      // What is asked of a variant that it is not would be remembered of the one that it is.
      const reader = this.#makeReader(new Teachings(null, 0));
      const found = await identify({
        profile,
        variant: config.variant,
        readSpan: (span) => reader.readSpan(span, signal),
        readValues: (names, identity) => this.#readAs(reader, identity, names, signal),
      });
      this.#identity = found.identity;
      this.#complaint = found.complaint;
      this.#layout = layoutIn(this.#items, found.identity);
      this.#checked = found.complaint === null && this.#checkPoints.length === 0;
    } catch (error) {
      if (this.#identity !== null) return true;
      this.#lookError = error;
      return false;
    }
    this.#dropPlans();
    this.#lookNotBefore = this.#now() + this.#look.next();
    return true;
  }

  async #readAs(reader: Reader, identity: Identity, names: ReadonlySet<string>, signal: AbortSignal) {
    const points = this.#options.device.points.filter(({ name }) => names.has(name));
    const plan = makePlan(points, layoutIn(this.#items, identity), this.#planOptions(new Teachings(null, 0)));
    const { samples, error } = await reader.read(plan, signal);
    if (samples.some(({ reason }) => reason === 'no-communication' || reason === 'communication-error')) throw error;
    return samples;
  }

  /** It was to be looked at, and that failed. */
  #allBad(points: readonly Point[]): readonly Sample[] {
    const reason = reasonOf(this.#lookError);
    const samples = points.map(({ name }): Sample => ({ point: name, ...noValue(reason) }));
    this.#sayHealth(samples, this.#lookError);
    return samples;
  }

  #judge(samples: readonly Sample[]): void {
    if (this.#identity === null || (this.#complaint !== null && needsIdentity(this.#options.profile))) return;
    const verdict = judgeChecks(this.#options.profile.check, samples);
    this.#gate = verdict;
    if (verdict !== null) return;
    this.#checked = true;
    this.#dropPlans();
  }

  #isDoubtful(): boolean {
    return !this.#checked || this.#options.bus.isShared(this.#unit);
  }

  #noteSerial(samples: readonly Sample[]): void {
    if (!this.#hasSerial) return;
    const value = samples.find(({ point }) => point === serialPoint)?.value;
    if (value === undefined || value === null) return;
    this.#options.bus.noteSerial(this.#unit, String(value));
  }

  #keep(): void {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    this.#options.learned?.keep(this.#options.device.id, this.#fingerprint, this.#teachings.facts());
  }

  #sayHealth(samples: readonly Sample[], error: unknown): void {
    const isOver = this.#voice.say({
      samples,
      error,
      complaint: this.#complaint ?? (this.#checked ? null : this.#gate),
      isShared: this.#options.bus.isShared(this.#unit),
      refusals: this.#teachings.refusals,
      refusal: this.#teachings.firstMessage,
    });
    // After a long silence another device may stand there.
    if (isOver) this.#lookAgain();
  }

  #lookAgain(): void {
    const { profile } = this.#options;
    this.#checked = this.#checkPoints.length === 0;
    if (!needsIdentity(profile)) return;
    this.#identity = null;
    this.#checked = false;
    this.#look = new Backoff(secondLook);
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}

const doubt = (sample: Sample): Sample =>
  sample.quality === 'good' ? { ...sample, quality: 'uncertain', reason: 'not-accurate' } : sample;

const tables = ['coil', 'discrete', 'holding', 'input'] as const;

function barriersOf({ bus }: ModbusProfile): ReadonlySet<string> {
  return new Set(bus.barriers.flatMap((at) => tables.map((table) => barrierAt(table, at - bus.base))));
}
