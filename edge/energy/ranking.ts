import type { EnergyBuilding, EnergyPlan } from '#edge/domain/energy.ts';
import type { MediumConsumption } from './consumption.ts';
import type { Amount } from './rises.ts';

/** A building among the others. */
export interface Ranked {
  readonly building: string;
  readonly amount: Amount;
  /** kW.h or m3 per m2 and per person over the span; null: not known. */
  readonly perArea: number | null;
  readonly perHead: number | null;
}

/** Highest first by what is asked for; buildings of which it is not known come last, in the order of their names. */
export function rankingOf(
  { buildings }: Pick<EnergyPlan, 'buildings'>,
  consumption: MediumConsumption,
  by: 'amount' | 'perArea' | 'perHead',
): readonly Ranked[] {
  const sizes = new Map<string, EnergyBuilding>(buildings.map((one) => [one.building, one]));
  const ranked = consumption.buildings.flatMap(({ building, amount }): Ranked[] => {
    if (building === null) return [];
    const size = sizes.get(building);
    return [{ building, amount, perArea: per(amount, size?.area), perHead: per(amount, size?.people) }];
  });
  const figure = (one: Ranked) => (by === 'amount' ? one.amount.value : one[by]);
  return ranked.sort((a, b) => {
    const [x, y] = [figure(a), figure(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null) || (a.building < b.building ? -1 : 1);
    return y - x || (a.building < b.building ? -1 : 1);
  });
}

function per({ value }: Amount, size: number | null | undefined): number | null {
  return value === null || size === null || size === undefined || size <= 0 ? null : value / size;
}
