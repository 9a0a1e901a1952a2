import { describe, expect, test } from 'vitest';
import type { EnergyMeter } from '#edge/domain/energy.ts';
import { type FindingMemory, type FindingStep, stepFindings, type Verdict } from '#edge/energy/findings.ts';
import { judgeDay, type MeasuredMeans } from '#edge/energy/judge-day.ts';
import { dayAt } from '#edge/energy/local-days.ts';
import { againstBaseline, baselineOf, loadProfileOf, nightLoadOf } from '#edge/energy/profile.ts';
import { treeOf } from '#edge/energy/tree.ts';
import { createLocalTime } from '#edge/web/local-time.ts';
import { type Course, day, hour, monday, planOf, real, risesOf, schoolDays, shanghai, tariff } from './campus.ts';

/** A school: 40 kW in lessons, 5 kW at night and on days off. */
const school: Course = (time) => {
  const at = ((time - monday) % day) / hour;
  return Math.floor((time - monday) / day) % 7 < 5 && at >= 7 && at < 18 ? 40 : 5;
};
const today = monday + 63 * day;

describe('what is usual', () => {
  const history = (course: Course) => risesOf({ main: course })('main', { from: today - 56 * day, to: today }, '1h');

  test('is the median of the last four days like it', () => {
    const odd: Course = (time) => (time >= today - 7 * day && time < today - 6 * day ? 400 : school(time));
    const baseline = baselineOf(history(odd), dayAt(shanghai, today), schoolDays, shanghai);
    expect(baseline).toMatchObject({ basis: 'weekday', total: 11 * 40 + 13 * 5 });
    expect(baseline?.days.map(({ weekday }) => weekday)).toEqual([1, 1, 1, 1]);
    expect(baseline?.slots.find(({ minute }) => minute === 600)?.amount).toBe(40);
  });

  test('of a holiday on a Monday is that of other days off', () => {
    const type = (one: { readonly from: number; readonly weekday: number }) =>
      one.from === today || one.weekday > 5 ? 'off' : 'school';
    const baseline = baselineOf(history(school), dayAt(shanghai, today), type, shanghai);
    expect(baseline).toMatchObject({ basis: 'day-type', total: 120 });
  });

  test('passes over days that are not known, and needs two', () => {
    const gone: Course = (time) => (time < today - 8 * day ? null : school(time));
    expect(baselineOf(history(gone), dayAt(shanghai, today), schoolDays, shanghai)?.basis).toBe('day-type');
    expect(
      baselineOf(
        history(() => null),
        dayAt(shanghai, today),
        schoolDays,
        shanghai,
      ),
    ).toBeNull();
  });

  test('is compared hour by hour with what is over and known', () => {
    const baseline = baselineOf(history(school), dayAt(shanghai, today), schoolDays, shanghai);
    if (baseline === null) throw new Error('no baseline');
    const own = risesOf({ main: (time) => (time < today + 2 * hour ? null : 10) })(
      'main',
      { from: today, to: today + day },
      '1h',
    );
    const upTo = today + 9.5 * hour;
    expect(againstBaseline(own, baseline, shanghai, upTo)).toEqual({
      amount: 70,
      usual: 5 * 5 + 2 * 40,
      ratio: 70 / 105,
    });
  });

  test('a day of 25 hours has its doubled hour in one slot', () => {
    const berlin = createLocalTime('Europe/Berlin');
    const from = Date.UTC(2026, 9, 24, 22);
    const profile = loadProfileOf(risesOf({ main: () => 3 })('main', { from, to: from + 25 * hour }, '1h'), berlin);
    expect(profile.length).toBe(24);
    expect(profile.find(({ minute }) => minute === 120)).toEqual({ minute: 120, power: 3, days: 2 });
  });

  test('the base load of the night is what runs from midnight to five', () => {
    const buckets = risesOf({ main: school })('main', { from: monday, to: monday + day }, '15min');
    expect(nightLoadOf(buckets, shanghai)).toEqual({ power: 5, lowest: 5, known: 5 * hour });
  });
});

