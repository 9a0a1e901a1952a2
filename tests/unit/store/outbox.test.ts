import { describe, expect, test } from 'vitest';
import { ManualClock } from '#edge/runtime/clock.ts';
import { openReader } from '#edge/store/reader.ts';
import { rollup } from '#edge/store/rollup.ts';
import {
  alarm,
  day,
  event,
  hour,
  minute,
  open,
  point,
  reading,
  start,
  temporaryFolder,
} from '../../fixtures/store/site.ts';

interface SummaryBody {
  readonly t: number;
  readonly step: number;
  readonly points: readonly { readonly ref: string; readonly delta: number | null; readonly rev?: number }[];
}

describe('the outbox', () => {
  test('numbers each lane from 1 and holds what was stored, in order', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    const [a, b, raised] = [event(start), event(start + 1), alarm(start)];
    await store.append({ events: [a, b], alarms: [raised], health: [{ process: 'camera', state: 'ready' }] });
    using reader = openReader(folder.path);
    expect(reader.outbox('event', 0, 10)).toEqual([
      { seq: 1, time: start, body: a },
      { seq: 2, time: start + 1, body: b },
    ]);
    expect(reader.outbox('event', 1, 10).map((row) => row.seq)).toEqual([2]);
    expect(reader.outbox('alarm', 0, 10).map((row) => row.body)).toEqual([raised]);
    expect(reader.outbox('health', 0, 10).map((row) => row.body)).toEqual([{ process: 'camera', state: 'ready' }]);
    expect(reader.outboxState()).toMatchObject({
      event: { epoch: store.epoch, min: 1, head: 2, watermark: 0 },
      agg1m: { min: 1, head: 0 },
    });
  });

  test('keeps acknowledged rows for 72 h from their acknowledgement, and takes a watermark that goes back', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    for (let i = 0; i < 5; i++) await store.append({ events: [event(start + i)] });
    using reader = openReader(folder.path);
    const held = () => reader.outbox('event', 0, 10).map((row) => row.seq);
    await store.outboxAcknowledge('event', store.epoch, 4);
    await store.maintain(start);
    await store.maintain(start + 71 * hour);
    expect(held()).toEqual([1, 2, 3, 4, 5]);
    // The city was restored from an older backup: rows 3 and 4 count as not acknowledged again.
    await store.outboxAcknowledge('event', store.epoch, 2);
    await store.maintain(start + 71 * hour);
    await store.maintain(start + 73 * hour);
    expect(held()).toEqual([1, 2, 3, 4, 5]);
    await store.maintain(start + 144 * hour);
    expect(held()).toEqual([3, 4, 5]);
    expect(reader.outboxState().event).toMatchObject({ min: 3, head: 5, watermark: 2 });
    expect(reader.gaps(10)).toEqual([]);
  });

  test('refuses an acknowledgement of another epoch, or of what was never sent', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await store.append({ events: [event(start)] });
    const refused = (code: string) => expect.objectContaining({ code });
    await expect(store.outboxAcknowledge('event', store.epoch - 1, 1)).rejects.toEqual(refused('STORE_EPOCH'));
    await expect(store.outboxAcknowledge('event', store.epoch, 2)).rejects.toEqual(refused('STORE_WATERMARK'));
    await store.outboxAcknowledge('event', store.epoch, 1);
    expect(store.ready).toBe(true);
  });

  test('over its size lets go of what the city has, then of the least urgent, and leaves a gap', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path, { outboxBytes: 50_000 });
    const noise = (i: number) => ({ note: `${i} ${'x'.repeat(200)}` });
    for (let i = 0; i < 100; i++) {
      await store.append({
        events: [event(start + i, { data: noise(i) })],
        health: [noise(i)],
        alarms: [alarm(start)],
      });
    }
    await store.outboxAcknowledge('alarm', store.epoch, 10);
    const report = await store.maintain(start);
    using reader = openReader(folder.path);
    const state = reader.outboxState();
    // Acknowledged alarms went first, then health; events only as far as needed; no alarm that the city does not have.
    expect(state.alarm.min).toBe(11);
    expect(state.health).toMatchObject({ min: 101, head: 100 });
    expect(state.event.min).toBeGreaterThan(1);
    expect((await store.stats()).lanes.reduce((sum, lane) => sum + lane.bytes, 0)).toBeLessThanOrEqual(50_000);
    const gaps = reader.gaps(10);
    expect(gaps).toContainEqual({ lane: 3, first: 1, last: 100, time: start, reason: 'outbox size cap' });
    expect(gaps).toContainEqual(expect.objectContaining({ lane: 1, first: 1, last: state.event.min - 1 }));
    expect(gaps.length).toBe(2);
    expect(report.outbox).toEqual({ freed: 10, evicted: 100 + state.event.min - 1 });
    expect(reader.audit(0, 10).map((line) => line.what)).toEqual([
      'retention drop outbox rows that the city never acknowledged',
    ]);
    // Sequences go on: nothing is ever numbered twice.
    await store.append({ health: [noise(0)] });
    expect(reader.outbox('health', 0, 10).map((row) => row.seq)).toEqual([101]);
  });
});

