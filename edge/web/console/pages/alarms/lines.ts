import { byUrgency, groupAlarms } from '../../alarm-groups.ts';
import type { AlarmView } from '../../api.ts';

/* What stands in the list: causes, and folded under each what it explains. Pure. */

export interface Cause {
  readonly head: AlarmView;
  /** Explained by the head (suppressed), or of the same device. */
  readonly others: readonly AlarmView[];
}

export interface Line {
  readonly alarm: AlarmView;
  /** Of a cause: what is folded under it. Of what lies under one: empty. */
  readonly others: readonly AlarmView[];
  readonly isUnder: boolean;
  /** It ended while the list was held; it stays where it was until the list moves on. */
  readonly isOver: boolean;
}

function isOpen(alarm: AlarmView): boolean {
  return alarm.state !== 'normal';
}

/**
 * Everything that is open and not shelved, by cause, most urgent first. Nothing is left out: what a cause suppresses that
 * itself stands under another comes there too, and where the cause is not to be seen (another zone) it stands for itself.
 */
export function causesOf(alarms: readonly AlarmView[]): Cause[] {
  const groups = groupAlarms(alarms).map(({ head, others }) => ({ head, others: [...others] }));
  const placed = new Set(groups.flatMap(({ head, others }) => [head, ...others].map(({ id }) => id)));
  const lost = alarms.filter((alarm) => isOpen(alarm) && alarm.shelved === undefined && !placed.has(alarm.id));
  const shelvedCauses = new Set(alarms.filter(({ shelved }) => shelved !== undefined).map(({ source }) => source));
  for (const alarm of lost.sort(byUrgency)) {
    const cause = alarm.suppressedBy ?? '';
    // It comes back into sight with its cause.
    if (shelvedCauses.has(cause)) continue;
    const home = groups.find(
      ({ head, others }) => head.suppressedBy === cause || [head, ...others].some(({ source }) => source === cause),
    );
    if (home === undefined) groups.push({ head: alarm, others: [] });
    else home.others.push(alarm);
  }
  // What itself needs somebody before what is only silent.
  const isSilent = ({ suppressedBy }: AlarmView) => (suppressedBy === undefined ? 0 : 1);
  const inTurn = (a: AlarmView, b: AlarmView) => isSilent(a) - isSilent(b) || byUrgency(a, b);
  return groups.map(({ head, others }) => ({ head, others: others.sort(inTurn) }));
}

/** What is shelved, soonest back first, with what it suppresses. */
export function shelvedOf(alarms: readonly AlarmView[]): Cause[] {
  return alarms
    .filter((alarm) => isOpen(alarm) && alarm.shelved !== undefined)
    .sort((a, b) => (a.shelved?.until ?? 0) - (b.shelved?.until ?? 0))
    .map((head) => ({
      head,
      others: alarms.filter((alarm) => isOpen(alarm) && alarm.suppressedBy === head.source && alarm.id !== head.id),
    }));
}

/** One line for each cause, and under those that are unfolded one for each of the others. */
export function linesOf(causes: readonly Cause[], unfolded: ReadonlySet<string>, over: ReadonlySet<string>): Line[] {
  return causes.flatMap(({ head, others }) => {
    const first: Line = { alarm: head, others, isUnder: false, isOver: over.has(head.id) };
    if (!unfolded.has(head.id)) return [first];
    const rest = others.map((alarm): Line => ({ alarm, others: [], isUnder: true, isOver: over.has(alarm.id) }));
    return [first, ...rest];
  });
}

export interface Held {
  readonly causes: readonly Cause[];
  /** Causes that came since, not shown yet. */
  readonly fresh: readonly Cause[];
  /** Ids of what is shown although it is over. */
  readonly over: ReadonlySet<string>;
}

/**
 * The list while somebody has his finger on it: every line keeps its place, with its newest words; what is new waits, what is
 * over stays and says so. `open`: ids of all that is open, also of what this list leaves out (shelved): that goes away.
 */
export function hold(shown: readonly Cause[], live: readonly Cause[], open: ReadonlySet<string>): Held {
  const now = new Map(
    live.flatMap((cause) => [cause.head, ...cause.others].map((alarm) => [alarm.id, alarm] as const)),
  );
  const heads = new Map(live.map((cause) => [cause.head.id, cause]));
  const over = new Set<string>();
  const latest = (alarm: AlarmView): AlarmView[] => {
    const found = now.get(alarm.id);
    if (found !== undefined) return [found];
    if (open.has(alarm.id)) return [];
    over.add(alarm.id);
    return [alarm];
  };
  const causes = shown.flatMap(({ head, others }): Cause[] => {
    const same = heads.get(head.id);
    if (same !== undefined) return [same];
    const [first, ...rest] = [head, ...others].flatMap(latest);
    return first === undefined ? [] : [{ head: first, others: rest }];
  });
  const seen = new Set(causes.flatMap(({ head, others }) => [head.id, ...others.map(({ id }) => id)]));
  return { causes, fresh: live.filter(({ head }) => !seen.has(head.id)), over };
}

/** Whether a person can still say that he has seen it. */
export function isUnseen(alarm: AlarmView): boolean {
  return alarm.state === 'unacknowledged' || alarm.state === 'returned';
}

/** How many of what is under a cause are silent because of it. */
export function suppressedIn(others: readonly AlarmView[]): number {
  return others.filter(({ suppressedBy }) => suppressedBy !== undefined).length;
}
