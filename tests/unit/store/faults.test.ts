import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import Database from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '#edge/runtime/clock.ts';
import type { StoreFault } from '#edge/store/faults.ts';
import { openReader } from '#edge/store/reader.ts';
import {
  day,
  event,
  hour,
  open,
  point,
  reading,
  retention,
  start,
  temporaryFolder,
} from '../../fixtures/store/site.ts';

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Starts a process that appends; kills it with SIGKILL after so many acknowledgements. What it acknowledged. */
async function appendUntilKilled(folder: string, acknowledgements: number, mode: string): Promise<number[]> {
  const script = join(import.meta.dirname, '../../fixtures/store/appender.ts');
  const list = join(folder, 'acknowledged');
  const child: Child = spawn(process.execPath, [script, folder, list, mode], { stdio: ['ignore', 'pipe', 'pipe'] });
  let seen = 0;
  let complaints = '';
  child.stderr.on('data', (data: Buffer) => {
    complaints += data.toString();
  });
  child.stdout.on('data', (data: Buffer) => {
    seen += data.length;
    if (seen >= acknowledgements) child.kill('SIGKILL');
  });
  await once(child, 'close');
  expect(complaints).toBe('');
  return (await readFile(list, 'utf8')).split('\n').slice(0, -1).map(Number);
}

function missingAfter(folder: string, acknowledged: readonly number[]): number[] {
  using reader = openReader(folder, new ManualClock(start + 400 * day));
  const values = ['m-1/a', 'm-1/b'].flatMap(
    (ref) => reader.history(ref, start, start + day, 'raw', 100_000)?.samples ?? [],
  );
  const stored = new Set(values.map((sample) => sample.value));
  const events = new Set(reader.events(null, 100_000).map((e) => e.data.n));
  return acknowledged.filter((n) => {
    const readings = [0, 1, 2].every((i) => stored.has(n * 3 + i));
    return !readings || (n % 5 === 0 && !events.has(n));
  });
}

describe('a store whose process is killed', () => {
  test('has everything that it acknowledged, whatever it was doing, and goes on', { timeout: 60_000 }, async () => {
    await using folder = await temporaryFolder();
    let acknowledged: number[] = [];
    for (const count of [30, 400, 150]) {
      acknowledged = await appendUntilKilled(folder.path, count, 'honest');
      // A reader alone, before any writer has been there again, sees it too.
      expect(missingAfter(folder.path, acknowledged)).toEqual([]);
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(580);
    await using store = await open(folder.path);
    await store.maintain(start + 10 * day);
    expect(missingAfter(folder.path, acknowledged)).toEqual([]);
  });

  test('misses some when it acknowledges before the commit: the check can tell', { timeout: 60_000 }, async () => {
    await using folder = await temporaryFolder();
    const acknowledged = await appendUntilKilled(folder.path, 2_000, 'early');
    expect(missingAfter(folder.path, acknowledged)).not.toEqual([]);
  });
});

describe('a full disk', () => {
  test('refuses with STORE_FULL, says so once, and takes more again when something may be dropped', async () => {
    await using folder = await temporaryFolder();
    const clock = new ManualClock(start);
    await using store = await open(folder.path, { maxPages: 150, backoff: { first: 10, cap: 50 } }, { clock });
    const faults: StoreFault[] = [];
    store.onFault((fault) => faults.push(fault));
    await store.registerPoints([point('m-1/a')]);
    let stored = 0;
    const fill = async () => {
      for (let i = 0; i < 2_000; i++) {
        const t = start + stored * 1_000;
        const readings = Array.from({ length: 500 }, (_, n) => reading('m-1/a', t + n, Math.sin(t + n)));
        await store.append({ readings });
        stored += 500;
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(store.ready).toBe(false);
    expect(faults.map((f) => [f.code, f.active])).toEqual([['STORE_FULL', true]]);
    await expect(store.append({ events: [event(start)] })).rejects.toMatchObject({ code: 'STORE_FULL' });
    using reader = openReader(folder.path, clock);
    const held = reader.history('m-1/a', start, start + 100 * day, 'raw', 100_000)?.samples.length;
    expect(held).toBe(Math.min(stored, 100_000));

    clock.advance(40 * day);
    await expect.poll(() => store.ready, { timeout: 10_000 }).toBe(true);
    await store.append({ readings: [reading('m-1/a', clock.now(), 1)], events: [event(start)] });
    expect(faults.map((f) => [f.code, f.active])).toEqual([
      ['STORE_FULL', true],
      ['STORE_FULL', false],
    ]);
    expect(reader.audit(0, 10)[0]).toMatchObject({ what: 'retention drop raw readings', why: 'the disk is full' });
  });

  test('below the free-space floor refuses readings but still takes what people must know', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path, {}, { retention: { ...retention, freeSpaceFloor: 1e18 } });
    await store.registerPoints([point('m-1/a')]);
    const faults: string[] = [];
    store.onFault((fault) => faults.push(fault.code));
    expect((await store.maintain(start)).full).toBe(true);
    const results = await Promise.allSettled([
      store.append({ readings: [reading('m-1/a', start, 1)] }),
      store.append({ events: [event(start)] }),
    ]);
    expect(results).toMatchObject([{ status: 'rejected', reason: { code: 'STORE_FULL' } }, { status: 'fulfilled' }]);
    expect(faults).toEqual(['STORE_FULL']);
  });
});

describe('a database that cannot be read', () => {
  test('is moved aside, never deleted, and a new one with a larger epoch begins', async () => {
    await using folder = await temporaryFolder();
    let epoch = 0;
    {
      await using store = await open(folder.path);
      epoch = store.epoch;
      await store.append({ events: [event(start)] });
    }
    using reader = openReader(folder.path);
    expect(reader.events(null, 10).length).toBe(1);
    await writeFile(join(folder.path, 'campus.db'), Buffer.alloc(20_000, 'rubbish '));
    // The clock stands still: the epoch grows all the same.
    await using store = await open(folder.path);
    expect(store.epoch).toBeGreaterThan(epoch);
    const faults: StoreFault[] = [];
    store.onFault((fault) => faults.push(fault));
    expect(faults).toMatchObject([{ code: 'STORE_CORRUPT', active: true }]);
    const files = await readdir(folder.path);
    expect(files).toContain(`campus.db.corrupt-${start}`);
    await store.append({ events: [event(start), event(start)] });
    expect(reader.events(null, 10).length).toBe(2);
    expect(reader.outboxState().event).toMatchObject({ epoch: store.epoch, head: 2 });
  });

  test('in one block only says which, answers the rest, and does not stop folding', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path, { foldRows: 1, foldAfter: 0 });
    await store.registerPoints([point('m-1/a')]);
    await store.append({ readings: [reading('m-1/a', start, 1), reading('m-1/a', start + hour, 2)] });
    await store.maintain(start + day);
    const db = new Database(join(folder.path, 'campus.db'));
    db.exec("UPDATE block SET data = x'00ff' WHERE id = (SELECT min(id) FROM block)");
    db.close();
    using reader = openReader(folder.path, new ManualClock(start + day));
    const damaged = { code: 'STORE_BAD_BLOCK', message: expect.stringContaining(`in the hour from ${start}`) };
    expect(() => reader.history('m-1/a', start, start + day)).toThrowError(expect.objectContaining(damaged));
    expect(reader.history('m-1/a', start + hour, start + day)?.samples.length).toBe(1);
    expect(reader.history('m-1/a', start, start + day, '1h')?.buckets.map((b) => b.count)).toEqual([1, 1]);
    await store.append({ readings: [reading('m-1/a', start + 5, 3)] });
    const { dropped } = await store.maintain(start + 2 * day);
    expect(dropped).toMatchObject([{ what: 'damaged blocks', rows: 1 }]);
    expect(reader.history('m-1/a', start, start + day)?.samples.map((s) => s.value)).toEqual([3, 2]);
    expect(reader.audit(0, 10).map((line) => line.what)).toEqual(['fold drop damaged blocks']);
  });

  test('because newer code wrote it is refused, and left alone', async () => {
    await using folder = await temporaryFolder();
    await (await open(folder.path))[Symbol.asyncDispose]();
    const db = new Database(join(folder.path, 'campus.db'));
    db.pragma('user_version = 99');
    db.close();
    await expect(open(folder.path)).rejects.toMatchObject({
      code: 'STORE_NEWER',
      message: expect.stringContaining('schema 99'),
    });
    using reader = openReader(folder.path);
    expect(() => reader.events(null, 1)).toThrowError(expect.objectContaining({ code: 'STORE_NEWER' }));
    expect(await readdir(folder.path)).not.toContainEqual(expect.stringContaining('corrupt'));
  });
});

