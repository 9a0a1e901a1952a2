import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Arrival, CityStore } from '#bridge/city/store.ts';
import { encodeFrame, type FrameHeader } from '#bridge/contract/frame.ts';
import { composeHole, composeRow } from '#bridge/uplink/compose.ts';
import { campus, makeBody, type TempFolder, tempFolder } from '../../fixtures/bridge/campus.ts';
import { query } from '../../fixtures/bridge/city-check.ts';

let folder: TempFolder;
let store: CityStore;
beforeEach(async () => {
  folder = await tempFolder();
  store = new CityStore({ file: join(folder.path, 'city.db'), logReceived: true });
});
afterEach(async () => {
  store[Symbol.dispose]();
  await folder[Symbol.asyncDispose]();
});

const now = 1_795_400_000_000;
interface Made {
  readonly epoch?: number;
  readonly min?: number;
  readonly clockOffset?: number;
}
function event(seq: number, { epoch = 1, min = 1, clockOffset }: Made = {}): Arrival {
  const context = { campus, lane: 'event' as const, epoch, min, clockOffset: clockOffset ?? null };
  const { bytes } = composeRow(context, { seq, time: now, body: makeBody('event', epoch * 1_000 + seq) });
  return { campus, lane: 'event', bytes, time: now };
}
function raw(header: Partial<FrameHeader>, body: string): Arrival {
  const base: FrameHeader = { v: 1, c: campus, l: 'event', e: 1, s: 1, t0: 1, t1: 1, n: 1, ct: 'json', min: 1 };
  return {
    campus,
    lane: 'event',
    bytes: encodeFrame({ header: { ...base, ...header }, body: Buffer.from(body) }),
    time: now,
  };
}
const outcomes = (...arrivals: Arrival[]) => store.apply(arrivals).map(({ outcome, seq }) => `${outcome} ${seq}`);
const count = (table: string) => query<{ n: number }>(folder.path, `SELECT count(*) AS n FROM ${table}`)[0]?.n;

