import type { Alarm } from '#edge/domain/alarm.ts';
import type { AlarmContext, OpenAlarms } from './alarm-machine.ts';

/** How grave, the smaller the graver. */
export const ranks: Readonly<Record<Alarm['class'], number>> = { critical: 0, high: 1, medium: 2, low: 3 };

export function protectsLives(source: string, { isLifeSafety }: Pick<AlarmContext, 'isLifeSafety'>): boolean {
  return isLifeSafety === undefined ? source.startsWith('interlock:') : isLifeSafety(source);
}

/** What a cause hid has so long to recover once the cause is gone, ms: a driver that is back must first ask all its devices. */
export const hiddenGrace = 30_000;

/**
 * Suppression by design, looked at as a whole: what each alarm should be hidden behind now. Only behind what is at least as grave:
 * a siren that does not sound must not hide behind a speaker that somebody has known to be offline since yesterday. Answers the
 * alarms that change, before and after.
 */
export function suppressAll(open: OpenAlarms, context: AlarmContext): readonly (readonly [Alarm, Alarm])[] {
  const direct = new Map<string, string>();
  for (const alarm of open.values()) {
    const cause = directCause(alarm, open, context);
    if (cause !== undefined) direct.set(alarm.source, cause);
  }
  const changes: (readonly [Alarm, Alarm])[] = [];
  for (const alarm of open.values()) {
    if (!alarm.active) continue;
    const after = suppress(alarm, rootCause(alarm.source, direct), open, context.now);
    if (after !== alarm) changes.push([alarm, after]);
  }
  return changes;
}

function directCause(alarm: Alarm, open: OpenAlarms, context: AlarmContext): string | undefined {
  if (!alarm.active || protectsLives(alarm.source, context)) return undefined;
  return context.causesOf(alarm).find((source) => {
    const cause = open.get(source);
    if (source === alarm.source || cause === undefined || !stands(cause)) return false;
    if (ranks[cause.class] > ranks[alarm.class]) return false;
    // What a rule saw while its device still worked was true, and stays in sight.
    return !alarm.source.startsWith('rule:') || (alarm.came ?? alarm.raised) >= cause.raised;
  });
}

/** What is only held up for coming and going is no cause while it is gone. */
function stands({ active, chattering }: Alarm): boolean {
  return active && (chattering?.quiet ?? null) === null;
}

/** Whom people see in its stead: the cause of its causes. Causes that go in circles hide nobody. */
function rootCause(source: string, direct: ReadonlyMap<string, string>): string | undefined {
  const passed: string[] = [source];
  for (let next = direct.get(source); next !== undefined; next = direct.get(next)) {
    const at = passed.indexOf(next);
    // Everybody in the circle is shown, so whoever leads into it hides behind the first of it.
    if (at >= 0) return at === 0 ? undefined : next;
    passed.push(next);
  }
  return passed.length === 1 ? undefined : passed.at(-1);
}

function suppress(alarm: Alarm, cause: string | undefined, open: OpenAlarms, now: number): Alarm {
  const { suppressedBy, suppressedUntil } = alarm;
  if (cause !== undefined) {
    if (cause === suppressedBy && suppressedUntil === undefined) return alarm;
    const { suppressedUntil: _, ...hidden } = alarm;
    return { ...hidden, suppressedBy: cause };
  }
  if (suppressedBy === undefined) return alarm;
  // It stands, but explains this one no longer: one of the two has become graver or milder.
  const before = open.get(suppressedBy);
  if (before !== undefined && stands(before)) return shown(alarm, now);
  if (suppressedUntil === undefined) return { ...alarm, suppressedUntil: now + hiddenGrace };
  // One further ahead than may be was made before the clock was set back.
  const isOver = now >= suppressedUntil || suppressedUntil - now > hiddenGrace;
  return isOver ? shown(alarm, now) : alarm;
}

function shown(alarm: Alarm, now: number): Alarm {
  const { suppressedBy: _b, suppressedUntil: _u, escalation: _e, ...rest } = alarm;
  return { ...rest, shown: now };
}
