import type { Hello } from '#bridge/contract/messages.ts';
import type { Arrival } from './store.ts';

/** What waits for the store, in the order it arrived. */
export type Waiting =
  | { readonly kind: 'frame'; readonly campus: string; readonly arrival: Arrival }
  | { readonly kind: 'hello'; readonly campus: string; readonly hello: Hello; readonly time: number };

export interface ArrivalLimits {
  /** Bytes that may wait. */
  readonly queueBytes: number;
  /** Frames and hellos of one campus that may wait: one that floods must not push out the others. */
  readonly queuePerCampus: number;
}

function sizeOf(item: Waiting): number {
  return item.kind === 'frame' ? item.arrival.bytes.length : 1_024;
}

/** One bounded queue for all campuses. What does not fit is dropped: the edge keeps it and sends it again. */
export class Arrivals {
  readonly #limits: ArrivalLimits;
  readonly #items: Waiting[] = [];
  readonly #perCampus = new Map<string, number>();
  #bytes = 0;
  dropped = 0;

  constructor(limits: ArrivalLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  add(item: Waiting): void {
    const held = this.#perCampus.get(item.campus) ?? 0;
    if (held >= this.#limits.queuePerCampus || this.#bytes + sizeOf(item) > this.#limits.queueBytes) {
      this.dropped += 1;
      return;
    }
    this.#perCampus.set(item.campus, held + 1);
    this.#bytes += sizeOf(item);
    this.#items.push(item);
  }

  /** The next hello alone, or the next frames up to `most`, never past a hello. */
  take(most: number): readonly Waiting[] {
    const hello = this.#items.findIndex((item, i) => item.kind === 'hello' || i >= most);
    const count = hello === -1 ? Math.min(most, this.#items.length) : Math.max(1, hello);
    const items = this.#items.splice(0, count);
    for (const item of items) {
      this.#bytes -= sizeOf(item);
      const left = (this.#perCampus.get(item.campus) ?? 1) - 1;
      if (left === 0) this.#perCampus.delete(item.campus);
      else this.#perCampus.set(item.campus, left);
    }
    return items;
  }
}
