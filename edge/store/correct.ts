import { rawRefOf } from '#edge/domain/counter.ts';
import type { CounterCorrection } from './batch.ts';
import type { SampleSource } from './blocks.ts';
import { PointHistory } from './history.ts';
import { hourMs, hourOf, type StoredPoint } from './points.ts';
import { qualityOf, restartCode, type StoredSample, sampleCode } from './sample.ts';

/** Samples that one correction writes at most: beyond that the raw course is taken thinner, down to one a day. */
const mostSamples = 20_000;
/** As many leave room for some hours more; else the next thinner. */
const enoughRoom = 16_000;
const thinner = [60_000, 900_000, hourMs, 6 * hourMs, 24 * hourMs] as const;
const goodCode = sampleCode('number', 'good', undefined);

/** A correction with the points that it is about. */
export interface Correction extends CounterCorrection {
  readonly point: StoredPoint;
  readonly raw: StoredPoint | null;
}

/** Throws nothing: what is not known of the points is left out. */
export function findCorrection(
  correction: CounterCorrection,
  find: (ref: string) => StoredPoint | undefined,
): Correction | null {
  const point = find(correction.ref);
  return point === undefined ? null : { ...correction, point, raw: find(rawRefOf(correction.ref)) ?? null };
}

/**
 * The samples that a correction adds, in order; of one time the later arrival counts, so they stand in the place of what was
 * held. The old meter's last count, if there was one, lies a millisecond before the new course.
 */
export function correctedSamples(source: SampleSource, correction: Correction): StoredSample[] {
  const { point, raw, from, between, time, to, course } = correction;
  const samples: StoredSample[] = [];
  const isAnew = course === null || course.from <= time;
  if (isAnew && (between > 0 || course === null)) {
    samples.push({ t: time - 1, d: 0, value: overWrap(from + between, point.rule.wrap), code: goodCode });
  }
  if (course === null) return samples;
  const shown = raw === null ? [] : rawCourse(source, raw, course.from, course.to);
  if (isAnew && shown[0]?.t !== time) shown.unshift({ t: time, d: 0, value: to, code: goodCode });
  for (const sample of shown) samples.push({ ...sample, code: sample.t === time ? restartCode : goodCode });
  return samples;
}

/** What the meter showed of its new course; strays are not good. */
function rawCourse(source: SampleSource, raw: StoredPoint, from: number, to: number): StoredSample[] {
  const history = new PointHistory(source, raw, to + 1);
  let kept: StoredSample[] = [];
  let level = 0;
  for (
    let hour: number | null = hourOf(from);
    hour !== null && hour * hourMs <= to;
    hour = history.nextHour(hour + 1)
  ) {
    for (const sample of history.hour(hour)) {
      if (sample.t >= from && sample.t <= to && qualityOf(sample.code) === 'good') kept.push(sample);
    }
    // What came since is as dense as ever: the whole is thinned again, and further only where that is not enough.
    for (; kept.length > mostSamples && level < thinner.length; level++) {
      kept = thin(kept, thinner[level] ?? hourMs);
      if (kept.length <= enoughRoom) break;
    }
  }
  return kept;
}

/** The first, and the last of each bucket: what was counted by the end of each is the same as before. */
function thin(samples: readonly StoredSample[], bucket: number): StoredSample[] {
  return samples.filter(({ t }, i) => {
    const next = samples[i + 1];
    return i === 0 || next === undefined || Math.floor(next.t / bucket) !== Math.floor(t / bucket);
  });
}

function overWrap(value: number, wrap: number | undefined): number {
  return wrap !== undefined && value >= wrap ? value - wrap : value;
}
