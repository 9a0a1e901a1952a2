/*
 * A counter that is exact: what flowed is kept as whole thousandths (mWh, mL) with the remainder of the division carried on, so
 * that a month of it is right to the last digit. What the meter shows of it is another matter: digits, a rollover, a swap, a
 * register that is stuck. The truth knows nothing of those.
 */

/** mWh are milliwatts times hours; the same holds for mL and mL/h. */
const perHour = 3_600_000n;

export interface CounterDigits {
  /** Thousandths in one step of the last digit: 10 Wh are 10,000 mWh. */
  readonly resolution: number;
  /** Steps of the last digit at which the display starts again at 0: 8 digits roll over at 100,000,000. */
  readonly wrap: number;
}

/** A happening in the life of a meter, for whoever checks what others made of it. */
export interface CounterMark {
  readonly time: number;
  readonly kind: 'swap' | 'stuck' | 'freed' | 'dead' | 'alive' | 'zero';
  /** Thousandths that really flowed until then, and the steps shown before it. */
  readonly truth: bigint;
  readonly shown: number;
  readonly serial: string;
}

export interface CounterOptions extends CounterDigits {
  readonly serial: string;
  /** Steps shown at the beginning. */
  readonly start: number;
}

/** What is needed to go on counting later: whole numbers as text. */
export interface CounterState {
  readonly truth: string;
  readonly rest: string;
  readonly zero: string;
  readonly serial: string;
}

/** Marks of full hours: a year, and the first hour of it is forgotten for each new one. */
const maxHours = 9_000;
const maxMarks = 1_000;

export class ExactCounter {
  readonly #options: CounterOptions;
  readonly #hours = new Map<number, bigint>();
  readonly marks: CounterMark[] = [];
  #truth = 0n;
  #rest = 0n;
  /** Truth at which this meter showed 0. */
  #zero: bigint;
  #serial: string;
  #stuckAt: number | null = null;
  #isDead = false;
  #zerosUntil = 0;

  constructor(options: CounterOptions) {
    this.#options = options;
    this.#serial = options.serial;
    this.#zero = -BigInt(options.start) * BigInt(options.resolution);
  }

  /** So much an hour (mW, mL/h; whole numbers) for so many ms, up to the time given. */
  add(rate: number, ms: number, time: number): void {
    this.#rest += BigInt(rate) * BigInt(ms);
    this.#truth += this.#rest / perHour;
    this.#rest %= perHour;
    if (time % 3_600_000 !== 0) return;
    this.#hours.set(time, this.#truth);
    const [first] = this.#hours.keys();
    if (this.#hours.size > maxHours && first !== undefined) this.#hours.delete(first);
  }

  /** Thousandths that flowed since the beginning, whatever the meter shows. */
  get truth(): bigint {
    return this.#truth;
  }

  get serial(): string {
    return this.#serial;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Thousandths that flowed between two full hours; null: one of them was not lived through. */
  between(from: number, to: number): bigint | null {
    const [before, after] = [this.#hours.get(from), this.#hours.get(to)];
    return before === undefined || after === undefined ? null : after - before;
  }

  /** Steps of the last digit, as the display has them. */
  shown(now: number): number {
    if (now < this.#zerosUntil) return 0;
    return this.#stuckAt ?? this.#steps();
  }

  get state(): CounterState {
    return { truth: `${this.#truth}`, rest: `${this.#rest}`, zero: `${this.#zero}`, serial: this.#serial };
  }

  /** Goes on where another one stopped. */
  resume(state: CounterState): void {
    this.#truth = BigInt(state.truth);
    this.#rest = BigInt(state.rest);
    this.#zero = BigInt(state.zero);
    this.#serial = state.serial;
  }

  /** Another meter in the same place: another serial number, and it begins at 0 (or where it is said to). */
  swap(serial: string, now: number, start = 0): void {
    this.#mark('swap', now);
    this.#serial = serial;
    this.#stuckAt = null;
    this.#zero = this.#truth - BigInt(start) * BigInt(this.#options.resolution);
  }

  /** The display stands still while the truth goes on. Freed, it catches up; or what flowed meanwhile is lost to it. */
  stick(now: number): void {
    this.#mark('stuck', now);
    this.#stuckAt = this.#steps();
  }

  free(now: number, missed: 'caught-up' | 'lost'): void {
    if (this.#stuckAt === null) return;
    this.#mark('freed', now);
    if (missed === 'lost') this.#zero = this.#truth - BigInt(this.#stuckAt) * BigInt(this.#options.resolution);
    this.#stuckAt = null;
  }

  /** Without power it says nothing. When it is back it may show 0 for a moment, until it has read its memory. */
  power(on: boolean, now: number, zerosFor = 0): void {
    this.#mark(on ? 'alive' : 'dead', now);
    this.#isDead = !on;
    if (!on || zerosFor === 0) return;
    this.#mark('zero', now);
    this.#zerosUntil = now + zerosFor;
  }

  #steps(): number {
    const { resolution, wrap } = this.#options;
    return Number(((this.#truth - this.#zero) / BigInt(resolution)) % BigInt(wrap));
  }

  #mark(kind: CounterMark['kind'], time: number): void {
    this.marks.push({ time, kind, truth: this.#truth, shown: this.shown(time), serial: this.#serial });
    if (this.marks.length > maxMarks) this.marks.shift();
  }
}
