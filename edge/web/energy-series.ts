import type { Span } from '#edge/energy/local-days.ts';
import type { Bucket } from '#edge/energy/rises.ts';

/*
 * Buckets of one counter as numbers side by side. A report about a hundred meters has a quarter of a million buckets: as objects they
 * take 30 MB, so they are objects only while somebody looks at them.
 */

/** What is known from `from` to `to`, ms since epoch; of the same size each, the first of them at `first`, which may be earlier. */
export interface Series extends Span {
  readonly first: number;
  /** ms. */
  readonly size: number;
  /** NaN: not known. */
  readonly amounts: Float64Array;
  readonly known: Float64Array;
  readonly estimated: Float64Array;
}

/** `buckets`: without a hole from the first on, which begins at `first`. */
export function packed(span: Span, first: number, size: number, buckets: readonly Bucket[]): Series {
  const { from, to } = span;
  const amounts = new Float64Array(buckets.length);
  const known = new Float64Array(buckets.length);
  const estimated = new Float64Array(buckets.length);
  buckets.forEach((bucket, i) => {
    amounts[i] = bucket.amount ?? Number.NaN;
    known[i] = bucket.known;
    estimated[i] = bucket.estimated;
  });
  return { from, to, first, size, amounts, known, estimated };
}

/** Those that begin in the span. */
export function unpacked({ first, size, amounts, known, estimated }: Series, { from, to }: Span): Bucket[] {
  const buckets: Bucket[] = [];
  const end = Math.min(amounts.length, Math.ceil((to - first) / size));
  for (let i = Math.max(0, Math.ceil((from - first) / size)); i < end; i++) {
    const amount = amounts[i] ?? Number.NaN;
    const start = first + i * size;
    buckets.push({
      from: start,
      to: start + size,
      amount: Number.isNaN(amount) ? null : amount,
      known: known[i] ?? 0,
      estimated: estimated[i] ?? 0,
    });
  }
  return buckets;
}

/** The part of a series from its `from` to a time. */
export function upTo({ from, to, first, size, amounts, known, estimated }: Series, end: number): Series {
  const [a, b] = [(from - first) / size, (Math.min(to, end) - first) / size];
  return {
    ...{ from, to: Math.min(to, end), first: from, size },
    amounts: amounts.slice(a, b),
    known: known.slice(a, b),
    estimated: estimated.slice(a, b),
  };
}

/** `later` begins where `earlier` ends, at something that was heard. */
export function joined(earlier: Series, later: Series): Series {
  const before = upTo(earlier, earlier.to);
  const after = upTo(later, later.to);
  return {
    ...{ from: before.from, to: after.to, first: before.from, size: before.size },
    amounts: both(before.amounts, after.amounts),
    known: both(before.known, after.known),
    estimated: both(before.estimated, after.estimated),
  };
}

function both(a: Float64Array, b: Float64Array): Float64Array {
  const numbers = new Float64Array(a.length + b.length);
  numbers.set(a);
  numbers.set(b, a.length);
  return numbers;
}
