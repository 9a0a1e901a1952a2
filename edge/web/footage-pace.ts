import { TokenBucket } from '#edge/bus/admission.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { RetryLater } from './people/retry-later.ts';

/** People whose pace is remembered. */
const mostPeople = 500;

/** How often one person (or token) may ask for something that costs. */
export class Pace {
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;

  constructor(clock: Clock, { perSecond, burst }: { readonly perSecond: number; readonly burst: number }) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  /** Throws TOO_MANY_REQUESTS. */
  take(who: string): void {
    const bucket = this.#buckets.get(who) ?? new TokenBucket(this.#perSecond, this.#burst, this.#clock);
    this.#buckets.delete(who);
    this.#buckets.set(who, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > mostPeople && oldest !== undefined) this.#buckets.delete(oldest);
    if (bucket.available() < 1) {
      throw new RetryLater('TOO_MANY_REQUESTS', 'this is asked for too often: wait a moment', 1000 / this.#perSecond);
    }
    bucket.spend(1);
  }
}
