import type { Room } from './data.ts';

/* Which rooms are chosen, by device. Pure: the grid, the zones, the keys and the box all go through these. */

export type Selection = ReadonlySet<string>;

export function toggled(before: Selection, device: string): Selection {
  const after = new Set(before);
  if (!after.delete(device)) after.add(device);
  return after;
}

/** All of them; none of them when all were chosen already. */
export function toggledAll(before: Selection, devices: readonly string[]): Selection {
  const after = new Set(before);
  const isWhole = devices.every((device) => before.has(device));
  for (const device of devices) {
    if (isWhole) after.delete(device);
    else after.add(device);
  }
  return after;
}

/** From the one that was touched last to this one, in the order in which they are seen. */
export function ranged(before: Selection, order: readonly string[], from: string | null, to: string): Selection {
  const [a, b] = [from === null ? -1 : order.indexOf(from), order.indexOf(to)];
  if (a < 0 || b < 0) return new Set([...before, to]);
  return new Set([...before, ...order.slice(Math.min(a, b), Math.max(a, b) + 1)]);
}

/** Those that are still there: the very same when nothing went. */
export function stillThere(before: Selection, rooms: readonly Pick<Room, 'device'>[]): Selection {
  const known = new Set(rooms.map(({ device }) => device));
  const kept = [...before].filter((device) => known.has(device));
  return kept.length === before.size ? before : new Set(kept);
}

export type Wish = { readonly zones: 'all' | readonly string[]; readonly devices: readonly string[] };

/** What is asked for: whole zones by their name, so that the ledger says what people meant; the rest one by one. */
export function wishOf(selection: Selection, rooms: readonly Pick<Room, 'device' | 'zone'>[]): Wish {
  const chosen = rooms.filter(({ device }) => selection.has(device));
  if (chosen.length > 1 && chosen.length === rooms.length) return { zones: 'all', devices: [] };
  const zones = [...new Set(chosen.map(({ zone }) => zone))].filter((zone) => {
    const members = rooms.filter((room) => room.zone === zone);
    return members.length > 1 && members.every(({ device }) => selection.has(device));
  });
  const devices = chosen.filter(({ zone }) => !zones.includes(zone)).map(({ device }) => device);
  return { zones, devices };
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export function boxOf(from: { x: number; y: number }, to: { x: number; y: number }): Box {
  return {
    left: Math.min(from.x, to.x),
    top: Math.min(from.y, to.y),
    right: Math.max(from.x, to.x),
    bottom: Math.max(from.y, to.y),
  };
}

export function touches(a: Box, b: Box): boolean {
  return a.left <= b.right && b.left <= a.right && a.top <= b.bottom && b.top <= a.bottom;
}

/** Where an arrow key goes from one of many boxes: the nearest one that way. */
export function neighbour(boxes: readonly Box[], from: number, key: string): number {
  const here = boxes[from];
  if (here === undefined) return from;
  if (key === 'ArrowRight') return Math.min(from + 1, boxes.length - 1);
  if (key === 'ArrowLeft') return Math.max(from - 1, 0);
  const isDown = key === 'ArrowDown';
  const middle = (here.left + here.right) / 2;
  let best = from;
  let least = Number.POSITIVE_INFINITY;
  for (const [index, box] of boxes.entries()) {
    const away = isDown ? box.top - here.bottom : here.top - box.bottom;
    if (away < 0) continue;
    // The next row first, and in it the one below (or above) this.
    const distance = away * 10 + Math.abs((box.left + box.right) / 2 - middle);
    if (distance >= least) continue;
    best = index;
    least = distance;
  }
  return best;
}
