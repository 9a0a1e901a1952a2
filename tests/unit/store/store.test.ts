import { describe, expect, test } from 'vitest';
import type { InboxEntry } from '#edge/domain/audit.ts';
import type { Hold } from '#edge/domain/output.ts';
import { migrations } from '#edge/store/migrations.ts';
import { openReader } from '#edge/store/reader.ts';
import {
  alarm,
  event,
  minute,
  newId,
  open,
  point,
  reading,
  ref,
  start,
  temporaryFolder,
} from '../../fixtures/store/site.ts';

const lineOfAudit = {
  time: start,
  who: 'person:lin',
  from: '127.0.0.1',
  what: 'request',
  why: 'warm',
  result: 'holding',
};

describe('the store', () => {
  test('gives back after a restart what core needs to go on', async () => {
    await using folder = await temporaryFolder();
    const open1 = alarm(start);
    const ended = alarm(start, { state: 'normal', active: false, ended: start + 5 });
    const hold: Hold = {
      ref: ref('relay-1', 'r1'),
      priority: 8,
      owner: 'request:web',
      value: true,
      reason: 'cold',
      since: start,
      until: null,
    };
    const kept = reading('m-1/a', start + 10, 230.1, {
      quality: 'uncertain',
      reason: 'last-usable-value',
      receivedTime: start + 90_000,
    });
    {
      await using store = await open(folder.path);
      await store.registerPoints([point('m-1/a'), point('m-1/text', { type: 'text', unit: '' }), point('m-1/b')]);
      await store.append({
        readings: [reading('m-1/a', start + 10, 230.1), reading('m-1/text', start, '开'), kept],
        alarms: [open1, ended],
        holds: [
          { ref: hold.ref, holds: [hold] },
          { ref: 'relay-1/r2', holds: [{ ...hold, ref: ref('relay-1', 'r2') }] },
        ],
        state: { interlocks: { smoke: { latched: true } } },
      });
      await store.append({ holds: [{ ref: 'relay-1/r2', holds: [] }] });
    }
    await using store = await open(folder.path);
    const restored = await store.restore();
    expect(restored.latest).toEqual([kept, { ...reading('m-1/text', start, '开'), unit: '' }]);
    expect(restored.alarms).toEqual([open1]);
    expect(restored.holds).toEqual([hold]);
    expect(restored.state).toEqual({ interlocks: { smoke: { latched: true } } });
    expect(restored.epoch).toBe(store.epoch);
  });

  test('keeps only the latest value of points that are to have no history', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await store.registerPoints([point('m-1/a', { kept: false })]);
    await store.append({ readings: [reading('m-1/a', start, 1), reading('m-1/a', start + 1, 2)] });
    using reader = openReader(folder.path);
    expect(reader.history('m-1/a', start, start + 10)?.samples).toEqual([]);
    expect((await store.restore()).latest.map((r) => r.value)).toEqual([2]);
  });

  test('syncs readings within a second, and everything else before it answers', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await store.registerPoints([point('m-1/a')]);
    const before = (await store.stats()).commits;
    await store.append({ readings: [reading('m-1/a', start, 1)] });
    const afterReading = (await store.stats()).commits;
    expect(afterReading.full - before.full).toBe(0);
    expect(afterReading.normal - before.normal).toBe(1);
    await expect.poll(async () => (await store.stats()).commits.flushes, { timeout: 10_000 }).toBe(before.flushes + 1);

    const durable = [
      { events: [event(start)] },
      { alarms: [alarm(start)] },
      { audit: [lineOfAudit] },
      { state: { a: 1 } },
      { health: [{ process: 'core' }] },
      { holds: [{ ref: 'relay-1/r1', holds: [] }] },
      { readings: [reading('m-1/a', start + 1, 1)], events: [event(start)] },
    ];
    for (const batch of durable) await store.append(batch);
    expect((await store.stats()).commits.full - afterReading.full).toBe(durable.length);
  });

  test('syncs a minute for the city before it says so, whole or as far as it went', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await store.registerPoints([point('m-1/a')]);
    await store.append({ readings: [reading('m-1/a', start, 1), reading('m-1/a', start + minute, 2)] });
    const before = (await store.stats()).commits;
    expect(await store.summarise(start + minute)).toBe(1);
    const summarised = (await store.stats()).commits;
    expect([summarised.full - before.full, summarised.normal - before.normal]).toEqual([1, 0]);
    expect(await store.preview(start + minute + 5_000)).toBe(1);
    const previewed = (await store.stats()).commits;
    expect([previewed.full - summarised.full, previewed.normal - summarised.normal]).toEqual([1, 0]);
  });

  test('still syncs readings within a second when an event that changes nothing was committed after them', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await store.registerPoints([point('m-1/a')]);
    const happened = event(start);
    await store.append({ events: [happened] });
    const { flushes } = (await store.stats()).commits;
    await store.append({ readings: [reading('m-1/a', start, 1)] });
    await store.append({ events: [happened] });
    await expect.poll(async () => (await store.stats()).commits.flushes, { timeout: 10_000 }).toBe(flushes + 1);
  });

  test('writes batches that arrive together in few transactions', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await store.registerPoints([point('m-1/a')]);
    const before = (await store.stats()).commits.normal;
    await Promise.all(
      Array.from({ length: 500 }, (_, i) => store.append({ readings: [reading('m-1/a', start + i, i)] })),
    );
    const stats = await store.stats();
    expect(stats.readings).toBe(500);
    expect(stats.commits.normal - before).toBeLessThan(20);
  });

  test('lets small groups of readings gather once its stock of commits is spent, but nothing else and no large group', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path, { commitStock: 2, commitsPerSecond: 0.2 });
    await store.registerPoints([point('m-1/a')]);
    const commits = async () => {
      const { normal, full } = (await store.stats()).commits;
      return normal + full;
    };
    const one = (i: number) => store.append({ readings: [reading('m-1/a', start + i, i)] });
    await one(0);
    await one(1);
    const before = await commits();
    const waiting = [one(2), one(3), one(4)];
    expect((await store.stats()).queued.rows).toBe(3);
    // An event does not wait, and takes with it what does.
    await store.append({ events: [event(start)] });
    await Promise.all(waiting);
    expect((await commits()) - before).toBe(1);
    await store.append({ readings: Array.from({ length: 64 }, (_, i) => reading('m-1/a', start + 10 + i, i)) });
    expect((await commits()) - before).toBe(2);
  });

  test('lets readings that nobody waits for gather for a second, unless somebody who waits takes them with him', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await store.registerPoints([point('m-1/a')]);
    const commits = async () => {
      const { normal, full } = (await store.stats()).commits;
      return normal + full;
    };
    const many = (from: number, of: number) =>
      Array.from({ length: of }, (_, i) => reading('m-1/a', start + from + i, i));
    const before = await commits();
    const began = performance.now();
    const first = [0, 1, 2].map((i) => store.append({ readings: many(i * 100, 100), patient: true }));
    await Promise.all(first);
    expect(performance.now() - began).toBeGreaterThan(900);
    expect((await commits()) - before).toBe(1);

    const second = store.append({ readings: many(1_000, 1), patient: true });
    await Promise.all([store.append({ readings: many(1_001, 1) }), second]);
    expect((await commits()) - before).toBe(2);
    const again = performance.now();
    await store.append({ readings: many(1_002, 1), patient: true });
    expect(performance.now() - again, 'rests for a second of its own').toBeGreaterThan(900);
    expect((await commits()) - before).toBe(3);
  });

  test('refuses a bad batch by itself, naming what is wrong, and takes the others', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await store.registerPoints([point('m-1/a')]);
    const cycle: { self?: object } = {};
    cycle.self = cycle;
    const text: unknown = { ...event(start), id: null };
    const results = await Promise.allSettled([
      store.append({ readings: [reading('m-1/a', start, 1)] }),
      store.append({ readings: [reading('m-1/unknown', start, 1)] }),
      store.append({ readings: [reading('m-1/a', start + 1, 2, { sourceTime: Number.NaN })] }),
      store.append({ state: { cycle } }),
      store.append({ events: [text as ReturnType<typeof event>] }),
      store.append({ readings: [reading('m-1/a', start + 2, 3)] }),
    ]);
    expect(results.map((r) => (r.status === 'fulfilled' ? 'ok' : r.reason.code))).toEqual([
      'ok',
      'STORE_UNKNOWN_POINT',
      'STORE_BAD_READING',
      'STORE_REFUSED',
      'STORE_REFUSED',
      'ok',
    ]);
    expect(results[1]).toMatchObject({ reason: { message: expect.stringContaining('m-1/unknown') } });
    using reader = openReader(folder.path);
    expect(reader.history('m-1/a', start, start + 10)?.samples.map((s) => s.value)).toEqual([1, 3]);
    expect(store.ready).toBe(true);
  });

  test('says STORE_OVERLOADED when too much waits, and takes more once that is written', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path, { queueRows: 100 });
    await store.registerPoints([point('m-1/a')]);
    const readings = Array.from({ length: 60 }, (_, i) => reading('m-1/a', start + i, i));
    const results = await Promise.allSettled([1, 2, 3, 4].map(() => store.append({ readings })));
    expect(results.map((r) => r.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
    expect(results[3]).toMatchObject({ reason: { code: 'STORE_OVERLOADED' } });
    await store.append({ readings });
    expect((await store.stats()).batches).toMatchObject({ committed: 3, overloaded: 2 });
  });

  test('writes what waits when it is closed, and refuses what comes after', async () => {
    await using folder = await temporaryFolder();
    const store = await open(folder.path);
    await store.registerPoints([point('m-1/a')]);
    const appended = [0, 1, 2].map((i) => store.append({ readings: [reading('m-1/a', start + i, i)] }));
    await store[Symbol.asyncDispose]();
    await Promise.all(appended);
    await expect(store.append({ events: [event(start)] })).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    using reader = openReader(folder.path);
    expect(reader.history('m-1/a', start, start + 10)?.samples.length).toBe(3);
  });

  test('lets no second writer at the same folder', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    await expect(open(folder.path)).rejects.toMatchObject({ code: 'STORE_LOCKED' });
    await store.append({ events: [event(start)] });
  });
});

