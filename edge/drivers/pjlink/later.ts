import type { PointName } from '#edge/domain/ids.ts';
import type { Value } from '#edge/domain/reading.ts';

/** What a lamp does now. */
export type LampState = 'standby' | 'on' | 'cooling' | 'warming';

/** Told to a projector that cannot do it now; done when it can. */
export interface Wish {
  readonly point: PointName;
  readonly value: Value;
  /** For the lamp itself, or for what it has only while it is on. */
  readonly of: 'lamp' | 'picture';
  /** ms since epoch; null: until something else is wanted. */
  readonly until: number | null;
}

/** A projector that says it is on and goes on refusing is broken, or wants nothing of this. */
const mostTries = 20;

/**
 * What waits for a lamp: one wish for each point, so it is as bounded as the profile. A projector that warms up refuses a source for up to a
 * minute, and one that cools down refuses to come on: neither is a failure.
 */
export class Later {
  readonly #wishes = new Map<PointName, { readonly wish: Wish; tries: number }>();

  get size(): number {
    return this.#wishes.size;
  }

  put(wish: Wish): void {
    this.#wishes.set(wish.point, { wish, tries: 0 });
  }

  /** It is done, or something else is wanted. */
  drop(point: PointName): void {
    this.#wishes.delete(point);
  }

  /** What can be tried now that the lamp does this; what is over, or was refused too often, is forgotten. */
  due(state: LampState, now: number): readonly Wish[] {
    const due: Wish[] = [];
    for (const [point, kept] of this.#wishes) {
      const { wish } = kept;
      if (wish.until !== null && wish.until <= now) this.#wishes.delete(point);
      else if (isPossible(wish, state)) {
        kept.tries++;
        if (kept.tries > mostTries) this.#wishes.delete(point);
        else due.push(wish);
      }
    }
    return due;
  }
}

function isPossible({ of, value }: Wish, state: LampState): boolean {
  if (of === 'picture') return state === 'on';
  return state === (value === true ? 'standby' : 'on');
}
