/* Where a live picture stands in what is buffered, and what to do about it. Pure: seconds in, a decision out. */

export interface EdgeView {
  /** End of what is buffered, and the place that is shown, s. */
  readonly end: number;
  readonly start: number;
  readonly current: number;
  /** What is kept in hand against a line that comes in gusts, s. */
  readonly target: number;
}

export type EdgeStep =
  | { readonly kind: 'play'; readonly rate: number }
  /** Goes to this place at once. */
  | { readonly kind: 'jump'; readonly to: number };

/** Faster by a tenth is seen by nobody; further behind than this is not caught up in a reasonable time, s. */
const quick = 1.1;
const jumpAbove = 1;
const quickAbove = 0.15;
const afterJump = 0.1;

/** Rate 1.1 when more than 0.15 s behind what is wanted in hand, a jump when more than 1 s. */
export function stepTowardsEdge({ start, end, current, target }: EdgeView): EdgeStep {
  const lag = end - current;
  // A new generation begins at 0 again, and what is buffered may lie before or behind the place that is shown.
  if (current < start || lag < -0.5) return { kind: 'jump', to: Math.max(start, end - afterJump - target) };
  if (lag > jumpAbove + target) return { kind: 'jump', to: Math.max(start, end - afterJump - target) };
  if (lag > quickAbove + target) return { kind: 'play', rate: quick };
  return { kind: 'play', rate: 1 };
}

const targetStep = 0.12;
const targetMost = 1.5;
const calmTime = 20_000;
/** Nobody sees a picture that comes so late, nor one that comes half a picture late, ms. */
const shortWait = 150;
const mostGap = 1_000;

/**
 * Learns how much must be in hand: each time the picture stood still it wants more, and after a calm time a little less. At the edge
 * a browser waits for each picture of a slow camera: that is no standing still. Times in ms.
 */
export class EdgeTarget {
  #target = 0;
  #stalls: number[] = [];
  #changedAt = 0;
  /** Since when it waits. */
  #waiting: number | null = null;
  /** Between two pictures, as they come. */
  #gap = 0;
  #arrivedAt: number | null = null;

  get seconds(): number {
    return this.#target;
  }

  /** Pictures came. */
  arrived(now: number): void {
    const gap = this.#arrivedAt === null ? 0 : Math.min(mostGap, now - this.#arrivedAt);
    this.#gap = this.#gap === 0 ? gap : this.#gap + (gap - this.#gap) / 8;
    this.#arrivedAt = now;
  }

  /** The browser has nothing to show, or looks for a place it was sent to. */
  waits(now: number, isSeeking: boolean): void {
    this.#waiting = isSeeking ? null : (this.#waiting ?? now);
  }

  /** It shows pictures again. */
  plays(now: number): void {
    const waited = this.#waiting === null ? 0 : now - this.#waiting;
    this.#waiting = null;
    if (waited > Math.max(shortWait, 1.5 * this.#gap)) this.stalled(now);
  }

  stalled(now: number): void {
    this.#stalls = [...this.#stalls.filter((at) => now - at < 10_000), now];
    // One is the start, or a camera that hiccuped.
    if (this.#stalls.length < 2) return;
    this.#target = Math.min(targetMost, this.#target + targetStep);
    this.#changedAt = now;
  }

  calm(now: number): void {
    if (this.#target === 0 || now - this.#changedAt < calmTime) return;
    this.#target = Math.max(0, this.#target - targetStep);
    this.#changedAt = now;
  }
}
