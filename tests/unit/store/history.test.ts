import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Reading } from '#edge/domain/reading.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { type HistorySample, openReader, type Step } from '#edge/store/reader.ts';
import { rollup } from '#edge/store/rollup.ts';
import { signals } from '../../fixtures/store/signals.ts';
import { day, hour, minute, open, point, random, reading, start, temporaryFolder } from '../../fixtures/store/site.ts';

const now = new ManualClock(start + 30 * day);

/** Every field of every sample, the derived ones too. */
const fieldsOf = (samples: readonly HistorySample[] | undefined): unknown =>
  JSON.parse(JSON.stringify(samples ?? null));

describe('history', () => {
  test('reads hot, sealed and late samples as one, each time once, the last arrival for a time', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path, { foldRows: 1, foldAfter: 0 });
    await store.registerPoints([point('m-1/a')]);
    const at = (t: number, v: number) => reading('m-1/a', start + t, v);
    await store.append({ readings: [at(0, 1), at(1_000, 2), at(hour, 3), at(1_000, 2)] });
    expect((await store.maintain(start + 2 * hour)).folded).toMatchObject({ rows: 4, blocks: 2 });
    // Late for the sealed hour, a correction of it, a resend of it, and news.
    await store.append({ readings: [at(500, 1.5), at(0, 10), at(1_000, 2), at(hour + 500, 4)] });
    using reader = openReader(folder.path, now);
    const all = () => reader.history('m-1/a', start, start + day)?.samples.map((s) => [s.t - start, s.value]);
    const expected = [
      [0, 10],
      [500, 1.5],
      [1_000, 2],
      [hour, 3],
      [hour + 500, 4],
    ];
    expect(all()).toEqual(expected);
    expect((await store.maintain(start + 3 * hour)).folded).toMatchObject({ rows: 4, blocks: 2 });
    expect(all()).toEqual(expected);
    expect((await store.stats()).hotRows).toBe(0);
    expect(reader.history('m-1/a', start, start + day, 'raw', 2)).toMatchObject({ more: true, samples: { length: 2 } });
  });

  test('keeps quality, reason, both times and every kind of value through sealing', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path, { foldRows: 1, foldAfter: 0 });
    await store.registerPoints([point('m-1/a'), point('m-1/b', { type: 'boolean' }), point('m-1/c', { type: 'text' })]);
    const readings = [
      reading('m-1/a', start, 230.1, { receivedTime: start + 7 }),
      reading('m-1/a', start, 230.1, { receivedTime: start + 60_000, quality: 'bad', reason: 'no-communication' }),
      reading('m-1/a', start + 70_000, null, { quality: 'bad', reason: 'device-failure' }),
      reading('m-1/a', start + 80_000, 300, { quality: 'uncertain', reason: 'out-of-range' }),
      reading('m-1/b', start, true),
      reading('m-1/b', start + 1, false),
      reading('m-1/c', start, '上课'),
    ];
    await store.append({ readings });
    using reader = openReader(folder.path, now);
    const all = () => ['m-1/a', 'm-1/b', 'm-1/c'].map((ref) => reader.history(ref, start, start + hour)?.samples ?? []);
    const hot = all();
    await store.maintain(start + hour);
    expect((await store.stats()).hotRows).toBe(0);
    expect(all().map(fieldsOf)).toEqual(hot.map(fieldsOf));
    expect(hot[0]?.map((s) => [s.t - start, s.value, s.quality, s.reason, s.sourceTime - start])).toEqual([
      [0, 230.1, 'good', undefined, 0],
      [60_000, 230.1, 'bad', 'no-communication', 0],
      [70_000, null, 'bad', 'device-failure', 70_000],
      [80_000, 300, 'uncertain', 'out-of-range', 80_000],
    ]);
    expect(hot[0]?.map((s) => s.receivedTime - start)).toEqual([7, 60_000, 70_000, 80_000]);
    expect(hot[1]?.map((s) => s.value)).toEqual([true, false]);
    expect(hot[2]?.map((s) => s.value)).toEqual(['上课']);
  });

  test('pages through sealed and hot hours, gaps and crowded hours, and misses and doubles nothing', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path, { foldRows: 1, foldAfter: 0 });
    await store.registerPoints([point('m-1/a'), point('m-1/b')]);
    const next = random(17);
    const readings: Reading[] = [];
    const add = (t: number, of: number) => {
      for (let i = 0; i < of; i++) {
        const bad = next() < 0.01 ? ({ quality: 'bad', reason: 'no-communication', value: null } as const) : {};
        const at = start + t + Math.floor((i * hour) / of);
        readings.push({ ...reading('m-1/a', at, Math.round(next() * 1e9) / 1e3, { receivedTime: at + i }), ...bad });
      }
    };
    // The second hour has more samples than the decoder keeps room for; hours 3 and 4 are those of another point alone.
    [400, 9_000, 360].forEach((of, i) => {
      add(i * hour, of);
    });
    await store.append({ readings });
    await store.append({ readings: [reading('m-1/b', start + 3 * hour, 1), reading('m-1/b', start + 4 * hour, 1)] });
    await store.maintain(start + 5 * hour);
    expect((await store.stats()).hotRows).toBe(0);
    add(5 * hour, 50);
    await store.append({ readings: readings.slice(-50) });
    using reader = openReader(folder.path, now);
    const expected = readings
      .map(({ value, quality, reason, sourceTime, receivedTime }) => {
        const t = quality === 'bad' ? receivedTime : sourceTime;
        return { t, value, quality, ...(reason === undefined ? {} : { reason }), sourceTime, receivedTime };
      })
      .sort((a, b) => a.t - b.t);
    for (const limit of [100_000, 997]) {
      const found: HistorySample[] = [];
      for (let from = start; ; ) {
        const page = reader.history('m-1/a', from, start + 6 * hour, 'raw', limit);
        found.push(...(page?.samples ?? []));
        const last = page?.samples.at(-1);
        if (page?.more !== true || last === undefined) break;
        from = last.t + 1;
      }
      expect(fieldsOf(found)).toEqual(expected);
    }
    const middle = reader.history('m-1/a', start + hour / 2, start + hour + 10_000)?.samples;
    expect(fieldsOf(middle)).toEqual(expected.filter(({ t }) => t >= start + hour / 2 && t < start + hour + 10_000));
  });

  test('aggregates the same whether samples are hot, sealed or both, for every step', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path, { foldRows: 1, foldAfter: 0 });
    const rules = [
      { staleAfter: 60_000, counter: false },
      { staleAfter: 0, counter: false },
      { staleAfter: 600_000, counter: true, wrap: 500 },
    ];
    await store.registerPoints(rules.map((rule, i) => point(`m-1/p${i}`, rule)));
    const next = random(5);
    const samples = rules.map(() => {
      const list: { t: number; value: number; good: boolean }[] = [];
      for (
        let t = start;
        t < start + 2.5 * day;
        t += 1_000 + Math.floor(next() * (next() < 0.01 ? 5 * hour : 120_000))
      ) {
        list.push({ t, value: Math.round(next() * 4_000) / 10, good: next() > 0.05 });
      }
      return list;
    });
    const toReadings = (i: number): Reading[] =>
      (samples[i] ?? []).map(({ t, value, good }) =>
        reading(`m-1/p${i}`, t, value, good ? {} : { quality: 'uncertain', reason: 'not-accurate' }),
      );
    const shuffled = rules.flatMap((_, i) => toReadings(i)).sort((a, b) => a.sourceTime - b.sourceTime);
    const third = Math.floor(shuffled.length / 3);
    const late = shuffled.filter((_, i) => i % 50 === 0);
    const onTime = shuffled.filter((_, i) => i % 50 !== 0);
    using reader = openReader(folder.path, now);

    const expectRight = (what: string) => {
      const steps: [Step, number][] = [
        ['1min', minute],
        ['15min', 15 * minute],
        ['1h', hour],
        ['1d', day],
      ];
      for (const [step, size] of steps) {
        rules.forEach((rule, i) => {
          const offset = step === '1d' ? 8 * hour : 0;
          const from = start - (step === '1d' ? 8 * hour : 0);
          const bounds = Array.from({ length: Math.ceil((3 * day) / size) + 1 }, (_, n) => from + n * size);
          const direct = rollup(samples[i] ?? [], bounds, rule).aggregates.filter((a) => a.count + a.goodSeconds > 0);
          const last = bounds.at(-1) ?? 0;
          const found = reader.history(`m-1/p${i}`, from, last, step, 100_000, { utcOffset: offset })?.buckets ?? [];
          expect(found.length, `${what} p${i} ${step}`).toBe(direct.length);
          found.forEach((bucket, n) => {
            const { mean, delta, ...exact } = direct[n] ?? bucket;
            expect(bucket, `${what} p${i} ${step} ${n}`).toMatchObject(exact);
            expect(bucket.mean ?? -1).toBeCloseTo(mean ?? -1, 8);
            expect(bucket.delta ?? -1).toBeCloseTo(delta ?? -1, 8);
          });
        });
      }
    };
    await store.append({ readings: onTime.slice(0, third) });
    await store.maintain(start + day);
    await store.append({ readings: onTime.slice(third) });
    await store.append({ readings: late });
    expectRight('mixed');
    await store.maintain(start + 4 * day);
    expect((await store.stats()).hotRows).toBe(0);
    expectRight('sealed');
  });

  test('ends what is held now, and starts where there is data', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await store.registerPoints([point('m-1/a', { staleAfter: 0 })]);
    await store.append({ readings: [reading('m-1/a', start, 5)] });
    using reader = openReader(folder.path, new ManualClock(start + 90_000));
    const buckets = reader.history('m-1/a', 0, start + 400 * day, '1min')?.buckets;
    expect(buckets?.map((b) => [b.t - start, b.goodSeconds])).toEqual([
      [0, 60],
      [minute, 30],
    ]);
  });

  test('takes day boundaries from the caller, for days that are not 24 h long', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await store.registerPoints([point('m-1/a', { staleAfter: 0 })]);
    await store.append({ readings: [reading('m-1/a', start, 5)] });
    using reader = openReader(folder.path, now);
    const boundaries = [start, start + 23 * hour, start + 48 * hour];
    const buckets = reader.history('m-1/a', start, start + 2 * day, '1d', 10, { boundaries })?.buckets;
    expect(buckets?.map((b) => b.goodSeconds)).toEqual([23 * 3_600, 25 * 3_600]);
  });
});

