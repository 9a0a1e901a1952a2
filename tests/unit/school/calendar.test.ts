import chineseDays from 'chinese-days';
import { describe, expect, test } from 'vitest';
import type { HolidayYear } from '#edge/domain/school.ts';
import { addDays, datesFrom, isDate, weekdayOf } from '#edge/school/dates.ts';
import { officialDays, parseHolidayYear } from '#edge/school/holidays.ts';
import { createSchoolClock } from '#edge/school/local-clock.ts';
import { occurrencesOf } from '#edge/school/occurrences.ts';
import { officialYears } from '#edge/school/official-holidays.ts';
import { compilePlan } from '#edge/school/plan.ts';
import { dayOf } from '#edge/school/resolve-day.ts';
import { autumn, both, days, exam, hour, item, layer, plan, season, timetable, zone, zones } from './school-plan.ts';

/** The notice for 2026, written out once more by hand. */
const off2026 = [
  ...datesFrom('2026-01-01', '2026-01-03'),
  ...datesFrom('2026-02-15', '2026-02-23'),
  ...datesFrom('2026-04-04', '2026-04-06'),
  ...datesFrom('2026-05-01', '2026-05-05'),
  ...datesFrom('2026-06-19', '2026-06-21'),
  ...datesFrom('2026-09-25', '2026-09-27'),
  ...datesFrom('2026-10-01', '2026-10-07'),
];
const work2026 = ['2026-01-04', '2026-02-14', '2026-02-28', '2026-05-09', '2026-09-20', '2026-10-10'];

/** One term and one season over a whole year, so that only the state and the weekday speak. */
function wholeYear(year: number) {
  const from = addDays(`${year}-01-01`, 1 - weekdayOf(`${year}-01-01`));
  return compilePlan(
    {
      ...autumn,
      term: { part: 'term', name: both('Year'), from, weeks: 53 },
      season: season({ from, to: addDays(from, 53 * 7 - 1) }),
    },
    { clock: createSchoolClock('Asia/Shanghai'), holidays: officialYears, zones },
  );
}

describe('official holidays', () => {
  test('every day of 2026 is what the notice says, and the weekday says where the notice is silent', () => {
    const year = wholeYear(2026);
    const dates = datesFrom('2026-01-01', '2026-12-31');
    expect(dates).toHaveLength(365);
    for (const date of dates) {
      const expected = off2026.includes(date)
        ? 'holiday'
        : work2026.includes(date)
          ? 'make-up'
          : weekdayOf(date) > 5
            ? 'weekend'
            : 'school';
      expect(dayOf(year, date, 'campus').kind, date).toBe(expected);
    }
  });

  test.each([2025, 2026])('every day of %i agrees with an independent package', (of) => {
    const year = wholeYear(of);
    for (const date of datesFrom(`${of}-01-01`, `${of}-12-31`)) {
      const works = ['school', 'make-up'].includes(dayOf(year, date, 'campus').kind);
      expect(works, date).toBe(chineseDays.isWorkday(date));
    }
  });

  test('every day of 2027 is unconfirmed, where the package calls the first of October a working day', () => {
    const year = wholeYear(2027);
    expect(chineseDays.isWorkday('2027-10-01')).toBe(true);
    for (const date of datesFrom('2027-01-01', '2027-12-31')) {
      expect(dayOf(year, date, 'campus').unconfirmed).toContainEqual({
        code: 'unconfirmed-year',
        params: { year: 2027 },
      });
    }
    expect(dayOf(year, '2027-10-01', 'campus').kind).toBe('school');
    expect(dayOf(year, '2026-12-31', 'campus').unconfirmed).toEqual([]);
  });

  test('a painted day of a year without data is unconfirmed as well', () => {
    const { unconfirmed } = dayOf(plan({ free: days('2027-01-04', { kind: 'holiday' }) }), '2027-01-04', 'campus');
    expect(unconfirmed.map(({ code }) => code)).toEqual(['unconfirmed-year']);
  });

  test('ship with the program without a mistake', () => {
    expect(officialYears.map(({ year }) => year)).toEqual([2025, 2026]);
  });

  test('a file with a mistake is refused, and every mistake is named', () => {
    const good: HolidayYear = {
      ...{ year: 2027, source: 'A notice', published: '2026-11-30' },
      days: [{ date: '2027-01-01', off: true, name: both('New Year') }],
    };
    expect(parseHolidayYear(good).year).toEqual(good);
    const [day] = good.days;
    const bad = { ...good, published: 'soon', days: [day, day, { ...day, date: '2027-02-30' }], extra: 1 };
    expect(parseHolidayYear(bad).mistakes?.map(({ path }) => path)).toEqual(['extra', 'published']);
    expect(parseHolidayYear({ ...good, days: [day, { ...day, date: '2027-02-30' }] }).mistakes).toEqual([
      { path: 'days[1].date', code: 'not-a-date' },
    ]);
    expect(parseHolidayYear({ ...good, days: [day, day] }).mistakes).toEqual([
      { path: 'days[1].date', code: 'date-twice' },
    ]);
    expect(parseHolidayYear({ ...good, days: [{ ...day, date: '2024-01-01' }] }).mistakes?.[0]?.code).toBe(
      'other-year',
    );
    expect(parseHolidayYear(null).mistakes?.[0]?.code).toBe('not-an-object');
  });

  test('a corrected notice replaces the one before it', () => {
    const first: HolidayYear = {
      ...{ year: 2027, source: 'first', published: '2026-11-01' },
      days: [{ date: '2027-01-02', off: true, name: both('New Year') }],
    };
    const corrected = {
      ...first,
      published: '2026-12-01',
      days: [{ ...first.days[0], date: '2027-01-03', off: true, name: both('x') }],
    };
    const known = officialDays([corrected, first]);
    expect([known.of('2027-01-02'), known.of('2027-01-03')?.off, known.knows(2027)]).toEqual([null, true, true]);
  });
});

