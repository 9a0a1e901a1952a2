import type { Course } from './data.ts';
import { wholeKnown } from './data.ts';

/* The bars of a course before they are drawn. Pure. */

export type BarState =
  /** Known, all of its time. */
  | 'known'
  /** Still runs. */
  | 'running'
  /** A part of its time is missing. */
  | 'gap'
  /** Nothing is known of it. */
  | 'unknown'
  /** Has not begun. */
  | 'future';

export function stateOf({ from, to, amount, known }: Course[number], now: number): BarState {
  if (from >= now) return 'future';
  if (amount === null) return to > now ? 'running' : 'unknown';
  if (to > now) return 'running';
  return known < wholeKnown ? 'gap' : 'known';
}

/** Ends and steps of an axis from 0 that people count in: 1, 2, 2.5, 5 times a power of ten. */
export function axisOf(most: number, ticks = 4): { readonly top: number; readonly ticks: readonly number[] } {
  if (!(most > 0)) return { top: 1, ticks: [0, 1] };
  const rough = most / ticks;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((one) => one * power >= rough * 0.999) ?? 10) * power;
  const count = Math.max(1, Math.ceil(most / step - 1e-9));
  return {
    top: count * step,
    ticks: Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12))),
  };
}

export function highestOf(course: Course): number {
  return Math.max(0, ...course.map(({ amount }) => amount ?? 0), ...course.map(({ baseline }) => baseline ?? 0));
}
