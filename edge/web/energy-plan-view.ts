import type { Device } from '#edge/domain/device.ts';
import type { EnergyPlan } from '#edge/domain/energy.ts';
import type { Name } from '#edge/domain/place.ts';
import { tariffOn } from '#edge/energy/cost.ts';
import { outputName } from './energy-core.ts';
import { meterView } from './energy-meter-page.ts';
import type { EnergyPlanView } from './energy-schemas.ts';

interface About {
  readonly buildingNames: ReadonlyMap<string, Name>;
  readonly devices: ReadonlyMap<string, Device>;
  readonly problems: readonly string[];
  /** Local day, ISO. */
  readonly today: string;
}

export function planView(plan: EnergyPlan, { buildingNames, devices, problems, today }: About): EnergyPlanView {
  return {
    meters: plan.meters.map(meterView),
    buildings: plan.buildings.map(({ building, area, people }) => ({
      building,
      name: buildingNames.get(building) ?? { zh: building, en: building },
      area,
      people,
    })),
    tariffs: plan.tariffs.map((tariff) => ({
      medium: tariff.medium,
      name: tariff.name,
      from: tariff.from,
      currency: tariff.currency,
      price: tariff.price,
      periods: tariff.periods.map(({ months, days, times, ...period }) => ({
        ...period,
        months: [...months],
        days: [...days],
        times: [...times],
      })),
      demandPrice: tariff.demandPrice ?? null,
      powerFactor: tariff.powerFactor ?? null,
      current: tariffOn(plan.tariffs, tariff.medium, today) === tariff,
    })),
    demand: plan.demand.map(({ meter, limit, window, kind, tiers }) => ({
      ...{ meter, limit, window, kind },
      tiers: tiers.map(({ id, name, loads }) => ({
        id,
        name,
        loads: loads.map(({ output, power }) => ({ output, power, name: outputName(output, devices) })),
      })),
    })),
    problems: [...problems],
  };
}
