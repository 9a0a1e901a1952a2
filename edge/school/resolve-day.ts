import {
  campusLayer,
  type DayKind,
  type LocalDate,
  type Parity,
  type SchoolDay,
  type SchoolDays,
  type SchoolReason,
  type Weekday,
} from '#edge/domain/school.ts';
import { addDays, daysBetween, parityOf, weekdayOf } from './dates.ts';
import type { SchoolPlan } from './plan.ts';
import type { Named } from './plan-parts.ts';
import { timetableOf } from './season.ts';

/*
 * What a date is. Strongest first: painted days of the layer, then of its parents; an examination; the bounds of the term; official
 * holidays and make-up days; the weekend; the weekly pattern of the season.
 */

export interface ResolvedDay extends SchoolDay {
  /** Whose week's lessons it has: of its own week, or as painted. null outside terms. */
  readonly parity: Parity | null;
}

/** Dates that are kept of a layer before all are dropped. */
const mostKept = 1_500;
const workingWeek = 5;

/** A layer that does not exist has the day of the campus. */
export function dayOf(plan: SchoolPlan, date: LocalDate, layer: string): ResolvedDay {
  const own = plan.layers.has(layer) ? layer : campusLayer;
  const days = plan.kept.get(own) ?? new Map<LocalDate, ResolvedDay>();
  plan.kept.set(own, days);
  const kept = days.get(date);
  if (kept !== undefined) return kept;
  if (days.size >= mostKept) days.clear();
  const day = resolve(plan, date, own);
  days.set(date, day);
  return day;
}

/** What was decided; `painted` and `lessons` are null where nobody painted, or nobody learns. */
interface Verdict {
  readonly kind: DayKind;
  readonly why: readonly SchoolReason[];
  readonly painted: Named<SchoolDays> | null;
  readonly lessonsOf: Weekday | null;
  readonly unconfirmed: readonly SchoolReason[];
}

type Week = NonNullable<SchoolDay['week']>;

function resolve(plan: SchoolPlan, date: LocalDate, layer: string): ResolvedDay {
  const week = weekOf(plan, date);
  const weekday = weekdayOf(date);
  const verdict = verdictOf(plan, date, layer, week, weekday);
  const parity = verdict.painted?.useParity ?? week?.parity ?? null;
  const lessons = timetableOf(plan, { date, layer, parity, lessonsOf: verdict.lessonsOf, painted: verdict.painted });
  const ofWeek: SchoolReason[] =
    week === null ? [] : [{ code: 'week', entry: week.term, params: { number: week.number, parity: week.parity } }];
  return {
    ...{ date, layer, kind: verdict.kind, weekday, lessonsOf: verdict.lessonsOf, week, parity },
    timetable: lessons.timetable,
    slots: lessons.slots,
    why: [...verdict.why, ...ofWeek, ...lessons.why],
    unconfirmed: [...unconfirmedYear(plan, date), ...verdict.unconfirmed],
  };
}

function unconfirmedYear({ official }: SchoolPlan, date: LocalDate): SchoolReason[] {
  const year = Number(date.slice(0, 4));
  return official.knows(year) ? [] : [{ code: 'unconfirmed-year', params: { year } }];
}

function weekOf({ terms }: SchoolPlan, date: LocalDate): Week | null {
  for (const { id, from, weeks } of terms) {
    if (date < from) continue;
    const number = Math.floor(daysBetween(from, date) / 7) + 1;
    if (number <= weeks) return { term: id, number, parity: parityOf(number) };
  }
  return null;
}

const noLessons = { painted: null, lessonsOf: null, unconfirmed: [] } as const;

function verdictOf(plan: SchoolPlan, date: LocalDate, layer: string, week: Week | null, weekday: Weekday): Verdict {
  const painted = paintedDay(plan, date, layer);
  if (painted !== null) return verdictOfPainted(painted, layer, weekday);
  const exam = plan.exams.find(
    (one) => plan.layers.isBelow(layer, one.layer) && one.papers.some((paper) => paper.date === date),
  );
  if (exam !== undefined) {
    const why: SchoolReason[] = [{ code: 'exam', entry: exam.id, params: { zh: exam.name.zh, en: exam.name.en } }];
    return { ...noLessons, kind: 'exam', why: [...why, ...inheritedFrom(exam.layer, layer)] };
  }
  if (week === null || !isOpen(plan, date, week)) {
    const why: SchoolReason = week === null ? { code: 'vacation' } : { code: 'vacation', entry: week.term };
    return { ...noLessons, kind: 'vacation', why: [why] };
  }
  return verdictOfState(plan, date, layer, week, weekday);
}

function verdictOfState(plan: SchoolPlan, date: LocalDate, layer: string, week: Week, weekday: Weekday): Verdict {
  const official = plan.official.of(date);
  if (official !== null) {
    const params = { zh: official.name.zh, en: official.name.en, year: official.year };
    if (official.off) return { ...noLessons, kind: 'holiday', why: [{ code: 'holiday', params }] };
    const unknown: SchoolReason = { code: 'make-up-no-weekday', params };
    return { ...noLessons, kind: 'make-up', why: [{ code: 'make-up', params }], unconfirmed: [unknown] };
  }
  // A weekly pattern that names Saturday or Sunday means it: boarders come back on Sunday for evening study.
  const pattern = { date, layer, parity: week.parity, lessonsOf: weekday, painted: null };
  if (weekday > workingWeek && timetableOf(plan, pattern).timetable === null)
    return { ...noLessons, kind: 'weekend', why: [{ code: 'weekend', params: { weekday } }] };
  return { ...noLessons, kind: 'school', lessonsOf: weekday, why: [{ code: 'weekday', params: { weekday } }] };
}

function isOpen({ terms }: SchoolPlan, date: LocalDate, week: Week): boolean {
  const term = terms.find(({ id }) => id === week.term);
  if (term === undefined) return false;
  const { from, weeks, opens = from, closes = addDays(from, weeks * 7 - 1) } = term;
  return date >= opens && date <= closes;
}

function paintedDay({ layers, painted }: SchoolPlan, date: LocalDate, layer: string): Named<SchoolDays> | null {
  for (const level of layers.chain(layer)) {
    const found = painted.get(level)?.find(({ from, to }) => date >= from && date <= to);
    if (found !== undefined) return found;
  }
  return null;
}

function verdictOfPainted(painted: Named<SchoolDays>, layer: string, weekday: Weekday): Verdict {
  const { kind, id, name, useWeekday, timetable } = painted;
  const because: SchoolReason = { code: 'painted', entry: id, params: { zh: name.zh, en: name.en, kind } };
  const why = [because, ...inheritedFrom(painted.layer, layer)];
  if (kind === 'make-up' && useWeekday === undefined)
    return { kind, why, painted, lessonsOf: null, unconfirmed: [{ code: 'make-up-no-weekday', entry: id }] };
  if (useWeekday !== undefined) why.push({ code: 'make-up', entry: id, params: { weekday: useWeekday } });
  const hasLessons = kind === 'school' || useWeekday !== undefined || timetable !== undefined;
  return { kind, why, painted, lessonsOf: hasLessons ? (useWeekday ?? weekday) : null, unconfirmed: [] };
}

export function inheritedFrom(from: string, layer: string): SchoolReason[] {
  return from === layer ? [] : [{ code: 'inherited', params: { layer: from } }];
}
