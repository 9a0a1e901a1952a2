import type { Blocker, OutsideClaim, QuietRooms } from './sound.ts';
import type { Part } from './sound-desk.ts';

/* What keeps an item from a loudspeaker, as answers and the ledger name it. */

export function blockerOfPart({ of: { item } }: Part): Blocker {
  return { kind: 'item', item: item.id, class: item.class, name: item.name };
}

export function blockerOfClaim({ owner, class: soundClass = 'fire', reason }: OutsideClaim): Blocker {
  return { kind: 'outside', owner, class: soundClass, reason };
}

export function blockerOfQuiet({ id, kind, reason, until }: QuietRooms): Blocker {
  return { kind: 'quiet', id, rooms: kind, reason, until };
}