describe('a day is judged', () => {
  const judge = (
    meter: EnergyMeter,
    course: Course,
    more: { measured?: MeasuredMeans; others?: EnergyMeter[]; courses?: Record<string, Course>; limit?: number } = {},
  ) => {
    const demand =
      more.limit === undefined
        ? []
        : [
            {
              meter: meter.id,
              limit: more.limit,
              window: 900_000,
              kind: 'fixed' as const,
              tiers: [],
              protected: { outputs: [], zones: [], spaces: [] },
              stagger: 30_000,
            },
          ];
    const tariffs = [tariff({ price: 1, powerFactor: 0.9 }), tariff({ medium: 'water', price: 4 })];
    const plan = planOf([meter, ...(more.others ?? [])], { tariffs, demand });
    const rises = risesOf({ [meter.id]: course, ...more.courses });
    const verdicts = judgeDay({
      tree: treeOf(plan),
      day: dayAt(shanghai, today),
      rises,
      clock: shanghai,
      dayType: schoolDays,
      ...(more.measured === undefined ? {} : { measured: more.measured }),
    });
    return (kind: Verdict['kind']) => verdicts.find((one) => one.kind === kind && one.meter === meter.id);
  };
  const onToday = (time: number) => time >= today && time < today + day;

  test('a usual day finds nothing', () => {
    const found = judge(real('main'), school);
    expect([found('high-day')?.says, found('low-day')?.says, found('high-night')?.says]).toEqual(['no', 'no', 'no']);
    expect(found('leak')).toBeUndefined();
  });

  test('half as much again is high, with what it costs; half is low', () => {
    const high = judge(real('main'), (time) => (school(time) ?? 0) * (onToday(time) ? 1.5 : 1))('high-day');
    expect(high).toMatchObject({ says: 'yes', found: 757.5, expected: 505, costPerDay: 252.5 });
    expect(judge(real('main'), (time) => (school(time) ?? 0) * (onToday(time) ? 1.2 : 1))('high-day')?.says).toBe(
      'between',
    );
    expect(judge(real('main'), (time) => (school(time) ?? 0) * (onToday(time) ? 0.4 : 1))('low-day')?.says).toBe('yes');
  });

  test('a night above the usual nights is found, in kW', () => {
    const night: Course = (time) => (onToday(time) ? Math.max(8, school(time) ?? 0) : school(time));
    expect(judge(real('main'), night)('high-night')).toMatchObject({
      says: 'yes',
      found: 8,
      expected: 5,
      unit: 'kW',
      costPerDay: 72,
    });
  });

  test('water that never stands still all night is a leak; one that does is none', () => {
    const water = real('water', { medium: 'water' });
    const leak = judge(water, () => 0.1)('leak');
    expect(leak).toMatchObject({ says: 'yes', unit: 'm3/h' });
    expect(leak?.found).toBeCloseTo(0.1, 9);
    expect(leak?.costPerDay).toBeCloseTo(9.6, 9);
    expect(judge(water, (time) => (time >= today + 3 * hour && time < today + 4 * hour ? 0 : 0.1))('leak')?.says).toBe(
      'no',
    );
    expect(judge(water, () => null)('leak')?.says).toBe('unknown');
  });

  test('a difference counts where the meters below are meant to count all of it', () => {
    const others = [real('sub', { under: 'main' })];
    const courses = { sub: () => 8 };
    expect(judge(real('main'), () => 10, { others, courses })('unaccounted')).toBeUndefined();
    const found = judge(real('main', { complete: true }), () => 10, { others, courses })('unaccounted');
    expect(found).toMatchObject({ says: 'yes', unit: 'kW.h' });
    expect(found?.found).toBeCloseTo(7 * 24 * 2, 6);
    expect(found?.costPerDay).toBeCloseTo(48, 6);
  });

  test('phases, power factor and demand are judged where they are told', () => {
    const main = real('main');
    const source =
      main.source.kind === 'real'
        ? { ...main.source, phases: [main.source.energy, main.source.energy, main.source.energy] }
        : main.source;
    const measured: MeasuredMeans = { phases: () => [10, 10, 22], powerFactor: () => ({ mean: 0.8 }) };
    const found = judge({ ...main, source }, school, { measured, limit: 30 });
    expect(found('imbalance')).toMatchObject({ says: 'yes' });
    expect(found('power-factor')).toMatchObject({ says: 'yes', found: 0.8, expected: 0.9 });
    expect(found('power-factor')?.costPerDay).toBeCloseTo(505 * 0.05, 6);
    expect(found('over-demand')).toMatchObject({ says: 'yes', found: 40, expected: 30 });
    expect(judge(main, school, { limit: 41 })('over-demand')?.says).toBe('no');
  });

  test('the first nights of a term are those of a term, not of the holidays before it', () => {
    // A school with dormitories: 20 kW at night in term, 5 kW in the four weeks of holidays that ended yesterday.
    const holidays = { from: today - 28 * day, to: today };
    const dormitories: Course = (time) => (time >= holidays.from && time < holidays.to ? 5 : 20);
    const dayType = ({ from }: { readonly from: number }) =>
      from >= holidays.from && from < holidays.to ? 'off' : 'school';
    const verdicts = judgeDay({
      tree: treeOf(planOf([real('main')])),
      day: dayAt(shanghai, today),
      rises: risesOf({ main: dormitories }),
      clock: shanghai,
      dayType,
    });
    expect(verdicts.find(({ kind }) => kind === 'high-night')).toMatchObject({ says: 'no', found: 20, expected: 20 });
  });

  test('a sum from which what is fed in is taken off may be below 0, and is judged by no share of itself', () => {
    for (const share of [0.3, 1, 1.6]) {
      const net: Course = (time) => -(school(time) ?? 0) * (onToday(time) ? share : 1);
      const found = judge(real('main'), net);
      expect([found('high-day')?.says, found('low-day')?.says, found('high-night')?.says]).toEqual(['no', 'no', 'no']);
    }
  });

  test('a day that is not known says nothing', () => {
    const found = judge(real('main'), (time) => (onToday(time) ? null : school(time)));
    expect([found('high-day')?.says, found('low-day')?.says, found('high-night')?.says]).toEqual([
      'unknown',
      'unknown',
      'unknown',
    ]);
  });
});

