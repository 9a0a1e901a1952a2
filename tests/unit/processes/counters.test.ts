import { describe, expect, test } from 'vitest';
import { rawRefOf } from '#edge/domain/counter.ts';
import type { PointName, PointRef } from '#edge/domain/ids.ts';
import { flowOf, type StuckState, stepStuck } from '#edge/ingest/counter-stuck.ts';
import { openReplay } from '#edge/store/replay.ts';
import { type CounterRoom, cityMinutes, openCounterRoom } from './counter-room.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
/** 2026-11-20T16:00Z: midnight in Shanghai. */
const start = Date.UTC(2026, 10, 20, 16);
const ref = 'meter-1/energy' as PointRef;
const counter = { wrap: 1_000_000, maxRate: 120 };

/** Reads every five minutes, each 0.5 more than the one before, from `value` on; returns where it stands then. */
async function count(room: CounterRoom, value: number, reads: number): Promise<number> {
  let at = value;
  const stored: Promise<void>[] = [];
  for (let i = 0; i < reads; i++) {
    stored.push(room.hear({ energy: at }));
    room.clock.advance(5 * minute);
    at += 0.5;
  }
  await Promise.all(stored);
  await room.store.summarise(room.clock.now() - 5_000);
  return at;
}

const summarised = async (room: CounterRoom) => {
  room.clock.advance(minute);
  await room.store.summarise(room.clock.now());
};

