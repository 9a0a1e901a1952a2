import type { Clock } from '#edge/runtime/clock.ts';

/** A campus whose last word is older than this is offline, ms: three missed hellos. */
export const presenceLease = 90_000;

interface Seen {
  time: number;
  session: string | null;
  gone: boolean;
}

/**
 * Who is there, as a lease: any word renews it, a last will of the present session ends it at once. Bounded by the number
 * of campuses that have credentials here.
 */
export class Presence {
  readonly #clock: Clock;
  readonly #seen = new Map<string, Seen>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  heard(campus: string, session: string | null): void {
    const known = this.#seen.get(campus);
    const time = this.#clock.now();
    this.#seen.set(campus, { time, session: session ?? known?.session ?? null, gone: false });
  }

  /** The will of an older connection comes late and says nothing of the present one. */
  left(campus: string, session: string): void {
    const known = this.#seen.get(campus);
    if (known !== undefined && known.session === session) known.gone = true;
  }

  isOnline(campus: string): boolean {
    const known = this.#seen.get(campus);
    return known !== undefined && !known.gone && this.#clock.now() - known.time < presenceLease;
  }

  /** Last word since this process started, ms since epoch UTC. */
  lastWord(campus: string): number | null {
    return this.#seen.get(campus)?.time ?? null;
  }
}
