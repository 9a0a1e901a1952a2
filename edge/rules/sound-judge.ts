import { rankOf } from '#edge/domain/broadcast.ts';
import type { Blocker, QuietRooms } from './sound.ts';
import { blockerOfClaim, blockerOfPart, blockerOfQuiet } from './sound-blockers.ts';
import { begin, cut, finish } from './sound-course.ts';
import { type Desk, isSilencedByQuiet, type Part, type Place, quietOf, wallOf } from './sound-desk.ts';
import { classStrength, interruptionOf } from './sound-habits.ts';
import { note } from './sound-journal.ts';

/**
 * Who has the word on one loudspeaker. Strictly stronger pre-empts; of equals the one that plays keeps it, then whoever else holds the
 * loudspeaker (he does not wait in our queue, he is on it), then who came first.
 */
export function winnerOf(place: Place, quiet: QuietRooms | null): Part | null {
  let best: Part | null = null;
  for (const part of place.parts) {
    if (quiet !== null && isSilencedByQuiet(part)) continue;
    if (best === null || isBefore(part, best)) best = part;
  }
  if (best === null || place.claim === null) return best;
  const claim = place.claim.strength ?? classStrength(place.claim.class ?? 'fire');
  const own = classStrength(best.of.item.class);
  return own < claim || (own === claim && best.state === 'playing') ? best : null;
}

/** Of one class the first to come has the word first, and so keeps it: whoever plays came before all of its class that wait or were cut after it. */
export function isBefore(a: Part, b: Part): boolean {
  const difference = rankOf(a.of.item.class) - rankOf(b.of.item.class);
  return difference < 0 || (difference === 0 && a.of.turn < b.of.turn);
}

/** Moves one loudspeaker on to whoever should have it now. */
export function judge(desk: Desk, place: Place): void {
  const quiet = quietOf(desk, place);
  const winner = winnerOf(place, quiet);
  const { playing } = place;
  if (playing !== null && playing !== winner) cut(desk, playing, blockerOf(place, playing, winner, quiet));
  if (winner !== null && place.playing !== winner) begin(desk, winner);
  for (const part of [...place.parts]) if (part.state === 'waiting') keepWaiting(desk, part, winner, quiet);
}

function keepWaiting(desk: Desk, part: Part, winner: Part | null, quiet: QuietRooms | null): void {
  const by = blockerOf(part.place, part, winner, quiet);
  // A bell that quiet rooms keep out must not ring when the examination is over.
  if (by.kind === 'quiet' && interruptionOf(part.of.item) === 'drop') {
    finish(desk, part, { kind: 'dropped', reason: 'quiet', by });
    return;
  }
  if (part.isTold) return;
  part.isTold = true;
  desk.touched.add(part.of);
  const at = wallOf(desk, desk.monotonic);
  note(desk.journal, part, {
    kind: 'queued',
    reason: by.kind === 'quiet' ? 'quiet' : 'stronger',
    at,
    by,
    position: null,
  });
}

/** What keeps this part from its loudspeaker while `winner` has the word. */
export function blockerOf(place: Place, part: Part, winner: Part | null, quiet: QuietRooms | null): Blocker {
  if (quiet !== null && isSilencedByQuiet(part)) return blockerOfQuiet(quiet);
  if (winner !== null) return blockerOfPart(winner);
  if (place.claim !== null) return blockerOfClaim(place.claim);
  throw new Error(`nothing keeps ${part.of.item.id} from ${place.ref}`);
}
