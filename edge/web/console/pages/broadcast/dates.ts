import type { Formats } from '../../kit/formats.ts';

/* Days of the campus, `2026-09-01`. Pure. */

export function dateOf(time: number, timeZone: string | undefined): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    ...{ year: 'numeric', month: '2-digit', day: '2-digit' },
    ...(timeZone === undefined ? {} : { timeZone }),
  });
  return parts.format(time);
}

export function shiftedDate(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** ms since epoch of its first moment. */
export function startOf(date: string, { startOfDay, timeZone }: Pick<Formats, 'startOfDay' | 'timeZone'>): number {
  // Noon in UTC lies in the same day nearly everywhere, beyond twelve hours in the next one.
  const noon = Date.parse(`${date}T12:00:00Z`);
  const starts = [noon, noon - 43_200_000].map(startOfDay);
  return starts.find((start) => dateOf(start, timeZone) === date) ?? startOfDay(noon);
}
