import type { Clock } from '#edge/runtime/clock.ts';
import { delay } from '#edge/runtime/lifecycle.ts';

/** Hikvision locks an account after five to seven tries, Reolink after fewer: two is what we allow ourselves. */
const allowed = 2;
/** Refusals come at once: a request that has been waiting for longer has been let in (a pull waits at the camera). */
const doubt = 1_500;

/**
 * Counts what refused passwords cost, for SOAP calls and pictures of one camera together: requests that may still be
 * refused count as spent, so that no race between the two makes a third.
 */
export class PasswordTries {
  readonly #clock: Clock;
  #refused = 0;
  /** When each request that carries the password began; monotonic ms. */
  readonly #underWay = new Set<{ readonly started: number }>();
  readonly #waiting = new Set<() => void>();
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
    if (this.exhausted) return false;
    const since = this.#clock.monotonic() - doubt;
    let inDoubt = 0;
    for (const { started } of this.#underWay) if (started > since) inDoubt += 1;
    return this.#refused + inDoubt < allowed;
  }

  /** Waits while others are finding out whether the password is right; then `mayTry` says. */
  async turn(signal: AbortSignal): Promise<void> {
    while (!this.mayTry && !this.exhausted && this.#underWay.size > 0 && !signal.aborted) {
      const turn = new AbortController();
      const next = () => turn.abort();
      this.#waiting.add(next);
      await delay(50, AbortSignal.any([signal, turn.signal]));
      this.#waiting.delete(next);
    }
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
    const request = { started };
    this.#underWay.add(request);
    try {
      const reply = await send();
      const verdict = judge(reply);
      if (verdict === 'refused') this.#refuse(what);
      // A right that is missing looks like a wrong password: only the call that was refused, or the doubt that a picture or a
      // call for which rights may be missing has left, is cleared.
      else if (
        verdict === 'accepted' &&
        started > this.#refusedAt &&
        [what, 'picture', 'optional'].includes(this.#refusedCall)
      ) {
        this.#refused = 0;
      }
      return reply;
    } finally {
      this.#underWay.delete(request);
      for (const next of this.#waiting) next();
    }
  }

  #refuse(what: string): void {
    this.#refused += 1;
    this.#refusedCall = what;
    this.#refusedAt = this.#clock.monotonic();
  }
}