describe('minute summaries', () => {
  test('hold one row per closed minute with every point that is known in it', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await store.registerPoints([
      point('m-1/v'),
      point('m-1/e', { counter: true, unit: 'kW.h', staleAfter: 600_000 }),
      point('m-1/t', { type: 'text' }),
      point('m-1/silent'),
    ]);
    const at = (ms: number, v: number, e: number) => [
      reading('m-1/v', start + ms, v),
      reading('m-1/e', start + ms, e),
      reading('m-1/t', start + ms, 'x'),
    ];
    await store.append({ readings: [...at(0, 230, 10), ...at(30_000, 231, 10.5), ...at(70_000, 229, 11)] });
    expect(await store.summarise(start + 59_999)).toBe(0);
    expect(await store.summarise(start + 125_000)).toBe(2);
    expect(await store.summarise(start + 125_000)).toBe(0);
    using reader = openReader(folder.path);
    const rows = reader.outbox('agg1m', 0, 10);
    expect(rows.map((row) => [row.seq, row.time - start])).toEqual([
      [1, 0],
      [2, minute],
    ]);
    const common = { min: 230, max: 231, last: 231, count: 2, goodSeconds: 60 };
    expect(rows[0]?.body).toEqual({
      t: start,
      step: minute,
      points: [
        { ref: 'm-1/v', unit: 'V', ...common, mean: 230.5, delta: null },
        {
          ref: 'm-1/e',
          unit: 'kW.h',
          min: 10,
          max: 10.5,
          mean: 10.25,
          last: 10.5,
          count: 2,
          goodSeconds: 60,
          delta: 0.5,
        },
      ],
    });
    expect(rows[1]?.body).toMatchObject({
      points: [
        { ref: 'm-1/v', min: 229, max: 231, last: 229, count: 1, goodSeconds: 60 },
        { ref: 'm-1/e', delta: 0.5 },
      ],
    });
  });

  test('begin with a preview of the running minute, which its whole row replaces', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await store.registerPoints([point('m-1/v'), point('m-1/e', { counter: true, unit: 'kW.h', staleAfter: 600_000 })]);
    const at = (ms: number, v: number, e: number) => [reading('m-1/v', start + ms, v), reading('m-1/e', start + ms, e)];
    expect(await store.preview(start + 1_000)).toBe(0);
    await store.append({ readings: at(5_000, 230, 10) });
    expect(await store.preview(start + 15_000)).toBe(1);
    await store.append({ readings: at(30_000, 234, 10.5) });
    expect(await store.summarise(start + 65_000)).toBe(1);
    expect(await store.preview(start + 190_000)).toBe(0);
    using reader = openReader(folder.path);
    const rows = reader.outbox('agg1m', 0, 10).map((row) => row.body as SummaryBody);
    expect(rows).toMatchObject([
      {
        t: start,
        points: [
          { ref: 'm-1/v', last: 230, count: 1, goodSeconds: 10 },
          { ref: 'm-1/e', delta: null },
        ],
      },
      {
        t: start,
        points: [
          { ref: 'm-1/v', last: 234, count: 2, goodSeconds: 55 },
          { ref: 'm-1/e', delta: 0.5 },
        ],
      },
    ]);
  });

  test('say the same as history, over a restart and with folding in between, and lose no counter rise to late samples', async () => {
    await using folder = await temporaryFolder();
    const tuning = { foldRows: 1, foldAfter: 0 };
    const points = [point('m-1/v'), point('m-1/e', { counter: true, staleAfter: 0 })];
    const samples: { t: number; value: number }[] = [];
    const clock = new ManualClock(start);
    let store = await open(folder.path, tuning, { clock });
    await store.registerPoints(points);
    for (let i = 0; i < 60; i++) {
      const t = start + i * 10_000;
      clock.advance(10_000);
      samples.push({ t, value: i });
      // The counter's sample of every 12th turn comes two minutes late.
      const late = i % 12 === 5;
      const due = i >= 12 && i % 12 === 5 ? [reading('m-1/e', t - 120_000, i - 12)] : [];
      await store.append({ readings: [reading('m-1/v', t, i), ...(late ? [] : [reading('m-1/e', t, i)]), ...due] });
      if (i % 7 === 0) await store.maintain(t);
      await store.summarise(t);
      if (i === 31) {
        await store[Symbol.asyncDispose]();
        store = await open(folder.path, tuning, { clock });
        await store.registerPoints(points);
      }
    }
    await store.summarise(start + 10 * minute);
    // What comes late of a point is told again at most every ten minutes.
    await store.summarise(start + 22 * minute);
    await store[Symbol.asyncDispose]();
    using reader = openReader(folder.path);
    const bodies = reader
      .outbox('agg1m', 0, 100)
      .map((row) => row.body as SummaryBody)
      .filter(({ t }) => t < start + 10 * minute);
    const bounds = Array.from({ length: 11 }, (_, i) => start + i * minute);
    const good = samples.map((s) => ({ ...s, good: true }));
    const direct = rollup(good, bounds, { staleAfter: minute, counter: false }).aggregates;
    const told = bodies.flatMap((body) => body.points.map((row) => ({ ...row, t: body.t })));
    expect(told.filter(({ ref }) => ref === 'm-1/v').map(({ t: _, ...row }) => row)).toEqual(
      direct.map(({ t: _, ...rest }) => ({ ref: 'm-1/v', unit: 'V', ...rest })),
    );
    // Minutes that a late sample changed are told again, and the newest word counts: the city has what history has.
    const counted = told.filter(({ ref }) => ref === 'm-1/e');
    const newest = new Map(counted.map(({ t, delta, rev = 0 }) => [t, { delta, rev }]));
    expect([...newest.values()].some(({ rev }) => rev > 0)).toBe(true);
    expect([...newest.values()].reduce((sum, { delta }) => sum + Number(delta ?? 0), 0)).toBe(59);
    const known = reader.history('m-1/e', start, start + 10 * minute, '1min')?.buckets ?? [];
    expect([...newest].map(([t, { delta }]) => [t, delta])).toEqual(known.map(({ t, delta }) => [t, delta]));
  });

  test('jump over the time in which nobody watched, but take what came for it afterwards', async () => {
    await using folder = await temporaryFolder();
    {
      await using store = await open(folder.path);
      await store.registerPoints([point('m-1/door', { staleAfter: 0 })]);
      await store.append({ readings: [reading('m-1/door', start, 1)] });
      await store.summarise(start + 2 * minute);
    }
    await using store = await open(folder.path, {}, { clock: new ManualClock(start + day) });
    await store.registerPoints([point('m-1/door', { staleAfter: 0 })]);
    await store.append({ readings: [reading('m-1/door', start + day - 30 * minute, 0)] });
    for (let i = 0; i < 3; i++) await store.summarise(start + day + 2 * minute);
    using reader = openReader(folder.path);
    const times = reader.outbox('agg1m', 0, 10_000).map((row) => row.time - start);
    expect(times).toEqual([0, minute, day - 30 * minute, day, day + minute]);
  });
});
