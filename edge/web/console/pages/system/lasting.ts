const day = 86_400_000;
/** A campus that is younger tells nothing of how it will grow: one day, ms. */
const leastAge = day;
/** Longer than this nobody plans, days. */
export const farAway = 3_650;

export interface Store {
  readonly bytes: number;
  readonly limit: number;
  /** ms since epoch; 0: unknown. */
  readonly created: number;
}

export type Lasting =
  /** Not old enough to say. */
  | { readonly kind: 'unknown' }
  /** It is as large as it may get: what is oldest goes as new data comes. */
  | { readonly kind: 'full' }
  /** Until the limit of the database is reached. */
  | { readonly kind: 'days'; readonly days: number }
  /** The disk ends before the limit of the database does. */
  | { readonly kind: 'disk'; readonly days: number };

/** How long there is room, if it goes on as it did since the database was made. `room`: bytes of the disk above its floor. */
export function lastingOf({ bytes, limit, created }: Store, room: number, now: number): Lasting {
  if (bytes >= limit * 0.95) return { kind: 'full' };
  const age = now - created;
  if (created <= 0 || age < leastAge || bytes <= 0) return { kind: 'unknown' };
  const perDay = bytes / (age / day);
  const untilLimit = (limit - bytes) / perDay;
  const untilDisk = Math.max(0, room) / perDay;
  const kind = untilDisk < untilLimit ? 'disk' : 'days';
  return { kind, days: Math.min(farAway, Math.floor(Math.min(untilLimit, untilDisk))) };
}