describe('a meter that was swapped', () => {
  test('is held until a person accepts it; then its course is history, the step counts what he says, and the city hears it', async () => {
    await using room = await openCounterRoom({ start, counter });
    await count(room, 53_700, 12);
    await count(room, 3, 24);
    const [step] = room.desk.held();
    if (step === undefined) throw new Error('no step');
    expect(step).toMatchObject({ kind: 'swap', state: 'open', from: 53_705.5, to: 3, last: 14.5, agreed: 24 });
    expect(room.said).toEqual([expect.objectContaining({ kind: 'raise', source: `counter:${ref}`, zone: 'school' })]);
    expect(room.days([start, start + day]).history).toEqual([5.5]);

    const accepted = await room.decide(step, 'accept', 7.25);
    expect(accepted).toMatchObject({ state: 'accepted', between: 7.25, decided: { by: 'zhou', note: 'looked at it' } });
    expect(room.said.at(-1)).toMatchObject({ kind: 'return', source: `counter:${ref}` });
    expect(room.published.at(-1)).toMatchObject({ value: 14.5, quality: 'good' });
    // At once, before anything is folded or told again: 11 reads, what was in between, 23 reads.
    expect(room.days([start, start + day]).history).toEqual([5.5 + 7.25 + 11.5]);
    await count(room, 15, 6);
    await summarised(room);
    const { history, city } = room.days([start, start + day]);
    expect(history).toEqual([5.5 + 7.25 + 14.5]);
    expect(city[0]).toBeCloseTo(27.25, 9);
    const [again] = room.reader.counterSteps({ ref, limit: 10 });
    expect(again).toEqual(accepted);
    expect(room.reader.newestAudit(5).map(({ who, what, result }) => [who, what, result])).toContainEqual([
      'person:zhou',
      `counter.decide ${step.id} (${ref}) accept`,
      'accepted; 7.25 counted in between',
    ]);

    // Folded into blocks and headers it is the same, and by the hour it lies where it was counted.
    const hours = () => room.reader.history(ref, start, start + 4 * hour, '1h')?.buckets.map(({ delta }) => delta);
    const before = hours();
    await room.store.maintain(room.clock.now());
    expect(hours()).toEqual(before);
    // What nobody read lies just before the first read of the new meter, here at the full hour.
    expect(before).toEqual([5.5 + 7.25, 5.5, 6, 3]);
    const samples = room.reader.history(ref, start, start + day)?.samples ?? [];
    expect(samples.every(({ quality }) => quality === 'good')).toBe(true);
    expect(samples.filter(({ reason }) => reason === 'counter-step')).toEqual([
      expect.objectContaining({ t: step.toTime, value: 3 }),
    ]);
    // A rule that is rehearsed on this past sees what was counted, when it was heard.
    using replay = openReplay(room.folder, [{ ref, classOf: null }]);
    const replayed: unknown[] = [];
    for (const one of replay.hours(start, start + 4 * hour)) {
      replayed.push(...Array.from(one.times, (time) => one.at(0, time)?.value));
    }
    expect(replayed).toEqual(samples.map(({ value }) => value));
  });

  test('counts exactly nothing across the step when nothing is said, and another figure when it is decided anew', async () => {
    await using room = await openCounterRoom({ start, counter });
    await count(room, 500, 6);
    await count(room, 900_000, 6);
    const [step] = room.desk.held();
    if (step === undefined) throw new Error('no step');
    expect(step.kind).toBe('spike');
    await room.decide(step, 'accept');
    await summarised(room);
    expect(room.days([start, start + day])).toEqual({ history: [5], city: [5] });
    await expect(room.decide(step, 'accept')).rejects.toThrow('say what was counted in between');
    await expect(room.decide(step, 'reject')).rejects.toThrow('counted on from');
    await room.decide(step, 'accept', 40);
    await summarised(room);
    expect(room.days([start, start + day])).toEqual({ history: [45], city: [45] });
    await room.decide(step, 'accept', 0);
    await summarised(room);
    expect(room.days([start, start + day])).toEqual({ history: [5], city: [5] });
    await expect(room.decide(step, 'accept', 1_000_000)).rejects.toThrow('below 1000000');
  });

  test('that is rejected stays where it was until its meter is back, and can still be accepted until then', async () => {
    await using room = await openCounterRoom({ start, counter });
    await count(room, 500, 6);
    await count(room, 10, 6);
    const [step] = room.desk.held();
    if (step === undefined) throw new Error('no step');
    expect(await room.decide(step, 'reject')).toMatchObject({ state: 'rejected' });
    await expect(room.decide(step, 'reject')).rejects.toThrow('already');
    await count(room, 13, 6);
    await room.kill(hour);
    await count(room, 16, 6);
    expect(room.ingest.latest().get(ref)).toMatchObject({ value: 502.5, quality: 'uncertain', reason: 'counter-step' });
    expect(room.days([start, start + day]).history).toEqual([2.5]);
    const [again] = room.desk.held();
    expect(again).toMatchObject({ id: step.id, state: 'rejected', last: 18.5 });
    await room.decide(step, 'accept', 1);
    await count(room, 19, 2);
    await summarised(room);
    expect(room.days([start, start + day])).toEqual({ history: [2.5 + 1 + 9.5], city: [13] });
    // The other way: the meter comes back, and only what it then shows counts.
    await count(room, 4, 6);
    const other = room.desk.held()[0];
    if (other === undefined) throw new Error('no step');
    await room.decide(other, 'reject');
    await count(room, 19.75, 2);
    expect(room.desk.held()).toEqual([]);
    await expect(room.decide(other, 'accept', 1)).rejects.toThrow('does not show that course any more');
    expect(room.days([start, start + day]).history).toEqual([13.75]);
  });

  test('is proved by its serial number, even where what it shows could be the old one', async () => {
    const serial = { name: 'serial' as PointName, type: 'text' as const, unit: '', staleAfter: 0 };
    await using room = await openCounterRoom({ start, counter, more: [serial] });
    await room.hear({ serial: '20418831' });
    await count(room, 500, 6);
    await room.kill();
    await room.hear({ serial: '20419902' });
    await count(room, 503.2, 4);
    expect(room.desk.held()).toEqual([
      expect.objectContaining({
        kind: 'swap',
        from: 502.5,
        to: 503.2,
        serial: { before: '20418831', after: '20419902' },
      }),
    ]);
  });
});

