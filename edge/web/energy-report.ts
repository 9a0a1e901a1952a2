import type { EnergyMeter, Medium } from '#edge/domain/energy.ts';
import type { Name } from '#edge/domain/place.ts';
import { subItemCodes } from '#edge/energy/consumption.ts';
import { adjustmentOf, costOf, powerFactorNote, tariffOn } from '#edge/energy/cost.ts';
import { maxDemandOf } from '#edge/energy/demand.ts';
import { type PeriodKind, periodBefore, type Span } from '#edge/energy/local-days.ts';
import { type EnergyReport, type MediumReport, reportOf } from '#edge/energy/report.ts';
import { type Amount, type Step, stepFrom, steps, totalOf } from '#edge/energy/rises.ts';
import { type Amounts, remainderOf } from '#edge/energy/tree.ts';
import { type EnergyContext, soFar, usualOf } from './energy-context.ts';
import { flowsOf } from './energy-flows.ts';
import type { EnergyReportView } from './energy-schemas.ts';

/** All but the findings, which core has. */
export type ReportFigures = Omit<EnergyReportView, 'findings'>;
type MediumView = ReportFigures['media'][number];

interface Report {
  readonly context: EnergyContext;
  readonly report: EnergyReport;
  /** What is over of it. */
  readonly span: Span;
  /** The step in which amounts were added up. */
  readonly step: Step;
  readonly amounts: Amounts;
  /** The same of the period before, up to the same place. */
  readonly before: Amounts;
}

/** `time`: any in the period. */
export function reportFigures(context: EnergyContext, kind: PeriodKind, time: number): ReportFigures {
  const { plan, rises, amounts, priced, measured, clock, dayType, now } = context;
  const report = reportOf({ plan, kind, time, now, rises, amounts, priced, clock, dayType, measured, findings: [] });
  const span = { from: report.from, to: report.upTo };
  const added = priced(span);
  const earlier = spanBefore(context, report);
  const of: Report = {
    context,
    report,
    span,
    step: added.step,
    amounts: added,
    before: amounts(earlier, stepFrom(earlier.from)),
  };
  return {
    kind,
    first: report.days[0]?.date ?? '',
    last: report.days.at(-1)?.date ?? '',
    from: report.from,
    to: report.to,
    running: report.upTo < report.to,
    partial: !context.isWhole,
    campus: context.campus,
    currency: currencyOf(of),
    media: report.media.map((medium) => mediumView(of, medium)),
    demand: demandViews(of),
    powerFactor: powerFactorViews(of),
    ...completenessOf(of),
  };
}

/** Of what was paid; else of the tariffs that hold. Prices of one campus are in one currency. */
function currencyOf({ context, report }: Report): string | null {
  const paid = report.media.flatMap(({ cost }) => cost.currency ?? []);
  const { date } = context.clock.date(report.from);
  return paid[0] ?? context.plan.tariffs.find(({ from }) => from <= date)?.currency ?? null;
}

/** The period before; of one that runs, up to the same place in it. */
export function spanBefore(
  { clock }: EnergyContext,
  { kind, from, to, upTo }: { kind: PeriodKind; from: number; to: number; upTo: number },
): Span {
  const before = periodBefore(clock, { kind, from });
  return { from: before.from, to: upTo >= to ? before.to : Math.min(before.to, before.from + (upTo - from)) };
}

