import { CodedError } from './errors.ts';

/** Waits; an abort ends the wait early and quietly (the caller asks `signal.aborted`). Timers are unref'd by nobody: own them. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** The promise, or a `TIMEOUT` error that names what did not come. The promise itself is not cancelled: pass it a signal. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CodedError('TIMEOUT', `${what} took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export interface BackoffOptions {
  /** First and longest pause, ms. */
  readonly first: number;
  readonly cap: number;
  readonly random?: () => number;
}

/** Full-jitter exponential back-off: the n-th pause is uniform between half and all of first * 2^n, capped. */
export class Backoff {
  readonly #options: BackoffOptions;
  #attempt = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** The next pause in ms; grows with each call. */
  next(): number {
    const { first, cap, random = Math.random } = this.#options;
    const ceiling = Math.min(cap, first * 2 ** Math.min(this.#attempt++, 30));
    return Math.round(ceiling * (0.5 + 0.5 * random()));
  }

  reset(): void {
    this.#attempt = 0;
  }
}

/** Runs a callback every `ms` until disposed; a slow callback is never run twice at once. Its errors are bugs: they crash. */
export class Ticker implements Disposable {
  readonly #timer: NodeJS.Timeout;
  #busy = false;

  constructor(ms: number, tick: () => void | Promise<void>) {
    this.#timer = setInterval(() => {
      if (this.#busy) return;
      this.#busy = true;
      void (async () => {
        try {
          await tick();
        } finally {
          this.#busy = false;
        }
      })();
    }, ms);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
