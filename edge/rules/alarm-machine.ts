import { type Alarm, longestShelf } from '#edge/domain/alarm.ts';
import type { HappeningId } from '#edge/domain/ids.ts';
import { type ChatterGuard, chatterLimits } from './alarm-chatter.ts';
import { protectsLives, ranks, suppressAll } from './alarm-suppression.ts';
import type { AlarmDecision, RaiseDecision } from './decision.ts';
import { clip } from './words.ts';

/*
 * ISA-18.2 / IEC 62682, the transitions that a campus needs:
 *
 *   raise                 -> unacknowledged
 *   unacknowledged --ack--> acknowledged --return--> normal
 *   unacknowledged --return--> returned --ack--> normal      returned --raise--> unacknowledged (the same occurrence)
 *   acknowledged --graver--> unacknowledged (whoever saw it saw something less grave)
 *   any --end--> normal (its source no longer exists)
 *
 * Shelving lies over these states and changes none of them: an evacuation that waits for an unacknowledged alarm still comes.
 * Every state and every input: `alarm-table.ts`.
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
  /** Its alarms are never hidden, neither behind a cause nor by being held up. Default: what safety rules say. */
  readonly isLifeSafety?: (source: string) => boolean;
  /** Absent: nothing is held up for coming and going. Whoever gives one calls `passAlarmTime` about once a second. */
  readonly chatter?: ChatterGuard;
}

export interface AlarmChange {
  readonly open: OpenAlarms;
  /** Every alarm to be stored and published, as it now is. */
  readonly changed: readonly Alarm[];
}

/**
 * Raises, or raises again. A standing alarm only takes the newest words, and counts when a new event brings its cause
 * again; it stays acknowledged if it was, unless it is graver now. One that had returned unseen needs a person once more.
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
  const isGraver = ranks[cause.class] < ranks[open.class];
  if (!open.active) {
    const { returned: _returned, ...standing } = isGraver ? showAnew(open, now) : open;
    return { ...standing, ...what, state: 'unacknowledged', active: true, came: now, count: open.count + 1 };
  }
  const isBack = comesBack(open, cause);
  const isSame = open.reason === what.reason && open.class === cause.class && !isBack;
  if (isSame) return open;
  const counted = isBack ? { came: now, count: open.count + 1 } : {};
  return { ...(isGraver ? callAgain(open, now) : open), ...what, ...counted, ...standsAgain(open) };
}

/** A new event brings the cause of a standing alarm again, or it had gone quiet while it was held up. */
function comesBack({ event, chattering }: Alarm, cause: RaiseDecision): boolean {
  const isNews = cause.event !== undefined && cause.event !== event;
  return isNews || (chattering !== undefined && chattering.quiet !== null);
}

function standsAgain({ chattering }: Alarm): Pick<Alarm, 'chattering'> {
  return chattering === undefined ? {} : { chattering: { ...chattering, quiet: null } };
}

/** Whoever acknowledged or shelved it decided on something less grave. */
function callAgain(alarm: Alarm, now: number): Alarm {
  const { acknowledged: _, ...unseen } = showAnew(alarm, now);
  return { ...unseen, state: 'unacknowledged' };
}

/** In sight again from now on; its ladder begins with its first step. */
function showAnew(alarm: Alarm, now: number): Alarm {
  const { shelved: _s, suppressedBy: _b, suppressedUntil: _u, escalation: _e, ...shown } = alarm;
  return { ...shown, shown: now };
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
  const { chattering: _c, suppressedUntil: _u, ...calm } = stopLadder(alarm);
  const gone = { ...calm, active: false, returned: now };
  return seen ? { ...offShelf(gone), state: 'normal', ended: now } : { ...gone, state: 'returned' };
}

/** The cause is gone once more of something that comes and goes too often: it stays, until it has been calm. */
export function holdUpAlarm(alarm: Alarm, now: number): Alarm {
  if (!alarm.active || (alarm.chattering !== undefined && alarm.chattering.quiet !== null)) return alarm;
  return { ...alarm, chattering: { since: alarm.chattering?.since ?? now, quiet: now } };
}

function withoutLadder(alarm: Alarm): Alarm {
  const { escalation: _, ...rest } = alarm;
  return rest;
}

/** A person has seen it. The same alarm object comes back when there was nothing to acknowledge. */
export function acknowledgeAlarm(alarm: Alarm, seen: { time: number; by: string; note: string }): Alarm {
  if (alarm.state === 'unacknowledged') return { ...stopLadder(alarm), state: 'acknowledged', acknowledged: seen };
  if (alarm.state !== 'returned') return alarm;
  return { ...offShelf(stopLadder(alarm)), state: 'normal', acknowledged: seen, ended: seen.time };
}

/** Nobody is to be told any more; how far it has gone is kept. */
function stopLadder(alarm: Alarm): Alarm {
  if (alarm.escalation === undefined || alarm.escalation.due === null) return alarm;
  return { ...alarm, escalation: { ...alarm.escalation, due: null } };
}

/** So many alarms may one person keep out of sight at once: who shelves more has stopped looking. */
export const mostShelvedEach = 20;

