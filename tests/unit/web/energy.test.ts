import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import { describeCampus } from '#edge/processes/campus.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { loadSite } from '#edge/runtime/site.ts';
import { createEnergyToday, findMeters } from '#edge/web/energy.ts';
import { createLocalTime } from '#edge/web/local-time.ts';
import { type HistoryFolder, openHistory } from './history-folder.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const localTime = createLocalTime('Asia/Shanghai');
/** A Sunday, 10:20 in the morning on the campus. */
const now = Date.parse('2026-11-22T10:20:00+08:00');
const midnight = Date.parse('2026-11-22T00:00:00+08:00');

/** kW: asleep until five, then at work; a week ago there was less of both. */
const powerAt = (t: number) => {
  const isNight = t - localTime.dayStart(t) < 5 * hour;
  return (isNight ? 6 : 20) * (t < midnight - 3 * day ? 0.5 : 1);
};

let past: HistoryFolder;
let devices: readonly Device[];
beforeAll(async () => {
  const site = await loadSite(join(import.meta.dirname, '../../../edge/simulators/demo-site.yaml'));
  devices = (await describeCampus(site)).devices;
  past = await openHistory(now);
  let counter = 1_000;
  let before = midnight - 7 * day - hour;
  const energyAt = (t: number) => {
    counter += (powerAt(before) * (t - before)) / hour;
    before = t;
    return counter;
  };
  const series = {
    power: { unit: 'W', valueAt: (t: number) => powerAt(t) * 1_000 },
    energy_import: { unit: 'kW.h', counter: true, valueAt: energyAt },
  };
  // Only what is asked for: the days between are left out.
  await past.fill(series, before, midnight - 6 * day, 5 * minute);
  await past.fill(series, midnight - hour, now + 1, 5 * minute);
}, 60_000);
afterAll(async () => await past?.[Symbol.asyncDispose]());

const ask = (more: Partial<Parameters<typeof createEnergyToday>[0]> = {}) =>
  createEnergyToday({ reader: past.reader, devices, localTime, clock: past.clock, ...more });

test('main meters of the plan come first, then those under them, then meters that it does not name', () => {
  const real = (id: string, device: string, under?: string) => {
    const energy = { ref: `${device}/energy_import` as PointRef, factor: 1 };
    const source = { kind: 'real' as const, device: device as DeviceId, energy, power: null };
    const about = { id, name: { zh: id, en: id }, medium: 'electricity' as const, buildings: [], source };
    return under === undefined ? about : { ...about, under };
  };
  const plan = { meters: [real('kitchen', 'meter-canteen', 'all'), real('all', 'meter-dorm'), real('gone', 'nobody')] };
  const order = findMeters(devices, plan).map(({ device }) => device.id);
  expect(order.slice(0, 3)).toEqual(['meter-dorm', 'meter-canteen', 'meter-main']);
  expect([...order].sort()).toEqual(
    findMeters(devices)
      .map(({ device }) => device.id)
      .sort(),
  );
});

test('meters are those of the kind, with a counter of energy taken in', () => {
  expect(findMeters(devices).map(({ energy }) => energy)).toEqual([
    'meter-main/energy_import',
    'meter-canteen/energy_import',
    'meter-dorm/energy_import',
    'meter-teaching/energy_import',
    'meter-data/energy_import',
    'meter-ac/energy_import',
    'meter-motive/energy_import',
    'meter-lights/energy_import',
  ]);
});

describe('the energy of today', () => {
  test('is that since midnight, hour by hour, the running one included', async () => {
    const [main] = await ask()();
    expect(main?.hours.map(({ t }) => (t - midnight) / hour)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const night = main?.hours.slice(1, 5).map(({ energy }) => energy ?? 0) ?? [];
    for (const energy of night) expect(energy).toBeCloseTo(6, 6);
    for (const { energy } of main?.hours.slice(6, 10) ?? []) expect(energy).toBeCloseTo(20, 6);
    expect(main?.today).toBeCloseTo(5 * 6 + 5 * 20 + 20 / 3, 0);
  });

  test('stands beside that of the same weekday a week ago up to the same minute', async () => {
    const [main] = await ask()();
    expect(main?.weekAgo).toBeCloseTo((5 * 6 + 5 * 20 + 20 / 3) / 2, 0);
  });

  test('has a base: the mean power of the night, whether or not the meter tells its power', async () => {
    expect((await ask()())[0]?.nightBase).toBeCloseTo(6, 3);
    const silent = devices.map((device) => ({
      ...device,
      points: device.points.filter(({ name }) => name !== 'power'),
    }));
    expect((await ask({ devices: silent })())[0]?.nightBase).toBeCloseTo(6, 0);
  });

  test('is unknown, not zero, where nothing was ever heard', async () => {
    const canteen = (await ask()())[1];
    expect(canteen).toMatchObject({ ref: 'meter-canteen/energy_import', today: null, weekAgo: null, nightBase: null });
    expect(canteen?.hours.every(({ energy }) => energy === null)).toBe(true);
  });
});

test('what was counted in a weekend of silence is not the use of the morning on which the meter was heard again', async () => {
  await using quiet = await openHistory(now);
  const energy_import = { unit: 'kW.h', counter: true, valueAt: (t: number) => ((t - midnight) / hour) * 10 + 5_000 };
  await quiet.fill({ energy_import }, midnight - 4 * day, midnight - 3 * day, 5 * minute);
  await quiet.fill({ energy_import }, midnight + 9 * hour, now + 1, 5 * minute);
  const [main] = await ask({ reader: quiet.reader, clock: quiet.clock })();
  expect(main?.today).toBeCloseTo((10 + 20 / 60) * 10, -1);
  expect(Math.max(...(main?.hours ?? []).map(({ energy }) => energy ?? 0))).toBeCloseTo(10, 0);
});

describe('asking again', () => {
  test('within half a minute reads nothing, later it does', async () => {
    let read = 0;
    const history: typeof past.reader.history = (...question) => {
      read++;
      return past.reader.history(...question);
    };
    const energy = ask({ reader: { history } });
    await Promise.all(Array.from({ length: 50 }, () => energy()));
    const once = read;
    past.clock.advance(29_999);
    await energy();
    expect(read).toBe(once);
    past.clock.advance(1);
    await energy();
    expect(read).toBeGreaterThan(once);
  });

  test('after an error reads at once, and a damaged meter does not hide the others', async () => {
    let problem: string | null = 'STORE_NOT_READY';
    const history: typeof past.reader.history = (ref, ...rest) => {
      if (problem === 'STORE_BAD_BLOCK' && ref.startsWith('meter-canteen')) throw new CodedError(problem, 'damaged');
      if (problem === 'STORE_NOT_READY') throw new CodedError(problem, 'not yet');
      return past.reader.history(ref, ...rest);
    };
    const energy = ask({ reader: { history } });
    await expect(energy()).rejects.toMatchObject({ code: 'STORE_NOT_READY' });
    problem = 'STORE_BAD_BLOCK';
    const [main, ...others] = (await energy()).map(({ today }) => today !== null);
    expect([main, ...new Set(others)]).toEqual([true, false]);
    problem = null;
  });
});
