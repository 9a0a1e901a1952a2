import { isSlug } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import {
  type DayKind,
  dayKinds,
  type ItemClass,
  itemClasses,
  type SlotKind,
  slotKinds,
  type Weekday,
} from '#edge/domain/school.ts';

/*
 * The words of tables, and how a table is read: by the names of its columns, in Chinese or English, in any order. Separators, quotes and
 * character sets are the business of whoever reads and writes the file (web/csv.ts).
 */

export type TableLanguage = 'zh' | 'en';

export interface TableRow {
  /** Of the file, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

export interface TableMistake {
  /** 0: the table. */
  readonly line: number;
  /** Name of the column (a key of `columns`); empty: the row or the table. */
  readonly column: string;
  readonly code:
    | 'no-column'
    | 'unknown-word'
    | 'not-a-time'
    | 'not-a-date'
    | 'ends-before'
    | 'overlaps'
    | 'too-long'
    | 'bad-id'
    | 'unknown-id'
    | 'twice'
    | 'empty'
    | 'not-a-number'
    | 'too-many';
  readonly cell: string;
}

export type Parsed<T> =
  | { readonly value: T; readonly mistakes?: undefined }
  | { readonly value?: undefined; readonly mistakes: readonly TableMistake[] };

/** Heads of columns. What a school's own table calls them besides is read as well. */
const columns = {
  id: [['编号'], ['id']],
  date: [['日期'], ['date']],
  time: [['时间', '时刻'], ['time']],
  from: [
    ['开始', '开始时间', '起', '开始日期'],
    ['from', 'start'],
  ],
  to: [
    ['结束', '结束时间', '止', '结束日期'],
    ['to', 'end'],
  ],
  zh: [
    ['名称', '项目', '内容', '节次'],
    ['zh', 'name'],
  ],
  en: [
    ['英文名称', '英文'],
    ['en', 'english'],
  ],
  kind: [['类型'], ['kind']],
  class: [['类别'], ['class']],
  pinned: [['固定'], ['pinned']],
  clip: [['曲目', '音频', '铃声'], ['clip']],
  does: [['动作'], ['does']],
  seconds: [['时长（秒）', '时长', '秒数'], ['seconds']],
  volume: [['音量'], ['volume']],
  zones: [['区域', '分区'], ['zones']],
  layer: [['层级'], ['layer']],
  weekdays: [['星期', '周几'], ['weekdays']],
  weekday: [['按周几课表', '星期几'], ['weekday']],
  parity: [['单双周'], ['parity']],
  week: [['周次'], ['week']],
  timetable: [['作息表'], ['timetable']],
  unconfirmed: [['未确认'], ['unconfirmed']],
  'not done': [['不执行的原因'], ['not done']],
  key: [['键'], ['key']],
  outputs: [['回路', '输出'], ['outputs']],
  planned: [['计划时间'], ['planned']],
  decided: [['处理时间'], ['decided']],
  outcome: [['结果'], ['outcome']],
  reason: [['原因'], ['reason']],
  message: [['说明'], ['message']],
  release: [['签发'], ['release']],
} as const;
export type Column = keyof typeof columns;

export function headOf(of: readonly Column[], language: TableLanguage): readonly string[] {
  return of.map((column) => columns[column][language === 'zh' ? 0 : 1][0]);
}

const kindWords: Readonly<Record<SlotKind, string>> = {
  arrival: '到校',
  assembly: '集会',
  reading: '早读',
  lesson: '上课',
  break: '课间',
  'long-break': '大课间',
  exercise: '课间操',
  'eye-exercise': '眼保健操',
  lunch: '午餐',
  nap: '午休',
  activity: '活动',
  'evening-study': '晚自习',
  dismissal: '放学',
  'lights-out': '熄灯',
};
const classWords: Readonly<Record<ItemClass, string>> = {
  exam: '考试指令',
  bell: '打铃',
  exercise: '操',
  programme: '节目',
  power: '用电',
  screen: '屏幕',
  mode: '模式',
};
const dayWords: Readonly<Record<DayKind, string>> = {
  school: '上课日',
  'make-up': '调休上课',
  exam: '考试',
  event: '活动',
  weekend: '周末',
  holiday: '放假',
  vacation: '假期',
};
const parityWords = { odd: '单周', even: '双周' } as const;