/** Why an alarm may not be put out of sight for so long; null when it may. `shelf`: who shelves it, among which alarms. */
export function whyNotShelved(
  { class: severity, source, id }: Alarm,
  minutes: number,
  isLifeSafety: (source: string) => boolean,
  shelf?: { readonly by: string; readonly open: OpenAlarms },
): string | null {
  if (severity === 'critical' && isLifeSafety(source)) {
    return `"${source}" protects lives: its critical alarm cannot be shelved, only acknowledged`;
  }
  const most = longestShelf[severity];
  if (minutes > most) return `a ${severity} alarm may be shelved for at most ${most} minutes, not ${minutes}`;
  const others = [...(shelf?.open.values() ?? [])].filter((one) => one.id !== id && one.shelved?.by === shelf?.by);
  if (others.length < mostShelvedEach) return null;
  return `${shelf?.by} has shelved ${others.length} alarms already, and more than ${mostShelvedEach} at once nobody may`;
}

/** A normal alarm is not shelved: the same object comes back. */
export function shelveAlarm(alarm: Alarm, shelved: NonNullable<Alarm['shelved']>): Alarm {
  return alarm.state === 'normal' ? alarm : { ...alarm, shelved };
}

/** Back into sight, `now` for its ladder. The same alarm object comes back when it was not shelved. */
export function unshelveAlarm(alarm: Alarm, now: number): Alarm {
  if (alarm.shelved === undefined) return alarm;
  return { ...offShelf(withoutLadder(alarm)), shown: now };
}

function offShelf(alarm: Alarm): Alarm {
  const { shelved: _, ...rest } = alarm;
  return rest;
}

/** Its time is over; one further ahead than may be was made before the clock was set back. */
function isShelfOver({ shelved, class: severity }: Alarm, now: number): boolean {
  return shelved !== undefined && (now >= shelved.until || shelved.until - now > longestShelf[severity] * 60_000);
}

/** Ends an alarm whose source no longer exists (a device or rule taken out of the site file). */
export function endAlarm(alarm: Alarm, now: number): Alarm {
  if (alarm.state === 'normal') return alarm;
  const { chattering: _c, suppressedUntil: _u, ...calm } = stopLadder(offShelf(alarm));
  return { ...calm, state: 'normal', active: false, returned: alarm.returned ?? now, ended: now };
}

/** Applies decisions in order, then suppression by design. */
export function applyAlarmDecisions(
  open: OpenAlarms,
  decisions: readonly AlarmDecision[],
  context: AlarmContext,
): AlarmChange {
  const next = new Draft(open);
  for (const decision of decisions) {
    const before = next.open.get(decision.source);
    if (decision.kind === 'raise') next.put(before, raise(before, decision, context));
    else if (before !== undefined) next.put(before, leave(before, context));
  }
  return next.settled(context);
}

function raise(before: Alarm | undefined, decision: RaiseDecision, context: AlarmContext): Alarm {
  const after = raiseAlarm(before, decision, context.now, context.newId);
  const isHere = before?.active === true && (before.chattering === undefined || before.chattering.quiet === null);
  if (!isHere) context.chatter?.came(decision.source, context.now);
  return after;
}

/** What protects lives is never held up: each time it comes back it needs a person anew. Nor what nobody is shown. */
function leave(alarm: Alarm, context: AlarmContext): Alarm {
  const { chatter, now } = context;
  if (chatter === undefined || alarm.suppressedBy !== undefined || protectsLives(alarm.source, context)) {
    return returnAlarm(alarm, now);
  }
  const isHeld = alarm.chattering !== undefined || chatter.isTooOften(alarm.source, now);
  return isHeld ? holdUpAlarm(alarm, now) : returnAlarm(alarm, now);
}

/**
 * What time alone does: shelving ends, what was held up and has been calm returns, what a cause hid is shown when its grace is
 * over. Call it about once a second.
 */
export function passAlarmTime(open: OpenAlarms, context: AlarmContext): AlarmChange {
  const { now } = context;
  const { calm } = context.chatter?.limits ?? chatterLimits;
  const next = new Draft(open);
  for (const alarm of open.values()) {
    const shown = isShelfOver(alarm, now) ? unshelveAlarm(alarm, now) : alarm;
    const quiet = shown.chattering?.quiet ?? null;
    // A clock that was set back: nobody knows how long it has been calm.
    const isCalm = quiet !== null && (now - quiet >= calm || quiet > now);
    next.put(alarm, isCalm ? returnAlarm(shown, now) : shown);
  }
  return next.settled(context);
}

/** Ends every open alarm whose source `exists` denies; for the start, after the site file has changed. */
export function endOrphans(open: OpenAlarms, exists: (source: string) => boolean, now: number): AlarmChange {
  const orphans = [...open.values()].filter((alarm) => !exists(alarm.source));
  const next = new Map([...open].filter(([source]) => exists(source)));
  return { open: next, changed: orphans.map((alarm) => endAlarm(alarm, now)) };
}

/** Open alarms while they change. */
class Draft {
  readonly #before: OpenAlarms;
  #next: Map<string, Alarm> | null = null;
  readonly #changed = new Map<string, Alarm>();

  constructor(open: OpenAlarms) {
    this.#before = open;
  }

  get open(): OpenAlarms {
    return this.#next ?? this.#before;
  }

  put(before: Alarm | undefined, after: Alarm): void {
    if (before === after) return;
    this.#next ??= new Map(this.#before);
    this.#changed.set(after.id, after);
    if (after.state === 'normal') this.#next.delete(after.source);
    else this.#next.set(after.source, after);
  }

  /** The same map comes back when nothing changed. */
  settled(context: AlarmContext): AlarmChange {
    for (const [before, after] of suppressAll(this.open, context)) this.put(before, after);
    return { open: this.open, changed: [...this.#changed.values()] };
  }
}
