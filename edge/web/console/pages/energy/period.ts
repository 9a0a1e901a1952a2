import type { Kind } from './data.ts';

/* Days, weeks and months by their ISO dates, and where the picker goes from one. Pure: a date is not a moment. */

const day = 86_400_000;

export const kinds = ['day', 'week', 'month'] as const satisfies readonly Kind[];

export function isDate(text: string | null): text is string {
  return text !== null && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * day).toISOString().slice(0, 10);
}

/** ISO 8601: the week of the Thursday in it. */
export function weekOf(date: string): { readonly year: number; readonly week: number } {
  const time = Date.parse(`${date}T00:00:00Z`);
  const weekday = (new Date(time).getUTCDay() + 6) % 7;
  const thursday = time + (3 - weekday) * day;
  const year = new Date(thursday).getUTCFullYear();
  return { year, week: Math.floor((thursday - Date.UTC(year, 0, 1)) / (7 * day)) + 1 };
}

/** Noon of a date in UTC: for showing it with the date formats of a zone within half a day of Greenwich. */
export function partsOf(date: string): {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
} {
  const time = new Date(`${date}T00:00:00Z`);
  return {
    year: time.getUTCFullYear(),
    month: time.getUTCMonth() + 1,
    day: time.getUTCDate(),
    weekday: time.getUTCDay(),
  };
}
