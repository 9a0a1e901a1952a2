import type { PointRef } from '#edge/domain/ids.ts';
import { type CompiledInstance, isCircumstance, isSensing, type Leaf, type Tree } from './compiled-rule.ts';
import type { ConditionNow, InstanceView, WhyView } from './engine.ts';
import { isMet } from './judge-circumstances.ts';
import type { Running } from './rule-index.ts';
import { type InstanceMemory, type LeafMemory, type PointMemory, says } from './rule-memory.ts';
import type { Scene } from './scene.ts';

const maxPoints = 20;

/** What an instance sees now, condition by condition: above all why it is not fired. Changes nothing. */
export function explain({ compiled, memory }: Running, instance: InstanceView, scene: Scene): WhyView {
  return {
    instance,
    when: conditionNow(compiled.when, compiled, memory, scene),
    while: compiled.whiles.map((tree) => conditionNow(tree, compiled, memory, scene)),
    holds: [...memory.held].map(([ref, { value }]) => ({ ref, value })),
  };
}

function conditionNow(tree: Tree, one: CompiledInstance, memory: InstanceMemory, scene: Scene): ConditionNow {
  if (tree.kind !== 'leaf') {
    const parts = tree.parts.map((part) => conditionNow(part, one, memory, scene));
    const count = parts.filter(({ met }) => met).length;
    const needs = tree.kind === 'any' ? 1 : parts.length;
    const met = parts.length > 0 && count >= needs;
    return { kind: tree.kind, path: tree.path, met, dueAt: null, count, needs, points: [], parts };
  }
  const leaf = one.leaves[tree.at];
  const own = memory.leaves[tree.at];
  const none = {
    kind: 'point',
    path: tree.path,
    met: false,
    dueAt: null,
    count: null,
    needs: null,
    points: [],
    parts: [],
  };
  if (leaf === undefined || own === undefined) return none;
  const kind = leaf.kind === 'edges' || leaf.kind === 'events' ? 'count' : leaf.kind;
  return {
    ...none,
    kind,
    met: isCircumstance(leaf) ? isMet(leaf, scene) : own.verdict,
    dueAt: dueAt(leaf, own, scene),
    ...countsOf(leaf, own),
    points: isSensing(leaf) ? pointsNow(leaf.refs, own, scene, leaf.kind === 'edges') : [],
  };
}

function countsOf(leaf: Leaf, own: LeafMemory): Pick<ConditionNow, 'count' | 'needs'> {
  if (leaf.kind === 'edges' || leaf.kind === 'events') return { count: own.times.length, needs: leaf.atLeast };
  if (isSensing(leaf)) return { count: own.tally.stand, needs: leaf.needed };
  return { count: null, needs: null };
}

/** Only what stands already and lacks time. */
function dueAt(leaf: Leaf, own: LeafMemory, { now, monotonic }: Scene): number | null {
  if (own.verdict) return null;
  if (leaf.kind === 'point' && own.runningSince !== null) {
    return Math.round(now + Math.max(0, leaf.for - own.credit - (monotonic - own.runningSince)));
  }
  if (leaf.kind !== 'unacknowledged') return null;
  const begun = [...own.alarms.values()].flatMap(({ since }) => (since === null ? [] : [since]));
  return begun.length === 0 ? null : Math.round(now + Math.max(0, Math.min(...begun) + leaf.for - monotonic));
}

function pointsNow(refs: readonly PointRef[], own: LeafMemory, scene: Scene, isEdges: boolean): ConditionNow['points'] {
  const metOf = (point: PointMemory): boolean | null => {
    if (point.says & says.fresh) return true;
    if (point.reading === undefined || (point.says & ~says.fresh) !== 0) return null;
    return isEdges ? point.verdict : false;
  };
  return refs
    .map((ref, i) => ({ ref, point: own.points[i] }))
    .map(({ ref, point }) => {
      const reading = point?.reading ?? scene.latest.get(ref);
      return {
        ref,
        value: reading?.value ?? null,
        quality: reading?.quality ?? ('bad' as const),
        ...(reading === undefined ? { reason: 'never-read' as const } : reading.reason && { reason: reading.reason }),
        time: reading?.sourceTime ?? 0,
        met: point === undefined ? null : metOf(point),
      };
    })
    .sort((a, b) => rank(a.met) - rank(b.met))
    .slice(0, maxPoints);
}

function rank(met: boolean | null): number {
  return met === true ? 0 : met === null ? 1 : 2;
}
