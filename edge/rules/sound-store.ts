import { isEmergency } from '#edge/domain/broadcast.ts';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import type { Moment, StoredParts, StoredSound } from './sound.ts';
import { blockerOfPart } from './sound-blockers.ts';
import { cut, finish } from './sound-course.ts';
import {
  advance,
  type Desk,
  monotonicOf,
  type Part,
  placeOf,
  type Sounding,
  sinceOf,
  wakeItem,
  wakePart,
  wallOf,
} from './sound-desk.ts';
import { contentOf, mistakeOf, newSounding, sourceOf } from './sound-intake.ts';

/* An item and how far it is, as a document, and back: after a kill the right message goes on at the right place. */

export function storedOf(desk: Desk, one: Sounding): StoredSound {
  const wall = (time: number | null) => (time === null ? null : wallOf(desk, time));
  const groups = new Map<string, StoredParts & { outputs: PointRef[] }>();
  for (const { state, origin, position, cutAt, lost, place } of one.parts.values()) {
    if (state === 'over') continue;
    const said = { origin: wall(origin), position: round(position), cutAt: wall(cutAt), lost: Math.round(lost) };
    const key = `${state} ${said.origin} ${said.position} ${said.cutAt} ${said.lost}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { outputs: [place.ref], state, ...said });
    else group.outputs.push(place.ref);
  }
  return {
    version: 1,
    item: one.item,
    turn: one.turn,
    askers: [...one.askers],
    savedAt: wallOf(desk, desk.monotonic),
    origin: wall(one.origin),
    pausedAt: one.paused === null ? null : Math.round(one.paused.position),
    until: wall(one.until),
    parts: [...groups.values()],
  };
}

function round(value: number | null): number | null {
  return value === null ? null : Math.round(value);
}

/** In the order in which they came, so that who came first has the earlier turn again. */
export function restore(desk: Desk, stored: readonly StoredSound[], at: Moment): HappeningId[] {
  advance(desk, at);
  desk.bornAt = desk.monotonic;
  const failed: HappeningId[] = [];
  const inTurn = [...stored].sort((a, b) => a.turn - b.turn);
  for (const one of inTurn) if (!restoreOne(desk, one, at)) failed.push(one.item.id);
  return failed;
}

function restoreOne(desk: Desk, stored: StoredSound, at: Moment): boolean {
  const { item } = stored;
  const source = sourceOf(desk, item);
  if (desk.asked.has(item.id) || desk.soundings.size >= desk.options.mostItems) return false;
  if (source === null || mistakeOf(item, source) !== null) return false;
  const groups = new Map<PointRef, StoredParts>();
  for (const group of stored.parts) for (const ref of group.outputs) groups.set(ref, group);
  const places = [...groups.keys()].flatMap((ref) => placeOf(desk, ref) ?? []);
  if (places.length === 0) return false;
  const { sounding, parts } = newSounding(desk, item, source, contentOf(item), places);
  restoreTimes(desk, sounding, stored, at);
  desk.soundings.set(item.id, sounding);
  if (stored.askers.length > 0) sounding.askers.clear();
  for (const asker of stored.askers) sounding.askers.add(asker);
  for (const asker of sounding.askers) desk.asked.set(asker, sounding);
  desk.lately.set(sounding.content, { id: item.id, by: item.by, at: desk.monotonic });
  desk.touched.add(sounding);
  for (const part of parts) {
    const group = groups.get(part.place.ref);
    part.place.parts.push(part);
    desk.dirty.add(part.place);
    if (group !== undefined) restorePart(desk, part, group, stored.savedAt);
  }
  if (sounding.isInStep && sounding.playing === 0 && sounding.origin !== null && sounding.paused === null) {
    sounding.paused = { position: Math.max(0, desk.monotonic - sounding.origin), since: desk.monotonic };
  }
  wakeItem(desk, sounding);
  for (const part of parts) {
    if (part.place.parts.length > desk.options.mostOnOutput)
      finish(desk, part, { kind: 'dropped', reason: 'queue-full' });
  }
  return true;
}

/**
 * What was in step went on in our absence: other rooms may have played on, and that it began in the future is a clock that was put back. An
 * emergency's end is believed only when the clock is.
 */
function restoreTimes(desk: Desk, sounding: Sounding, stored: StoredSound, at: Moment): void {
  const { origin, pausedAt, savedAt, item } = stored;
  if (origin !== null && sounding.isInStep) sounding.origin = past(desk, origin, savedAt);
  if (pausedAt !== null) sounding.paused = { position: pausedAt, since: Number.NEGATIVE_INFINITY };
  if (stored.until === null || !isEmergency(item.class)) return;
  const left = Math.max(0, stored.until - savedAt);
  sounding.until = at.isUnsure === true ? desk.monotonic + left : monotonicOf(desk, stored.until);
}

/** That time on our clock. When the wall clock is before the time of saving it was put back: then no time has passed since. */
function past(desk: Desk, wall: number, savedAt: number): number {
  const back = Math.max(0, savedAt - wallOf(desk, desk.monotonic));
  return (monotonicOf(desk, wall) ?? desk.monotonic) - back;
}

function restorePart(desk: Desk, part: Part, stored: StoredParts, savedAt: number): void {
  const { of, place } = part;
  part.state = stored.state;
  part.position = stored.position;
  part.lost = stored.lost;
  part.isTold = true;
  if (stored.cutAt !== null) part.cutAt = past(desk, stored.cutAt, savedAt);
  if (stored.state !== 'playing') {
    wakePart(desk, part);
    return;
  }
  if (of.isInStep) of.origin ??= desk.monotonic;
  else part.origin = past(desk, stored.origin ?? savedAt, savedAt);
  part.since = sinceOf(desk, part);
  part.wordAt = part.since;
  of.playing++;
  if (place.playing === null) place.playing = part;
  else separate(desk, part, place.playing);
  wakePart(desk, part);
}

/** Documents of two moments: both say that they play here. The one that came first does; if that is wrong the next step puts it right. */
function separate(desk: Desk, part: Part, playing: Part): void {
  cut(desk, part, blockerOfPart(playing));
  part.place.playing = playing;
}
