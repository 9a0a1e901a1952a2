import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EnergyPlan } from '#edge/domain/energy.ts';
import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import { maxDemandOf } from '#edge/energy/demand.ts';
import { totalOf } from '#edge/energy/rises.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { openReader, type Reader } from '#edge/store/reader.ts';
import { dayTypeOf } from '#edge/web/energy-context.ts';
import { RisesPast } from '#edge/web/energy-past.ts';
import { measuredOf, risesOf } from '#edge/web/energy-rises.ts';
import { counterOf, day, fillEnergy, hour, monday, quarter } from './energy-room.ts';

/* Amounts of a meter whose true course is known, as they come out of a real store. */

/** 10 kW, and 20 kW between 08:00 and 09:00. */
const kilowatts = (time: number) =>
  (((time - monday) % day) + day) % day >= 8 * hour && (((time - monday) % day) + day) % day < 9 * hour ? 20 : 10;
const silent = { from: monday + 2 * day + 3 * hour, to: monday + 2 * day + 9 * hour };
const now = monday + 4 * day + 8 * hour + 30 * 60_000;

const real = (id: string, more: object = {}) => ({
  id,
  name: { zh: id, en: id },
  medium: 'electricity' as const,
  buildings: [],
  source: {
    kind: 'real' as const,
    device: 'meter-main' as DeviceId,
    energy: { ref: 'meter-main/energy_import' as PointRef, factor: 1 },
    power: null,
    ...more,
  },
});
const factor = 0.001;
const plan: EnergyPlan = {
  meters: [
    real('main', {
      phases: ['power_l1', 'power_l2'].map((name) => ({ ref: `meter-main/${name}` as PointRef, factor })),
      powerFactor: 'meter-main/power_factor' as PointRef,
    }),
    real('silent', { energy: { ref: 'meter-main/nothing' as PointRef, factor: 1 } }),
  ],
  buildings: [],
  tariffs: [],
  demand: [],
};

let filled: Awaited<ReturnType<typeof fillEnergy>>;
let reader: Reader;
beforeAll(async () => {
  const counter = counterOf('meter-main', 'energy_import', 'kW.h', kilowatts);
  const energy = {
    ...counter,
    valueAt: (time: number) => {
      const value = counter.valueAt(time);
      return time > silent.from && time < silent.to ? null : value;
    },
  };
  const gauge = (point: string, unit: string, value: number) => ({
    device: 'meter-main',
    point,
    unit,
    valueAt: () => value,
  });
  filled = await fillEnergy(
    [energy, gauge('power_l1', 'W', 4_000), gauge('power_l2', 'W', 6_000), gauge('power_factor', '1', 0.9)],
    monday,
    now,
  );
  reader = openReader(filled.folder, new ManualClock(now));
});
afterAll(() => {
  reader[Symbol.dispose]();
  filled[Symbol.dispose]();
});

describe('amounts of the store', () => {
  test('are those of the hour and of the quarter, to the last digit', () => {
    const rises = risesOf(reader, plan);
    const hours = rises('main', { from: monday + day, to: monday + 2 * day }, '1h');
    expect(hours.length).toBe(24);
    expect(hours.map(({ amount }) => Math.round((amount ?? 0) * 1e6) / 1e6)).toEqual(
      Array.from({ length: 24 }, (_, i) => (i === 8 ? 20 : 10)),
    );
    const quarters = rises('main', { from: monday + day + 8 * hour, to: monday + day + 9 * hour }, '15min');
    expect(quarters.map(({ amount }) => amount)).toEqual([5, 5, 5, 5]);
    expect(totalOf(hours)).toMatchObject({ known: 1, estimated: 0 });
  });

  test('of a span that ends within an hour have that part of the hour only', () => {
    const buckets = risesOf(reader, plan)(
      'main',
      { from: monday + day, to: monday + day + 8 * hour + 30 * 60_000 },
      '1h',
    );
    expect(buckets.length).toBe(9);
    expect(buckets.at(-1)?.amount).toBeCloseTo(10, 6);
    expect(buckets.at(-1)?.known).toBe(30 * 60_000);
  });

  test('after a silence come as an estimate, spread over it, and lose nothing', () => {
    const buckets = risesOf(reader, plan)('main', { from: monday + 2 * day, to: monday + 3 * day }, '1h');
    const { value, known, estimated } = totalOf(buckets);
    expect(value).toBeCloseTo(250, 6);
    expect(estimated).toBeGreaterThan(30);
    expect(known).toBeLessThan(0.85);
  });

  test('of a meter that was never heard, or is no meter, are not known', () => {
    const rises = risesOf(reader, plan);
    const span = { from: monday, to: monday + day };
    expect(totalOf(rises('silent', span, '1h'))).toEqual({ value: null, known: 0, estimated: 0 });
    expect(rises('nobody', span, '1h')).toEqual([]);
    expect(rises('main', { from: span.to, to: span.from }, '1h')).toEqual([]);
  });

  test('are read once for all questions about the same stretch', () => {
    let reads = 0;
    const counting: Pick<Reader, 'history'> = {
      history: (...asked) => {
        reads++;
        return reader.history(...asked);
      },
    };
    const rises = risesOf(counting, plan);
    const wide = rises('main', { from: monday + day, to: monday + 3 * day }, '1h');
    const narrow = rises('main', { from: monday + 2 * day, to: monday + 3 * day }, '1h');
    expect(reads).toBe(1);
    expect(narrow).toEqual(wide.slice(24, 48));
    rises('main', { from: monday + day, to: monday + 4 * day }, '1h');
    expect(reads).toBe(2);
  });

  test('of days that are over are remembered between two answers, for ten minutes and until somebody decides about a counter', () => {
    const asked: number[] = [];
    const counting: Pick<Reader, 'history'> = {
      history: (...question) => {
        asked.push(question[1]);
        return reader.history(...question);
      },
    };
    const past = new RisesPast();
    const span = { from: monday + day, to: now };
    const ask = (time: number, edition: string) => {
      past.begin(time, edition);
      asked.length = 0;
      const told = risesOf(counting, plan, null, past)('main', span, '1h');
      return { told, from: Math.min(...asked) };
    };
    const first = ask(now, '1');
    expect(first.from).toBeLessThan(span.from);
    // What is younger than two days is read each time, with a day before it.
    const second = ask(now, '1');
    expect(second.told).toEqual(first.told);
    expect(second.from).toBeGreaterThan(span.from);
    expect(ask(now, '2').from).toBe(first.from);
    expect(ask(now + 9 * 60_000, '2').from).toBe(second.from);
    expect(ask(now + 10 * 60_000, '2').from).toBe(first.from);
    expect(ask(now, '2').from).toBe(first.from);
  });

  test('of a damaged meter hide no other; a store that is not there is an error', () => {
    const failing = (code: string): Pick<Reader, 'history'> => ({
      history: () => {
        throw new CodedError(code, code);
      },
    });
    const span = { from: monday, to: monday + hour };
    expect(risesOf(failing('STORE_BAD_BLOCK'), plan)('main', span, '1h')).toMatchObject([{ amount: null, known: 0 }]);
    expect(() => risesOf(failing('STORE_NOT_READY'), plan)('main', span, '1h')).toThrow('STORE_NOT_READY');
  });
});

