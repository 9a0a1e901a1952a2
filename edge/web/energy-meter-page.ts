import type { EnergyMeter, EnergyPlan } from '#edge/domain/energy.ts';
import { phaseBalanceOf } from '#edge/energy/balance.ts';
import { mediumCodes, unitOf } from '#edge/energy/consumption.ts';
import { costOf, tariffOn } from '#edge/energy/cost.ts';
import { maxDemandOf } from '#edge/energy/demand.ts';
import { type LocalDay, type Period, type PeriodKind, periodAt, type Span } from '#edge/energy/local-days.ts';
import { type BaseLoad, dayLoadOf, nightLoadOf } from '#edge/energy/profile.ts';
import { type Bucket, type Step, stepFrom, steps, totalOf, within } from '#edge/energy/rises.ts';
import type { Amounts } from '#edge/energy/tree.ts';
import { type EnergyContext, soFar, type Usual, usualOf } from './energy-context.ts';
import { spanBefore } from './energy-report.ts';
import type { EnergyMeterPageView, EnergyMeterView } from './energy-schemas.ts';

export type MeterFigures = Omit<EnergyMeterPageView, 'findings'>;
type Course = MeterFigures['course'];

/** Throws nothing: the meter is one of the plan. `time`: any in the period. */
export function meterFigures(context: EnergyContext, meter: EnergyMeter, kind: PeriodKind, time: number): MeterFigures {
  const { plan, clock, dayType, now } = context;
  const period = periodAt(clock, kind, time);
  const upTo = Math.max(period.from, Math.min(period.to, now));
  const span = { from: period.from, to: upTo };
  const amounts = context.priced(span);
  const { step } = amounts;
  const buckets = amounts.ofMeter(meter.id);
  const earlier = spanBefore(context, { ...period, upTo });
  const before = context.amounts(earlier, stepFrom(earlier.from));
  const total = soFar(totalOf(buckets), span, step);
  const cost = costOf(plan, meter.medium, buckets, clock);
  const usual = usualDays(context, meter.id, period, upTo);
  const quarters = context.amounts(span, '15min').ofMeter(meter.id);
  const highest = maxDemandOf(quarters, steps['15min'], 'fixed').max;
  return {
    meter: meterView(meter),
    kind,
    first: period.days[0]?.date ?? '',
    last: period.days.at(-1)?.date ?? '',
    from: period.from,
    to: period.to,
    total,
    before: soFar(totalOf(before.ofMeter(meter.id)), earlier, before.step),
    baseline: usualUpTo(usual, upTo),
    cost: cost.total,
    currency: cost.currency ?? tariffOn(plan.tariffs, meter.medium, clock.date(now).date)?.currency ?? null,
    course: courseOf(context, kind, period, span, kind === 'day' ? quarters : buckets, usual),
    costParts: cost.parts.map(({ name, price, amount, cost: paid }) => ({ name, price, amount, cost: paid })),
    highest: { value: highest?.power ?? null, time: highest?.from ?? null },
    ...measuredIn(context, meter, span),
    base: baseOf(nightLoadOf(buckets, clock), dayLoadOf(buckets, clock, dayType, 'off'), total, span),
    below: belowOf(amounts, meter, span, step),
  };
}

export function meterView({ id, name, medium, under, subItem, buildings, source }: EnergyMeter): EnergyMeterView {
  const isReal = source.kind === 'real';
  return {
    id,
    name,
    medium,
    code: mediumCodes[medium],
    unit: unitOf(medium),
    under: under ?? null,
    subItem: subItem ?? null,
    buildings: [...buildings],
    kind: source.kind,
    device: isReal ? source.device : null,
    energy: isReal ? source.energy.ref : null,
    power: isReal ? (source.power?.ref ?? null) : null,
    terms: source.kind === 'virtual' ? [...source.terms] : [],
    problem: source.kind === 'missing' ? source.why : null,
  };
}