function mediumView(of: Report, medium: MediumReport): MediumView {
  const { context, span, step, before } = of;
  const sofar = (amount: Amount) => soFar(amount, span, step);
  const ranked = new Map(medium.ranking.map((one) => [one.building, one]));
  const cost = medium.cost.total;
  return {
    medium: medium.medium,
    code: medium.code,
    unit: medium.unit,
    total: sofar(medium.total),
    before: soFar(medium.previous, before.span, before.step),
    baseline: baselineOf(of, medium),
    cost,
    course: courseOf(of, medium),
    subItems: medium.subItems.map((one) => ({
      subItem: one.subItem,
      code: one.subItem === null ? null : subItemCodes[one.subItem],
      amount: sofar(one.amount),
      share: one.share,
      cost: one.cost.total,
    })),
    buildings: medium.buildings.map((one) => ({
      building: one.building,
      name:
        one.building === null
          ? campusItself
          : (context.buildingNames.get(one.building) ?? { zh: one.building, en: one.building }),
      amount: sofar(one.amount),
      share: one.share,
      cost: one.cost.total,
      perArea: ranked.get(one.building ?? '')?.perArea ?? null,
      perHead: ranked.get(one.building ?? '')?.perHead ?? null,
    })),
    meters: meterRows(of, medium.medium, medium.total.value),
    flows: flowsOf(of.amounts, medium.medium),
    unaccounted: unaccountedOf(of, medium.medium),
    costParts: medium.cost.parts.map(({ name, price, amount, cost: paid }) => ({ name, price, amount, cost: paid })),
    base: baseOf(medium, span),
  };
}

const campusItself: Name = { zh: '校园公共', en: 'Campus as a whole' };

/** What is usual up to now; null where one of its days has nothing to be compared with. */
function baselineOf(of: Report, { medium, series }: MediumReport): number | null {
  const { context, report, span } = of;
  let sum = 0;
  for (const day of report.days) {
    if (day.from >= span.to) break;
    if (report.kind !== 'day' && day.to <= span.to) {
      const usual = series.find(({ from }) => from === day.from)?.usual ?? null;
      if (usual === null) return null;
      sum += usual;
      continue;
    }
    const roots = context.tree.rootsOf(medium).map(({ id }) => id);
    const usual = usualOf(context, roots, day);
    const part = day.to <= span.to ? usual?.total : usual?.between(0, (span.to - day.from) / 60_000);
    if (part === undefined || part === null) return null;
    sum += part;
  }
  return span.to > span.from ? sum : null;
}

function courseOf({ span }: Report, { series }: MediumReport): MediumView['course'] {
  return series.map(({ from, to, value, known, estimated, usual }) => {
    const runs = from < span.to && to > span.to;
    const share = runs ? Math.min(1, (known * (to - from)) / (span.to - from)) : known;
    return { from, to, amount: value, known: from < span.to ? share : 0, estimated, baseline: usual };
  });
}

/** Depth first; sums that are only looked at come last and have no share. */
function meterRows(of: Report, medium: Medium, total: number | null): MediumView['meters'] {
  const { context, amounts, before, span, step } = of;
  const { tree, plan } = context;
  const row = (meter: EnergyMeter, depth: number): MediumView['meters'][number] => {
    const buckets = amounts.ofMeter(meter.id);
    const amount = totalOf(buckets);
    const hasShare = !tree.isView(meter.id) && amount.value !== null && total !== null && total > 0;
    return {
      meter: meter.id,
      name: meter.name,
      depth,
      amount: soFar(amount, span, step),
      before: soFar(totalOf(before.ofMeter(meter.id)), before.span, before.step),
      share: hasShare ? (amount.value ?? 0) / total : null,
      cost: costOf(plan, medium, buckets, context.clock).total,
    };
  };
  const below = (meter: EnergyMeter, depth: number): MediumView['meters'] =>
    depth > 50 ? [] : [row(meter, depth), ...tree.childrenOf(meter.id).flatMap((child) => below(child, depth + 1))];
  const views = plan.meters.filter((meter) => meter.medium === medium && tree.isView(meter.id));
  return [...tree.rootsOf(medium).flatMap((root) => below(root, 0)), ...views.map((view) => row(view, 0))];
}

