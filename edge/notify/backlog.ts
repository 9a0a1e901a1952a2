import type { Notice } from '#edge/domain/notice.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { rankOf } from './words.ts';

/** A notice on its way out over one channel. */
export interface Waiting {
  readonly notice: Notice;
  attempts: number;
  /** Not tried again before then, monotonic ms: the wall clock may be set meanwhile. */
  next: number;
  detail: string;
  /** It was refused together with others: whose fault it is shows when each goes alone. */
  isAlone: boolean;
  isUnderWay: boolean;
}

/** So many for one recipient, or more, that wait at the same time are told as one. */
const mergeFrom = 4;
const mergeMost = 20;

/** What waits for one channel, and whose turn it is. */
export class Backlog {
  readonly #clock: Clock;
  readonly #longestPause: number;
  readonly #waiting = new Map<string, Waiting>();

  /** `longestPause`: between two tries of one notice, ms. */
  constructor(clock: Clock, longestPause: number) {
    this.#clock = clock;
    this.#longestPause = longestPause;
  }

  get size(): number {
    return this.#waiting.size;
  }

  has(id: string): boolean {
    return this.#waiting.has(id);
  }

  add(notice: Notice): void {
    const { id, attempts, at, detail } = notice;
    // Of one that was never tried, `at` is no time to wait for.
    const pause = attempts > 0 ? Math.max(0, Math.min(this.#longestPause, at - this.#clock.now())) : 0;
    const next = this.#clock.monotonic() + pause;
    this.#waiting.set(id, { notice, attempts, next, detail, isAlone: false, isUnderWay: false });
  }

  remove({ notice }: Waiting): void {
    this.#waiting.delete(notice.id);
  }

  /** Somebody else settled the others. What is under way goes on. */
  keepOnly(queued: ReadonlySet<string>): void {
    for (const [id, { isUnderWay }] of this.#waiting) {
      if (!isUnderWay && !queued.has(id)) this.#waiting.delete(id);
    }
  }

  /** Takes out what is of no use any more. */
  takeExpired(): readonly Waiting[] {
    const now = this.#clock.now();
    const over = [...this.#waiting.values()].filter(({ notice, isUnderWay }) => !isUnderWay && notice.expires <= now);
    for (const waiting of over) this.remove(waiting);
    return over;
  }

  /** The gravest, then the oldest of what may go now; with it, what is told along with it. null: nothing may. */
  next(mayGo: (one: Waiting) => boolean): readonly Waiting[] | null {
    const [now, monotonic] = [this.#clock.now(), this.#clock.monotonic()];
    const due = [...this.#waiting.values()].filter(
      (one) => !one.isUnderWay && one.next <= monotonic && one.notice.notBefore <= now && mayGo(one),
    );
    const [first, ...others] = due.sort(byUrgency);
    if (first === undefined) return null;
    const together = others.filter((one) => mayBeMerged(one) && one.notice.recipient === first.notice.recipient);
    const isMany = mayBeMerged(first) && together.length + 1 >= mergeFrom;
    return isMany ? [first, ...together].slice(0, mergeMost) : [first];
  }
}

export function isCritical({ notice }: Waiting): boolean {
  return notice.class === 'critical';
}

function mayBeMerged(one: Waiting): boolean {
  return !isCritical(one) && !one.isAlone && one.notice.about !== 'test';
}

function byUrgency(a: Waiting, b: Waiting): number {
  return rankOf(a.notice.class) - rankOf(b.notice.class) || a.notice.created - b.notice.created;
}
