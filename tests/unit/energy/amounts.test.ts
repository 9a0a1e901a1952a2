import { describe, expect, test } from 'vitest';
import { balanceOf, phaseBalanceOf, unaccountedOf } from '#edge/energy/balance.ts';
import { consumptionOf } from '#edge/energy/consumption.ts';
import { dayAt, daysOf, minuteOfDay, periodAt, periodBefore, remembering } from '#edge/energy/local-days.ts';
import { rankingOf } from '#edge/energy/ranking.ts';
import { fromAggregates, totalOf } from '#edge/energy/rises.ts';
import { amountsOf, treeOf } from '#edge/energy/tree.ts';
import { createLocalTime } from '#edge/web/local-time.ts';
import { type Course, day, hour, monday, planOf, real, risesOf, shanghai, sumOf } from './campus.ts';

const today = { from: monday, to: monday + day };

function consumed(meters: ReturnType<typeof real>[], courses: Record<string, Course>) {
  const plan = planOf(meters);
  return consumptionOf(amountsOf(treeOf(plan), risesOf(courses), today, '1h'));
}

describe('buckets of a counter', () => {
  const at = (i: number, delta: number | null, goodSeconds = 3_600) => ({ t: monday + i * hour, delta, goodSeconds });

  test('a counter that was heard and did not move counted nothing', () => {
    const buckets = fromAggregates([at(0, 2), at(1, null)], { from: monday, to: monday + 2 * hour }, '1h', 0.001);
    expect(buckets.map(({ amount }) => amount)).toEqual([0.002, 0]);
  });

  test('what was counted in silence is spread over the silence, and said to be an estimate', () => {
    const buckets = fromAggregates([at(0, 2), at(3, 9, 1_800)], { from: monday, to: monday + 4 * hour }, '1h', 1);
    expect(buckets.map(({ amount, estimated }) => [amount, estimated])).toEqual([
      [2, 0],
      [3, 3],
      [3, 3],
      [3, 3],
    ]);
    expect(totalOf(buckets)).toEqual({ value: 11, known: 1.5 / 4, estimated: 9 });
  });

  test('a silence that began before the span gives the span its part only', () => {
    const buckets = fromAggregates([at(-2, 1), at(1, 8)], { from: monday, to: monday + 2 * hour }, '1h', 1);
    expect(totalOf(buckets).value).toBeCloseTo(16 / 3, 9);
  });

  test('before the first sound and after the last one nothing is known', () => {
    const buckets = fromAggregates([at(1, 4)], { from: monday, to: monday + 3 * hour }, '1h', 1);
    expect(buckets.map(({ amount }) => amount)).toEqual([null, 4, null]);
  });
});

