import type { SchoolDays } from '#edge/domain/school.ts';
import { addDays, weekdayOf } from '../school-day/dates.ts';

/* The calendar as it is painted: months of weeks, and what is left of a painted stretch when a part of it is painted over. Pure. */

/** Monday to Sunday; null: a day of another month. */
export type Week = readonly (string | null)[];

/** `2026-03` -> its weeks. */
export function weeksOf(month: string): readonly Week[] {
  const first = `${month}-01`;
  const last = addDays(`${nextMonth(month)}-01`, -1);
  const weeks: (string | null)[][] = [];
  for (let day = addDays(first, 1 - weekdayOf(first)); day <= last; day = addDays(day, 7)) {
    weeks.push(
      Array.from({ length: 7 }, (_, n) => addDays(day, n)).map((one) => (one < first || one > last ? null : one)),
    );
  }
  return weeks;
}

export function nextMonth(month: string, by = 1): string {
  const [year = 0, number = 1] = month.split('-').map(Number);
  const count = year * 12 + number - 1 + by;
  return `${Math.floor(count / 12)}-${String((count % 12) + 1).padStart(2, '0')}`;
}

/** What is left of a stretch without the days from `from` to `to`: nothing, itself, a part, or two parts. */
export function without(body: SchoolDays, from: string, to: string): readonly SchoolDays[] {
  if (to < body.from || from > body.to) return [body];
  return [
    ...(body.from < from ? [{ ...body, to: addDays(from, -1) }] : []),
    ...(body.to > to ? [{ ...body, from: addDays(to, 1) }] : []),
  ];
}

export interface Painted {
  readonly id: string;
  readonly rev: number;
  readonly body: SchoolDays;
}

export interface DraftChange {
  readonly id: string;
  readonly rev: number;
  readonly body: SchoolDays | null;
}

/** What painting these days (or erasing them: null) changes in the draft: what lay there gives way, and nothing else moves. */
export function paintOver(
  painted: readonly Painted[],
  layer: string,
  from: string,
  to: string,
  body: SchoolDays | null,
  newId: () => string,
): readonly DraftChange[] {
  const changes = painted
    .filter((one) => one.body.layer === layer && one.body.from <= to && one.body.to >= from)
    .flatMap(({ id, rev, body: old }): DraftChange[] => {
      const [first, second] = without(old, from, to);
      if (first === undefined) return [{ id, rev, body: null }];
      return [{ id, rev, body: first }, ...(second === undefined ? [] : [{ id: newId(), rev: 0, body: second }])];
    });
  return body === null ? changes : [...changes, { id: newId(), rev: 0, body }];
}

/** Ids that no entry has: `days-2`, `days-3` ... */
export function idMaker(prefix: string, known: Iterable<string>): () => string {
  const taken = new Set(known);
  return () => {
    for (let n = 1; ; n++) {
      const id = `${prefix}-${n}`;
      if (taken.has(id)) continue;
      taken.add(id);
      return id;
    }
  };
}
