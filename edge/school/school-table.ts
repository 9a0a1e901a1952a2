import type { ZoneId } from '#edge/domain/ids.ts';
import { isSlug } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import {
  type ItemClass,
  itemClasses,
  type LocalDate,
  lastSecond,
  type Occurrence,
  type SchoolItem,
  type SchoolTimetable,
  type SlotKind,
  slotKinds,
  type TimetablePiece,
} from '#edge/domain/school.ts';
import { clockOf, secondOfClock } from './dates.ts';
import { layOut } from './timetable.ts';

/*
 * Timetables and days as tables, for and from spreadsheets: rows of cells with a head. Separators, quotes and character sets are the
 * business of whoever reads and writes the file (web/csv.ts).
 */

export interface TableRow {
  /** Of the file, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

export interface TableMistake {
  readonly line: number;
  /** Name of the column; empty: the row or the table. */
  readonly column: string;
  readonly code:
    | 'no-column'
    | 'unknown-word'
    | 'not-a-time'
    | 'ends-before'
    | 'overlaps'
    | 'too-long'
    | 'bad-id'
    | 'twice'
    | 'empty'
    | 'not-a-number'
    | 'too-many';
  readonly cell: string;
}

export type Parsed<T> =
  | { readonly value: T; readonly mistakes?: undefined }
  | { readonly value?: undefined; readonly mistakes: readonly TableMistake[] };

const timetableHead = ['id', 'kind', 'zh', 'en', 'from', 'to', 'pinned'] as const;
const mostPieces = 100;
const mostItems = 1_000;
const longestPiece = 480;

/** A row for each piece, with the times it comes to. */
export function timetableRows(timetable: SchoolTimetable): readonly (readonly string[])[] {
  const { slots } = layOut(timetable);
  const rows = timetable.pieces.map(({ id, kind, name, at }, n) => {
    const { from, to } = slots[n] ?? { from: 0, to: 0 };
    return [id, kind, name.zh, name.en, clockOf(from), clockOf(to), at === undefined ? '' : 'yes'];
  });
  return [timetableHead, ...rows];
}

/**
 * The times of the table hold: a row that begins later than the one before it ends is pinned, marked or not. Without an id a row gets
 * one of its kind and place.
 */
export function timetableFromRows(rows: readonly TableRow[], name: Name): Parsed<SchoolTimetable> {
  const table = readTable(rows, timetableHead, ['kind', 'from', 'to'], mostPieces);
  if (table.value === undefined) return table;
  const mistakes: TableMistake[] = [];
  const pieces: TimetablePiece[] = [];
  const ids = new Set<string>();
  let start: number | null = null;
  let end = 0;
  for (const row of table.value) {
    const read = readPiece(row, end, pieces.length + 1, mistakes);
    if (read === null) continue;
    if (ids.has(read.piece.id)) mistakes.push(mistake(row, 'id', 'twice'));
    ids.add(read.piece.id);
    const isFree = start === null ? !isYes(row.of('pinned')) : read.from === end && !isYes(row.of('pinned'));
    pieces.push(isFree ? read.piece : { ...read.piece, at: read.from });
    start ??= read.from;
    end = read.to;
  }
  if (mistakes.length > 0) return { mistakes };
  return { value: { part: 'timetable', name, start: start ?? 0, pieces } };
}

function readPiece(
  row: Row,
  end: number,
  place: number,
  mistakes: TableMistake[],
): { readonly piece: TimetablePiece; readonly from: number; readonly to: number } | null {
  const kind = slotKinds.find((one): one is SlotKind => one === row.of('kind'));
  const from = secondOfClock(row.of('from'));
  const to = secondOfClock(row.of('to'));
  const id = row.of('id') || `${kind}-${place}`;
  if (kind === undefined) mistakes.push(mistake(row, 'kind', 'unknown-word'));
  if (from === null) mistakes.push(mistake(row, 'from', 'not-a-time'));
  if (to === null) mistakes.push(mistake(row, 'to', 'not-a-time'));
  if (kind === undefined || from === null || to === null) return null;
  if (!isSlug(id)) mistakes.push(mistake(row, 'id', 'bad-id'));
  if (to < from) mistakes.push(mistake(row, 'to', 'ends-before'));
  else if (to - from > longestPiece * 60) mistakes.push(mistake(row, 'to', 'too-long'));
  if (from < end) mistakes.push(mistake(row, 'from', 'overlaps'));
  return { piece: { id, kind, name: nameOf(row, id), minutes: (to - from) / 60 }, from, to };
}