describe('findings', () => {
  const meters = new Set(['main', 'water']);
  const look = (dayNumber: number, says: Verdict['says'], kind: Verdict['kind'] = 'high-night'): Verdict => ({
    kind,
    meter: 'main',
    says,
    from: monday + dayNumber * day,
    to: monday + (dayNumber + 1) * day,
    found: 8,
    expected: 5,
    unit: 'kW',
    costPerDay: 3,
  });
  const live = (says: readonly Verdict['says'][], kind?: Verdict['kind']): FindingStep[] => {
    let memory: FindingMemory = {};
    return says.map((one, i) => {
      const step = stepFindings(memory, [look(i, one, kind)], monday + (i + 1) * day, meters);
      memory = JSON.parse(JSON.stringify(step.memory));
      return step;
    });
  };
  const stands = (steps: readonly FindingStep[]) => steps.map(({ findings }) => findings.length);

  test('one begins when it was so on two nights in a row, and is told since the first', () => {
    const steps = live(['yes', 'yes', 'yes']);
    expect(stands(steps)).toEqual([0, 1, 1]);
    expect(steps.map(({ began }) => began.length)).toEqual([0, 1, 0]);
    expect(steps[2]?.findings[0]).toMatchObject({ from: monday, to: monday + 3 * day });
  });

  test('one night, or one that is not clear, begins nothing', () => {
    expect(stands(live(['yes', 'no', 'yes', 'between', 'yes', 'no']))).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('one stands while nobody can say, and ends when it was clearly not so twice in a row', () => {
    const steps = live(['yes', 'yes', 'between', 'no', 'between', 'no', 'unknown', 'no']);
    expect(stands(steps)).toEqual([0, 1, 1, 1, 1, 1, 1, 0]);
    expect(steps[7]?.ended.length).toBe(1);
  });

  test('one that nobody could judge for a week is dropped', () => {
    expect(stands(live(['yes', 'yes', ...Array<Verdict['says']>(8).fill('unknown')])).at(-1)).toBe(0);
  });

  test('the same day is not counted twice', () => {
    const first = stepFindings({}, [look(0, 'yes')], monday + day, meters);
    const again = stepFindings(first.memory, [look(0, 'yes')], monday + day, meters);
    expect(again.findings).toEqual([]);
    expect(again.memory).toEqual(first.memory);
  });

  test('one that began with a day ends when that day turns out to have been as usual after all', () => {
    const day0 = (says: Verdict['says']) => look(0, says, 'high-day');
    const first = stepFindings({}, [day0('yes')], monday + day, meters);
    expect(first.findings.length).toBe(1);
    const corrected = stepFindings(first.memory, [day0('no')], monday + day, meters);
    expect([corrected.findings, corrected.ended.length, corrected.memory]).toEqual([[], 1, {}]);
    // What was so on the day before, too, needs two days in order.
    const second = stepFindings(first.memory, [look(1, 'yes', 'high-day')], monday + 2 * day, meters);
    expect(stepFindings(second.memory, [look(1, 'no', 'high-day')], monday + 2 * day, meters).findings.length).toBe(1);
  });

  test('of a meter that is no more nothing is left, and it is told as ended', () => {
    const [step] = live(['yes'], 'over-demand').slice(-1);
    const next = stepFindings(step?.memory ?? {}, [], monday + 2 * day, new Set(['water']));
    expect(next.findings).toEqual([]);
    expect(next.ended.length).toBe(1);
  });
});