describe('the reader', () => {
  test('says that there is no database yet, and works once there is one', async () => {
    await using folder = await temporaryFolder();
    using reader = openReader(folder.path);
    expect(() => reader.events(null, 10)).toThrowError(expect.objectContaining({ code: 'STORE_NOT_READY' }));
    await using store = await open(folder.path);
    expect(reader.events(null, 10)).toEqual([]);
    expect(reader.meta()).toMatchObject({ epoch: store.epoch, schema: migrations.length });
  });

  test('reads while nobody writes, and sees what was written before', async () => {
    await using folder = await temporaryFolder();
    const happened = event(start);
    {
      await using store = await open(folder.path);
      await store.append({ events: [happened] });
    }
    using reader = openReader(folder.path);
    expect(reader.event(happened.id)).toEqual(happened);
  });

  test('pages through events in the order in which they were stored, each id once', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    const late = event(start - 1_000, { id: newId() });
    const list = Array.from({ length: 7 }, (_, i) => event(start + i));
    await store.append({ events: [...list.slice(0, 4), ...list.slice(2, 7), late] });
    using reader = openReader(folder.path);
    const first = reader.events(null, 5);
    const rest = reader.events(first.at(-1)?.id ?? null, 5);
    expect([...first, ...rest]).toEqual([...list, late]);
    expect(reader.newestEvents(2)).toEqual([late, list[6]]);
    expect(reader.outboxState().event.head).toBe(8);
  });

  test('finds where the events of a time begin, also where some are gone', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    const list = Array.from({ length: 40 }, (_, i) => event(start + i * 1_000));
    await store.append({ events: list });
    using reader = openReader(folder.path);
    expect(reader.eventBefore(start)).toBe(null);
    for (const [index, { time }] of list.entries()) {
      expect(reader.eventBefore(time + 1)).toBe(list[index]?.id);
      expect(reader.eventBefore(time)).toBe(list[index - 1]?.id ?? null);
    }
  });

  test('lists alarms by whether they are open, audit lines by number, the inbox by key', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    const a = alarm(start);
    const b = alarm(start + 1);
    const entry: InboxEntry = {
      kind: 'unknown-device',
      client: 'bridge-1',
      topic: 'zigbee2mqtt/lamp-3',
      key: 'zigbee2mqtt/lamp-3',
      message: 'no such device',
      excerpt: '{"state":"ON"}',
      time: start,
    };
    await store.append({ alarms: [a, b], inbox: [entry], audit: [lineOfAudit, { ...lineOfAudit, what: 'two' }] });
    const ended = { ...a, state: 'normal' as const, active: false };
    await store.append({ alarms: [ended], inbox: [{ ...entry, time: start + 9, excerpt: 'x' }] });
    using reader = openReader(folder.path);
    expect(reader.alarms({ open: true, limit: 10 })).toEqual([b]);
    expect(reader.alarms({ limit: 10 })).toEqual([b, ended]);
    expect(reader.audit(0, 10)).toMatchObject([
      { ...lineOfAudit, seq: 1 },
      { ...lineOfAudit, what: 'two', seq: 2 },
    ]);
    expect(reader.audit(1, 10).map((l) => l.what)).toEqual(['two']);
    expect(reader.inbox(10)).toEqual([
      {
        key: entry.key,
        kind: entry.kind,
        client: entry.client,
        topic: entry.topic,
        message: entry.message,
        excerpt: 'x',
        count: 2,
        first: start,
        last: start + 9,
      },
    ]);
  });

  test('answers null for a point that nobody registered', async () => {
    await using folder = await temporaryFolder();
    await using _store = await open(folder.path);
    using reader = openReader(folder.path);
    expect(reader.history('m-9/x', 0, start)).toBeNull();
  });
});