const dayHead = ['time', 'zh', 'en', 'class', 'clip', 'seconds', 'zones', 'layer', 'not done', 'key'] as const;

/** A row for each occurrence, silenced ones with their reason. */
export function occurrenceRows(occurrences: readonly Occurrence[]): readonly (readonly string[])[] {
  const rows = occurrences.map(({ second, name, class: of, do: action, zones, layer, silenced, key }) => [
    ...[clockOf(second), name.zh, name.en, of, action.kind === 'sound' ? action.clip : ''],
    ...['seconds' in action ? String(action.seconds) : '', zones.join(' '), layer, silenced?.code ?? '', key],
  ]);
  return [dayHead, ...rows];
}

export interface ItemDraft {
  readonly line: number;
  readonly item: SchoolItem;
}

/**
 * Items of one date out of such a table: sounds at times of the clock, to choose from. Rows without a clip are left out (outputs and
 * modes are no matter for a spreadsheet), and so are those that were not done.
 */
export function itemsFromRows(rows: readonly TableRow[], date: LocalDate, layer: string): Parsed<readonly ItemDraft[]> {
  const table = readTable(rows, dayHead, ['time', 'zh', 'class', 'clip'], mostItems);
  if (table.value === undefined) return table;
  const mistakes: TableMistake[] = [];
  const drafts: ItemDraft[] = [];
  for (const row of table.value) {
    if (row.of('clip') === '' || row.of('not done') !== '') continue;
    const at = secondOfClock(row.of('time'));
    const of = itemClasses.find((one): one is ItemClass => one === row.of('class'));
    const seconds = row.of('seconds') === '' ? 15 : Number(row.of('seconds'));
    if (at === null || at > lastSecond) mistakes.push(mistake(row, 'time', 'not-a-time'));
    if (of === undefined) mistakes.push(mistake(row, 'class', 'unknown-word'));
    if (!(seconds >= 0 && seconds <= 86_400)) mistakes.push(mistake(row, 'seconds', 'not-a-number'));
    if (row.of('zh') === '') mistakes.push(mistake(row, 'zh', 'empty'));
    const words = row
      .of('zones')
      .split(/[\s,;，；]+/)
      .filter((word) => word !== '');
    const zones = words.filter((word): word is ZoneId => isSlug(word));
    if (zones.length !== words.length) mistakes.push(mistake(row, 'zones', 'bad-id'));
    if (at === null || of === undefined) continue;
    const item: SchoolItem = {
      ...{ part: 'item', name: nameOf(row, ''), class: of, layer, when: { at }, enabled: true },
      days: { kinds: [], weekdays: [], from: date, to: date },
      do: { kind: 'sound', clip: row.of('clip'), zones, seconds },
    };
    drafts.push({ line: row.line, item });
  }
  return mistakes.length > 0 ? { mistakes } : { value: drafts };
}

interface Row {
  readonly line: number;
  /** The trimmed cell of a column; empty where the table has no such column. */
  of(column: string): string;
}

/** Columns by their names in the first row, in any order; others are passed over. */
function readTable(
  rows: readonly TableRow[],
  columns: readonly string[],
  needed: readonly string[],
  most: number,
): Parsed<readonly Row[]> {
  const [head, ...body] = rows;
  const names = (head?.cells ?? []).map((cell) => cell.trim().toLowerCase());
  const missing = needed.filter((column) => !names.includes(column));
  if (missing.length > 0)
    return { mistakes: missing.map((column) => ({ line: head?.line ?? 1, column, code: 'no-column', cell: '' })) };
  if (body.length > most) return { mistakes: [{ line: 0, column: '', code: 'too-many', cell: String(most) }] };
  const at = new Map(columns.map((column) => [column, names.indexOf(column)]));
  const filled = body.filter(({ cells }) => cells.some((cell) => cell.trim() !== ''));
  return {
    value: filled.map(({ line, cells }) => ({ line, of: (column) => (cells[at.get(column) ?? -1] ?? '').trim() })),
  };
}

function mistake(row: Row, column: string, code: TableMistake['code']): TableMistake {
  return { line: row.line, column, code, cell: row.of(column).slice(0, 60) };
}

function nameOf(row: Row, otherwise: string): Name {
  const zh = row.of('zh') || row.of('en') || otherwise;
  return { zh, en: row.of('en') || zh };
}

function isYes(cell: string): boolean {
  return ['yes', 'y', 'true', '1', '是'].includes(cell.toLowerCase());
}
