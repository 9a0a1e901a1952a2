import type { Clock } from '#edge/runtime/clock.ts';
import type { Log } from '#edge/runtime/log.ts';
import { TokenBucket } from './admission.ts';

/** Something the broker did not let happen. */
export interface Refusal {
  /** One word for counting: `frame-too-large`, `bad-credentials`, `topic-not-granted`, `too-many-connections` ... */
  readonly reason: string;
  /** A sentence naming what and where. */
  readonly message: string;
  readonly address: string;
  readonly client?: string;
  readonly topic?: string;
}

/** Counts refusals by reason and tells the listener of each; the log gets no more than it can bear under attack. */
export class Refusals {
  readonly #counts = new Map<string, number>();
  readonly #log: Log;
  readonly #listener: ((refusal: Refusal) => void) | undefined;
  readonly #bucket: TokenBucket;
  #untold = 0;

  constructor(log: Log, clock: Clock, listener: ((refusal: Refusal) => void) | undefined) {
    this.#log = log;
    this.#listener = listener;
    this.#bucket = new TokenBucket(5, 50, clock);
  }

  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  report(refusal: Refusal): void {
    this.#counts.set(refusal.reason, (this.#counts.get(refusal.reason) ?? 0) + 1);
    this.#tell(refusal);
    if (this.#bucket.available() < 1) {
      this.#untold += 1;
      return;
    }
    this.#bucket.spend(1);
    const untold = this.#untold;
    this.#untold = 0;
    this.#log.warn(untold === 0 ? refusal : { ...refusal, notLogged: untold }, 'refused by the broker');
  }

  #tell(refusal: Refusal): void {
    try {
      this.#listener?.(refusal);
    } catch (error) {
      this.#log.error({ error }, 'refusal listener failed');
    }
  }
}
