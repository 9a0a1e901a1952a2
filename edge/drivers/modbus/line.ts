import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { Backoff, delay } from '#edge/runtime/lifecycle.ts';
import { Lane } from '../ports/lane.ts';
import type { PortSource } from '../ports/port.ts';
import { ModbusError } from './errors.ts';
import type { Exchange } from './exchange.ts';
import type { Link, LinkEvents } from './link.ts';
import { MbapLink } from './mbap-link.ts';
import { RtuLink } from './rtu-link.ts';

export interface LineOptions {
  readonly source: PortSource;
  readonly framing: 'mbap' | 'rtu';
  readonly clock: Clock;
  /** Least silence between two frames, ms (3.5 characters on a real serial line, else 0). */
  readonly frameGap?: number;
  /** Back-off between connection attempts, ms; tests make it short. */
  readonly reconnect?: { readonly first: number; readonly cap: number };
}

export interface RequestOptions {
  readonly urgency: 'write' | 'read';
  readonly timeout: number;
  readonly lateWindow: number;
  /** Least pause until the next request to the same unit, ms. */
  readonly pause: number;
  readonly signal: AbortSignal;
  /** Counts an outcome for the device that asked. */
  readonly count: (word: string) => void;
}

/** Requests that may wait on one line: 32 meters with 3 blocks each, twice. */
const maxWaiting = 256;
const connectTimeout = 3_000;
/** A broadcast is not answered; the slowest device has worked it off after so long (Modbus serial line V1.02, 2.4.1). */
const turnaround = 100;
/** Timeouts in a row after which a unit counts as silent. */
const silentAfter = 2;
/** A silent unit is probed with a short timeout, and probes take at most a fifth of the line's time. */
const probeTimeout = 250;
const probeShare = 4;
const maxLateWindow = 10_000;
const maxUnits = 256;

interface UnitState {
  misses: number;
  /** Smoothed answer time, ms; null before the first answer. */
  latency: number | null;
}

/**
 * One Modbus line and everything on it: the queue, the connection and its back-off, the late windows and the silent units.
 * All devices with the same host and port, or the same serial path, share it.
 */
