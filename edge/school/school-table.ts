import type { ZoneId } from '#edge/domain/ids.ts';
import { isSlug } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import {
  type DayFilter,
  lastSecond,
  type Occurrence,
  type SchoolItem,
  type SchoolTimetable,
  type TimetablePiece,
} from '#edge/domain/school.ts';
import { clockOf, isDate, secondOfClock } from './dates.ts';
import {
  type Column,
  classWord,
  headOf,
  isYes,
  itemClassIn,
  mistake,
  nameOf,
  type Parsed,
  parityIn,
  type Row,
  readTable,
  slotKindIn,
  slotKindWord,
  slugsIn,
  type TableLanguage,
  type TableMistake,
  type TableRow,
  weekdaysIn,
} from './table-words.ts';
import { layOut } from './timetable.ts';

export type { Parsed, TableMistake, TableRow };

/* Timetables and bells as tables, for and from spreadsheets: rows of cells with a head. */

const timetableHead: readonly Column[] = ['id', 'kind', 'zh', 'en', 'from', 'to', 'pinned'];
const mostPieces = 100;
const mostItems = 1_000;
const longestPiece = 480;
const longestName = 80;
/** As the schema of entries has it, seconds. */
const longestSound = 21_600;

/** A row for each piece, with the times it comes to. */
export function timetableRows(
  timetable: SchoolTimetable,
  language: TableLanguage = 'en',
): readonly (readonly string[])[] {
  const { slots } = layOut(timetable);
  const rows = timetable.pieces.map(({ id, kind, name, at }, n) => {
    const { from, to } = slots[n] ?? { from: 0, to: 0 };
    const pinned = at === undefined ? '' : language === 'zh' ? '是' : 'yes';
    return [id, slotKindWord(kind, language), name.zh, name.en, clockOf(from), clockOf(to), pinned];
  });
  return [headOf(timetableHead, language), ...rows];
}

/**
 * The times of the table hold: a row that begins later than the one before it ends is pinned, marked or not. Without an id a row gets
 * one of its kind and place.
 */
export function timetableFromRows(rows: readonly TableRow[], name: Name): Parsed<SchoolTimetable> {
  const table = readTable(rows, ['kind', 'from', 'to'], mostPieces);
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
  if (mistakes.length === 0 && pieces.length === 0) mistakes.push({ line: 0, column: '', code: 'empty', cell: '' });
  if (mistakes.length > 0) return { mistakes };
  return { value: { part: 'timetable', name, start: start ?? 0, pieces } };
}

function readPiece(
  row: Row,
  end: number,
  place: number,
  mistakes: TableMistake[],
): { readonly piece: TimetablePiece; readonly from: number; readonly to: number } | null {
  const kind = slotKindIn(row.of('kind'));
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
  // Lengths are whole minutes; what begins at odd seconds is pinned.
  else if ((to - from) % 60 !== 0) mistakes.push(mistake(row, 'to', 'not-a-time'));
  if (from < end) mistakes.push(mistake(row, 'from', 'overlaps'));
  checkName(row, mistakes);
  return { piece: { id, kind, name: nameOf(row, id), minutes: (to - from) / 60 }, from, to };
}

function checkName(row: Row, mistakes: TableMistake[]): void {
  for (const column of ['zh', 'en'] as const)
    if (row.of(column).length > longestName) mistakes.push(mistake(row, column, 'too-long'));
}

const dayHead: readonly Column[] = [
  ...(['date', 'time', 'zh', 'en', 'class', 'clip', 'does', 'seconds', 'volume', 'zones', 'layer'] as const),
  ...(['not done', 'key'] as const),
];

/** A row for each occurrence, silenced ones with their reason. */
export function occurrenceRows(
  occurrences: readonly Occurrence[],
  language: TableLanguage = 'en',
): readonly (readonly string[])[] {
  return [headOf(dayHead, language), ...occurrences.map((one) => occurrenceRow(one, language))];
}

function occurrenceRow(one: Occurrence, language: TableLanguage): readonly string[] {
  const { date, second, name, class: of, do: action, zones, layer, silenced, key } = one;
  return [
    ...[date, clockOf(second), name.zh, name.en, classWord(of, language)],
    ...[action.kind === 'sound' ? action.clip : '', whatOf(action), 'seconds' in action ? String(action.seconds) : ''],
    ...[action.kind === 'sound' && action.volume !== undefined ? String(action.volume) : '', zones.join(' '), layer],
    ...[silenced?.code ?? '', key],
  ];
}

