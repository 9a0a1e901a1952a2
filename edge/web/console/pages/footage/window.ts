import type { Range } from './coverage.ts';

/* Which files are held for playing: a bounded stretch around the clock. Pure; ms since epoch. */

export interface Piece extends Range {
  readonly id: string;
}

/** What is wanted in hand, and what may stay behind. */
export const ahead = 60_000;
export const behind = 30_000;
/** Before a file that begins now the end of the one before may be shown. */
const lead = 500;

/** The file to fetch next: the one that shows the moment, then those that follow it. null: nothing is missing. */
export function nextPiece<P extends Piece>(
  pieces: readonly P[],
  time: number,
  isWanted: (piece: P) => boolean,
): P | null {
  return pieces.find((piece) => piece.to > time - lead && piece.from < time + ahead && isWanted(piece)) ?? null;
}

/** Those that are held and lie too far from the moment to be of use. */
export function outside<P extends Range>(held: Iterable<P>, time: number): P[] {
  // One that began within reach is played to its end; 60 s ahead is asked for, and a file more may have come.
  return [...held].filter(({ from, to }) => to < time - behind || from > time + ahead + behind);
}

/** Places in a buffer, s. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Whether a place can be shown, and where to go when it lies in the seam before the next picture. */
export function showable(buffered: readonly Stretch[], place: number, most: number): number | null {
  for (const { start, end } of buffered) {
    if (place >= start && place < end) return place;
    if (place < start && start - place <= most) return start;
  }
  return null;
}
