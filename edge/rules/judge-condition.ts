import type { CompiledInstance, Leaf, Tree } from './compiled-rule.ts';
import { judgeCircumstance } from './judge-circumstances.ts';
import { judgeEvent, judgeEvents, judgeTimes, judgeUnacknowledged } from './judge-happenings.ts';
import { judgePoints } from './judge-points.ts';
import type { InstanceMemory, LeafMemory } from './rule-memory.ts';
import { type Findings, no, type Scene, type Verdict } from './scene.ts';

/** Judges a condition, moving its memory on. `memory` and `findings` are written to; nothing else is. */
export function judge(
  tree: Tree,
  one: CompiledInstance,
  memory: InstanceMemory,
  scene: Scene,
  findings: Findings,
): Verdict {
  if (tree.kind === 'leaf') {
    const leaf = one.leaves[tree.at];
    const own = memory.leaves[tree.at];
    return leaf === undefined || own === undefined ? no : judgeLeaf(leaf, own, memory, scene, findings);
  }
  // Every part is judged, also behind a decided one: their memories and timers go on.
  const parts = tree.parts.map((part) => judge(part, one, memory, scene, findings));
  if (tree.kind === 'any') {
    return {
      trip: parts.some((part) => part.trip),
      stand: parts.some((part) => part.stand),
      now: parts.some((part) => part.now),
      fresh: parts.some((part) => part.fresh),
    };
  }
  // All of nothing says nothing: a rule that lost its conditions must not fire.
  if (parts.length === 0) return no;
  const stand = parts.every((part) => part.stand);
  return {
    trip: parts.every((part) => part.trip),
    stand,
    now: parts.every((part) => part.now),
    fresh: stand && parts.some((part) => part.fresh),
  };
}

function judgeLeaf(leaf: Leaf, own: LeafMemory, memory: InstanceMemory, scene: Scene, findings: Findings): Verdict {
  switch (leaf.kind) {
    case 'point':
    case 'rate':
      return judgePoints(leaf, own, memory, scene, findings);
    case 'edges':
      return judgeTimes(leaf, own, memory, scene, findings);
    case 'event':
      return judgeEvent(leaf, own, memory, scene, findings);
    case 'events':
      return judgeEvents(leaf, own, memory, scene, findings);
    case 'unacknowledged':
      return judgeUnacknowledged(leaf, own, memory, scene, findings);
    case 'calendar':
    case 'time':
    case 'mode':
      return judgeCircumstance(leaf, own, scene, findings);
  }
}
