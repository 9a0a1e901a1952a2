import { describe, expect, test } from 'vitest';
import type { PointRef, ZoneId } from '#edge/domain/ids.ts';
import { type PatrolCheckIn, patrolsDone } from '#edge/domain/patrol.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import { PatrolDesk, type PatrolDeskOptions, patrolState } from '#edge/processes/core/patrol-desk.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { SiteKeyPlaces } from '#edge/runtime/site-gatehouse.ts';
import type { Batch } from '#edge/store/batch.ts';

/** 2026-11-22 08:00 in Shanghai. */
const morning = Date.UTC(2026, 10, 22, 0);
const hour = 3_600_000;
const lin = { who: 'person:lin', name: 'Lin', from: '192.0.2.7' };
const place = (id: string, patrols: number, reader: string | null = null): SiteKeyPlaces[number] => ({
  ...{ id, name: { zh: id, en: id }, zone: 'gate' as ZoneId, cameras: [], panic: [], patrols },
  reader: reader as PointRef | null,
});

function bench(stored: unknown = undefined, clock = new ManualClock(morning), more: Partial<PatrolDeskOptions> = {}) {
  const rows: PatrolCheckIn[] = [];
  const batches: Batch[] = [];
  const said: AlarmDecision[] = [];
  const open = new Set<string>();
  const world = { fails: false };
  const desk = new PatrolDesk({
    places: [place('gate', 3, 'reader-gate/card'), place('lab', 1), place('roof', 0)],
    timeZone: 'Asia/Shanghai',
    reader: {
      patrols: ({ place: of, from = 0, to = Number.MAX_SAFE_INTEGER }) => {
        if (world.fails) throw new CodedError('STORE_IO', 'the disk does not answer');
        return rows.filter((row) => row.place === of && row.time >= from && row.time < to);
      },
    },
    stored,
    isOpen: (source) => open.has(source),
    commit: async (batch) => {
      batches.push(batch);
      rows.push(...(batch.patrols ?? []));
    },
    decide: (decisions) => {
      said.push(...decisions);
      for (const one of decisions)
        if (one.kind === 'raise') open.add(one.source);
        else open.delete(one.source);
    },
    clock,
    ...more,
  });
  desk.begin();
  return {
    clock,
    desk,
    rows,
    batches,
    said,
    world,
    memory: () => batches.findLast(({ state }) => state !== undefined)?.state?.[patrolState],
  };
}

const reading = (ref: string, value: Value | null, quality: Reading['quality'] = 'good') =>
  ({ ref: ref as PointRef, value, quality }) as Reading;

describe('a check-in', () => {
  test('with the code of the place is noted with who it was, in the audit too; without one it is noted as by hand', async () => {
    const { desk, rows, batches } = bench();
    const code = desk.code('gate');
    expect(code).toMatch(/^[\w-]{20}$/);
    expect(desk.code('lab')).not.toBe(code);
    expect(await desk.checkIn('gate', code, 'all quiet', lin)).toMatchObject({
      place: 'gate',
      way: 'qr',
      who: 'person:lin',
      name: 'Lin',
      time: morning,
    });
    expect(await desk.checkIn('lab', null, '', lin)).toMatchObject({ way: 'desk' });
    expect(rows).toHaveLength(2);
    expect(
      batches.flatMap(({ audit = [] }) => audit.map(({ who, from, what, why }) => [who, from, what, why])),
    ).toEqual([
      ['person:lin', '192.0.2.7', 'patrol.check-in gate (qr)', 'all quiet'],
      ['person:lin', '192.0.2.7', 'patrol.check-in lab (desk)', ''],
    ]);
  });

  test('with the code of another place, or one that was renewed, is none; codes outlive restarts', async () => {
    const { desk, rows, memory } = bench();
    const old = desk.code('gate');
    for (const wrong of [desk.code('lab'), '', old.slice(1), `${old}x`])
      await expect(desk.checkIn('gate', wrong, '', lin)).rejects.toMatchObject({ code: 'PATROL_CODE_WRONG' });
    await expect(desk.checkIn('pool', null, '', lin)).rejects.toMatchObject({ code: 'PLACE_NOT_FOUND' });
    const fresh = await desk.renew('gate', 'it is in a chat group', lin);
    await expect(desk.checkIn('gate', old, '', lin)).rejects.toMatchObject({ code: 'PATROL_CODE_WRONG' });
    expect(rows).toEqual([]);
    const again = bench(JSON.parse(JSON.stringify(memory()))).desk;
    expect([again.code('gate'), again.code('lab')]).toEqual([fresh, desk.code('lab')]);
    expect(bench().desk.code('lab')).not.toBe(desk.code('lab'));
  });

  test('by card goes by the reader of the place; no card is nobody', () => {
    const { desk } = bench();
    const seen = (value: Value | null, quality?: Reading['quality'], ref = 'reader-gate/card') =>
      desk.hear([reading(ref, value, quality)]).map(({ place: at, who, way }) => [at, who, way]);
    expect(seen('04A1B2C3')).toEqual([['gate', 'card:04A1B2C3', 'card']]);
    expect(seen(4_711)).toEqual([['gate', 'card:4711', 'card']]);
    for (const value of ['', ' ', '0', 0, true, null]) expect(seen(value)).toEqual([]);
    expect(seen('04A1B2C3', 'bad')).toEqual([]);
    expect(seen('04A1B2C3', 'good', 'reader-lab/card')).toEqual([]);
    expect(seen('x'.repeat(300))[0]?.[1]).toHaveLength(69);
  });
});

