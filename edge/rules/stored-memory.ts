import type { DeviceId, HappeningId, ZoneId } from '#edge/domain/ids.ts';
import { type CompiledInstance, isSensing, type Leaf } from './compiled-rule.ts';
import { type EventTrace, type InstanceMemory, type LeafMemory, newInstanceMemory } from './rule-memory.ts';

/*
 * What of an instance outlives a restart, as plain JSON under `rule:<instance>`: that it is fired, since when and why, the verdicts
 * that were true, shed tiers, the end of its cool-down. Timers of `for`, sliding windows and what was told to `commands` start anew:
 * the restart itself must neither fire nor end anything, so a verdict of a window that was true stands for one more window.
 */

const format = 1;

interface StoredLeaf {
  readonly key: string;
  readonly verdict: boolean;
  /** Points (or instances whose alarm is waited for) that said so. */
  readonly on: readonly string[];
  readonly event?: EventTrace;
}

interface StoredInstance {
  readonly format: typeof format;
  readonly fired: boolean;
  readonly reason: string;
  readonly since: number | null;
  readonly coolsUntil: number | null;
  readonly leaves: readonly StoredLeaf[];
  readonly sheds: readonly { readonly count: number; readonly phase: 'shed' | 'release' }[];
}

export function stateName(instance: string): string {
  return `rule:${instance}`;
}

/** null: nothing of it is worth keeping. */
export function storedForm(one: CompiledInstance, memory: InstanceMemory): StoredInstance | null {
  const leaves = one.leaves.flatMap((leaf, i) => {
    const own = memory.leaves[i];
    return own === undefined ? [] : storedLeaf(leaf, own);
  });
  const sheds = memory.sheds.map(({ count, phase }) => ({ count, phase }));
  const { fired, reason, since, coolsUntilTime: coolsUntil } = memory;
  const isWorthIt = fired || coolsUntil !== null || leaves.length > 0 || sheds.some(({ count }) => count > 0);
  return isWorthIt ? { format, fired, reason, since, coolsUntil, leaves, sheds } : null;
}

function storedLeaf(leaf: Leaf, own: LeafMemory): StoredLeaf[] {
  if (leaf.kind === 'calendar' || leaf.kind === 'time' || leaf.kind === 'mode') return [];
  // Its points remember what they said last only to find the next beginning, which must be seen.
  const points = !isSensing(leaf) || leaf.kind === 'edges' ? [] : leaf.refs.filter((_, i) => own.points[i]?.verdict);
  const alarms = [...own.alarms].flatMap(([instance, { verdict }]) => (verdict ? [instance] : []));
  const on = [...points, ...alarms].sort();
  if (!own.verdict && on.length === 0) return [];
  return [{ key: leaf.key, verdict: own.verdict, on, ...(own.event === null ? {} : { event: own.event }) }];
}

/** The memory to start with. Anything that is not ours is as if nothing had been stored. */
export function restoreMemory(one: CompiledInstance, stored: unknown): InstanceMemory {
  const memory = newInstanceMemory(one);
  if (stored === undefined || stored === null) return memory;
  memory.isStored = true;
  if (!isStoredInstance(stored)) return memory;
  memory.isRestored = true;
  memory.fired = stored.fired;
  memory.reason = stored.reason;
  memory.since = stored.since;
  memory.coolsUntilTime = stored.coolsUntil;
  memory.sheds = stored.sheds.map(({ count, phase }) => ({ count, phase, nextAt: null }));
  const byKey = new Map(stored.leaves.map((leaf) => [leaf.key, leaf]));
  one.leaves.forEach((leaf, i) => {
    const known = byKey.get(leaf.key);
    const own = memory.leaves[i];
    if (known !== undefined && own !== undefined) restoreLeaf(leaf, own, known);
  });
  return memory;
}

function restoreLeaf(leaf: Leaf, own: LeafMemory, known: StoredLeaf): void {
  own.verdict = known.verdict;
  own.event = known.event ?? null;
  const on = new Set(known.on);
  if (leaf.kind === 'unacknowledged') {
    for (const instance of known.on) own.alarms.set(instance, { since: null, verdict: true });
  }
  if (!isSensing(leaf)) return;
  leaf.refs.forEach((ref, i) => {
    const point = own.points[i];
    if (point !== undefined) point.verdict = on.has(ref);
  });
}

function isStoredInstance(stored: unknown): stored is StoredInstance {
  return (
    isRecord(stored) &&
    stored.format === format &&
    typeof stored.fired === 'boolean' &&
    typeof stored.reason === 'string' &&
    isTimeOrNull(stored.since) &&
    isTimeOrNull(stored.coolsUntil) &&
    Array.isArray(stored.leaves) &&
    stored.leaves.every(isStoredLeaf) &&
    Array.isArray(stored.sheds) &&
    stored.sheds.every(isStoredShed)
  );
}

function isStoredLeaf(leaf: unknown): leaf is StoredLeaf {
  return (
    isRecord(leaf) &&
    typeof leaf.key === 'string' &&
    typeof leaf.verdict === 'boolean' &&
    Array.isArray(leaf.on) &&
    leaf.on.every((one) => typeof one === 'string') &&
    (leaf.event === undefined || isTrace(leaf.event))
  );
}

function isTrace(
  event: unknown,
): event is { readonly id: HappeningId; readonly device?: DeviceId; readonly zone?: ZoneId } {
  const isText = (value: unknown) => value === undefined || typeof value === 'string';
  return isRecord(event) && typeof event.id === 'string' && isText(event.device) && isText(event.zone);
}

function isStoredShed(shed: unknown): shed is StoredInstance['sheds'][number] {
  return isRecord(shed) && Number.isInteger(shed.count) && (shed.phase === 'shed' || shed.phase === 'release');
}

function isTimeOrNull(value: unknown): boolean {
  return value === null || Number.isFinite(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
