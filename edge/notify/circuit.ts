import type { Clock } from '#edge/runtime/clock.ts';
import { Backoff } from '#edge/runtime/lifecycle.ts';

export interface CircuitOptions {
  /** Failures in a row after which it opens. */
  readonly failures: number;
  /** First and longest pause, ms. */
  readonly first: number;
  readonly cap: number;
  readonly random?: () => number;
}

/**
 * A channel that does not work is asked by one message at a time, more and more seldom: its gateway is left in peace, and its
 * messages wait without costing anybody else anything.
 */
export class Circuit {
  readonly #options: CircuitOptions;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  #failures = 0;
  /** Nothing is sent before then, monotonic ms. */
  #until = 0;
  /** Since when nothing got through, wall ms; null while it works. */
  #brokenSince: number | null = null;
  #problem = '';

  constructor(options: CircuitOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#backoff = new Backoff(options);
  }

  get brokenSince(): number | null {
    return this.#brokenSince;
  }

  /** '' while it works. */
  get problem(): string {
    return this.#problem;
  }

  get isOpen(): boolean {
    return this.#failures >= this.#options.failures;
  }

  /** How many may be under way now. */
  width(usual: number): number {
    if (this.#clock.monotonic() < this.#until) return 0;
    return this.isOpen ? 1 : usual;
  }

  succeed(): void {
    this.#failures = 0;
    this.#until = 0;
    this.#brokenSince = null;
    this.#problem = '';
    this.#backoff.reset();
  }

  fail(problem: string): void {
    this.#failures++;
    this.#problem = problem;
    this.#brokenSince ??= this.#clock.now();
    if (this.isOpen) this.#until = this.#clock.monotonic() + this.#backoff.next();
  }

  /** The far end wants a pause: it works, and says so itself. */
  pause(ms: number): void {
    this.#until = Math.max(this.#until, this.#clock.monotonic() + ms);
  }
}
