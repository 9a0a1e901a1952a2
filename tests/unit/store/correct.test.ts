import { describe, expect, test } from 'vitest';
import type { PointRef } from '#edge/domain/ids.ts';
import type { SampleSource } from '#edge/store/blocks.ts';
import { correctedSamples } from '#edge/store/correct.ts';
import { hourMs, type StoredPoint } from '#edge/store/points.ts';
import { qualityOf, restartCode, type StoredSample, sampleCode } from '#edge/store/sample.ts';

/* What accepting a step writes into history, of courses that nobody looked at for months. */

const good = sampleCode('number', 'good', undefined);
const from = 480_000 * hourMs;

function pointOf(id: number, ref: string): StoredPoint {
  const rule = { staleAfter: 0, counter: true };
  return { id, ref: ref as PointRef, type: 'number', unit: 'kW.h', rule, kept: true, raw: id === 2 };
}

/** A raw course that was read every ten seconds for some days; each read 0.01 more than the one before. */
function courseOf(days: number): SampleSource {
  const hours = days * 24;
  const read = (hour: number): StoredSample[] => {
    const first = hour - from / hourMs;
    if (first < 0 || first >= hours) return [];
    return Array.from({ length: 360 }, (_, i) => ({
      t: hour * hourMs + i * 10_000,
      d: 0,
      value: (first * 360 + i) / 100,
      code: good,
    }));
  };
  return {
    hot: () => [],
    header: () => null,
    headers: () => new Map(),
    block: (_, hour) => read(hour),
    columns: () => null,
    headerBefore: () => null,
    nextHour: (hour) => (hour < from / hourMs + hours ? Math.max(hour, from / hourMs) : null),
  };
}

function correct(days: number): StoredSample[] {
  const to = from + days * 24 * hourMs - 10_000;
  return correctedSamples(courseOf(days), {
    ref: 'meter/energy' as PointRef,
    from: 50_000,
    between: 7,
    time: from,
    to: 0,
    course: { from, to },
    point: pointOf(1, 'meter/energy'),
    raw: pointOf(2, 'meter/energy~raw'),
  });
}

describe('the course of a step that was accepted', () => {
  test('is as it was read where it is short', () => {
    const samples = correct(2);
    expect(samples.length).toBe(1 + 2 * 8_640);
    expect(samples.slice(0, 2)).toMatchObject([
      { t: from - 1, value: 50_007 },
      { t: from, value: 0, code: restartCode },
    ]);
  });

  test.each([
    [10, 60_000],
    [100, 900_000],
    [400, hourMs],
  ])(
    'of %i days is thinned as it goes on, to a bound, and every bucket of it counts what it counted',
    (days, bucket) => {
      const samples = correct(days);
      expect(samples.length).toBeLessThanOrEqual(20_001);
      expect(samples.at(-1)?.value).toBe((days * 8_640 - 1) / 100);
      expect(samples.every(({ code }) => qualityOf(code) === 'good')).toBe(true);
      const last = new Map(samples.map(({ t, value }) => [Math.floor(t / bucket), value]));
      const isRight = Array.from({ length: (days * 24 * hourMs) / bucket }, (_, i) => {
        const end = ((i + 1) * bucket) / 10_000 - 1;
        return last.get(from / bucket + i) === end / 100;
      });
      expect(isRight.filter((one) => !one).length).toBe(0);
    },
  );
});
