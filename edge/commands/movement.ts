import type { Value } from '#edge/domain/reading.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { Output } from './output.ts';

/*
 * What an output is believed to have, and when it moved: minimum times and rate limits count from there. A command counts as a
 * movement when it is sent, because from then on the device may have done it. Kept on disk for outputs with such limits.
 */

const hour = 3_600_000;

export interface Movement {
  /** null: not known. */
  readonly value: Value | null;
  /** Since when it has it; monotonic ms. Where that is not known: since the start, as if it had just been switched. */
  readonly since: number;
  /** Since when it may be otherwise (a start, a device that was away): until it is read, or has answered. Monotonic ms; null: known. */
  readonly doubt: number | null;
  /** The last movements within an hour, oldest first, monotonic ms; as many as the limit needs. */
  readonly moves: readonly number[];
}

/** Where the load runs: true, a number that is not 0, a text that is not empty. */
export function isOn(value: Value): boolean {
  return typeof value === 'number' ? value !== 0 : typeof value === 'boolean' ? value : value !== '';
}

/** The same as far as the point can tell: within its deadband, or half a step. */
export function isSameValue({ rule, place }: Pick<Output, 'rule' | 'place'>, a: Value | null, b: Value): boolean {
  if (typeof a !== 'number' || typeof b !== 'number') return a === b;
  return Math.abs(a - b) <= Math.max(place.point.deadband, (rule.step ?? 0) / 2, Math.abs(b) * 1e-6);
}

export function hasLimits({ rule }: Pick<Output, 'rule'>): boolean {
  return (rule.minOn ?? 0) > 0 || (rule.minOff ?? 0) > 0 || rule.maxPerHour !== undefined;
}

/** It was told this value, or was found to have it. The same value again is no movement. */
export function move(output: Output, value: Value, now: number): boolean {
  const { moved, rule } = output;
  if (isSameValue(output, moved.value, value)) return false;
  const recent = [...moved.moves, now].filter((time) => time > now - hour);
  output.moved = { value, since: now, doubt: null, moves: recent.slice(-(rule.maxPerHour ?? 1)) };
  return true;
}

/** It has been read: what was in doubt is not any more. Returns whether it was found to have moved meanwhile. */
export function learn(output: Output, value: Value, now: number): boolean {
  const { moved } = output;
  if (moved.value === null) {
    // When it was switched is still not known: it counts from the start.
    output.moved = { ...moved, value, doubt: null };
    return true;
  }
  const found = move(output, value, now);
  output.moved = { ...output.moved, doubt: null };
  return found;
}

/** Whoever was away may have lost its supply. */
export function doubt(output: Output, now: number): void {
  output.moved = { ...output.moved, doubt: now };
}

/** When the rate limit lets it move again, monotonic ms; 0: now. */
export function rateDue({ moved, rule }: Pick<Output, 'moved' | 'rule'>): number {
  const { maxPerHour } = rule;
  const oldest = maxPerHour === undefined ? undefined : moved.moves.at(-maxPerHour);
  return oldest === undefined || moved.moves.length < (maxPerHour ?? 0) ? 0 : oldest + hour;
}

/** For the disk: times as ms since epoch. */
export interface StoredMovement {
  readonly value: Value;
  readonly at: number;
  readonly moves: readonly number[];
}

/** Name of the state on disk: one row an output, so that a switching writes no more than its own. */
export function movementState(ref: string): string {
  return `switching:${ref}`;
}

/** null: nothing is known. */
export function storedMovement({ moved }: Output, clock: Clock): StoredMovement | null {
  if (moved.value === null) return null;
  const toWall = (time: number) => Math.round(clock.now() - (clock.monotonic() - time));
  return { value: moved.value, at: toWall(moved.since), moves: moved.moves.map(toWall) };
}

/** After a start: what is stored, in doubt; without it, as if it had just been switched. */
export function restoredMovement(stored: unknown, clock: Clock): Movement {
  const now = clock.monotonic();
  const unknown: Movement = { value: null, since: now, doubt: now, moves: [] };
  if (!isStored(stored)) return unknown;
  // What lies in the future was written under another clock: it counts as now.
  const toMonotonic = (time: number) => now - Math.max(0, clock.now() - time);
  return { value: stored.value, since: toMonotonic(stored.at), doubt: now, moves: stored.moves.map(toMonotonic) };
}

function isStored(state: unknown): state is StoredMovement {
  if (typeof state !== 'object' || state === null || !('value' in state && 'at' in state && 'moves' in state))
    return false;
  const { value, at, moves } = state;
  const isValue = typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string';
  return isValue && Number.isFinite(at) && Array.isArray(moves) && moves.every((time) => Number.isFinite(time));
}