describe('a decision', () => {
  const heldIn = (room: CounterRoom) => {
    const [step] = room.desk.held();
    if (step === undefined) throw new Error('no step');
    return step;
  };

  test('is about what the person saw: what the meter shows while it is written down changes nothing', async () => {
    await using room = await openCounterRoom({ start, counter });
    await count(room, 53_700, 12);
    await count(room, 3, 24);
    // The old meter is put back in the very moment, and then the new one again.
    const deciding = room.decide(heldIn(room), 'accept', 1);
    await Promise.all([room.hear({ energy: 53_706 }), room.hear({ energy: 53_706 }), room.hear({ energy: 53_706 })]);
    await deciding;
    expect(room.ingest.latest().get(ref)).toMatchObject({ value: 14.5, quality: 'good' });
    expect(room.reader.counterSteps({ ref, limit: 10 })).toEqual([expect.objectContaining({ state: 'accepted' })]);
    await count(room, 15, 6);
    expect(room.desk.held()).toEqual([]);
    expect(room.days([start, start + day]).history).toEqual([5.5 + 1 + 14.5]);
  });

  test('holds what comes in meanwhile, too, where it is of the same course', async () => {
    await using room = await openCounterRoom({ start, counter });
    await count(room, 500, 2);
    await count(room, 0, 4);
    const step = heldIn(room);
    expect(step.kind).toBe('swap');
    const deciding = room.decide(step, 'accept');
    room.clock.advance(minute);
    await room.hear({ energy: 1.75 });
    await deciding;
    expect(room.ingest.latest().get(ref)).toMatchObject({ value: 1.75, quality: 'good' });
    room.clock.advance(5 * minute);
    await count(room, 2, 1);
    expect(room.days([start, start + day]).history).toEqual([0.5 + 2]);
    expect(room.reader.counterSteps({ ref, limit: 10 })).toEqual([expect.objectContaining({ state: 'accepted' })]);
  });

  test('that the disk refuses leaves the counter as it was', async () => {
    await using room = await openCounterRoom({ start, counter });
    await count(room, 500, 6);
    await count(room, 3, 6);
    const step = heldIn(room);
    await room.store[Symbol.asyncDispose]();
    await expect(room.decide(step, 'accept')).rejects.toThrow();
    expect(room.desk.held()).toEqual([step]);
    const judged = room.ingest.counters.held();
    expect(judged).toEqual([step]);
  });

  test('counts in between no more than there can have been', async () => {
    await using room = await openCounterRoom({ start, counter });
    await count(room, 53_700, 6);
    await count(room, 3, 6);
    const step = heldIn(room);
    await expect(room.decide(step, 'accept', 53_700)).rejects.toThrow('at most 144');
    await room.decide(step, 'accept', 144);
    await expect(room.decide(step, 'accept', 150)).rejects.toThrow('at most 144');
    // All of a leap may have been counted, whatever its rate: nobody listened.
    await count(room, 5_000, 6);
    const leap = heldIn(room);
    expect(leap.kind).toBe('spike');
    await expect(room.decide(leap, 'accept', 5_000)).rejects.toThrow('at most');
    await room.decide(leap, 'accept', leap.to - leap.from);
  });

  test('about all counters of a swapped meter is one: it is made for all of them or for none', async () => {
    const peak = { name: 'peak' as PointName, counter };
    await using room = await openCounterRoom({ start, counter, more: [peak] });
    for (let i = 0; i < 6; i++) {
      await room.hear({ energy: 500 + i, peak: 200 + i });
      room.clock.advance(5 * minute);
    }
    for (let i = 0; i < 6; i++) {
      await room.hear({ energy: 3 + i, peak: 1 + i });
      room.clock.advance(5 * minute);
    }
    const held = room.desk.held();
    expect(held.map((step) => step.ref)).toEqual([ref, 'meter-1/peak']);
    const by = { verdict: 'accept', note: 'meter swapped', who: 'person:zhou', from: '127.0.0.1' } as const;
    const decide = (betweens: readonly (number | null)[]) =>
      room.desk.decide({ ...by, steps: held.map(({ id }, i) => ({ id, between: betweens[i] ?? null })) });
    await expect(decide([2, 90_000])).rejects.toThrow('meter-1/peak: between must be at most');
    expect(room.desk.held()).toEqual(held);
    expect(room.reader.newestAudit(10)).toEqual([]);
    const [first] = held;
    if (first === undefined) throw new Error('no step');
    const twice = { ...by, steps: [first, first].map(({ id }) => ({ id, between: null })) };
    await expect(room.desk.decide(twice)).rejects.toThrow('named twice');

    const said = room.said.length;
    const decided = await decide([2, 1.5]);
    expect(decided.map(({ state, between }) => [state, between])).toEqual([
      ['accepted', 2],
      ['accepted', 1.5],
    ]);
    expect(room.desk.held()).toEqual([]);
    expect(room.said.slice(said).map(({ kind, source }) => [kind, source])).toEqual([
      ['return', `counter:${ref}`],
      ['return', 'counter:meter-1/peak'],
    ]);
    expect(room.reader.newestAudit(10).map(({ why, result }) => [why, result])).toEqual([
      ['meter swapped', 'accepted; 1.5 counted in between'],
      ['meter swapped', 'accepted; 2 counted in between'],
    ]);
    expect(room.days([start, start + day]).history).toEqual([5 + 2 + 5]);
  });
});

