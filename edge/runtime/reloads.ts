import { delay } from './lifecycle.ts';

/** Names that are waiting for their turn; there are fewer processes than that. */
const mostWaiting = 32;

/**
 * Starts processes again one after another, as often as asked but never twice at once: what is asked for meanwhile waits
 * for the next round, and rounds have a pause between them, so that whoever asks without end ends no process without end.
 */
export class Reloads implements Disposable {
  readonly #pause: number;
  readonly #renew: (name: string) => Promise<void> | undefined;
  readonly #waiting = new Set<string>();
  readonly #ending = new AbortController();
  #isRunning = false;

  /** `renew` resolves when the process is ready again, or is not going to be; undefined: there is no such process. */
  constructor(pause: number, renew: (name: string) => Promise<void> | undefined) {
    this.#pause = pause;
    this.#renew = renew;
  }

  ask(names: readonly string[]): void {
    for (const name of names) if (this.#waiting.size < mostWaiting) this.#waiting.add(name);
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    const { signal } = this.#ending;
    while (this.#waiting.size > 0 && !signal.aborted) {
      const round = [...this.#waiting];
      this.#waiting.clear();
      for (const name of round) if (!signal.aborted) await this.#renew(name);
      await delay(this.#pause, signal);
    }
    this.#isRunning = false;
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
  }
}
