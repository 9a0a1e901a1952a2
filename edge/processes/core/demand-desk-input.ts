import type { Device } from '#edge/domain/device.ts';
import type { DemandPlan, EnergyPlan } from '#edge/domain/energy.ts';
import { type PointRef, splitPointRef } from '#edge/domain/ids.ts';
import { type OutputState, priorities } from '#edge/domain/output.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import type { DemandInput } from '#edge/rules/demand.ts';
import type { Measured } from '#edge/rules/demand-course.ts';
import type { DemandOutput } from '#edge/rules/demand-loads.ts';

/* What the demand controller is told of the campus. */

type Latest = ReadonlyMap<PointRef, Reading>;

/** Of the plan's meter: what can be used now. A sum of meters or a missing one cannot. */
export function measuredNow(
  { meter }: DemandPlan,
  { meters }: Pick<EnergyPlan, 'meters'>,
  latest: Latest,
): Pick<DemandInput, 'power' | 'energy'> {
  const source = meters.find(({ id }) => id === meter)?.source;
  if (source?.kind !== 'real') return { power: null, energy: null };
  const { power, energy } = source;
  return {
    power: power === null ? null : measuredOf(latest.get(power.ref), power.factor),
    energy: measuredOf(latest.get(energy.ref), energy.factor),
  };
}

/** Its loads; one that nobody can command is not among them. `owner`: of the limit's holds. */
export function loadsNow(
  plan: DemandPlan,
  owner: string,
  latest: Latest,
  outputs: ReadonlyMap<string, OutputState>,
  places: ReadonlyMap<string, Device>,
): ReadonlyMap<PointRef, DemandOutput> {
  const loads = new Map<PointRef, DemandOutput>();
  for (const { output: ref, value: told } of plan.tiers.flatMap((tier) => tier.loads)) {
    const state = outputs.get(ref);
    const device = state === undefined ? undefined : places.get(splitPointRef(ref)?.device ?? '');
    if (state === undefined || device === undefined) continue;
    const { confirmed } = state;
    const reading = latest.get(ref);
    const value =
      reading?.quality === 'good' ? reading.value : reading === undefined ? (confirmed?.value ?? null) : null;
    const space = device.space === undefined ? {} : { space: device.space };
    loads.set(ref, { value, zone: device.zone, ...space, overruled: isOverruled(state, owner, told) });
  }
  return loads;
}

/** Whether shedding this load would be in vain: somebody else has the output at another value and is stronger, or this value is forbidden. */
function isOverruled({ holder, priority, value, stack, forbidden }: OutputState, owner: string, told: Value): boolean {
  if (forbidden.some((one) => one.value === told && one.priority < priorities.automation)) return true;
  if (holder === null || holder === owner || value === told || priority === null) return false;
  const isHeld = stack.some((hold) => hold.owner === owner && hold.value === told);
  return isHeld || priority < priorities.automation;
}

/** A device whose clock is ahead must not make its readings look newer than they are. */
function measuredOf(reading: Reading | undefined, factor: number): Measured | null {
  if (reading === undefined || reading.quality !== 'good' || typeof reading.value !== 'number') return null;
  return { value: reading.value * factor, time: Math.min(reading.sourceTime, reading.receivedTime) };
}
