import { useMemo } from 'react';
import type { PlanView } from '../../../place-schemas.ts';
import type { CampusView, PointView } from '../../api.ts';
import { useIllDevices, useWorstAlarms } from '../../device-status.ts';
import { headlineOf } from '../../headline.ts';
import { useName } from '../../kit/language.tsx';
import type { Lists } from './side-list.tsx';
import type { Thing } from './status.ts';

/* Devices with what the map must know of them, and where each of them lies. */

/** By id of the device. */
export function useThings(campus: CampusView, points: readonly PointView[]): ReadonlyMap<string, Thing> {
  const alarms = useWorstAlarms();
  const headlines = useMemo(() => {
    const byDevice = Map.groupBy(points, ({ device }) => device);
    return new Map([...byDevice].map(([id, own]) => [id, headlineOf(own)]));
  }, [points]);
  return useMemo(() => {
    const things = campus.devices.map(
      (device): Thing => ({ device, headline: headlines.get(device.id), alarm: alarms.get(device.id) }),
    );
    return new Map(things.map((thing) => [thing.device.id, thing]));
  }, [campus, headlines, alarms]);
}

const classes = ['critical', 'high', 'medium', 'low'];

/** What lies on this plan (worst first), on none, on another. */
export function useLists(things: ReadonlyMap<string, Thing>, plans: readonly PlanView[], plan: PlanView): Lists {
  const name = useName();
  const ill = useIllDevices();
  return useMemo(() => {
    const planOf = new Map(plans.flatMap(({ id, places }) => places.map(({ device }) => [device, id] as const)));
    const bad = new Set(ill);
    const rank = ({ device, alarm }: Thing) =>
      alarm === undefined ? (bad.has(device.id) ? classes.length : classes.length + 1) : classes.indexOf(alarm.class);
    const all = [...things.values()]
      .map((thing) => ({ thing, rank: rank(thing), text: name(thing.device.name) }))
      .sort((a, b) => a.rank - b.rank || a.text.localeCompare(b.text, 'zh-CN'))
      .map(({ thing }) => thing);
    const where = (thing: Thing) => planOf.get(thing.device.id);
    return {
      here: all.filter((thing) => where(thing) === plan.id),
      nowhere: all.filter((thing) => where(thing) === undefined),
      elsewhere: all.filter((thing) => where(thing) !== undefined && where(thing) !== plan.id),
    };
  }, [things, plans, plan, ill, name]);
}

/** Name of a space; '' for none. */
export function useSpaceName(campus: CampusView): (space: string | null) => string {
  const name = useName();
  return useMemo(() => {
    const spaces = campus.buildings.flatMap(({ floors }) => floors.flatMap((floor) => floor.spaces));
    const names = new Map(spaces.map((space) => [space.id, name(space.name)]));
    return (space) => (space === null ? '' : (names.get(space) ?? space));
  }, [campus, name]);
}

/** `教学楼 · 一层`; '' for the grounds. */
export function useFloorName(campus: CampusView): (floor: string | null) => string {
  const name = useName();
  return (id) => {
    if (id === null) return '';
    for (const building of campus.buildings) {
      const floor = building.floors.find((one) => one.id === id);
      if (floor !== undefined) return `${name(building.name)} · ${name(floor.name)}`;
    }
    return id;
  };
}
