import type { InboxEntry } from '#edge/domain/audit.ts';

/*
 * What nobody declared and what nobody understands, for a person to look at. One line per key and minute, so that a
 * chattering stranger fills neither the disk nor the page; what was left out is counted, and said in the next line.
 */

export type InboxKind = 'unknown-device' | 'unknown-point' | 'malformed' | 'unknown-topic';

const pause = 60_000;
const maxKeys = 1_000;
const maxKeyLength = 256;

export interface InboxLimiter {
  /** The entry, or null when its key was heard of less than a minute ago (or there are too many keys). */
  admit(entry: InboxEntry, monotonic: number): InboxEntry | null;
  /** Entries that were not passed on since the start. */
  readonly suppressed: number;
}

export function createInboxLimiter(): InboxLimiter {
  const keys = new Map<string, { until: number; more: number }>();
  let suppressed = 0;

  const makeRoom = (monotonic: number): boolean => {
    if (keys.size < maxKeys) return true;
    for (const [key, state] of keys) if (state.until <= monotonic) keys.delete(key);
    return keys.size < maxKeys;
  };
  return {
    get suppressed() {
      return suppressed;
    },
    admit(entry, monotonic) {
      const key = entry.key.slice(0, maxKeyLength);
      const limited = `${entry.kind} ${key}`;
      const known = keys.get(limited);
      if ((known === undefined && !makeRoom(monotonic)) || (known !== undefined && known.until > monotonic)) {
        if (known !== undefined) known.more++;
        suppressed++;
        return null;
      }
      keys.set(limited, { until: monotonic + pause, more: 0 });
      const more = known?.more ?? 0;
      const message = more === 0 ? entry.message : `${entry.message} (${more} more like it since the last line)`;
      return { ...entry, key, message };
    },
  };
}
