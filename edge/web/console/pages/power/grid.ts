import type { DaySpan, Need, PowerBody, WeekCircuit } from './shapes.ts';

/* The week of a circuit as bars on the hours of its days. Pure. Times are ms since epoch, places are parts of a day, 0 to 1. */

const minute = 60_000;
const hour = 60 * minute;

export type BarLook = 'on' | 'assumed' | 'prepare';

export interface Bar {
  readonly look: BarLook;
  readonly from: number;
  readonly to: number;
  /** ms since epoch, as far as they lie on this day. */
  readonly begins: number;
  readonly ends: number;
}

type Circuit = Pick<PowerBody, 'prepare' | 'occupancy'>;

/** What is drawn of a circuit on a day: when it may begin to be made ready, and when it is needed. */
export function barsOf(power: Circuit, needs: readonly Need[], day: Pick<DaySpan, 'from' | 'to'>): readonly Bar[] {
  const look: BarLook = power.occupancy === null ? 'on' : 'assumed';
  return needs.flatMap((need) => {
    const start = earliestOf(power, need);
    return [...barOf('prepare', start, need.from, day), ...barOf(look, need.from, need.to, day)];
  });
}

/** When it may begin at the earliest for a need. */
export function earliestOf({ prepare }: Pick<PowerBody, 'prepare'>, need: Pick<Need, 'from' | 'due'>): number {
  return prepare === null ? need.from : Math.min(need.from, need.due - prepare.earliest * minute);
}

function barOf(look: BarLook, from: number, to: number, day: Pick<DaySpan, 'from' | 'to'>): Bar[] {
  const begins = Math.max(from, day.from);
  const ends = Math.min(to, day.to);
  if (ends <= begins) return [];
  const length = day.to - day.from;
  return [{ look, from: (begins - day.from) / length, to: (ends - day.from) / length, begins, ends }];
}

/** Hours within the days for which it is planned to be on; what it is made ready for is not counted. */
export function hoursOf(needs: readonly Pick<Need, 'from' | 'to'>[], days: readonly Pick<DaySpan, 'from' | 'to'>[]) {
  let on = 0;
  for (const { from, to } of needs)
    for (const day of days) on += Math.max(0, Math.min(to, day.to) - Math.max(from, day.from));
  const all = days.reduce((sum, day) => sum + day.to - day.from, 0);
  return { on: on / hour, all: all / hour };
}

/** Where a moment is on a day; null when it is on another. */
export function placeOn(time: number, day: Pick<DaySpan, 'from' | 'to'>): number | null {
  return time >= day.from && time < day.to ? (time - day.from) / (day.to - day.from) : null;
}

/** Circuits with an output in one of these devices' places; all when none is chosen. */
export function within(circuits: readonly WeekCircuit[], devices: ReadonlySet<string> | null): readonly WeekCircuit[] {
  if (devices === null) return circuits;
  return circuits.filter(({ power }) =>
    power.part !== 'power' ? false : power.outputs.some((ref) => devices.has(ref.split('/')[0] ?? '')),
  );
}
