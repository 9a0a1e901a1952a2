/*
 * Days, weeks and months as the campus lives them. A day may have 23 or 25 hours; nothing here counts in multiples of 24.
 */

const hour = 3_600_000;
const day = 24 * hour;

/** The campus's own time of day, as `web/local-time.ts` and whoever else has one tells it. Times are ms since epoch UTC. */
export interface LocalClock {
  /** Local time minus UTC at an instant, ms. */
  offsetAt(time: number): number;
  /** The local midnight that begins the day of an instant. */
  dayStart(time: number): number;
  /** ISO date, and 1 = Monday .. 7. */
  date(time: number): { readonly date: string; readonly day: number };
}

/** ms since epoch UTC, the end not included. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface LocalDay extends Span {
  /** ISO date. */
  readonly date: string;
  /** 1 = Monday .. 7. */
  readonly weekday: number;
}

/** What kind of day it is, in any words: `school`, `off` ... Days of one kind are compared with each other. */
export type DayType = (day: LocalDay) => string;

export const periodKinds = ['day', 'week', 'month'] as const;
export type PeriodKind = (typeof periodKinds)[number];

export interface Period extends Span {
  readonly kind: PeriodKind;
  readonly days: readonly LocalDay[];
}

export function dayAt(clock: LocalClock, time: number): LocalDay {
  const from = clock.dayStart(time);
  const { date, day: weekday } = clock.date(from);
  return { from, to: clock.dayStart(from + 36 * hour), date, weekday };
}

/** Every day that has a part in the span, ascending; at most 1,000. */
export function daysOf(clock: LocalClock, { from, to }: Span): readonly LocalDay[] {
  const days: LocalDay[] = [];
  for (let at = from; at < to && days.length < 1_000; ) {
    const next = dayAt(clock, at);
    days.push(next);
    at = next.to;
  }
  return days;
}

/** Minutes after local midnight as a clock on the wall shows them, 0 to 1,439. */
export function minuteOfDay(clock: LocalClock, time: number): number {
  return Math.floor(((((time + clock.offsetAt(time)) % day) + day) % day) / 60_000);
}

/**
 * The same clock, asked once for each day of UTC on which the offset does not change: a report asks for thousands of times, and a
 * time zone takes its time to answer.
 */
export function remembering(clock: LocalClock): LocalClock {
  if (rememberers.has(clock)) return clock;
  const offsets = new Map<number, number | null>();
  const offsetAt = (time: number): number => {
    const slot = Math.floor(time / day);
    let offset = offsets.get(slot);
    if (offset === undefined) {
      const first = clock.offsetAt(slot * day);
      offset = first === clock.offsetAt((slot + 1) * day - 1) ? first : null;
      if (offsets.size > 2_000) offsets.clear();
      offsets.set(slot, offset);
    }
    return offset ?? clock.offsetAt(time);
  };
  const starts = (time: number): number => {
    const offset = offsetAt(time);
    const midnight = Math.floor((time + offset) / day) * day - offset;
    // On the day on which the offset changes, midnight still had the one before.
    return midnight + offset - offsetAt(midnight);
  };
  const dates = new Map<number, ReturnType<LocalClock['date']>>();
  const date = (time: number) => {
    const local = time + offsetAt(time);
    const slot = Math.floor(local / day);
    let found = dates.get(slot);
    if (found === undefined) {
      found = writtenDate(local);
      if (dates.size > 2_000) dates.clear();
      dates.set(slot, found);
    }
    return found;
  };
  const remembers = { offsetAt, dayStart: starts, date };
  rememberers.add(remembers);
  return remembers;
}

/** Who remembers already need not be asked by another who does. */
const rememberers = new WeakSet<LocalClock>();

function writtenDate(local: number): ReturnType<LocalClock['date']> {
  const date = new Date(local);
  return { date: date.toISOString().slice(0, 10), day: ((date.getUTCDay() + 6) % 7) + 1 };
}

/** The day, the week from Monday on, or the month that a time is in. */
export function periodAt(clock: LocalClock, kind: PeriodKind, time: number): Period {
  const today = dayAt(clock, time);
  const from = startOf(clock, kind, today);
  const span = { from, to: endOf(clock, kind, from) };
  return { kind, ...span, days: daysOf(clock, span) };
}

/** The one before it. */
export function periodBefore(clock: LocalClock, { kind, from }: Pick<Period, 'kind' | 'from'>): Period {
  return periodAt(clock, kind, from - hour);
}

function startOf(clock: LocalClock, kind: PeriodKind, today: LocalDay): number {
  const back = kind === 'day' ? 0 : kind === 'week' ? today.weekday - 1 : Number(today.date.slice(8)) - 1;
  // From noon to noon: an hour more or less of summer time stays within the day.
  return clock.dayStart(today.from + day / 2 - back * day);
}

function endOf(clock: LocalClock, kind: PeriodKind, from: number): number {
  if (kind === 'day') return clock.dayStart(from + 36 * hour);
  if (kind === 'week') return clock.dayStart(from + 7 * day + day / 2);
  return startOf(clock, 'month', dayAt(clock, from + 32 * day));
}
