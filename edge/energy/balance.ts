import type { EnergyMeter, Medium } from '#edge/domain/energy.ts';
import { totalOf } from './rises.ts';
import type { Amounts } from './tree.ts';

/* What the main meter counts and the meters below it do not, and how evenly three phases carry it. */

/** Errors of meters as they are usually built: class 1 for electricity, class 2 for water (OIML R 49), 3 % for the rest. */
const usualAccuracy: Readonly<Record<Medium, number>> = {
  electricity: 0.01,
  water: 0.02,
  gas: 0.03,
  heat: 0.03,
  cold: 0.03,
};
/** What cables and pipes lose on a campus. */
const lossShare = 0.02;

export interface Unaccounted {
  readonly meter: string;
  /** kW.h or m3, over the buckets in which all of them are known. */
  readonly main: number;
  readonly subs: number;
  /** main - subs: below 0 the meters below count more than goes through the one above them. */
  readonly difference: number;
  /** So much may be the errors of the meters and what the lines lose. */
  readonly tolerance: number;
  readonly isExplained: boolean;
  /** Share of the time in which all of them are known. */
  readonly known: number;
}

/**
 * The difference of a meter and what hangs under it, where the meters below are meant to cover all of it. Null: nothing hangs under it,
 * one of them is never known, or a sum under it takes the rest by definition.
 */
export function unaccountedOf(amounts: Amounts, meter: EnergyMeter): Unaccounted | null {
  const { tree } = amounts;
  const children = tree.childrenOf(meter.id);
  if (children.length === 0 || meter.source.kind !== 'real') return null;
  if (children.some(({ id }) => tree.coefficientsOf(id).has(meter.id))) return null;
  const main = amounts.ofMeter(meter.id);
  const subs = children.map((child) => ({ child, sign: tree.signOf(child), buckets: amounts.ofMeter(child.id) }));
  let sum = 0;
  let below = 0;
  const shares = new Map<string, number>();
  let buckets = 0;
  main.forEach((bucket, i) => {
    const parts = subs.map(({ buckets: own }) => own[i]?.amount ?? null);
    if (bucket.amount === null || parts.some((part) => part === null)) return;
    buckets++;
    sum += bucket.amount;
    subs.forEach(({ child, sign }, s) => {
      const part = parts[s] ?? 0;
      below += sign * part;
      shares.set(child.id, (shares.get(child.id) ?? 0) + part);
    });
  });
  if (buckets === 0) return null;
  const errors = subs.reduce((all, { child }) => all + accuracyOf(child) * Math.abs(shares.get(child.id) ?? 0), 0);
  const tolerance = accuracyOf(meter) * Math.abs(sum) + errors + lossShare * Math.abs(sum);
  const difference = sum - below;
  return {
    meter: meter.id,
    main: sum,
    subs: below,
    difference,
    tolerance,
    isExplained: Math.abs(difference) <= tolerance,
    known: buckets / Math.max(1, main.length),
  };
}

function accuracyOf({ accuracy, medium }: EnergyMeter): number {
  return accuracy ?? usualAccuracy[medium];
}

/** Every meter with others under it. */
export function balanceOf(amounts: Amounts): readonly Unaccounted[] {
  return amounts.tree.plan.meters.flatMap((meter) => unaccountedOf(amounts, meter) ?? []);
}

export interface PhaseBalance {
  /** Mean power of each phase, kW. */
  readonly phases: readonly number[];
  readonly mean: number;
  /** Largest distance of a phase from the mean, as a share of it, 0 to 2. */
  readonly imbalance: number;
}

/** Null: a phase is not known, or nothing flows. */
export function phaseBalanceOf(phases: readonly (number | null)[]): PhaseBalance | null {
  const known = phases.filter((phase) => phase !== null);
  if (known.length < 2 || known.length < phases.length) return null;
  const mean = known.reduce((sum, phase) => sum + phase, 0) / known.length;
  if (mean <= 0) return null;
  return { phases: known, mean, imbalance: Math.max(...known.map((phase) => Math.abs(phase - mean))) / mean };
}

/** How much of a span is known, meter by meter: what people must see beside every figure. */
export function completenessOf(
  amounts: Amounts,
): readonly { readonly meter: string; readonly known: number; readonly estimated: number }[] {
  return amounts.tree.plan.meters
    .filter(({ source }) => source.kind !== 'virtual')
    .map(({ id }) => {
      const { known, estimated } = totalOf(amounts.ofMeter(id));
      return { meter: id, known, estimated };
    });
}
