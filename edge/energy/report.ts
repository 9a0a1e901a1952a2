import type { EnergyFinding, EnergyPlan, Medium } from '#edge/domain/energy.ts';
import { balanceOf, completenessOf, type Unaccounted } from './balance.ts';
import { consumptionOf, type MediumConsumption, mediumCodes } from './consumption.ts';
import {
  type Cost,
  costOf,
  type DemandCharge,
  demandChargeOf,
  type PowerFactorNote,
  powerFactorNote,
  stepFor,
  tariffOn,
} from './cost.ts';
import { type MaxDemand, maxDemandOf, windowDemands } from './demand.ts';
import type { MeasuredMeans } from './judge-day.ts';
import {
  type DayType,
  dayAt,
  type LocalClock,
  type LocalDay,
  type Period,
  type PeriodKind,
  periodAt,
  periodBefore,
  remembering,
  type Span,
} from './local-days.ts';
import {
  againstBaseline,
  type BaseLoad,
  baselineOf,
  dayLoadOf,
  loadProfileOf,
  nightLoadOf,
  type ProfileSlot,
} from './profile.ts';
import { type Ranked, rankingOf } from './ranking.ts';
import { type Amount, type Bucket, gather, type Rises, type Step, stepFrom, steps, totalOf, within } from './rises.ts';
import { type Amounts, type AmountsOver, amountsOver, treeOf } from './tree.ts';

/*
 * Everything that a page, a CSV or a PDF of a day, week or month says. Numbers only: words and dates are made where they are shown.
 */

export interface ReportRequest {
  readonly plan: EnergyPlan;
  readonly kind: PeriodKind;
  /** Any time in the period. */
  readonly time: number;
  /** Nothing after it is known yet; a period that is not over is told up to here. */
  readonly now: number;
  readonly rises: Rises;
  /** Over the same rises, where whoever asks adds up more of them; default: its own. */
  readonly amounts?: AmountsOver;
  /** Amounts of a span as its prices need them; default: in the step of `pricedStep`. */
  readonly priced?: (span: Span) => Amounts;
  readonly clock: LocalClock;
  readonly dayType: DayType;
  readonly measured?: MeasuredMeans;
  readonly findings: readonly EnergyFinding[];
}

export interface EnergyReport extends Span {
  readonly kind: PeriodKind;
  /** Up to when it is told: `to`, or now. */
  readonly upTo: number;
  readonly days: readonly (LocalDay & { readonly type: string })[];
  readonly media: readonly MediumReport[];
  readonly bill: Bill | null;
  readonly demand: readonly DemandReport[];
  readonly balance: readonly Unaccounted[];
  /** Those that stood at any time of the period. */
  readonly findings: readonly EnergyFinding[];
  readonly completeness: ReturnType<typeof completenessOf>;
}

export interface SeriesPoint extends Span, Amount {
  /** What is usual for this hour or day; null: nobody knows yet. */
  readonly usual: number | null;
}

export interface Consumer {
  readonly amount: Amount;
  readonly cost: Cost;
  /** Of the medium's known total; null: nothing known. */
  readonly share: number | null;
}

export interface MediumReport {
  readonly medium: Medium;
  readonly code: string;
  readonly unit: 'kW.h' | 'm3';
  readonly total: Amount;
  readonly cost: Cost;
  /** The period before, up to the same time of it. */
  readonly previous: Amount;
  /** What is known of this period against what is usual for the same hours; null: nothing is usual yet. */
  readonly usual: { readonly amount: number; readonly usual: number } | null;
  readonly subItems: readonly (Consumer & Omit<MediumConsumption['subItems'][number], 'buckets'>)[];
  readonly buildings: readonly (Consumer & { readonly building: string | null })[];
  /** By m2 and by head too; dearest per m2 first. */
  readonly ranking: readonly Ranked[];
  /** Hours of a day, days of a week or month. */
  readonly series: readonly SeriesPoint[];
  readonly night: BaseLoad;
  /** By day on days of the type `off`. */
  readonly off: BaseLoad;
  readonly profile: readonly ProfileSlot[];
}

