import { describe, expect, test } from 'vitest';
import { adjustmentOf, costOf, demandChargeOf, powerFactorNote, stepFor, tariffPeriodAt } from '#edge/energy/cost.ts';
import { maxDemandOf } from '#edge/energy/demand.ts';
import { pricedRises } from '#edge/energy/priced.ts';
import { type Bucket, totalOf } from '#edge/energy/rises.ts';
import { createLocalTime } from '#edge/web/local-time.ts';
import { day, hour, monday, planOf, real, risesOf, shanghai, tariff } from './campus.ts';

const name = { zh: '段', en: 'Period' };
const period = (id: string, price: number, from: number, to: number, more = {}) => ({
  id,
  name,
  price,
  months: [],
  days: [],
  times: [{ from: from * 60, to: to * 60 }],
  ...more,
});
const steady = (from: number, to: number, step: '1h' | '15min' = '1h') =>
  risesOf({ main: () => 1 })('main', { from, to }, step);

describe('cost', () => {
  const tariffs = [tariff({ price: 0.6, periods: [period('peak', 1, 8, 12), period('valley', 0.3, 23, 7)] })];

  test('each hour costs what its period says, over midnight too', () => {
    const cost = costOf(planOf([real('main')], { tariffs }), 'electricity', steady(monday, monday + day), shanghai);
    expect(cost.parts.map(({ period: id, amount }) => [id, amount])).toEqual([
      ['peak', 4],
      [null, 12],
      ['valley', 8],
    ]);
    expect(cost.total).toBeCloseTo(4 + 7.2 + 2.4, 9);
    expect(cost.currency).toBe('CNY');
  });

  test('what runs over midnight belongs to the day on which it began', () => {
    const one = tariff({ periods: [period('sunday-night', 0.1, 22, 6, { days: [7] })] });
    expect(tariffPeriodAt(one, shanghai, monday + 3 * hour)?.id).toBe('sunday-night');
    expect(tariffPeriodAt(one, shanghai, monday + 23 * hour)).toBeNull();
    expect(tariffPeriodAt(one, shanghai, monday + day + 3 * hour)).toBeNull();
  });

  test('a tariff is valid from its day on until the next one', () => {
    const change = [tariff({ from: '2026-11-03', price: 2 }), tariff({ from: '2026-10-01', price: 1 })];
    const cost = costOf({ tariffs: change }, 'electricity', steady(monday, monday + 2 * day), shanghai);
    expect(cost.total).toBeCloseTo(24 + 48, 9);
    expect(cost.parts.length).toBe(2);
  });

  test('an amount without a tariff has no price, and that is told', () => {
    const cost = costOf(
      { tariffs: [tariff({ from: '2026-11-03' })] },
      'electricity',
      steady(monday, monday + 2 * day),
      shanghai,
    );
    expect(cost.unpriced).toBeCloseTo(24, 9);
    expect(cost.total).toBeCloseTo(24 * 0.6, 9);
  });

  test('what is not known costs nothing and is told; what is estimated is told too', () => {
    const [first, second, ...rest] = steady(monday, monday + 4 * hour);
    if (first === undefined || second === undefined) throw new Error('no buckets');
    const holes: Bucket[] = [{ ...first, amount: null, known: 0 }, { ...second, estimated: 1 }, ...rest];
    const cost = costOf({ tariffs: [tariff({ price: 1 })] }, 'electricity', holes, shanghai);
    expect(cost).toMatchObject({ total: 3, known: 0.75, estimated: 1 });
  });

  test('on the day on which the clock is put back the hour that comes twice costs twice', () => {
    const berlin = createLocalTime('Europe/Berlin');
    const night = [tariff({ price: 1, periods: [period('night', 0, 2, 3)] })];
    const from = Date.UTC(2026, 9, 24, 22);
    const cost = costOf({ tariffs: night }, 'electricity', steady(from, from + 25 * hour), berlin);
    expect(cost.parts.map(({ period: id, amount }) => [id, amount])).toEqual([
      [null, 23],
      ['night', 2],
    ]);
  });

  test('half hours need quarters, and so does a zone that is half an hour off', () => {
    const span = { from: monday, to: monday + day };
    const half = tariff({ periods: [{ ...period('a', 1, 0, 1), times: [{ from: 30, to: 90 }] }] });
    expect(stepFor({ tariffs }, 'electricity', shanghai, span)).toBe('1h');
    expect(stepFor({ tariffs: [half] }, 'electricity', shanghai, span)).toBe('15min');
    expect(stepFor({ tariffs: [] }, 'electricity', createLocalTime('Asia/Kolkata'), span)).toBe('15min');
  });
});

