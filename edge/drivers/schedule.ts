import type { Point, PollClass } from '#edge/domain/device.ts';
import type { Site } from '#edge/runtime/site.ts';

/** Every device starts within this, so that a page has values soon; ms. */
const firstWithin = 2_000;

interface Slot {
  readonly points: readonly Point[];
  /** ms; infinite for values that are read once. */
  readonly period: number;
  due: number;
  /** The first round is for everybody; from then on each device has its own place in the period. */
  settled: boolean;
}

/**
 * When which points of one device are asked for. `place` (0..1) spreads the devices over each period, so that 200 meters
 * do not all ask in the same millisecond. Times are monotonic ms.
 */
export class Schedule {
  readonly #slots: readonly Slot[];
  readonly #place: number;
  /** At most one for each combination of the four classes. */
  readonly #lists = new Map<string, readonly Point[]>();

  constructor(points: readonly Point[], poll: Site['poll'], start: number, place: number) {
    const classes: readonly (readonly [PollClass, number])[] = [
      ['fast', poll.fast],
      ['normal', poll.normal],
      ['slow', poll.slow],
      ['once', Number.POSITIVE_INFINITY],
    ];
    this.#place = place;
    this.#slots = classes
      .map(([name, period]) => ({
        points: points.filter((point) => point.poll === name),
        period,
        due: start + place * Math.min(poll.fast, firstWithin),
        settled: false,
      }))
      .filter((slot) => slot.points.length > 0);
  }

  /** Every polled point. */
  get points(): readonly Point[] {
    return this.#slots.flatMap((slot) => slot.points);
  }

  /** When something is due next; infinite when nothing ever is. */
  get next(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.#slots.map((slot) => slot.due));
  }

  /** The points due now, whose next turn it notes. `missed` counts turns that passed while the device was busy. */
  take(now: number): { points: readonly Point[]; missed: number } {
    const due = this.#slots.filter((slot) => slot.due <= now);
    let missed = 0;
    for (const slot of due) {
      if (!slot.settled) {
        slot.settled = true;
        slot.due = now + slot.period * (slot.period === Number.POSITIVE_INFINITY ? 1 : 0.5 + 0.5 * this.#place);
        continue;
      }
      const late = Math.floor((now - slot.due) / slot.period);
      missed += late;
      slot.due += (late + 1) * slot.period;
    }
    return { points: this.#together(due), missed };
  }

  /** The same few lists again and again: a driver keeps what it works out for a list. */
  #together(due: readonly Slot[]): readonly Point[] {
    const [only] = due;
    if (only !== undefined && due.length === 1) return only.points;
    const key = due.map((slot) => this.#slots.indexOf(slot)).join();
    const known = this.#lists.get(key) ?? due.flatMap((slot) => slot.points);
    this.#lists.set(key, known);
    return known;
  }

  /** Everything is due now: the device is back, or the bus forgot what it knew. */
  reset(now: number): void {
    for (const slot of this.#slots) slot.due = now;
  }
}
