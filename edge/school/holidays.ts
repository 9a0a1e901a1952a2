import type { HolidayYear, LocalDate } from '#edge/domain/school.ts';
import { isDate } from './dates.ts';

/* Official holidays and make-up days of a year, as the state published them: data with a source and a date, never a guess. */

export interface HolidayMistake {
  /** Where in the file, e.g. `days[3].date`; empty: the file itself. */
  readonly path: string;
  readonly code:
    | 'not-an-object'
    | 'unknown-key'
    | 'missing'
    | 'not-a-date'
    | 'other-year'
    | 'date-twice'
    | 'too-many'
    | 'none';
}

export type ParsedHolidayYear =
  | { readonly year: HolidayYear; readonly mistakes?: undefined }
  | { readonly year?: undefined; readonly mistakes: readonly HolidayMistake[] };

const mostDays = 200;
const longestText = 500;

/** A file as in edge/school/holidays, read as JSON. A file with a mistake is not used at all. */
export function parseHolidayYear(json: unknown): ParsedHolidayYear {
  const mistakes: HolidayMistake[] = [];
  const say = (path: string, code: HolidayMistake['code']) => void mistakes.push({ path, code });
  const file = objectAt(json, '', ['year', 'source', 'published', 'days'], say);
  if (file === null) return { mistakes };
  const { year, source, published } = file;
  const days = file.days;
  if (typeof year !== 'number' || !Number.isInteger(year) || year < 1990 || year > 2199) say('year', 'missing');
  if (!isText(source)) say('source', 'missing');
  if (typeof published !== 'string' || !isDate(published)) say('published', 'not-a-date');
  if (!Array.isArray(days)) say('days', 'missing');
  else if (days.length === 0) say('days', 'none');
  else if (days.length > mostDays) say('days', 'too-many');
  if (mistakes.length > 0 || !Array.isArray(days)) return { mistakes };
  const read = days.map((day, n) => dayAt(day, `days[${n}]`, Number(year), say)).filter((day) => day !== null);
  const seen = new Set<LocalDate>();
  for (const [n, { date }] of read.entries()) {
    if (seen.has(date)) say(`days[${n}].date`, 'date-twice');
    seen.add(date);
  }
  if (mistakes.length > 0) return { mistakes };
  const sorted = read.toSorted((a, b) => (a.date < b.date ? -1 : 1));
  return { year: { year: Number(year), source: String(source), published: String(published), days: sorted } };
}

type Say = (path: string, code: HolidayMistake['code']) => void;

function dayAt(json: unknown, path: string, year: number, say: Say): HolidayYear['days'][number] | null {
  const day = objectAt(json, path, ['date', 'off', 'name'], say);
  if (day === null) return null;
  const name = objectAt(day.name, `${path}.name`, ['zh', 'en'], say);
  const { date, off } = day;
  if (typeof date !== 'string' || !isDate(date)) return refuse(`${path}.date`, 'not-a-date', say);
  // The notice of a year may begin with the last days of the year before (2022-12-31 was of 2023's).
  if (Math.abs(Number(date.slice(0, 4)) - year) > 1) return refuse(`${path}.date`, 'other-year', say);
  if (typeof off !== 'boolean') return refuse(`${path}.off`, 'missing', say);
  if (name === null) return null;
  const { zh, en } = name;
  if (!isText(zh)) return refuse(`${path}.name.zh`, 'missing', say);
  if (!isText(en)) return refuse(`${path}.name.en`, 'missing', say);
  return { date, off, name: { zh, en } };
}

function refuse(path: string, code: HolidayMistake['code'], say: Say): null {
  say(path, code);
  return null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '' && value.length <= longestText;
}

function objectAt(json: unknown, path: string, keys: readonly string[], say: Say): Record<string, unknown> | null {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return refuse(path, 'not-an-object', say);
  const found: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(json)) {
    if (keys.includes(key)) found[key] = value;
    else say(path === '' ? key : `${path}.${key}`, 'unknown-key');
  }
  return found;
}

/** What the state says of a day. */
export interface OfficialDay {
  readonly off: boolean;
  readonly name: { readonly zh: string; readonly en: string };
  /** Year of the notice. */
  readonly year: number;
}

export interface OfficialDays {
  /** False: nobody knows yet what is off in that year. */
  knows(year: number): boolean;
  of(date: LocalDate): OfficialDay | null;
}

/** Of two files that name a day, the later published one holds; so does it of two files of one year. */
export function officialDays(years: readonly HolidayYear[]): OfficialDays {
  const latest = new Map<number, HolidayYear>();
  const inOrder = years.toSorted((a, b) => (a.published < b.published ? -1 : a.published > b.published ? 1 : 0));
  for (const year of inOrder) latest.set(year.year, year);
  const days = new Map<LocalDate, OfficialDay>();
  for (const file of inOrder) {
    if (latest.get(file.year) !== file) continue;
    for (const { date, off, name } of file.days) days.set(date, { off, name, year: file.year });
  }
  return { knows: (year) => latest.has(year), of: (date) => days.get(date) ?? null };
}
