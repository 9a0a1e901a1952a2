import type { CampusView } from '../../api.ts';
import { type Language, nameIn } from '../../kit/words.ts';
import type { Room } from './data.ts';

/* Rooms in the order in which people look for them. Pure. */

export interface Group {
  readonly id: string;
  readonly name: string;
  readonly rooms: readonly Room[];
}
export type Grouping = 'zone' | 'floor';

export function groupsOf(
  rooms: readonly Room[],
  campus: Pick<CampusView, 'zones' | 'buildings'> | undefined,
  by: Grouping,
  { language, elsewhere }: { readonly language: Language; readonly elsewhere: string },
): readonly Group[] {
  const places = by === 'zone' ? zonesOf(campus, language) : floorsOf(campus, language);
  const homes = new Map(places.flatMap(({ id, members }) => members.map((member) => [member, id])));
  const found = new Map<string, Room[]>();
  for (const room of rooms) {
    const home = by === 'zone' ? room.zone : (homes.get(room.space ?? '') ?? '');
    const list = found.get(home);
    if (list === undefined) found.set(home, [room]);
    else list.push(room);
  }
  const sorter = new Intl.Collator(language === 'zh' ? 'zh-CN' : 'en', { numeric: true });
  const named = new Map(places.map(({ id, name }) => [id, name]));
  const order = [...places.map(({ id }) => id), ...[...found.keys()].filter((id) => !named.has(id))];
  return order.flatMap((id) => {
    const members = found.get(id);
    if (members === undefined) return [];
    const sorted = [...members].sort((a, b) => sorter.compare(nameIn(language, a.name), nameIn(language, b.name)));
    return [{ id: id === '' ? 'elsewhere' : id, name: named.get(id) ?? (id === '' ? elsewhere : id), rooms: sorted }];
  });
}

interface Place {
  readonly id: string;
  readonly name: string;
  readonly members: readonly string[];
}

function zonesOf(campus: Pick<CampusView, 'zones'> | undefined, language: Language): readonly Place[] {
  return (campus?.zones ?? []).map(({ id, name }) => ({ id, name: nameIn(language, name), members: [id] }));
}

function floorsOf(campus: Pick<CampusView, 'buildings'> | undefined, language: Language): readonly Place[] {
  return (campus?.buildings ?? []).flatMap((building) =>
    building.floors.map((floor) => ({
      id: `${building.id}/${floor.id}`,
      name: `${nameIn(language, building.name)} · ${nameIn(language, floor.name)}`,
      members: floor.spaces.map(({ id }) => id),
    })),
  );
}
