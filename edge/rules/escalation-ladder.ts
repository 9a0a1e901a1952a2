import type { Alarm, AlarmClass } from '#edge/domain/alarm.ts';
import type { Calendar } from '#edge/domain/calendar.ts';
import { usualRepeat } from '#edge/domain/notice.ts';

/*
 * How far up its ladder an alarm is. A ladder's clock begins when the alarm was last shown anew (raised, graver, back in sight) and
 * stands still for nobody: a person who acknowledges ends it, a cause that is gone stops it, and when that comes back unseen it goes
 * on where it was. Times are ms since epoch, durations ms.
 */

export interface Ladder {
  readonly id: string;
  readonly classes: readonly AlarmClass[];
  /** Absent: everywhere; with it, an alarm without a zone is not on this ladder. */
  readonly zones?: readonly string[] | undefined;
  /** Globs of alarm sources; absent: all. */
  readonly sources?: readonly string[] | undefined;
  /** Ascending in `after`. */
  readonly steps: readonly LadderStep[];
  /** What follows the last step while nobody acknowledges; absent: `lastResort`. */
  readonly repeat?: Repeat | undefined;
}

export interface LadderStep {
  readonly after: number;
  /** By the opening hours at the time at which it is due; another time, it is passed over. */
  readonly during: 'always' | 'open' | 'closed';
  readonly to: readonly string[];
}

export interface Repeat {
  readonly every: number;
  readonly times: number;
}

/** Nobody has acknowledged, though all were told: they are told again, but not for ever. */
export const lastResort: Repeat = usualRepeat;

export interface Climb {
  readonly ladder: Ladder;
  /** Steps that are due now, lowest first. After a long stop of core there may be several. */
  readonly tell: readonly { readonly step: number; readonly to: readonly string[]; readonly isRepeat: boolean }[];
  /** As the alarm is to remember it; null: no step is due yet. */
  readonly escalation: NonNullable<Alarm['escalation']> | null;
  /** When to look again; null: not before the alarm changes. */
  readonly wakeAt: number | null;
}

/** It is shown, it stands, and nobody has seen it. */
export function needsPerson({ state, active, shelved, suppressedBy }: Alarm): boolean {
  return state === 'unacknowledged' && active && shelved === undefined && suppressedBy === undefined;
}

/** The ladder of an alarm: the one it is on while that exists, else the first that fits. */
export function ladderOf(alarm: Alarm, ladders: readonly Ladder[]): Ladder | undefined {
  return ladders.find(({ id }) => id === alarm.escalation?.ladder) ?? ladders.find((ladder) => fits(ladder, alarm));
}

function fits({ classes, zones, sources }: Ladder, alarm: Alarm): boolean {
  if (!classes.includes(alarm.class)) return false;
  if (zones !== undefined && (alarm.zone === undefined || !zones.includes(alarm.zone))) return false;
  return sources === undefined || sources.some((glob) => fitsGlob(glob, alarm.source));
}

/** `*` stands for any characters. Without a pattern that could run for ever. */
export function fitsGlob(glob: string, text: string): boolean {
  const [first = '', ...rest] = glob.split('*');
  const last = rest.pop();
  if (last === undefined) return glob === text;
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

/** What is due of an alarm that needs a person; null when it is on no ladder. */
export function climb(alarm: Alarm, ladders: readonly Ladder[], calendar: Calendar, now: number): Climb | null {
  const ladder = ladderOf(alarm, ladders);
  if (ladder === undefined) return null;
  const went = alarm.escalation?.ladder === ladder.id ? alarm.escalation : undefined;
  let step = went?.step ?? -1;
  const shown = alarm.shown ?? alarm.raised;
  let told = Math.min(went?.told ?? shown, now);
  // A clock that was set back must put nothing off: when it was shown is not known any more, when it was last told is.
  const since = shown <= now ? shown : told - ((ladder.steps[Math.max(0, step)] ?? ladder.steps.at(-1))?.after ?? 0);
  const tell: { step: number; to: readonly string[]; isRepeat: boolean }[] = [];
  let wakeAt = dueOf(ladder, step + 1, since, told);
  while (wakeAt !== null && wakeAt <= now) {
    const isRepeat = step + 1 >= ladder.steps.length;
    const to = isRepeat ? lastToTell(ladder, calendar, now) : whomToTell(ladder.steps[step + 1], calendar, now);
    if (isRepeat && to === null) {
      // Nobody is to be told at this hour: whoever is later must not find the repeats used up.
      wakeAt = Math.max(calendar.nextChange(now), now + 1);
      break;
    }
    step++;
    if (to !== null) {
      tell.push({ step, to, isRepeat });
      told = now;
    }
    wakeAt = dueOf(ladder, step + 1, since, told);
  }
  const escalation = step < 0 ? null : { ladder: ladder.id, step, told, due: wakeAt };
  return { ladder, tell, escalation, wakeAt };
}

function dueOf({ steps, repeat = lastResort }: Ladder, step: number, since: number, told: number): number | null {
  const next = steps[step];
  if (next !== undefined) return since + next.after;
  if (step - steps.length >= repeat.times) return null;
  return Math.max(told, since + (steps.at(-1)?.after ?? 0)) + repeat.every;
}

function whomToTell(step: LadderStep | undefined, calendar: Calendar, now: number): readonly string[] | null {
  if (step === undefined) return null;
  return step.during === 'always' || calendar.is(step.during, now) ? step.to : null;
}

/** A repeat tells the highest step that is for this hour. */
function lastToTell({ steps }: Ladder, calendar: Calendar, now: number): readonly string[] | null {
  return steps.reduce<readonly string[] | null>((above, step) => whomToTell(step, calendar, now) ?? above, null);
}
