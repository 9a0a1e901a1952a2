import type { BusHealth } from '#edge/domain/health.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { Backoff, delay } from '#edge/runtime/lifecycle.ts';
import { BusError } from './bus-error.ts';
import { BusyMeter } from './busy.ts';
import { Lane } from './lane.ts';
import type { Found, Link, LinkEvents, LinkKind, Question } from './link.ts';
import type { PortSource } from './port.ts';
import { Unit, unitHealth } from './units.ts';
import { Window } from './window.ts';

export interface BusOptions {
  readonly source: PortSource;
  readonly kind: LinkKind;
  readonly clock: Clock;
  /** Least silence between two frames, ms (3.5 characters on a real serial line, else 0). */
  readonly frameGap?: number;
  /** Back-off between connection attempts, ms; tests make it short. */
  readonly reconnect?: { readonly first: number; readonly cap: number };
}

export interface AskOptions {
  /** Writes go ahead of reads, and are sent to silent units too. */
  readonly urgency: 'write' | 'read';
  /** Longest wait for the answer, ms; a unit that always answers soon is not waited for so long. */
  readonly timeout: number;
  /** On a line without numbers: after a timeout the unit is not asked again for so long, ms. */
  readonly lateWindow: number;
  /** Least pause until the next request to the same unit, ms. */
  readonly pause: number;
  readonly signal: AbortSignal;
  /** Counts an outcome for the device that asked. */
  readonly count: (word: string) => void;
  /** Least pause between connecting and the first request, ms. */
  readonly afterConnect?: number;
  /** Whose unit it is: for diagnostics. */
  readonly device: string;
}

/** Requests that may wait on one line: 32 meters with 3 blocks each, twice. */
const maxWaiting = 256;
const connectTimeout = 3_000;
/** A broadcast is not answered; the slowest device has worked it off after so long (Modbus serial line V1.02, 2.4.1). */
const turnaround = 100;
/** Probes of silent units take at most so much of the line's time: one part in 1 + `probeShare`. */
const probeShare = 15;
const maxLateWindow = 10_000;
/** How long a lateness that was seen counts, ms. */
const latenessCounts = 600_000;
const maxUnits = 256;
/** How long at least (one more answer at its usual pace), and how often, a unit is listened to for a second answer, ms. */
const listenFor = 50;
const listenEvery = 300_000;

/**
 * One line and everything on it, whatever is spoken there: the queue, the connection and its back-off, late windows, silent
 * units and what people may want to know of it. All devices with the same host and port, or the same serial path, share it.
 */
export class Bus implements AsyncDisposable {
  readonly #options: BusOptions;
  readonly #lane: Lane;
  readonly #window: Window;
  readonly #backoff: Backoff;
  readonly #reopen = new Backoff({ first: 10_000, cap: 60_000 });
  readonly #end = new AbortController();
  readonly #units = new Map<string, Unit>();
  readonly #busy: BusyMeter;
  #link: Link | null = null;
  #opening: Promise<Link> | null = null;
  #frameGap: number;
  #state: { readonly is: BusHealth['state']; readonly message: string; readonly since: number };
  #connectNotBefore = 0;
  #lastFailure = '';
  #probeNotBefore = 0;
  /** Longest lateness seen, ms, and when something was late last. */
  #lateSeen = 0;
  #lateAt = Number.NEGATIVE_INFINITY;
  /** The longest that one of its devices asks for, ms. */
  #lateWindow = 0;
  /** The longest that one of its devices asks for, ms. */
  #afterConnect = 0;
  #lastHeard = 0;
  #silentReopenAfter = 5_000;
  #missesInARow = 0;
  #lastFrame = 0;
  #count: (word: string) => void = () => {};

  constructor(options: BusOptions) {
    const { clock, reconnect, frameGap } = options;
    this.#options = options;
    this.#lane = new Lane({ clock, limit: maxWaiting });
    this.#window = new Window(options.kind.numbered, this.#lane);
    this.#backoff = new Backoff(reconnect ?? { first: 1_000, cap: 30_000 });
    this.#frameGap = frameGap ?? 0;
    this.#busy = new BusyMeter(clock.monotonic());
    this.#state = { is: 'connecting', message: 'not asked for anything yet', since: clock.now() };
  }

  get label(): string {
    return this.#options.source.label;
  }

  /** Answers carry the number of their question. */
  get numbered(): boolean {
    return this.#options.kind.numbered;
  }

  /** The line keeps the longest silence that one of its protocols asks for. */
  needsGap(ms: number): void {
    this.#frameGap = Math.max(this.#frameGap, ms);
  }

