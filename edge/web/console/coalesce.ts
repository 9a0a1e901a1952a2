/*
 * The latest reading of each point, outside of React. Batches of a stream are merged and listeners are told once a frame,
 * each only of its own point: two thousand changes a second cost as much as what is on the screen.
 */

export type Schedule = (flush: () => void) => void;

export class LatestStore<T> {
  readonly #values = new Map<string, T>();
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #everybody = new Set<() => void>();
  readonly #changed = new Set<string>();
  readonly #schedule: Schedule;
  readonly #limit: number;
  #isScheduled = false;
  #version = 0;
  /** Points that were not kept because the bound was reached. */
  dropped = 0;

  constructor(schedule: Schedule, limit = 50_000) {
    this.#schedule = schedule;
    this.#limit = limit;
  }

  get(key: string): T | undefined {
    return this.#values.get(key);
  }

  entries(): IterableIterator<[string, T]> {
    return this.#values.entries();
  }

  get size(): number {
    return this.#values.size;
  }

  /** Grows each time listeners of everything are told. */
  get version(): number {
    return this.#version;
  }

  set(key: string, value: T): void {
    if (!this.#values.has(key) && this.#values.size >= this.#limit) {
      this.dropped++;
      return;
    }
    this.#values.set(key, value);
    this.#changed.add(key);
    this.#request();
  }

  delete(key: string): void {
    if (!this.#values.delete(key)) return;
    this.#changed.add(key);
    this.#request();
  }

  /** What is not in `entries` is forgotten. */
  replace(entries: Iterable<readonly [string, T]>): void {
    const gone = new Set(this.#values.keys());
    for (const [key, value] of entries) {
      gone.delete(key);
      this.set(key, value);
    }
    for (const key of gone) this.delete(key);
  }

  /** Tells of one key, once a frame at most. */
  subscribe(key: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(key) === listeners) this.#listeners.delete(key);
    };
  }

  /** Tells of anything, once a frame at most. */
  subscribeAll(listener: () => void): () => void {
    this.#everybody.add(listener);
    return () => this.#everybody.delete(listener);
  }

  #request(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#schedule(() => this.flush());
  }

  flush(): void {
    this.#isScheduled = false;
    if (this.#changed.size === 0) return;
    const changed = [...this.#changed];
    this.#changed.clear();
    this.#version++;
    for (const key of changed) for (const listener of this.#listeners.get(key) ?? []) listener();
    for (const listener of this.#everybody) listener();
  }
}
