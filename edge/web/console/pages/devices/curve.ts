import type { HistoryView } from '../../api.ts';
import type { ChartPoint } from '../../kit/series.ts';
import { stepMs } from './range.ts';

/* From the answers of the API to what is drawn and counted. Pure. */

type Samples = NonNullable<HistoryView['samples']>;

function qualityOf(text: string): 'good' | 'uncertain' | 'bad' {
  return text === 'good' || text === 'uncertain' ? text : 'bad';
}

function numberOf(value: Samples[number]['value']): number | null {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'number' ? value : null;
}

/**
 * A curve with its gaps: null where nothing usable is known. The value of a sensor that reports changes holds until the next
 * one, so the last of them is drawn on to `end`.
 */
export function curveOf(history: HistoryView, end: number): ChartPoint[] {
  if (history.samples !== undefined) return ofSamples(history.samples, history.staleAfter, end);
  const size = stepMs(history.step);
  const points: ChartPoint[] = [];
  let next: number | null = null;
  for (const { t, mean, min, max, count, goodSeconds } of history.buckets ?? []) {
    if (next !== null && t > next) points.push({ t: next, value: null });
    next = t + size;
    // The bucket that is running now knows only its beginning.
    const enough = t + size > end ? 0 : size / 2_000;
    const quality = goodSeconds > 0 && goodSeconds >= enough ? 'good' : goodSeconds > 0 ? 'uncertain' : 'bad';
    points.push(
      mean === null ? { t, value: null, quality: count > 0 ? 'bad' : 'good' } : { t, value: mean, min, max, quality },
    );
  }
  return points;
}

function ofSamples(samples: Samples, staleAfter: number, end: number): ChartPoint[] {
  const stands = staleAfter === 0 ? Number.POSITIVE_INFINITY : staleAfter;
  const points: ChartPoint[] = [];
  for (const [index, { t, value, quality }] of samples.entries()) {
    const judged = qualityOf(quality);
    const point = { t, value: judged === 'bad' ? null : numberOf(value), quality: judged };
    points.push(point);
    const next = samples[index + 1]?.t ?? end;
    if (point.value === null) continue;
    // Nothing came for too long (the box was off): what is drawn ends where the value was no longer known.
    if (next - t > stands) points.push({ ...point, t: t + stands }, { t: t + stands + 1, value: null });
    else if (samples[index + 1] === undefined && t < end) points.push({ ...point, t: end });
  }
  return points;
}

/**
 * What a counter rose by in each bucket; null where it is not known. The first bar after a pause holds the pause too: both are
 * in doubt.
 */
export function barsOf(history: HistoryView): ChartPoint[] {
  const size = stepMs(history.step);
  const bars: ChartPoint[] = [];
  let last: number | null = null;
  for (const { t, delta, goodSeconds } of history.buckets ?? []) {
    const isAfterPause = last !== null && t > last + size && delta !== null;
    if (isAfterPause && last !== null) bars.push({ t: last + size, value: null, quality: 'bad' });
    const isKnown = goodSeconds > 0 || delta !== null;
    bars.push({ t, value: delta, quality: isAfterPause ? 'uncertain' : isKnown ? 'good' : 'bad' });
    if (delta !== null) last = t;
  }
  return bars;
}

export function hasDeltas(history: HistoryView): boolean {
  return history.buckets?.some(({ delta }) => delta !== null) === true;
}

export interface Summary {
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Of a counter: all that it rose by. */
  readonly total: number | null;
}

/** Of what was usable: extremes as far as they are known, the mean over time. */
export function summaryOf(history: HistoryView, end: number): Summary {
  const points = curveOf(history, end);
  const known = points.filter((point): point is ChartPoint & { value: number } => point.value !== null);
  const total = hasDeltas(history) ? (history.buckets ?? []).reduce((sum, { delta }) => sum + (delta ?? 0), 0) : null;
  if (known.length === 0) return { min: null, max: null, mean: null, total };
  const min = Math.min(...known.map(({ value, min: least }) => least ?? value));
  const max = Math.max(...known.map(({ value, max: most }) => most ?? value));
  return { min, max, mean: history.buckets === undefined ? meanOverTime(points) : meanOfBuckets(history), total };
}

function meanOfBuckets({ buckets = [] }: HistoryView): number | null {
  let [weighted, seconds] = [0, 0];
  for (const { mean, goodSeconds } of buckets) {
    if (mean === null) continue;
    weighted += mean * goodSeconds;
    seconds += goodSeconds;
  }
  return seconds === 0 ? null : weighted / seconds;
}

function meanOverTime(points: readonly ChartPoint[]): number | null {
  let [weighted, time] = [0, 0];
  for (const [index, { t, value }] of points.entries()) {
    const next = points[index + 1];
    if (value === null || next === undefined) continue;
    weighted += value * (next.t - t);
    time += next.t - t;
  }
  return time === 0 ? (points.find(({ value }) => value !== null)?.value ?? null) : weighted / time;
}

/** Moved in time, e.g. a week on, to lie over another. */
export function moved(points: readonly ChartPoint[], by: number): ChartPoint[] {
  return points.map((point) => ({ ...point, t: point.t + by }));
}
