import { describe, expect, test } from 'vitest';
import type { BroadcastRecord, Delivery } from '#edge/domain/delivery.ts';
import type { Emergency } from '#edge/domain/emergency.ts';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import { openReader } from '#edge/store/reader.ts';
import { day, minute, open, start, temporaryFolder } from '../../fixtures/store/site.ts';

/** A UUIDv7 of that moment. */
function idAt(time: number, n = 0): HappeningId {
  const hex = time.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${n.toString(16).padStart(12, '0')}` as HappeningId;
}

function record(time: number, more: Partial<BroadcastRecord> = {}, n = 0): BroadcastRecord {
  const item: BroadcastRecord['item'] = {
    ...{ id: idAt(time, n), class: 'bell', name: { zh: '上课铃', en: 'bell' }, since: time, length: 10_000 },
    ...{ source: { kind: 'clips', clips: ['bell'], loop: false }, zones: [], outputs: [], patience: null, until: null },
    ...{ interruption: 'drop', drill: false, by: 'schedule:first', why: '' },
  };
  return { item, over: null, counts: {}, ...more };
}

function delivery(item: HappeningId, room: number, state: Delivery['state']): Delivery {
  const told = { proof: 'none', evidence: '', begun: null, ended: null, heard: 0, delay: null, reason: '' } as const;
  return { item, output: `speaker-${room}/clip` as PointRef, state, ...told };
}

function emergency(time: number, cleared: number | null, drill: boolean): Emergency {
  return {
    ...{
      id: idAt(time),
      kind: 'fire',
      name: { zh: '火灾', en: 'Fire' },
      drill,
      origin: { kind: 'person' },
      causes: [{ origin: { kind: 'person' }, by: 'person:head', until: null }],
      silent: [],
      zones: [],
    },
    ...{ since: time, cleared, by: 'person:lin', why: '', items: [], steps: [], roll: [], timeline: [], until: null },
  };
}

describe('what sounded', () => {
  test('is kept for the next start until it is over', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    using reader = openReader(folder.path);
    const [a, b] = [idAt(start), idAt(start + 1)];
    await store.append({
      sounds: [
        { id: a, body: { version: 1, n: 1 } },
        { id: b, body: { version: 1, n: 2 } },
      ],
    });
    await store.append({ sounds: [{ id: a, body: { version: 1, n: 3 } }] });
    await store.append({ sounds: [{ id: b, body: null }] });
    expect(reader.sounds()).toEqual([{ version: 1, n: 3 }]);
  });

  test('is found by its time, its class and what came of it, newest first and page by page', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    using reader = openReader(folder.path);
    const records = Array.from({ length: 7 }, (_, n) => record(start + Math.floor(n / 2) * minute, {}, n));
    const deliveries = records.flatMap(({ item }, n) => [
      delivery(item.id, 1, 'played'),
      delivery(item.id, 2, n === 3 ? 'missed' : 'played'),
    ]);
    await store.append({ broadcasts: records, deliveries });
    const seen: string[] = [];
    for (let before: string | undefined; ; ) {
      const page = reader.broadcasts({ ...(before === undefined ? {} : { before }), limit: 3 });
      if (page.length === 0) break;
      seen.push(...page.map(({ item }) => item.id));
      before = page.at(-1)?.item.id;
    }
    expect(seen).toEqual(records.map(({ item }) => item.id).toReversed());
    expect(reader.broadcasts({ state: 'missed', limit: 9 }).map(({ item }) => item.id)).toEqual([records[3]?.item.id]);
    expect(reader.broadcasts({ class: 'fire', limit: 9 })).toEqual([]);
    expect(reader.broadcasts({ from: start + minute, until: start + 2 * minute, limit: 9 })).toHaveLength(2);
    expect(reader.deliveriesBetween(start, start + minute, 99)).toHaveLength(4);
    const first = records[0]?.item.id ?? '';
    await store.append({ deliveries: [delivery(idAt(start), 1, 'missed')] });
    expect(reader.deliveries({ item: first, limit: 9 }).map(({ state }) => state)).toEqual(['missed', 'played']);
    expect(reader.broadcast(first)?.item.name.zh).toBe('上课铃');
    expect(reader.broadcast('none')).toBeNull();
  });

  test('is let go as events are, but for what still sounds; a real emergency stays as long as the audit', async () => {
    await using folder = await temporaryFolder();
    await using store = await open(folder.path);
    using reader = openReader(folder.path);
    const over = record(start, { over: start + 1 });
    const plays = record(start + 1);
    await store.append({
      broadcasts: [over, plays],
      deliveries: [delivery(over.item.id, 1, 'played')],
      emergencies: [
        emergency(start, start + 1, true),
        emergency(start + 1, start + 2, false),
        emergency(start + 2, null, true),
      ],
    });
    await store.maintain(start + 200 * day);
    expect(reader.broadcasts({ limit: 9 }).map(({ item }) => item.id)).toEqual([plays.item.id]);
    expect(reader.deliveriesBetween(0, start + day, 9)).toEqual([]);
    expect(reader.emergencies({ limit: 9 }).map(({ since }) => since)).toEqual([start + 2, start + 1]);
    expect(reader.emergencies({ open: true, limit: 9 }).map(({ since }) => since)).toEqual([start + 2]);
    expect(reader.emergency(idAt(start))).toBeNull();
    expect(reader.newestAudit(20).map(({ what }) => what)).toEqual(
      expect.arrayContaining(['retention drop what sounded', 'retention drop exercises']),
    );
  });
});
