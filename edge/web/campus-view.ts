import type { z } from 'zod';
import type { KnownProfile } from './known-profile.ts';
import { reachesInto } from './rule-reach-scope.ts';
import type { RuleShelf } from './rule-shelf.ts';
import type { campusSchema } from './schemas.ts';
import type { Scope } from './scope.ts';
import type { CampusView } from './server.ts';

type Description = z.infer<typeof campusSchema>;

/** The campus as far as somebody sees it: his zones, what lies in them, and the safety rules that reach into them. */
export function describeCampus(
  { site, devices, profiles, flows }: CampusView,
  scope: Scope,
  safety: ReturnType<RuleShelf['safety']>,
): Description {
  const known = new Map(profiles.map((profile) => [profile.id, profile]));
  const protocols = new Map<string, string>(devices.map(({ id, protocol }) => [id, protocol]));
  const adopted = new Set<string>(site.adopted);
  const visible = site.devices.filter(({ id }) => scope.seesDevice(id));
  const zones = site.zones.filter(({ id }) => scope.covers(id));
  return {
    id: site.campus.id,
    name: site.campus.name,
    timeZone: site.campus.timeZone,
    allZones: scope.isWhole,
    buildings: reduceBuildings(site.buildings, scope, [
      ...zones.flatMap(({ spaces }) => spaces),
      ...visible.flatMap(({ space }) => space ?? []),
    ]),
    zones: zones.map(({ id, name, spaces }) => ({ id, name, spaces: [...spaces] })),
    // From the site file, not from what could be made of it: a device whose profile is broken is still there.
    devices: visible.map(({ id, name, zone, space, tags, profile }) => ({
      id,
      name,
      zone,
      space: space ?? null,
      tags: [...(tags ?? [])],
      protocol: protocols.get(id) ?? known.get(profile)?.protocol ?? '',
      ...kindOf(profile, known.get(profile)),
      adopted: adopted.has(id),
    })),
    interlocks: safety
      .filter(({ reach }) => reachesInto(reach, scope))
      .map(({ rule: { id, name, latch } }) => ({ id, name, latch })),
    clips: Object.keys(site.clips),
    // Flows know no zones.
    flowsEditor: flows !== null && scope.isWhole,
  };
}

/** A profile that cannot be read is still named, and its folder says the kind. */
function kindOf(profile: string, view: KnownProfile | undefined) {
  const kind = view?.kind ?? profile.slice(0, profile.indexOf('/'));
  return { kind, profile, profileName: view?.name ?? { zh: profile, en: profile } };
}

function reduceBuildings(
  buildings: CampusView['site']['buildings'],
  scope: Scope,
  spaces: readonly string[],
): Description['buildings'] {
  if (scope.isWhole) return buildings;
  const kept = new Set(spaces);
  return buildings.flatMap((building) => {
    const floors = building.floors.flatMap((floor) => {
      const within = floor.spaces.filter(({ id }) => kept.has(id));
      return within.length === 0 ? [] : [{ ...floor, spaces: within }];
    });
    return floors.length === 0 ? [] : [{ ...building, floors }];
  });
}
