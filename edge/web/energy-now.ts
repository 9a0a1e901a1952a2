import { costOf, tariffOn } from '#edge/energy/cost.ts';
import { maxDemandOf } from '#edge/energy/demand.ts';
import { dayAt, periodAt } from '#edge/energy/local-days.ts';
import { steps, totalOf } from '#edge/energy/rises.ts';
import { type EnergyContext, soFar, type Usual, usualOf } from './energy-context.ts';
import type { EnergyNowView } from './energy-schemas.ts';

/** What the store says of today; what is live is added by whoever asks. */
export interface TodayFigures {
  readonly meters: readonly Omit<EnergyNowView['meters'][number], 'power' | 'quality'>[];
  readonly currency: string | null;
  readonly highest: EnergyNowView['highest'];
}

/** What changes slowly and costs much, kept by the thread between two answers. */
export interface SlowFigures {
  /** What is usual for the day of `day`, by meter. */
  readonly day: number;
  readonly usual: Map<string, Usual | null>;
  /** By meter: of the month that begins at `month`, up to `upTo`. */
  readonly highest: Map<
    string,
    { readonly month: number; readonly upTo: number; readonly value: number | null; readonly time: number | null }
  >;
  /** When this is forgotten: history may have been corrected. */
  readonly until: number;
}

const slowMs = 30 * 60_000;

export function freshSlow({ clock, now }: EnergyContext): SlowFigures {
  return { day: clock.dayStart(now), usual: new Map(), highest: new Map(), until: now + slowMs };
}

export function isStale(slow: SlowFigures, { clock, now }: EnergyContext): boolean {
  return now >= slow.until || now < slow.until - slowMs || clock.dayStart(now) !== slow.day;
}

export function todayFigures(context: EnergyContext, slow: SlowFigures): TodayFigures {
  const { plan, clock, now } = context;
  const today = dayAt(clock, now);
  const span = { from: today.from, to: now };
  const amounts = context.priced(span);
  const { step } = amounts;
  const meters = plan.meters.map((meter) => {
    const buckets = amounts.ofMeter(meter.id);
    return {
      meter: meter.id,
      today: soFar(totalOf(buckets), span, step),
      expected: usualToday(context, slow, meter.id)?.between(0, (now - today.from) / 60_000) ?? null,
      cost: costOf(plan, meter.medium, buckets, clock).total,
    };
  });
  const { date } = clock.date(now);
  const currency =
    tariffOn(plan.tariffs, 'electricity', date)?.currency ??
    plan.tariffs.find(({ from }) => from <= date)?.currency ??
    null;
  return { meters, currency, highest: plan.demand.map((one) => highestOf(context, slow, one)) };
}

function usualToday(context: EnergyContext, { usual }: SlowFigures, meter: string): Usual | null {
  const known = usual.get(meter);
  if (known !== undefined) return known;
  const found = usualOf(context, [meter], dayAt(context.clock, context.now));
  usual.set(meter, found);
  return found;
}

/** Of the month so far: what was looked at before is not looked at again. */
function highestOf(
  { amounts, clock, now }: EnergyContext,
  { highest }: SlowFigures,
  { meter, window, kind }: EnergyContext['plan']['demand'][number],
): TodayFigures['highest'][number] {
  // Windows of other lengths cannot be made of quarters: then they are those of the utility.
  const length = window % steps['15min'] === 0 ? window : steps['15min'];
  const month = periodAt(clock, 'month', now).from;
  const known = highest.get(meter);
  const before = known?.month === month ? known : { month, upTo: month, value: null, time: null };
  // A sliding window that ends after `upTo` began before it.
  const from = Math.max(month, before.upTo - length);
  const { max } = maxDemandOf(amounts({ from, to: now }, '15min').ofMeter(meter), length, kind);
  const isHigher = max !== null && (before.value === null || max.power > before.value);
  const found = isHigher ? { value: max.power, time: max.from } : { value: before.value, time: before.time };
  // Two hours are looked at again: readings may come late.
  const upTo = Math.max(month, Math.floor(now / steps['1h']) * steps['1h'] - 2 * steps['1h']);
  if (!isHigher || max.from < upTo) highest.set(meter, { month, upTo, ...found });
  return { meter, ...found };
}