describe('a counter', () => {
  test('is compared with what was last believed after a restart, not taken as it is', async () => {
    await using room = await openCounterRoom({ start, counter });
    await count(room, 500, 6);
    await room.kill(10 * minute);
    await count(room, 7, 2);
    await room.kill(10 * minute);
    await count(room, 8, 4);
    expect(room.desk.held()).toEqual([expect.objectContaining({ from: 502.5, to: 8, agreed: 4 })]);
    const id = room.desk.held()[0]?.id;
    await room.kill(2 * hour);
    expect(room.desk.held()).toEqual([expect.objectContaining({ id, from: 502.5, to: 8, last: 9.5 })]);
    expect(room.said.at(-1)).toMatchObject({ kind: 'raise', source: `counter:${ref}` });
    await count(room, 503, 2);
    expect(room.desk.held()).toEqual([]);
    expect(room.reader.counterSteps({ limit: 5 })).toEqual([expect.objectContaining({ id, state: 'returned' })]);
    expect(room.days([start, start + day]).history).toEqual([3.5]);
  });

  test('that was out of range when core ended goes on from what was believed', async () => {
    const range = [0, 900_000] as const;
    await using room = await openCounterRoom({
      start,
      counter,
      more: [{ name: 'volume' as PointName, counter, range }],
    });
    for (const volume of [500, 501, 4e9]) {
      await room.hear({ volume });
      room.clock.advance(minute);
    }
    await room.kill(minute);
    await room.hear({ volume: 501.5 });
    expect(room.ingest.latest().get('meter-1/volume' as PointRef)).toMatchObject({ value: 501.5, quality: 'good' });
  });

  test('keeps what the meter really showed beside what was believed, each spike of it, and tells nobody', async () => {
    await using room = await openCounterRoom({ start, counter });
    await count(room, 500, 2);
    await room.hear({ energy: 77_777 });
    room.clock.advance(5 * minute);
    await count(room, 501, 2);
    const samples = (of: string) =>
      room.reader.history(of, start, start + day)?.samples.map(({ value, quality }) => `${value} ${quality}`);
    expect(samples(ref)).toEqual(['500 good', '500.5 good', '500.5 uncertain', '501 good', '501.5 good']);
    expect(samples(rawRefOf(ref))).toEqual(['77777 good']);
    expect(cityMinutes(room.reader, rawRefOf(ref)).size).toBe(0);
  });

  test('that shows something else with each read calls a person, and cannot be accepted', async () => {
    await using room = await openCounterRoom({ start, counter });
    await count(room, 500, 2);
    for (let i = 0; i < 60; i++) {
      await room.hear({ energy: 10_000 + ((i * 7_919) % 800_000) });
      room.clock.advance(10_000);
    }
    const held = room.desk.held();
    expect(held).toHaveLength(1);
    const [step] = held;
    if (step === undefined) throw new Error('no step');
    await expect(room.decide(step, 'accept', 0)).rejects.toThrow('no course to accept');
    expect(room.said.filter(({ kind }) => kind === 'raise').length).toBeLessThan(5);
  });

  test('that leaves its course again and again is one step and one event, not hundreds', async () => {
    await using room = await openCounterRoom({ start, counter });
    await count(room, 500, 2);
    const stored: Promise<void>[] = [];
    for (let i = 0; i < 200; i++) {
      for (const energy of [7, 7, 7, 501]) stored.push(room.hear({ energy }));
      room.clock.advance(2_000);
    }
    await Promise.all(stored);
    expect(room.reader.counterSteps({ limit: 100 })).toEqual([expect.objectContaining({ state: 'returned', to: 7 })]);
    expect(room.reader.newestEvents(100).filter(({ type }) => type === 'meter_swap_suspected')).toHaveLength(1);
  });

  test('gives a backlog that comes late to the days in which it was counted, at home and in the city', async () => {
    await using room = await openCounterRoom({ start, counter });
    await count(room, 500, 12);
    // The meter buffers for two days; what it says live comes first, its backlog afterwards.
    room.clock.advance(2 * day);
    await summarised(room);
    await room.hear({ energy: 800 });
    await room.store.summarise(room.clock.now());
    const firstTime = start + hour;
    for (let i = 1; i < 48; i++) await room.hear({ energy: 505.5 + 6 * i }, firstTime + i * hour);
    // One of them is torn.
    await room.hear({ energy: 9_999 }, firstTime + 5.5 * hour);
    await room.store.summarise(room.clock.now());
    room.clock.advance(15 * minute);
    for (let i = 0; i < 40; i++) await room.store.summarise(room.clock.now());
    const days = room.days([start, start + day, start + 2 * day, start + 3 * day]);
    expect(days.history).toEqual([137.5, 144, 18.5]);
    expect(days.city.map((rise) => Number(rise.toFixed(6)))).toEqual([137.5, 144, 18.5]);
  });
});