describe('consumption', () => {
  const campus = [
    real('main', { buildings: [{ building: 'teaching', share: 0.5 }] }),
    real('canteen', { under: 'main', subItem: 'special', buildings: [{ building: 'canteen', share: 1 }] }),
    sumOf('rest', ['main', '-canteen'], { under: 'main', subItem: 'lighting_sockets' }),
  ];

  test('what a virtual meter takes is the exact difference, and the parts add up to the main meter', () => {
    const [electricity] = consumed(campus, { main: () => 10, canteen: () => 4 });
    expect(electricity?.code).toBe('01');
    expect(electricity?.amount.value).toBeCloseTo(240, 9);
    expect(electricity?.subItems.map(({ code, amount }) => [code, amount.value])).toEqual([
      ['A', 144],
      ['D', 96],
    ]);
  });

  test('is shared among buildings, and the rest is of the campus', () => {
    const [electricity] = consumed(
      [real('main', { buildings: [{ building: 'teaching', share: 0.5 }] }), ...campus.slice(1, 2)],
      { main: () => 10, canteen: () => 4 },
    );
    expect(electricity?.buildings.map(({ building, amount }) => [building, amount.value])).toEqual([
      ['teaching', 72],
      [null, 72],
      ['canteen', 96],
    ]);
  });

  test('is not known where a term of a difference is not, and says for how long', () => {
    const silent: Course = (time) => (time < monday + 6 * hour ? null : 4);
    const [electricity] = consumed(campus, { main: () => 10, canteen: silent });
    const rest = electricity?.subItems.find(({ subItem }) => subItem === 'lighting_sockets');
    expect(rest?.amount).toEqual({ value: 108, known: 0.75, estimated: 0 });
    expect(rest?.buckets[0]?.amount).toBeNull();
    expect(electricity?.amount).toMatchObject({ value: 240, known: 1 });
  });

  test('a missing meter makes what depends on it not known, and nothing else', () => {
    const missing = { ...real('canteen', { under: 'main' }), source: { kind: 'missing' as const, why: 'no point' } };
    const [electricity] = consumed([campus[0] ?? real('main'), missing], { main: () => 10 });
    expect(electricity?.amount.value).toBe(240);
    expect(electricity?.buildings.map(({ amount }) => amount.value)).toEqual([null, null]);
  });

  test('a sum that is only looked at is counted nowhere', () => {
    const plan = planOf([real('a'), real('b'), sumOf('both', ['a', 'b'])]);
    const tree = treeOf(plan);
    expect(tree.isView('both')).toBe(true);
    expect(tree.rootsOf('electricity').map(({ id }) => id)).toEqual(['a', 'b']);
    const amounts = amountsOf(tree, risesOf({ a: () => 1, b: () => 2 }), today, '1h');
    expect(totalOf(amounts.ofMeter('both')).value).toBeCloseTo(72, 9);
    expect(consumptionOf(amounts)[0]?.amount.value).toBeCloseTo(72, 9);
  });

  test('a sum that gathers what hangs under it is the campus: roof and grid less what is sold', () => {
    const plan = planOf([
      sumOf('campus', ['grid', 'roof', '-sold']),
      real('grid', { under: 'campus' }),
      real('roof', { under: 'campus' }),
      real('sold', { under: 'campus' }),
    ]);
    const amounts = amountsOf(treeOf(plan), risesOf({ grid: () => 5, roof: () => 4, sold: () => 1 }), today, '1h');
    const [electricity] = consumptionOf(amounts);
    expect(electricity?.amount.value).toBeCloseTo(192, 9);
    expect(electricity?.buildings.map(({ amount }) => amount.value)).toEqual([192]);
  });

  test('virtual meters of virtual meters come down to real ones', () => {
    const plan = planOf([real('main'), real('a'), sumOf('x', ['main', '-a']), sumOf('y', ['main', '-x'])]);
    expect([...treeOf(plan).coefficientsOf('y')]).toEqual([['a', 1]]);
  });
});

describe('balance', () => {
  const plan = planOf([real('main', { accuracy: 0.01 }), real('a', { under: 'main' }), real('b', { under: 'main' })]);
  const of = (b: Course) => balanceOf(amountsOf(treeOf(plan), risesOf({ main: () => 10, a: () => 6, b }), today, '1h'));

  test('a difference within the classes of the meters and the losses of lines is explained', () => {
    expect(of(() => 3.7)[0]).toMatchObject({ meter: 'main', isExplained: true, known: 1 });
  });

  test('one beyond them is not, in both directions', () => {
    const [less] = of(() => 2);
    expect(less?.difference).toBeCloseTo(48, 9);
    expect(less?.isExplained).toBe(false);
    expect(of(() => 6)[0]).toMatchObject({ isExplained: false });
    expect(of(() => 6)[0]?.difference).toBeLessThan(0);
  });

  test('compares only the time in which all meters are known', () => {
    const [found] = of((time) => (time < monday + 12 * hour ? null : 4));
    expect(found?.known).toBe(0.5);
    expect(found?.main).toBeCloseTo(120, 9);
    expect(found?.isExplained).toBe(true);
  });

  test('is not asked where a sum takes the rest by definition', () => {
    const amounts = amountsOf(
      treeOf(planOf([real('main'), real('a', { under: 'main' }), sumOf('rest', ['main', '-a'], { under: 'main' })])),
      risesOf({ main: () => 10, a: () => 1 }),
      today,
      '1h',
    );
    expect(unaccountedOf(amounts, real('main'))).toBeNull();
  });

  test('phases are as uneven as the one that is farthest from their mean', () => {
    expect(phaseBalanceOf([10, 10, 16])?.imbalance).toBeCloseTo(4 / 12, 9);
    expect(phaseBalanceOf([10, null, 16])).toBeNull();
    expect(phaseBalanceOf([0, 0, 0])).toBeNull();
  });
});

