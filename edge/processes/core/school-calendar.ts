import type { Calendar, OpeningHours } from '#edge/domain/calendar.ts';
import {
  campusLayer,
  type DayKind,
  type LocalDate,
  type SchoolOverride,
  type Slot,
  type SlotKind,
} from '#edge/domain/school.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import type { SchoolPlan } from '#edge/school/plan.ts';
import { shiftedDayOf } from '#edge/school/shifted-day.ts';
import type { SchoolBook } from './school-book.ts';

/*
 * The opening hours, and what the signed plan of the campus says of the day: rules may say "during lessons". Of a date for which nothing
 * is signed nothing is known: every label of the school is false, and open and closed are as in the site file.
 */

const kinds: Readonly<Record<string, readonly DayKind[]>> = {
  'school-day': ['school', 'make-up', 'exam', 'event'],
  'no-school': ['weekend', 'holiday', 'vacation'],
  exam: ['exam'],
  holiday: ['holiday'],
  vacation: ['vacation'],
  weekend: ['weekend'],
  'make-up': ['make-up'],
};
const slots: Readonly<Record<string, readonly SlotKind[]>> = {
  lesson: ['lesson'],
  break: ['break', 'long-break', 'exercise', 'eye-exercise'],
  lunch: ['lunch'],
  nap: ['nap'],
  'evening-study': ['evening-study'],
};
export const schoolLabels: readonly string[] = [...Object.keys(kinds), ...Object.keys(slots)];

interface KnownDay {
  readonly kind: DayKind;
  readonly slots: readonly Slot[];
  /** The plan knows the term, so it says which days are open at all. */
  readonly rules: boolean;
  /** Ends and beginnings of slots, ms since epoch, ascending. */
  readonly changes: readonly number[];
}

const keptDays = 16;

export interface SchoolCalendar extends Calendar {
  /** Another plan is signed. */
  forget(): void;
}

export function createSchoolCalendar(
  hours: OpeningHours,
  timeZone: string,
  book: () => Pick<SchoolBook, 'planOn' | 'clock' | 'overrides'> | null,
): SchoolCalendar {
  const base = createCalendar(hours, timeZone);
  // Hours of any day, for a Saturday with lessons.
  const anyDay = createCalendar(
    { weekly: hours.weekly.map((span) => ({ ...span, days: [1, 2, 3, 4, 5, 6, 7] })), exceptions: hours.exceptions },
    timeZone,
  );
  const said = new Set(hours.exceptions.map(({ date }) => date));
  const days = new Map<LocalDate, KnownDay | null>();
  const dayAt = (time: number): KnownDay | null => {
    const known = book();
    if (known === null) return null;
    const date = known.clock.dateOf(time);
    const kept = days.get(date);
    if (kept !== undefined) return kept;
    const plan = known.planOn(date);
    const day = plan === null ? null : resolved(plan, date, known.overrides());
    if (days.size >= keptDays) days.clear();
    days.set(date, day);
    return day;
  };
  const isOpen = (time: number): boolean => {
    const day = dayAt(time);
    if (day === null || !day.rules || said.has(base.local(time).date)) return base.is('open', time);
    return kinds['no-school']?.includes(day.kind) === true ? false : base.is('open', time) || anyDay.is('open', time);
  };
  const isSlot = (label: string, time: number): boolean => {
    const day = dayAt(time);
    const second = book()?.clock.secondOf(time) ?? 0;
    return (
      day?.slots.some(({ kind, from, to }) => second >= from && second < to && slots[label]?.includes(kind)) === true
    );
  };
  return {
    labels: [...base.labels, ...schoolLabels],
    is: (label, time) => {
      if (label === 'open' || label === 'closed') return isOpen(time) === (label === 'open');
      if (label in slots) return isSlot(label, time);
      const day = dayAt(time);
      return day !== null && kinds[label]?.includes(day.kind) === true;
    },
    nextChange: (time) => {
      const slot = dayAt(time)?.changes.find((change) => change > time) ?? Number.POSITIVE_INFINITY;
      return Math.min(base.nextChange(time), anyDay.nextChange(time), slot);
    },
    local: (time) => base.local(time),
    nextMinute: (minute, time) => base.nextMinute(minute, time),
    forget: () => days.clear(),
  };
}

function resolved(plan: SchoolPlan, date: LocalDate, overrides: readonly SchoolOverride[]): KnownDay {
  const day = shiftedDayOf(plan, date, campusLayer, overrides);
  const times = day.slots.flatMap(({ from, to }) => [from, to]).map((second) => plan.clock.timeOf(date, second).at);
  const changes = [...new Set(times)].sort((a, b) => a - b);
  return { kind: day.kind, slots: day.slots, rules: plan.terms.length > 0, changes };
}
