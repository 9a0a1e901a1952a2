import type { Weekday } from '#edge/domain/school.ts';
import type { PowerBody } from './shapes.ts';

/*
 * The stretches of a week that somebody draws: one a day while they are drawn, grouped by equal times when they are kept. Pure.
 * Seconds of the day, the end not included.
 */

export interface Stretch {
  readonly day: Weekday;
  readonly from: number;
  readonly to: number;
}

export const daySeconds = 86_400;
/** What a pointer or a key moves by. */
export const step = 900;
export const weekdays: readonly Weekday[] = [1, 2, 3, 4, 5, 6, 7];

type Weekly = PowerBody['weekly'];

export function flatten(weekly: Weekly): Stretch[] {
  return sorted(weekly.flatMap(({ days, from, to }) => days.map((day) => ({ day, from, to }))));
}

/** Equal times of several days are one line again. */
export function grouped(stretches: readonly Stretch[]): Weekly {
  const lines = new Map<string, { days: Weekday[]; from: number; to: number }>();
  for (const { day, from, to } of sorted(stretches)) {
    const key = `${from}-${to}`;
    const line = lines.get(key) ?? { days: [], from, to };
    if (!line.days.includes(day)) line.days.push(day);
    lines.set(key, line);
  }
  return [...lines.values()].sort((a, b) => a.from - b.from);
}

/** With one more; those of its day that it touches become one with it. */
export function added(stretches: readonly Stretch[], one: Stretch): Stretch[] {
  if (one.to <= one.from) return [...stretches];
  let { from, to } = one;
  const apart: Stretch[] = [];
  for (const other of sorted(stretches)) {
    if (other.day !== one.day || other.to < from || other.from > to) apart.push(other);
    else [from, to] = [Math.min(from, other.from), Math.max(to, other.to)];
  }
  return sorted([...apart, { day: one.day, from, to }]);
}

export function without(stretches: readonly Stretch[], one: Stretch): Stretch[] {
  return stretches.filter((other) => !isSame(other, one));
}

export function replaced(stretches: readonly Stretch[], old: Stretch, one: Stretch): Stretch[] {
  return added(without(stretches, old), one);
}

/** On every one of these days, as it is on its own. */
export function copied(stretches: readonly Stretch[], one: Stretch, days: readonly Weekday[]): Stretch[] {
  return days.reduce((all: readonly Stretch[], day) => added(all, { ...one, day }), stretches).slice();
}

/** Later or earlier, as long as it stays within its day. */
export function moved(one: Stretch, seconds: number): Stretch {
  const by = Math.max(-one.from, Math.min(daySeconds - one.to, seconds));
  return { ...one, from: one.from + by, to: one.to + by };
}

/** Another end; never shorter than a step. */
export function stretched(one: Stretch, edge: 'from' | 'to', seconds: number): Stretch {
  if (edge === 'from') return { ...one, from: Math.max(0, Math.min(one.to - step, one.from + seconds)) };
  return { ...one, to: Math.min(daySeconds, Math.max(one.from + step, one.to + seconds)) };
}

/** On the day before or after; the week does not go round. */
export function onDay(one: Stretch, by: 1 | -1): Stretch {
  const day = weekdays[weekdays.indexOf(one.day) + by];
  return day === undefined ? one : { ...one, day };
}

/** The second at a part of the day, on the raster. */
export function secondAt(part: number): number {
  return Math.max(0, Math.min(daySeconds, Math.round((part * daySeconds) / step) * step));
}

/** `24:00` is the end of the day. */
export function timeText(second: number): string {
  const two = (part: number) => String(Math.floor(part)).padStart(2, '0');
  return `${two(second / 3_600)}:${two((second / 60) % 60)}`;
}

/** Seconds of `h:mm`; as an end 0:00 is that of the day. null: no time. */
export function secondOf(text: string, edge: 'from' | 'to'): number | null {
  const found = /^(\d{1,2})[:：](\d{2})$/.exec(text.trim());
  if (found === null) return null;
  const [hour, minute] = [Number(found[1]), Number(found[2])];
  if (minute > 59 || hour > 24 || (hour === 24 && minute > 0)) return null;
  const second = hour * 3_600 + minute * 60;
  return second === 0 && edge === 'to' ? daySeconds : second;
}

export function isSame(a: Stretch, b: Stretch): boolean {
  return a.day === b.day && a.from === b.from && a.to === b.to;
}

function sorted(stretches: readonly Stretch[]): Stretch[] {
  return [...stretches].sort((a, b) => a.day - b.day || a.from - b.from || a.to - b.to);
}