function unaccountedOf({ context, report }: Report, medium: Medium): MediumView['unaccounted'] {
  const roots = context.tree.rootsOf(medium).filter(({ id, source }) => {
    return source.kind === 'real' && context.tree.childrenOf(id).length > 0;
  });
  // Where a sum under it takes the rest there is nothing left by definition.
  const open = roots.filter((root) => remainderOf(context.tree, root).size > 0);
  if (open.length === 0) return null;
  const found = report.balance.filter(({ meter }) => open.some(({ id }) => id === meter));
  if (found.length < open.length) return { amount: null, share: null, tolerance: null };
  const sum = (of: (one: (typeof found)[number]) => number) => found.reduce((total, one) => total + of(one), 0);
  const main = sum((one) => one.main);
  const amount = sum((one) => one.difference);
  return { amount, share: main > 0 ? amount / main : null, tolerance: sum((one) => one.tolerance) };
}

function baseOf({ night, off, total }: MediumReport, { from, to }: Span): MediumView['base'] {
  const hours = ((to - from) / steps['1h']) * total.known;
  const share =
    night.power === null || total.value === null || total.value <= 0 ? null : (night.power * hours) / total.value;
  return { night: night.power, weekend: off.power, share: share === null ? null : Math.min(1, share) };
}

/** Every limit, and the main meters that have none. */
function demandViews(of: Report): ReportFigures['demand'] {
  const { context, report, span } = of;
  const { plan, tree, amounts, clock, isWhole } = context;
  const roots = tree.rootsOf('electricity');
  const tariff = tariffOn(plan.tariffs, 'electricity', clock.date(Math.max(span.from, span.to - 1)).date);
  const view = (id: string, limit: number | null, max: { power: number; from: number } | null) => {
    const isBilled = report.kind === 'month' && isWhole && roots.some((root) => root.id === id);
    const price = isBilled ? tariff?.demandPrice : undefined;
    const charge = price === undefined || max === null ? null : price * max.power;
    const name = tree.byId.get(id)?.name ?? { zh: id, en: id };
    return { meter: id, name, limit, highest: max?.power ?? null, at: max?.from ?? null, charge };
  };
  const limited = report.demand.map(({ meter, limit, max }) => view(meter, limit, max));
  const others = roots
    .filter(({ id }) => !limited.some(({ meter }) => meter === id))
    .map(({ id }) => {
      const quarters = amounts(span, '15min').ofMeter(id);
      const limit = plan.demand.find(({ meter }) => meter === id)?.limit ?? null;
      return view(id, limit, maxDemandOf(quarters, steps['15min'], 'fixed').max);
    });
  return [...limited, ...others];
}

function powerFactorViews({ context, span, report, amounts }: Report): ReportFigures['powerFactor'] {
  const { plan, tree, measured, clock } = context;
  const tariff = tariffOn(plan.tariffs, 'electricity', clock.date(Math.max(span.from, span.to - 1)).date);
  const standard = tariff?.powerFactor;
  if (standard === undefined || span.to <= span.from) return [];
  return tree.rootsOf('electricity').flatMap(({ id, name, source }) => {
    if (source.kind !== 'real' || (source.powerFactor === undefined && source.reactive === undefined)) return [];
    const bill = costOf(plan, 'electricity', amounts.ofMeter(id), clock).total;
    const note = powerFactorNote(tariff, measured.powerFactor(id, span), bill);
    const value = note?.powerFactor ?? null;
    // A bill is made by the month.
    const adjustment = report.kind === 'month' && value !== null ? adjustmentOf(standard, value) : null;
    return [{ meter: id, name, value, standard, adjustment }];
  });
}

function completenessOf({ context, report, span }: Report): Pick<ReportFigures, 'completeness' | 'gaps'> {
  const told = report.completeness.map(({ meter, known }) => ({
    meter,
    name: context.tree.byId.get(meter)?.name ?? { zh: meter, en: meter },
    known: soFar({ value: null, known, estimated: 0 }, span, stepFrom(span.from)).known,
  }));
  return {
    completeness: told.length === 0 ? 0 : told.reduce((sum, { known }) => sum + known, 0) / told.length,
    gaps: told.filter(({ known }) => known < wholeKnown).sort((a, b) => a.known - b.known),
  };
}

/** Below it a part of the time is missing, and is said to be: a driver that restarts takes some seconds. */
export const wholeKnown = 0.995;
