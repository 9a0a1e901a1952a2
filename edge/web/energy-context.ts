import type { OpeningHours } from '#edge/domain/calendar.ts';
import type { EnergyPlan } from '#edge/domain/energy.ts';
import type { Name } from '#edge/domain/place.ts';
import type { DayType, LocalClock, LocalDay, Span } from '#edge/energy/local-days.ts';
import { baselineOf } from '#edge/energy/profile.ts';
import { type Amount, type Bucket, gather, type Rises, type Step, stepFrom, steps } from '#edge/energy/rises.ts';
import type { Amounts, AmountsOver, Tree } from '#edge/energy/tree.ts';
import type { Measured } from './energy-rises.ts';
import type { EnergyReportView } from './energy-schemas.ts';

/* What every answer about energy is made of. */

export interface EnergyContext {
  /** As far as whoever asks sees it, and whether that is all. */
  readonly plan: EnergyPlan;
  readonly isWhole: boolean;
  readonly tree: Tree;
  readonly rises: Rises;
  /** Of this answer: what was added up once is not again. */
  readonly amounts: AmountsOver;
  /** As prices need them. */
  readonly priced: (span: Span) => Amounts;
  readonly measured: Measured;
  readonly clock: LocalClock;
  readonly dayType: DayType;
  readonly now: number;
  readonly campus: Name;
  readonly buildingNames: ReadonlyMap<string, Name>;
}

export type AmountView = EnergyReportView['media'][number]['total'];

const historyMs = 56 * 86_400_000;

/**
 * `school` where the opening hours have any on that day and nobody said that it is a holiday (local dates), else `off`: days of a kind
 * are compared with each other.
 */
export function dayTypeOf({ weekly, exceptions }: OpeningHours, holidays: readonly string[] = []): DayType {
  const closed = new Set(holidays);
  const byDate = new Map(exceptions.map(({ date, open }) => [date, open]));
  return ({ date, weekday }) => {
    if (closed.has(date)) return 'off';
    const isOpen = byDate.get(date) ?? weekly.some(({ days }) => days.includes(weekday));
    return isOpen ? 'school' : 'off';
  };
}

/** A running period is known as far as it is over: what is still to come is no gap. */
export function soFar(amount: Amount, { from, to }: Span, step: Step): AmountView {
  const size = steps[step];
  const onGrid = Math.ceil(to / size) * size - from;
  const known = to > from ? Math.min(1, (amount.known * onGrid) / (to - from)) : 0;
  return { value: amount.value, known, estimated: amount.estimated };
}

/** All that some meters count together. */
export function bucketsOf(
  { amounts: over }: Pick<EnergyContext, 'amounts'>,
  meters: readonly string[],
  span: Span,
  step: Step,
): readonly Bucket[] {
  const amounts = over(span, step);
  return gather(
    meters.map((id) => ({ buckets: amounts.ofMeter(id), factor: 1 })),
    span,
    step,
  );
}

export interface Usual {
  readonly total: number;
  /** What is usual from one local minute of the day to another; null: not known. */
  between(fromMinute: number, toMinute: number): number | null;
}

/** What is usual for a day, by what some meters counted in the eight weeks before it; null: nobody knows yet. */
export function usualOf(context: EnergyContext, meters: readonly string[], day: LocalDay): Usual | null {
  const { clock, dayType } = context;
  const step = stepFrom(day.from);
  const history = bucketsOf(context, meters, { from: day.from - historyMs, to: day.from }, step);
  const baseline = baselineOf(history, day, dayType, clock);
  if (baseline === null) return null;
  const size = steps[step] / 60_000;
  return {
    total: baseline.total,
    between: (from, to) => {
      let sum: number | null = null;
      for (const { minute, amount } of baseline.slots) {
        const share = (Math.min(to, minute + size) - Math.max(from, minute)) / size;
        if (share <= 0) continue;
        if (amount === null) return null;
        sum = (sum ?? 0) + amount * Math.min(1, share);
      }
      return sum;
    },
  };
}
