import { type Alarm, longestShelf } from '#edge/domain/alarm.ts';
import type { HappeningId } from '#edge/domain/ids.ts';
import type { AlarmDecision, RaiseDecision } from './decision.ts';
import { clip } from './words.ts';

/*
 * ISA-18.2 / IEC 62682, the transitions that a campus needs:
 *
 *   raise                 -> unacknowledged
 *   unacknowledged --ack--> acknowledged --return--> normal
 *   unacknowledged --return--> returned --ack--> normal      returned --raise--> unacknowledged (the same occurrence)
 *   any --end--> normal (its source no longer exists)
 *
 * Shelving lies over these states and changes none of them: an evacuation that waits for an unacknowledged alarm still comes.
 *
 * A normal alarm is history: no function here changes it, and the next raise gets a new id.
 */

/** Open alarms by source. Sources come from the configuration, so their number is bounded by it. */
export type OpenAlarms = ReadonlyMap<string, Alarm>;

export interface AlarmContext {
  /** ms since epoch. */
  readonly now: number;
  readonly newId: () => HappeningId;
  /** Sources whose standing alarm explains this one, greatest first. See `createCauses`. */
  readonly causesOf: (alarm: Alarm) => readonly string[];
}

/**
 * Raises, or raises again. A standing alarm only takes the newest words, and counts when a new event brings its cause
 * again; it stays acknowledged if it was. One that had returned unseen needs a person once more.
 */
export function raiseAlarm(
  open: Alarm | undefined,
  cause: RaiseDecision,
  now: number,
  newId: () => HappeningId,
): Alarm {
  const { kind: _, ...given } = cause;
  const what = { ...given, ...wordsOf(cause) };
  if (open === undefined || open.state === 'normal') {
    return { ...what, id: newId(), state: 'unacknowledged', active: true, raised: now, count: 1 };
  }
  // Whoever shelved it decided on something less grave.
  const shown = ranks[cause.class] < ranks[open.class] ? unshelveAlarm(open) : open;
  if (open.active) {
    const again = cause.event !== undefined && cause.event !== open.event;
    const same = open.reason === what.reason && open.class === cause.class && !again;
    return same ? open : { ...shown, ...what, count: open.count + (again ? 1 : 0) };
  }
  const { returned: _returned, ...standing } = shown;
  return { ...standing, ...what, state: 'unacknowledged', active: true, count: open.count + 1 };
}

/** Evidence may be long; whoever shows an alarm reads so much of it (bus/codec.ts), and must not refuse it all. */
function wordsOf({ message, next, reason }: RaiseDecision): Pick<RaiseDecision, 'message' | 'next' | 'reason'> {
  const short = ({ zh, en }: RaiseDecision['message']) => ({ zh: clip(zh, 256), en: clip(en, 256) });
  return { message: short(message), next: short(next), reason: clip(reason, 1_000) };
}

/** The cause is gone. What nobody was shown (suppressed) needs nobody to acknowledge it. */
export function returnAlarm(alarm: Alarm, now: number): Alarm {
  if (!alarm.active) return alarm;
  const seen = alarm.state === 'acknowledged' || alarm.suppressedBy !== undefined;
  const gone = { ...alarm, active: false, returned: now };
  return seen ? { ...unshelveAlarm(gone), state: 'normal', ended: now } : { ...gone, state: 'returned' };
}

/** A person has seen it. The same alarm object comes back when there was nothing to acknowledge. */
export function acknowledgeAlarm(alarm: Alarm, seen: { time: number; by: string; note: string }): Alarm {
  if (alarm.state === 'unacknowledged') return { ...alarm, state: 'acknowledged', acknowledged: seen };
  if (alarm.state !== 'returned') return alarm;
  return { ...unshelveAlarm(alarm), state: 'normal', acknowledged: seen, ended: seen.time };
}

/** Why an alarm may not be put out of sight for so long; null when it may. */
export function whyNotShelved(
  { class: severity, source }: Alarm,
  minutes: number,
  isLifeSafety: (source: string) => boolean,
): string | null {
  if (severity === 'critical' && isLifeSafety(source)) {
    return `"${source}" protects lives: its critical alarm cannot be shelved, only acknowledged`;
  }
  const most = longestShelf[severity];
  return minutes <= most ? null : `a ${severity} alarm may be shelved for at most ${most} minutes, not ${minutes}`;
}