export const slotKindWord = (kind: SlotKind, language: TableLanguage) => (language === 'zh' ? kindWords[kind] : kind);
export const classWord = (of: ItemClass, language: TableLanguage) => (language === 'zh' ? classWords[of] : of);
export const dayKindWord = (kind: DayKind, language: TableLanguage) => (language === 'zh' ? dayWords[kind] : kind);
export const parityWord = (of: 'odd' | 'even', language: TableLanguage) => (language === 'zh' ? parityWords[of] : of);

function wordIn<Word extends string>(all: readonly Word[], words: Readonly<Record<Word, string>>, cell: string) {
  const text = cell.toLowerCase();
  return all.find((one) => one === text || words[one] === cell);
}
export const slotKindIn = (cell: string) => wordIn(slotKinds, kindWords, cell);
export const itemClassIn = (cell: string) => wordIn(itemClasses, classWords, cell);
export const dayKindIn = (cell: string) => wordIn(dayKinds, dayWords, cell);
/** undefined: no such word; null: the cell is empty. */
export function parityIn(cell: string): 'odd' | 'even' | null | undefined {
  if (cell === '') return null;
  return wordIn(['odd', 'even'] as const, parityWords, cell.length === 1 ? `${cell}周` : cell);
}

const weekdaySigns = '一二三四五六日';

export function weekdaysWord(days: readonly Weekday[], language: TableLanguage): string {
  const sorted = [...days].sort((a, b) => a - b);
  return language === 'zh' ? sorted.map((day) => `周${weekdaySigns[day - 1]}`).join('、') : sorted.join(' ');
}

/** `1 2 3`, `1-5`, `周一至周五`, `一三五`; empty: none. null: it is none of that. */
export function weekdaysIn(cell: string): readonly Weekday[] | null {
  const plain = cell
    .replace(/星期|礼拜|周/g, '')
    .replace(/天/g, '日')
    .replace(/[一二三四五六日]/g, (sign) => String(weekdaySigns.indexOf(sign) + 1));
  const spread = plain.replace(/([1-7])\s*(?:-|–|~|～|至|到)\s*([1-7])/g, (_, from: string, to: string) =>
    weekdayDigits.filter((day) => day >= from && day <= to).join(''),
  );
  if (!/^[1-7\s,;，；、]*$/.test(spread)) return null;
  return ([1, 2, 3, 4, 5, 6, 7] as const).filter((day) => spread.includes(String(day)));
}
const weekdayDigits = ['1', '2', '3', '4', '5', '6', '7'];

export interface Row {
  readonly line: number;
  /** The trimmed cell of a column; empty where the table has no such column. */
  of(column: Column): string;
}

/** Columns by their names in the first row, in any order; others are passed over. */
export function readTable(rows: readonly TableRow[], needed: readonly Column[], most: number): Parsed<readonly Row[]> {
  const [head, ...body] = rows;
  const names = (head?.cells ?? []).map((cell) => cell.trim().toLowerCase());
  const place = (column: Column) => {
    const known: readonly string[] = columns[column].flat();
    return names.findIndex((name) => known.includes(name));
  };
  const missing = needed.filter((column) => place(column) === -1);
  if (missing.length > 0)
    return { mistakes: missing.map((column) => ({ line: head?.line ?? 1, column, code: 'no-column', cell: '' })) };
  if (body.length > most) return { mistakes: [{ line: 0, column: '', code: 'too-many', cell: String(most) }] };
  const filled = body.filter(({ cells }) => cells.some((cell) => cell.trim() !== ''));
  return { value: filled.map(({ line, cells }) => ({ line, of: (column) => (cells[place(column)] ?? '').trim() })) };
}

export function mistake(row: Row, column: Column, code: TableMistake['code']): TableMistake {
  return { line: row.line, column, code, cell: row.of(column).slice(0, 60) };
}

export function nameOf(row: Row, otherwise: string): Name {
  const zh = row.of('zh') || row.of('en') || otherwise;
  return { zh, en: row.of('en') || zh };
}

export function isYes(cell: string): boolean {
  return ['yes', 'y', 'true', '1', '是'].includes(cell.toLowerCase());
}

/** Slugs one after the other; null: one of them is none. */
export function slugsIn<Id extends string>(cell: string): readonly Id[] | null {
  const words = cell.split(/[\s,;，；、]+/).filter((word) => word !== '');
  const ids = words.filter((word): word is Id => isSlug(word));
  return ids.length === words.length ? ids : null;
}
