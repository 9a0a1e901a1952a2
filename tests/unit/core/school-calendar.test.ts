import { describe, expect, test } from 'vitest';
import type { SchoolEntries, SchoolOverride } from '#edge/domain/school.ts';
import { createSchoolCalendar, schoolLabels } from '#edge/processes/core/school-calendar.ts';
import { createSchoolClock } from '#edge/school/local-clock.ts';
import { officialYears } from '#edge/school/official-holidays.ts';
import { compilePlan, type SchoolPlan } from '#edge/school/plan.ts';

const timeZone = 'Asia/Shanghai';
const clock = createSchoolClock(timeZone);
const name = { zh: '秋季', en: 'Autumn' };
const hours = { weekly: [{ days: [1, 2, 3, 4, 5], from: 420, to: 1_110 }], exceptions: [] };
const entries: SchoolEntries = {
  autumn: { part: 'term', name, from: '2026-08-31', weeks: 20 },
  usual: {
    ...{ part: 'timetable', name, start: 8 * 3_600 },
    pieces: [
      { id: 'lesson-1', kind: 'lesson', name, minutes: 40 },
      { id: 'break-1', kind: 'break', name, minutes: 10 },
      { id: 'lesson-2', kind: 'lesson', name, minutes: 40 },
    ],
  },
  season: {
    ...{ part: 'season', name, layer: 'campus', from: '2026-08-31', to: '2027-01-31' },
    weekly: [{ days: [1, 2, 3, 4, 5], timetable: 'usual' }],
  },
  saturday: {
    ...{ part: 'days', name, layer: 'campus', from: '2026-11-28', to: '2026-11-28', kind: 'make-up', useWeekday: 3 },
  },
};
const at = (date: string, hour: number, minute = 0) => clock.timeOf(date, hour * 3_600 + minute * 60).at;

describe('the calendar of the school', () => {
  const plan = compilePlan(entries, { clock, holidays: officialYears, zones: [] });
  let signed: SchoolPlan | null = null;
  let said: readonly SchoolOverride[] = [];
  const calendar = createSchoolCalendar(hours, timeZone, () => ({
    clock,
    planOn: () => signed,
    overrides: () => said,
  }));

  test('knows its labels from the start, and while nothing is signed it has the opening hours only', () => {
    expect(calendar.labels).toEqual(['open', 'closed', ...schoolLabels]);
    const monday = at('2026-11-23', 8, 10);
    expect([calendar.is('open', monday), calendar.is('lesson', monday), calendar.is('school-day', monday)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('says what a signed plan says: lessons, breaks, holidays, make-up days, and when that changes', () => {
    signed = plan;
    calendar.forget();
    const during = (label: string, date: string, hour: number, minute = 0) =>
      calendar.is(label, at(date, hour, minute));
    expect(during('lesson', '2026-11-23', 8, 10)).toBe(true);
    expect(during('break', '2026-11-23', 8, 45)).toBe(true);
    expect(during('lesson', '2026-11-23', 8, 45)).toBe(false);
    expect(calendar.nextChange(at('2026-11-23', 8, 10))).toBe(at('2026-11-23', 8, 40));
    expect(calendar.nextChange(at('2026-11-23', 8, 40))).toBe(at('2026-11-23', 8, 50));
    expect([during('holiday', '2026-10-01', 10), during('open', '2026-10-01', 10)]).toEqual([true, false]);
    expect([during('make-up', '2026-11-28', 8, 10), during('lesson', '2026-11-28', 8, 10)]).toEqual([true, true]);
    expect([during('open', '2026-11-28', 10), during('closed', '2026-11-28', 22)]).toEqual([true, true]);
    expect([during('weekend', '2026-11-29', 10), during('no-school', '2026-11-29', 10)]).toEqual([true, true]);
    expect(during('anything', '2026-11-23', 8)).toBe(false);
  });

  test('follows a day that is shifted: the assembly that ran over makes its lesson longer, and all after it later', () => {
    const from = at('2026-11-23', 0);
    const shift = { kind: 'shift', date: '2026-11-23', after: 8 * 3_600 + 2_400, seconds: 600 } as const;
    const more = { layer: 'campus', from, until: from + 86_400_000, by: 'person:lin', why: 'assembly' };
    said = [{ id: 'later', what: shift, ...more }];
    calendar.forget();
    const is = (label: string, hour: number, minute: number) => calendar.is(label, at('2026-11-23', hour, minute));
    expect([is('lesson', 8, 45), is('break', 8, 55), is('lesson', 8, 55), is('lesson', 9, 35)]).toEqual([
      ...[true, true, false, true],
    ]);
    expect(calendar.nextChange(at('2026-11-23', 8, 10))).toBe(at('2026-11-23', 8, 50));
    said = [];
    calendar.forget();
  });
});