export function shelveAlarm(alarm: Alarm, shelved: NonNullable<Alarm['shelved']>): Alarm {
  return { ...alarm, shelved };
}

/** The same alarm object comes back when it was not shelved. */
export function unshelveAlarm(alarm: Alarm): Alarm {
  if (alarm.shelved === undefined) return alarm;
  const { shelved: _, ...shown } = alarm;
  return shown;
}

/** Ends every shelving whose time is over; one further ahead than may be was made before the clock was set back. */
export function endShelving(
  open: OpenAlarms,
  now: number,
): { readonly open: OpenAlarms; readonly changed: readonly Alarm[] } {
  const isOver = ({ shelved, class: severity }: Alarm) =>
    shelved !== undefined && (now >= shelved.until || shelved.until - now > longestShelf[severity] * 60_000);
  const changed = [...open.values()].filter(isOver).map(unshelveAlarm);
  if (changed.length === 0) return { open, changed };
  return { open: new Map([...open, ...changed.map((alarm) => [alarm.source, alarm] as const)]), changed };
}

/** Ends an alarm whose source no longer exists (a device or interlock taken out of the site file). */
export function endAlarm(alarm: Alarm, now: number): Alarm {
  if (alarm.state === 'normal') return alarm;
  return { ...unshelveAlarm(alarm), state: 'normal', active: false, returned: alarm.returned ?? now, ended: now };
}

/** Applies decisions in order, then suppression by design. `changed` holds every alarm to be stored and published. */
export function applyAlarmDecisions(
  open: OpenAlarms,
  decisions: readonly AlarmDecision[],
  context: AlarmContext,
): { readonly open: OpenAlarms; readonly changed: readonly Alarm[] } {
  const next = new Map(open);
  const changed = new Map<string, Alarm>();
  const put = (before: Alarm | undefined, after: Alarm) => {
    if (before === after) return;
    changed.set(after.id, after);
    if (after.state === 'normal') next.delete(after.source);
    else next.set(after.source, after);
  };
  for (const decision of decisions) {
    const before = next.get(decision.source);
    if (decision.kind === 'raise') put(before, raiseAlarm(before, decision, context.now, context.newId));
    else if (before !== undefined) put(before, returnAlarm(before, context.now));
  }
  for (const alarm of [...next.values()]) put(alarm, suppress(alarm, next, context));
  return { open: next, changed: [...changed.values()] };
}

/** Ends every open alarm whose source `exists` denies; for the start, after the site file has changed. */
export function endOrphans(
  open: OpenAlarms,
  exists: (source: string) => boolean,
  now: number,
): { readonly open: OpenAlarms; readonly changed: readonly Alarm[] } {
  const orphans = [...open.values()].filter((alarm) => !exists(alarm.source));
  const next = new Map([...open].filter(([source]) => exists(source)));
  return { open: next, changed: orphans.map((alarm) => endAlarm(alarm, now)) };
}

const ranks: Readonly<Record<Alarm['class'], number>> = { critical: 0, high: 1, medium: 2, low: 3 };

/**
 * Only behind what is at least as grave: a siren that does not sound must not hide behind a speaker that somebody has
 * known to be offline since yesterday.
 */
function suppress(alarm: Alarm, open: OpenAlarms, context: AlarmContext): Alarm {
  if (!alarm.active) return alarm;
  const isGreater = (source: string) => {
    const cause = open.get(source);
    return source !== alarm.source && cause?.active === true && ranks[cause.class] <= ranks[alarm.class];
  };
  const cause = context.causesOf(alarm).find(isGreater);
  if (cause === alarm.suppressedBy) return alarm;
  if (cause !== undefined) return { ...alarm, suppressedBy: cause };
  const { suppressedBy: _, ...shown } = alarm;
  return shown;
}

/**
 * Which greater cause makes an alarm silent: a device behind a dead process, an output or a blind interlock behind a
 * dead device or process. What an interlock itself says is never silenced.
 */
export function createCauses(processOf: (device: string) => string | undefined): (alarm: Alarm) => readonly string[] {
  return (alarm) => {
    const kind = alarm.source.slice(0, alarm.source.indexOf(':'));
    if (alarm.device === undefined || !['device', 'output', 'blind'].includes(kind)) return [];
    const process = processOf(alarm.device);
    const device = kind === 'device' ? [] : [`device:${alarm.device}`];
    return process === undefined ? device : [`process:${process}`, ...device];
  };
}
