import type { Hold } from '#edge/domain/output.ts';
import { compareStrength, isExpired, maxHolds } from '#edge/rules/priorities.ts';

export interface Put {
  readonly holds: readonly Hold[];
  /** False when the array is full and the new hold is not stronger than any in it. */
  readonly accepted: boolean;
  /** The weakest hold, if it had to make room for a stronger one. */
  readonly displaced: Hold | null;
}

/**
 * Sets or refreshes the one hold an owner has on an output. A refresh of the same value at the same priority keeps
 * its `since`, and with it its rank.
 */
export function putHold(holds: readonly Hold[], hold: Hold): Put {
  const before = holds.find((one) => one.owner === hold.owner);
  const others = holds.filter((one) => one !== before);
  const isRefresh = before !== undefined && before.value === hold.value && before.priority === hold.priority;
  const mine = isRefresh ? { ...hold, since: before.since } : hold;
  if (others.length < maxHolds) return { holds: [...others, mine], accepted: true, displaced: null };
  const weakest = [...others].sort(compareStrength).at(-1);
  if (weakest === undefined || weakest.priority <= mine.priority) return { holds, accepted: false, displaced: null };
  return { holds: [...others.filter((one) => one !== weakest), mine], accepted: true, displaced: weakest };
}

/** Splits off what has expired. */
export function splitExpired(holds: readonly Hold[], now: number): { live: readonly Hold[]; expired: readonly Hold[] } {
  const expired = holds.filter((hold) => isExpired(hold, now));
  return expired.length === 0 ? { live: holds, expired } : { live: holds.filter((h) => !isExpired(h, now)), expired };
}
