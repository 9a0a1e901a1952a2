import type { Clock } from '#edge/runtime/clock.ts';
import { delay } from '#edge/runtime/lifecycle.ts';

/**
 * The last word on how often a camera is bothered: whatever back-off, resume or renewal decide, two turns are never
 * closer than `gap` ms on the monotonic clock, and a failure pushes the next turn away from itself too.
 */
export class AttemptLimiter {
  readonly #clock: Clock;
  readonly #gap: number;
  #next = 0;

  constructor(clock: Clock, gap: number) {
    this.#clock = clock;
    this.#gap = gap;
    this.#next = clock.monotonic();
  }

  /** Waits for the turn and takes it. Resolves early when aborted. */
  async turn(signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic();
    const at = Math.max(now, this.#next);
    this.#next = at + this.#gap;
    // Timers may fire a millisecond early.
    if (at > now) await delay(Math.ceil(at - now) + 1, signal);
  }

  /** Something failed just now. */
  failed(): void {
    this.#next = Math.max(this.#next, this.#clock.monotonic() + this.#gap);
  }
}
