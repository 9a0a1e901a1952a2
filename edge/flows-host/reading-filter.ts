import type { PointRef } from '#edge/domain/ids.ts';
import type { Quality, Reading, Value } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';

export interface ReadingFilterOptions {
  /** A number must have moved by at least this much since the last message; 0: every reading passes. */
  readonly delta: number;
  /** At most one message of a point in so many ms; 0: no limit. What is withheld last is sent when the time is over. */
  readonly period: number;
  /** Also say when a reading is no longer good, or good again. */
  readonly qualityChanges: boolean;
  readonly clock: Clock;
  readonly send: (reading: Reading) => void;
}

interface Point {
  quality: Quality;
  /** As it was said last. */
  value: Value | null;
  said: boolean;
  at: number;
  withheld: Reading | null;
}

/** Points of one node that are remembered. */
const mostPoints = 10_000;

/** Stands between floods of telemetry and a flow: what changes nothing, or comes too fast, is not a message. */
export class ReadingFilter implements Disposable {
  readonly #options: ReadingFilterOptions;
  readonly #points = new Map<PointRef, Point>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ReadingFilterOptions) {
    this.#options = options;
  }

  /** True when the quality of its point is another than before. */
  take(reading: Reading): boolean {
    const { ref, quality } = reading;
    const { clock, period } = this.#options;
    const point = this.#point(ref, reading);
    const isChanged = point.quality !== quality;
    point.quality = quality;
    if (!this.#isWanted(reading, point, isChanged)) {
      // It moved and came back: there is nothing to say any more.
      if (quality === 'good') point.withheld = null;
      return isChanged;
    }
    const wait = point.said ? point.at + period - clock.monotonic() : 0;
    if (wait > 0) {
      point.withheld = reading;
      this.#wake(wait);
    } else {
      this.#say(point, reading);
    }
    return isChanged;
  }

  #isWanted(reading: Reading, point: Point, isChanged: boolean): boolean {
    const { delta, qualityChanges } = this.#options;
    if (isChanged && qualityChanges) return true;
    if (reading.quality !== 'good') return false;
    if (!point.said || delta <= 0) return true;
    const { value } = reading;
    if (typeof value !== 'number' || typeof point.value !== 'number') return value !== point.value;
    return Math.abs(value - point.value) >= delta;
  }

  #say(point: Point, reading: Reading): void {
    point.withheld = null;
    point.said = true;
    point.value = reading.value;
    point.at = this.#options.clock.monotonic();
    this.#options.send(reading);
  }

  #point(ref: PointRef, { quality }: Reading): Point {
    const known = this.#points.get(ref);
    if (known !== undefined) return known;
    if (this.#points.size >= mostPoints) this.#points.clear();
    // Of a point that is bad from the start that is the news.
    const before = quality === 'good' ? quality : 'good';
    const fresh: Point = { quality: before, value: null, said: false, at: 0, withheld: null };
    this.#points.set(ref, fresh);
    return fresh;
  }

  #wake(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.release();
    }, ms);
  }

  /** Says what was withheld and is due. */
  release(): void {
    const { clock, period } = this.#options;
    let next = Number.POSITIVE_INFINITY;
    for (const point of this.#points.values()) {
      if (point.withheld === null) continue;
      const wait = point.at + period - clock.monotonic();
      if (wait <= 0) this.#say(point, point.withheld);
      else next = Math.min(next, wait);
    }
    if (Number.isFinite(next)) this.#wake(next);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
