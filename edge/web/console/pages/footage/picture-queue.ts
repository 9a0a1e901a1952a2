/* Pictures of moments: few are asked for at once, and of what is asked for one place only the last wish. */

export interface PictureWish {
  readonly camera: string;
  readonly at: number;
  readonly width: number;
}

export interface Picture {
  readonly blob: Blob;
  /** When it was really taken, ms since epoch. */
  readonly time: number;
}

/** Throws what cannot be had. */
export type FetchPicture = (wish: PictureWish, signal: AbortSignal) => Promise<Picture>;

interface Waiting {
  readonly wish: PictureWish;
  readonly done: (picture: Picture | null) => void;
}

const atOnce = 2;

export class PictureQueue implements Disposable {
  readonly #fetch: FetchPicture;
  readonly #ending = new AbortController();
  /** The last wish of each place, the one that waits longest first. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #running = new Set<string>();

  constructor(fetch: FetchPicture) {
    this.#fetch = fetch;
  }

  get busy(): number {
    return this.#running.size;
  }

  /** Calls with the picture, or with null when there is none; never when a later wish of the same place has taken its turn. */
  ask(place: string, wish: PictureWish, done: (picture: Picture | null) => void): void {
    this.#waiting.set(place, { wish, done });
    this.#next();
  }

  forget(place: string): void {
    this.#waiting.delete(place);
  }

  [Symbol.dispose](): void {
    this.#waiting.clear();
    this.#ending.abort();
  }

  #next(): void {
    for (const [place, waiting] of this.#waiting) {
      if (this.#running.size >= atOnce || this.#ending.signal.aborted) return;
      // One of a place at a time: its pictures come in the order of its wishes.
      if (this.#running.has(place)) continue;
      this.#waiting.delete(place);
      this.#running.add(place);
      void this.#run(place, waiting);
    }
  }

  async #run(place: string, { wish, done }: Waiting): Promise<void> {
    let picture: Picture | null = null;
    try {
      picture = await this.#fetch(wish, this.#ending.signal);
    } catch {
      // A gap, or the box is busy: whoever wants one says that there is none.
    }
    this.#running.delete(place);
    if (this.#ending.signal.aborted) return;
    done(picture);
    this.#next();
  }
}