function whatOf(action: Occurrence['do']): string {
  switch (action.kind) {
    case 'sound':
      return '';
    case 'hold':
      return action.outputs.map(({ ref, value }) => `${ref}=${String(value)}`).join(' ');
    case 'mode':
      return `${action.mode}=${action.on ? 'on' : 'off'}`;
    case 'show':
      return action.command;
  }
}

export interface ItemDraft {
  readonly line: number;
  /** As the table has it; empty: none. */
  readonly id: string;
  readonly item: SchoolItem;
}

/** On which days what the table says happens, where the table does not say so itself. */
export type ItemDays = Pick<DayFilter, 'weekdays'> & { readonly from?: string; readonly to?: string };

/**
 * Items out of such a table: sounds at times of the clock, to choose from. Rows without a clip are left out (outputs and modes are no
 * matter for a spreadsheet), and so are those that were not done. A date makes it an item of that date; weekdays one of these.
 */
export function itemsFromRows(rows: readonly TableRow[], days: ItemDays, layer: string): Parsed<readonly ItemDraft[]> {
  const table = readTable(rows, ['time', 'zh', 'clip'], mostItems);
  if (table.value === undefined) return table;
  const mistakes: TableMistake[] = [];
  const drafts: ItemDraft[] = [];
  const ids = new Set<string>();
  for (const row of table.value) {
    if (row.of('clip') === '' || row.of('not done') !== '') continue;
    const before = mistakes.length;
    const item = readItem(row, days, layer, mistakes);
    const id = row.of('id');
    if (id !== '' && !isSlug(id)) mistakes.push(mistake(row, 'id', 'bad-id'));
    if (id !== '' && ids.has(id)) mistakes.push(mistake(row, 'id', 'twice'));
    ids.add(id);
    if (item !== null && mistakes.length === before) drafts.push({ line: row.line, id, item });
  }
  return mistakes.length > 0 ? { mistakes } : { value: drafts };
}

function readItem(row: Row, days: ItemDays, layer: string, mistakes: TableMistake[]): SchoolItem | null {
  const at = secondOfClock(row.of('time'));
  const of = row.of('class') === '' ? 'bell' : itemClassIn(row.of('class'));
  const seconds = row.of('seconds') === '' ? 15 : Number(row.of('seconds'));
  const volume = row.of('volume') === '' ? null : Number(row.of('volume'));
  if (at === null || at > lastSecond) mistakes.push(mistake(row, 'time', 'not-a-time'));
  if (of === undefined) mistakes.push(mistake(row, 'class', 'unknown-word'));
  if (!(Number.isInteger(seconds) && seconds >= 1 && seconds <= longestSound))
    mistakes.push(mistake(row, 'seconds', 'not-a-number'));
  if (volume !== null && !(volume >= 0 && volume <= 1)) mistakes.push(mistake(row, 'volume', 'not-a-number'));
  if (row.of('zh') === '') mistakes.push(mistake(row, 'zh', 'empty'));
  if (!isSlug(row.of('clip'))) mistakes.push(mistake(row, 'clip', 'bad-id'));
  checkName(row, mistakes);
  const zones = slugsIn<ZoneId>(row.of('zones'));
  if (zones === null) mistakes.push(mistake(row, 'zones', 'bad-id'));
  const own = row.of('layer') || layer;
  if (!isSlug(own)) mistakes.push(mistake(row, 'layer', 'bad-id'));
  const filter = readDays(row, days, mistakes);
  if (at === null || of === undefined || zones === null || filter === null) return null;
  return {
    ...{ part: 'item', name: nameOf(row, ''), class: of, layer: own, when: { at }, enabled: true, days: filter },
    do: {
      ...{ kind: 'sound', clip: row.of('clip'), zones, seconds },
      ...(volume === null ? {} : { volume }),
    },
  };
}

function readDays(row: Row, days: ItemDays, mistakes: TableMistake[]): DayFilter | null {
  const date = row.of('date');
  const weekdays = row.of('weekdays') === '' ? days.weekdays : weekdaysIn(row.of('weekdays'));
  const parity = parityIn(row.of('parity'));
  if (date !== '' && !isDate(date)) mistakes.push(mistake(row, 'date', 'not-a-date'));
  if (weekdays === null) mistakes.push(mistake(row, 'weekdays', 'unknown-word'));
  if (parity === undefined) mistakes.push(mistake(row, 'parity', 'unknown-word'));
  if (weekdays === null || parity === undefined) return null;
  const { from, to } = date === '' ? days : { from: date, to: date };
  return {
    ...{ kinds: [], weekdays: date === '' ? weekdays : [] },
    ...(parity === null ? {} : { parity }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
}
