import type { DayFilter, SchoolDay, SchoolReason, Weekday } from '#edge/domain/school.ts';
import type { ResolvedDay } from './resolve-day.ts';

/**
 * Whether a day is one of those that are meant; the weather is asked elsewhere. A make-up day of which nobody said whose lessons it has is
 * meant only by a filter that names make-up days, and by none that names weekdays: nobody rings by guess.
 */
export function isMeant(filter: DayFilter, day: SchoolDay | ResolvedDay): boolean {
  const { kinds, weekdays, parity, from, to } = filter;
  if ((from !== undefined && day.date < from) || (to !== undefined && day.date > to)) return false;
  if (kinds.length > 0 ? !kinds.includes(day.kind) : !isWorking(day)) return false;
  if (weekdays.length > 0) {
    const weekday = weekdayFor(day);
    if (weekday === null || !weekdays.includes(weekday)) return false;
  }
  return parity === undefined || parity === parityFor(day);
}

function isWorking({ kind, unconfirmed }: SchoolDay): boolean {
  if (kind === 'make-up') return !unconfirmed.some(isUnknownMakeUp);
  return kind === 'school' || kind === 'exam';
}

function isUnknownMakeUp({ code }: SchoolReason): boolean {
  return code === 'make-up-no-weekday';
}

function weekdayFor({ kind, lessonsOf, weekday }: SchoolDay): Weekday | null {
  return lessonsOf ?? (kind === 'make-up' ? null : weekday);
}

function parityFor(day: SchoolDay | ResolvedDay): string | undefined {
  return 'parity' in day ? (day.parity ?? undefined) : day.week?.parity;
}
