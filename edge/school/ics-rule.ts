import type { LocalDate } from '#edge/domain/school.ts';
import { dateOfNumber, isDate, numberOf, weekdayOf } from './dates.ts';

/*
 * Repeating all-day events (RFC 5545, 3.3.10), as far as school calendars use them: every so many days, weeks (on weekdays), months or
 * years. Anything else is refused in words rather than painted on wrong days.
 */

export interface DayRule {
  readonly frequency: 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'YEARLY';
  readonly interval: number;
  readonly count: number | null;
  readonly until: LocalDate | null;
  /** 1 = Monday .. 7; of WEEKLY only. */
  readonly weekdays: readonly number[];
  readonly weekBegins: 'MO' | 'SU';
}

const codes = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
const most = 1_000;

/** The rule, or the part of it that is not understood. */
export function readDayRule(text: string, start: LocalDate): DayRule | { readonly refused: string } {
  const parts = new Map(
    text.split(';').map((part) => {
      const [name = '', value = ''] = part.split('=');
      return [name.trim().toUpperCase(), value.trim().toUpperCase()] as const;
    }),
  );
  const frequency = frequencyOf(parts.get('FREQ'));
  if (frequency === null) return { refused: `FREQ=${parts.get('FREQ') ?? ''}` };
  const interval = Number(parts.get('INTERVAL') ?? 1);
  if (!Number.isInteger(interval) || interval < 1) return { refused: `INTERVAL=${parts.get('INTERVAL')}` };
  const count = parts.has('COUNT') ? Number(parts.get('COUNT')) : null;
  if (count !== null && (!Number.isInteger(count) || count < 1)) return { refused: `COUNT=${parts.get('COUNT')}` };
  const until = parts.has('UNTIL') ? dateOfBasic(parts.get('UNTIL') ?? '') : null;
  if (until === null && parts.has('UNTIL')) return { refused: `UNTIL=${parts.get('UNTIL')}` };
  const weekBegins = parts.get('WKST') === 'SU' ? 'SU' : 'MO';
  const days = parts.get('BYDAY')?.split(',') ?? [];
  const refused = odd(parts, frequency, days, start);
  if (refused !== null) return { refused };
  return { frequency, interval, count, until, weekBegins, weekdays: days.map((day) => codes.indexOf(day) + 1) };
}

function frequencyOf(word: string | undefined): DayRule['frequency'] | null {
  return word === 'DAILY' || word === 'WEEKLY' || word === 'MONTHLY' || word === 'YEARLY' ? word : null;
}

/** What the rule has beyond what is expanded here; a part that only says again what the start says is none. */
function odd(
  parts: ReadonlyMap<string, string>,
  frequency: DayRule['frequency'],
  days: readonly string[],
  start: LocalDate,
): string | null {
  const known = ['FREQ', 'INTERVAL', 'COUNT', 'UNTIL', 'WKST'];
  const again: Record<string, string> = {};
  if (frequency === 'YEARLY') again.BYMONTH = String(Number(start.slice(5, 7)));
  if (frequency === 'YEARLY' || frequency === 'MONTHLY') again.BYMONTHDAY = String(Number(start.slice(8, 10)));
  for (const [name, value] of parts) {
    if (name === '' || known.includes(name)) continue;
    if (name === 'BYDAY' && frequency === 'WEEKLY') {
      const startsWell = days.includes(codes[weekdayOf(start) - 1] ?? '');
      if (!days.every((day) => codes.includes(day)) || !startsWell) return `BYDAY=${value}`;
    } else if (again[name] !== value) return `${name}=${value}`;
  }
  if (parts.has('WKST') && parts.get('WKST') !== 'MO' && parts.get('WKST') !== 'SU') return `WKST=${parts.get('WKST')}`;
  return null;
}

/** `20260501`, or a time of it. */
export function dateOfBasic(text: string): LocalDate | null {
  const found = /^(\d{4})(\d{2})(\d{2})(?:T\d{6}Z?)?$/.exec(text.trim());
  if (found === null) return null;
  const date = `${found[1]}-${found[2]}-${found[3]}`;
  return isDate(date) ? date : null;
}

/** The days from `wanted` to `last` on which it begins; at most 1,000. */
export function daysOfRule(rule: DayRule, start: LocalDate, wanted: LocalDate, last: LocalDate): LocalDate[] {
  const end = numberOf(rule.until !== null && rule.until < last ? rule.until : last);
  const first = numberOf(wanted);
  const days: LocalDate[] = [];
  let counted = 0;
  // Without a count nothing before the wanted days matters.
  for (const day of candidates(rule, start, rule.count === null ? first : numberOf(start), end)) {
    if (rule.count !== null && counted >= rule.count) break;
    if (days.length >= most) break;
    counted += 1;
    if (day >= first) days.push(dateOfNumber(day));
  }
  return days;
}

/** In numbers of days: a file may hold thousands of series that began decades ago. */
function* candidates(rule: DayRule, start: LocalDate, from: number, end: number): Generator<number> {
  const { frequency, interval, weekdays } = rule;
  if (frequency === 'MONTHLY' || frequency === 'YEARLY') {
    yield* sameDayOfMonth(start, frequency === 'YEARLY' ? interval * 12 : interval, end);
    return;
  }
  const first = numberOf(start);
  const weekOf = weekNumber(rule.weekBegins);
  const wanted = weekdays.length === 0 ? [weekdayOf(start)] : weekdays;
  for (let day = Math.max(first, from); day <= end; day += 1) {
    if (frequency === 'DAILY') {
      if ((day - first) % interval === 0) yield day;
    } else if (wanted.includes(((day + 3) % 7) + 1) && (weekOf(day) - weekOf(first)) % interval === 0) yield day;
  }
}

/** 1970-01-01 was a Thursday. */
function weekNumber(begins: 'MO' | 'SU'): (day: number) => number {
  return (day) => Math.floor((day + (begins === 'MO' ? 3 : 4)) / 7);
}

/** A month without that day has none (RFC 5545: invalid dates are ignored), so the 29th of February comes every four years. */
function* sameDayOfMonth(start: LocalDate, months: number, end: number): Generator<number> {
  const [year, month] = [Number(start.slice(0, 4)), Number(start.slice(5, 7)) - 1];
  for (let n = 0; ; n += months) {
    const at = year * 12 + month + n;
    const first = `${String(Math.floor(at / 12)).padStart(4, '0')}-${String((at % 12) + 1).padStart(2, '0')}`;
    if (!isDate(`${first}-01`) || numberOf(`${first}-01`) > end) return;
    const date = `${first}-${start.slice(8, 10)}`;
    if (isDate(date) && numberOf(date) <= end) yield numberOf(date);
  }
}
