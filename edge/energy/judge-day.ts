import type { EnergyFinding, EnergyMeter, EnergyPlan } from '#edge/domain/energy.ts';
import { phaseBalanceOf, unaccountedOf } from './balance.ts';
import { unitOf } from './consumption.ts';
import { adjustmentOf, costOf, meanPriceOf, tariffOn } from './cost.ts';
import { maxDemandOf } from './demand.ts';
import type { Verdict } from './findings.ts';
import { type DayType, dayAt, type LocalClock, type LocalDay, remembering } from './local-days.ts';
import { againstBaseline, baselineOf, median, nightLoadOf } from './profile.ts';
import { type Bucket, type Rises, stepFrom, steps, totalOf, within } from './rises.ts';
import { type Amounts, amountsOf, type Tree } from './tree.ts';

/*
 * Looks at one day that is over, meter by meter. Thresholds in pairs: above the first it is so, below the second it is not so any more.
 */

/** Means of a span that do not come from counters; null or absent: not known. */
export interface MeasuredMeans {
  /** Active power of each phase, kW. */
  phases?(meter: string, span: LocalDay): readonly (number | null)[] | null;
  /** Of active and reactive energy (kW.h, kvar.h), or the mean of what the meter told. */
  powerFactor?(meter: string, span: { from: number; to: number }): MeasuredPowerFactor | null;
}

export type MeasuredPowerFactor = { readonly active: number; readonly reactive: number } | { readonly mean: number };

export interface DayToJudge {
  readonly tree: Tree;
  readonly day: LocalDay;
  readonly rises: Rises;
  readonly clock: LocalClock;
  readonly dayType: DayType;
  readonly measured?: MeasuredMeans;
}

const hourMs = 3_600_000;
const historyMs = 56 * 24 * hourMs;
const enoughKnown = 0.8;
/** m3/h that flow in every hour of the night: a cistern that runs loses some 20 L/h and more. */
const leakFlow: Readonly<Record<string, readonly [number, number]>> = { water: [0.02, 0.01], gas: [0.05, 0.02] };
const highNight = [1.3, 1.15] as const;
const leastNight = 0.5;
const highDay = [1.3, 1.15] as const;
const lowDay = [0.5, 0.7] as const;
/** kW.h or m3: less is not worth a walk. */
const leastDay: Readonly<Record<string, number>> = { 'kW.h': 5, m3: 1 };
const imbalance = [0.3, 0.2] as const;
/** kW a phase: below it one kettle makes any imbalance. */
const leastPhase = 1;
const lossDays = 7;

type Judged = Pick<EnergyFinding, 'found' | 'expected' | 'unit' | 'costPerDay'> & { readonly says: Verdict['says'] };

const unknown = (unit: string): Judged => ({ says: 'unknown', found: 0, expected: 0, unit, costPerDay: null });

/** One verdict for each kind that can be asked of each meter. Give them to `stepFindings`, once a day. */
export function judgeDay(asked: DayToJudge): readonly Verdict[] {
  const about = { ...asked, clock: remembering(asked.clock) };
  const { tree, day, rises } = about;
  const history = amountsOf(tree, rises, { from: day.from - historyMs, to: day.to }, stepFrom(day.from));
  return tree.plan.meters.flatMap((meter) => {
    if (meter.source.kind === 'missing') return [];
    const buckets = history.ofMeter(meter.id);
    const own = within(buckets, day);
    const past = buckets.filter(({ to }) => to <= day.from);
    const price = priceOf(tree.plan, meter, own, about.clock);
    const verdict = (kind: Verdict['kind'], judged: Judged | null): Verdict[] =>
      judged === null ? [] : [{ kind, meter: meter.id, from: day.from, to: day.to, ...judged }];
    const against = judgeAmount(meter, own, past, price, about);
    return [
      ...verdict('leak', judgeLeak(meter, own, price, about.clock)),
      ...verdict('high-night', judgeNight(meter, own, past, price, about)),
      ...verdict('high-day', against.high),
      ...verdict('low-day', against.low),
      ...verdict('unaccounted', judgeLoss(meter, price, about)),
      ...verdict('imbalance', judgePhases(meter, about)),
      ...verdict('power-factor', judgePowerFactor(meter, own, about)),
      ...verdict('over-demand', judgeDemand(meter, about)),
    ];
  });
}

