import { describe, expect, test } from 'vitest';
import type { PointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { openReplay, type ReplayPoint } from '#edge/store/replay.ts';
import { day, hour, minute, open, point, random, reading, start, temporaryFolder } from '../../fixtures/store/site.ts';

const all = (...refs: string[]): ReplayPoint[] => refs.map((ref) => ({ ref: ref as PointRef, classOf: null }));

/** What is told, in order: `[time, ref, value, quality]`. */
function told(folder: string, points: readonly ReplayPoint[], from: number, to: number) {
  using replay = openReplay(folder, points);
  const lines: unknown[] = [];
  for (const slice of replay.hours(from, to)) {
    for (let i = 0; i < slice.count; i++) {
      const [time, index] = [slice.times[i] ?? 0, slice.points[i] ?? 0];
      const known = slice.at(index, time);
      lines.push([time, known?.ref, known?.value, known?.quality, known?.reason]);
    }
  }
  return lines;
}

function make(seed: number): Reading[] {
  const dice = random(seed);
  const readings: Reading[] = [];
  for (let t = start; t < start + 5 * hour; t += 1_000 + Math.floor(dice() * 90_000)) {
    const lag = dice() < 0.1 ? Math.floor(dice() * 9_000) : Math.floor(dice() * 40);
    readings.push(reading('m-1/a', t, Math.round(dice() * 100) / 10, { receivedTime: t + lag }));
    if (dice() < 0.3) readings.push(reading('m-1/b', t, dice() < 0.5, { receivedTime: t + lag }));
    if (dice() < 0.1) {
      const receivedTime = t + lag + 20;
      readings.push(reading('m-1/a', t, 1, { receivedTime, quality: 'bad', reason: 'no-communication' }));
    }
  }
  return readings;
}

describe('the past, replayed', () => {
  test('tells every sample in the order in which it was heard, hot or sealed, and what was known at any time', async () => {
    for (const [seed, sealed] of [
      [1, false],
      [2, true],
      [3, true],
    ] as const) {
      await using folder = await temporaryFolder();
      await using store = await open(folder.path, { foldRows: 1, foldAfter: 0 });
      await store.registerPoints([point('m-1/a'), point('m-1/b', { type: 'boolean' })]);
      const readings = make(seed);
      for (let i = 0; i < readings.length; i += 50) await store.append({ readings: readings.slice(i, i + 50) });
      if (sealed) await store.maintain(start + 8 * hour);
      // History keeps one sample for each of its times: the one that arrived last.
      const places = new Map<string, Reading>();
      for (const one of readings) {
        const kept = one.quality === 'bad';
        places.set(`${one.ref} ${kept ? one.receivedTime : one.sourceTime}`, one);
      }
      const expected = [...places.values()]
        .filter((one) => one.receivedTime >= start + hour && one.receivedTime < start + 4 * hour)
        .sort((a, b) => a.receivedTime - b.receivedTime || a.ref.localeCompare(b.ref));
      const found = told(folder.path, all('m-1/a', 'm-1/b'), start + hour, start + 4 * hour);
      expect(expected.length).toBeGreaterThan(100);
      expect(found.map((line) => (line as unknown[])[0])).toEqual(expected.map(({ receivedTime }) => receivedTime));
      expect(new Set(found.map((line) => JSON.stringify(line)))).toEqual(
        new Set(
          expected.map(({ receivedTime, ref, value, quality, reason }) =>
            JSON.stringify([receivedTime, ref, value, quality, reason]),
          ),
        ),
      );
    }
  });

  test('tells only the samples that are news, and still knows the others', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path, { foldRows: 1, foldAfter: 0 });
    await store.registerPoints([point('m-1/a')]);
    const values = [1, 2, 3, 11, 12, 13, 2, 12];
    await store.append({ readings: values.map((value, i) => reading('m-1/a', start + i * minute, value)) });
    await store.maintain(start + 2 * hour);
    using replay = openReplay(folder.path, [
      { ref: 'm-1/a' as PointRef, classOf: (value) => (typeof value === 'number' && value > 10 ? 1 : 0) },
    ]);
    const [slice] = replay.hours(start, start + hour);
    expect(slice?.samples).toBe(8);
    expect([...(slice?.times ?? [])].map((t) => (t - start) / minute)).toEqual([0, 3, 6, 7]);
    expect(slice?.at(0, start + 2.5 * minute)?.value).toBe(3);
    expect(slice?.at(0, start - 1)).toBeUndefined();
  });

  test('knows at the start of the window what was heard long before it', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path, { foldRows: 1, foldAfter: 0 });
    await store.registerPoints([point('m-1/a'), point('m-1/b')]);
    await store.append({ readings: [reading('m-1/a', start, 7), reading('m-1/b', start + 9 * day, 1)] });
    await store.maintain(start + 10 * day);
    using replay = openReplay(folder.path, all('m-1/a', 'm-1/b', 'm-1/never'));
    expect(replay.unknown).toEqual(['m-1/never']);
    const [slice] = replay.hours(start + 5 * day, start + 5 * day + hour);
    expect(slice).toMatchObject({ samples: 0, count: 0 });
    expect(slice?.at(0, start + 5 * day)).toMatchObject({ value: 7, sourceTime: start });
    expect(slice?.at(1, start + 5 * day)).toBeUndefined();
  });

  test('leaves out what core stored as late history and did not judge', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path, { foldRows: 1, foldAfter: 0 });
    await store.registerPoints([point('m-1/a')]);
    const at = (t: number, v: number, lag = 0) => reading('m-1/a', start + t, v, { receivedTime: start + t + lag });
    await store.append({ readings: [at(0, 1), at(minute, 2), at(5_000, 9, 90_000), at(2 * minute, 3)] });
    await store.maintain(start + 2 * hour);
    const lines = told(folder.path, all('m-1/a'), start, start + hour);
    expect(lines.map((line) => (line as unknown[])[2])).toEqual([1, 2, 3]);
  });
});
