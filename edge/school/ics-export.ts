import type { DayKind, LocalDate, Occurrence } from '#edge/domain/school.ts';
import { addDays, datesFrom } from './dates.ts';
import { escapeText, writeLines } from './ics-text.ts';
import type { SchoolPlan } from './plan.ts';
import { dayOf, type ResolvedDay } from './resolve-day.ts';

/* Calendars for telephones and office programs (RFC 5545). Bells are in UTC: a time with the campus's zone would need its whole history. */

export interface CalendarHead {
  /** Of the calendar, in the language of the reader. */
  readonly name: string;
  readonly language: 'zh' | 'en';
  /** Makes the ids of events those of this campus, e.g. `2151009903.campus`. */
  readonly host: string;
  /** When it was written, ms since epoch. */
  readonly now: number;
}

/** No longer calendar is written: three years. */
const mostDays = 1_100;

/**
 * All-day events of a layer: holidays, make-up days, examinations, vacations, everything painted; ordinary school days and weekends have
 * none. What is unconfirmed is tentative and says so.
 */
export function daysToCalendar(
  plan: SchoolPlan,
  layer: string,
  from: LocalDate,
  to: LocalDate,
  head: CalendarHead,
): string {
  const runs: ResolvedDay[][] = [];
  for (const date of datesFrom(from, to, mostDays)) {
    const day = dayOf(plan, date, layer);
    if (day.why[0]?.code === 'weekday' || day.kind === 'weekend') continue;
    const last = runs.at(-1);
    const before = last?.at(-1);
    if (before !== undefined && addDays(before.date, 1) === date && isLike(before, day)) last?.push(day);
    else runs.push([day]);
  }
  return calendar(
    head,
    runs.flatMap((run) => eventOfDays(run, head)),
  );
}

function isLike(a: ResolvedDay, b: ResolvedDay): boolean {
  const told = ({ kind, lessonsOf, why, unconfirmed }: ResolvedDay) =>
    JSON.stringify([kind, kind === 'school' ? null : lessonsOf, why[0], unconfirmed.map(({ code }) => code)]);
  return told(a) === told(b);
}

const words: Readonly<Record<DayKind | 'unconfirmed' | 'lessons', { readonly zh: string; readonly en: string }>> = {
  school: { zh: '上课', en: 'School day' },
  'make-up': { zh: '补课', en: 'Make-up day' },
  exam: { zh: '考试', en: 'Examination' },
  event: { zh: '活动', en: 'Event' },
  weekend: { zh: '周末', en: 'Weekend' },
  holiday: { zh: '放假', en: 'Holiday' },
  vacation: { zh: '假期', en: 'Vacation' },
  unconfirmed: { zh: '未确认', en: 'unconfirmed' },
  lessons: { zh: '按周%课表', en: 'lessons of weekday %' },
};

function eventOfDays(run: readonly ResolvedDay[], { language, host, now }: CalendarHead): string[] {
  const [first] = run;
  const last = run.at(-1);
  if (first === undefined || last === undefined) return [];
  const isOpen = first.unconfirmed.length > 0;
  return [
    'BEGIN:VEVENT',
    `UID:${escapeText(`${first.layer}-${first.date}-${first.kind}@${host}`)}`,
    `DTSTAMP:${utc(now)}`,
    `DTSTART;VALUE=DATE:${basic(first.date)}`,
    `DTEND;VALUE=DATE:${basic(addDays(last.date, 1))}`,
    `SUMMARY:${escapeText(titleOf(first, language))}${isOpen ? escapeText(` (${words.unconfirmed[language]})`) : ''}`,
    `CATEGORIES:${first.kind.toUpperCase()}`,
    `X-CAMPUS-KIND:${first.kind}`,
    `X-CAMPUS-NAME:${escapeText(String(first.why[0]?.params?.[language] ?? words[first.kind][language]))}`,
    ...(first.kind === 'make-up' && first.lessonsOf !== null ? [`X-CAMPUS-WEEKDAY:${first.lessonsOf}`] : []),
    `STATUS:${isOpen ? 'TENTATIVE' : 'CONFIRMED'}`,
    'TRANSP:TRANSPARENT',
    'END:VEVENT',
  ];
}

/** The name that was painted or published, and what kind of day it makes. */
function titleOf({ kind, why, lessonsOf }: ResolvedDay, language: 'zh' | 'en'): string {
  const name = why[0]?.params?.[language];
  const isWork = kind === 'make-up' && lessonsOf !== null;
  const lessons = isWork ? ` · ${words.lessons[language].replace('%', weekdayWord(lessonsOf, language))}` : '';
  if (why[0]?.code === 'make-up') return `${name} ${words['make-up'][language]}${lessons}`;
  return `${name ?? words[kind][language]}${lessons}`;
}

function weekdayWord(weekday: number, language: 'zh' | 'en'): string {
  return language === 'zh' ? (['一', '二', '三', '四', '五', '六', '日'][weekday - 1] ?? '') : String(weekday);
}

/** An event for each bell, programme and switch that is done, in the order given. */
export function bellsToCalendar(occurrences: readonly Occurrence[], head: CalendarHead): string {
  const done = occurrences.filter(({ silenced }) => silenced === null);
  return calendar(
    head,
    done.flatMap(({ key, at, name, class: of, do: action }) => [
      'BEGIN:VEVENT',
      `UID:${escapeText(`${key}@${head.host}`)}`,
      `DTSTAMP:${utc(head.now)}`,
      `DTSTART:${utc(at)}`,
      `DTEND:${utc(at + ('seconds' in action ? Math.ceil(action.seconds) * 1_000 : 0))}`,
      `SUMMARY:${escapeText(name[head.language])}`,
      `CATEGORIES:${of.toUpperCase()}`,
      'TRANSP:TRANSPARENT',
      'END:VEVENT',
    ]),
  );
}

function calendar({ name }: CalendarHead, events: readonly string[]): string {
  return writeLines([
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Campus Edge//School day//EN',
    'CALSCALE:GREGORIAN',
    `X-WR-CALNAME:${escapeText(name)}`,
    ...events,
    'END:VCALENDAR',
  ]);
}

function utc(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

function basic(date: LocalDate): string {
  return date.replaceAll('-', '');
}