function priceOf(
  plan: EnergyPlan,
  { medium }: EnergyMeter,
  buckets: readonly Bucket[],
  clock: LocalClock,
): number | null {
  const mean = meanPriceOf(costOf(plan, medium, buckets, clock));
  const [first] = buckets;
  return (
    mean ?? (first === undefined ? null : (tariffOn(plan.tariffs, medium, clock.date(first.from).date)?.price ?? null))
  );
}

function times(amount: number, price: number | null): number | null {
  return price === null ? null : amount * price;
}

/** Above `yes` it is so, above `no` nobody can say. */
function above(value: number, yes: number, no: number): Verdict['says'] {
  return value >= yes ? 'yes' : value > no ? 'between' : 'no';
}

function judgeLeak(
  { medium }: EnergyMeter,
  day: readonly Bucket[],
  price: number | null,
  clock: LocalClock,
): Judged | null {
  const flow = leakFlow[medium];
  if (flow === undefined) return null;
  const { lowest, known } = nightLoadOf(day, clock);
  if (lowest === null || known < enoughKnown * 5 * hourMs) return unknown('m3/h');
  const [yes, no] = flow;
  return {
    says: above(lowest, yes ?? 0, no ?? 0),
    found: lowest,
    expected: 0,
    unit: 'm3/h',
    costPerDay: times(lowest * 24, price),
  };
}

/**
 * Against the median of the nights before days of the same kind, of the last eight weeks: the first nights of a term are not those of the
 * holidays before it. What runs all night is taken to run all day.
 */
function judgeNight(
  { medium }: EnergyMeter,
  day: readonly Bucket[],
  past: readonly Bucket[],
  price: number | null,
  { clock, day: today, dayType }: DayToJudge,
): Judged | null {
  if (medium === 'water' || medium === 'gas') return null;
  const own = nightLoadOf(day, clock);
  const nights = nightsBefore(past, today, clock, dayType);
  if (own.power === null || own.known < enoughKnown * 5 * hourMs || nights.length < 3) return unknown('kW');
  const usual = median(nights);
  if (usual < 0) return { says: 'no', found: own.power, expected: usual, unit: 'kW', costPerDay: null };
  const isSmall = own.power - usual < leastNight;
  const [yes, no] = highNight;
  return {
    says: isSmall ? 'no' : above(own.power, usual * yes, usual * no),
    found: own.power,
    expected: usual,
    unit: 'kW',
    costPerDay: times(Math.max(0, own.power - usual) * 24, price),
  };
}

/** The last fourteen that are known. */
function nightsBefore(
  past: readonly Bucket[],
  today: LocalDay,
  clock: LocalClock,
  dayType: DayType,
): readonly number[] {
  const nights: number[] = [];
  const type = dayType(today);
  for (let from = clock.dayStart(today.from - 12 * hourMs), i = 0; i < 56 && nights.length < 14; i++) {
    const night = dayAt(clock, from);
    from = clock.dayStart(from - 12 * hourMs);
    if (dayType(night) !== type) continue;
    const { power, known } = nightLoadOf(within(past, { from: night.from, to: night.from + 6 * hourMs }), clock);
    if (power !== null && known >= enoughKnown * 5 * hourMs) nights.push(power);
  }
  return nights;
}

function judgeAmount(
  { medium }: EnergyMeter,
  day: readonly Bucket[],
  past: readonly Bucket[],
  price: number | null,
  { clock, day: today, dayType }: DayToJudge,
): { readonly high: Judged; readonly low: Judged } {
  const unit = unitOf(medium);
  const baseline = baselineOf(past, today, dayType, clock);
  const found = baseline === null ? null : againstBaseline(day, baseline, clock, today.to);
  if (found === null || totalOf(day).known < enoughKnown) return { high: unknown(unit), low: unknown(unit) };
  const { amount, usual } = found;
  const least = leastDay[unit] ?? 0;
  const isSmall = Math.abs(amount - usual) < least;
  const figures = { found: amount, expected: usual, unit };
  // A sum that goes below 0 (what is fed in is taken off it) has no share of itself that would be too much.
  if (usual < 0) {
    const fine = { ...figures, says: 'no' as const, costPerDay: null };
    return { high: fine, low: fine };
  }
  return {
    high: {
      ...figures,
      says: isSmall ? 'no' : above(amount, usual * highDay[0], usual * highDay[1]),
      costPerDay: times(Math.max(0, amount - usual), price),
    },
    // A meter that counts too little costs nothing, until the utility finds out.
    low: {
      ...figures,
      says: isSmall ? 'no' : above(-amount, -usual * lowDay[0], -usual * lowDay[1]),
      costPerDay: null,
    },
  };
}

