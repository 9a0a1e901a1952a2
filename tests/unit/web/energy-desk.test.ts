import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CounterStep } from '#edge/domain/counter.ts';
import type { EnergyPlan } from '#edge/domain/energy.ts';
import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { EnergyDesk } from '#edge/web/energy-desk.ts';
import { counterOf, day, fillEnergy, hour, monday } from './energy-room.ts';
import { newId } from './web-room.ts';

/* The thread that adds up, and what is kept of its answers. */

const now = monday + 3 * day + 12 * hour;
const plan: EnergyPlan = {
  meters: [
    {
      id: 'main',
      name: { zh: '总表', en: 'Main' },
      medium: 'electricity',
      buildings: [],
      source: {
        kind: 'real',
        device: 'meter-main' as DeviceId,
        energy: { ref: 'meter-main/energy_import' as PointRef, factor: 1 },
        power: null,
      },
    },
  ],
  buildings: [],
  tariffs: [],
  demand: [],
};
let filled: Awaited<ReturnType<typeof fillEnergy>>;
beforeAll(async () => {
  filled = await fillEnergy([counterOf('meter-main', 'energy_import', 'kW.h', () => 10, hour)], monday, now);
});
afterAll(() => filled[Symbol.dispose]());

const steps: CounterStep[] = [];
const holidays: readonly string[] = [];
const decided = (time: number): CounterStep => ({
  id: newId(),
  ref: 'meter-main/energy_import' as PointRef,
  kind: 'swap',
  state: 'accepted',
  ...{ from: 1, fromTime: 1, to: 2, toTime: 2, last: 3, lastTime: 3, agreed: 3 },
  decided: { by: 'person:li', time, note: '' },
});

function openDesk(clock: ManualClock, more: { folder?: string; patience?: number } = {}): EnergyDesk {
  return new EnergyDesk({
    ...{ plan, clock, folder: filled.folder, timeZone: 'Asia/Shanghai' },
    openingHours: { weekly: [], exceptions: [] },
    campus: { zh: '校', en: 'School' },
    buildings: [],
    reader: { counterSteps: () => steps },
    holidays: async () => holidays,
    ...more,
  });
}

describe('answers about energy', () => {
  const wish = { kind: 'day', time: monday + day } as const;

  test('are the same one for as long as they hold, and made anew after that', async () => {
    const clock = new ManualClock(now);
    await using desk = openDesk(clock);
    const [first, second] = await Promise.all([1, 2].map(() => desk.ask('report', wish, null, 30_000, 'person:li')));
    expect(first?.media[0]?.total.value).toBeCloseTo(240, 6);
    expect(second).toBe(first);
    clock.advance(29_999);
    expect(await desk.ask('report', wish, null, 30_000, 'person:li')).toBe(first);
    clock.advance(1);
    expect(await desk.ask('report', wish, null, 30_000, 'person:li')).not.toBe(first);
  });

  test('are made anew when somebody decides about a counter, and for whoever sees something else', async () => {
    const clock = new ManualClock(now);
    await using desk = openDesk(clock);
    const first = await desk.ask('report', wish, null, hour, 'person:li');
    expect(await desk.ask('report', wish, [], hour, 'person:li')).toMatchObject({ media: [], partial: true });
    steps.push(decided(now));
    const second = await desk.ask('report', wish, null, hour, 'person:li');
    expect(second).not.toBe(first);
    expect(await desk.ask('report', wish, null, hour, 'person:li')).toBe(second);
  });

  test('come from elsewhere than the loop that serves people', async () => {
    await using desk = openDesk(new ManualClock(now));
    let turns = 0;
    const ticking = setInterval(() => turns++, 1);
    await desk.ask('report', { kind: 'month', time: monday }, null, 1, 'person:li');
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(5);
  });

  test('that do not come in time are given up, and the next one is made by a new thread', async () => {
    const clock = new ManualClock(now);
    await using slow = openDesk(clock, { patience: 1 });
    await expect(slow.ask('report', wish, null, hour, 'person:li')).rejects.toMatchObject({ code: 'TIMEOUT' });
    await using desk = openDesk(clock);
    await expect(desk.ask('meter', { meter: 'nobody', ...wish }, null, hour, 'person:li')).rejects.toMatchObject({
      code: 'METER_NOT_FOUND',
    });
    expect((await desk.ask('meter', { meter: 'main', ...wish }, null, hour, 'person:li')).total.value).toBeCloseTo(
      240,
      6,
    );
  });

  test('are not to be had while there is no database, and are asked for anew once there is', async () => {
    await using desk = openDesk(new ManualClock(now), { folder: `${filled.folder}/nothing` });
    for (let i = 0; i < 2; i++) {
      await expect(desk.ask('today', {}, null, hour, 'person:li')).rejects.toMatchObject({ code: 'STORE_NOT_READY' });
    }
  });

  const outcomesOf = (asked: readonly Promise<unknown>[]) =>
    Promise.all(
      asked.map((one) =>
        one.then(
          () => 'answered',
          (error: { code: string }) => error.code,
        ),
      ),
    );
  const askAt = (desk: EnergyDesk, i: number, asker: string) =>
    desk.ask('report', { kind: 'day', time: monday + i }, null, hour, asker);

  test('are queued up to a bound, and refused to whoever comes after it', async () => {
    await using desk = openDesk(new ManualClock(now));
    const asked = Array.from({ length: 30 }, (_, i) => askAt(desk, i, `person:${Math.floor(i / 5)}`));
    const outcomes = await outcomesOf(asked);
    expect(outcomes.filter((one) => one === 'answered').length).toBe(20);
    expect(new Set(outcomes)).toEqual(new Set(['answered', 'TOO_MANY_REQUESTS']));
  });

  test('come to everybody: one person has no more than his part of the places, and others their turn', async () => {
    await using desk = openDesk(new ManualClock(now));
    const order: string[] = [];
    const noted = <T>(what: string, asked: Promise<T>) => asked.finally(() => order.push(what));
    const greedy = Array.from({ length: 30 }, (_, i) => noted('greedy', askAt(desk, i, 'token:greedy')));
    const other = noted('other', askAt(desk, 100, 'person:li'));
    const overview = noted('today', desk.ask('today', {}, null, hour, 'person:wang'));
    const outcomes = await outcomesOf(greedy);
    expect(outcomes.filter((one) => one === 'answered').length).toBe(6);
    await Promise.all([other, overview]);
    const answered = order.filter((_, i) => i >= 24);
    expect(answered.indexOf('today')).toBeLessThanOrEqual(1);
    expect(answered.indexOf('other')).toBeLessThanOrEqual(2);
  });

  test('that fail take no other with them: who waits is answered by the next thread', async () => {
    await using desk = openDesk(new ManualClock(now));
    const deadly = desk.ask('report', { kind: 'day', time: Number.NaN }, null, hour, 'person:li');
    const others = Array.from({ length: 10 }, (_, i) => askAt(desk, i, `person:${i}`));
    await expect(deadly).rejects.toThrow('Invalid time');
    expect(new Set(await outcomesOf(others))).toEqual(new Set(['answered']));
  });
});
