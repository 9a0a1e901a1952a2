import { isSlug, type PointRef, pointRef, splitPointRef } from '#edge/domain/ids.ts';
import { targetOf } from '#edge/drivers/ping/targets.ts';
import type { RepairPlan } from '#edge/rules/repair-plan.ts';
import type { Site, SiteDevice } from '#edge/runtime/site.ts';
import { repairTimesOf, upstreamOf } from '#edge/runtime/site-network.ts';
import type { Campus } from '../campus.ts';

/* What the site file says of mending each device: a plan each, and what hangs on what. */

export interface RepairCampus {
  readonly plans: ReadonlyMap<string, RepairPlan>;
  /** Devices that lose their power, or their way to us, when this output goes off. */
  readonly behind: (ref: PointRef) => readonly string[];
}

export function repairCampus(site: Site, campus: Campus): RepairCampus {
  const known = new Map(campus.devices.map((device) => [device.id, device]));
  const files = new Map<string, SiteDevice>(site.devices.map((device) => [device.id, device]));
  const uplinkOf = (id: string) => files.get(id)?.uplink?.device;
  const above = (id: string) => upstreamOf(id, uplinkOf);
  const outputs = new Set(
    campus.devices.flatMap(({ id, points }) =>
      points.flatMap(({ name, write }) => (write ? [pointRef(id, name)] : [])),
    ),
  );
  const portOf = ({ uplink }: SiteDevice): PointRef | null => {
    if (uplink === undefined) return null;
    const ref = `${uplink.device}/poe_${uplink.port}` as PointRef; // both parts were checked
    return outputs.has(ref) ? ref : null;
  };
  /** Whoever is cut from these is cut from this box, or from the world. */
  const carriers = carriersOf(site, above);
  const plans = new Map<string, RepairPlan>();
  const carried = new Map<PointRef, string[]>();
  for (const file of site.devices) {
    const device = known.get(file.id);
    if (device === undefined) continue;
    const port = portOf(file);
    const power = file.power ?? null;
    for (const ref of [port, power]) if (ref !== null) carried.set(ref, [...(carried.get(ref) ?? []), file.id]);
    plans.set(file.id, {
      device: file.id,
      name: file.name,
      zone: file.zone,
      automatic: site.repair.enabled,
      ...repairTimesOf(site.repair, device.protocol),
      perDay: site.repair.perDay,
      probed: targetOf({ address: file.address, network: file.network }, device.protocol) !== null,
      // Whether a host answers is no driver's doing.
      process: device.protocol === 'ping' ? null : (campus.processOf(file.id) ?? null),
      port,
      power,
      spared:
        file.noPowerCycle === true ? 'its power is never cut: the site file says so' : (carriers.get(file.id) ?? null),
    });
  }
  return {
    plans,
    behind: (ref) => {
      const first = carried.get(ref) ?? [];
      return site.devices.flatMap(({ id }) =>
        first.includes(id) || above(id).some((carrier) => first.includes(carrier)) ? [id] : [],
      );
    },
  };
}

function carriersOf(site: Site, above: (id: string) => readonly string[]): ReadonlyMap<string, string> {
  const carriers = new Map<string, string>();
  const own = site.network.uplink?.device;
  if (own !== undefined) {
    for (const id of [own, ...above(own)]) carriers.set(id, 'this box itself hangs on it');
  }
  for (const { id, network } of site.devices) {
    if (network?.gateway !== true) continue;
    for (const carrier of [id, ...above(id)]) carriers.set(carrier, 'it carries the way out of the campus');
  }
  return carriers;
}

/** `<device>/poe_3` -> the switch. */
export function switchOf(ref: PointRef): string {
  const device = splitPointRef(ref)?.device ?? '';
  return isSlug(device) ? device : '';
}
