import type { ShedMemory } from './rule-memory.ts';

/**
 * One tier when it fires and one more each `every` ms while the cause stands; over, they come back in reverse at the same
 * pace, so that the load does not return at once and trip it again.
 */
export function stepShed(
  before: ShedMemory,
  tiers: number,
  every: number,
  fired: boolean,
  stands: boolean,
  monotonic: number,
): ShedMemory {
  const due = before.nextAt !== null && monotonic >= before.nextAt;
  if (fired) {
    const first = before.phase === 'release';
    if (!first && !stands) return { ...before, nextAt: null };
    const more = first || due;
    const count = Math.min(tiers, before.count + (more ? 1 : 0));
    // A latched trip may begin without its cause: then nobody counts the time to the next tier.
    const isLast = count >= tiers || !stands;
    const nextAt = isLast ? null : more ? monotonic + every : (before.nextAt ?? monotonic + every);
    return { count, phase: 'shed', nextAt };
  }
  if (before.count === 0) return { count: 0, phase: 'release', nextAt: null };
  const begins = before.phase === 'shed';
  const back = begins || due;
  const count = before.count - (back ? 1 : 0);
  const nextAt = count === 0 ? null : back ? monotonic + every : (before.nextAt ?? monotonic + every);
  return { count, phase: 'release', nextAt };
}
