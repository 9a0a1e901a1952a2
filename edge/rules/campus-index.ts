import type { Device, Point } from '#edge/domain/device.ts';
import { createGlob } from '#edge/domain/glob.ts';
import { type PointRef, pointRef, splitPointRef, type ZoneId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import type { Each, Selection } from '#edge/domain/rule.ts';
import type { RuleCampus } from './engine.ts';

/** The point of a speaker that takes the name of a clip; every device that has it, writable, is a speaker. */
export const clipPoint = 'clip';

/** Where an instance is at home. */
export interface Place {
  readonly kind: Each['place'];
  readonly id: string;
}

export interface CampusPoint {
  readonly ref: PointRef;
  readonly device: Device;
  readonly point: Point;
}

/** The campus, laid out so that rules find their points. Made once: everything in it is as the site file and the profiles say. */
export interface CampusIndex {
  readonly campus: RuleCampus;
  readonly points: ReadonlyMap<PointRef, CampusPoint>;
  readonly devices: ReadonlyMap<string, Device>;
  /** In the order of the campus. A name without `*` that no profile has is kept, so that its rule says that it is blind. */
  select(selection: Selection, here: Place | null): readonly PointRef[];
  /** The places in which a selection finds a point, ascending by id. */
  placesOf(each: Each): readonly Place[];
  /** Clip points of every speaker: of the campus, of zones, or of a place (of a device: of its zone). */
  speakers(zones: 'all' | 'here' | readonly ZoneId[], here: Place | null): readonly PointRef[];
  zoneOf(device: string | undefined): ZoneId | undefined;
  zoneOfPlace(place: Place | null): ZoneId | undefined;
  nameOf(kind: Each['place'], id: string): Name | undefined;
  isAt(place: Place, device: string | undefined, zone: string | undefined): boolean;
}

export function createCampusIndex(campus: RuleCampus): CampusIndex {
  const devices = new Map<string, Device>(campus.devices.map((device) => [device.id, device]));
  const points = new Map<PointRef, CampusPoint>();
  for (const device of campus.devices) {
    for (const point of device.points) {
      const ref = pointRef(device.id, point.name);
      points.set(ref, { ref, device, point });
    }
  }
  const zoneOfSpace = new Map<string, ZoneId>(
    campus.zones.flatMap(({ id, spaces }) => spaces.map((space): [string, ZoneId] => [space, id])),
  );
  const names = {
    zone: new Map<string, Name>(campus.zones.map(({ id, name }) => [id, name])),
    space: new Map<string, Name>(campus.spaces.map(({ id, name }) => [id, name])),
    device: new Map<string, Name>(campus.devices.map(({ id, name }) => [id, name])),
  };
  const matching = createMatcher(points);
  const elsewhere = new WeakMap<Selection, readonly PointRef[]>();
  const isAt = (place: Place, device: string | undefined, zone: string | undefined): boolean => {
    if (place.kind === 'device') return device === place.id;
    const at = device === undefined ? undefined : devices.get(device);
    return place.kind === 'space' ? at?.space === place.id : (zone ?? at?.zone) === place.id;
  };
  const zoneOf = (device: string | undefined) => (device === undefined ? undefined : devices.get(device)?.zone);

  const refsAt = createPlaceRefs(points);
  const select: CampusIndex['select'] = (selection, here) => {
    const { of, zones, spaces, tags } = selection;
    const isPlain = zones === undefined && spaces === undefined && tags === undefined && selection.here !== true;
    const candidates = matching(of);
    if (isPlain) return candidates;
    if (selection.here === true && here === null) return [];
    const fits = (ref: PointRef) => {
      const device = deviceOf(ref, points, devices);
      return (
        device !== undefined &&
        (zones === undefined || zones.includes(device.zone)) &&
        (spaces === undefined || (device.space !== undefined && spaces.includes(device.space))) &&
        (tags === undefined || tags.some((tag) => device.tags?.includes(tag) === true)) &&
        (selection.here !== true || here === null || isAt(here, device.id, undefined))
      );
    };
    if (selection.here === true && here !== null && candidates.length > 1) {
      const among = matching.set(of);
      return refsAt(here).filter((ref) => among.has(ref) && fits(ref));
    }
    if (selection.here === true) return candidates.filter(fits);
    // The same for every place: a rule with many asks once.
    const known = elsewhere.get(selection);
    if (known !== undefined) return known;
    const found = candidates.filter(fits);
    elsewhere.set(selection, found);
    return found;
  };
  const allSpeakers = [...points.values()].filter(({ point }) => point.name === clipPoint && point.write !== undefined);

  return {
    campus,
    points,
    devices,
    select,
    placesOf: ({ place, of }) => {
      const ids = new Set<string>();
      for (const ref of select(of, null)) {
        const device = deviceOf(ref, points, devices);
        const id = place === 'device' ? device?.id : place === 'zone' ? device?.zone : device?.space;
        if (id !== undefined) ids.add(id);
      }
      return [...ids].sort().map((id) => ({ kind: place, id }));
    },
    speakers: (zones, here) => {
      const home = here?.kind === 'device' ? zoneOf(here.id) : undefined;
      const place: Place | null = home === undefined ? here : { kind: 'zone', id: home };
      const fits = ({ device }: CampusPoint) => {
        if (zones === 'all') return true;
        if (zones === 'here') return place !== null && isAt(place, device.id, undefined);
        return zones.includes(device.zone);
      };
      const found = allSpeakers.filter(fits);
      // In the order in which the rule names its zones.
      const rank = (zone: ZoneId) => (typeof zones === 'string' ? 0 : zones.indexOf(zone));
      return found.sort((a, b) => rank(a.device.zone) - rank(b.device.zone)).map(({ ref }) => ref);
    },
    zoneOf,
    zoneOfPlace: (place) => {
      if (place === null) return undefined;
      if (place.kind === 'zone') return campus.zones.find(({ id }) => id === place.id)?.id;
      if (place.kind === 'device') return zoneOf(place.id);
      return zoneOfSpace.get(place.id) ?? campus.devices.find(({ space }) => space === place.id)?.zone;
    },
    nameOf: (kind, id) => names[kind].get(id),
    isAt,
  };
}

interface Matcher {
  (glob: string): readonly PointRef[];
  set(glob: string): ReadonlySet<PointRef>;
}

/** Globs are looked for once each: sixty instances of a rule ask for the same. */
function createMatcher(points: ReadonlyMap<PointRef, CampusPoint>): Matcher {
  const found = new Map<string, { readonly refs: readonly PointRef[]; set?: ReadonlySet<PointRef> }>();
  const look = (glob: string) => {
    const known = found.get(glob);
    if (known !== undefined) return known;
    const pattern = createGlob(glob);
    const refs = [...points.keys()].filter((ref) => pattern.test(ref));
    // Globs come from rules that people write; drafts come and go for years.
    if (found.size >= 2_000) found.clear();
    const entry: { readonly refs: readonly PointRef[]; set?: ReadonlySet<PointRef> } = { refs };
    found.set(glob, entry);
    return entry;
  };
  const matching = (glob: string) => (glob.includes('*') ? look(glob).refs : [glob as PointRef]);
  const set = (glob: string) => {
    const entry = look(glob);
    entry.set ??= new Set(entry.refs);
    return entry.set;
  };
  return Object.assign(matching, { set });
}

/** The points of a place, in the order of the campus; made when somebody asks first. */
function createPlaceRefs(points: ReadonlyMap<PointRef, CampusPoint>): (place: Place) => readonly PointRef[] {
  const keyOf = ({ kind, id }: Place) => `${kind} ${id}`;
  let known: Map<string, PointRef[]> | null = null;
  const lay = () => {
    const laid = new Map<string, PointRef[]>();
    const put = (place: Place, ref: PointRef) => {
      const key = keyOf(place);
      const list = laid.get(key);
      if (list === undefined) laid.set(key, [ref]);
      else list.push(ref);
    };
    for (const { ref, device } of points.values()) {
      put({ kind: 'device', id: device.id }, ref);
      put({ kind: 'zone', id: device.zone }, ref);
      if (device.space !== undefined) put({ kind: 'space', id: device.space }, ref);
    }
    return laid;
  };
  return (place) => {
    known ??= lay();
    return known.get(keyOf(place)) ?? [];
  };
}

function deviceOf(
  ref: PointRef,
  points: ReadonlyMap<PointRef, CampusPoint>,
  devices: ReadonlyMap<string, Device>,
): Device | undefined {
  return points.get(ref)?.device ?? devices.get(splitPointRef(ref)?.device ?? '');
}
