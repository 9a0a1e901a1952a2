import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { energySection } from '#edge/runtime/site-energy.ts';
import { axisOf, stateOf } from '../../../edge/web/console/pages/energy/course-scale.ts';
import { rootsOf, wholeOf } from '../../../edge/web/console/pages/energy/data.ts';
import { gaugeOf, leftText } from '../../../edge/web/console/pages/energy/demand-scale.ts';
import { streamsOf } from '../../../edge/web/console/pages/energy/flows.ts';
import { addDays, isDate, partsOf, weekOf } from '../../../edge/web/console/pages/energy/period.ts';
import { energySample } from '../../../edge/web/console/pages/energy/sample.ts';
import type { EnergyMeterView } from '../../../edge/web/energy-schemas.ts';

/* What the page of energy works out before it draws. */

function meter(id: string, under: string | null, more: Partial<EnergyMeterView> = {}): EnergyMeterView {
  return {
    ...{ id, under, name: { zh: id, en: id }, medium: 'electricity', code: '01', unit: 'kW.h', subItem: null },
    ...{ buildings: [], kind: 'real', device: id, energy: null, power: null, terms: [], problem: null },
    ...more,
  };
}

describe('the bars of a course', () => {
  const now = 10_000;
  const bucket = { from: 0, to: 1_000, amount: 3, known: 1, estimated: 0, baseline: null };

  test('what is missing is never a bar of zero: it is told apart from what runs and what is still to come', () => {
    expect(stateOf(bucket, now)).toBe('known');
    expect(stateOf({ ...bucket, known: 0.6 }, now)).toBe('gap');
    expect(stateOf({ ...bucket, amount: null, known: 0 }, now)).toBe('unknown');
    expect(stateOf({ ...bucket, from: 9_500, to: 10_500 }, now)).toBe('running');
    expect(stateOf({ ...bucket, from: 9_500, to: 10_500, amount: null }, now)).toBe('running');
    expect(stateOf({ ...bucket, from: 10_000, to: 11_000, amount: null, known: 0 }, now)).toBe('future');
  });

  test('the axis ends at a round number that nothing passes', () => {
    expect(axisOf(35)).toEqual({ top: 40, ticks: [0, 10, 20, 30, 40] });
    expect(axisOf(0.37).top).toBeCloseTo(0.4, 9);
    expect(axisOf(0)).toEqual({ top: 1, ticks: [0, 1] });
    for (const most of [0.003, 1, 9.99, 42, 999, 123_456]) expect(axisOf(most).top).toBeGreaterThanOrEqual(most);
  });
});

describe('a medium as a whole', () => {
  const today = { value: 10, known: 1, estimated: 0 };
  const now = { meter: 'a', power: 4, quality: 'good', today, expected: 9, cost: 6 };

  test('main meters are those that hang on nothing that this person sees', () => {
    const meters = [meter('main', null), meter('sub', 'main'), meter('water', null, { medium: 'water' })];
    expect(rootsOf(meters, 'electricity').map(({ id }) => id)).toEqual(['main']);
    expect(rootsOf(meters.slice(1), 'electricity').map(({ id }) => id)).toEqual(['sub']);
  });

  test('several main meters are added up; one that is silent makes the sum unknown, not smaller', () => {
    const roots = [meter('a', null), meter('b', null)];
    expect(wholeOf([now, { ...now, meter: 'b', quality: 'uncertain' }], roots)).toMatchObject({
      ...{ power: 8, expected: 18, cost: 12, quality: 'uncertain' },
      today: { value: 20, known: 1 },
    });
    const silent = { ...now, meter: 'b', power: null, quality: 'bad', today: { ...today, value: null, known: 0.2 } };
    expect(wholeOf([now, silent], roots)).toMatchObject({
      ...{ power: null, quality: 'bad' },
      today: { value: null, known: 0.2 },
    });
    expect(wholeOf([now], roots).power).toBeNull();
  });
});