describe('weeks', () => {
  test('are counted and called odd or even from the Monday of each term', () => {
    const school = plan({
      spring: { part: 'term', name: both('Spring'), from: '2027-02-22', weeks: 18 },
    });
    const week = (date: string) => {
      const found = dayOf(school, date, 'campus').week;
      return found === null ? null : `${found.term} ${found.number} ${found.parity}`;
    };
    expect(week('2026-08-30')).toBe(null);
    expect(week('2026-08-31')).toBe('term 1 odd');
    expect(week('2026-09-06')).toBe('term 1 odd');
    expect(week('2026-09-07')).toBe('term 2 even');
    expect(week('2027-01-17')).toBe('term 20 even');
    expect(week('2027-01-18')).toBe(null);
    // Two terms that begin in weeks of different parity of the year (ISO weeks 36 and 8): each counts for itself.
    expect(week('2027-02-22')).toBe('spring 1 odd');
    expect(week('2027-03-01')).toBe('spring 2 even');
  });

  test('of different parity may have different timetables', () => {
    const weekly = [
      { days: [5] as const, parity: 'even' as const, timetable: 'late' },
      { days: [1, 2, 3, 4, 5] as const, timetable: 'usual' },
    ];
    const school = plan({ season: season({ weekly }) });
    expect(dayOf(school, '2026-09-04', 'campus').timetable).toBe('usual');
    expect(dayOf(school, '2026-09-11', 'campus').timetable).toBe('late');
    expect(dayOf(school, '2026-09-10', 'campus').timetable).toBe('usual');
  });

  test('before the term opens and after it closes there is vacation, though the weeks count', () => {
    const term = {
      part: 'term',
      name: both('Autumn'),
      from: '2026-08-31',
      weeks: 20,
      opens: '2026-09-02',
      closes: '2027-01-13',
    } as const;
    const school = plan({ term });
    expect(dayOf(school, '2026-09-01', 'campus')).toMatchObject({ kind: 'vacation', week: { number: 1 }, slots: [] });
    expect(dayOf(school, '2026-09-02', 'campus').kind).toBe('school');
    expect(dayOf(school, '2027-01-14', 'campus').kind).toBe('vacation');
  });
});

