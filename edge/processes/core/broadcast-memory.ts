import {
  type BroadcastItem,
  isEmergency,
  parseOrder,
  type SoundClass,
  type SoundSource,
  soundClasses,
} from '#edge/domain/broadcast.ts';
import type { Device } from '#edge/domain/device.ts';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import type { Hold } from '#edge/domain/output.ts';
import type { StoredSound } from '#edge/rules/sound.ts';
import { soundHabits } from '#edge/rules/sound-habits.ts';

/* What sounded before the start, from its documents and, where these are missing, from what is held. */

export const ownerWord = 'sound:';

/** Only the arbiter's orders say whose they are. */
export function isOurs({ owner, value }: Pick<Hold, 'owner' | 'value'>): boolean {
  if (!owner.startsWith(ownerWord) && !owner.startsWith('schedule:')) return false;
  return typeof value === 'string' && parseOrder(value)?.item !== undefined;
}

/** Written by the arbiter itself; of another version nothing is understood. */
export function isStored(body: unknown): body is StoredSound {
  const { version, item } = (body ?? {}) as Partial<StoredSound>;
  return version === 1 && item !== undefined && soundClasses.includes(item.class);
}

/** On the loudspeakers that the campus still has. */
export function soundsHere(stored: readonly StoredSound[], speakers: ReadonlyMap<PointRef, Device>): StoredSound[] {
  return stored.flatMap((sound) => {
    const parts = sound.parts
      .map((part) => ({ ...part, outputs: part.outputs.filter((ref) => speakers.has(ref)) }))
      .filter(({ outputs }) => outputs.length > 0);
    return parts.length === 0 ? [] : [{ ...sound, parts }];
  });
}

export interface Places {
  readonly speakers: ReadonlyMap<PointRef, Device>;
  /** As long as its clips are, ms; null: until it is stopped. */
  readonly lengthOf: (source: SoundSource) => number | null;
  readonly now: number;
  /** False: the documents could not be read, and so every hold is all that is known. */
  readonly isWhole: boolean;
}

/**
 * What is held and has no document: the process ended, or the disk refused it, between the two. An emergency goes on; the disk is told of holds
 * first, and so a hold without its document is one that had begun, not one that was over. Of what is no emergency only documents count.
 */
export function soundsOfHolds(
  holds: readonly Hold[],
  known: readonly StoredSound[],
  places: Places,
): readonly StoredSound[] {
  const named = new Set(known.map(({ item }) => item.id));
  const found = new Map<HappeningId, { readonly soundClass: SoundClass; readonly holds: Hold[] }>();
  for (const hold of holds) {
    const id = parseOrder(String(hold.value))?.item as HappeningId | undefined;
    const soundClass = soundClasses[hold.rank ?? -1];
    if (id === undefined || soundClass === undefined || named.has(id)) continue;
    if (places.isWhole && !isEmergency(soundClass)) continue;
    const one = found.get(id);
    if (one === undefined) found.set(id, { soundClass, holds: [hold] });
    else one.holds.push(hold);
  }
  const turn = known.reduce((most, one) => Math.max(most, one.turn), 0) + 1;
  return [...found].map(([id, one], n) => soundOf(id, one.soundClass, one.holds, turn + n, places));
}

function soundOf(
  id: HappeningId,
  soundClass: SoundClass,
  holds: readonly Hold[],
  turn: number,
  { speakers, lengthOf, now }: Places,
): StoredSound {
  const outputs = holds.map(({ ref }) => ref);
  const orders = holds.flatMap(({ value }) => parseOrder(String(value)) ?? []);
  const since = Math.min(...holds.map((hold) => hold.since));
  const source = orders[0]?.source ?? { kind: 'clips', clips: [], loop: false };
  const { interruption } = soundHabits[soundClass];
  const length = lengthOf(source);
  const item: BroadcastItem = {
    ...{ id, class: soundClass, name: { zh: soundClass, en: soundClass }, source, outputs, since },
    zones: [...new Set(outputs.flatMap((ref) => speakers.get(ref)?.zone ?? []))],
    // An order of an exercise has its word in front already.
    ...{ length, patience: null, until: null, interruption, drill: false },
    ...{ by: holds[0]?.owner ?? ownerWord, why: holds[0]?.reason ?? '' },
  };
  const parts = holds.map((hold) => {
    const origin = parseOrder(String(hold.value))?.since ?? hold.since;
    return { outputs: [hold.ref], state: 'playing' as const, origin, position: null, cutAt: null, lost: 0 };
  });
  const origin = parts[0]?.origin ?? null;
  return { ...{ version: 1, item, turn, askers: [id], savedAt: now, origin, pausedAt: null, until: null }, parts };
}
