import type { CompiledInstance } from './compiled-rule.ts';
import type { Decision } from './decision.ts';
import { didOf, maxDid, type Outcome } from './evaluate-instance.ts';
import type { InstanceMemory } from './rule-memory.ts';
import type { Scene } from './scene.ts';

/** An instance that is no more, or no longer under this name: what it holds is given back by the next step. */
export interface Departed {
  readonly compiled: CompiledInstance;
  readonly memory: InstanceMemory;
  /** Its name goes on, under the same owner (nothing is given back) or under another one (its blind alarm stays). */
  readonly goesOn?: 'here' | 'elsewhere';
}

export function depart({ compiled: one, memory, goesOn }: Departed, scene: Scene): Outcome {
  const reason = 'the rule was taken out or changed';
  const decisions: Decision[] = [];
  for (const ref of memory.held.keys()) decisions.push({ kind: 'relinquish', owner: one.owner, ref, reason });
  for (const ref of memory.forbidden.keys()) decisions.push({ kind: 'permit', owner: one.owner, ref, reason });
  const sources: [string, boolean][] = [];
  if (goesOn !== 'here') sources.push([one.owner, memory.saidAlarm]);
  if (goesOn === undefined) sources.push([one.blindSource, memory.saidBlind]);
  for (const [source, said] of sources) {
    const isOpen = scene.isShadow ? said : scene.openAlarms.get(source)?.active === true;
    if (isOpen) decisions.push({ kind: 'return', source, reason });
  }
  const isQuiet = !memory.fired && decisions.length === 0;
  const journal = {
    time: scene.now,
    rule: one.rule.id,
    instance: one.id,
    version: one.version,
    shadow: scene.isShadow,
    what: 'ended' as const,
    why: reason,
    saw: [],
    did: decisions.flatMap(didOf).slice(0, maxDid),
  };
  return { decisions, journal: isQuiet ? [] : [journal], wakeAt: null, wakeTime: null };
}
