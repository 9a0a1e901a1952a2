import type { EnergyPlan, Medium, Tariff } from '#edge/domain/energy.ts';
import { type LocalClock, minuteOfDay } from './local-days.ts';
import { type Bucket, type Rises, spreadLate, steps } from './rises.ts';

/*
 * Amounts by the quarter of an hour for tariffs that change at half past. Only in the hours in which a price changes do quarters make a
 * difference: the others are their hour in four equal parts, so that a month is not read sample by sample.
 */

/** What one real meter counted in the four quarters of an hour by themselves, without what it counted in silences before. */
export type QuartersIn = (meter: string, hour: number) => readonly Bucket[];

const quarter = steps['15min'];
const minutes = 60;

/** Rises to be priced: for spans from a local midnight that is on an hour of the epoch. Of steps of an hour they are the same. */
export function pricedRises(
  { meters, tariffs }: Pick<EnergyPlan, 'meters' | 'tariffs'>,
  clock: LocalClock,
  rises: Rises,
  quartersIn: QuartersIn,
): Rises {
  const media = new Map(meters.map(({ id, medium }) => [id, medium]));
  const changes = new Map<Medium, readonly number[]>();
  const hasChange = (medium: Medium, hour: number) => {
    const known = changes.get(medium) ?? changesOf(tariffs, medium);
    changes.set(medium, known);
    const from = minuteOfDay(clock, hour);
    return known.some((minute) => minute > from && minute < from + minutes);
  };
  return (meter, span, step) => {
    const medium = media.get(meter);
    if (step === '1h' || medium === undefined) return rises(meter, span, step);
    const whole = Math.floor(span.to / steps['1h']) * steps['1h'];
    const hours = rises(meter, { from: span.from, to: whole }, '1h');
    const quarters = hours.flatMap((hour) => {
      // What is known as an estimate only is one in each of its quarters.
      const isExact = hour.amount !== null && hour.estimated === 0 && hasChange(medium, hour.from);
      return isExact ? fitted(hour, quartersIn(meter, hour.from)) : parted(hour);
    });
    return whole < span.to ? [...quarters, ...rises(meter, { from: whole, to: span.to }, step)] : quarters;
  };
}

/** Minutes after midnight at which a price may change within an hour. */
function changesOf(tariffs: readonly Tariff[], medium: Medium): readonly number[] {
  const times = tariffs
    .filter((tariff) => tariff.medium === medium)
    .flatMap(({ periods }) => periods.flatMap((period) => period.times.flatMap(({ from, to }) => [from, to])));
  return [...new Set(times.filter((minute) => minute % minutes !== 0))];
}

function parted({ from, amount, known, estimated }: Bucket): readonly Bucket[] {
  return [0, 1, 2, 3].map((i) => ({
    from: from + i * quarter,
    to: from + (i + 1) * quarter,
    amount: amount === null ? null : amount / 4,
    known: known / 4,
    estimated: estimated / 4,
  }));
}

/** Where they do not make up the hour (samples came between two questions), the hour is right. */
function fitted(hour: Bucket, quarters: readonly Bucket[]): readonly Bucket[] {
  const spread = spreadLate(quarters);
  const sum = spread.reduce((all, { amount }) => all + (amount ?? 0), 0);
  const isWhole = spread.length === 4 && Math.abs(sum - (hour.amount ?? 0)) <= 1e-6 * Math.max(1, Math.abs(sum));
  return isWhole ? spread : parted(hour);
}