  /** The frame of the answer, also of one that says no. Rejects with a BusError, or LANE_FULL / LANE_ABORTED / LANE_CLOSED. */
  async ask(question: Question, options: AskOptions): Promise<Buffer> {
    const unit = this.#unit(question.unit);
    unit.device = options.device;
    try {
      if (options.urgency === 'read') this.#checkQuarantine(unit);
      const { urgency, signal } = options;
      return await this.#lane.run({ key: unit.key, urgency, signal, work: () => this.#turn(question, unit, options) });
    } catch (error) {
      options.count(error instanceof BusError ? error.outcome : 'not-sent');
      throw error;
    }
  }

  /** The serial number that a unit says it has: two that take turns are two devices with one id. */
  noteSerial(unit: string, serial: string): void {
    this.#unit(unit).serial(serial, this.#now());
  }

  /** Monotonic time of the last answer of a unit, one that says no included. */
  lastHeard(unit: string): number {
    return this.#units.get(unit)?.lastHeard ?? Number.NEGATIVE_INFINITY;
  }

  /** Two devices are known to use this id: whose value is whose, nobody can tell. */
  isShared(unit: string): boolean {
    return this.#units.get(unit)?.isShared(this.#now()) ?? false;
  }

  health(): BusHealth {
    const { clock } = this.#options;
    const now = this.#now();
    const ahead = clock.now() - now;
    const units = [...this.#units.values()];
    const closed = this.#link?.ended === true;
    return {
      label: this.label,
      state: closed ? 'down' : this.#state.is,
      message: closed ? 'the connection ended' : this.#state.message,
      since: this.#state.since,
      utilisation: Math.round(1000 * this.#busy.share(now)) / 1000,
      waiting: this.#lane.length,
      units: units.map((unit) => unitHealth(unit, units, now, (monotonic) => monotonic + ahead)),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    this.#lane[Symbol.dispose]();
    await this.#drop();
  }

  #checkQuarantine(unit: Unit): void {
    if (!unit.isQuarantined || this.#now() >= Math.max(unit.nextProbe, this.#probeNotBefore)) return;
    throw new BusError('held', `unit ${unit.key} on ${this.label} is silent; other devices go first`);
  }

  async #turn(question: Question, unit: Unit, options: AskOptions): Promise<Buffer> {
    // Others of its requests may have been lost while this one waited.
    const isProbe = unit.isQuarantined && options.urgency === 'read';
    if (isProbe) this.#checkQuarantine(unit);
    this.#lateWindow = Math.max(this.#lateWindow, options.lateWindow);
    this.#count = options.count;
    const link = this.#link === null || this.#link.ended ? await this.#connected(options) : this.#link;
    if (this.#frameGap > 0) await this.#keepFrameGap();
    if (question.broadcast === true) return this.#broadcast(link, question);
    const timeout = options.urgency === 'write' ? options.timeout : unit.timeoutFor(options.timeout);
    const sent = this.#now();
    unit.requests++;
    this.#busy.start(sent);
    try {
      const found = await link.exchange(question, timeout);
      this.#heard(unit, found, sent);
      if (!this.numbered && unit.listened < sent - (unit.isShared(sent) ? 0 : listenEvery)) await this.#listen(unit);
      return found.frame;
    } catch (error) {
      await this.#missed(unit, error, options);
      if (isProbe) this.#probeNotBefore = this.#now() + probeShare * (this.#now() - sent);
      throw error;
    } finally {
      this.#lastFrame = this.#now();
      this.#busy.end(this.#lastFrame);
      if (options.pause > 0) this.#lane.hold(unit.key, options.pause);
    }
  }

  #heard(unit: Unit, found: Found, sent: number): void {
    const now = this.#now();
    const took = (found.at ?? now) - sent;
    const wasAllSilent = this.#missesInARow >= 3 && now - this.#lastHeard > 5_000;
    if (wasAllSilent) for (const other of this.#units.values()) other.probeSoon(now);
    this.#backoff.reset();
    this.#connectNotBefore = 0;
    this.#lastHeard = now;
    this.#missesInARow = 0;
    this.#silentReopenAfter = 5_000;
    this.#reopen.reset();
    if (found.verdict !== undefined) unit.exceptions++;
    // The gateway waited for it already and says that it is silent: as good as a timeout, and it cost as much.
    if (found.verdict === 'silent') {
      unit.timeouts++;
      unit.missed(now);
      unit.failed('the gateway says that it does not answer', this.#options.clock.now());
      return;
    }
    unit.heard(now, took);
    this.#window.answered(now, took);
  }

  /** Whether a second device answers too, once in a while, and after each answer while one does. */
  async #listen(unit: Unit): Promise<void> {
    unit.listened = this.#now();
    await delay(Math.max(listenFor, unit.latency ?? 0), this.#end.signal);
  }

  async #missed(unit: Unit, error: unknown, options: AskOptions): Promise<void> {
    if (!(error instanceof BusError)) return;
    const now = this.#now();
    unit.failed(error.message, this.#options.clock.now());
    if (error.outcome === 'timeout') unit.timeouts++;
    // Each answer that does not fit costs all others the connection: who gives no other ones is asked ever more rarely too.
    if (error.outcome === 'timeout' || error.outcome === 'garbage') unit.missed(now, error.outcome === 'garbage');
    if (error.outcome === 'crc') unit.garble();
    this.#window.failed(now);
    if (error.outcome === 'closed' || error.outcome === 'garbage') return;
    // Without numbers a late answer would be taken for the next one of the same shape.
    if (!this.numbered) this.#holdBack(unit.key);
    // Half-open connections look open for ever: judge by the age of data, not by the state of the socket.
    this.#missesInARow++;
    if (this.#missesInARow >= 3 && now - this.#lastHeard > this.#silentReopenAfter) {
      this.#silentReopenAfter = this.#reopen.next();
      options.count('reopen');
      await this.#drop();
    }
  }

  /** Until nothing of this unit can still be on its way; `inTime`: an answer would not even be late for so long, ms. */
  #holdBack(unit: string, inTime = 0): void {
    this.#lane.hold(unit, inTime + Math.min(maxLateWindow, Math.max(this.#lateWindow, 1.5 * this.#recentLateness())));
  }

  /** One bad moment of a gateway must not slow its line down for ever. */
  #recentLateness(): number {
    return this.#now() - this.#lateAt < latenessCounts ? this.#lateSeen : 0;
  }

  async #broadcast(link: Link, question: Question): Promise<Buffer> {
    link.send(question);
    await delay(turnaround, this.#end.signal);
    // Nobody answers a broadcast: the request itself stands for the echo.
    return question.request;
  }

  async #keepFrameGap(): Promise<void> {
    const wait = this.#frameGap - (this.#now() - this.#lastFrame);
    if (wait > 0) await delay(Math.ceil(wait), this.#end.signal);
  }

  /** Two requests may want it at once. */
  async #connected(options: AskOptions): Promise<Link> {
    this.#opening ??= this.#connect(options);
    try {
      return await this.#opening;
    } finally {
      this.#opening = null;
    }
  }

  async #connect({ count, afterConnect = 0 }: AskOptions): Promise<Link> {
    this.#afterConnect = Math.max(this.#afterConnect, afterConnect);
    await this.#drop();
    const wait = this.#connectNotBefore - this.#now();
    if (wait > 0) throw new BusError('closed', `${this.#lastFailure}; next try in ${Math.ceil(wait / 1000)} s`);
    const { source, clock, kind } = this.#options;
    try {
      const port = await source.open(connectTimeout, this.#end.signal);
      this.#link = kind.open(port, clock, this.#events());
      this.#lastHeard = this.#now();
      this.#missesInARow = 0;
      for (const unit of this.#units.values()) unit.probeSoon(this.#now());
      // Counts until the first answer: a server that accepts and hangs up is not called again at once.
      this.#connectNotBefore = this.#now() + this.#backoff.next();
      this.#lastFailure = `${source.label} ends the connection without an answer`;
      this.#is('connected', '');
      count('connect');
      if (this.#afterConnect > 0) await delay(this.#afterConnect, this.#end.signal);
      return this.#link;
    } catch (error) {
      this.#lastFailure = `no connection: ${messageOf(error)}`;
      this.#connectNotBefore = this.#now() + this.#backoff.next();
      this.#is('down', this.#lastFailure);
      throw new BusError('closed', this.#lastFailure, { cause: error });
    }
  }

  #events(): LinkEvents {
    return {
      count: (word) => this.#count(word),
      late: (unit, ms) => {
        this.#lateSeen = Math.min(maxLateWindow, Math.max(this.#recentLateness(), ms));
        this.#lateAt = this.#now();
        this.#units.get(unit)?.late(ms);
      },
      unsettled: (unit, ms) => this.#holdBack(unit, ms),
      second: (unit) => {
        this.#count('second-answer');
        this.#unit(unit).second(this.#now());
      },
    };
  }

  async #drop(): Promise<void> {
    const link = this.#link;
    this.#link = null;
    await link?.[Symbol.asyncDispose]();
  }

  #is(is: BusHealth['state'], message: string): void {
    const since = this.#state.is === is ? this.#state.since : this.#options.clock.now();
    this.#state = { is, message, since };
  }

  #unit(key: string): Unit {
    const known = this.#units.get(key);
    if (known !== undefined) return known;
    // Units are what the site file names: more than this on one line is a scan, and scans need no memory.
    if (this.#units.size >= maxUnits) this.#units.clear();
    const fresh = new Unit(key);
    this.#units.set(key, fresh);
    return fresh;
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}
