import type { Span } from './local-days.ts';

/*
 * What meters counted, in buckets of time, and how much of it is known. A gap is never filled in silence: an amount says for
 * which share of its time something was heard, and how much of it only came to be known later, so that its time is an estimate.
 */

/** One stretch of one meter. Buckets of a series are of one size, ascend and follow each other without a hole. */
export interface Bucket extends Span {
  /** kW.h or m3; null: not known. */
  readonly amount: number | null;
  /** ms of the bucket in which the meter was heard. */
  readonly known: number;
  /** The part of `amount` that was counted while the meter was not heard: that it was so much is known, not when. */
  readonly estimated: number;
}

export const steps = { '15min': 900_000, '1h': 3_600_000 } as const;
export type Step = keyof typeof steps;

/** `1h` where local midnight is on an hour of the epoch; zones such as +05:30 need quarters. */
export function stepFrom(midnight: number): Step {
  return midnight % steps['1h'] === 0 ? '1h' : '15min';
}

/**
 * The port through which amounts come: what one *real* meter of the plan counted in each bucket of the span, kW.h or m3. The
 * buckets begin at multiples of the step since the epoch; `fromAggregates` makes them of what the store tells.
 */
export type Rises = (meter: string, span: Span, step: Step) => readonly Bucket[];

/** An amount over some time. */
export interface Amount {
  /** Sum of what is known, kW.h or m3; null when nothing is. */
  readonly value: number | null;
  /** Share of the time in which it is known, 0 to 1. */
  readonly known: number;
  /** The part of `value` whose time is an estimate. */
  readonly estimated: number;
}

export const nothingKnown: Amount = { value: null, known: 0, estimated: 0 };

/** What the store tells of a counter over one bucket (`store/batch.ts`). */
export interface CounterAggregate {
  /** ms since epoch UTC. */
  readonly t: number;
  readonly goodSeconds: number;
  /** Rise in the counter's unit; null: no sample in the bucket, or it cannot be known. */
  readonly delta: number | null;
}

/**
 * Buckets of a span from the store's aggregates of one counter; `factor` makes kW.h or m3 of its unit. A counter that was heard and
 * has no rise stood still: 0. What it had risen by when it was heard again after a silence is spread evenly over the silence and
 * marked as estimated. Give aggregates, ascending, from some time before the span (a day), so that a silence that began there is seen.
 */
export function fromAggregates(
  aggregates: readonly CounterAggregate[],
  span: Span,
  step: Step,
  factor: number,
): readonly Bucket[] {
  const size = steps[step];
  const first = floorTo(Math.min(span.from, aggregates[0]?.t ?? span.from), size);
  const buckets: Bucket[] = [];
  let at = 0;
  for (let from = first; from < span.to; from += size) {
    while ((aggregates[at]?.t ?? from) < from) at++;
    const told = aggregates[at]?.t === from ? aggregates[at] : undefined;
    const known = Math.min(size, (told?.goodSeconds ?? 0) * 1_000);
    const amount = told?.delta != null ? told.delta * factor : known > 0 ? 0 : null;
    buckets.push({ from, to: from + size, amount, known, estimated: 0 });
  }
  return within(spreadLate(buckets), span);
}

/**
 * A bucket with a rise after buckets in which nothing was heard carries theirs as well: given to each by its silent time. Before
 * the first sound there is nothing to spread over: nobody knows when that began.
 */
export function spreadLate(buckets: readonly Bucket[]): readonly Bucket[] {
  const spread = [...buckets];
  let heard = false;
  let silentFrom = -1;
  buckets.forEach((bucket, i) => {
    if (bucket.amount === null) {
      if (heard && silentFrom < 0) silentFrom = i;
      return;
    }
    if (silentFrom >= 0) share(spread, silentFrom, i, bucket.amount);
    silentFrom = -1;
    heard = true;
  });
  return spread;
}