test('buildings are ranked by m2 and by head, those of which it is not known last', () => {
  const meters = ['a', 'b', 'c'].map((id) => real(id, { buildings: [{ building: id, share: 1 }] }));
  const plan = planOf(meters, {
    buildings: [
      { building: 'a', area: 1_000, people: 10 },
      { building: 'b', area: 100, people: 100 },
    ],
  });
  const [electricity] = consumptionOf(
    amountsOf(treeOf(plan), risesOf({ a: () => 10, b: () => 5, c: () => 99 }), today, '1h'),
  );
  if (electricity === undefined) throw new Error('no electricity');
  expect(rankingOf(plan, electricity, 'perArea').map(({ building, perArea }) => [building, perArea])).toEqual([
    ['b', 1.2],
    ['a', 0.24],
    ['c', null],
  ]);
  expect(rankingOf(plan, electricity, 'perHead').map(({ building }) => building)).toEqual(['a', 'b', 'c']);
  expect(rankingOf(plan, electricity, 'amount').map(({ building }) => building)).toEqual(['c', 'a', 'b']);
});

describe('days as the campus lives them', () => {
  test('weeks begin on Monday and months on the first', () => {
    const thursday = monday + 3 * day + 5 * hour;
    expect(periodAt(shanghai, 'week', thursday)).toMatchObject({ from: monday, to: monday + 7 * day });
    const month = periodAt(shanghai, 'month', thursday);
    expect(month.days.map(({ date }) => date)).toEqual(
      Array.from({ length: 30 }, (_, i) => `2026-11-${String(i + 1).padStart(2, '0')}`),
    );
    expect(periodBefore(shanghai, month).days.length).toBe(31);
  });

  test('a day of summer time has 23 or 25 hours, and its hours keep their names', () => {
    const berlin = createLocalTime('Europe/Berlin');
    const march = daysOf(berlin, { from: Date.UTC(2026, 2, 28, 23), to: Date.UTC(2026, 2, 30, 22) });
    expect(march.map(({ from, to }) => (to - from) / hour)).toEqual([23, 24]);
    const [october] = daysOf(berlin, { from: Date.UTC(2026, 9, 24, 22), to: Date.UTC(2026, 9, 25, 23) });
    expect(((october?.to ?? 0) - (october?.from ?? 0)) / hour).toBe(25);
    expect(minuteOfDay(berlin, Date.UTC(2026, 9, 25, 0, 30))).toBe(150);
    expect(minuteOfDay(berlin, Date.UTC(2026, 9, 25, 1, 30))).toBe(150);
    expect(periodAt(berlin, 'month', Date.UTC(2026, 9, 15)).days.length).toBe(31);
  });

  test('a clock that remembers tells the same as one that does not', () => {
    for (const zone of [
      'Europe/Berlin',
      'Asia/Shanghai',
      'Asia/Kathmandu',
      'Australia/Lord_Howe',
      'America/St_Johns',
    ]) {
      const clock = createLocalTime(zone);
      const quick = remembering(clock);
      for (let time = Date.UTC(2026, 2, 27); time < Date.UTC(2026, 3, 6); time += 2.5 * hour) {
        expect(dayAt(quick, time)).toEqual(dayAt(clock, time));
        expect(minuteOfDay(quick, time)).toBe(minuteOfDay(clock, time));
      }
    }
  });
});
