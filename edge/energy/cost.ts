import type { EnergyPlan, Medium, Tariff, TariffPeriod } from '#edge/domain/energy.ts';
import type { Name } from '#edge/domain/place.ts';
import { dayAt, type LocalClock, minuteOfDay, type Span } from './local-days.ts';
import { type Bucket, type Step, steps } from './rises.ts';

/* What amounts cost: tariffs by validity, prices by time of use. Each bucket costs what its beginning costs. */

export interface CostPart {
  /** Index of the tariff in the plan, and the period in it; null: outside all its periods. */
  readonly tariff: number;
  readonly period: string | null;
  readonly name: Name;
  readonly price: number;
  readonly amount: number;
  readonly cost: number;
}

export interface Cost {
  /** ISO 4217; null: no tariff is valid at any time of it. */
  readonly currency: string | null;
  /** Of what is known and has a price; null when nothing is. */
  readonly total: number | null;
  readonly parts: readonly CostPart[];
  /** Known amount for whose time there is no tariff. */
  readonly unpriced: number;
  /** The part of `total` that rests on an amount whose time is an estimate. */
  readonly estimated: number;
  /** Share of the time in which the amount is known. */
  readonly known: number;
}

/** The tariff that is valid on a local day, ISO. */
export function tariffOn(tariffs: readonly Tariff[], medium: Medium, date: string): Tariff | null {
  let found: Tariff | null = null;
  for (const tariff of tariffs) {
    if (tariff.medium !== medium || tariff.from > date) continue;
    if (found === null || tariff.from > found.from) found = tariff;
  }
  return found;
}

/** The period that applies at a time; null: none does, and the tariff's own price holds. */
export function tariffPeriodAt({ periods }: Tariff, clock: LocalClock, time: number): TariffPeriod | null {
  const minute = minuteOfDay(clock, time);
  const today = clock.date(time);
  // What runs over midnight belongs to the day on which it began.
  const yesterday = clock.date(dayAt(clock, time).from - 3_600_000);
  const applies = (period: TariffPeriod) =>
    period.times.some(({ from, to }) => {
      if (from < to) return minute >= from && minute < to && isOn(period, today);
      return (minute >= from && isOn(period, today)) || (minute < to && isOn(period, yesterday));
    });
  return periods.find(applies) ?? null;
}

function isOn({ months, days }: TariffPeriod, { date, day }: { readonly date: string; readonly day: number }): boolean {
  const month = Number(date.slice(5, 7));
  return (months.length === 0 || months.includes(month)) && (days.length === 0 || days.includes(day));
}

/** `1h` where every price of the medium changes on the hours of the epoch, else `15min`. */
export function stepFor({ tariffs }: Pick<EnergyPlan, 'tariffs'>, medium: Medium, clock: LocalClock, span: Span): Step {
  const times = tariffs
    .filter((tariff) => tariff.medium === medium)
    .flatMap(({ periods }) => periods.flatMap((period) => period.times.flatMap(({ from, to }) => [from, to])));
  const isWhole = times.every((minute) => minute % 60 === 0);
  return isWhole && [span.from, span.to].every((time) => clock.offsetAt(time) % steps['1h'] === 0) ? '1h' : '15min';
}

/** What the buckets cost. Buckets of another step than `stepFor` says are priced as they begin. */
export function costOf(
  { tariffs }: Pick<EnergyPlan, 'tariffs'>,
  medium: Medium,
  buckets: readonly Bucket[],
  clock: LocalClock,
): Cost {
  const priceAt = pricesOf(tariffs, medium, clock);
  const parts = new Map<string, CostPart>();
  let total: number | null = null;
  let unpriced = 0;
  let estimated = 0;
  let known = 0;
  let length = 0;
  let currency: string | null = null;
  for (const bucket of buckets) {
    length += bucket.to - bucket.from;
    known += bucket.known;
    const priced = priceAt(bucket.from);
    currency ??= priced?.currency ?? null;
    if (bucket.amount === null) continue;
    if (priced === null) {
      unpriced += bucket.amount;
      continue;
    }
    const { key, part } = priced;
    total = (total ?? 0) + bucket.amount * part.price;
    estimated += bucket.estimated * part.price;
    const before = parts.get(key);
    parts.set(key, {
      ...part,
      amount: (before?.amount ?? 0) + bucket.amount,
      cost: (before?.cost ?? 0) + bucket.amount * part.price,
    });
  }
  const inOrder = [...parts.values()].sort((a, b) => a.tariff - b.tariff || b.price - a.price);
  return { currency, total, parts: inOrder, unpriced, estimated, known: length > 0 ? known / length : 0 };
}

interface Priced {
  /** Of the tariff and its period. */
  readonly key: string;
  readonly currency: string;
  readonly part: Omit<CostPart, 'amount' | 'cost'>;
}

type PriceAt = (time: number) => Priced | null;

/** Every meter, building and sub-item of a report is priced by the same hours: they are looked up once for each clock and list of tariffs. */
const knownPrices = new WeakMap<LocalClock, WeakMap<readonly Tariff[], Map<Medium, PriceAt>>>();
/** Two years of hours. */
const mostPrices = 20_000;