/** Over a week: what counters show in steps would make a day's difference of its own. */
function judgeLoss(meter: EnergyMeter, price: number | null, about: DayToJudge): Judged | null {
  if (meter.complete !== true) return null;
  const { tree, day, rises, clock } = about;
  const from = clock.dayStart(day.from - (lossDays - 1) * 24 * hourMs + 12 * hourMs);
  const amounts: Amounts = amountsOf(tree, rises, { from, to: day.to }, stepFrom(day.from));
  const loss = unaccountedOf(amounts, meter);
  const unit = unitOf(meter.medium);
  if (loss === null || loss.known < 0.5) return unknown(unit);
  const size = Math.abs(loss.difference);
  const days = (loss.known * (day.to - from)) / (24 * hourMs);
  return {
    says: size < (leastDay[unit] ?? 0) ? 'no' : above(size, loss.tolerance, 0.8 * loss.tolerance),
    found: loss.difference,
    expected: loss.tolerance,
    unit,
    costPerDay: times(Math.max(0, loss.difference) / days, price),
  };
}

function judgePhases({ id, source }: EnergyMeter, { measured, day }: DayToJudge): Judged | null {
  if (source.kind !== 'real' || source.phases === undefined || measured?.phases === undefined) return null;
  const told = measured.phases(id, day);
  const balance = told === null ? null : phaseBalanceOf(told);
  if (balance === null) return unknown('1');
  const isSmall = balance.mean < leastPhase;
  const says = isSmall ? 'no' : above(balance.imbalance, imbalance[0], imbalance[1]);
  return { says, found: balance.imbalance, expected: imbalance[1], unit: '1', costPerDay: null };
}

function judgePowerFactor(meter: EnergyMeter, own: readonly Bucket[], about: DayToJudge): Judged | null {
  const { tree, day, clock, measured } = about;
  const tariff = tariffOn(tree.plan.tariffs, 'electricity', day.date);
  // The utility counts where it sells: at the main meters.
  if (meter.medium !== 'electricity' || meter.under !== undefined || tariff?.powerFactor === undefined) return null;
  if (measured?.powerFactor === undefined) return null;
  const told = measured.powerFactor(meter.id, day);
  const { value } = totalOf(own);
  if (told === null || value === null || value < (leastDay['kW.h'] ?? 0)) return unknown('1');
  const found =
    'mean' in told ? Math.abs(told.mean) : told.active / Math.max(1e-9, Math.hypot(told.active, told.reactive));
  const required = tariff.powerFactor;
  const cost = costOf(tree.plan, 'electricity', own, clock).total;
  const share = adjustmentOf(required, Math.round(found * 100) / 100);
  return {
    says: above(-found, -(required - 0.005), -(required + 0.01)),
    found,
    expected: required,
    unit: '1',
    costPerDay: cost === null || share === null ? null : Math.max(0, share * cost),
  };
}

function judgeDemand(meter: EnergyMeter, { tree, day, rises }: DayToJudge): Judged | null {
  const plan = tree.plan.demand.find((one) => one.meter === meter.id);
  if (plan === undefined || plan.window % steps['15min'] !== 0) return null;
  const buckets = amountsOf(tree, rises, day, '15min').ofMeter(meter.id);
  const { max } = maxDemandOf(buckets, plan.window, plan.kind);
  if (max === null) return unknown('kW');
  const says = above(max.power, plan.limit * (1 + 1e-9), plan.limit * 0.98);
  return { says, found: max.power, expected: plan.limit, unit: 'kW', costPerDay: null };
}
