import type { Clock } from '#edge/runtime/clock.ts';

export interface ListeningOptions {
  readonly clock: Clock;
  /** How long one proof of life counts, ms. */
  readonly proof: number;
  readonly tell: (listening: boolean) => void;
}

/**
 * Whether a camera is listened to, for the ledger: true from an answered pull (an empty one is as good: the camera knows our
 * subscription and had nothing to say) until `proof` ms later, or until the subscription turns out to be lost. A connection that
 * breaks for less is no gap, because the camera keeps what happens for the subscription meanwhile.
 */
export class Listening implements Disposable {
  readonly #options: ListeningOptions;
  #proven = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #now = false;

  constructor(options: ListeningOptions) {
    this.#options = options;
    options.tell(false);
  }

  get now(): boolean {
    return this.#now;
  }

  /** A pull was answered. */
  prove(): void {
    this.#proven = this.#options.clock.monotonic();
    this.#say(true);
    // One timer for all proofs: it looks when the last one lapses.
    this.#timer ??= setTimeout(() => this.#look(), this.#options.proof);
  }

  /** The camera has forgotten us, or must be subscribed to anew: what happened since is not known. */
  lose(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#say(false);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    this.#timer = undefined;
    const { clock, proof } = this.#options;
    const left = this.#proven + proof - clock.monotonic();
    if (left > 0) this.#timer = setTimeout(() => this.#look(), Math.ceil(left));
    else this.#say(false);
  }

  #say(listening: boolean): void {
    if (listening === this.#now) return;
    this.#now = listening;
    this.#options.tell(listening);
  }
}