export class Line implements AsyncDisposable {
  readonly #options: LineOptions;
  readonly #lane: Lane;
  readonly #backoff: Backoff;
  readonly #reopen = new Backoff({ first: 10_000, cap: 60_000 });
  readonly #end = new AbortController();
  readonly #units = new Map<number, UnitState>();
  #link: Link | null = null;
  #connectNotBefore = 0;
  #lastFailure = '';
  #probeNotBefore = 0;
  /** Longest lateness seen, ms. */
  #lateSeen = 0;
  /** The longest that one of its devices asks for, ms. */
  #lateWindow = 0;
  #lastHeard = 0;
  #silentReopenAfter = 5_000;
  #missesInARow = 0;
  #lastFrame = 0;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#lane = new Lane({ clock: options.clock, limit: maxWaiting });
    this.#backoff = new Backoff(options.reconnect ?? { first: 1_000, cap: 30_000 });
  }

  get label(): string {
    return this.#options.source.label;
  }

  /** Data bytes of the answer; empty for writes. Rejects with a ModbusError, or LANE_FULL / LANE_ABORTED / LANE_CLOSED. */
  async request(exchange: Exchange, options: RequestOptions): Promise<Buffer> {
    const { urgency, signal, count } = options;
    const isProbe = urgency === 'read' && this.#isSilent(exchange.unit);
    if (isProbe && this.#now() < this.#probeNotBefore) {
      count('held');
      throw new ModbusError('held', `unit ${exchange.unit} on ${this.label} is silent; other devices go first`);
    }
    const key = String(exchange.unit);
    const work = async () => {
      try {
        return exchange.parse(await this.#transact(exchange, options, isProbe));
      } finally {
        if (options.pause > 0) this.#lane.hold(key, options.pause);
      }
    };
    try {
      return await this.#lane.run({ key, urgency, signal, work });
    } catch (error) {
      count(error instanceof ModbusError ? error.outcome : 'not-sent');
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    this.#lane[Symbol.dispose]();
    await this.#link?.[Symbol.asyncDispose]();
    this.#link = null;
  }

  async #transact(exchange: Exchange, options: RequestOptions, isProbe: boolean): Promise<Buffer> {
    this.#lateWindow = Math.max(this.#lateWindow, options.lateWindow);
    const link = await this.#connected(options.count);
    await this.#keepFrameGap();
    if (exchange.unit === 0 && this.#options.framing === 'rtu') return this.#broadcast(link, exchange);
    const unit = this.#unit(exchange.unit);
    const known = unit.latency === null ? 0 : 4 * unit.latency;
    const timeout = isProbe ? Math.min(options.timeout, Math.max(probeTimeout, known)) : options.timeout;
    const sent = this.#now();
    try {
      const frame = await link.exchange(exchange, timeout);
      this.#heard(unit, this.#now() - sent);
      return frame;
    } catch (error) {
      await this.#missed(exchange.unit, error, options);
      if (isProbe) this.#probeNotBefore = this.#now() + probeShare * (this.#now() - sent);
      throw error;
    } finally {
      this.#lastFrame = this.#now();
    }
  }

  #heard(unit: UnitState, latency: number): void {
    this.#backoff.reset();
    this.#connectNotBefore = 0;
    unit.misses = 0;
    unit.latency = unit.latency === null ? latency : unit.latency + 0.2 * (latency - unit.latency);
    this.#lastHeard = this.#now();
    this.#missesInARow = 0;
    this.#silentReopenAfter = 5_000;
    this.#reopen.reset();
  }

  async #missed(unitId: number, error: unknown, options: RequestOptions): Promise<void> {
    if (!(error instanceof ModbusError)) return;
    if (error.outcome === 'timeout') this.#unit(unitId).misses++;
    if (error.outcome === 'closed' || error.outcome === 'garbage') return;
    // RTU has no transaction number: a late answer would be taken for the next one of the same shape. Modbus TCP has.
    if (this.#options.framing === 'rtu') this.#holdBack(unitId);
    // Half-open connections look open for ever: judge by the age of data, not by the state of the socket.
    this.#missesInARow++;
    if (this.#missesInARow >= 3 && this.#now() - this.#lastHeard > this.#silentReopenAfter) {
      this.#silentReopenAfter = this.#reopen.next();
      options.count('reopen');
      await this.#drop();
    }
  }

  /** Until nothing of this unit can still be on its way. */
  #holdBack(unit: number): void {
    this.#lane.hold(String(unit), Math.min(maxLateWindow, Math.max(this.#lateWindow, 1.5 * this.#lateSeen)));
  }

  async #broadcast(link: Link, exchange: Exchange): Promise<Buffer> {
    link.send(exchange);
    await delay(turnaround, this.#end.signal);
    // Nobody answers a broadcast: the request itself stands for the echo.
    return exchange.request;
  }

  async #keepFrameGap(): Promise<void> {
    const wait = (this.#options.frameGap ?? 0) - (this.#now() - this.#lastFrame);
    if (wait > 0) await delay(Math.ceil(wait), this.#end.signal);
  }

  async #connected(count: (word: string) => void): Promise<Link> {
    if (this.#link !== null && !this.#link.ended) return this.#link;
    await this.#drop();
    const wait = this.#connectNotBefore - this.#now();
    if (wait > 0) {
      throw new ModbusError('closed', `${this.#lastFailure}; next try in ${Math.ceil(wait / 1000)} s`);
    }
    const { source, clock, framing } = this.#options;
    try {
      const port = await source.open(connectTimeout, this.#end.signal);
      const events: LinkEvents = {
        count,
        late: (ms) => {
          this.#lateSeen = Math.min(maxLateWindow, Math.max(this.#lateSeen, ms));
        },
        unsettled: (unit) => this.#holdBack(unit),
      };
      this.#link = framing === 'rtu' ? new RtuLink(port, clock, events) : new MbapLink(port, clock, events);
      this.#lastHeard = this.#now();
      this.#missesInARow = 0;
      // Counts until the first answer: a server that accepts and hangs up is not called again at once.
      this.#connectNotBefore = this.#now() + this.#backoff.next();
      this.#lastFailure = `${source.label} ends the connection without an answer`;
      count('connect');
      return this.#link;
    } catch (error) {
      this.#lastFailure = `no connection: ${messageOf(error)}`;
      this.#connectNotBefore = this.#now() + this.#backoff.next();
      throw new ModbusError('closed', this.#lastFailure, { cause: error });
    }
  }

  async #drop(): Promise<void> {
    const link = this.#link;
    this.#link = null;
    await link?.[Symbol.asyncDispose]();
  }

  #unit(id: number): UnitState {
    const known = this.#units.get(id);
    if (known !== undefined) return known;
    if (this.#units.size >= maxUnits) this.#units.clear();
    const fresh: UnitState = { misses: 0, latency: null };
    this.#units.set(id, fresh);
    return fresh;
  }

  #isSilent(id: number): boolean {
    return (this.#units.get(id)?.misses ?? 0) >= silentAfter;
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}
