import { CodedError } from '#edge/runtime/errors.ts';

const mostAtOnce = 2;
const mostWaiting = 8;

/** Two jobs at once; a few wait for their turn, in order. */
export class SpeechQueue {
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** Throws TOO_MANY_REQUESTS when too many wait, and the signal's reason when that has ended by then. */
  async run<T>(signal: AbortSignal, job: () => Promise<T>): Promise<T> {
    await this.#turn();
    try {
      signal.throwIfAborted();
      return await job();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  async #turn(): Promise<void> {
    if (this.#running < mostAtOnce) {
      this.#running++;
      return;
    }
    if (this.#waiting.length >= mostWaiting) {
      throw new CodedError(
        'TOO_MANY_REQUESTS',
        `${mostWaiting} others wait for the same already: try again in a moment`,
      );
    }
    const turn = Promise.withResolvers<void>();
    this.#waiting.push(turn.resolve);
    await turn.promise;
  }
}
