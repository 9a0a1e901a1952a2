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
  const isAt = (place: Place, device: string | undefined, zone: string | undefined): boolean => {
    if (place.kind === 'device') return device === place.id;
    const at = device === undefined ? undefined : devices.get(device);
    return place.kind === 'space' ? at?.space === place.id : (zone ?? at?.zone) === place.id;
  };
  const zoneOf = (device: string | undefined) => (device === undefined ? undefined : devices.get(device)?.zone);

  const select: CampusIndex['select'] = (selection, here) => {
    const { of, zones, spaces, tags } = selection;
    const place = selection.here === true ? here : null;
    const isPlain = zones === undefined && spaces === undefined && tags === undefined && selection.here !== true;
    const candidates = matching(of);
    if (isPlain) return candidates;
    if (selection.here === true && here === null) return [];
    return candidates.filter((ref) => {
      const device = deviceOf(ref, points, devices);
      return (
        device !== undefined &&
        (zones === undefined || zones.includes(device.zone)) &&
        (spaces === undefined || (device.space !== undefined && spaces.includes(device.space))) &&
        (tags === undefined || tags.some((tag) => device.tags?.includes(tag) === true)) &&
        (place === null || isAt(place, device.id, undefined))
      );
    });
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

/** Globs are looked for once each: sixty instances of a rule ask for the same. */
function createMatcher(points: ReadonlyMap<PointRef, CampusPoint>): (glob: string) => readonly PointRef[] {
  const found = new Map<string, readonly PointRef[]>();
  return (glob) => {
    if (!glob.includes('*')) return [glob as PointRef];
    const known = found.get(glob);
    if (known !== undefined) return known;
    const pattern = createGlob(glob);
    const refs = [...points.keys()].filter((ref) => pattern.test(ref));
    // Globs come from rules that people write; drafts come and go for years.
    if (found.size >= 2_000) found.clear();
    found.set(glob, refs);
    return refs;
  };
}

function deviceOf(
  ref: PointRef,
  points: ReadonlyMap<PointRef, CampusPoint>,
  devices: ReadonlyMap<string, Device>,
): Device | undefined {
  return points.get(ref)?.device ?? devices.get(splitPointRef(ref)?.device ?? '');
}
