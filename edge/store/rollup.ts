import type { Aggregate } from './batch.ts';

/*
 * Time-weighted aggregation, pure. A sample holds until the next one, at most `staleAfter`; only good values count. One
 * piece of code for minutes to the city, hours in block headers, and what history answers, so that they cannot disagree.
 *
 * A Part is what the samples inside a bucket say by themselves; `enter` adds what was carried in from before. So a block's
 * header never depends on another block, and a late sample changes one header, not a chain of them.
 */
export interface RollupSample {
  readonly t: number;
  /** A number (booleans 0 and 1), or null: none, or text. */
  readonly value: number | null;
  readonly good: boolean;
  /** A counter goes on from here by a person's word: what lies between this and the value before it is no rise. */
  readonly restart?: true;
}

export interface RollupRule {
  /** ms; 0 = a value holds for ever. */
  readonly staleAfter: number;
  readonly counter: boolean;
  /** Value at which the counter starts again at 0. */
  readonly wrap?: number;
}

/** What is known of a point at an instant. */
export interface Carry {
  /** The last sample before it, good or not. */
  readonly tail: RollupSample | null;
  /** The last good value before it: counters rise from here, however long ago. */
  readonly lastGood: number | null;
}

export const nothingCarried: Carry = { tail: null, lastGood: null };

export interface Part {
  readonly count: number;
  readonly goodMs: number;
  /** Integral of the good value over the good time, unit * ms. */
  readonly weighted: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly firstT: number | null;
  /** The first good value, to which a counter rises from what was before; null where it begins anew with it. */
  readonly firstGood: number | null;
  readonly last: number | null;
  readonly delta: number | null;
  readonly tail: RollupSample | null;
}

export const emptyPart: Part = {
  count: 0,
  goodMs: 0,
  weighted: 0,
  min: null,
  max: null,
  firstT: null,
  firstGood: null,
  last: null,
  delta: null,
  tail: null,
};

/**
 * Rise of a counter between two good values: over its wrap if it stood in the last tenth before and in the first after. What
 * is lower otherwise is a fall, and counts as one (back over the wrap too): good values of a counter fall only where a clock was
 * set back and two stretches of its course lie in each other, and then the sum is right only with every fall in it.
 */
export function rise(before: number, after: number, rule: RollupRule): number {
  const { wrap } = rule;
  if (wrap === undefined) return after - before;
  if (before > 0.9 * wrap && after < 0.1 * wrap) return wrap - before + after;
  return before < 0.1 * wrap && after > 0.9 * wrap ? after - before - wrap : after - before;
}

/** The samples with start <= t < end (sorted, each time once), by themselves, held until `end`. */
export function measure(samples: readonly RollupSample[], end: number, rule: RollupRule): Part {
  const first = samples[0];
  if (first === undefined) return emptyPart;
  let goodMs = 0;
  let weighted = 0;
  let min: number | null = null;
  let max: number | null = null;
  let firstGood: number | null = null;
  let last: number | null = null;
  let delta: number | null = null;
  for (let i = 0; i < samples.length; i++) {
    const sample = samples[i];
    if (sample === undefined || !sample.good || sample.value === null) continue;
    const { value } = sample;
    const ms = heldFor(sample.t, samples[i + 1]?.t ?? end, rule);
    goodMs += ms;
    weighted += value * ms;
    if (min === null || value < min) min = value;
    if (max === null || value > max) max = value;
    if (rule.counter && sample.restart) delta = add(delta, 0);
    else if (rule.counter && last !== null) delta = add(delta, rise(last, value, rule));
    else if (last === null) firstGood = value;
    last = value;
  }
  const tail = samples[samples.length - 1] ?? null;
  return { count: samples.length, goodMs, weighted, min, max, firstT: first.t, firstGood, last, delta, tail };
}

function heldFor(t: number, until: number, rule: RollupRule): number {
  return Math.max(0, (rule.staleAfter > 0 ? Math.min(until, t + rule.staleAfter) : until) - t);
}

