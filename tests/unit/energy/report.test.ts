import { describe, expect, test } from 'vitest';
import { reportOf } from '#edge/energy/report.ts';
import type { Rises } from '#edge/energy/rises.ts';
import {
  type Course,
  day,
  hour,
  monday,
  planOf,
  real,
  risesOf,
  schoolDays,
  shanghai,
  sumOf,
  tariff,
} from './campus.ts';

const plan = planOf(
  [
    real('main'),
    real('canteen', { under: 'main', subItem: 'special', buildings: [{ building: 'canteen', share: 1 }] }),
    sumOf('rest', ['main', '-canteen'], {
      under: 'main',
      subItem: 'lighting_sockets',
      buildings: [{ building: 'teaching', share: 1 }],
    }),
    real('water', { medium: 'water' }),
  ],
  {
    buildings: [
      { building: 'teaching', area: 4_000, people: 600 },
      { building: 'canteen', area: 1_000, people: 20 },
    ],
    tariffs: [
      tariff({
        price: 1,
        demandPrice: 40,
        powerFactor: 0.9,
        periods: [
          {
            id: 'peak',
            name: { zh: '峰', en: 'Peak' },
            price: 2,
            months: [],
            days: [],
            times: [{ from: 480, to: 720 }],
          },
        ],
      }),
    ],
    demand: [
      {
        meter: 'main',
        limit: 15,
        window: 900_000,
        kind: 'fixed',
        tiers: [],
        protected: { outputs: [], zones: [], spaces: [] },
        stagger: 30_000,
      },
    ],
  },
);
const main: Course = (time) => ((((time - monday) % day) + day) % day === 9.125 * hour ? 20 : 10);
const courses: Record<string, Course> = { main, canteen: () => 4, water: () => 0.5 };

function report(kind: 'day' | 'week' | 'month', time: number, now: number, rises: Rises = risesOf(courses)) {
  const measured = { powerFactor: () => ({ mean: 0.85 }) };
  return reportOf({ plan, kind, time, now, rises, clock: shanghai, dayType: schoolDays, measured, findings: [] });
}

describe('a report', () => {
  const later = monday + 40 * day;

  test('of a day has its hours, its parts, its cost and what is usual', () => {
    const told = report('day', monday + 5 * hour, later);
    const [electricity, water] = told.media;
    expect(electricity?.series.length).toBe(24);
    expect(electricity?.total.value).toBeCloseTo(242.5, 9);
    expect(electricity?.series[9]).toMatchObject({ value: 12.5, usual: 12.5, known: 1 });
    expect(electricity?.cost.total).toBeCloseTo(242.5 + 42.5, 9);
    expect(electricity?.subItems.map(({ code, amount }) => [code, amount.value])).toEqual([
      ['A', 146.5],
      ['D', 96],
    ]);
    expect(electricity?.subItems[1]?.share).toBeCloseTo(96 / 242.5, 9);
    expect(electricity?.buildings.find(({ building }) => building === 'canteen')?.cost.total).toBeCloseTo(96 + 16, 9);
    expect(electricity?.ranking.map(({ building }) => building)).toEqual(['canteen', 'teaching']);
    expect(electricity?.previous.value).toBeCloseTo(242.5, 9);
    expect(electricity?.night.power).toBe(10);
    expect(water).toMatchObject({ code: '02', unit: 'm3', total: { value: 12 } });
    expect(told.demand).toEqual([
      expect.objectContaining({ meter: 'main', limit: 15, exceeded: 1, windows: 96, unknown: 0 }),
    ]);
    expect(told.bill?.demand).toBeNull();
    expect(told.balance).toEqual([]);
  });

  test('of a month has its days, its demand charge and what the power factor does to the bill', () => {
    const told = report('month', monday + 5 * day, later);
    expect(told.days.length).toBe(30);
    expect(told.media[0]?.series.length).toBe(30);
    expect(told.media[0]?.series[7]).toMatchObject({ value: 242.5, usual: 242.5 });
    expect(told.bill?.demand).toMatchObject({ demand: 20, cost: 800 });
    expect(told.bill?.total).toBeCloseTo(30 * 285 + 800, 6);
    expect(told.bill?.powerFactor).toMatchObject({ powerFactor: 0.85, required: 0.9, adjustment: 0.025 });
    expect(told.completeness.map(({ meter, known }) => [meter, known])).toEqual([
      ['main', 1],
      ['canteen', 1],
      ['water', 1],
    ]);
  });

  test('of a week that runs is told up to now, and compared with as much of the one before', () => {
    const now = monday + 2 * day + 6 * hour;
    const told = report('week', now, now);
    expect(told.upTo).toBe(now);
    expect(told.to).toBe(monday + 7 * day);
    expect(told.media[0]?.total.value).toBeCloseTo(2 * 242.5 + 60, 9);
    expect(told.media[0]?.previous.value).toBeCloseTo(2 * 242.5 + 60, 9);
    expect(told.media[0]?.usual?.usual).toBeCloseTo(2 * 242.5 + 60, 9);
    expect(told.media[0]?.series[5]).toMatchObject({ value: null, usual: 242.5 });
  });

  test('shows a gap as a gap, everywhere', () => {
    const gap: Course = (time) => (time >= monday + 6 * hour && time < monday + 12 * hour ? null : 4);
    const told = report('day', monday, later, risesOf({ ...courses, canteen: gap }));
    const [electricity] = told.media;
    const canteen = electricity?.buildings.find(({ building }) => building === 'canteen');
    expect(canteen?.amount).toEqual({ value: 72, known: 0.75, estimated: 0 });
    expect(canteen?.cost.known).toBe(0.75);
    expect(told.completeness.find(({ meter }) => meter === 'canteen')?.known).toBe(0.75);
    expect(electricity?.total).toMatchObject({ value: 242.5, known: 1 });
  });

  test('asks for each meter of a span once, and for history of main meters only', () => {
    const asked: string[] = [];
    const rises = risesOf(courses);
    report('month', monday, later, (meter, span, step) => {
      asked.push(`${meter} ${(span.to - span.from) / day} ${step}`);
      return rises(meter, span, step);
    });
    expect(asked.filter((one) => one.startsWith('canteen')).length).toBeLessThanOrEqual(2);
    expect(asked.filter((one) => one.startsWith('canteen') && Number(one.split(' ')[1]) > 31)).toEqual([]);
  });
});