test('phases and power factor are means over time; what no point tells is not known', () => {
  const measured = measuredOf(reader, plan, risesOf(reader, plan));
  const span = { from: monday + day, to: monday + day + 4 * quarter };
  expect(measured.phases('main', span)).toEqual([4, 6]);
  expect(measured.phases('silent', span)).toBeNull();
  const told = measured.powerFactor('main', span);
  expect(told !== null && 'mean' in told ? told.mean : null).toBeCloseTo(0.9, 9);
  expect(measured.powerFactor('silent', span)).toBeNull();
});

test('a day is one of school where the opening hours have any, whatever its weekday', () => {
  const type = dayTypeOf({
    weekly: [{ days: [1, 2, 3, 4, 5], from: 420, to: 1_080 }],
    exceptions: [
      { date: '2026-11-04', open: false },
      { date: '2026-11-07', open: true },
    ],
  });
  const of = (date: string, weekday: number) => type({ date, weekday, from: 0, to: day });
  expect([of('2026-11-03', 2), of('2026-11-04', 3), of('2026-11-07', 6), of('2026-11-08', 7)]).toEqual([
    'school',
    'off',
    'school',
    'off',
  ]);
});

describe('a silence of days', () => {
  /** 10 kW all the time; nobody heard the meter from Saturday noon to Tuesday 09:00. */
  const quiet = { from: monday + 5 * day + 12 * hour, to: monday + 8 * day + 9 * hour };
  const later = monday + 8 * day + 9 * hour + 20 * 60_000;
  let room: Awaited<ReturnType<typeof fillEnergy>>;
  let open: Reader;
  beforeAll(async () => {
    const counter = counterOf('meter-main', 'energy_import', 'kW.h', () => 10);
    const energy = {
      ...counter,
      valueAt: (time: number) => {
        const value = counter.valueAt(time);
        return time >= quiet.from && time < quiet.to ? null : value;
      },
    };
    room = await fillEnergy([energy], monday, monday + 10 * day);
    open = openReader(room.folder, new ManualClock(monday + 10 * day));
  });
  afterAll(() => {
    open[Symbol.dispose]();
    room[Symbol.dispose]();
  });

  test('gives the day on which the meter was heard again its own share only, and says that it is an estimate', () => {
    const tuesday = { from: monday + 8 * day, to: monday + 9 * day };
    const { value, estimated } = totalOf(risesOf(open, plan)('main', tuesday, '1h'));
    expect(value).toBeCloseTo(240, 0);
    expect(estimated).toBeGreaterThan(80);
  });

  test('makes no peak of the quarter of an hour in which it was heard again', () => {
    const tuesday = { from: monday + 8 * day, to: monday + 9 * day };
    const quarters = risesOf(open, plan)('main', tuesday, '15min');
    expect(Math.max(...quarters.map(({ amount }) => amount ?? 0))).toBeCloseTo(2.5, 1);
    expect(maxDemandOf(quarters, quarter, 'fixed').max?.power).toBeCloseTo(10, 6);
  });

  test('is no consumption of the hour that runs', () => {
    const sofar = risesOf(open, plan)('main', { from: monday + 8 * day, to: later }, '1h');
    // The sample of 09:15 has the quarter that begins then.
    expect(totalOf(sofar).value).toBeCloseTo(10 * 9.5, -1);
    expect(sofar.at(-1)?.estimated).toBeGreaterThan(0);
  });
});