describe('sealing', () => {
  test('500 points x 1 h lets appends pass, and leaves at most 4 bytes a sample', { timeout: 60_000 }, async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path, { commitStock: 1e6 });
    const next = random(1);
    const points = Array.from({ length: 72 }, () => signals(next))
      .flat()
      .slice(0, 500)
      .map((signal, i) => ({ signal, name: `d-${i}/${signal.name}` }));
    await store.registerPoints(points.map(({ name, signal }) => point(name, { type: signal.type })));
    await store.registerPoints([point('late/a')]);
    let count = 0;
    for (let t = 0; t < hour; t += 30_000) {
      const readings: Reading[] = [];
      for (const { signal, name } of points) {
        for (let at = Math.ceil(t / signal.step) * signal.step; at < t + 30_000; at += signal.step) {
          readings.push(reading(name, start + at + Math.floor(next() * 15), signal.next()));
        }
      }
      count += readings.length;
      await store.append({ readings });
    }
    const before = await store.stats();

    const latencies: number[] = [];
    let sealing = true;
    const report = store.maintain(start + 2 * hour).finally(() => {
      sealing = false;
    });
    for (let i = 0; sealing; i++) {
      const began = performance.now();
      await store.append({ readings: [reading('late/a', start + 3 * hour + i, i)] });
      latencies.push(performance.now() - began);
      await nextTurn();
    }
    const { folded } = await report;
    expect(folded.rows).toBeGreaterThanOrEqual(count);
    const after = await store.stats();
    latencies.sort((a, b) => a - b);
    const worst = latencies.at(-1) ?? 0;
    console.info(
      `sealing ${folded.rows} samples of 500 points x 1 h in ${folded.ms} ms (${folded.blocks} blocks): ${latencies.length} appends meanwhile, ` +
        `median ${(latencies[latencies.length >> 1] ?? 0).toFixed(1)} ms, longest ${worst.toFixed(1)} ms`,
    );
    expectComplete(folder.path, points[2]?.name ?? '', 1_800);
    // What the file needs for these samples: everything in use, less what an empty database takes.
    await store.maintain(start + 2 * hour);
    await store[Symbol.asyncDispose]();
    await using reopened = await open(folder.path);
    const bytes = (await reopened.stats()).databaseBytes;
    console.info(
      `${(bytes / count).toFixed(2)} bytes a stored sample in the file, everything counted (hot: ${(before.databaseBytes / count).toFixed(1)} with its log)`,
    );
    expect(bytes / count).toBeLessThan(4);
    expect(after.hotRows).toBeLessThan(latencies.length + 1);
    // A machine that is busy with other things may be slow; a fold in one piece would take thousands of ms.
    expect(worst).toBeLessThan(Math.max(500, folded.ms / 3));
  });
});

function expectComplete(folder: string, ref: string, count: number): void {
  using reader = openReader(folder, now);
  expect(reader.history(ref, start, start + hour)?.samples.length).toBe(count);
}
