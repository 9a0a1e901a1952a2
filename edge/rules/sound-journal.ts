import type { Blocker, Said, SoundHappening, SoundHappeningKind, SoundReason } from './sound.ts';
import type { Part } from './sound-desk.ts';

/** Happenings of one step, gathered: one for all loudspeakers to which the same happened. */
export interface Journal {
  readonly open: Map<
    string,
    { readonly happening: SoundHappening; readonly outputs: SoundHappening['outputs'][number][] }
  >;
}

/** The latest that an item and a loudspeaker can tell of. */
const mostInStory = 48;
const mostRecent = 12;

export function newJournal(): Journal {
  return { open: new Map() };
}

export interface Entry {
  readonly kind: SoundHappeningKind;
  readonly reason: SoundReason;
  readonly at: number;
  readonly by: Blocker | null;
  readonly position: number | null;
  readonly said?: Said | null;
}

export function note(journal: Journal, part: Part, { kind, reason, at, by, position, said = null }: Entry): void {
  const { item, story } = part.of;
  const ms = position === null ? null : Math.round(position);
  const key = `${kind} ${item.id} ${reason} ${at} ${ms} ${by === null ? '' : keyOf(by)} ${said?.by}`;
  let open = journal.open.get(key);
  if (open === undefined) {
    const outputs: SoundHappening['outputs'][number][] = [];
    const happening = { kind, item: item.id, class: item.class, outputs, at, reason, by, position: ms, said };
    open = { happening, outputs };
    journal.open.set(key, open);
    push(story, happening, mostInStory);
  }
  open.outputs.push(part.place.ref);
  push(part.place.recent, open.happening, mostRecent);
}

export function flush(journal: Journal): SoundHappening[] {
  const happenings = [...journal.open.values()].map(({ happening }) => happening);
  journal.open.clear();
  return happenings;
}

function keyOf(by: Blocker): string {
  switch (by.kind) {
    case 'item':
      return by.item;
    case 'outside':
      return `outside ${by.owner}`;
    case 'quiet':
      return `quiet ${by.id}`;
  }
}

function push<T>(list: T[], one: T, most: number): void {
  list.push(one);
  if (list.length > most) list.shift();
}