describe("the city's store", () => {
  it('applies what comes next, once', () => {
    expect(outcomes(event(1), event(2), event(2), event(1), event(3))).toEqual([
      'applied 1',
      'applied 2',
      'duplicate 2',
      'duplicate 2',
      'applied 3',
    ]);
    expect([count('events'), count('received')]).toEqual([3, 3]);
  });

  it('does not apply what comes too early', () => {
    expect(outcomes(event(1), event(3), event(2), event(3))).toEqual(['applied 1', 'gap 1', 'applied 2', 'applied 3']);
  });

  it('keeps the watermark and the rows in one transaction: a failure leaves neither', () => {
    store.apply([event(1)]);
    expect(() =>
      store.apply([event(2), event(3)], () => {
        throw new Error('the disk is full');
      }),
    ).toThrow('the disk is full');
    expect(count('events')).toBe(1);
    expect(outcomes(event(2))).toEqual(['applied 2']);
  });

  it('jumps over what the edge no longer holds, and leaves a gap row', () => {
    expect(outcomes(event(1), event(9, { min: 7 }), event(7, { min: 7 }))).toEqual(['applied 1', 'gap 6', 'applied 7']);
    expect(query(folder.path, 'SELECT lane, epoch, first, last, reason FROM gaps')).toEqual([
      { lane: 'event', epoch: 1, first: 2, last: 6, reason: 'evicted' },
    ]);
  });

  it('takes a gap marker over several sequences', () => {
    const context = { campus, lane: 'event' as const, epoch: 1, min: 1, clockOffset: null };
    const hole = composeHole(context, 2, { seq: 5, time: now, body: null });
    expect(outcomes(event(1), { campus, lane: 'event', bytes: hole.bytes, time: now }, event(5))).toEqual([
      'applied 1',
      'applied 4',
      'applied 5',
    ]);
  });

  it('believes a larger epoch and not a smaller one', () => {
    store.apply([event(1), event(2)]);
    expect(outcomes(event(1, { epoch: 5 }), event(3, { epoch: 1 }), event(2, { epoch: 5 }))).toEqual([
      'applied 1',
      'duplicate 1',
      'applied 2',
    ]);
    expect(query(folder.path, 'SELECT epoch, first, last, reason FROM gaps')).toEqual([
      { epoch: 1, first: 3, last: null, reason: 'new-epoch' },
    ]);
  });

  it('keeps a body that it cannot understand as it came, and goes on', () => {
    expect(outcomes(raw({}, '{"id":"nobody"}'), event(2))).toEqual(['applied 1', 'applied 2']);
    const [kept] = query<{ message: string; frame: Buffer }>(folder.path, 'SELECT message, frame FROM rejected');
    expect(kept?.message).toContain('id: must be a UUID');
    expect(kept?.frame.toString()).toContain('nobody');
    expect(query(folder.path, 'SELECT first, last, reason FROM gaps')).toEqual([
      { first: 1, last: 1, reason: 'malformed' },
    ]);
  });

  it('asks a newer edge to keep what it cannot read yet', () => {
    expect(outcomes(raw({ ct: 'cols1' }, ''))).toEqual(['unsupported 0']);
    const later = Buffer.from(event(1).bytes);
    later.write('"v":2', later.indexOf('"v":1'));
    expect(outcomes({ ...event(1), bytes: later })).toEqual(['unsupported 0']);
    expect(outcomes({ ...event(1), lane: 'agg15' })).toEqual(['unsupported 0']);
    expect(query(folder.path, 'SELECT lane, seq FROM watermarks')).toEqual([{ lane: 'event', seq: 0 }]);
  });

  it('refuses a frame that names another campus or lane than its topic', () => {
    expect(
      outcomes(raw({ c: '3144099999' }, '{}'), raw({ l: 'alarm' }, '{}'), { ...event(1), bytes: Buffer.alloc(9) }),
    ).toEqual(['refused 0', 'refused 0', 'refused 0']);
    expect([count('events'), count('gaps'), count('watermarks')]).toEqual([0, 0, 0]);
  });

  it('lets the newer revision of a recomputed summary win, even across epochs', () => {
    const summary = (epoch: number, rev: number, mean: number): Arrival => {
      const context = { campus, lane: 'agg1m' as const, epoch, min: 1, clockOffset: null };
      const point = {
        ref: 'meter-1/power',
        unit: 'kW',
        min: 0,
        max: 9,
        mean,
        last: 1,
        count: 1,
        goodSeconds: 1,
        delta: null,
        rev,
      };
      const { bytes } = composeRow(context, { seq: 1, time: now, body: { t: now, step: 60_000, points: [point] } });
      return { campus, lane: 'agg1m', bytes, time: now };
    };
    store.apply([summary(1, 2, 5), summary(2, 1, 4)]);
    expect(query(folder.path, 'SELECT mean, rev FROM summaries')).toEqual([{ mean: 5, rev: 2 }]);
    store.apply([summary(3, 3, 6)]);
    expect(query(folder.path, 'SELECT mean, rev FROM summaries')).toEqual([{ mean: 6, rev: 3 }]);
  });

  it('keeps summaries of a wrong clock apart instead of throwing them away', () => {
    const summary = (seq: number, t: number, clockOffset: number): Arrival => {
      const context = { campus, lane: 'agg1m' as const, epoch: 1, min: 1, clockOffset };
      const { points } = makeBody('agg1m', 1) as { points: object[] };
      return {
        campus,
        lane: 'agg1m',
        bytes: composeRow(context, { seq, time: t, body: { t, step: 60_000, points } }).bytes,
        time: now,
      };
    };
    store.apply([summary(1, now - 60_000, 0), summary(2, now, 61_000), summary(3, now + 130_000, 0)]);
    expect(query(folder.path, 'SELECT DISTINCT t, doubtful FROM summaries ORDER BY t')).toEqual([
      { t: now - 60_000, doubtful: 0 },
      { t: now, doubtful: 1 },
      { t: now + 130_000, doubtful: 1 },
    ]);
  });

  it('bounds what a campus can write into gaps and rejected', () => {
    const db = new Database(join(folder.path, 'city.db'));
    db.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
       INSERT INTO gaps (campus, lane, epoch, first, last, reason, message, time) SELECT ?, 'event', 1, i, i, 'x', '', 0 FROM n`,
    ).run(campus);
    db.close();
    store.apply([raw({}, '{}')]);
    expect(count('gaps')).toBe(1_000);
  });

  it('forgets old rows in portions and keeps open alarms and watermarks', () => {
    const alarm = (seq: number, more: object): Arrival => {
      const context = { campus, lane: 'alarm' as const, epoch: 1, min: 1, clockOffset: null };
      const body = { ...(makeBody('alarm', seq) as object), ...more };
      return { campus, lane: 'alarm', bytes: composeRow(context, { seq, time: now, body }).bytes, time: now };
    };
    store.apply([event(1), event(2), event(3), alarm(1, {}), alarm(2, { state: 'normal', ended: 5 })]);
    expect(store.prune(now, 2)).toBe(3);
    expect(store.prune(now, 2)).toBe(1);
    expect(store.prune(now, 2)).toBe(0);
    expect([count('events'), count('alarms'), count('watermarks')]).toEqual([0, 1, 2]);
    expect(outcomes(event(3))).toEqual(['duplicate 3']);
  });

  it('answers a hello with the watermarks of the lanes it names', () => {
    store.apply([event(1), event(2)]);
    const lanes = {
      event: { epoch: 1, min: 1, head: 7 },
      alarm: { epoch: 4, min: 1, head: 0 },
      later: { epoch: 1, min: 1, head: 1 },
    };
    const hello = { v: 1, session: 'a', time: now - 5, proto: [1], lanes } as const;
    expect(store.hello(campus, { ...hello, proto: [1] }, now)).toEqual({
      event: { epoch: 1, seq: 2, t0: expect.any(Number) },
      alarm: { epoch: 4, seq: 0, t0: null },
    });
    expect(query(folder.path, 'SELECT clockOffset FROM campuses')).toEqual([{ clockOffset: -5 }]);
  });
});