/** Evenly over [first, last], the last one's own time included: within it nobody knows when the meter was heard first. */
function share(buckets: Bucket[], first: number, last: number, amount: number): void {
  const total = (buckets[last]?.to ?? 0) - (buckets[first]?.from ?? 0);
  for (let i = first; i <= last; i++) {
    const bucket = buckets[i];
    if (bucket === undefined) continue;
    const part = total > 0 ? (amount * (bucket.to - bucket.from)) / total : 0;
    buckets[i] = { ...bucket, amount: part, estimated: part };
  }
}

/** Those that begin within the span. */
export function within(buckets: readonly Bucket[], { from, to }: Span): readonly Bucket[] {
  return buckets.filter((bucket) => bucket.from >= from && bucket.from < to);
}

export function totalOf(buckets: readonly Bucket[]): Amount {
  let value: number | null = null;
  let known = 0;
  let length = 0;
  let estimated = 0;
  for (const bucket of buckets) {
    length += bucket.to - bucket.from;
    known += bucket.known;
    if (bucket.amount === null) continue;
    value = (value ?? 0) + bucket.amount;
    estimated += bucket.estimated;
  }
  return { value, known: length > 0 ? known / length : 0, estimated };
}

/** One term of a sum of meters. */
export interface Term {
  readonly buckets: readonly Bucket[];
  readonly factor: number;
}

/** The exact sum: not known in a bucket in which any term is not. No terms: 0, and known. */
export function addUp(terms: readonly Term[], span: Span, step: Step): readonly Bucket[] {
  return onGrid(span, step).map((bucket, i) => {
    let sum: Bucket = { ...bucket, amount: 0, known: bucket.to - bucket.from };
    for (const { buckets, factor } of terms) {
      const term = buckets[i];
      const amount = term?.amount ?? null;
      sum = {
        ...sum,
        amount: sum.amount === null || amount === null ? null : sum.amount + factor * amount,
        known: Math.min(sum.known, term?.known ?? 0),
        estimated: sum.estimated + Math.abs(factor) * (term?.estimated ?? 0),
      };
    }
    return sum.amount === null ? { ...sum, estimated: 0 } : sum;
  });
}

/** What is known of a group: the sum of the parts that are known, and the mean share in which they are. */
export function gather(terms: readonly Term[], span: Span, step: Step): readonly Bucket[] {
  const group = createGroup(span, step);
  for (const term of terms) group.add(term);
  return group.buckets();
}

/** The same for parts that come one by one, and need not be kept. */
export interface Gathering {
  add(term: Term): void;
  buckets(): readonly Bucket[];
}

export function createGroup(span: Span, step: Step): Gathering {
  const grid = onGrid(span, step);
  const amounts = new Array<number | null>(grid.length).fill(null);
  const known = new Float64Array(grid.length);
  const estimated = new Float64Array(grid.length);
  let terms = 0;
  return {
    add: ({ buckets, factor }) => {
      terms++;
      for (let i = 0; i < grid.length; i++) {
        const term = buckets[i];
        if (term === undefined) continue;
        known[i] = (known[i] ?? 0) + term.known;
        if (term.amount === null) continue;
        amounts[i] = (amounts[i] ?? 0) + factor * term.amount;
        estimated[i] = (estimated[i] ?? 0) + Math.abs(factor) * term.estimated;
      }
    },
    buckets: () =>
      grid.map((bucket, i) => ({
        ...bucket,
        amount: amounts[i] ?? null,
        known: terms > 0 ? (known[i] ?? 0) / terms : 0,
        estimated: estimated[i] ?? 0,
      })),
  };
}

/** The empty buckets of a span, none of them known. */
export function onGrid({ from, to }: Span, step: Step): readonly Bucket[] {
  const size = steps[step];
  const buckets: Bucket[] = [];
  for (let at = Math.ceil(from / size) * size; at < to; at += size) {
    buckets.push({ from: at, to: at + size, amount: null, known: 0, estimated: 0 });
  }
  return buckets;
}

function floorTo(time: number, size: number): number {
  return Math.floor(time / size) * size;
}
