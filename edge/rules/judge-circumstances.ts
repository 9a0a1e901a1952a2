import type { CircumstanceLeaf, TimeLeaf } from './compiled-rule.ts';
import type { LeafMemory } from './rule-memory.ts';
import { type Findings, type Scene, type Verdict, wakeByTime } from './scene.ts';

/* Conditions over the calendar, the time of day and the modes of the campus: what they remember is only for words. */

/** Never `fresh`: a lesson does not confirm what a sensor said before the start. */
export function judgeCircumstance(leaf: CircumstanceLeaf, own: LeafMemory, scene: Scene, findings: Findings): Verdict {
  const met = isMet(leaf, scene);
  own.verdict = met;
  wakeForClock(leaf, scene, findings);
  return { trip: met, stand: met, now: met, fresh: false };
}

export function isMet(leaf: CircumstanceLeaf, scene: Pick<Scene, 'now' | 'calendar' | 'modes'>): boolean {
  switch (leaf.kind) {
    case 'calendar':
      return scene.calendar.is(leaf.is, scene.now);
    case 'mode':
      return scene.modes.has(leaf.mode) === leaf.is;
    case 'time':
      return isWithin(leaf, scene);
  }
}

/** A span that ends where (or before) it begins reaches over midnight, and belongs to the day on which it began. */
function isWithin({ from, to, days }: TimeLeaf, { now, calendar }: Pick<Scene, 'now' | 'calendar'>): boolean {
  const { minute, weekday } = calendar.local(now);
  const isDay = (day: number) => days === null || days.includes(day);
  if (from < to) return minute >= from && minute < to && isDay(weekday);
  const yesterday = weekday === 1 ? 7 : weekday - 1;
  return (minute >= from && isDay(weekday)) || (minute < to && isDay(yesterday));
}

/** `nextChange` also for the time of day: it knows when the local clock is put forward or back. */
function wakeForClock(leaf: CircumstanceLeaf, { now, calendar }: Scene, findings: Findings): void {
  if (leaf.kind === 'mode') return;
  wakeByTime(findings, calendar.nextChange(now));
  if (leaf.kind !== 'time') return;
  wakeByTime(findings, calendar.nextMinute(leaf.from % 1_440, now));
  wakeByTime(findings, calendar.nextMinute(leaf.to % 1_440, now));
}
