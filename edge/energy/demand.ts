import type { Span } from './local-days.ts';
import type { Bucket } from './rises.ts';

/* 需量: the mean power of windows, and the highest of a month. */

/** A bucket that was heard for less than this share of its time says nothing about its power. */
const enoughKnown = 0.8;
const hourMs = 3_600_000;

export interface WindowDemand extends Span {
  /** Mean over the window, kW. */
  readonly power: number;
}

export interface MaxDemand {
  /** null: no window is known. */
  readonly max: WindowDemand | null;
  readonly windows: number;
  /** Of them, so many are not known: their demand may have been higher. */
  readonly unknown: number;
}

/**
 * The mean of every window that is wholly known. `fixed`: one after the other from multiples of the window on; `sliding`: one that
 * begins with each bucket. Buckets must part the window evenly (15min for fixed windows of 15 min; finer ones make it slide).
 * Energy whose time is an estimate is not counted as known: a gap must not make a peak, nor hide one.
 */
export function windowDemands(
  buckets: readonly Bucket[],
  window: number,
  kind: 'fixed' | 'sliding',
): { readonly known: readonly WindowDemand[]; readonly windows: number } {
  const size = buckets[0] === undefined ? window : buckets[0].to - buckets[0].from;
  const length = Math.round(window / size);
  const known: WindowDemand[] = [];
  let windows = 0;
  let sum = 0;
  let unknown = 0;
  buckets.forEach((bucket, i) => {
    const amount = usable(bucket);
    if (amount === null) unknown++;
    else sum += amount;
    const gone = buckets[i - length];
    if (gone !== undefined) {
      const before = usable(gone);
      if (before === null) unknown--;
      else sum -= before;
    }
    const first = buckets[i - length + 1];
    if (first === undefined || (kind === 'fixed' && first.from % window !== 0)) return;
    windows++;
    if (unknown === 0) known.push({ from: first.from, to: bucket.to, power: (sum * hourMs) / window });
  });
  return { known, windows };
}

function usable({ amount, known, estimated, from, to }: Bucket): number | null {
  return amount === null || estimated !== 0 || known < enoughKnown * (to - from) ? null : amount;
}

/** The highest demand of a span, with its time. */
export function maxDemandOf(buckets: readonly Bucket[], window: number, kind: 'fixed' | 'sliding'): MaxDemand {
  const { known, windows } = windowDemands(buckets, window, kind);
  let max: WindowDemand | null = null;
  for (const one of known) if (max === null || one.power > max.power) max = one;
  return { max, windows, unknown: windows - known.length };
}
