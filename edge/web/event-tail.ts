import type { CampusEvent } from '#edge/domain/event.ts';
import { uuidPattern } from '#edge/domain/ids.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import type { Reader } from '#edge/store/reader.ts';
import type { Scope } from './scope.ts';

/** What a browser that was away gets at most; beyond it is told that there was more. */
export const maxMissed = 500;
const pageSize = 500;
/** Events looked through for those that a browser may see: some 0.1 s of reading. */
const maxScanned = 20_000;
/** Ids remembered as told. */
const maxTold = 4_000;

/** What happened while a browser was away, oldest first. */
export interface Missed {
  readonly events: readonly CampusEvent[];
  /** There was more, or the event it saw last is not known any more: it should ask for everything anew. */
  readonly more: boolean;
}

/** Told as the last event where there has never been one: everything that is stored then came after it. */
const beforeAll = 'none';

const nothingMissed: Missed = { events: [], more: false };

/**
 * Keeps what browsers are told in step with what is stored. Core tells over the bus, which may be away for a moment (core
 * starts again) and forgets; the store does not. So events are told as they come, and what came by no other way is looked up.
 */
export class EventTail {
  readonly #reader: Pick<Reader, 'newestEvents' | 'events' | 'event'>;
  readonly #told = new Set<string>();
  /** Everything stored up to this event was told; null: the store was empty then. undefined: its place is not known. */
  #last: string | null | undefined;

  constructor(reader: Pick<Reader, 'newestEvents' | 'events' | 'event'>) {
    this.#reader = reader;
  }

  /** From now on, whoever listens is told everything. */
  begin(): void {
    this.#last = this.#ask(() => this.#reader.newestEvents(1)[0]?.id ?? null, undefined);
  }

  /** Whether this is news. */
  hear(event: CampusEvent): boolean {
    if (this.#told.has(event.id)) return false;
    this.#told.add(event.id);
    return true;
  }

  /** So much was told since the store was looked at that it should be looked at again. */
  get isCrowded(): boolean {
    return this.#told.size >= maxTold;
  }

  /** What is stored and was not told. `more`: too much, or the place was lost. */
  catchUp(): Missed {
    return this.#ask(() => this.#catchUp(), nothingMissed);
  }

  /** Throws what the reader throws (STORE_NOT_READY), so ask before the answer is begun. */
  missedSince(lastEventId: string, scope: Scope): Missed {
    const after = lastEventId === beforeAll ? null : lastEventId;
    const stored = after === null || uuidPattern.test(after) ? this.#storedAfter(after) : null;
    const mine = stored?.filter((event) => scope.seesEvent(event));
    if (mine !== undefined && mine.length <= maxMissed) return { events: mine, more: false };
    const newest = this.#reader.newestEvents(maxMissed).filter((event) => scope.seesEvent(event));
    return { events: newest.reverse(), more: true };
  }

  /** The newest event that one may see: from there resumes who hears of none. */
  newest(scope: Scope): string | null {
    const newest = this.#ask(() => this.#reader.newestEvents(maxMissed), null);
    if (newest?.length === 0) return beforeAll;
    return newest?.find((event) => scope.seesEvent(event))?.id ?? null;
  }

  #catchUp(): Missed {
    const place = this.#last;
    const stored = place === undefined ? null : this.#storedAfter(place);
    if (stored === null) this.begin();
    else this.#last = stored.at(-1)?.id ?? this.#last;
    const events = (stored ?? []).filter((event) => this.hear(event));
    for (const id of this.#told) {
      if (this.#told.size <= maxTold / 2) break;
      this.#told.delete(id);
    }
    return { events, more: stored === null && place !== undefined };
  }

  /** In the order of storing; null: that event is not known (any more), or too many followed it. */
  #storedAfter(after: string | null): CampusEvent[] | null {
    if (after !== null && this.#reader.event(after) === null) return null;
    const found: CampusEvent[] = [];
    while (found.length < maxScanned) {
      const page = this.#reader.events(found.at(-1)?.id ?? after, pageSize);
      found.push(...page);
      if (page.length < pageSize) return found;
    }
    return null;
  }

  /** A store that is not there yet, or cannot be read now, has nothing to say: it is asked again. */
  #ask<T>(question: () => T, otherwise: T): T {
    try {
      return question();
    } catch (error) {
      if (codeOf(error).startsWith('STORE_')) return otherwise;
      throw error;
    }
  }
}
