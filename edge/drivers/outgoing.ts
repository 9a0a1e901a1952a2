import { Backoff, delay, within } from '#edge/runtime/lifecycle.ts';

export interface OutgoingOptions<T> {
  /** Resolves when the other side has it. */
  readonly send: (item: T) => Promise<void>;
  readonly connected: () => boolean;
  /** Most items kept; the oldest goes first. */
  readonly limit: number;
  /** Sends at the same time. */
  readonly window: number;
  /** Longest wait for one send, ms. */
  readonly timeout: number;
  /** Told of every item that was forced out. */
  readonly dropped: (item: T) => void;
}

/**
 * A bounded queue towards the bus: items stay until the bus has taken them, in order within the window. While the bus is
 * away they wait; beyond the limit the oldest is dropped and counted.
 */
export class Outgoing<T> implements AsyncDisposable {
  readonly #options: OutgoingOptions<T>;
  readonly #waiting: T[] = [];
  readonly #end = new AbortController();
  readonly #backoff = new Backoff({ first: 250, cap: 5_000 });
  #inFlight = 0;
  #pausing = false;

  constructor(options: OutgoingOptions<T>) {
    this.#options = options;
  }

  /** Items not yet taken by the bus. */
  get length(): number {
    return this.#waiting.length + this.#inFlight;
  }

  push(item: T): void {
    this.#waiting.push(item);
    this.#trim();
    this.wake();
  }

  /** Call when the bus is back. */
  wake(): void {
    const { connected, window } = this.#options;
    while (!this.#pausing && this.#inFlight < window && connected() && !this.#end.signal.aborted) {
      const item = this.#waiting.shift();
      if (item === undefined) return;
      this.#inFlight++;
      void this.#send(item);
    }
  }

  /** Waits until everything is taken, at most so long, ms. */
  async drain(ms: number): Promise<void> {
    const end = AbortSignal.any([this.#end.signal, AbortSignal.timeout(ms)]);
    while (this.length > 0 && this.#options.connected() && !end.aborted) await delay(10, end);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
  }

  async #send(item: T): Promise<void> {
    try {
      await within(this.#options.timeout, 'the bus taking a message', this.#options.send(item));
      this.#backoff.reset();
      this.#inFlight--;
    } catch {
      // Not lost: it goes back to the front and is sent again, after a pause. The bus says itself why it is away.
      this.#inFlight--;
      this.#waiting.unshift(item);
      this.#trim();
      await this.#pause();
    }
    this.wake();
  }

  async #pause(): Promise<void> {
    if (this.#pausing) return;
    this.#pausing = true;
    await delay(this.#backoff.next(), this.#end.signal);
    this.#pausing = false;
  }

  #trim(): void {
    while (this.#waiting.length > this.#options.limit) {
      const oldest = this.#waiting.shift();
      if (oldest !== undefined) this.#options.dropped(oldest);
    }
  }
}
