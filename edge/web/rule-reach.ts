import { createGlob } from '#edge/domain/glob.ts';
import type { Action, Condition, Rule, Selection } from '#edge/domain/rule.ts';

/** Zones in which a rule looks or acts; `all` when it acts on the whole campus. */
export type Reach = 'all' | ReadonlySet<string>;

/** A device as far as rules choose by it. */
export interface Placed {
  readonly id: string;
  readonly zone: string;
  readonly space?: string | undefined;
  readonly tags?: readonly string[] | undefined;
}

interface Looking {
  readonly devices: readonly Placed[];
  readonly byId: ReadonlyMap<string, Rule>;
  /** Devices of the place of an instance; null: of all its instances. */
  readonly here: readonly Placed[] | null;
  /** Rules that were followed already: those that watch each other in a circle are each seen once. */
  readonly seen: Set<string>;
}

/** How far a rule reaches, or (with the place of an instance) one of its instances. What it watches of another rule counts as its own. */
export function reachOf(
  rule: Rule,
  place: string | null,
  devices: readonly Placed[],
  byId: ReadonlyMap<string, Rule>,
): Reach {
  if (rule.then.some((action) => action.kind === 'broadcast' && action.zones === 'all')) return 'all';
  const here = rule.each === null || place === null ? null : devicesAt(rule.each.place, place, devices);
  const looking: Looking = { devices, byId, here, seen: new Set([rule.id]) };
  const each = rule.each === null ? [] : (here ?? select(rule.each.of, looking)).map(({ zone }) => zone);
  return new Set([...each, ...zonesSeen(rule.when, looking), ...zonesActedOn(rule, looking)]);
}

function devicesAt(kind: 'space' | 'zone' | 'device', place: string, devices: readonly Placed[]): readonly Placed[] {
  const key = kind === 'device' ? 'id' : kind;
  return devices.filter((device) => device[key] === place);
}

function zonesSeen(condition: Condition, looking: Looking): readonly string[] {
  switch (condition.kind) {
    case 'point':
    case 'rate':
      return zonesOf(select(condition.points, looking));
    case 'event':
      return zonesOf(devicesLike(condition.device, condition, looking));
    case 'count': {
      const { of } = condition;
      return zonesOf('points' in of ? select(of.points, looking) : devicesLike(of.device, of, looking));
    }
    case 'unacknowledged': {
      const watched = looking.byId.get(condition.rule);
      if (watched === undefined || looking.seen.has(watched.id)) return [];
      looking.seen.add(watched.id);
      return zonesSeen(watched.when, { ...looking, here: null });
    }
    case 'any':
    case 'all':
      return condition.conditions.flatMap((part) => zonesSeen(part, looking));
    case 'calendar':
    case 'time':
    case 'mode':
      return [];
  }
}

function zonesActedOn({ then }: Rule, looking: Looking): readonly string[] {
  const byId = (id: string) => looking.devices.filter((device) => device.id === id);
  const zonesOfAction = (action: Action): readonly string[] => {
    switch (action.kind) {
      case 'hold':
      case 'forbid':
        return zonesOf(select(action.outputs, looking));
      case 'shed':
        return zonesOf(action.order.flatMap((ref) => byId(deviceOf(ref))));
      case 'broadcast':
        if (action.zones === 'here') return zonesOf(looking.here ?? []);
        return action.zones === 'all' ? [] : action.zones;
      case 'snapshot':
        return zonesOf(byId(action.camera));
      case 'alarm':
      case 'notify':
        return [];
    }
  };
  return then.flatMap(zonesOfAction);
}

function select({ of, zones, spaces, tags, here }: Selection, looking: Looking): readonly Placed[] {
  const found = devicesLike(deviceOf(of), { zones, here }, looking);
  return found.filter((device) => {
    const isThere = spaces === undefined || spaces.some((id) => id === device.space);
    return isThere && (tags === undefined || tags.some((tag) => device.tags?.includes(tag) === true));
  });
}

function devicesLike(
  glob: string,
  { zones, here }: { readonly zones?: readonly string[] | undefined; readonly here?: true | undefined },
  looking: Looking,
): readonly Placed[] {
  const pattern = createGlob(glob);
  const among = here === true && looking.here !== null ? looking.here : looking.devices;
  return among.filter(({ id, zone }) => pattern.test(id) && (zones === undefined || zones.includes(zone)));
}

function zonesOf(devices: readonly Placed[]): string[] {
  return devices.map(({ zone }) => zone);
}

const deviceOf = (ref: string) => ref.slice(0, ref.indexOf('/'));