describe('a reader of cards', () => {
  const cards = (desk: PatrolDesk, clock: ManualClock) => (value: Value | null, quality?: Reading['quality']) => {
    clock.advance(hour);
    return desk.hear([reading('reader-gate/card', value, quality)]).length;
  };

  test('that is asked, and says its last card for hours, has been visited once', () => {
    const clock = new ManualClock(morning);
    const { desk } = bench(undefined, clock, { isAsked: () => true });
    const held = cards(desk, clock);
    expect(['04A1', '04A1', '04A1', '', '04A1', '07B2', '04A1'].map((card) => held(card))).toEqual([
      ...[1, 0, 0, 0, 1, 1, 1],
    ]);
  });

  test('whose line was away, or whose campus started again, is not visited by the card that it still shows', () => {
    const clock = new ManualClock(morning);
    const held = cards(bench(undefined, clock, { shown: () => '04A1' }).desk, clock);
    expect(held('04A1')).toBe(0);
    expect(held('04A1')).toBe(1);
    expect(held(null, 'bad')).toBe(0);
    expect(held('04A1', 'uncertain')).toBe(0);
    expect(held('04A1')).toBe(0);
    expect(held('07B2')).toBe(1);
  });

  test('held to it ten times, and a code shown ten thousand times, is one visit each', async () => {
    const { desk, clock, rows } = bench();
    const seen = Array.from({ length: 10 }, () => desk.hear([reading('reader-gate/card', '04A1')]).length);
    expect(seen.reduce((sum, one) => sum + one, 0)).toBe(1);
    const code = desk.code('gate');
    const first = await desk.checkIn('gate', code, '', lin);
    for (let i = 0; i < 10_000; i++) expect(await desk.checkIn('gate', code, '', lin)).toEqual(first);
    expect(rows).toHaveLength(1);
    await desk.checkIn('gate', code, '', { ...lin, who: 'person:wang' });
    await desk.checkIn('gate', code, 'the lock is broken', lin);
    clock.advance(61_000);
    await desk.checkIn('gate', code, '', lin);
    expect(rows).toHaveLength(4);
  });
});

test('check-ins that follow each other within 20 minutes are one patrol', () => {
  const at = (...minutes: number[]) => minutes.map((minute) => ({ time: minute * 60_000 }));
  expect(patrolsDone([])).toBe(0);
  expect(patrolsDone(at(0, 1, 2, 3, 4))).toBe(1);
  expect(patrolsDone(at(100, 0, 60, 20, 40))).toBe(5);
  expect(patrolsDone(at(0, 19, 38, 57))).toBe(2);
});

describe('a day', () => {
  const patrol = async (desk: PatrolDesk, clock: ManualClock, times: number) => {
    for (let i = 0; i < times; i++) {
      await desk.checkIn('gate', null, '', lin);
      await desk.checkIn('lab', null, '', lin);
      clock.advance(hour);
    }
  };
  const words = (said: AlarmDecision[]) => said.splice(0).map((one) => `${one.kind} ${one.source} ${one.reason}`);

  test('that is over is judged once, by the campus’s own midnight, and a day that is done ends the alarm', async () => {
    const { desk, clock, said } = bench();
    await patrol(desk, clock, 2);
    clock.advance(13 * hour + 59 * 60_000);
    desk.tick();
    expect(words(said)).toEqual([]);
    clock.advance(2 * 60_000);
    desk.tick();
    expect(words(said)).toEqual(['raise patrol:gate 2 of 3 on 2026-11-22']);
    desk.tick();
    expect(words(said)).toEqual([]);
    await patrol(desk, clock, 3);
    clock.advance(21 * hour);
    desk.tick();
    expect(words(said)).toEqual(['return patrol:gate 3 patrols on 2026-11-23']);
  });

  test('is judged again although the clock was years ahead for a moment', async () => {
    const { desk, clock, said } = bench();
    clock.step(5 * 365 * 24 * hour);
    desk.tick();
    said.splice(0);
    clock.step(-5 * 365 * 24 * hour);
    desk.tick();
    expect(said).toEqual([]);
    clock.advance(24 * hour);
    desk.tick();
    expect(words(said)).toEqual(['raise patrol:gate 0 of 3 on 2026-11-22', 'raise patrol:lab 0 of 1 on 2026-11-22']);
  });

  test('whose end nobody saw is judged at the next start, and one that cannot be read later', async () => {
    const first = bench();
    await patrol(first.desk, first.clock, 1);
    const { desk, clock, said, rows, world } = bench(first.memory(), new ManualClock(morning + 26 * hour));
    rows.push(...first.rows);
    world.fails = true;
    desk.tick();
    expect(said).toEqual([]);
    world.fails = false;
    desk.tick();
    expect(words(said)).toEqual(['raise patrol:gate 1 of 3 on 2026-11-22']);
    // A clock that is set back judges nothing again.
    clock.step(-48 * hour);
    desk.tick();
    expect(words(said)).toEqual([]);
    expect([desk.isSource('patrol:gate'), desk.isSource('patrol:pool'), desk.isSource('device:gate')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