function pricesOf(tariffs: readonly Tariff[], medium: Medium, clock: LocalClock): PriceAt {
  const ofClock = knownPrices.get(clock) ?? new WeakMap<readonly Tariff[], Map<Medium, PriceAt>>();
  knownPrices.set(clock, ofClock);
  const ofTariffs = ofClock.get(tariffs) ?? new Map<Medium, PriceAt>();
  ofClock.set(tariffs, ofTariffs);
  const priceAt = ofTariffs.get(medium) ?? rememberingPrices(tariffs, medium, clock);
  ofTariffs.set(medium, priceAt);
  return priceAt;
}

function rememberingPrices(tariffs: readonly Tariff[], medium: Medium, clock: LocalClock): PriceAt {
  const known = new Map<number, Priced | null>();
  return (time) => {
    let priced = known.get(time);
    if (priced === undefined) {
      priced = pricedAt(tariffs, medium, clock, time);
      if (known.size >= mostPrices) known.clear();
      known.set(time, priced);
    }
    return priced;
  };
}

function pricedAt(tariffs: readonly Tariff[], medium: Medium, clock: LocalClock, time: number): Priced | null {
  const tariff = tariffOn(tariffs, medium, clock.date(time).date);
  if (tariff === null) return null;
  const period = tariffPeriodAt(tariff, clock, time);
  const { name, price } = period ?? tariff;
  const index = tariffs.indexOf(tariff);
  return {
    key: `${index}/${period?.id ?? ''}`,
    currency: tariff.currency,
    part: { tariff: index, period: period?.id ?? null, name, price },
  };
}

/** Mean price of what was consumed, else of the tariff that is valid then; null: none. */
export function meanPriceOf(cost: Cost): number | null {
  const amount = cost.parts.reduce((sum, part) => sum + part.amount, 0);
  return cost.total === null || amount <= 0 ? null : cost.total / amount;
}

export interface DemandCharge {
  /** kW: the month's highest demand so far. */
  readonly demand: number;
  /** Per kW and month, as at the end of the span. */
  readonly price: number;
  readonly cost: number;
  readonly currency: string;
}

/** 基本电费 by the month's highest demand; null: the tariff has none, or the demand is not known. */
export function demandChargeOf(
  { tariffs }: Pick<EnergyPlan, 'tariffs'>,
  demand: number | null,
  clock: LocalClock,
  month: Span,
): DemandCharge | null {
  const tariff = tariffOn(tariffs, 'electricity', clock.date(month.to - 1).date);
  if (tariff?.demandPrice === undefined || demand === null) return null;
  return { demand, price: tariff.demandPrice, cost: demand * tariff.demandPrice, currency: tariff.currency };
}

export interface PowerFactorNote {
  /** Of the month, to two decimals as the utilities count it. */
  readonly powerFactor: number;
  readonly required: number;
  /** Share by which the bill is raised (positive) or lowered; null: there is no public table for this requirement. */
  readonly adjustment: number | null;
  /** Of the energy cost and the demand charge given; null: no table. */
  readonly cost: number | null;
}

/**
 * 力调电费: what the power factor of the month does to the bill. An estimate and no part of any sum: the utility counts with its own
 * meter. Null: the tariff asks for none, or the power factor is not known. Mean power factor: of active and reactive energy, kW.h and
 * kvar.h; where no meter counts reactive energy, give in the mean that was measured.
 */
export function powerFactorNote(
  tariff: Pick<Tariff, 'powerFactor'> | null,
  measured: { readonly active: number; readonly reactive: number } | { readonly mean: number } | null,
  bill: number | null,
): PowerFactorNote | null {
  if (tariff?.powerFactor === undefined || measured === null) return null;
  const exact = 'mean' in measured ? Math.abs(measured.mean) : powerFactorOf(measured);
  if (exact === null || exact > 1) return null;
  const powerFactor = Math.round(exact * 100) / 100;
  const adjustment = adjustmentOf(tariff.powerFactor, powerFactor);
  const cost = adjustment === null || bill === null ? null : adjustment * bill;
  return { powerFactor, required: tariff.powerFactor, adjustment, cost };
}

function powerFactorOf({ active, reactive }: { readonly active: number; readonly reactive: number }): number | null {
  const apparent = Math.hypot(active, reactive);
  return apparent > 0 ? Math.abs(active) / apparent : null;
}

/**
 * 功率因数调整电费办法 (1983, 水电财字第 215 号), to be compared with a bill before anybody relies on it: below the standard +0.5 % each
 * hundredth for twenty hundredths, then +1 % for five, then +2 %; above it a little less, up to a most.
 */
const rewards: Readonly<Record<string, readonly number[]>> = {
  '0.90': [0.15, 0.3, 0.45, 0.6, 0.75],
  '0.85': [0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 0.95, 1.1],
  '0.80': [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.15, 1.3],
};

/** Share of the bill, e.g. 0.005; null: a standard without a table. */
export function adjustmentOf(standard: number, powerFactor: number): number | null {
  const table = rewards[standard.toFixed(2)];
  if (table === undefined) return null;
  const off = Math.round((powerFactor - standard) * 100);
  if (off >= 0) return -(table[Math.min(off, table.length) - 1] ?? 0) / 100;
  const short = -off;
  return (0.5 * Math.min(short, 20) + Math.min(Math.max(short - 20, 0), 5) + 2 * Math.max(short - 25, 0)) / 100;
}
