import type { OutputView } from '../../api.ts';
import type { CircuitNow, Decision, Slot } from './shapes.ts';

/* Holding an output for a while: until when, and what becomes of it then. Pure. Times are ms since epoch. */

/** Owner of what people of the console hold. */
export const ours = 'request:web';
export const longest = 86_400_000;
/** Shorter than that is not meant. */
const least = 60_000;
const hour = 3_600_000;

export type PresetName = 'lesson' | 'hour' | 'school' | 'time';

export interface Preset {
  readonly name: PresetName;
  readonly until: number;
  /** The lesson that ends then. */
  readonly slot?: Slot;
}

/** What may be chosen now; `midnight` is that of today. A day without lessons has no end of them. */
export function presetsOf(slots: readonly Slot[], now: number, midnight: number): readonly Preset[] {
  const at = (second: number) => midnight + second * 1_000;
  const lesson = slots.find(({ from, to }) => now >= at(from) && now < at(to) - least);
  const end = endOfSchool(slots);
  return [
    ...(lesson === undefined ? [] : [{ name: 'lesson' as const, until: at(lesson.to), slot: lesson }]),
    { name: 'hour', until: now + hour },
    ...(end === null || at(end) - now < least ? [] : [{ name: 'school' as const, until: at(end) }]),
  ];
}

/** When most go home: the dismissal, or the end of the last lesson by day. */
export function endOfSchool(slots: readonly Slot[]): number | null {
  const dismissal = slots.find(({ kind }) => kind === 'dismissal');
  if (dismissal !== undefined) return dismissal.from;
  const byDay = slots.filter(({ kind }) => kind !== 'evening-study' && kind !== 'lights-out');
  return byDay.length === 0 ? null : Math.max(...byDay.map(({ to }) => to));
}

/** The next moment at which the clock shows `20:00`; null: no time, or too soon to be meant. */
export function nextClock(text: string, now: number, midnight: number): number | null {
  const found = /^(\d{1,2})[:：](\d{2})$/.exec(text.trim());
  if (found === null) return null;
  const [hours, minutes] = [Number(found[1]), Number(found[2])];
  if (hours > 23 || minutes > 59) return null;
  const today = midnight + (hours * 60 + minutes) * 60_000;
  const until = today - now >= least ? today : today + longest;
  return until - now <= longest ? until : null;
}

/** What the schedule will want at a moment, as far as it is known: it looks to the end of tomorrow. */
export function decisionAt(circuit: Pick<CircuitNow, 'decision' | 'next'>, time: number): Decision {
  const then = circuit.next.filter(({ at }) => at <= time).at(-1);
  return then?.decision ?? circuit.decision;
}

/** What a person of the console holds of it; null: nothing. */
export function manualOf(output: OutputView | undefined): OutputView['stack'][number] | null {
  return output?.stack.find(({ owner }) => owner === ours) ?? null;
}

export function scheduleOwner(entry: string): string {
  return `schedule:${entry}`;
}
