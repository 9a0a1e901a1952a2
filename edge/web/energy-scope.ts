import type { DemandPlan, EnergyMeter, EnergyPlan } from '#edge/domain/energy.ts';
import type { Scope } from './scope.ts';

/**
 * What somebody sees of the plan: meters whose devices lie in his zones, sums of which he sees every term. A meter whose main meter he
 * does not see is a main meter to him. Figures per m2 and head are his only of buildings of which he sees every meter.
 */
export function planFor(plan: EnergyPlan, scope: Pick<Scope, 'isWhole' | 'seesDevice' | 'seesRef'>): EnergyPlan {
  return scope.isWhole ? plan : narrowedPlan(plan, visibleMeters(plan, scope), scope.seesRef);
}

export function visibleMeters(plan: EnergyPlan, { seesDevice }: Pick<Scope, 'seesDevice'>): ReadonlySet<string> {
  const byId = new Map(plan.meters.map((meter) => [meter.id, meter]));
  const known = new Map<string, boolean>();
  const sees = (id: string): boolean => {
    const before = known.get(id);
    if (before !== undefined) return before;
    // A sum within itself is seen by nobody; the site file has none.
    known.set(id, false);
    const source = byId.get(id)?.source;
    const isSeen =
      source?.kind === 'real'
        ? seesDevice(source.device)
        : source?.kind === 'virtual' && source.terms.every((term) => sees(term.meter));
    known.set(id, isSeen);
    return isSeen;
  };
  return new Set(plan.meters.map(({ id }) => id).filter(sees));
}

export function narrowedPlan(
  plan: EnergyPlan,
  visible: ReadonlySet<string>,
  seesRef: (ref: string) => boolean,
): EnergyPlan {
  const isIn = (meter: EnergyMeter, building: string) => meter.buildings.some((one) => one.building === building);
  const meters = plan.meters.filter(({ id }) => visible.has(id)).map((meter) => withoutHidden(meter, visible));
  const buildings = plan.buildings
    .filter(({ building }) => meters.some((meter) => isIn(meter, building)))
    .map((one) => {
      const isWhole = plan.meters.every((meter) => visible.has(meter.id) || !isIn(meter, one.building));
      return isWhole ? one : { ...one, area: null, people: null };
    });
  const demand = plan.demand.filter(({ meter }) => visible.has(meter)).map((one) => seenLoads(one, seesRef));
  return { ...plan, meters, buildings, demand };
}

function withoutHidden(meter: EnergyMeter, visible: ReadonlySet<string>): EnergyMeter {
  if (meter.under === undefined || visible.has(meter.under)) return meter;
  const { under: _, ...rest } = meter;
  return rest;
}

function seenLoads(demand: DemandPlan, seesRef: (ref: string) => boolean): DemandPlan {
  const tiers = demand.tiers
    .map((tier) => ({ ...tier, loads: tier.loads.filter(({ output }) => seesRef(output)) }))
    .filter(({ loads }) => loads.length > 0);
  return { ...demand, tiers };
}
