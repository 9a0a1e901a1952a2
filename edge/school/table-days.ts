import { isSlug } from '#edge/domain/ids.ts';
import type { SchoolDays } from '#edge/domain/school.ts';
import { isDate } from './dates.ts';
import { nameOfReason } from './in-force.ts';
import type { ResolvedDay } from './resolve-day.ts';
import {
  type Column,
  dayKindIn,
  dayKindWord,
  headOf,
  mistake,
  nameOf,
  type Parsed,
  parityIn,
  parityWord,
  type Row,
  readTable,
  type TableLanguage,
  type TableMistake,
  type TableRow,
  weekdaysIn,
  weekdaysWord,
} from './table-words.ts';

/* The calendar as a table: what each date is, and days to paint out of somebody's list. */

const head: readonly Column[] = [
  ...(['date', 'weekdays', 'kind', 'zh', 'en', 'weekday', 'week', 'parity', 'timetable', 'unconfirmed'] as const),
];
const mostRows = 800;

/** A row for each date. */
export function daysRows(days: readonly ResolvedDay[], language: TableLanguage): readonly (readonly string[])[] {
  return [headOf(head, language), ...days.map((day) => dayRow(day, language))];
}

function dayRow(day: ResolvedDay, language: TableLanguage): readonly string[] {
  const { date, weekday, kind, lessonsOf, week, parity, timetable, why, unconfirmed } = day;
  const name = (of: 'zh' | 'en') => String(why[0]?.params?.[of] ?? '');
  return [
    ...[date, weekdaysWord([weekday], language), dayKindWord(kind, language), name('zh'), name('en')],
    lessonsOf === null || lessonsOf === weekday ? '' : weekdaysWord([lessonsOf], language),
    ...[week === null ? '' : String(week.number), parity === null ? '' : parityWord(parity, language)],
    ...[timetable ?? '', unconfirmed.map(nameOfReason).join(' ')],
  ];
}

export interface DaysDraft {
  readonly line: number;
  /** As the table has it; empty: none. */
  readonly id: string;
  readonly days: SchoolDays;
}

/** Days to paint: `from` (or `date`), `to`, kind, name, and whose lessons a make-up day has. */
export function paintedFromRows(rows: readonly TableRow[], layer: string): Parsed<readonly DaysDraft[]> {
  const table = readTable(rows, ['kind', 'zh'], mostRows);
  if (table.value === undefined) return table;
  const mistakes: TableMistake[] = [];
  const drafts = table.value.flatMap((row): DaysDraft[] => {
    const before = mistakes.length;
    const days = readDays(row, layer, mistakes);
    const id = row.of('id');
    if (id !== '' && !isSlug(id)) mistakes.push(mistake(row, 'id', 'bad-id'));
    return days === null || mistakes.length > before ? [] : [{ line: row.line, id, days }];
  });
  return mistakes.length > 0 ? { mistakes } : { value: drafts };
}

function readDays(row: Row, layer: string, mistakes: TableMistake[]): SchoolDays | null {
  const column: Column = row.of('from') === '' ? 'date' : 'from';
  const from = row.of(column);
  const to = row.of('to') || from;
  const kind = dayKindIn(row.of('kind'));
  const weekdays = weekdaysIn(row.of('weekday'));
  const parity = parityIn(row.of('parity'));
  const timetable = row.of('timetable');
  const own = row.of('layer') || layer;
  if (!isDate(from)) mistakes.push(mistake(row, column, 'not-a-date'));
  else if (!isDate(to)) mistakes.push(mistake(row, 'to', 'not-a-date'));
  else if (to < from) mistakes.push(mistake(row, 'to', 'ends-before'));
  if (kind === undefined) mistakes.push(mistake(row, 'kind', 'unknown-word'));
  if (weekdays === null || weekdays.length > 1) mistakes.push(mistake(row, 'weekday', 'unknown-word'));
  if (parity === undefined) mistakes.push(mistake(row, 'parity', 'unknown-word'));
  if (row.of('zh') === '') mistakes.push(mistake(row, 'zh', 'empty'));
  if (timetable !== '' && !isSlug(timetable)) mistakes.push(mistake(row, 'timetable', 'bad-id'));
  if (!isSlug(own)) mistakes.push(mistake(row, 'layer', 'bad-id'));
  if (kind === undefined || weekdays === null || parity === undefined) return null;
  const [weekday] = weekdays;
  return {
    ...{ part: 'days', name: nameOf(row, ''), layer: own, from, to, kind },
    ...(weekday === undefined ? {} : { useWeekday: weekday }),
    ...(parity === null ? {} : { useParity: parity }),
    ...(timetable === '' ? {} : { timetable }),
  };
}