describe('demand', () => {
  const rises = risesOf({
    main: (time) => (time >= monday + 10.5 * hour && time < monday + 11 * hour ? 90 : 40),
  });
  const quarters = rises('main', { from: monday, to: monday + day }, '15min');

  test('the highest window of the day has its time', () => {
    expect(maxDemandOf(quarters, 900_000, 'fixed')).toMatchObject({
      max: { power: 90, from: monday + 10.5 * hour },
      windows: 96,
      unknown: 0,
    });
  });

  test('a sliding window finds the peak that two fixed ones share', () => {
    const minutes: Bucket[] = Array.from({ length: 60 }, (_, i) => {
      const from = monday + i * 60_000;
      return { from, to: from + 60_000, amount: (i >= 7 && i < 22 ? 120 : 30) / 60, known: 60_000, estimated: 0 };
    });
    const sliding = maxDemandOf(minutes, 900_000, 'sliding');
    expect(sliding.max?.power).toBeCloseTo(120, 9);
    expect(sliding.max?.from).toBe(monday + 7 * 60_000);
    expect(maxDemandOf(minutes, 900_000, 'fixed').max?.power).toBeCloseTo(78, 9);
  });

  test('a window with a gap or an estimate makes no peak and is counted as not known', () => {
    const holes = quarters.map((bucket, i) =>
      i === 42 ? { ...bucket, amount: 500, estimated: 500 } : i === 43 ? { ...bucket, amount: null, known: 0 } : bucket,
    );
    expect(maxDemandOf(holes, 900_000, 'fixed')).toMatchObject({ max: { power: 40 }, unknown: 2 });
  });

  test('is charged by the month', () => {
    const month = { from: monday - day, to: monday + 29 * day };
    expect(demandChargeOf({ tariffs: [tariff({ demandPrice: 40 })] }, 90, shanghai, month)).toMatchObject({
      cost: 3_600,
    });
    expect(demandChargeOf({ tariffs: [tariff()] }, 90, shanghai, month)).toBeNull();
  });
});

describe('power factor', () => {
  test.each([
    [0.9, 0.89, 0.005],
    [0.9, 0.7, 0.1],
    [0.9, 0.65, 0.15],
    [0.9, 0.64, 0.17],
    [0.9, 0.9, 0],
    [0.9, 0.92, -0.003],
    [0.9, 1, -0.0075],
    [0.85, 0.94, -0.011],
    [0.8, 1, -0.013],
  ])('of a standard of %d a month of %d changes the bill by %d', (standard, measured, share) => {
    expect(adjustmentOf(standard, measured)).toBeCloseTo(share, 9);
  });

  test('is of the energies, to two decimals, and an estimate beside the bill', () => {
    const note = powerFactorNote(tariff({ powerFactor: 0.9 }), { active: 800, reactive: 600 }, 1_000);
    expect(note).toEqual({ powerFactor: 0.8, required: 0.9, adjustment: 0.05, cost: 50 });
    expect(powerFactorNote(tariff(), { active: 800, reactive: 600 }, 1_000)).toBeNull();
    expect(powerFactorNote(tariff({ powerFactor: 0.88 }), { mean: 0.8 }, 1_000)?.adjustment).toBeNull();
  });
});

describe('prices that change at half past', () => {
  const half = (id: string, price: number, from: string, to: string) => ({
    ...period(id, price, 0, 1),
    times: [{ from: minute(from), to: minute(to) }],
  });
  const minute = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
  const tariffs = [
    tariff({ price: 0.6, periods: [half('peak', 1, '08:30', '11:30'), half('valley', 0.3, '23:00', '07:15')] }),
  ];
  const plan = planOf([real('main'), real('water', { medium: 'water' })], { tariffs });
  /** Of every quarter another; the meter is not heard for a while. */
  const course = (time: number) => {
    const at = (time - monday) / hour;
    return at > 30 && at < 33.6 ? null : 5 + 3 * Math.sin(at * 7);
  };
  const rises = risesOf({ main: course, water: course });
  const quartersIn = (id: string, from: number) => rises(id, { from, to: from + hour }, '15min');

  test('cost the same to the last digit, though only the hours in which they change are read by the quarter', () => {
    const asked: number[] = [];
    const counting = (id: string, from: number) => {
      asked.push(Math.round((((from - monday) % day) + day) % day) / hour);
      return quartersIn(id, from);
    };
    const span = { from: monday, to: monday + 7 * day };
    const priced = pricedRises(plan, shanghai, rises, counting)('main', span, '15min');
    const exact = rises('main', span, '15min');
    expect(priced.map(({ from, to }) => [from, to])).toEqual(exact.map(({ from, to }) => [from, to]));
    const [cost, truth] = [priced, exact].map((buckets) => costOf(plan, 'electricity', buckets, shanghai));
    expect(cost?.total).toBeCloseTo(truth?.total ?? Number.NaN, 9);
    expect(cost?.parts.map(({ cost: part }) => part.toFixed(9))).toEqual(
      truth?.parts.map(({ cost: part }) => part.toFixed(9)),
    );
    expect(totalOf(priced).value).toBeCloseTo(totalOf(exact).value ?? Number.NaN, 9);
    expect(totalOf(priced).known).toBeCloseTo(totalOf(exact).known, 9);
    expect(new Set(asked)).toEqual(new Set([7, 8, 11]));
  });

  test('leave alone what has whole hours, other media, and hours that are estimates', () => {
    const never = () => {
      throw new Error('nobody need ask');
    };
    const span = { from: monday, to: monday + day };
    expect(pricedRises(plan, shanghai, rises, never)('main', span, '1h')).toEqual(rises('main', span, '1h'));
    const water = pricedRises(plan, shanghai, rises, never)('water', span, '15min');
    expect(totalOf(water).value).toBeCloseTo(totalOf(rises('water', span, '1h')).value ?? Number.NaN, 9);
    const guessed: typeof rises = (...question) => rises(...question).map((one) => ({ ...one, estimated: 1 }));
    expect(pricedRises(plan, shanghai, guessed, never)('main', span, '15min').length).toBe(96);
  });

  test('of a span that ends within an hour are as the meter has them', () => {
    const span = { from: monday, to: monday + 8 * hour + 45 * 60_000 };
    const priced = pricedRises(plan, shanghai, rises, quartersIn)('main', span, '15min');
    expect(priced.slice(-3)).toEqual(rises('main', span, '15min').slice(-3));
  });
});
