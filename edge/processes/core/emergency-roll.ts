import type { Emergency, EmergencyLine, RollCall, RollState } from '#edge/domain/emergency.ts';
import type { ZoneId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import { CodedError } from '#edge/runtime/errors.ts';

/* The roll-call of an emergency: numbers of people in rooms, never their names. */

export interface EmergencyRoom {
  readonly room: string;
  readonly zone: ZoneId;
  readonly name: Name;
}

/** What somebody says of a room. */
export type RollWord = Omit<RollCall, 'zone' | 'name' | 'by' | 'time'>;

export function rollOf(rooms: readonly EmergencyRoom[], zones: readonly ZoneId[]): RollCall[] {
  const unsaid = { state: 'unknown', present: null, missing: null, note: '', by: '', time: null } as const;
  return rooms.filter(({ zone }) => zones.includes(zone)).map((room) => ({ ...room, ...unsaid }));
}

/** The roll with these words in it, and a line for each zone: who may see one zone reads nothing of another. Throws ROOM_NOT_FOUND. */
export function called(
  { roll }: Pick<Emergency, 'roll'>,
  words: readonly RollWord[],
  { who, time }: { readonly who: string; readonly time: number },
): { readonly roll: readonly RollCall[]; readonly lines: readonly EmergencyLine[] } {
  const said = new Map(words.map((word) => [word.room, word]));
  const known = new Set(roll.map(({ room }) => room));
  const unknown = words.find(({ room }) => !known.has(room));
  if (unknown !== undefined) throw new CodedError('ROOM_NOT_FOUND', `no room "${unknown.room}" is called in it`);
  const byZone = new Map<ZoneId, RollCall[]>();
  const next = roll.map((each) => {
    const word = said.get(each.room);
    if (word === undefined) return each;
    const one = { ...each, ...word, by: who, time };
    byZone.set(each.zone, [...(byZone.get(each.zone) ?? []), one]);
    return one;
  });
  const lines = [...byZone].map(([zone, rooms]) => ({ time, act: 'roll' as const, who, text: rollText(rooms), zone }));
  return { roll: next, lines };
}

const rollWords: Readonly<Record<RollState, Name>> = {
  unknown: { zh: '未报', en: 'no word' },
  all: { zh: '到齐', en: 'complete' },
  missing: { zh: '缺人', en: 'missing' },
  help: { zh: '求助', en: 'needs help' },
};
/** Rooms named in a line of the timeline; of more of the same their number. */
const mostNamed = 12;

function rollText(rooms: readonly RollCall[]): string {
  const parts: Name[] = [];
  for (const state of ['help', 'missing', 'unknown', 'all'] as const) {
    const these = rooms.filter((room) => room.state === state);
    const word = rollWords[state];
    if (these.length > mostNamed)
      parts.push({ zh: `${these.length} 间${word.zh}`, en: `${these.length} rooms ${word.en}` });
    else parts.push(...these.map(({ name }) => ({ zh: `${name.zh} ${word.zh}`, en: `${name.en} ${word.en}` })));
  }
  return `${parts.map(({ zh }) => zh).join('、')} / ${parts.map(({ en }) => en).join(', ')}`;
}