export interface Bill {
  readonly energy: Cost;
  /** For a month only: it is counted by the month. */
  readonly demand: DemandCharge | null;
  /** An estimate that is in no sum. */
  readonly powerFactor: PowerFactorNote | null;
  readonly total: number | null;
}

export interface DemandReport extends MaxDemand {
  readonly meter: string;
  readonly limit: number;
  readonly kind: 'fixed' | 'sliding';
  /** Windows above the limit. */
  readonly exceeded: number;
}

type Request = ReportRequest & { readonly amounts: AmountsOver };

const historyMs = 56 * 86_400_000;

export function reportOf(asked: ReportRequest): EnergyReport {
  const amounts = asked.amounts ?? amountsOver(treeOf(asked.plan), asked.rises);
  const request: Request = { ...asked, amounts, clock: remembering(asked.clock) };
  const { plan, kind, time, now, clock, dayType } = request;
  const period = periodAt(clock, kind, time);
  const upTo = Math.max(period.from, Math.min(period.to, now));
  const span = { from: period.from, to: upTo };
  const media = consumptionOf(asked.priced?.(span) ?? amounts(span, pricedStep(plan, clock, span)));
  const told = media.map((one) => mediumReport(request, one, period, upTo));
  const hourly = amounts(span, stepFrom(period.from));
  return {
    kind,
    from: period.from,
    to: period.to,
    upTo,
    days: period.days.map((day) => ({ ...day, type: dayType(day) })),
    media: told,
    bill: billOf(request, told, period, upTo),
    demand: plan.demand.flatMap((limit) => demandReport(request, limit, span)),
    balance: balanceOf(hourly),
    findings: request.findings.filter(({ from, to }) => from < period.to && to > period.from),
    completeness: completenessOf(hourly),
  };
}

/** The step that every medium can be priced with. */
export function pricedStep(plan: Pick<EnergyPlan, 'tariffs'>, clock: LocalClock, span: Span): Step {
  const needed = plan.tariffs.map(({ medium }) => stepFor(plan, medium, clock, span));
  return stepFrom(span.from) === '1h' && needed.every((step) => step === '1h') ? '1h' : '15min';
}

function mediumReport(request: Request, one: MediumConsumption, period: Period, upTo: number): MediumReport {
  const { plan, clock, dayType } = request;
  const { medium, unit } = one;
  const consumer = ({
    amount,
    buckets,
  }: {
    readonly amount: Amount;
    readonly buckets: readonly Bucket[];
  }): Consumer => ({
    amount,
    cost: costOf(plan, medium, buckets, clock),
    share: amount.value === null || (one.amount.value ?? 0) === 0 ? null : amount.value / (one.amount.value ?? 1),
  });
  const { series, usual } = seriesOf(request, one, period, upTo);
  return {
    medium,
    code: mediumCodes[medium],
    unit,
    total: one.amount,
    cost: costOf(plan, medium, one.buckets, clock),
    previous: previousOf(request, medium, period, upTo),
    usual,
    subItems: one.subItems.map(({ buckets, ...rest }) => ({ ...rest, ...consumer({ ...rest, buckets }) })),
    buildings: one.buildings.map(({ buckets, building, amount }) => ({ building, ...consumer({ amount, buckets }) })),
    ranking: rankingOf(plan, one, 'perArea'),
    series,
    night: nightLoadOf(one.buckets, clock),
    off: dayLoadOf(one.buckets, clock, dayType, 'off'),
    profile: loadProfileOf(one.buckets, clock),
  };
}

/** All of a medium, as its main meters count it: no other meter is asked. */
function wholeOf({ amounts: over }: Request, medium: Medium, span: Span, step: Step): readonly Bucket[] {
  const amounts = over(span, step);
  const roots = amounts.tree.rootsOf(medium).map(({ id }) => ({ buckets: amounts.ofMeter(id), factor: 1 }));
  return gather(roots, span, step);
}

