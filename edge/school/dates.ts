import type { LocalDate, Parity, Weekday } from '#edge/domain/school.ts';

/* Sums with days of the calendar, without a zone and without a clock: a date is a number of days since 1970-01-01. */

const msOfDay = 86_400_000;
const pattern = /^(\d{4})-(\d{2})-(\d{2})$/;
const firstYear = 1970;
const lastYear = 2199;

/** A day that exists, 1970 to 2199. */
export function isDate(text: string): boolean {
  const found = pattern.exec(text);
  if (found === null) return false;
  const year = Number(found[1]);
  if (year < firstYear || year > lastYear) return false;
  return dateOfNumber(numberOf(text)) === text;
}

/** Days since 1970-01-01. */
export function numberOf(date: LocalDate): number {
  const year = Number(date.slice(0, 4));
  const month = Number(date.slice(5, 7));
  const day = Number(date.slice(8, 10));
  return Math.floor(Date.UTC(year, month - 1, day) / msOfDay);
}

export function dateOfNumber(number: number): LocalDate {
  return new Date(number * msOfDay).toISOString().slice(0, 10);
}

export function addDays(date: LocalDate, days: number): LocalDate {
  return dateOfNumber(numberOf(date) + days);
}

/** How many days `to` is after `from`; negative before. */
export function daysBetween(from: LocalDate, to: LocalDate): number {
  return numberOf(to) - numberOf(from);
}

/** 1 = Monday .. 7. */
export function weekdayOf(date: LocalDate): Weekday {
  // 1970-01-01 was a Thursday.
  const day = (((numberOf(date) + 3) % 7) + 7) % 7;
  return weekdays[day] ?? 1;
}

export const weekdays: readonly Weekday[] = [1, 2, 3, 4, 5, 6, 7];

/** The Monday of its week. */
export function mondayOf(date: LocalDate): LocalDate {
  return addDays(date, 1 - weekdayOf(date));
}

/** Every day from `from` to `to`, both included; none when `to` is before. At most `most` of them. */
export function datesFrom(from: LocalDate, to: LocalDate, most = 4_000): LocalDate[] {
  const first = numberOf(from);
  const count = Math.min(most, Math.max(0, numberOf(to) - first + 1));
  return Array.from({ length: count }, (_, n) => dateOfNumber(first + n));
}

/** Week 1 is odd. */
export function parityOf(week: number): Parity {
  return week % 2 === 0 ? 'even' : 'odd';
}

/** `hh:mm:ss` of a second of the day. */
export function clockOf(second: number): string {
  const two = (part: number) => String(Math.floor(part)).padStart(2, '0');
  return `${two(second / 3_600)}:${two((second / 60) % 60)}:${two(second % 60)}`;
}

/** Second of the day of `h:mm`, `hh:mm` or `hh:mm:ss`; null for anything else. */
export function secondOfClock(text: string): number | null {
  const found = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text.trim());
  if (found === null) return null;
  const [hour, minute, second] = [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)];
  if (hour > 23 || minute > 59 || second > 59) return null;
  return hour * 3_600 + minute * 60 + second;
}
