import type { Clock } from '#edge/runtime/clock.ts';

/** Hikvision locks an account after five to seven tries, Reolink after fewer: two is what we allow ourselves. */
const allowed = 2;

/**
 * Counts what refused passwords cost, for SOAP calls and pictures of one camera together: requests that may still be
 * refused count as spent, so that no race between the two makes a third.
 */
export class PasswordTries {
  readonly #clock: Clock;
  #refused = 0;
  #underWay = 0;
  #refusedCall = '';
  #refusedAt = 0;
  #locked = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** No more tries: wait, or change the password. */
  get exhausted(): boolean {
    return this.#locked || this.#refused >= allowed;
  }

  get locked(): boolean {
    return this.#locked;
  }

  get mayTry(): boolean {
    return !this.exhausted && this.#refused + this.#underWay < allowed;
  }

  /** New credentials, or a new round after a hold. */
  reset(): void {
    this.#refused = 0;
    this.#locked = false;
  }

  /** The camera counts too and has little patience left: not even the second try. */
  lock(): void {
    this.#locked = true;
  }

  /** Runs one request that carries the password; `judge` says what the camera thought of it. */
  async spend<T>(
    what: string,
    send: () => Promise<T>,
    judge: (reply: T) => 'accepted' | 'refused' | 'stale',
  ): Promise<T> {
    const started = this.#clock.monotonic();
    this.#underWay += 1;
    try {
      const reply = await send();
      const verdict = judge(reply);
      if (verdict === 'refused') this.#refuse(what);
      // A right that is missing looks like a wrong password: only the call that was refused, or a picture's doubt, is cleared.
      else if (verdict === 'accepted' && started > this.#refusedAt && [what, 'picture'].includes(this.#refusedCall)) {
        this.#refused = 0;
      }
      return reply;
    } finally {
      this.#underWay -= 1;
    }
  }

  #refuse(what: string): void {
    this.#refused += 1;
    this.#refusedCall = what;
    this.#refusedAt = this.#clock.monotonic();
  }
}
