import { expect, test, vi } from 'vitest';
import { toWire } from '#bridge/contract/bodies.ts';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { Device } from '#edge/domain/device.ts';
import type { EnergyMeter, EnergyPlan } from '#edge/domain/energy.ts';
import type { DeviceHealth } from '#edge/domain/health.ts';
import type { DeviceId, PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { counterSource, stuckSource } from '#edge/processes/core/counter-alarms.ts';
import { demandSource } from '#edge/processes/core/demand-desk-words.ts';
import { EnergyWatch } from '#edge/processes/core/energy-watch.ts';
import { energyWatchState, findingSource, isFindingSource } from '#edge/processes/core/energy-watch-memory.ts';
import { energyMistakes, findingAlarm } from '#edge/processes/core/energy-watch-words.ts';
import { createCauses } from '#edge/rules/alarm-causes.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import { ManualClock, systemClock } from '#edge/runtime/clock.ts';
import { newHappeningId } from '#edge/runtime/ids.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { Batch } from '#edge/store/batch.ts';
import { day, hour, minute, open, reading, temporaryFolder } from '../../fixtures/store/site.ts';

/* A house with a water meter and a real store: a tap runs all night, and people hear of it; the days pass in readings. */

/** Monday, 2026-11-02, 00:00 in Shanghai. */
const monday = Date.UTC(2026, 10, 1, 16);
const water = 'water-main/volume';
const meter: EnergyMeter = {
  id: 'water',
  name: { zh: '总水表', en: 'Water main' },
  medium: 'water',
  buildings: [],
  source: {
    kind: 'real',
    device: 'water-main' as DeviceId,
    energy: { ref: water as PointRef, factor: 1 },
    power: null,
  },
};
const plan: EnergyPlan = { meters: [meter], buildings: [], tariffs: [], demand: [] };
const devices: readonly Device[] = [
  {
    id: 'water-main' as DeviceId,
    name: meter.name,
    profile: 'water/x',
    protocol: 'modbus',
    zone: 'school' as ZoneId,
    points: [],
    address: {},
  },
];
const openingHours = { weekly: [{ days: [1, 2, 3, 4, 5], from: 420, to: 1_110 }], exceptions: [] };

async function startHouse() {
  const folder = await temporaryFolder();
  const clock = new ManualClock(monday);
  const store = await open(folder.path, {}, { clock });
  await store.registerPoints([{ ref: water, type: 'number', unit: 'm3', staleAfter: hour, counter: true }]);
  const house = {
    clock,
    stored: undefined as unknown,
    decisions: [] as AlarmDecision[],
    health: 'online' as DeviceHealth['state'],
    modes: new Set<string>(),
    shown: 100,
    data: folder.path,
    /** One day passes; `night` and `noon` in m3/h. */
    live: async (night: number, noon = 0.4) => {
      const readings: Reading[] = [];
      const midnight = clock.now();
      for (let at = 0; at < day; at += 15 * minute) {
        const isNight = at < 6 * hour;
        house.shown += (isNight ? night : noon) / 4;
        readings.push(reading(water, midnight + at + 14 * minute, house.shown, { unit: 'm3' }));
      }
      await store.append({ readings });
      clock.advance(day);
    },
    /** Whoever watches: `first` far away, so that the test looks by itself. */
    watch: (times = { first: 3_600_000, every: 3_600_000 }) =>
      new EnergyWatch({
        ...{ plan, devices, data: folder.path, timeZone: 'Asia/Shanghai', openingHours, clock, times },
        stored: house.stored,
        modes: () => house.modes,
        healths: () => [
          { device: 'water-main', state: house.health, message: '', since: 0, counters: {} } satisfies DeviceHealth,
        ],
        decide: (some) => void house.decisions.push(...some),
        commit: (batch: Batch) => {
          house.stored = JSON.parse(JSON.stringify(batch.state?.[energyWatchState] ?? null));
        },
        log: silentLog,
      }),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
  return house;
}

test('water that flows two nights through is an alarm with what to do, remembered over a restart, and over after two dry nights', async () => {
  await using house = await startHouse();
  const leak = { kind: 'raise', source: 'energy:water/leak', class: 'medium', device: 'water-main', zone: 'school' };
  await house.live(0.2);
  {
    await using watch = house.watch();
    await watch.look();
    // One night may be somebody who filled a pool; however often it is looked at.
    await watch.look();
    expect(house.decisions).toEqual([]);
  }
  await house.live(0.2);
  {
    await using watch = house.watch();
    await watch.look();
    expect(house.decisions).toMatchObject([leak]);
    const [first] = house.decisions;
    expect(first?.kind === 'raise' && [first.message.zh, first.message.en, first.next.en]).toEqual([
      expect.stringContaining('总水表：'),
      expect.stringMatching(/^Water main: 0\.2 m³\/h/),
      expect.stringContaining('valves'),
    ]);
    expect(watch.findings()).toMatchObject([{ kind: 'leak', meter: 'water', from: monday, to: monday + 2 * day }]);
  }
  expect(isFindingSource('energy:water/leak', house.stored, plan)).toBe(true);
  expect(isFindingSource('energy:water/leak', house.stored, { meters: [] })).toBe(false);
  expect(isFindingSource('energy:water/high-day', house.stored, plan)).toBe(false);
  house.decisions.length = 0;
  await using watch = house.watch();
  expect(watch.findings()).toHaveLength(1);
  // Said once again after a start, which changes nothing about an alarm that stands.
  watch.tick();
  watch.tick();
  expect(house.decisions).toMatchObject([leak]);
  house.decisions.length = 0;
  await house.live(0);
  await watch.look();
  // Nobody looked for a day: it is made up for.
  expect(house.decisions).toEqual([]);
  await house.live(0);
  await house.live(0);
  await watch.look();
  expect(house.decisions).toMatchObject([{ kind: 'return', source: 'energy:water/leak' }]);
  expect(watch.findings()).toEqual([]);
}, 60_000);

test('days that nobody looked at are made up for, a week of them, by a watch that begins by itself', async () => {
  await using house = await startHouse();
  for (let i = 0; i < 4; i++) await house.live(0.1);
  await using watch = house.watch({ first: 10, every: 3_600_000 });
  await vi.waitFor(() => expect(watch.findings()).toMatchObject([{ kind: 'leak' }]), { timeout: 30_000 });
  expect(watch.findings()[0]?.to).toBe(monday + 4 * day);
  expect(house.decisions).toHaveLength(1);
}, 60_000);

test('nothing new is said of a meter that is silent itself, until it is heard again', async () => {
  await using house = await startHouse();
  await house.live(0.1);
  await house.live(0.1);
  house.health = 'offline';
  await using watch = house.watch();
  await watch.look();
  expect([watch.findings().length, house.decisions.length]).toEqual([1, 0]);
  house.health = 'online';
  watch.tick();
  expect(house.decisions).toMatchObject([{ kind: 'raise', source: 'energy:water/leak' }]);
  // And one that is said already lies behind the alarm of the device.
  const causes = createCauses({ processOf: () => undefined });
  const alarm = { ...house.decisions[0], id: newHappeningId(systemClock) } as unknown as Alarm;
  expect(causes(alarm)).toEqual(['device:water-main']);
}, 60_000);

test('days in the holidays are compared with days without lessons, as people said', async () => {
  await using house = await startHouse();
  // Two weeks of school with closed weekends.
  for (let week = 0; week < 2; week++) {
    for (let weekday = 0; weekday < 7; weekday++) await house.live(0, weekday < 5 ? 1 : 0.1);
  }
  await using watch = house.watch();
  await watch.look();
  expect(watch.findings()).toEqual([]);
  const before = structuredClone(house.stored);
  const monday3 = house.clock.now();
  house.modes.add('holiday');
  // At night nobody can tell whether it will be one.
  house.clock.advance(3 * hour);
  watch.tick();
  expect(house.stored).toEqual(before);
  house.clock.advance(7 * hour);
  watch.tick();
  watch.tick();
  expect(house.stored).toMatchObject({ holidays: ['2026-11-16'] });
  house.clock.step(monday3 - house.clock.now());
  await house.live(0, 0.1);
  await watch.look();
  expect(watch.findings()).toEqual([]);
  // The same day without that word is far below other Mondays.
  house.stored = before;
  await using unaware = house.watch();
  await unaware.look();
  expect(unaware.findings()).toMatchObject([{ kind: 'low-day', meter: 'water' }]);
}, 90_000);

test('a database that cannot be read costs nothing but the look', async () => {
  await using house = await startHouse();
  await house.live(0.1);
  await house.live(0.1);
  const error = vi.fn();
  await using watch = new EnergyWatch({
    ...{ plan, devices, data: '/nonexistent', timeZone: 'Asia/Shanghai', openingHours, clock: house.clock },
    stored: { judged: 'nonsense' },
    modes: () => new Set(),
    healths: () => [],
    decide: () => {},
    commit: (batch) => {
      throw new Error(`nothing is to be kept: ${JSON.stringify(batch)}`);
    },
    log: Object.assign(Object.create(silentLog), { error }),
  });
  await watch.look();
  await watch.look();
  expect(watch.findings()).toEqual([]);
  expect(error).toHaveBeenCalledTimes(1);
}, 60_000);

test('alarms about energy may leave for the city', () => {
  const sources = [
    findingSource({ meter: 'water_2-b', kind: 'power-factor' }),
    demandSource('main'),
    counterSource('meter-main/energy_import' as PointRef),
    stuckSource('meter-main/energy_import' as PointRef),
    energyMistakes(['energy.meters[0]: it is not there']).source,
  ];
  for (const source of sources) {
    const alarm = {
      id: newHappeningId(systemClock),
      source,
      class: 'medium',
      state: 'unacknowledged',
      active: true,
      message: { zh: '漏水', en: 'a leak' },
      next: { zh: '关阀', en: 'close the valve' },
      raised: monday,
      count: 1,
    };
    expect(toWire('alarm', alarm).content).toMatchObject({ source, class: 'medium' });
  }
});

test('gas that flows all night is graver than water, and nobody is sent to play with valves at night', () => {
  const gas: EnergyMeter = { ...meter, id: 'gas', medium: 'gas' };
  const about = {
    meter: 'gas',
    from: monday,
    to: monday + day,
    found: 0.1,
    expected: 0,
    unit: 'm3/h',
    costPerDay: 9.6,
  };
  expect(findingAlarm({ kind: 'leak', ...about }, gas, undefined)).toMatchObject({
    source: 'energy:gas/leak',
    class: 'high',
    next: { en: expect.stringContaining('gas company') },
    reason: 'gas: 0.1 against 0 (m3/h), about 9.60 a day',
  });
  expect(findingAlarm({ kind: 'high-day', ...about }, gas, undefined)).toMatchObject({ class: 'low' });
});
