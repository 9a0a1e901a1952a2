import { setImmediate } from 'node:timers/promises';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { Reader } from '#edge/store/reader.ts';

/** How many of the newest are looked through: reading more would hold up everybody else for too long. */
const mostLookedThrough = 32_000;
const pageSize = 1_000;

/**
 * The newest `limit` that are wanted, newest first, among the newest 32,000. `read` gives the newest so many; others have
 * their turn before it is asked for more.
 */
export async function newestWanted<T>(
  read: (limit: number) => readonly T[],
  wanted: (one: T) => boolean,
  limit: number,
): Promise<T[]> {
  for (let size = limit; ; size = Math.min(size * 4, mostLookedThrough)) {
    const page = read(size);
    const found = page.filter(wanted);
    if (found.length >= limit || page.length < size || size >= mostLookedThrough) return found.slice(0, limit);
    await setImmediate();
  }
}

/** The first `limit` events after `after` that are wanted, in the order of storing; others have their turn between pages. */
export async function eventsAfter(
  reader: Pick<Reader, 'events'>,
  after: string | null,
  wanted: (event: CampusEvent) => boolean,
  limit: number,
): Promise<CampusEvent[]> {
  const found: CampusEvent[] = [];
  for (let at = after; ; await setImmediate()) {
    const page = reader.events(at, pageSize);
    for (const event of page) {
      if (wanted(event)) found.push(event);
      if (found.length === limit) return found;
    }
    if (page.length < pageSize) return found;
    at = page.at(-1)?.id ?? null;
  }
}

/** Events are stored in the order of their times but for moments, ms. */
const slack = 60_000;

/** The first `limit` wanted events of [from, to), in the order of storing; others have their turn between pages. */
export async function eventsBetween(
  reader: Pick<Reader, 'events' | 'eventBefore'>,
  { from, to }: { readonly from: number; readonly to: number },
  wanted: (event: CampusEvent) => boolean,
  limit: number,
): Promise<CampusEvent[]> {
  const found: CampusEvent[] = [];
  for (let at = reader.eventBefore(from - slack); ; await setImmediate()) {
    const page = reader.events(at, pageSize);
    for (const event of page) {
      if (event.time >= to + slack) return found;
      if (event.time >= from && event.time < to && wanted(event)) found.push(event);
      if (found.length === limit) return found;
    }
    const last = page.at(-1)?.id;
    if (page.length < pageSize || last === undefined) return found;
    at = last;
  }
}