describe('a counter that stands still', () => {
  const look = (state: StuckState | null, value: number, flow: number | null, at: number) =>
    stepStuck(state, { value, flow, at });

  test('is stuck once power has flown for three hours and ten units, and not before', () => {
    let state: StuckState | null = null;
    const stuckAt = (flow: number | null): number | null => {
      state = null;
      for (let at = 0; at <= 12 * hour; at += 5 * minute) {
        const next = look(state, 500, flow, at);
        state = next.state;
        if (next.isStuck) return at / hour;
      }
      return null;
    };
    expect(stuckAt(20)).toBe(3);
    expect(stuckAt(2)).toBeCloseTo(5, 0);
    expect(stuckAt(0)).toBeNull();
    expect(stuckAt(-30)).toBeNull();
    expect(stuckAt(null)).toBeNull();
    expect(look({ value: 500, flown: 9, flowing: 9 * hour, at: 0 }, 501, 100, hour).state.flown).toBe(0);
  });

  test('is an alarm that ends when it moves, and holds nothing', async () => {
    const power = { name: 'power' as PointName, unit: 'W', poll: 'fast' as const };
    await using room = await openCounterRoom({ start, counter, more: [power], staleAfter: 0 });
    const run = async (value: number, hours: number) => {
      for (let i = 0; i < hours * 12; i++) {
        await room.hear({ energy: value, power: 8_000 });
        room.said.push(...room.desk.tick());
        room.clock.advance(5 * minute);
      }
    };
    await run(500, 4);
    expect(room.said).toEqual([expect.objectContaining({ kind: 'raise', source: `stuck:${ref}`, class: 'low' })]);
    expect(room.ingest.latest().get(ref)).toMatchObject({ value: 500, quality: 'good' });
    await run(500.1, 1);
    expect(room.said.at(-1)).toMatchObject({ kind: 'return', source: `stuck:${ref}` });
    expect(room.said).toHaveLength(2);
    const device = room.ingest.registry.find('meter-1')?.device;
    if (device?.points[0] === undefined) throw new Error('no meter');
    expect(flowOf(device, device.points[0])?.factor).toBe(0.001);
  });
});
