import type { PointRef } from '#edge/domain/ids.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { CompiledInterlock } from './compile.ts';
import type { HoldChange } from './decision.ts';
import { type InterlockMemory, ownerOf, type ShedMemory } from './interlock-state.ts';
import type { Findings } from './judge.ts';

/** Moves the shed tiers on and says how the wanted holds differ from those that were said before. */
export function stepHolds(
  one: CompiledInterlock,
  memory: InterlockMemory,
  stands: boolean,
  why: string,
  monotonic: number,
  findings: Findings,
): HoldChange[] {
  const wanted = new Map<PointRef, { readonly value: Value; readonly reason: string }>();
  memory.sheds = one.sheds.map((shed, i) => {
    const before = memory.sheds[i] ?? { count: 0, phase: 'release', nextAt: null };
    const after = stepShed(before, shed.order.length, shed.every, memory.tripped, stands, monotonic);
    if (after.nextAt !== null && (findings.wakeAt === null || after.nextAt < findings.wakeAt)) {
      findings.wakeAt = after.nextAt;
    }
    shed.order.slice(0, after.count).forEach((ref, tier) => {
      const words = memory.tripped ? why : `given back in turns: ${why}`;
      wanted.set(ref, { value: shed.value, reason: `${words} (tier ${tier + 1} of ${shed.order.length})` });
    });
    return after;
  });
  if (memory.tripped) for (const [ref, value] of one.holds) wanted.set(ref, { value, reason: why });

  const { id, priority } = one.interlock;
  const owner = ownerOf(id);
  const changes: HoldChange[] = [];
  for (const [ref, { value, reason }] of wanted) {
    if (memory.held[ref] !== value) changes.push({ kind: 'hold', owner, ref, value, priority, reason, lasts: null });
  }
  for (const ref of Object.keys(memory.held) as PointRef[]) {
    if (!wanted.has(ref)) changes.push({ kind: 'relinquish', owner, ref, reason: why });
  }
  memory.held = Object.fromEntries([...wanted].map(([ref, { value }]) => [ref, value]));
  return changes;
}

/**
 * One tier at the trip and one more each `every` ms while the cause stands; over, they come back in reverse at the same
 * pace, so that the load does not return at once and trip it again.
 */
export function stepShed(
  before: ShedMemory,
  tiers: number,
  every: number,
  tripped: boolean,
  stands: boolean,
  monotonic: number,
): ShedMemory {
  const due = before.nextAt !== null && monotonic >= before.nextAt;
  if (tripped) {
    const first = before.phase === 'release';
    if (!first && !stands) return { ...before, nextAt: null };
    const more = first || due;
    const count = Math.min(tiers, before.count + (more ? 1 : 0));
    const nextAt = count >= tiers ? null : more ? monotonic + every : (before.nextAt ?? monotonic + every);
    return { count, phase: 'shed', nextAt };
  }
  if (before.count === 0) return { count: 0, phase: 'release', nextAt: null };
  const begins = before.phase === 'shed';
  const back = begins || due;
  const count = before.count - (back ? 1 : 0);
  const nextAt = count === 0 ? null : back ? monotonic + every : (before.nextAt ?? monotonic + every);
  return { count, phase: 'release', nextAt };
}