function previousOf(request: Request, medium: Medium, period: Period, upTo: number): Amount {
  const before = periodBefore(request.clock, period);
  const to = upTo >= period.to ? before.to : Math.min(before.to, before.from + (upTo - period.from));
  return totalOf(wholeOf(request, medium, { from: before.from, to }, stepFrom(before.from)));
}

function seriesOf(
  request: Request,
  one: MediumConsumption,
  period: Period,
  upTo: number,
): { readonly series: readonly SeriesPoint[]; readonly usual: MediumReport['usual'] } {
  const { clock, dayType } = request;
  const step = stepFrom(period.from);
  const history = wholeOf(request, one.medium, { from: period.from - historyMs, to: upTo }, step);
  const days = period.days.map((day) => {
    const baseline = baselineOf(
      history.filter(({ to }) => to <= day.from),
      day,
      dayType,
      clock,
    );
    const own = within(history, day);
    return { day, own, baseline, against: baseline === null ? null : againstBaseline(own, baseline, clock, upTo) };
  });
  const known = days.flatMap(({ against }) => against ?? []);
  const usual =
    known.length === 0
      ? null
      : { amount: sum(known.map(({ amount }) => amount)), usual: sum(known.map((one) => one.usual)) };
  if (period.kind !== 'day') {
    const series = days.map(({ day, own, baseline }) => ({
      from: day.from,
      to: day.to,
      ...totalOf(own),
      usual: baseline?.total ?? null,
    }));
    return { series, usual };
  }
  const slots = days[0]?.baseline?.slots ?? [];
  return { series: hoursOf(period, one.buckets, slots, clock), usual };
}

/** Hours of the local day: 23 to 25 of them. What is still to come has no amount, but what is usual for it. */
function hoursOf(
  { from, to }: Span,
  buckets: readonly Bucket[],
  slots: readonly { readonly minute: number; readonly amount: number | null }[],
  clock: LocalClock,
): readonly SeriesPoint[] {
  const hours: SeriesPoint[] = [];
  for (let at = from; at < to; at += steps['1h']) {
    const hour = { from: at, to: Math.min(to, at + steps['1h']) };
    const first = Math.floor((at + clock.offsetAt(at)) / 60_000) % 1_440;
    const usual = slots
      .filter(({ minute }) => minute >= first && minute < first + 60)
      .flatMap(({ amount }) => amount ?? []);
    hours.push({ ...hour, ...totalOf(within(buckets, hour)), usual: usual.length === 0 ? null : sum(usual) });
  }
  return hours;
}

function billOf(request: Request, media: readonly MediumReport[], period: Period, upTo: number): Bill | null {
  const { plan, clock, measured } = request;
  const energy = media.find(({ medium }) => medium === 'electricity')?.cost;
  if (energy === undefined || energy.currency === null) return null;
  const span = { from: period.from, to: upTo };
  const isMonth = period.kind === 'month';
  const whole = isMonth ? wholeOf(request, 'electricity', span, '15min') : [];
  const demand = isMonth
    ? demandChargeOf(plan, maxDemandOf(whole, steps['15min'], 'fixed').max?.power ?? null, clock, span)
    : null;
  const total = energy.total === null ? null : energy.total + (demand?.cost ?? 0);
  const roots = treeOf(plan).rootsOf('electricity');
  const [root] = roots;
  const told = root === undefined || roots.length > 1 ? null : (measured?.powerFactor?.(root.id, span) ?? null);
  const tariff = tariffOn(plan.tariffs, 'electricity', dayAt(clock, Math.max(span.from, upTo - 1)).date);
  return { energy, demand, powerFactor: powerFactorNote(tariff, told, total), total };
}

function demandReport({ amounts }: Request, limit: EnergyPlan['demand'][number], span: Span): DemandReport[] {
  if (limit.window % steps['15min'] !== 0) return [];
  const buckets = amounts(span, '15min').ofMeter(limit.meter);
  const found = maxDemandOf(buckets, limit.window, limit.kind);
  const { known } = windowDemands(buckets, limit.window, limit.kind);
  const exceeded = known.filter(({ power }) => power > limit.limit).length;
  return [{ ...found, meter: limit.meter, limit: limit.limit, kind: limit.kind, exceeded }];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
