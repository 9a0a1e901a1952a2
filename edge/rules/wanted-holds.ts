import type { PointRef } from '#edge/domain/ids.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { CompiledInstance } from './compiled-rule.ts';
import type { HoldChange } from './decision.ts';
import type { Held, InstanceMemory } from './rule-memory.ts';
import { type Findings, type Scene, wakeBy } from './scene.ts';
import { stepShed } from './shed.ts';

export interface HoldSteps {
  readonly changes: readonly HoldChange[];
  /** Something was given back because its own time was over. */
  readonly hasEnded: boolean;
}

interface Wanted extends Held {
  readonly reason: string;
}

/** Moves the shed tiers on and says how what is wanted now differs from what was said before. */
export function stepHolds(
  one: CompiledInstance,
  memory: InstanceMemory,
  stands: boolean,
  why: string,
  scene: Scene,
  findings: Findings,
): HoldSteps {
  const wanted = new Map<PointRef, Wanted>();
  if (one.sheds.length > 0) wantShed(one, memory, stands, why, scene, findings, wanted);
  const over = memory.fired ? wantHolds(one, memory, why, scene, findings, wanted) : null;
  if (wanted.size === 0 && memory.held.size === 0 && one.forbids.length === 0 && memory.forbidden.size === 0) {
    return { changes: [], hasEnded: false };
  }
  const changes: HoldChange[] = [];
  const { owner } = one;
  const { priority } = one.rule;
  for (const [ref, { value, until, reason }] of wanted) {
    const before = memory.held.get(ref);
    if (before !== undefined && before.value === value && before.until === until) continue;
    const lasts = until === null ? null : Math.max(0, until - scene.monotonic);
    changes.push({ kind: 'hold', owner, ref, value, priority, reason, lasts });
  }
  let hasEnded = false;
  for (const ref of memory.held.keys()) {
    if (wanted.has(ref)) continue;
    const ended = over?.has(ref) === true;
    hasEnded ||= ended;
    changes.push({ kind: 'relinquish', owner, ref, reason: ended ? 'its time is over' : why });
  }
  memory.held.clear();
  for (const [ref, { value, until }] of wanted) memory.held.set(ref, { value, until });
  changes.push(...stepForbids(one, memory, why));
  return { changes, hasEnded };
}

function wantShed(
  one: CompiledInstance,
  memory: InstanceMemory,
  stands: boolean,
  why: string,
  scene: Scene,
  findings: Findings,
  wanted: Map<PointRef, Wanted>,
): void {
  memory.sheds = one.sheds.map((shed, i) => {
    const before = memory.sheds[i] ?? { count: 0, phase: 'release', nextAt: null };
    const after = stepShed(before, shed.order.length, shed.every, memory.fired, stands, scene.monotonic);
    if (after.nextAt !== null) wakeBy(findings, after.nextAt);
    if (after.count !== before.count || after.phase !== before.phase) memory.isDirty = true;
    shed.order.slice(0, after.count).forEach((ref, tier) => {
      const words = memory.fired ? why : `given back in turns: ${why}`;
      const reason = `${words} (tier ${tier + 1} of ${shed.order.length})`;
      wanted.set(ref, { value: shed.value, until: null, reason });
    });
    return after;
  });
}

/** Answers the outputs whose own time is over: they are not held again until it fires anew. */
function wantHolds(
  one: CompiledInstance,
  memory: InstanceMemory,
  why: string,
  scene: Scene,
  findings: Findings,
  wanted: Map<PointRef, Wanted>,
): ReadonlySet<PointRef> {
  const over = new Set<PointRef>();
  for (const { ref, value, for: lasts } of one.holds) {
    const until = lasts === null ? null : memory.firedAt + lasts;
    if (until !== null && scene.monotonic >= until) {
      over.add(ref);
      continue;
    }
    if (until !== null) wakeBy(findings, until);
    wanted.set(ref, { value, until, reason: why });
  }
  return over;
}

function stepForbids(one: CompiledInstance, memory: InstanceMemory, why: string): HoldChange[] {
  const wanted = new Map<PointRef, Value>();
  if (memory.fired) for (const { ref, value } of one.forbids) wanted.set(ref, value);
  const changes: HoldChange[] = [];
  const { owner } = one;
  const { priority } = one.rule;
  for (const [ref, value] of wanted) {
    if (memory.forbidden.get(ref) === value) continue;
    changes.push({ kind: 'forbid', owner, ref, value, priority, reason: why });
  }
  for (const ref of memory.forbidden.keys()) {
    if (!wanted.has(ref)) changes.push({ kind: 'permit', owner, ref, reason: why });
  }
  memory.forbidden.clear();
  for (const [ref, value] of wanted) memory.forbidden.set(ref, value);
  return changes;
}
