import type { CampusView } from '../../api.ts';
import type { NamePair } from '../../kit/words.ts';

/* The devices of the campus as a tree, by place, by type or by zone; and the lines of it that are open. Pure. */

export const groupings = ['place', 'type', 'zone'] as const;
export type Grouping = (typeof groupings)[number];

export type DeviceEntry = CampusView['devices'][number];

export interface Branch {
  /** Unique in the tree, the same for as long as the thing exists: what is open is remembered by it. */
  readonly key: string;
  /** null: devices that belong to no place; whoever draws it says so. */
  readonly name: NamePair | null;
  readonly branches: readonly Branch[];
  readonly devices: readonly DeviceEntry[];
  /** Ids of every device below. */
  readonly all: readonly string[];
}

export interface Line {
  readonly key: string;
  readonly level: number;
  readonly branch: Branch | null;
  readonly device: DeviceEntry | null;
  readonly isOpen: boolean;
  /** Place among its siblings, from 1, and how many they are. */
  readonly position: number;
  readonly siblings: number;
  readonly parent: string | null;
}

function branchOf(
  key: string,
  name: NamePair | null,
  branches: readonly Branch[],
  devices: readonly DeviceEntry[],
): Branch {
  return { key, name, branches, devices, all: [...branches.flatMap(({ all }) => all), ...devices.map(({ id }) => id)] };
}

const notEmpty = ({ all }: Branch): boolean => all.length > 0;

function byPlace(campus: CampusView): Branch[] {
  const inSpace = Map.groupBy(campus.devices, ({ space }) => space);
  const known = new Set(
    campus.buildings.flatMap(({ floors }) => floors.flatMap(({ spaces }) => spaces.map(({ id }) => id))),
  );
  const buildings = campus.buildings.map((building) =>
    branchOf(
      `building:${building.id}`,
      building.name,
      building.floors
        .map((floor) =>
          branchOf(
            `floor:${floor.id}`,
            floor.name,
            floor.spaces
              .map((space) => branchOf(`space:${space.id}`, space.name, [], inSpace.get(space.id) ?? []))
              .filter(notEmpty),
            [],
          ),
        )
        .filter(notEmpty),
      [],
    ),
  );
  const elsewhere = campus.devices.filter(({ space }) => space === null || !known.has(space));
  const zones = Map.groupBy(elsewhere, ({ zone }) => zone);
  const outside = branchOf(
    'nowhere',
    null,
    [...zones].map(([zone, devices]) => branchOf(`nowhere:${zone}`, zoneName(campus, zone), [], devices)),
    [],
  );
  return [...buildings, outside].filter(notEmpty);
}

function byType(campus: CampusView): Branch[] {
  return [...Map.groupBy(campus.devices, ({ kind }) => kind)].map(([kind, devices]) =>
    branchOf(
      `kind:${kind}`,
      { zh: kind, en: kind },
      [...Map.groupBy(devices, ({ profile }) => profile)].map(([profile, same]) =>
        branchOf(`profile:${profile}`, same[0]?.profileName ?? { zh: profile, en: profile }, [], same),
      ),
      [],
    ),
  );
}

function byZone(campus: CampusView): Branch[] {
  return [...Map.groupBy(campus.devices, ({ zone }) => zone)].map(([zone, devices]) =>
    branchOf(`zone:${zone}`, zoneName(campus, zone), [], devices),
  );
}

export function zoneName(campus: CampusView, zone: string): NamePair {
  return campus.zones.find(({ id }) => id === zone)?.name ?? { zh: zone, en: zone };
}

export function treeOf(campus: CampusView, grouping: Grouping): readonly Branch[] {
  switch (grouping) {
    case 'place':
      return byPlace(campus);
    case 'type':
      return byType(campus);
    case 'zone':
      return byZone(campus);
  }
}

/** Whether everything that is typed occurs in what a device is called, in either language, in any order. */
export function matches(device: DeviceEntry, search: string, places: string): boolean {
  const text = [
    device.id,
    device.name.zh,
    device.name.en,
    device.profileName.zh,
    device.profileName.en,
    device.profile,
    places,
  ]
    .join(' ')
    .toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** The same tree with the devices that are wanted only, and no empty branches. */
export function pruned(
  tree: readonly Branch[],
  wanted: (device: DeviceEntry, places: string) => boolean,
  above = '',
): readonly Branch[] {
  return tree
    .map((branch) => {
      const places = `${above} ${branch.name?.zh ?? ''} ${branch.name?.en ?? ''}`;
      const devices = branch.devices.filter((device) => wanted(device, places));
      return branchOf(branch.key, branch.name, pruned(branch.branches, wanted, places), devices);
    })
    .filter(notEmpty);
}

/** The lines to draw: branches that are closed hide what is below them. */
export function linesOf(
  tree: readonly Branch[],
  isClosed: (key: string) => boolean,
  level = 1,
  parent: string | null = null,
): Line[] {
  return tree.flatMap((branch, index) => {
    const isOpen = !isClosed(branch.key);
    const head: Line = {
      key: branch.key,
      level,
      branch,
      device: null,
      isOpen,
      position: index + 1,
      siblings: tree.length,
      parent,
    };
    if (!isOpen) return [head];
    const below = linesOf(branch.branches, isClosed, level + 1, branch.key);
    const devices = branch.devices.map((device, place): Line => {
      const position = branch.branches.length + place + 1;
      const siblings = branch.branches.length + branch.devices.length;
      // A device stands once in each tree, so its id names its line.
      return {
        key: device.id,
        level: level + 1,
        branch: null,
        device,
        isOpen: false,
        position,
        siblings,
        parent: branch.key,
      };
    });
    return [head, ...below, ...devices];
  });
}

/** Building, floor and room of a device, as far as they are known, from the largest on. */
export function placeOf(campus: CampusView, device: DeviceEntry): readonly NamePair[] {
  for (const building of campus.buildings) {
    for (const floor of building.floors) {
      const space = floor.spaces.find(({ id }) => id === device.space);
      if (space !== undefined) return [building.name, floor.name, space.name];
    }
  }
  return [];
}
