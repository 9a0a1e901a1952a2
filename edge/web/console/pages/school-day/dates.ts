import type { Formats } from '../../kit/formats.ts';
import type { Language } from '../../kit/words.ts';

/* Local days by their ISO dates: a date is not a moment. */

const day = 86_400_000;

export function isDate(text: string | null): text is string {
  return text !== null && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * day).toISOString().slice(0, 10);
}

export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / day);
}

export function datesFrom(from: string, to: string): readonly string[] {
  return Array.from({ length: Math.max(0, Math.min(400, daysBetween(from, to) + 1)) }, (_, n) => addDays(from, n));
}

/** 1 = Monday .. 7. */
export function weekdayOf(date: string): number {
  return new Date(`${date}T00:00:00Z`).getUTCDay() || 7;
}

/** The local day of a moment in the zone of the campus. */
export function dateOf(time: number, timeZone: string | undefined): string {
  const parts = new Intl.DateTimeFormat('en-US', {
    ...{ year: 'numeric', month: '2-digit', day: '2-digit' },
    ...(timeZone === undefined ? {} : { timeZone }),
  }).formatToParts(time);
  const part = (type: string) => parts.find((found) => found.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}`;
}

/** What the local clock is ahead of UTC at a moment, ms. */
export function shiftAt(time: number, formats: Formats): number {
  const start = formats.startOfDay(time);
  return Date.parse(`${dateOf(time, formats.timeZone)}T00:00:00Z`) + (time - start) - time;
}

/** Second of the local day. */
export function secondOf(time: number, formats: Formats): number {
  return Math.floor((time - formats.startOfDay(time)) / 1_000);
}

/** `11月23日`, `23 Nov` of a date, whatever zone the browser lives in. */
export function shortDateText(date: string, language: Language): string {
  return new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en-GB', {
    ...{ month: language === 'zh' ? 'long' : 'short', day: 'numeric', timeZone: 'UTC' },
  }).format(new Date(`${date}T12:00:00Z`));
}

export function longDateText(date: string, language: Language): string {
  return new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en-GB', {
    ...{ year: 'numeric', month: 'long', day: 'numeric', weekday: 'long', timeZone: 'UTC' },
  }).format(new Date(`${date}T12:00:00Z`));
}
