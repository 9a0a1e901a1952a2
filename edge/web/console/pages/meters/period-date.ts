import { zoneOffset } from '../../kit/series.ts';
import type { Kind } from '../energy/data.ts';
import { addDays } from '../energy/period.ts';

/* Where the picker goes from one day, week or month. Pure: a date is not a moment. */

/** A date of the period before or after the one that begins at `first`. */
export function movedDate(kind: Kind, first: string, by: -1 | 1): string {
  if (kind === 'day') return addDays(first, by);
  if (kind === 'week') return addDays(first, 7 * by);
  const [year = 0, month = 1] = first.split('-').map(Number);
  return new Date(Date.UTC(year, month - 1 + by, 1)).toISOString().slice(0, 10);
}

/** About noon of a date where midnight is at `midnight` (of any day), ms since epoch: safe to be shown as a date of that zone. */
export function noonOf(date: string, midnight: number): number {
  return Date.parse(`${date}T12:00:00Z`) - zoneOffset(midnight);
}

/** Of an address; what is none is a day. */
export function kindOf(text: string | null): Kind {
  return text === 'week' || text === 'month' ? text : 'day';
}