/** Of a medium's meter that tells: see energy/plan.ts. */
export function findMeter({ meters }: EnergyPlan, id: string): EnergyMeter | undefined {
  return meters.find((meter) => meter.id === id);
}

type UsualDay = { readonly day: LocalDay; readonly usual: Usual | null };

function usualDays(context: EnergyContext, meter: string, { days, kind }: Period, upTo: number): readonly UsualDay[] {
  // Of days to come only the one that is shown by the hour is of interest.
  return days.map((day) => ({
    day,
    usual: day.from < upTo || kind === 'day' ? usualOf(context, [meter], day) : null,
  }));
}

function usualUpTo(days: readonly UsualDay[], upTo: number): number | null {
  let sum: number | null = null;
  for (const { day, usual } of days) {
    if (day.from >= upTo) break;
    const part = day.to <= upTo ? usual?.total : usual?.between(0, (upTo - day.from) / 60_000);
    if (part === undefined || part === null) return null;
    sum = (sum ?? 0) + part;
  }
  return sum;
}

function courseOf(
  { clock }: EnergyContext,
  kind: PeriodKind,
  period: Period,
  span: Span,
  buckets: readonly Bucket[],
  usual: readonly UsualDay[],
): Course {
  if (kind === 'month') {
    return usual.map(({ day, usual: found }) => pieceOf(within(buckets, day), day, span, found?.total ?? null));
  }
  const size = kind === 'day' ? steps['15min'] : steps['1h'];
  const course: Course = [];
  for (const { day, usual: found } of usual) {
    for (let from = day.from; from < day.to; from += size) {
      const piece = { from, to: Math.min(day.to, from + size) };
      // By the clock on the wall: where it is put forward or back the day before had no such hour, or two.
      const minute = Math.floor((((from + clock.offsetAt(from)) % 86_400_000) + 86_400_000) % 86_400_000) / 60_000;
      const expected = found?.between(minute, minute + size / 60_000) ?? null;
      course.push(pieceOf(within(buckets, piece), piece, span, expected));
    }
  }
  return period.to > period.from ? course : [];
}

function pieceOf(buckets: readonly Bucket[], piece: Span, span: Span, baseline: number | null): Course[number] {
  const { value, estimated } = totalOf(buckets);
  const length = Math.min(piece.to, span.to) - piece.from;
  const known = length <= 0 ? 0 : Math.min(1, buckets.reduce((sum, bucket) => sum + bucket.known, 0) / length);
  return { ...piece, amount: value, known, estimated, baseline };
}

function measuredIn(
  { measured }: EnergyContext,
  { id, source }: EnergyMeter,
  span: Span,
): Pick<MeterFigures, 'phases' | 'powerFactor'> {
  if (source.kind !== 'real' || span.to <= span.from) return { phases: null, powerFactor: null };
  const means = measured.phases(id, span);
  const told = measured.powerFactor(id, span);
  const powerFactor =
    told === null
      ? null
      : 'mean' in told
        ? told.mean
        : told.active / Math.max(1e-9, Math.hypot(told.active, told.reactive));
  const imbalance = means === null ? null : (phaseBalanceOf(means)?.imbalance ?? null);
  return { phases: means === null ? null : { means: [...means], imbalance }, powerFactor };
}

function baseOf(
  night: BaseLoad,
  off: BaseLoad,
  total: MeterFigures['total'],
  { from, to }: Span,
): MeterFigures['base'] {
  const hours = ((to - from) / steps['1h']) * total.known;
  const isKnown = night.power !== null && total.value !== null && total.value > 0;
  const share = isKnown ? Math.min(1, ((night.power ?? 0) * hours) / (total.value ?? 1)) : null;
  return { night: night.power, weekend: off.power, share };
}

function belowOf(amounts: Amounts, { id }: EnergyMeter, span: Span, step: Step): MeterFigures['below'] {
  return amounts.tree.childrenOf(id).map((child) => ({
    meter: child.id,
    name: child.name,
    amount: soFar(totalOf(amounts.ofMeter(child.id)), span, step),
  }));
}
