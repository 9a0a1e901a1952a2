import type { Clock } from '#edge/runtime/clock.ts';

/** Contacts bounce, and a camera can say so a thousand times a second: so many changes of a point at once, and one in so long after it, ms. */
const burst = 10;
const gap = 100;

interface Entry {
  value: boolean;
  /** Changes that may be told at once, and when they were counted, monotonic ms. */
  left: number;
  countedAt: number;
  timer: NodeJS.Timeout | undefined;
}

/** Tells what points are: a change at once, of a storm of changes the last of each `gap`. The points are a handful that are known before. */
export class Paced implements Disposable {
  readonly #clock: Clock;
  readonly #tell: (at: string, value: boolean) => void;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, tell: (at: string, value: boolean) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  set(at: string, value: boolean): void {
    const now = this.#clock.monotonic();
    const entry = this.#entries.get(at) ?? { value, left: burst, countedAt: now, timer: undefined };
    this.#entries.set(at, entry);
    entry.value = value;
    if (entry.timer !== undefined) return;
    entry.left = Math.min(burst, entry.left + (now - entry.countedAt) / gap);
    entry.countedAt = now;
    if (entry.left >= 1) this.#say(at, entry);
    else entry.timer = setTimeout(() => this.#say(at, entry), gap);
  }

  #say(at: string, entry: Entry): void {
    entry.timer = undefined;
    entry.left = Math.max(0, entry.left - 1);
    this.#tell(at, entry.value);
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#entries.values()) clearTimeout(timer);
  }
}
