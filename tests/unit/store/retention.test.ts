import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '#edge/runtime/clock.ts';
import { AuditLog } from '#edge/store/audit-log.ts';
import { openDatabase } from '#edge/store/database.ts';
import { Outbox } from '#edge/store/outbox.ts';
import { blockKey } from '#edge/store/points.ts';
import { openReader } from '#edge/store/reader.ts';
import { Retention } from '#edge/store/retention.ts';
import { diskSpace } from '#edge/store/space.ts';
import {
  alarm,
  day,
  event,
  hour,
  open,
  point,
  random,
  reading,
  retention,
  start,
  temporaryFolder,
} from '../../fixtures/store/site.ts';

const audit = { time: start, who: 'person:lin', from: '127.0.0.1', what: 'a', why: 'b', result: 'c' };
const clock = new ManualClock(start + 4_000 * day);

describe('retention', () => {
  test('drops raw samples by age and keeps their hourly aggregates; each deletion is an audit line', async () => {
    await using folder = await temporaryFolder();
    const tuning = { foldRows: 1, foldAfter: 0 };
    await using store = await open(folder.path, tuning, {
      retention: { ...retention, readings: 10 * day, events: 20 * day },
    });
    await store.registerPoints([point('m-1/a', { staleAfter: 0 })]);
    for (let h = 0; h < 48; h++) {
      await store.append({
        readings: [0, 1, 2, 3].map((i) => reading('m-1/a', start + h * hour + i * 900_000, h + i)),
      });
    }
    const ended = alarm(start, { state: 'normal', active: false });
    await store.append({ events: [event(start)], alarms: [ended, alarm(start)], audit: [audit] });
    using reader = openReader(folder.path, clock);
    const hourly = () => reader.history('m-1/a', start, start + 2 * day, '1h')?.buckets;
    await store.maintain(start + 2 * day);
    const before = hourly();
    expect(before?.length).toBe(48);
    const { dropped } = await store.maintain(start + 11 * day);
    expect(dropped).toEqual([{ what: 'raw readings', why: 'older than 10 days', rows: 24 }]);
    expect(reader.history('m-1/a', start, start + 2 * day)?.samples.length).toBe(96);
    expect(hourly()).toEqual(before);
    await store.maintain(start + 30 * day);
    expect(reader.history('m-1/a', start, start + 2 * day)?.samples).toEqual([]);
    expect(hourly()).toEqual(before);
    expect(reader.events(null, 10)).toEqual([]);
    expect(reader.alarms({ limit: 10 }).map((a) => a.state)).toEqual(['unacknowledged']);
    expect(reader.audit(1, 10).map((line) => [line.who, line.what, line.result])).toEqual([
      ['process:core', 'retention drop raw readings', '24 rows'],
      ['process:core', 'retention drop raw readings', '24 rows'],
      ['process:core', 'retention drop events', '1 rows'],
      ['process:core', 'retention drop ended alarms', '1 rows'],
    ]);
    await store.maintain(start + 60 * day);
    expect(hourly()).toEqual([]);
  });

  test('drops the oldest raw samples when the database is too large, and no younger than it must keep', async () => {
    await using folder = await temporaryFolder();
    const tuning = { foldRows: 1, foldAfter: 0, keepAtLeast: 6 * hour };
    await using store = await open(folder.path, tuning, { retention: { ...retention, database: 1_000_000 } });
    const names = Array.from({ length: 10 }, (_, i) => `m-${i}/a`);
    await store.registerPoints(names.map((name) => point(name)));
    const next = random(2);
    for (let h = 0; h < 24; h++) {
      const readings = names.flatMap((name) =>
        Array.from({ length: 600 }, (_, i) => reading(name, start + h * hour + i * 6_000, next())),
      );
      await store.append({ readings });
    }
    const report = await store.maintain(start + day);
    using reader = openReader(folder.path, clock);
    const hours = (step: 'raw' | '1h') => {
      const found = reader.history('m-3/a', start, start + day, step, 100_000);
      return new Set(
        [...(found?.samples ?? []), ...(found?.buckets ?? [])].map(({ t }) => Math.floor((t - start) / hour)),
      );
    };
    expect(report.dropped.map((d) => d.what)).toContain('raw readings');
    expect(hours('1h').size).toBeGreaterThanOrEqual(24);
    const kept = hours('raw');
    expect(kept.has(0)).toBe(false);
    expect([18, 19, 20, 21, 22, 23].every((h) => kept.has(h))).toBe(true);
    // One that comes for an hour that was dropped does not replace that hour's aggregate.
    await store.append({ readings: [reading('m-3/a', start + 1, 99)] });
    const first = () => reader.history('m-3/a', start, start + hour, '1h')?.buckets[0];
    const { dropped } = await store.maintain(start + day + hour);
    expect(dropped).toContainEqual(expect.objectContaining({ what: 'samples', rows: 1 }));
    expect(first()?.count).toBe(600);
  });

  test('shrinks the file when the disk runs short, and drops no more for it than it must', async () => {
    await using folder = await temporaryFolder();
    const { db, epoch } = openDatabase(folder.path, start, 'trust');
    const insert = db.prepare('INSERT INTO block VALUES (?, randomblob(50000))');
    const first = Math.floor(start / hour);
    db.transaction(() => {
      for (let h = 0; h < 240; h++) insert.run(blockKey(first + h, 1));
    })();
    const disk = diskSpace(db, folder.path);
    disk.settle();
    const file = join(folder.path, 'campus.db');
    const before = statSync(file).size;
    // A disk of which all is ours but 1 MB, and that wants 3 MB free.
    const space = { ...disk, free: () => 1e6 + before - statSync(file).size };
    const options = { retention: { ...retention, freeSpaceFloor: 3e6 }, outboxBytes: 1e9, keepAtLeast: day };
    const audit = new AuditLog(db, folder.path, start, (work) => db.transaction(work)());
    const retain = new Retention(db, new Outbox(db, epoch), audit, space, options);
    const slice = { transaction: (work: () => void) => db.transaction(work)(), turn: () => ({ over: () => true }) };
    const run = retain.run(start + 10 * day, slice);
    let step = run.next();
    while (!step.done) step = run.next();
    db.close();
    expect(step.value.full).toBe(false);
    const won = before - statSync(file).size;
    expect(won).toBeGreaterThanOrEqual(2e6);
    // 2 MB are 40 blocks: gone by quarters of a day.
    expect(step.value.dropped.reduce((sum, entry) => sum + entry.rows, 0)).toBe(42);
  });

  test('alone may take lines from the audit: nobody else deletes or changes one', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path, {}, { retention: { ...retention, audit: 200 * day } });
    await store.append({
      audit: [audit, { ...audit, what: 'second' }, { ...audit, time: start + 199 * day, what: 'third' }],
    });
    using intruder = closing(join(folder.path, 'campus.db'));
    for (const sql of [
      'DELETE FROM audit',
      'DELETE FROM audit WHERE seq = 2',
      "UPDATE audit SET result = 'no'",
      "INSERT OR REPLACE INTO audit SELECT seq, 0, '', '', '', '', '', hash FROM audit",
    ]) {
      expect(() => intruder.db.exec(sql)).toThrowError('audit is append-only');
    }
    await store.maintain(start + 202 * day);
    using reader = openReader(folder.path);
    expect(reader.audit(0, 10).map((line) => [line.seq, line.what])).toEqual([
      [3, 'third'],
      [4, 'retention drop audit lines'],
    ]);
    expect(() => intruder.db.exec('DELETE FROM audit')).toThrowError('audit is append-only');
  });
});

function closing(file: string): Disposable & { readonly db: Database.Database } {
  const db = new Database(file);
  return { db, [Symbol.dispose]: () => db.close() };
}
