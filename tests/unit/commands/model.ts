import type { Forbid, Hold, Priority } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';

/*
 * What must be true of outputs, written down once more and as plainly as can be: who holds, who wins, how long a switch must rest.
 * The real thing is checked against it (interleavings.test.ts).
 */

type Held = Pick<Hold, 'owner' | 'priority' | 'value' | 'since' | 'until'>;
type Barred = Pick<Forbid, 'owner' | 'priority' | 'value'>;

export interface OutputModel {
  readonly failSafe: Value | 'keep';
  readonly minOn: number;
  readonly minOff: number;
  readonly maxPerHour: number;
  holds: Held[];
  forbids: Barred[];
  /** Every command that differed from the one before it: when (monotonic ms), and what it said. */
  told: { readonly at: number; readonly value: Value }[];
}

export interface Winner {
  readonly value: Value;
  /** null: the fail-safe value, which is nobody's wish. */
  readonly owner: string | null;
  readonly strength: Priority;
  readonly until: number | null;
}

/** The hold of an owner; the same value at the same priority keeps its rank. */
export function put(output: OutputModel, hold: Held): void {
  const before = output.holds.find(({ owner }) => owner === hold.owner);
  const isRefresh = before !== undefined && before.value === hold.value && before.priority === hold.priority;
  output.holds = output.holds.filter((one) => one !== before);
  output.holds.push(isRefresh ? { ...hold, since: before.since } : hold);
}

export function drop(output: OutputModel, owner: string): void {
  output.holds = output.holds.filter((one) => one.owner !== owner);
}

/** How many ended. */
export function expire(output: OutputModel, now: number): number {
  const live = output.holds.filter(({ until }) => until === null || until > now);
  const ended = output.holds.length - live.length;
  output.holds = live;
  return ended;
}

export function isBarred(output: OutputModel, value: Value, strength: Priority, isFailSafe = false): boolean {
  return output.forbids.some((one) => one.value === value && (isFailSafe || strength > one.priority));
}

export function winnerOf(output: OutputModel): Winner | null {
  const rank = (a: Held, b: Held) => {
    if (a.priority !== b.priority) return a.priority - b.priority;
    if (a.since !== b.since) return b.since - a.since;
    return a.owner < b.owner ? -1 : 1;
  };
  for (const { value, owner, priority, until } of [...output.holds].sort(rank)) {
    if (!isBarred(output, value, priority)) return { value, owner, strength: priority, until };
  }
  const { failSafe } = output;
  if (failSafe === 'keep' || isBarred(output, failSafe, 15, true)) return null;
  return { value: failSafe, owner: null, strength: 15, until: null };
}

/** Why this command may not be given now; null: it may. */
export function tooSoon(output: OutputModel, value: Value, strength: Priority, at: number): string | null {
  const last = output.told.at(-1);
  if (strength === 1 || last === undefined || last.value === value) return null;
  const [was, is] = [isRunning(last.value), isRunning(value)];
  if (!was && is && at - last.at < output.minOff) return `on ${at - last.at} ms after it was told off`;
  if (strength <= 5) return null;
  if (was && !is && at - last.at < output.minOn) return `off ${at - last.at} ms after it was told on`;
  const recent = output.told.filter((one) => one.at > at - 3_600_000).length;
  return recent >= output.maxPerHour ? `switching ${recent + 1} within an hour` : null;
}

function isRunning(value: Value): boolean {
  return value !== false && value !== 0 && value !== '';
}
