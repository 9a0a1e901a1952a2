import type { Clock } from '#edge/runtime/clock.ts';

/** Wrong tries that cost nothing: people mistype. */
const free = 5;
const firstPause = 30_000;
export const longestPause = 30 * 60_000;
/** After so much quiet a key starts afresh, ms. */
const forgetAfter = 60 * 60_000;
const remembered = 10_000;

export interface Failures {
  readonly count: number;
  /** No try is looked at until then, ms since epoch. */
  readonly until: number;
  readonly last: number;
}

/**
 * Makes guessing slow: the fifth wrong try of a key (an account, an address) locks it for 30 s, each further one for
 * twice as long, up to 30 min. Bounded: when too many keys are known, the one that failed longest ago is forgotten, and of
 * those that are not locked first.
 */
export class Attempts {
  readonly #clock: Clock;
  readonly #failures = new Map<string, Failures>();
  forgotten = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long this key must still wait, ms; 0: it may try. */
  pause(key: string): number {
    const { until = 0 } = this.#failures.get(key) ?? {};
    // A clock that was set back must not lock anybody for longer than we ever lock.
    return Math.min(longestPause, Math.max(0, until - this.#clock.now()));
  }

  of(key: string): Failures | undefined {
    return this.#failures.get(key);
  }

  /** Counts a wrong try; how long the key is locked now, ms. */
  fail(key: string): number {
    const now = this.#clock.now();
    const before = this.#failures.get(key);
    const count = before === undefined || now - before.last > forgetAfter ? 1 : before.count + 1;
    const pause = count < free ? 0 : Math.min(longestPause, firstPause * 2 ** Math.min(count - free, 20));
    this.restore(key, { count, until: now + pause, last: now });
    return pause;
  }

  succeed(key: string): void {
    this.#failures.delete(key);
  }

  /** Takes back so many wrong tries, and the lock that they brought. */
  forgive(key: string, tries: number): void {
    const failures = this.#failures.get(key);
    if (failures === undefined || tries === 0) return;
    const count = failures.count - tries;
    if (count <= 0) this.#failures.delete(key);
    else this.#failures.set(key, { ...failures, count, until: count < free ? 0 : failures.until });
  }

  restore(key: string, failures: Failures): void {
    this.#failures.delete(key);
    this.#failures.set(key, failures);
    if (this.#failures.size > remembered) this.#forgetOne();
  }

  #forgetOne(): void {
    const now = this.#clock.now();
    let looked = 0;
    for (const [key, { until }] of this.#failures) {
      if (until > now && looked++ < 100) continue;
      this.#failures.delete(key);
      this.forgotten++;
      return;
    }
  }
}