describe('a store whose thread dies', () => {
  test('rejects what was under way, says so, starts another and goes on', { timeout: 30_000 }, async () => {
    await using folder = await temporaryFolder();
    const tuning = { threadHeapMb: 24, queueBytes: 1e9, backoff: { first: 10, cap: 50 } };
    await using store = await open(folder.path, tuning);
    await store.registerPoints([point('m-1/a')]);
    const faults: [string, boolean][] = [];
    store.onFault((fault) => faults.push([fault.code, fault.active]));
    await store.append({ readings: [reading('m-1/a', start, 1)] });
    // More small rows than its heap holds: V8 ends the thread for lack of memory, a real crash.
    const events = Array.from({ length: 120_000 }, (_, i) => event(start + i, { data: { i } }));
    await expect(store.append({ events })).rejects.toMatchObject({ code: 'STORE_CRASHED' });
    await expect.poll(() => store.ready, { timeout: 20_000 }).toBe(true);
    await store.append({ readings: [reading('m-1/a', start + 1, 2)] });
    using reader = openReader(folder.path);
    expect(reader.history('m-1/a', start, start + hour)?.samples.map((s) => s.value)).toEqual([1, 2]);
    expect(faults).toEqual([
      ['STORE_CRASHED', true],
      ['STORE_CRASHED', false],
    ]);
    expect((await store.stats()).restarts).toBe(1);
  });
});

describe('an anchor of the audit that cannot be written', () => {
  test('is a fault of its own that refuses nothing, and ends when it can be', { timeout: 30_000 }, async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    const heard: string[] = [];
    store.onFault(({ code, active }) => heard.push(`${code} ${active}`));
    const inTheWay = join(folder.path, 'audit-head.new');
    await mkdir(inTheWay);
    const line = { time: start, who: 'person:lin', from: '::1', what: 'a', why: '', result: '' };
    await store.append({ audit: [line] });
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual(['STORE_ANCHOR true']);
    await store.append({ audit: [line] });
    expect(store.ready).toBe(true);
    await rmdir(inTheWay);
    await expect.poll(() => heard, { timeout: 15_000 }).toEqual(['STORE_ANCHOR true', 'STORE_ANCHOR false']);
  });
});
