import {
  campusLayer,
  type HolidayYear,
  type LocalDate,
  type SchoolReason,
  type SchoolRelease,
} from '#edge/domain/school.ts';
import { datesFrom } from './dates.ts';
import type { SchoolPlan } from './plan.ts';
import { dayOf } from './resolve-day.ts';

/* Which of the signed plans a date has, and what a plan assumes. */

/** The newest that was signed for the date and not taken back; null: nothing is signed for it. */
export function releaseOn(releases: readonly SchoolRelease[], date: LocalDate): SchoolRelease | null {
  let newest: SchoolRelease | null = null;
  for (const one of releases) {
    if (one.undone !== null || date < one.from || date > one.to) continue;
    if (newest === null || one.time > newest.time || (one.time === newest.time && one.id > newest.id)) newest = one;
  }
  return newest;
}

/** What somebody brought in takes the place of what ships with the program. */
export function knownYears(official: readonly HolidayYear[], imported: readonly HolidayYear[]): readonly HolidayYear[] {
  const years = new Map([...official, ...imported].map((one) => [one.year, one]));
  return [...years.values()].sort((a, b) => a.year - b.year);
}

/** A reason's name, by which somebody accepts it: `unconfirmed-year:2027`, `make-up-no-weekday:autumn-fair`. */
export function nameOfReason({ code, entry, params = {} }: SchoolReason): string {
  return [code, ...(entry === undefined ? [] : [entry]), ...Object.values(params).map(String)].join(':');
}

/** What is assumed on these days and not known, each once, in the order in which it is met. */
export function assumptionsOf(plan: SchoolPlan, from: LocalDate, to: LocalDate): readonly SchoolReason[] {
  const found = new Map<string, SchoolReason>();
  for (const date of datesFrom(from, to)) {
    for (const layer of new Set([campusLayer, ...plan.layers.all])) {
      for (const reason of dayOf(plan, date, layer).unconfirmed) found.set(nameOfReason(reason), reason);
    }
  }
  return [...found.values()];
}
