import type { Aggregate } from './batch.ts';
import type { SampleSource } from './blocks.ts';
import type { Columns } from './codec.ts';
import { hourMs, hourOf, type StoredPoint } from './points.ts';
import type { Carry, Part } from './rollup.ts';
import * as rollup from './rollup.ts';
import { type HistorySample, historyMaker, inOrder, type StoredSample, toRollup } from './sample.ts';

/** How far back a value that never goes stale, or a counter's last value, is looked for. */
const reachHours = 31 * 24;

/** One point's samples over a stretch of time, hot and sealed as one. Made for one call, inside one read transaction. */
export class PointHistory {
  readonly #source: SampleSource;
  readonly #point: StoredPoint;
  readonly #hot: ReadonlyMap<number, StoredSample[]>;
  readonly #hotHours: readonly number[];
  #cached: { hour: number; samples: StoredSample[] } | null = null;

  constructor(source: SampleSource, point: StoredPoint, to: number) {
    this.#source = source;
    this.#point = point;
    const hot = new Map<number, StoredSample[]>();
    for (const sample of source.hot(point.id, to)) {
      const hour = hourOf(sample.t);
      const list = hot.get(hour);
      if (list === undefined) hot.set(hour, [sample]);
      else list.push(sample);
    }
    this.#hot = hot;
    this.#hotHours = [...hot.keys()].sort((a, b) => a - b);
  }

