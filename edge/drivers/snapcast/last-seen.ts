import type { SnapClient } from './status.ts';

/* A client whose cable is pulled says no good-bye, and the server goes on calling it connected. It hears every client each second, and says when. Pure. */

/** Two of its words were missed, and a status or two came late, ms. */
const mostSilent = 2_500;

interface Seen {
  readonly word: string;
  /** When the word was new, monotonic ms. */
  readonly at: number;
  /** The server is one that keeps it up to date: only then does its silence say something. */
  readonly isMoving: boolean;
  readonly isSilent: boolean;
}

export class LastSeen {
  #clients = new Map<string, Seen>();

  /** What the server says now; none: it does not answer, and what it said is forgotten. */
  take(clients: readonly SnapClient[], now: number): void {
    const next = new Map<string, Seen>();
    for (const { id, seen, isConnected } of clients) {
      if (!isConnected || seen === '') continue;
      const known = this.#clients.get(id);
      if (known === undefined) next.set(id, { word: seen, at: now, isMoving: false, isSilent: false });
      else if (known.word !== seen) next.set(id, { word: seen, at: now, isMoving: true, isSilent: false });
      else next.set(id, { ...known, isSilent: known.isMoving && now - known.at >= mostSilent });
    }
    this.#clients = next;
  }

  isSilent(id: string): boolean {
    return this.#clients.get(id)?.isSilent === true;
  }
}
