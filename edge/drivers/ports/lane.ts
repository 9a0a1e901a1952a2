import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';

export interface Job<T> {
  /** Who it is for (`unit 3`): jobs of a held key wait, the others go on. */
  readonly key: string;
  /** Writes go ahead of reads; within each, first come, first served. */
  readonly urgency: 'write' | 'read';
  readonly signal: AbortSignal;
  /** Must settle by itself: the lane has no timeout of its own. */
  readonly work: () => Promise<T>;
}

interface Waiting {
  readonly key: string;
  readonly start: () => Promise<void>;
  readonly fail: (error: CodedError) => void;
}

/**
 * The one queue of a shared line: one job at a time, writes first, and a key can be held back for a while without
 * stopping the others. Bounded: the job beyond `limit` is refused (LANE_FULL).
 */
export class Lane implements Disposable {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #waiting: { write: Waiting[]; read: Waiting[] } = { write: [], read: [] };
  /** Key -> monotonic time until which it is held; entries leave when they are over. */
  readonly #held = new Map<string, number>();
  #busy = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: { clock: Clock; limit: number }) {
    this.#clock = options.clock;
    this.#limit = options.limit;
  }

  /** Jobs that wait, without the running one. */
  get length(): number {
    return this.#waiting.write.length + this.#waiting.read.length;
  }

  /** Runs the job when its turn comes. Rejects with LANE_FULL, LANE_ABORTED, LANE_CLOSED, or what the work rejects with. */
  run<T>(job: Job<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new CodedError('LANE_CLOSED', 'the line was closed'));
      if (this.length >= this.#limit) {
        return reject(new CodedError('LANE_FULL', `${this.length} requests already wait for this line`));
      }
      const onAbort = () => this.#remove(entry, job.urgency);
      const entry: Waiting = {
        key: job.key,
        start: async () => {
          job.signal.removeEventListener('abort', onAbort);
          try {
            resolve(await job.work());
          } catch (error) {
            reject(error);
          }
        },
        fail: (error) => {
          job.signal.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      if (job.signal.aborted) return entry.fail(new CodedError('LANE_ABORTED', 'given up before it was sent'));
      job.signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting[job.urgency].push(entry);
      this.#next();
    });
  }

  /** Jobs of this key wait at least so many ms from now; a longer hold that already stands is kept. */
  hold(key: string, ms: number): void {
    const until = this.#clock.monotonic() + ms;
    if (until > (this.#held.get(key) ?? 0)) this.#held.set(key, until);
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    const waiting = [...this.#waiting.write.splice(0), ...this.#waiting.read.splice(0)];
    for (const entry of waiting) entry.fail(new CodedError('LANE_CLOSED', 'the line was closed'));
  }

  #remove(entry: Waiting, urgency: 'write' | 'read'): void {
    const list = this.#waiting[urgency];
    const index = list.indexOf(entry);
    if (index < 0) return;
    list.splice(index, 1);
    entry.fail(new CodedError('LANE_ABORTED', 'given up before it was sent'));
  }

  #next(): void {
    if (this.#busy || this.#closed) return;
    const now = this.#clock.monotonic();
    for (const [key, until] of this.#held) if (until <= now) this.#held.delete(key);
    const entry = this.#take(this.#waiting.write) ?? this.#take(this.#waiting.read);
    if (entry !== undefined) {
      this.#busy = true;
      void entry.start().then(() => {
        this.#busy = false;
        this.#next();
      });
    } else if (this.length > 0) {
      // Everybody who waits is held: look again when the first hold ends. Timers may be 1 ms early.
      const soonest = Math.min(...this.#held.values());
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#next(), Math.max(1, Math.ceil(soonest - now)));
    }
  }

  #take(list: Waiting[]): Waiting | undefined {
    const index = list.findIndex((entry) => !this.#held.has(entry.key));
    return index < 0 ? undefined : list.splice(index, 1)[0];
  }
}
