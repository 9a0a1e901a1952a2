import type { Clock } from '#edge/runtime/clock.ts';

/** Wrong passwords that cost nothing: people mistype. */
const free = 3;
const firstPause = 1_000;
const longestPause = 60_000;
/** After this much quiet a name starts afresh, ms. */
const forgetAfter = 600_000;
const remembered = 4_096;

interface Failures {
  count: number;
  until: number;
  last: number;
}

/** Makes guessing slow: after three failures of one name, pauses of 1 s, 2 s ... 60 s in which nothing is even tried. */
export class Attempts {
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long this name must still wait, ms; 0 = it may try. */
  pause(name: string): number {
    const failures = this.#failures.get(name);
    return failures === undefined ? 0 : Math.max(0, failures.until - this.#clock.monotonic());
  }

  fail(name: string): void {
    const now = this.#clock.monotonic();
    const before = this.#failures.get(name);
    const count = before === undefined || now - before.last > forgetAfter ? 1 : before.count + 1;
    const pause = count < free ? 0 : Math.min(longestPause, firstPause * 2 ** Math.min(count - free, 10));
    this.#failures.delete(name);
    this.#failures.set(name, { count, until: now + pause, last: now });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > remembered && oldest !== undefined) this.#failures.delete(oldest);
  }

  succeed(name: string): void {
    this.#failures.delete(name);
  }
}
