import type { LocalDate, Occurrence, SchoolOverride } from '#edge/domain/school.ts';
import { datesFrom } from './dates.ts';
import { occurrencesOf } from './occurrences.ts';
import type { SchoolPlan } from './plan.ts';
import { dayOf, type ResolvedDay } from './resolve-day.ts';

/* What another plan would change, by day and by what happens. */

/** Parts of an occurrence that people see. */
export const comparedParts = ['at', 'zones', 'do', 'class', 'silenced'] as const;
export type ComparedPart = (typeof comparedParts)[number];

export type OccurrenceChange =
  | { readonly kind: 'added'; readonly after: Occurrence }
  | { readonly kind: 'gone'; readonly before: Occurrence }
  /** The same thing of the same entry (and slot) at another time of that date. */
  | { readonly kind: 'moved'; readonly before: Occurrence; readonly after: Occurrence }
  | {
      readonly kind: 'changed';
      readonly before: Occurrence;
      readonly after: Occurrence;
      readonly parts: readonly ComparedPart[];
    };

/** A date that is something else for a layer: its kind, whose lessons, its timetable or its slots. */
export interface DayChange {
  readonly layer: string;
  readonly before: ResolvedDay;
  readonly after: ResolvedDay;
}

export interface DateComparison {
  readonly date: LocalDate;
  readonly days: readonly DayChange[];
  readonly occurrences: readonly OccurrenceChange[];
}

/** A year and a day: no longer comparison is made. */
const mostDays = 367;

/** Dates from `from` to `to` on which the plans differ; the overrides hold for both. A layer that only one of them has is not a day's change. */
export function comparePlans(
  before: SchoolPlan,
  after: SchoolPlan,
  from: LocalDate,
  to: LocalDate,
  overrides: readonly SchoolOverride[] = [],
): readonly DateComparison[] {
  const layers = before.layers.all.filter((layer) => after.layers.has(layer));
  return datesFrom(from, to, mostDays).flatMap((date) => {
    const days = layers
      .map((layer) => ({ layer, before: dayOf(before, date, layer), after: dayOf(after, date, layer) }))
      .filter((change) => isOther(change.before, change.after));
    const occurrences = changesOf(occurrencesOf(before, date, overrides), occurrencesOf(after, date, overrides));
    return days.length === 0 && occurrences.length === 0 ? [] : [{ date, days, occurrences }];
  });
}

function isOther(a: ResolvedDay, b: ResolvedDay): boolean {
  const seen = ({ kind, lessonsOf, week, parity, timetable, slots }: ResolvedDay) =>
    JSON.stringify([kind, lessonsOf, week?.number, parity, timetable, slots]);
  return seen(a) !== seen(b);
}

function changesOf(before: readonly Occurrence[], after: readonly Occurrence[]): OccurrenceChange[] {
  const then = new Map(after.map((one) => [one.key, one]));
  const kept = new Set(before.map(({ key }) => key));
  const changes: OccurrenceChange[] = [];
  const gone: Occurrence[] = [];
  for (const one of before) {
    const other = then.get(one.key);
    if (other === undefined) gone.push(one);
    else {
      const parts = comparedParts.filter((part) => JSON.stringify(one[part]) !== JSON.stringify(other[part]));
      if (parts.length > 0) changes.push({ kind: 'changed', before: one, after: other, parts });
    }
  }
  return [
    ...changes,
    ...paired(
      gone,
      after.filter(({ key }) => !kept.has(key)),
    ),
  ].toSorted((a, b) => timeOf(a) - timeOf(b));
}

/** What is gone and what is new are one move where they are of the same entry and slot, in their order. */
function paired(gone: readonly Occurrence[], added: readonly Occurrence[]): OccurrenceChange[] {
  const waiting = Map.groupBy(added, partOf);
  const changes: OccurrenceChange[] = gone.map((before) => {
    const after = waiting.get(partOf(before))?.shift();
    return after === undefined ? { kind: 'gone', before } : { kind: 'moved', before, after };
  });
  return [...changes, ...[...waiting.values()].flat().map((after) => ({ kind: 'added', after }) as const)];
}

function partOf({ key }: Occurrence): string {
  return key.slice(0, key.indexOf('@'));
}

function timeOf(change: OccurrenceChange): number {
  return change.kind === 'added' ? change.after.at : change.before.at;
}
