import type { Clock } from '#edge/runtime/clock.ts';
import { delay } from '#edge/runtime/lifecycle.ts';

/** Lamps are struck one after the other: a floor of them at once trips its breaker. */
export interface Turns {
  /** Waits for one's turn, at most `most` ms: whoever would have to wait longer goes then. */
  take(most: number, signal: AbortSignal): Promise<void>;
}

/** `gap`: between two turns, ms. */
export function createTurns({ clock, gap }: { readonly clock: Clock; readonly gap: number }): Turns {
  let next = Number.NEGATIVE_INFINITY;
  return {
    async take(most, signal) {
      const now = clock.monotonic();
      const mine = Math.min(Math.max(now, next), now + Math.max(0, most));
      next = Math.max(next, mine + gap);
      if (mine > now) await delay(mine - now, signal);
    },
  };
}
