import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';

export interface Job<T> {
  /** Who it is for (`unit 3`): one job of a key at a time, and jobs of a held key wait while the others go on. */
  readonly key: string;
  /** Writes go ahead of reads; within each, first come, first served. */
  readonly urgency: 'write' | 'read';
  readonly signal: AbortSignal;
  /** Must settle by itself: the lane has no timeout of its own. */
  readonly work: () => Promise<T>;
}

interface Waiting {
  readonly key: string;
  readonly start: () => void;
  readonly fail: (error: CodedError) => void;
}

/**
 * The one queue of a shared line: as many jobs at once as its window, one of a key, writes first, and a key can be held back
 * for a while without stopping the others. Bounded: the job beyond `limit` is refused (LANE_FULL).
 */
export class Lane implements Disposable {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #waiting: { write: Waiting[]; read: Waiting[] } = { write: [], read: [] };
  /** Key -> monotonic time until which it is held; entries leave when they are over. */
  readonly #held = new Map<string, number>();
  readonly #running = new Set<string>();
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  /** Jobs at once. */
  window = 1;

  constructor(options: { clock: Clock; limit: number }) {
    this.#clock = options.clock;
    this.#limit = options.limit;
  }

  /** Jobs that wait, without the running ones. */
  get length(): number {
    return this.#waiting.write.length + this.#waiting.read.length;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Runs the job when its turn comes. Rejects with LANE_FULL, LANE_ABORTED, LANE_CLOSED, or what the work rejects with. */
  run<T>(job: Job<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new CodedError('LANE_CLOSED', 'the line was closed'));
    if (job.signal.aborted) return Promise.reject(new CodedError('LANE_ABORTED', 'given up before it was sent'));
    if (this.length === 0 && this.#isFree(job.key)) return this.#start(job);
    if (this.length >= this.#limit) {
      return Promise.reject(new CodedError('LANE_FULL', `${this.length} requests already wait for this line`));
    }
    return this.#queue(job);
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

  #isFree(key: string): boolean {
    if (this.#running.size >= this.window || this.#running.has(key)) return false;
    const until = this.#held.get(key);
    if (until === undefined) return true;
    if (until > this.#clock.monotonic()) return false;
    this.#held.delete(key);
    return true;
  }

  async #start<T>({ key, work }: Job<T>): Promise<T> {
    this.#running.add(key);
    try {
      return await work();
    } finally {
      this.#running.delete(key);
      if (this.length > 0) this.#next();
    }
  }

  #queue<T>(job: Job<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const onAbort = () => this.#remove(entry, job.urgency);
      const entry: Waiting = {
        key: job.key,
        start: () => {
          job.signal.removeEventListener('abort', onAbort);
          this.#start(job).then(resolve, reject);
        },
        fail: (error) => {
          job.signal.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      job.signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting[job.urgency].push(entry);
      this.#next();
    });
  }

  #remove(entry: Waiting, urgency: 'write' | 'read'): void {
    const list = this.#waiting[urgency];
    const index = list.indexOf(entry);
    if (index < 0) return;
    list.splice(index, 1);
    entry.fail(new CodedError('LANE_ABORTED', 'given up before it was sent'));
  }

  #next(): void {
    if (this.#closed) return;
    while (this.#running.size < this.window) {
      const entry = this.#take(this.#waiting.write) ?? this.#take(this.#waiting.read);
      if (entry === undefined) break;
      entry.start();
    }
    if (this.#running.size === 0 && this.length > 0) this.#wakeLater();
  }

  /** Everybody who waits is held: look again when the first hold ends. Timers may be 1 ms early. */
  #wakeLater(): void {
    const now = this.#clock.monotonic();
    let soonest = Number.POSITIVE_INFINITY;
    for (const [key, until] of this.#held) {
      if (until <= now) this.#held.delete(key);
      else if (until < soonest) soonest = until;
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#next(), Math.max(1, Math.ceil(Math.min(soonest, now + 60_000) - now)));
  }

  #take(list: Waiting[]): Waiting | undefined {
    const index = list.findIndex((entry) => this.#isFree(entry.key));
    return index < 0 ? undefined : list.splice(index, 1)[0];
  }
}
