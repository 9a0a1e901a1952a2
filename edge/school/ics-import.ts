import type { DayKind, LocalDate, SchoolDays, Weekday } from '#edge/domain/school.ts';
import { dayKinds } from '#edge/domain/school.ts';
import { addDays, daysBetween, weekdays } from './dates.ts';
import { dateOfBasic, daysOfRule, readDayRule } from './ics-rule.ts';
import { type IcsEvent, propertyOf, readEvents, textOf } from './ics-text.ts';
import { readMoment } from './ics-time.ts';

/* Calendars of others: all-day events become painted days that somebody may choose from. Nothing of it is in a plan by itself. */

export interface CalendarDraft {
  readonly uid: string;
  readonly line: number;
  readonly days: SchoolDays;
  /** Its kind was told from its words, not said by the file. */
  readonly guessed: boolean;
  readonly tentative: boolean;
}

/** An event with a time of the day: shown, never painted. ms since epoch. */
export interface TimedEvent {
  readonly uid: string;
  readonly line: number;
  readonly name: string;
  readonly at: number;
  readonly until: number;
}

export type RefusalCode =
  | 'not-a-calendar'
  | 'too-large'
  | 'too-many'
  | 'no-start'
  | 'bad-date'
  | 'too-long'
  | 'cancelled'
  | 'recurrence'
  | 'timed-recurrence'
  | 'unknown-zone'
  | 'outside';

export interface Refusal {
  /** Of the file, from 1; 0: the file as a whole. */
  readonly line: number;
  readonly name: string;
  readonly code: RefusalCode;
  /** What is meant, as it stands in the file: the part of a rule, a zone, a date. */
  readonly detail: string;
}

export interface CalendarImport {
  readonly drafts: readonly CalendarDraft[];
  readonly timed: readonly TimedEvent[];
  readonly refused: readonly Refusal[];
}

export interface ImportFrame {
  readonly layer: string;
  /** Of the campus: times without a zone are its own. */
  readonly timeZone: string;
  /** Days before and after are left out. */
  readonly from: LocalDate;
  readonly to: LocalDate;
}

const mostText = 5_000_000;
const mostEvents = 5_000;
const mostDrafts = 2_000;
const longestName = 200;
const longestDays = 400;

export function importCalendar(text: string, frame: ImportFrame): CalendarImport {
  const nothing = (code: RefusalCode, detail = '') => ({
    ...{ drafts: [], timed: [] },
    refused: [{ line: 0, name: '', code, detail }],
  });
  if (text.length > mostText) return nothing('too-large', String(mostText));
  const read = readEvents(text, mostEvents);
  if (read === null) return nothing('not-a-calendar');
  const drafts: CalendarDraft[] = [];
  const timed: TimedEvent[] = [];
  const refused: Refusal[] = [];
  const replaced = replacedDays(read.events);
  for (const event of read.events) {
    const found = readEvent(event, frame, replaced);
    if ('code' in found) refused.push(found);
    else if ('at' in found) timed.push(found);
    else drafts.push(...found.drafts);
    if (drafts.length > mostDrafts) break;
  }
  if (read.more || drafts.length > mostDrafts)
    refused.push({ line: 0, name: '', code: 'too-many', detail: String(read.more ? mostEvents : mostDrafts) });
  return { drafts: drafts.slice(0, mostDrafts), timed, refused };
}

/** Days of a series that another event of the same id stands for (RECURRENCE-ID), by id; `all`: and all that follow. */
type Replaced = ReadonlyMap<string, { readonly days: readonly LocalDate[]; readonly all: boolean }>;

function replacedDays(events: readonly IcsEvent[]): Replaced {
  const found = new Map<string, { days: LocalDate[]; all: boolean }>();
  for (const event of events) {
    const property = propertyOf(event, 'RECURRENCE-ID');
    if (property === undefined) continue;
    const uid = textOf(event, 'UID');
    const known = found.get(uid) ?? { days: [], all: false };
    const day = dateOfBasic(property.value);
    if (day === null || property.params.RANGE !== undefined) known.all = true;
    else known.days.push(day);
    found.set(uid, known);
  }
  return found;
}

