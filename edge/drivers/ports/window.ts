import { Backoff } from '#edge/runtime/lifecycle.ts';
import type { Lane } from './lane.ts';

/** Good answers in a row before two requests may be under way at once. */
const trustAfter = 32;
/** A gateway with a queue loses everything when requests wait in it longer than we do: two must fit in so little, ms. */
const longestForTwo = 200;

/**
 * How many requests are under way at once: one, and two where answers are numbered, the line has proved itself and is fast
 * (in flight x time < timeout; beyond that a gateway that queues answers nothing in time any more). Two never go to one
 * unit. One failure puts it back to one, ever longer.
 */
export class Window {
  readonly #lane: Lane;
  readonly #mayGrow: boolean;
  readonly #backoff = new Backoff({ first: 60_000, cap: 3_600_000 });
  #streak = 0;
  #latency = 0;
  #notBefore = 0;

  constructor(mayGrow: boolean, lane: Lane) {
    this.#mayGrow = mayGrow;
    this.#lane = lane;
  }

  answered(now: number, ms: number): void {
    if (!this.#mayGrow) return;
    this.#latency += 0.1 * (ms - this.#latency);
    this.#streak++;
    if (this.#latency > longestForTwo) this.#lane.window = 1;
    else if (this.#lane.window === 1 && this.#streak >= trustAfter && now >= this.#notBefore) this.#lane.window = 2;
  }

  failed(now: number): void {
    this.#streak = 0;
    if (this.#lane.window === 1) return;
    this.#lane.window = 1;
    this.#notBefore = now + this.#backoff.next();
  }
}
