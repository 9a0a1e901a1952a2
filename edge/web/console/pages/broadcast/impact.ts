import { isEmergency, rankOf } from '#edge/domain/broadcast.ts';
import type { Room, SoundClass } from './data.ts';

/* What would become of a sound in rooms, as the arbiter decides (rules/sound.ts): what is strictly stronger interrupts, equals wait. Told before. */

export interface Impact {
  readonly rooms: number;
  /** Heard at once. */
  readonly now: number;
  /** What it interrupts, most rooms first. */
  readonly interrupts: readonly Met[];
  /** What it waits for. */
  readonly behind: readonly Met[];
  /** Rooms that will not hear it: an examination, a lesson that is recorded. */
  readonly exam: readonly Room[];
  readonly recording: readonly Room[];
  /** Held by a rule or a person past the broadcast. */
  readonly held: readonly Room[];
  /** The loudspeaker does not answer. */
  readonly offline: readonly Room[];
}

export interface Met {
  readonly name: { readonly zh: string; readonly en: string };
  readonly class: SoundClass;
  readonly rooms: number;
}

export function impactOf(rooms: readonly Room[], soundClass: SoundClass): Impact {
  const found = { now: 0, exam: [] as Room[], recording: [] as Room[], held: [] as Room[], offline: [] as Room[] };
  const [interrupts, behind] = [new Map<string, Met>(), new Map<string, Met>()];
  for (const room of rooms) {
    if (room.online === false) found.offline.push(room);
    if (isKeptOut(room, soundClass)) {
      found[room.quiet?.kind === 'exam' ? 'exam' : 'recording'].push(room);
    } else if (room.outside !== null && rankOf(room.outside.class) <= rankOf(soundClass)) {
      found.held.push(room);
    } else if (room.playing === null) {
      found.now++;
    } else if (rankOf(room.playing.class) <= rankOf(soundClass)) {
      meet(behind, room.playing);
    } else {
      found.now++;
      meet(interrupts, room.playing);
    }
  }
  return { rooms: rooms.length, ...found, interrupts: sorted(interrupts), behind: sorted(behind) };
}

function isKeptOut({ quiet }: Room, soundClass: SoundClass): boolean {
  if (quiet === null || isEmergency(soundClass)) return false;
  return !(quiet.kind === 'exam' && soundClass === 'exam');
}

function meet(found: Map<string, Met>, { item, name, class: soundClass }: NonNullable<Room['playing']>): void {
  const before = found.get(item);
  found.set(item, { name, class: soundClass, rooms: (before?.rooms ?? 0) + 1 });
}

const sorted = (found: ReadonlyMap<string, Met>): readonly Met[] =>
  [...found.values()].sort((a, b) => b.rooms - a.rooms);