function readEvent(
  event: IcsEvent,
  frame: ImportFrame,
  replaced: Replaced,
): { readonly drafts: readonly CalendarDraft[] } | TimedEvent | Refusal {
  // What we wrote ourselves comes back under its own name, without what the title says beside it.
  const name = (textOf(event, 'X-CAMPUS-NAME') || textOf(event, 'SUMMARY')).slice(0, longestName) || '(无标题)';
  const refuse = (code: RefusalCode, detail = ''): Refusal => ({
    line: event.line,
    name,
    code,
    detail: detail.slice(0, 200),
  });
  const start = propertyOf(event, 'DTSTART');
  if (start === undefined) return refuse('no-start');
  if (textOf(event, 'STATUS').toUpperCase() === 'CANCELLED') return refuse('cancelled');
  const rule = propertyOf(event, 'RRULE');
  const added = propertyOf(event, 'RDATE') ?? propertyOf(event, 'EXRULE');
  if (added !== undefined) return refuse('recurrence', added.name);
  if (!/^\d{8}\s*$/.test(start.value)) {
    if (rule !== undefined) return refuse('timed-recurrence', rule.value);
    return readTimed(event, name, frame, refuse);
  }
  const first = dateOfBasic(start.value);
  if (first === null) return refuse('bad-date', start.value);
  const length = lengthOf(event, first);
  if (length === null)
    return refuse('bad-date', propertyOf(event, 'DTEND')?.value ?? propertyOf(event, 'DURATION')?.value);
  if (length > longestDays) return refuse('too-long', `${length}`);
  const uid = textOf(event, 'UID');
  const isException = propertyOf(event, 'RECURRENCE-ID') !== undefined;
  const away = isException ? undefined : replaced.get(uid);
  if (away?.all === true) return refuse('recurrence', 'RECURRENCE-ID');
  let begins = [first];
  if (rule !== undefined && !isException) {
    const read = readDayRule(rule.value, first);
    if ('refused' in read) return refuse('recurrence', read.refused);
    begins = daysOfRule(read, first, addDays(frame.from, -length), frame.to);
  }
  const without = new Set([...excluded(event), ...(away?.days ?? [])]);
  const drafts = begins
    .filter((from) => !without.has(from))
    .map((from) => ({ from, to: addDays(from, length - 1) }))
    .filter(({ from, to }) => to >= frame.from && from <= frame.to)
    .map(({ from, to }) => draftOf(event, name, from, to, frame));
  return drafts.length === 0 ? refuse('outside', first) : { drafts };
}

function excluded({ properties }: IcsEvent): LocalDate[] {
  return properties
    .filter(({ name }) => name === 'EXDATE')
    .flatMap(({ value }) => value.split(','))
    .flatMap((value) => dateOfBasic(value) ?? []);
}

/** Days; the end of a file is the day after. Some programs write the same day instead. */
function lengthOf(event: IcsEvent, first: LocalDate): number | null {
  const end = propertyOf(event, 'DTEND');
  if (end !== undefined) {
    const after = dateOfBasic(end.value);
    if (after === null || after < first) return null;
    return Math.max(1, daysBetween(first, after));
  }
  const duration = propertyOf(event, 'DURATION');
  if (duration === undefined) return 1;
  const found = /^\+?P(?:(\d{1,3})W|(\d{1,4})D)$/i.exec(duration.value.trim());
  if (found === null) return null;
  return Math.max(1, Number(found[1] ?? 0) * 7 + Number(found[2] ?? 0));
}

function readTimed(
  event: IcsEvent,
  name: string,
  { timeZone }: ImportFrame,
  refuse: (code: RefusalCode, detail?: string) => Refusal,
): TimedEvent | Refusal {
  const start = propertyOf(event, 'DTSTART');
  const at = start === undefined ? null : readMoment(start, timeZone);
  if (at === null) return refuse('bad-date', start?.value);
  if (at === 'unknown-zone') return refuse('unknown-zone', start?.params.TZID);
  const end = propertyOf(event, 'DTEND');
  const until = end === undefined ? at : readMoment(end, timeZone);
  const isGood = typeof until === 'number' && until >= at;
  return { uid: textOf(event, 'UID'), line: event.line, name, at, until: isGood ? until : at };
}

function draftOf(event: IcsEvent, name: string, from: LocalDate, to: LocalDate, { layer }: ImportFrame): CalendarDraft {
  const said = dayKinds.find((kind) => kind === textOf(event, 'X-CAMPUS-KIND'));
  const kind = said ?? guessKind(name);
  const weekday = weekdays.find((day: Weekday) => String(day) === textOf(event, 'X-CAMPUS-WEEKDAY'));
  const days: SchoolDays = { part: 'days', name: { zh: name, en: name }, layer, from, to, kind };
  return {
    ...{ uid: textOf(event, 'UID'), line: event.line, guessed: said === undefined },
    tentative: textOf(event, 'STATUS').toUpperCase() === 'TENTATIVE',
    days: kind === 'make-up' && weekday !== undefined ? { ...days, useWeekday: weekday } : days,
  };
}

/** Words of Chinese school calendars and of the public holiday calendars that telephones subscribe to; the first that fits. */
const kindWords: readonly (readonly [RegExp, DayKind])[] = [
  [/补班|补课|调课|上班|[(（]班[)）]|make-?up|work(ing)? ?day/i, 'make-up'],
  [/寒假|暑假|vacation/i, 'vacation'],
  [/考试|期中|期末|中考|高考|会考|联考|月考|\bexam/i, 'exam'],
  [/放假|休假|假期|[(（]休[)）]|holiday|day off/i, 'holiday'],
];

function guessKind(name: string): DayKind {
  return kindWords.find(([pattern]) => pattern.test(name))?.[1] ?? 'event';
}