describe('a make-up day', () => {
  const saturday = '2026-10-10';

  test('has the lessons of the weekday and the week that people gave it', () => {
    const weekly = [
      { days: [3] as const, parity: 'odd' as const, timetable: 'late' },
      { days: [1, 2, 3, 4, 5] as const, timetable: 'usual' },
    ];
    const painted = days(saturday, { kind: 'make-up', useWeekday: 3 });
    const own = dayOf(plan({ season: season({ weekly }), painted }), saturday, 'campus');
    expect(own).toMatchObject({ kind: 'make-up', weekday: 6, lessonsOf: 3, timetable: 'usual', unconfirmed: [] });
    const odd = plan({ season: season({ weekly }), painted: { ...painted, useParity: 'odd' } });
    expect(dayOf(odd, saturday, 'campus').timetable).toBe('late');
    expect(dayOf(odd, saturday, 'campus').week?.parity).toBe('even');
  });

  test('of which nobody said whose lessons it has is unconfirmed, and nothing rings', () => {
    const wednesdays = item({ when: { at: 8 * hour }, days: { kinds: ['make-up'], weekdays: [6] } });
    const clock = item({ when: { at: 8 * hour } });
    const school = plan({ wednesdays, clock, painted: days('2026-09-20', { kind: 'make-up' }) });
    for (const date of [saturday, '2026-09-20']) {
      const day = dayOf(school, date, 'campus');
      expect(day).toMatchObject({ kind: 'make-up', lessonsOf: null, timetable: null, slots: [] });
      expect(day.unconfirmed.map(({ code }) => code)).toEqual(['make-up-no-weekday']);
      expect(occurrencesOf(school, date, [])).toEqual([]);
    }
  });

  test('counts as the weekday whose lessons it has', () => {
    const wednesdays = item({ when: { at: 8 * hour }, days: { kinds: [], weekdays: [3] } });
    const school = plan({ wednesdays, painted: days(saturday, { kind: 'make-up', useWeekday: 3 }) });
    expect(occurrencesOf(school, saturday, []).map(({ entry }) => entry)).toContain('wednesdays');
  });
});

describe('what is painted', () => {
  test('is stronger than an examination, the term, the state and the weekday', () => {
    const school = plan({
      exam: exam({ papers: [{ name: both('Chinese'), date: '2026-11-11', at: 9 * hour, minutes: 100 }] }),
      sports: days('2026-11-11', { kind: 'event' }),
      camp: days('2026-08-20', { kind: 'school' }),
      open: days('2026-10-02', { kind: 'school', useWeekday: 1 }),
      saturday: days('2026-11-14', { kind: 'school', timetable: 'late' }),
    });
    expect(dayOf(school, '2026-11-11', 'campus')).toMatchObject({ kind: 'event', slots: [] });
    expect(dayOf(school, '2026-08-20', 'campus')).toMatchObject({ kind: 'school', week: null });
    expect(dayOf(school, '2026-10-02', 'campus')).toMatchObject({ kind: 'school', lessonsOf: 1, timetable: 'usual' });
    expect(dayOf(school, '2026-11-14', 'campus')).toMatchObject({ kind: 'school', lessonsOf: 6, timetable: 'late' });
  });

  test('for one day is stronger than for many in the same layer', () => {
    const school = plan({
      camp: days('2026-09-01', { to: '2026-09-10' }),
      back: days('2026-09-05', { kind: 'school', useWeekday: 1 }),
    });
    expect(school.mistakes).toEqual([]);
    expect([dayOf(school, '2026-09-04', 'campus').kind, dayOf(school, '2026-09-05', 'campus').kind]).toEqual([
      'event',
      'school',
    ]);
  });

  test('comes with its reasons, from what decided down to the timetable', () => {
    const { why } = dayOf(
      plan({ swap: days('2026-09-05', { kind: 'make-up', useWeekday: 1 }) }),
      '2026-09-05',
      'campus',
    );
    expect(why.map(({ code, entry }) => `${code} ${entry}`)).toEqual([
      ...['painted swap', 'make-up swap', 'week term', 'season season', 'timetable usual'],
    ]);
  });
});

