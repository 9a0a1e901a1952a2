import type { Alarm } from '#edge/domain/alarm.ts';

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

type OpenAlarms = ReadonlyMap<string, Alarm>;
const views = new WeakMap<OpenAlarms, OpenAlarms>();

/**
 * Open alarms for those who raise them and wait for them (rules, flows, channels): as they would be if nothing were held up, so that
 * a cause that comes back is raised again and counted. Asked for every reading: the same map comes back while nothing is quiet.
 */
export function asSourcesSee(open: OpenAlarms): OpenAlarms {
  const known = views.get(open);
  if (known !== undefined) return known;
  const isQuiet = ({ chattering }: Alarm) => chattering !== undefined && chattering.quiet !== null;
  const view = [...open.values()].some(isQuiet)
    ? new Map(
        [...open].flatMap(([source, alarm]) => (isQuiet(alarm) ? withoutCause(source, alarm) : [[source, alarm]])),
      )
    : open;
  views.set(open, view);
  return view;
}

function withoutCause(source: string, alarm: Alarm): [string, Alarm][] {
  if (alarm.state === 'acknowledged' || alarm.suppressedBy !== undefined) return [];
  return [[source, { ...alarm, state: 'returned', active: false }]];
}
