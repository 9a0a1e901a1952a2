import type { Forbid, Hold, Priority } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import { impliedRank } from './sound-habits.ts';

/**
 * Most holds one output may have. Owners are named by configuration (interlocks, clients, schedules), so a real campus
 * stays far below; the bound is for what is not real.
 */
export const maxHolds = 32;

export interface Arbitration {
  /** Who has the output: the strongest that no forbid bars; null when nobody does. */
  readonly winner: Hold | null;
  /** Every hold that has not expired, strongest first; also those that a forbid bars. */
  readonly stack: readonly Hold[];
}

/**
 * Who has an output. The lower priority number wins, as in BACnet's priority array (ASHRAE 135 clause 19.2). BACnet has
 * one slot per priority, which the last writer takes; so between different owners of one priority the newest value
 * wins. Unlike BACnet the older hold is not lost: it comes back when the newer one goes. `since` is when an owner last
 * changed its *value*: an owner that only refreshes its hold does not push past another of the same priority, or two
 * flows that refresh every minute would make a relay chatter.
 *
 * A hold that a permissive bars is passed over, not dropped: it has its turn when the permissive is given again.
 */
export function arbitrate(holds: readonly Hold[], now: number, forbids: readonly Forbid[] = []): Arbitration {
  const stack = holds.filter((hold) => !isExpired(hold, now)).sort(compareStrength);
  return { winner: stack.find(({ value, priority }) => barring(forbids, value, priority) === null) ?? null, stack };
}

/**
 * The strongest forbid that bars this value at this priority; null when it may be given. What is as strong as the forbid is
 * not barred: of two safety rules at one priority the one that acts wins. `failsafe`, which nobody holds, is the weakest.
 */
export function barring(forbids: readonly Forbid[], value: Value, priority: Priority | 'failsafe'): Forbid | null {
  let strongest: Forbid | null = null;
  for (const forbid of forbids) {
    if (forbid.value !== value || (priority !== 'failsafe' && priority <= forbid.priority)) continue;
    if (strongest === null || forbid.priority < strongest.priority) strongest = forbid;
  }
  return strongest;
}

/** A hold ends at `until`, not after it. */
export function isExpired(hold: Hold, now: number): boolean {
  return hold.until !== null && hold.until <= now;
}

/**
 * Negative when `a` is stronger. A total order: owners are unique on an output. Where lives are at stake no rule silences what another one
 * says: of priority 1 a loudspeaker's silence ('') is the weakest, however new it is.
 *
 * Sound has a ladder of its own within a priority (`Hold.rank`, decision 33): the lower rank wins, and of equal ranks the one that spoke first keeps
 * the word. A hold without a rank counts as the strongest class of its priority; of equals the ranked one wins, because the arbiter of
 * sound, whose holds are ranked, does not ask while another one has the word. Holds without any rank are as they were.
 */
export function compareStrength(a: Hold, b: Hold): number {
  if (a.priority !== b.priority) return a.priority - b.priority;
  if (a.priority === 1 && (a.value === '') !== (b.value === '')) return a.value === '' ? 1 : -1;
  const [first, second] = [rankIn(a), rankIn(b)];
  if (first !== second) return first - second;
  if ((a.rank === undefined) !== (b.rank === undefined)) return a.rank === undefined ? 1 : -1;
  if (a.since !== b.since) return a.rank === undefined ? b.since - a.since : a.since - b.since;
  return a.owner < b.owner ? -1 : a.owner > b.owner ? 1 : 0;
}

function rankIn({ rank, priority }: Hold): number {
  return rank ?? impliedRank[priority];
}
