import type { PointRef } from '#edge/domain/ids.ts';
import { reasons, type Value } from '#edge/domain/reading.ts';
import type { Comparison } from '#edge/domain/rule.ts';
import { type CompiledInstance, isSensing } from '#edge/rules/compiled-rule.ts';
import type { Classify, ReplayPoint } from '#edge/store/replay.ts';

/** What instances ask of a point: tests, of which only the crossing matters; null: every value does (a rate). */
type Questions = Map<PointRef, Map<string, Comparison> | null>;

/** More tests of one point than this do not fit one number: then every sample is looked at. */
const mostTests = 16;

/**
 * The points that these instances look at. A sample that has the quality of the one before it and lies on the same side of every
 * threshold (where hysteresis gives three sides) changes no verdict: a month of them is passed over, and the rest decides the same.
 */
export function interestsOf(instances: readonly CompiledInstance[]): readonly ReplayPoint[] {
  const questions: Questions = new Map();
  for (const leaf of instances.flatMap(({ leaves }) => leaves.filter(isSensing))) {
    for (const ref of leaf.refs) ask(questions, ref, leaf.kind === 'rate' ? null : leaf.test);
  }
  return [...questions].map(([ref, tests]) => ({
    ref,
    classOf: tests === null || tests.size > mostTests ? null : classifier([...tests.values()]),
    isOrdered: [...(tests?.values() ?? [])].every((test) => 'above' in test || 'below' in test),
  }));
}

function ask(questions: Questions, ref: PointRef, test: Comparison | null): void {
  const known = questions.get(ref);
  if (test === null || known === null) {
    questions.set(ref, null);
    return;
  }
  const tests = known ?? new Map<string, Comparison>();
  tests.set(JSON.stringify(test), test);
  questions.set(ref, tests);
}

function classifier(tests: readonly Comparison[]): Classify {
  return (value, quality, reason) => {
    const why = reason === undefined ? 0 : reasons.indexOf(reason) + 1;
    let kind = why * 3 + (quality === 'good' ? 0 : quality === 'uncertain' ? 1 : 2);
    for (const test of tests) kind = kind * 4 + sideOf(test, value);
    return kind;
  };
}

/** 3: no value to compare. */
function sideOf(test: Comparison, value: Value | null): number {
  if (value === null) return 3;
  if ('is' in test) return value === test.is ? 1 : 0;
  if ('isNot' in test) return value !== test.isNot ? 1 : 0;
  if (typeof value !== 'number' || Number.isNaN(value)) return 3;
  const slack = test.hysteresis ?? 0;
  if ('above' in test) return value > test.above ? 2 : value > test.above - slack ? 1 : 0;
  return value < test.below ? 2 : value < test.below + slack ? 1 : 0;
}
