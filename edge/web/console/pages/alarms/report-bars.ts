/* The curve of the alarm report as bars. Pure. */

export interface Count {
  /** Start of the span, ms since epoch. */
  readonly t: number;
  readonly count: number;
}

export interface Bars {
  /** Height of each, of 1. */
  readonly heights: readonly number[];
  /** Where the target stands, of 1. */
  readonly target: number;
  /** Count at full height. */
  readonly top: number;
  /** The most of any span. */
  readonly worst: number;
}

/**
 * At most `most` bars, each as high as the worst span within it: a flood of ten minutes stays to be seen in a month.
 * `target` is per span.
 */
export function barsOf(counts: readonly Count[], target: number, most: number): Bars {
  const width = Math.max(1, Math.ceil(counts.length / most));
  const worsts: number[] = [];
  for (let at = 0; at < counts.length; at += width) {
    worsts.push(Math.max(...counts.slice(at, at + width).map(({ count }) => count)));
  }
  const worst = Math.max(0, ...worsts);
  const top = Math.max(worst, target * 2, 1);
  return { heights: worsts.map((count) => count / top), target: target / top, top, worst };
}

export type Verdict = 'good' | 'many' | 'over';

/** EEMUA 191: up to one in ten minutes can be managed for long, up to two hardly. */
export function verdictOf(mean: number, target: number): Verdict {
  if (mean <= target) return 'good';
  return mean <= 2 * target ? 'many' : 'over';
}
