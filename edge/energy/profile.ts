import { type DayType, daysOf, type LocalClock, type LocalDay, minuteOfDay, type Span } from './local-days.ts';
import { type Bucket, totalOf, within } from './rises.ts';

/* How consumption lies in the day, what is usual for a day like this one, and what runs when nobody is there. */

const hourMs = 3_600_000;
/** A day that is known for less than this says nothing about what is usual. */
const enoughKnown = 0.9;
/** Days that are compared with. */
const likeDays = 4;
/** Night: from this local minute to that one. */
export const night = { from: 0, to: 300 };

export interface ProfileSlot {
  /** Local minutes after midnight at which it begins. */
  readonly minute: number;
  /** Mean power in it, kW (m3/h), over the days in which it is known; null: in none. */
  readonly power: number | null;
  readonly days: number;
}

/** Mean day of a span; give in days of one type to see a school day. */
export function loadProfileOf(buckets: readonly Bucket[], clock: LocalClock): readonly ProfileSlot[] {
  const slots = new Map<number, { sum: number; days: number }>();
  for (const bucket of buckets) {
    const minute = minuteOfDay(clock, bucket.from);
    const slot = slots.get(minute) ?? { sum: 0, days: 0 };
    const power = powerOf(bucket);
    if (power !== null) {
      slot.sum += power;
      slot.days++;
    }
    slots.set(minute, slot);
  }
  return [...slots]
    .sort(([a], [b]) => a - b)
    .map(([minute, { sum, days }]) => ({ minute, power: days === 0 ? null : sum / days, days }));
}

/** Mean power of a bucket, kW or m3/h; null where the time of its energy is not known. */
export function powerOf({ amount, known, estimated, from, to }: Bucket): number | null {
  if (amount === null || estimated !== 0 || known < 0.5 * (to - from)) return null;
  return (amount * hourMs) / (to - from);
}

export interface Baseline {
  /** `weekday`: the same weekdays of the same type; `day-type`: not enough of those, so other days of the same type. */
  readonly basis: 'weekday' | 'day-type';
  /** The days it is made of, newest first. */
  readonly days: readonly LocalDay[];
  /** What is usual, by local minute after midnight: median of these days, kW.h or m3; null where none of them is known. */
  readonly slots: readonly { readonly minute: number; readonly amount: number | null }[];
  /** Of the whole day: median of the days' totals. */
  readonly total: number;
}

/**
 * What is usual for a day: the median of the last four days like it. `history`: buckets from before the day, eight weeks are enough.
 * Days that are not known well enough are passed over. Null: there are not two days to compare with.
 */
export function baselineOf(
  history: readonly Bucket[],
  day: LocalDay,
  dayType: DayType,
  clock: LocalClock,
): Baseline | null {
  const [first] = history;
  if (first === undefined) return null;
  const type = dayType(day);
  const before = daysOf(clock, { from: first.from, to: day.from }).filter((one) => one.to <= day.from);
  const byDay = groupByDay(history, before);
  const like = before
    .filter((one) => dayType(one) === type && totalOf(byDay.get(one.from) ?? []).known >= enoughKnown)
    .reverse();
  const sameWeekday = like.filter(({ weekday }) => weekday === day.weekday).slice(0, likeDays);
  const basis = sameWeekday.length >= 2 ? 'weekday' : 'day-type';
  const days = basis === 'weekday' ? sameWeekday : like.slice(0, likeDays);
  if (days.length < 2) return null;
  return { basis, days, ...medians(days, byDay, clock) };
}

function groupByDay(buckets: readonly Bucket[], days: readonly LocalDay[]): ReadonlyMap<number, readonly Bucket[]> {
  const grouped = new Map<number, Bucket[]>();
  let at = 0;
  for (const bucket of buckets) {
    while (at < days.length && bucket.from >= (days[at]?.to ?? 0)) at++;
    const day = days[at];
    if (day === undefined) break;
    if (bucket.from < day.from) continue;
    const list = grouped.get(day.from);
    if (list === undefined) grouped.set(day.from, [bucket]);
    else list.push(bucket);
  }
  return grouped;
}

