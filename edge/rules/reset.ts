import { evidenceOf } from './evidence.ts';
import type { Running } from './rule-index.ts';
import type { LeafMemory } from './rule-memory.ts';

export interface ResetOutcome {
  readonly reset: boolean;
  readonly isFired: boolean;
  /** For people: why it was not reset, or that it was. */
  readonly message: string;
}

/**
 * A person resets a fired instance. Refused while usable values or a standing alarm still say so; verdicts that are only remembered
 * (their points cannot be used) are forgotten. Look right after it: that relinquishes the holds.
 */
export function resetMemory({ compiled, memory }: Running, why: string): ResetOutcome {
  const isSafety = compiled.rule.kind === 'safety';
  const name = `${isSafety ? 'interlock' : 'rule'} "${compiled.id}"`;
  if (!memory.fired) {
    return { reset: false, isFired: false, message: `${name} is not ${isSafety ? 'tripped' : 'fired'}` };
  }
  if (memory.standing === 'now') {
    const message = `the cause of ${name} still stands: ${evidenceOf(compiled, memory)}`;
    return { reset: false, isFired: true, message };
  }
  memory.leaves.forEach((own, i) => {
    forget(own, compiled.leaves[i]?.kind === 'edges');
  });
  memory.fired = false;
  memory.since = null;
  memory.reason = why;
  memory.standing = 'no';
  memory.goneSince = null;
  memory.goneCredit = 0;
  memory.wasReset = true;
  memory.isPrimed = false;
  memory.isRestored = false;
  memory.isDirty = true;
  return { reset: true, isFired: true, message: `${name} is reset` };
}

function forget(own: LeafMemory, isEdges: boolean): void {
  own.verdict = false;
  own.runningSince = null;
  own.credit = 0;
  own.untilAt = null;
  own.event = null;
  own.times.length = 0;
  own.alarms.clear();
  // What is so now has not begun again because somebody pressed a button.
  if (isEdges) return;
  for (const point of own.points) {
    point.verdict = false;
    point.keptUntil = null;
  }
}
