/*
 * The guard against chattering (ISA-18.2 16.5, EEMUA 191: three comings within ten minutes are already a nuisance): a source that
 * comes and goes more often than people can follow is held up as one alarm until it has been calm.
 */

export interface ChatterLimits {
  /** So many comings within so long, ms, are too often. */
  readonly most: number;
  readonly within: number;
  /** Its cause must have stayed away so long, ms, before a held alarm returns. */
  readonly calm: number;
}

export const chatterLimits: ChatterLimits = { most: 5, within: 600_000, calm: 300_000 };

/** Sources come from the configuration; flows make up keys of their own. */
const mostSources = 5_000;

/**
 * Remembers when each source came, across its occurrences: an alarm that is acknowledged each time ends each time. After a restart
 * it begins anew; what is held up says so itself (`Alarm.chattering`). Times are ms since epoch.
 */
export interface ChatterGuard {
  readonly limits: ChatterLimits;
  /** The cause of this source has come. */
  came(source: string, now: number): void;
  /** It has come too often of late. */
  isTooOften(source: string, now: number): boolean;
  /** Sources that were forgotten because there were too many. */
  readonly dropped: number;
}

export function createChatterGuard(limits: ChatterLimits = chatterLimits): ChatterGuard {
  /** Oldest first, both the sources and the times of each. */
  const times = new Map<string, readonly number[]>();
  let dropped = 0;
  // A clock that was set back makes the future of what has been: forgotten as well.
  const lately = (source: string, now: number) =>
    (times.get(source) ?? []).filter((time) => time <= now && now - time < limits.within);
  return {
    limits,
    came(source, now) {
      const known = lately(source, now);
      times.delete(source);
      times.set(source, [...known, now].slice(-limits.most));
      if (times.size <= mostSources) return;
      const [oldest] = times.keys();
      if (oldest === undefined) return;
      if (lately(oldest, now).length > 0) dropped++;
      times.delete(oldest);
    },
    isTooOften: (source, now) => lately(source, now).length >= limits.most,
    get dropped() {
      return dropped;
    },
  };
}
