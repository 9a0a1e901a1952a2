import type { HappeningId } from '#edge/domain/ids.ts';
import type { Incident } from '#edge/domain/incident.ts';

/** Growth that is not on disk. */
interface Growth {
  /** The last event that was heard before it. */
  readonly before: HappeningId | null;
  /** Monotonic ms. */
  readonly since: number;
}

/** The longer it has lasted, the less often it is written: sixty-four cameras in a storm must not wear out the flash, ms. */
const paces = { least: 1_000, most: 10_000, share: 1 / 30 };

/** Incidents that have grown and are not written since, the first one first. */
export class Unwritten {
  readonly #growths = new Map<string, Growth>();

  note(id: string, before: HappeningId | null, now: number): void {
    if (!this.#growths.has(id)) this.#growths.set(id, { before, since: now });
  }

  written(id: string): void {
    this.#growths.delete(id);
  }

  /** Everything up to this event is on disk; what came after it is heard again after a kill, and known by its id where it was written. */
  upTo(last: HappeningId | null): HappeningId | null {
    const [oldest] = this.#growths.values();
    return oldest === undefined ? last : oldest.before;
  }

  /** Those whose time has come, or all; they count as written. */
  take(get: (id: string) => Incident | null, now: number | null = null): readonly Incident[] {
    return [...this.#growths].flatMap(([id, { since }]) => {
      const incident = get(id);
      if (incident !== null && now !== null && now - since < paceOf(incident)) return [];
      this.#growths.delete(id);
      return incident ?? [];
    });
  }
}

function paceOf({ from, to }: Incident): number {
  return Math.min(Math.max((to - from) * paces.share, paces.least), paces.most);
}