function add(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : a + b;
}

const lower = (a: number | null, b: number) => (a === null || b < a ? b : a);
const higher = (a: number | null, b: number) => (a === null || b > a ? b : a);

/** The part of [start, end) with what was carried into it: the held value, and a counter's rise since its last good value. */
export function enter(part: Part, start: number, end: number, carry: Carry, rule: RollupRule): Part {
  const { tail, lastGood } = carry;
  let { goodMs, weighted, min, max, last, delta } = part;
  if (rule.counter && lastGood !== null && part.firstGood !== null) {
    delta = add(rise(lastGood, part.firstGood, rule), delta);
  }
  if (tail?.good && tail.value !== null) {
    const until = tail.t + heldFor(tail.t, part.firstT ?? end, rule);
    const ms = until - Math.max(start, tail.t);
    if (ms > 0) {
      goodMs += ms;
      weighted += tail.value * ms;
      min = lower(min, tail.value);
      max = higher(max, tail.value);
      last ??= tail.value;
    }
  }
  return { ...part, goodMs, weighted, min, max, last, delta };
}

/** What is known after a part, given what was known before it. */
export function leave(part: Part, carry: Carry): Carry {
  return part.count === 0 ? carry : { tail: part.tail ?? carry.tail, lastGood: part.last ?? carry.lastGood };
}

/** Two neighbouring parts (each entered) as one. */
export function join(a: Part, b: Part): Part {
  return {
    count: a.count + b.count,
    goodMs: a.goodMs + b.goodMs,
    weighted: a.weighted + b.weighted,
    min: b.min === null ? a.min : lower(a.min, b.min),
    max: b.max === null ? a.max : higher(a.max, b.max),
    firstT: a.firstT ?? b.firstT,
    firstGood: a.firstGood ?? b.firstGood,
    last: b.last ?? a.last,
    delta: add(a.delta, b.delta),
    tail: b.tail ?? a.tail,
  };
}

export function toAggregate(t: number, part: Part): Aggregate {
  const { min, max, last, count, delta } = part;
  return { t, min, max, mean: meanOf(part), last, count, goodSeconds: part.goodMs / 1000, delta };
}

/** Kept between min and max: a sum of products may leave them by a rounding error, and people notice. */
export function meanOf(part: Part): number | null {
  if (part.goodMs === 0 || part.min === null || part.max === null) return null;
  return Math.min(part.max, Math.max(part.min, part.weighted / part.goodMs));
}

/**
 * Aggregates sorted samples over the buckets between consecutive `bounds` (ascending, ms). Samples before the first bound
 * are what is carried in. Returns one aggregate per bucket, empty ones included, and what is carried out.
 */
export function rollup(
  samples: readonly RollupSample[],
  bounds: readonly number[],
  rule: RollupRule,
  carried: Carry = nothingCarried,
): { aggregates: Aggregate[]; carry: Carry } {
  const aggregates: Aggregate[] = [];
  let at = lowerBound(samples, bounds[0] ?? 0);
  let carry = leave(measure(samples.slice(0, at), bounds[0] ?? 0, rule), carried);
  for (let i = 0; i + 1 < bounds.length; i++) {
    const start = bounds[i] ?? 0;
    const end = bounds[i + 1] ?? 0;
    const to = lowerBound(samples, end, at);
    const part = enter(measure(samples.slice(at, to), end, rule), start, end, carry, rule);
    aggregates.push(toAggregate(start, part));
    carry = leave(part, carry);
    at = to;
  }
  return { aggregates, carry };
}

/** Index of the first sample with t >= `t`. */
export function lowerBound(samples: readonly { readonly t: number }[], t: number, from = 0): number {
  let low = from;
  let high = samples.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((samples[middle]?.t ?? Number.POSITIVE_INFINITY) < t) low = middle + 1;
    else high = middle;
  }
  return low;
}
