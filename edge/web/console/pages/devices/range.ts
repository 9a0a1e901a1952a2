/* Which stretch of time is looked at, how finely, and what its address says. Pure; times are ms since epoch. */

export const ranges = ['1h', '6h', '24h', '7d', '30d', '1y'] as const;
export type Range = (typeof ranges)[number];

const hour = 3_600_000;
const day = 24 * hour;
const spans: Readonly<Record<Range, number>> = {
  '1h': hour,
  '6h': 6 * hour,
  '24h': day,
  '7d': 7 * day,
  '30d': 30 * day,
  '1y': 365 * day,
};
export const week = 7 * day;
/** Nobody reads less, ms. */
const shortest = 60_000;
/** Longer is not kept anywhere, ms. */
const longest = 3 * 365 * day;

export interface Window {
  readonly from: number;
  readonly to: number;
  /** null: a range of one's own. */
  readonly range: Range | null;
  /** It ends now, and goes on with the time. */
  readonly isLive: boolean;
}

function isRange(text: string | null): text is Range {
  return ranges.some((range) => range === text);
}

function timeIn(query: URLSearchParams, key: string): number | null {
  const value = Number(query.get(key) ?? '');
  return Number.isFinite(value) && value > 0 ? value : null;
}

/** What `?range=24h`, `?range=24h&to=...` or `?from=...&to=...` means at `now`; what cannot be meant is the last day. */
export function windowOf(query: URLSearchParams, now: number): Window {
  const [from, to] = [timeIn(query, 'from'), timeIn(query, 'to')];
  if (from !== null && to !== null && to - from >= shortest && to - from <= longest)
    return { from, to, range: null, isLive: false };
  const asked = query.get('range');
  const range = isRange(asked) ? asked : '24h';
  if (to !== null && to < now) return { from: to - spans[range], to, range, isLive: false };
  return { from: now - spans[range], to: now, range, isLive: true };
}

type Parts = Readonly<Record<string, string>>;

/** The address parts of a range that ends now. */
export function lastParts(range: Range): Parts {
  return { range, from: '', to: '' };
}

/** A stretch of one's own; never shorter than a minute. */
export function ownParts(from: number, to: number): Parts {
  const [first, last] = [Math.round(Math.min(from, to)), Math.round(Math.max(from, to))];
  const short = shortest - (last - first);
  return short > 0
    ? { range: '', from: String(first - Math.ceil(short / 2)), to: String(last + Math.ceil(short / 2)) }
    : { range: '', from: String(first), to: String(last) };
}

/** The stretch before or after, of the same length; what reaches now becomes live again. */
export function movedParts({ from, to, range }: Window, step: -1 | 1, now: number): Parts {
  const span = to - from;
  const [nextFrom, nextTo] = [from + step * span, to + step * span];
  if (nextTo >= now - span * 0.02 && range !== null) return lastParts(range);
  const end = Math.min(nextTo, now);
  return range === null ? ownParts(end - (nextTo - nextFrom), end) : { range, from: '', to: String(Math.round(end)) };
}

/** Half or twice as much, around the middle; never into the future. */
export function zoomedParts({ from, to }: Window, factor: number, now: number): Parts {
  const middle = (from + to) / 2;
  const half = Math.min(((to - from) * factor) / 2, longest / 2);
  const end = Math.min(middle + half, now);
  return ownParts(end - 2 * half, end);
}

/** Up to this long every sample is drawn. */
const rawUpTo = hour + 1;
/** As many buckets as a wide screen has pixels to tell apart. */
const mostBuckets = 1_500;
/** Bars that can still be told apart. */
const mostBars = 100;

const barSteps = [
  ['1min', 60_000],
  ['15min', 15 * 60_000],
  ['1h', hour],
  ['1d', day],
] as const;

export type Detail = { readonly step: string; readonly buckets: number };

/** How finely to ask for a curve. */
export function curveDetail({ from, to }: Pick<Window, 'from' | 'to'>, isSwitch: boolean): Detail {
  // A switch changes seldom: each change is worth more than a mean.
  const isRaw = to - from <= (isSwitch ? 7 * day : rawUpTo);
  return { step: isRaw ? 'raw' : 'auto', buckets: mostBuckets };
}

/** How finely to ask for what a counter rose by. */
export function barDetail({ from, to }: Pick<Window, 'from' | 'to'>): Detail {
  const [step] = barSteps.find(([, size]) => (to - from) / size <= mostBars) ?? ['1d'];
  return { step, buckets: mostBuckets };
}

/** Length of a step, ms; 0 for raw. */
export function stepMs(step: string): number {
  return barSteps.find(([name]) => name === step)?.[1] ?? 0;
}

/** Whether a value only rises, so that what it rose by is what people ask for: kWh, not kW; m³, not m³/h. */
export function isCounterUnit(unit: string): boolean {
  return /\.h(\{[^}]*\})?$/.test(unit) || /^(m3|L|dm3)(\{[^}]*\})?$/.test(unit);
}