describe('the gauge of the demand', () => {
  const demand = {
    ...{
      meter: 'main',
      limit: 42,
      status: 'shedding' as const,
      from: 0,
      to: 900_000,
      sheds: [],
      windows: [],
      saved: 0,
    },
    ...{ soFar: 30, predicted: 60, unshed: null, power: 30 },
  };

  test('all that is known lies on it, also beyond the limit', () => {
    const at = gaugeOf(demand, 43);
    expect(at.top).toBeGreaterThanOrEqual(60);
    expect([at.soFar, at.limit, at.highest, at.predicted]).toEqual(
      [at.soFar, at.limit, at.highest, at.predicted].toSorted((a, b) => (a ?? 0) - (b ?? 0)),
    );
    expect(gaugeOf({ ...demand, soFar: null, predicted: null }, null)).toMatchObject({ soFar: null, predicted: null });
  });

  test('the time left is never below zero', () => {
    expect(leftText(365_000)).toBe('06:05');
    expect(leftText(-4_000)).toBe('00:00');
  });
});

describe('the picture of streams', () => {
  const flow = (from: string, to: string, amount: number, toKind: 'meter' | 'subItem' | 'unaccounted' = 'meter') => ({
    ...{ from, to, toKind, amount },
  });

  test('one main meter needs no node of the medium before it; two do', () => {
    const one = streamsOf(
      [flow('medium', 'main', 9), flow('main', 'sub', 5)],
      [meter('main', null), meter('sub', 'main')],
    );
    expect(one.nodes.map(({ key }) => key)).toEqual(['meter:main', 'meter:sub']);
    const two = streamsOf([flow('medium', 'a', 9), flow('medium', 'b', 5)], []);
    expect(two.nodes.map(({ key, amount }) => [key, amount])).toEqual([
      ['medium', 14],
      ['meter:a', 9],
      ['meter:b', 5],
    ]);
  });

  test('a meter that is called like a sub-item stays a meter, and is painted by what it is used for', () => {
    const { nodes } = streamsOf(
      [
        flow('medium', 'special', 9),
        flow('special', 'special', 7, 'subItem'),
        flow('special', 'unaccounted', 2, 'unaccounted'),
      ],
      [meter('special', null, { subItem: 'motive_power' })],
    );
    expect(nodes.map(({ key, paint }) => [key, paint])).toEqual([
      ['meter:special', 'motive_power'],
      ['subItem:special', 'special'],
      ['unaccounted', 'unaccounted'],
    ]);
  });

  test('a meter is told with what it counted, also where those below it count more', () => {
    const { nodes } = streamsOf([flow('medium', 'main', 9), flow('main', 'a', 8), flow('main', 'b', 5)], []);
    expect(nodes.map(({ key, amount }) => [key, amount])).toEqual([
      ['meter:main', 9],
      ['meter:a', 8],
      ['meter:b', 5],
    ]);
  });

  test('nothing flows in a circle, and nothing backwards: the drawing would never end', () => {
    const { streams } = streamsOf(
      [flow('a', 'b', 3), flow('b', 'c', 2), flow('c', 'a', 1), flow('a', 'a', 1), flow('a', 'd', -1)],
      [],
    );
    expect(streams.map(({ from, to }) => `${from} ${to}`)).toEqual(['meter:a meter:b', 'meter:b meter:c']);
  });
});

describe('the example of the empty page', () => {
  test.each(['zh', 'en'] as const)('is a section that the site file may have (%s)', (language) => {
    const { energy }: { readonly energy?: unknown } = parse(energySample[language].text);
    expect(energySection.safeParse(energy).error?.issues).toBeUndefined();
    expect(energySection.parse(energy)?.meters.map(({ id }) => id)).toEqual(['main', 'canteen', 'water']);
  });
});

describe('the periods of the report', () => {
  test('days are counted over months, years and leap days', () => {
    expect(addDays('2026-02-28', 1)).toBe('2026-03-01');
    expect(addDays('2028-02-28', 1)).toBe('2028-02-29');
    expect(addDays('2026-01-01', -1)).toBe('2025-12-31');
  });

  test('weeks are those of ISO 8601, also where they belong to another year', () => {
    expect(weekOf('2026-11-23')).toEqual({ year: 2026, week: 48 });
    expect(weekOf('2025-12-29')).toEqual({ year: 2026, week: 1 });
    expect(weekOf('2027-01-01')).toEqual({ year: 2026, week: 53 });
  });

  test('a date is taken only as one', () => {
    expect(['2026-11-23', '2026-02-30x', '', '11/23/2026', '2026-13-01'].filter(isDate)).toEqual(['2026-11-23']);
    expect(isDate(null)).toBe(false);
    expect(partsOf('2026-11-22')).toEqual({ year: 2026, month: 11, day: 22, weekday: 0 });
  });
});
