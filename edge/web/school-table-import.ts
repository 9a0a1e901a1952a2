import { isDeepStrictEqual } from 'node:util';
import type { SchoolEntry } from '#edge/domain/school.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { clockOf } from '#edge/school/dates.ts';
import { itemsFromRows, timetableFromRows } from '#edge/school/school-table.ts';
import { paintedFromRows } from '#edge/school/table-days.ts';
import { weeksFromRows } from '#edge/school/table-power.ts';
import { type Parsed, type TableMistake, type TableRow, weekdaysIn } from '#edge/school/table-words.ts';

export const tableKinds = ['timetable', 'items', 'days', 'power'] as const;

export interface TableWish {
  readonly of: (typeof tableKinds)[number];
  readonly id?: string | undefined;
  readonly zh?: string | undefined;
  readonly en?: string | undefined;
  readonly layer: string;
  /** `1,2,3`; empty: every day. */
  readonly weekdays: string;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export type Draft = ReadonlyMap<string, { readonly rev: number; readonly body: SchoolEntry }>;

export interface TableChange {
  readonly id: string;
  /** As the draft has it, 0: it is new. */
  readonly rev: number;
  readonly line: number;
  readonly body: SchoolEntry;
  readonly before: SchoolEntry | null;
}

export interface TableImport {
  readonly changes: readonly TableChange[];
  readonly same: readonly string[];
  readonly mistakes: readonly TableMistake[];
}

/** An entry that the table makes; without an id it is matched with what the draft has, or is new. */
interface Found {
  readonly line: number;
  readonly id: string;
  readonly body: SchoolEntry;
}

const mostMistakes = 200;

/** What a table would change in the draft: all of it or, with mistakes, nothing. Throws BAD_TABLE when the question is not whole. */
export function planTableImport(rows: readonly TableRow[], wish: TableWish, draft: Draft): TableImport {
  const found = read(rows, wish, draft);
  if (found.value === undefined) return { changes: [], same: [], mistakes: found.mistakes.slice(0, mostMistakes) };
  const ids = new Set<string>();
  const changes: TableChange[] = [];
  const same: string[] = [];
  const mistakes: TableMistake[] = [];
  for (const { line, id: wanted, body } of found.value) {
    const id = wanted === '' ? idFor(body, draft, ids) : wanted;
    const known = draft.get(id);
    if (ids.has(id)) mistakes.push({ line, column: 'id', code: 'twice', cell: id });
    else if (known !== undefined && known.body.part !== body.part)
      mistakes.push({ line, column: 'id', code: 'twice', cell: id });
    else if (known !== undefined && isDeepStrictEqual(plain(known.body), plain(body))) same.push(id);
    else changes.push({ id, rev: known?.rev ?? 0, line, body, before: known?.body ?? null });
    ids.add(id);
  }
  return mistakes.length > 0
    ? { changes: [], same: [], mistakes: mistakes.slice(0, mostMistakes) }
    : { changes, same, mistakes };
}

/** Without what is only the order of keys or a prototype. */
function plain(entry: SchoolEntry): unknown {
  return JSON.parse(JSON.stringify(entry));
}

function read(rows: readonly TableRow[], wish: TableWish, draft: Draft): Parsed<readonly Found[]> {
  const { layer, from, to } = wish;
  switch (wish.of) {
    case 'timetable':
      return readTimetable(rows, wish, draft);
    case 'items': {
      const span = { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
      const items = itemsFromRows(rows, { weekdays: weekdaysIn(wish.weekdays) ?? [], ...span }, layer);
      if (items.value === undefined) return items;
      return { value: items.value.map(({ line, id, item }) => ({ line, id, body: item })) };
    }
    case 'days': {
      const days = paintedFromRows(rows, layer);
      if (days.value === undefined) return days;
      return { value: days.value.map(({ line, id, days: body }) => ({ line, id, body })) };
    }
    case 'power': {
      const circuit = (id: string) => {
        const body = draft.get(id)?.body;
        return body?.part === 'power' ? body : null;
      };
      const weeks = weeksFromRows(rows, (id) => circuit(id) !== null);
      if (weeks.value === undefined) return weeks;
      return {
        value: weeks.value.flatMap(({ line, id, weekly }) => {
          const body = circuit(id);
          return body === null ? [] : [{ line, id, body: { ...body, weekly } }];
        }),
      };
    }
  }
}

function readTimetable(rows: readonly TableRow[], { id, zh, en }: TableWish, draft: Draft): Parsed<readonly Found[]> {
  if (id === undefined) throw new CodedError('BAD_TABLE', 'id: say which timetable it becomes');
  const before = draft.get(id)?.body;
  const name = before?.part === 'timetable' ? before.name : { zh: id, en: id };
  const called = { zh: zh ?? en ?? name.zh, en: en ?? zh ?? name.en };
  const read = timetableFromRows(rows, called);
  return read.value === undefined ? read : { value: [{ line: 1, id, body: read.value }] };
}

/** The same bell, or the same stretch of days, that is there already; or an id that nobody has. */
function idFor(body: SchoolEntry, draft: Draft, taken: ReadonlySet<string>): string {
  for (const [id, { body: known }] of draft) if (!taken.has(id) && isMeant(known, body)) return id;
  const base = baseOf(body);
  for (let n = 1; ; n++) {
    const id = n === 1 ? base : `${base}-${n}`;
    if (!taken.has(id) && !draft.has(id)) return id;
  }
}

function isMeant(known: SchoolEntry, body: SchoolEntry): boolean {
  if (known.part === 'item' && body.part === 'item')
    return (
      known.name.zh === body.name.zh &&
      known.layer === body.layer &&
      isDeepStrictEqual(plain({ ...known, do: body.do, enabled: true, class: body.class }), plain(body))
    );
  if (known.part === 'days' && body.part === 'days')
    return known.layer === body.layer && known.from === body.from && known.to === body.to;
  return false;
}

function baseOf(body: SchoolEntry): string {
  if (body.part === 'item' && 'at' in body.when) return `bell-${clockOf(body.when.at).slice(0, 5).replace(':', '')}`;
  if (body.part === 'days') return `days-${body.from}`;
  return body.part;
}