describe('layers', () => {
  const school = plan({
    'grade-1': layer(['east']),
    'class-1': layer(['west'], { parent: 'grade-1', name: both('Class 1') }),
    'short-fridays': season({ layer: 'grade-1', name: both('Short'), weekly: [{ days: [5], timetable: 'late' }] }),
    walk: days('2026-09-09', { layer: 'grade-1' }),
  });

  test('say what differs and inherit the rest', () => {
    const friday = (of: string) => dayOf(school, '2026-09-11', of).timetable;
    expect([friday('campus'), friday('grade-1'), friday('class-1')]).toEqual(['usual', 'late', 'late']);
    const thursday = dayOf(school, '2026-09-10', 'grade-1');
    expect(thursday.timetable).toBe('usual');
    expect(thursday.why).toContainEqual({ code: 'inherited', params: { layer: 'campus' } });
    const walk = (of: string) => dayOf(school, '2026-09-09', of).kind;
    expect([walk('campus'), walk('grade-1'), walk('class-1')]).toEqual(['school', 'event', 'event']);
  });

  test('ring in their own zones at their own times, and once where their times meet', () => {
    const friday = occurrencesOf(school, '2026-09-11', []).map(({ second, zones: where }) => [
      second / hour,
      [...where].sort(),
    ]);
    expect(friday[0]).toEqual([8, ['field', 'hall']]);
    expect(friday.at(-1)?.[1]).toEqual(['east', 'west']);
    const thursday = occurrencesOf(school, '2026-09-10', []);
    expect(thursday.map(({ zones: where }) => where.length)).toEqual([4, 4]);
    const walk = occurrencesOf(school, '2026-09-09', []);
    expect(walk.map(({ zones: where }) => [...where].sort())).toEqual([
      ['field', 'hall'],
      ['field', 'hall'],
    ]);
  });

  test('are told apart where they have no lessons but another kind of day', () => {
    const picnic = item({ when: { at: 8 * hour }, days: { kinds: ['event'], weekdays: [] } });
    const trip = plan({
      ...{ picnic, 'grade-1': layer(['east']) },
      ...{
        free: days('2026-09-09', { kind: 'holiday' }),
        walk: days('2026-09-09', { layer: 'grade-1', name: both('w') }),
      },
    });
    expect(occurrencesOf(trip, '2026-09-09', []).map(({ zones: where }) => where)).toEqual([['east']]);
  });

  test('a zone of two of them lives the day of the deeper one', () => {
    const deep = plan({ a: layer(['east']), b: layer(['east'], { parent: 'a', name: both('b') }) });
    expect([deep.layers.layerOf(zone('east')), deep.layers.layerOf(zone('hall'))]).toEqual(['b', 'campus']);
    expect(deep.mistakes).toEqual([]);
  });

  test('an unknown layer has the day of the campus', () => {
    expect(dayOf(school, '2026-09-11', 'nobody').layer).toBe('campus');
  });
});

describe('dates', () => {
  test('know the leap day and refuse one that is none', () => {
    expect([isDate('2028-02-29'), isDate('2026-02-29'), isDate('2100-02-29'), isDate('2026-2-9')]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(addDays('2028-02-28', 1)).toBe('2028-02-29');
    const leap = plan({
      term: { part: 'term', name: both('Spring'), from: '2028-02-21', weeks: 18 },
      season: season({ from: '2028-02-21', to: '2028-06-30' }),
    });
    expect(dayOf(leap, '2028-02-29', 'campus')).toMatchObject({ weekday: 2, week: { number: 2 }, timetable: 'usual' });
    expect(occurrencesOf(leap, '2028-02-29', [])[0]?.key).toBe('bell.lesson-1@2028-02-29T08:00:00');
  });

  test('a Saturday that the weekly pattern names is a school day', () => {
    const weekly = [{ days: [1, 2, 3, 4, 5, 6] as const, timetable: 'usual' }];
    const school = plan({ season: season({ weekly }), other: timetable(7 * hour) });
    expect(dayOf(school, '2026-09-12', 'campus')).toMatchObject({ kind: 'school', lessonsOf: 6, timetable: 'usual' });
    expect(dayOf(school, '2026-09-13', 'campus')).toMatchObject({ kind: 'weekend', lessonsOf: null, timetable: null });
  });
});