  /** The samples of one hour, sorted, each time once. The hot log arrived later than the block, so it wins. */
  hour(hour: number): StoredSample[] {
    if (this.#cached?.hour === hour) return this.#cached.samples;
    const hot = this.#hot.get(hour) ?? [];
    const samples = inOrder([...this.#source.block(this.#point.id, hour), ...hot]);
    this.#cached = { hour, samples };
    return samples;
  }

  /** The first hour from `hour` on that may hold samples of this point. */
  nextHour(hour: number): number | null {
    const sealed = this.#source.nextHour(hour);
    const hot = this.#hotHours.find((h) => h >= hour);
    return sealed === null ? (hot ?? null) : Math.min(sealed, hot ?? sealed);
  }

  /** What [start, end) within one hour says by itself: from the header alone where that is the whole truth. */
  part(start: number, end: number): Part {
    const hour = hourOf(start);
    const whole = start === hour * hourMs && end === start + hourMs;
    if (whole && !this.#hot.has(hour)) return this.#source.header(this.#point.id, hour) ?? rollup.emptyPart;
    const samples = this.hour(hour);
    const inside = samples.slice(rollup.lowerBound(samples, start), rollup.lowerBound(samples, end));
    return rollup.measure(inside.map(toRollup), end, this.#point.rule);
  }

  /** What is known just before `t`. */
  carryAt(t: number): Carry {
    const { rule } = this.#point;
    const hour = hourOf(t);
    const unlimited = rule.staleAfter === 0 || rule.counter;
    const reach = unlimited ? reachHours : Math.min(reachHours, Math.ceil(rule.staleAfter / hourMs) + 1);
    let carry = rollup.leave(t > hour * hourMs ? this.part(hour * hourMs, t) : rollup.emptyPart, rollup.nothingCarried);
    let at = hour;
    while (carry.tail === null || (rule.counter && carry.lastGood === null)) {
      const hot = this.#hotHours.findLast((h) => h < at && h >= hour - reach);
      const left = reach - (hour - at);
      const sealed = left > 0 ? this.#source.headerBefore(this.#point.id, at, left) : null;
      if (hot === undefined && sealed === null) break;
      at = Math.max(hot ?? 0, sealed?.hour ?? 0);
      const part = this.part(at * hourMs, (at + 1) * hourMs);
      carry = { tail: carry.tail ?? part.tail, lastGood: carry.lastGood ?? part.last };
    }
    return carry;
  }

  /** Samples with from <= t < to, the first `limit` of them. */
  raw(from: number, to: number, limit: number): HistorySample[] {
    const found: HistorySample[] = [];
    for (let hour: number | null = hourOf(from); hour !== null && hour * hourMs < to && found.length < limit; ) {
      const columns: Columns | null = this.#hot.has(hour) ? null : this.#source.columns(this.#point.id, hour);
      if (columns !== null) addColumns(columns, from, to, found);
      else if (this.#hot.has(hour)) addSamples(this.hour(hour), from, to, found);
      // Most points have every hour: only where one is missing is the next looked for.
      hour = columns === null ? this.nextHour(hour + 1) : hour + 1;
    }
    if (found.length > limit) found.length = limit;
    return found;
  }

  /**
   * Aggregates over buckets; only those in which something is known. `next` gives the bucket that a time lies in (or the
   * first after it), null after the last. `now` ends what is held: nobody knows a later value.
   */
  aggregates(next: (t: number) => Bucket | null, from: number, now: number, limit: number): Aggregate[] {
    const found: Aggregate[] = [];
    const { rule } = this.#point;
    let bucket = next(from);
    let carry: Carry | null = null;
    while (bucket !== null && bucket.start < now && found.length < limit) {
      carry ??= this.carryAt(bucket.start);
      const end = Math.min(bucket.end, now);
      const whole = this.#bucket(bucket.start, end, carry);
      if (whole.part.count > 0 || whole.part.goodMs > 0) found.push(rollup.toAggregate(bucket.start, whole.part));
      carry = whole.carry;
      const silentUntil: number = holds(carry, bucket.end, rule.staleAfter) ? bucket.end : this.#nextData(bucket.end);
      bucket = next(silentUntil);
    }
    return found;
  }

  #nextData(t: number): number {
    const hour = this.nextHour(hourOf(t));
    return hour === null ? Number.POSITIVE_INFINITY : Math.max(t, hour * hourMs);
  }

  #bucket(start: number, end: number, before: Carry): { part: Part; carry: Carry } {
    let carry = before;
    let sum: Part | null = null;
    for (let at = start; at < end; ) {
      const to = Math.min(end, (hourOf(at) + 1) * hourMs);
      const part = rollup.enter(this.part(at, to), at, to, carry, this.#point.rule);
      carry = rollup.leave(part, carry);
      sum = sum === null ? part : rollup.join(sum, part);
      at = to;
    }
    return { part: sum ?? rollup.emptyPart, carry };
  }
}

/** The samples of a block with from <= t < to: its times ascend. */
function addColumns(columns: Columns, from: number, to: number, found: HistorySample[]): void {
  const { count, times, distances, codes, values } = columns;
  const stop = lowerIndex(times, count, to);
  let i = lowerIndex(times, count, from);
  for (const { code, end } of codes) {
    const make = historyMaker(code);
    for (const last = Math.min(end, stop); i < last; i++) {
      found.push(make(times[i] ?? 0, distances[i] ?? 0, values[i] ?? null));
    }
  }
}

/** Index of the first of `count` times that is >= `t`. */
function lowerIndex(times: Float64Array, count: number, t: number): number {
  if ((times[count - 1] ?? t) < t) return count;
  let i = 0;
  while (i < count && (times[i] ?? t) < t) i++;
  return i;
}

function addSamples(samples: readonly StoredSample[], from: number, to: number, found: HistorySample[]): void {
  let known = -1;
  let make = historyMaker(0);
  for (const { t, d, value, code } of samples) {
    if (t < from || t >= to) continue;
    if (code !== known) make = historyMaker(code);
    known = code;
    found.push(make(t, d, value));
  }
}

function holds(carry: Carry, t: number, staleAfter: number): boolean {
  return carry.tail?.good === true && (staleAfter === 0 || carry.tail.t + staleAfter > t);
}

export interface Bucket {
  readonly start: number;
  readonly end: number;
}

/** Buckets of a fixed size, the first of which starts at a multiple of it in local time (UTC + offset), up to `to`. */
export function fixedBuckets(size: number, offset: number, to: number): (t: number) => Bucket | null {
  return (t) => {
    if (t >= to) return null;
    const start = Math.floor((t + offset) / size) * size - offset;
    return { start, end: start + size };
  };
}

/** Buckets between ascending boundaries, for days that are not all 24 h long. */
export function givenBuckets(bounds: readonly number[], to: number): (t: number) => Bucket | null {
  return (t) => {
    for (let i = 0; i + 1 < bounds.length; i++) {
      const start = bounds[i] ?? 0;
      const end = bounds[i + 1] ?? 0;
      if (end > t && start < to) return { start, end };
    }
    return null;
  };
}
