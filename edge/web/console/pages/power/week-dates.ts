/* Sums with the days of a week; ISO dates. Pure. */

const dayMs = 86_400_000;

/** Noon of a date as if the campus were on UTC: its day is the same in every zone within twelve hours. */
export function noonOf(date: string): number {
  return Date.parse(`${date}T04:00:00Z`);
}

export function shifted(date: string, days: number): string {
  return toDate(Date.parse(`${date}T00:00:00Z`) + days * dayMs);
}

function toDate(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** 1 = Monday. */
export function weekdayOf(date: string): 1 | 2 | 3 | 4 | 5 | 6 | 7 {
  const days = [7, 1, 2, 3, 4, 5, 6] as const;
  return days[new Date(`${date}T00:00:00Z`).getUTCDay()] ?? 1;
}

export function mondayOf(date: string): string {
  return shifted(date, 1 - weekdayOf(date));
}
