import type { AlarmView } from './api.ts';

/*
 * Alarms by cause: what one person goes and looks at is one line. Pure.
 */

export interface AlarmGroup {
  /** The alarm to act on: the cause, or the worst of one device. */
  readonly head: AlarmView;
  /** The others of the same cause: suppressed by it, of the same group, or of the same device. */
  readonly others: readonly AlarmView[];
}

const rank = { critical: 0, high: 1, medium: 2, low: 3 } as const;

/** Waits for a person: open, not shelved; suppressed ones come under their cause. */
export function needsAction(alarm: AlarmView): boolean {
  return alarm.state !== 'normal' && alarm.shelved === undefined && alarm.suppressedBy === undefined;
}

/** Unseen before seen, then the class, then the latest. */
export function byUrgency(a: AlarmView, b: AlarmView): number {
  const seen = (alarm: AlarmView) => (alarm.state === 'acknowledged' ? 1 : 0);
  return seen(a) - seen(b) || rank[a.class] - rank[b.class] || b.raised - a.raised;
}

/** Each is an errand of its own, whatever else its device has: a danger, a decision to make, money to save. */
const alone = /^(?:interlock|demand|energy):/;

function keyOf({ source, group, device }: AlarmView): string {
  if (alone.test(source)) return source;
  // A swapped meter starts all of its counters anew: they are decided together.
  if (source.startsWith('counter:')) return `counters of ${device ?? source}`;
  if (group !== undefined) return `group ${group}`;
  return device === undefined ? source : `of ${device}`;
}

/** Groups of what needs action, most urgent first. */
export function groupAlarms(alarms: readonly AlarmView[]): AlarmGroup[] {
  const open = alarms.filter(needsAction).sort(byUrgency);
  const groups = new Map<string, { head: AlarmView; others: AlarmView[] }>();
  for (const alarm of open) {
    const key = keyOf(alarm);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { head: alarm, others: [] });
    else group.others.push(alarm);
  }
  const heads = [...groups.values()];
  for (const alarm of alarms) {
    if (alarm.state === 'normal' || alarm.suppressedBy === undefined) continue;
    heads.find(({ head }) => head.source === alarm.suppressedBy || head.id === alarm.suppressedBy)?.others.push(alarm);
  }
  return heads;
}
