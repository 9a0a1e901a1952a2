import type { Blocker, Said, SoundHappeningKind, SoundReason } from './sound.ts';
import {
  bury,
  type Desk,
  type Part,
  positionOf,
  type Sounding,
  sinceOf,
  stepPosition,
  wakePart,
  wallOf,
} from './sound-desk.ts';
import { interruptionOf } from './sound-habits.ts';
import { note } from './sound-journal.ts';

/* The course of an item on one loudspeaker: waits, plays, is cut, plays again, is over. Every change is written down here, and nowhere else. */

/** How a part comes to an end. */
export interface Ending {
  readonly kind: Extract<SoundHappeningKind, 'ended' | 'expired' | 'dropped' | 'stopped'>;
  readonly reason: SoundReason;
  readonly by?: Blocker | null;
  readonly said?: Said;
}

/** It has the word: for the first time, or again. */
export function begin(desk: Desk, part: Part): void {
  const { of, place } = part;
  const wasCut = part.state === 'cut';
  if (part.cutAt !== null) part.lost += desk.monotonic - part.cutAt;
  const kind = of.isInStep ? beginInStep(desk, of, wasCut) : beginAlone(desk, part, wasCut);
  part.state = 'playing';
  part.cutAt = null;
  of.playing++;
  place.playing = part;
  const position = positionOf(desk, part) ?? 0;
  part.position = position;
  part.since = sinceOf(desk, part);
  part.wordAt = wallOf(desk, desk.monotonic);
  const reason = of.isInStep && of.moved?.at !== desk.monotonic ? 'in-step' : 'turn';
  note(desk.journal, part, { kind, reason, at: wallOf(desk, desk.monotonic), by: null, position });
  changed(desk, part);
}

/** One clock for all rooms: it stands still while none plays. */
function beginInStep(desk: Desk, of: Sounding, wasCut: boolean): SoundHappeningKind {
  const { monotonic } = desk;
  if (of.origin === null) {
    of.origin = monotonic;
    of.moved = { at: monotonic, isRestart: false };
  } else if (of.paused !== null) {
    // Cut in its last room and given to another one in the same moment it did not stand still.
    const hasStood = of.paused.since < monotonic;
    const isRestart = hasStood && interruptionOf(of.item) === 'restart';
    of.origin = monotonic - (isRestart ? 0 : of.paused.position);
    of.paused = null;
    if (hasStood) of.moved = { at: monotonic, isRestart };
  }
  if (!wasCut) return 'begun';
  return of.moved?.at === monotonic && of.moved.isRestart ? 'restarted' : 'resumed';
}

function beginAlone(desk: Desk, part: Part, wasCut: boolean): SoundHappeningKind {
  const isRestart = wasCut && interruptionOf(part.of.item) === 'restart';
  part.origin = desk.monotonic - (wasCut && !isRestart ? (part.position ?? 0) : 0);
  return isRestart ? 'restarted' : wasCut ? 'resumed' : 'begun';
}

/** Something stronger has the word. */
export function cut(desk: Desk, part: Part, by: Blocker): void {
  silence(desk, part);
  part.state = 'cut';
  part.cutAt = desk.monotonic;
  const reason = by.kind === 'quiet' ? 'quiet' : 'stronger';
  const at = wallOf(desk, desk.monotonic);
  note(desk.journal, part, { kind: 'preempted', reason, at, by, position: part.position });
  if (interruptionOf(part.of.item) === 'drop') finish(desk, part, { kind: 'dropped', reason: 'not-again', by });
  else changed(desk, part);
}

export function finish(desk: Desk, part: Part, { kind, reason, by = null, said }: Ending): void {
  if (part.state === 'over') return;
  const { of, place } = part;
  silence(desk, part);
  const { position } = part;
  part.state = 'over';
  of.open--;
  place.parts.splice(place.parts.indexOf(part), 1);
  desk.dirty.add(place);
  note(desk.journal, part, {
    kind,
    reason,
    at: wallOf(desk, desk.monotonic),
    by,
    position,
    ...(said !== undefined && { said }),
  });
  changed(desk, part);
  if (of.open === 0) close(desk, of);
}

/** null: this one goes on. */
export function finishAll(desk: Desk, of: Sounding, ending: (part: Part) => Ending | null): void {
  for (const part of of.parts.values()) {
    const how = part.state === 'over' ? null : ending(part);
    if (how !== null) finish(desk, part, how);
  }
}

/** Takes its sound away; where it was is remembered. */
function silence(desk: Desk, part: Part): void {
  const { of, place } = part;
  if (part.state === 'playing') {
    part.position = positionOf(desk, part);
    of.playing--;
    place.playing = null;
    if (of.isInStep && of.playing === 0) {
      of.paused = { position: stepPosition(desk, of) ?? 0, since: desk.monotonic };
    }
  } else if (part.state === 'cut') part.position = positionOf(desk, part);
}

function changed(desk: Desk, part: Part): void {
  desk.touched.add(part.of);
  wakePart(desk, part);
}

function close(desk: Desk, of: Sounding): void {
  desk.soundings.delete(of.item.id);
  for (const asker of of.askers) {
    desk.asked.delete(asker);
    bury(desk, asker, of);
  }
  desk.wakes.set(of, null);
  desk.touched.delete(of);
  desk.gone.add(of.item.id);
  bury(desk, of.item.id, of);
}
