import { type Clock, systemClock } from '#edge/runtime/clock.ts';

/*
 * The copper between meters and whoever asks them: half duplex, one exchange at a time, first come first served, at the speed of
 * its baud rate. A queue in front of it forgets nobody, as cheap gateways do not: who has long given up is still served, and that
 * is how a line that is asked too fast stops delivering anything at all.
 */

export interface WireOptions {
  /** Bit/s; null: no time passes on the wire. */
  readonly baud: number | null;
  /** Bits a character takes: 10 for 8N1, 11 for 8E1. */
  readonly bits: 10 | 11;
  /** Silence after each frame, characters; Modbus RTU 3.5 (and 1.75 ms from 38,400 on), default 0. */
  readonly gap?: number;
  /** Exchanges that wait at most; default 1,000. */
  readonly queue?: number;
  /** Paces the wire; only its monotonic half is asked. */
  readonly clock?: Clock;
}

export interface WireAnswer {
  /** What the device needs to think, ms. */
  readonly after: number;
  readonly bytes: Buffer;
}

/** One request on its way, and what becomes of it. */
export interface Exchange {
  readonly request: Buffer;
  /** The last byte has arrived at the devices; what they say, or null. */
  hear(): WireAnswer | null;
  /** How long the line is kept for an answer that does not come, ms. 0: a transparent serial server, which does not know what an answer is. */
  readonly hold: number;
  /** The last byte of the answer has arrived. Also of one that came after `hold` was over. */
  answered(bytes: Buffer): void;
  /** `hold` is over and nothing came. */
  silent?(): void;
}

export interface WireStats {
  exchanges: number;
  /** Time the wire carried bytes or waited for an answer, ms. */
  busy: number;
  waiting: number;
  /** Exchanges that found the queue full. */
  refused: number;
}

export class Wire implements Disposable {
  readonly stats: WireStats = { exchanges: 0, busy: 0, waiting: 0, refused: 0 };
  readonly #options: WireOptions;
  readonly #clock: Clock;
  readonly #queue: Exchange[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #isBusy = false;
  #free = 0;

  constructor(options: WireOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** How long so many bytes take, ms. */
  duration(bytes: number): number {
    const { baud, bits } = this.#options;
    return baud === null ? 0 : (bytes * bits * 1000) / baud;
  }

  take(exchange: Exchange): void {
    if (this.#queue.length >= (this.#options.queue ?? 1_000)) {
      this.stats.refused++;
      return;
    }
    this.#queue.push(exchange);
    this.stats.waiting = this.#queue.length;
    if (!this.#isBusy) this.#next();
  }

  [Symbol.dispose](): void {
    this.#queue.length = 0;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #gap(): number {
    const { gap = 0, baud } = this.#options;
    // Above 19,200 the silence of Modbus is fixed (MODBUS over Serial Line V1.02, 2.5.1.1).
    return gap > 0 && baud !== null && baud > 19_200 ? 1.75 : this.duration(gap);
  }

  #next(): void {
    const exchange = this.#queue.shift();
    this.stats.waiting = this.#queue.length;
    this.#isBusy = exchange !== undefined;
    if (exchange === undefined) return;
    // Absolute times: a timer that fires late does not make the wire slower than copper is.
    const start = Math.max(this.#clock.monotonic(), this.#free);
    const heard = start + this.duration(exchange.request.length) + this.#gap();
    this.#at(heard, () => this.#hear(exchange, start, heard));
  }

  #hear(exchange: Exchange, start: number, heard: number): void {
    const answer = exchange.hear();
    const end = answer === null ? 0 : heard + answer.after + this.duration(answer.bytes.length);
    const isLate = answer !== null && exchange.hold > 0 && answer.after > exchange.hold;
    if (answer !== null && isLate) this.#at(end, () => exchange.answered(answer.bytes));
    if (answer === null || isLate) {
      this.#finish(start, heard + exchange.hold, () => exchange.silent?.());
    } else {
      this.#finish(start, end, () => exchange.answered(answer.bytes), this.#gap());
    }
  }

  #finish(start: number, end: number, act: () => void, gap = 0): void {
    this.#at(end, () => {
      this.#free = end + gap;
      this.stats.exchanges++;
      this.stats.busy += this.#free - start;
      act();
      this.#next();
    });
  }

  #at(time: number, act: () => void): void {
    const wait = time - this.#clock.monotonic();
    if (wait <= 0) {
      // Not in this turn: a wire without pace would otherwise call itself as deep as its queue.
      const timer = setTimeout(() => this.#fire(timer, act), 0);
      this.#timers.add(timer);
      return;
    }
    const timer = setTimeout(() => this.#fire(timer, act), wait);
    this.#timers.add(timer);
  }

  #fire(timer: NodeJS.Timeout, act: () => void): void {
    this.#timers.delete(timer);
    act();
  }
}
