import type { SchoolPower } from '#edge/domain/school.ts';
import { clockOf, secondOfClock } from './dates.ts';
import {
  type Column,
  headOf,
  mistake,
  type Parsed,
  readTable,
  type TableLanguage,
  type TableMistake,
  type TableRow,
  weekdaysIn,
  weekdaysWord,
} from './table-words.ts';

/* The week of circuits as a table: a row for each stretch, and back. What else a circuit is (sensors, slots) stays as it is. */

const head: readonly Column[] = ['id', 'zh', 'en', 'outputs', 'weekdays', 'from', 'to'];
const mostRows = 5_000;
const endOfDay = 86_400;

/** A circuit without stretches has one row without times. */
export function powerRows(
  powers: readonly (SchoolPower & { readonly id: string })[],
  language: TableLanguage,
): readonly (readonly string[])[] {
  const rows = powers.flatMap(({ id, name, outputs, weekly }) => {
    const own = [id, name.zh, name.en, outputs.join(' ')];
    if (weekly.length === 0) return [[...own, '', '', '']];
    return weekly.map(({ days, from, to }) => [
      ...own,
      ...[weekdaysWord(days, language), clockOf(from), to === endOfDay ? '24:00' : clockOf(to)],
    ]);
  });
  return [headOf(head, language), ...rows];
}

export interface WeekDraft {
  /** Its first row. */
  readonly line: number;
  readonly id: string;
  readonly weekly: SchoolPower['weekly'];
}

/** The stretches of circuits that there are, by id; one that the table does not name stays as it is. */
export function weeksFromRows(
  rows: readonly TableRow[],
  isCircuit: (id: string) => boolean,
): Parsed<readonly WeekDraft[]> {
  const table = readTable(rows, ['id', 'weekdays', 'from', 'to'], mostRows);
  if (table.value === undefined) return table;
  const mistakes: TableMistake[] = [];
  const drafts = new Map<string, { line: number; id: string; weekly: SchoolPower['weekly'][number][] }>();
  for (const row of table.value) {
    const id = row.of('id');
    if (!isCircuit(id)) {
      mistakes.push(mistake(row, 'id', 'unknown-id'));
      continue;
    }
    const draft = drafts.get(id) ?? { line: row.line, id, weekly: [] };
    drafts.set(id, draft);
    if (row.of('weekdays') === '' && row.of('from') === '' && row.of('to') === '') continue;
    const days = weekdaysIn(row.of('weekdays'));
    const from = secondOfClock(row.of('from'));
    const to = /^24:00(:00)?$/.test(row.of('to')) ? endOfDay : secondOfClock(row.of('to'));
    if (days === null || days.length === 0) mistakes.push(mistake(row, 'weekdays', 'unknown-word'));
    if (from === null) mistakes.push(mistake(row, 'from', 'not-a-time'));
    if (to === null) mistakes.push(mistake(row, 'to', 'not-a-time'));
    if (days === null || from === null || to === null) continue;
    if (to <= from) mistakes.push(mistake(row, 'to', 'ends-before'));
    else draft.weekly.push({ days, from, to });
  }
  return mistakes.length > 0 ? { mistakes } : { value: [...drafts.values()] };
}
