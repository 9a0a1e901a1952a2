import { placeOf, type Scale } from './scale.ts';

/* What happened, on the timeline and in the list beside it. Pure. */

export interface Mark {
  readonly id: string;
  readonly kind: 'event' | 'incident';
  /** ms since epoch. */
  readonly time: number;
  readonly to: number;
  /** `motion`, `person`: the gravest of an incident first. */
  readonly types: readonly string[];
  /** Cameras it is of. */
  readonly cameras: readonly string[];
  /** Of an incident. */
  readonly class: 'critical' | 'high' | 'medium' | 'low' | null;
}

/** Several that would lie over each other; `marks` in order, at least one. */
export interface MarkGroup {
  readonly x: number;
  readonly first: Mark;
  readonly count: number;
}

/** Marks that can be seen, those nearer than `room` px as one. */
export function grouped(marks: readonly Mark[], scale: Scale, room: number): MarkGroup[] {
  const groups: { x: number; first: Mark; count: number }[] = [];
  for (const mark of marks) {
    const x = placeOf(scale, mark.time);
    if (x < -room || x > scale.width + room) continue;
    const last = groups.at(-1);
    if (last !== undefined && x - last.x < room) last.count++;
    else groups.push({ x, first: mark, count: 1 });
  }
  return groups;
}

/** Whoever is at a mark wants the next one, though the clock is some moments off. */
const near = 900;

/** The mark before or after a moment; null: there is none. */
export function markBeside(marks: readonly Mark[], time: number, by: 1 | -1): Mark | null {
  if (by === 1) return marks.find((mark) => mark.time > time + near) ?? null;
  return marks.findLast((mark) => mark.time < time - near) ?? null;
}

interface Event {
  readonly id: string;
  readonly type: string;
  readonly time: number;
  readonly active?: boolean | undefined;
  readonly device?: string | undefined;
}

/** Longest that one thing may go on and still be one mark, ms. */
const longest = 600_000;

/** Of a camera's events those that begin something; what repeats while it goes on is the same mark. */
export function eventMarks(events: readonly Event[]): Mark[] {
  const marks: Mark[] = [];
  const open = new Map<string, number>();
  for (const { id, type, time, active, device = '' } of events.toSorted((a, b) => a.time - b.time)) {
    const key = `${device} ${type}`;
    const at = open.get(key);
    const before = at === undefined ? undefined : marks[at];
    const goesOn = before !== undefined && time - before.time < longest;
    if (goesOn && at !== undefined) marks[at] = { ...before, to: Math.max(before.to, time) };
    if (active === false) open.delete(key);
    else if (!goesOn) {
      marks.push({ id, kind: 'event', time, to: time, types: [type], cameras: [device], class: null });
      // A momentary one has no end.
      if (active === true) open.set(key, marks.length - 1);
    }
  }
  return marks;
}