function medians(
  days: readonly LocalDay[],
  byDay: ReadonlyMap<number, readonly Bucket[]>,
  clock: LocalClock,
): Pick<Baseline, 'slots' | 'total'> {
  const slots = new Map<number, number[]>();
  for (const day of days) {
    // An hour that the clock runs through twice is one slot with both in it.
    const own = new Map<number, number>();
    for (const bucket of byDay.get(day.from) ?? []) {
      const minute = minuteOfDay(clock, bucket.from);
      if (!slots.has(minute)) slots.set(minute, []);
      if (bucket.amount !== null) own.set(minute, (own.get(minute) ?? 0) + bucket.amount);
    }
    for (const [minute, amount] of own) slots.get(minute)?.push(amount);
  }
  const totals = days.flatMap((day) => totalOf(byDay.get(day.from) ?? []).value ?? []);
  return {
    slots: [...slots]
      .sort(([a], [b]) => a - b)
      .map(([minute, amounts]) => ({ minute, amount: amounts.length === 0 ? null : median(amounts) })),
    total: median(totals),
  };
}

/** Middle one, or the mean of the two in the middle; NaN of nothing. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export interface AgainstBaseline {
  /** What is known up to `upTo`, and what is usual for exactly the same known time. */
  readonly amount: number;
  readonly usual: number;
  /** amount / usual; null where nothing is usual. */
  readonly ratio: number | null;
}

/** A day so far against what is usual: only buckets that are over and known are compared. Null: none is. */
export function againstBaseline(
  day: readonly Bucket[],
  baseline: Baseline,
  clock: LocalClock,
  upTo: number,
): AgainstBaseline | null {
  const usualAt = new Map(baseline.slots.map(({ minute, amount }) => [minute, amount]));
  const seen = new Set<number>();
  let amount = 0;
  let usual = 0;
  for (const bucket of day) {
    if (bucket.to > upTo || bucket.amount === null) continue;
    const minute = minuteOfDay(clock, bucket.from);
    const expected = usualAt.get(minute) ?? null;
    if (expected === null) continue;
    amount += bucket.amount;
    if (!seen.has(minute)) usual += expected;
    seen.add(minute);
  }
  return seen.size === 0 ? null : { amount, usual, ratio: usual > 0 ? amount / usual : null };
}

export interface BaseLoad {
  /** Median power, kW or m3/h; null: nothing known. */
  readonly power: number | null;
  /** Lowest power of any bucket: what never goes off. */
  readonly lowest: number | null;
  /** Over so many ms. */
  readonly known: number;
}

/** What runs while the campus sleeps, from 00:00 to 05:00 local time, over every night of the span. */
export function nightLoadOf(buckets: readonly Bucket[], clock: LocalClock): BaseLoad {
  return loadOf(buckets.filter(({ from }) => isNight(minuteOfDay(clock, from))));
}

/** What runs by day on days of a type (`off`: weekends and holidays), from 08:00 to 18:00. */
export function dayLoadOf(buckets: readonly Bucket[], clock: LocalClock, dayType: DayType, type: string): BaseLoad {
  const [first] = buckets;
  const last = buckets.at(-1);
  if (first === undefined || last === undefined) return loadOf([]);
  const days = daysOf(clock, { from: first.from, to: last.to }).filter((day) => dayType(day) === type);
  return loadOf(
    days.flatMap((day: Span) =>
      within(buckets, day).filter(({ from }) => {
        const minute = minuteOfDay(clock, from);
        return minute >= 480 && minute < 1_080;
      }),
    ),
  );
}

function isNight(minute: number): boolean {
  return minute >= night.from && minute < night.to;
}

function loadOf(buckets: readonly Bucket[]): BaseLoad {
  const powers = buckets.map(powerOf).filter((power) => power !== null);
  return {
    power: powers.length === 0 ? null : median(powers),
    lowest: powers.length === 0 ? null : Math.min(...powers),
    known: buckets.reduce((sum, { known }) => sum + known, 0),
  };
}
