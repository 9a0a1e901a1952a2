import type { Action, Condition, Rule } from '#edge/domain/rule.ts';
import { mistake, mistakesOf, type RuleMistake } from './rule-mistakes.ts';
import { findMonster } from './rule-monster.ts';
import { type ActionInput, type ConditionInput, type RuleInput, ruleFileSchema, usualHold } from './rule-schema.ts';
import { findNonsense } from './rule-sense.ts';

/* What a rule file holds, as JSON (its body: durations are text), made the domain's rule; or every mistake in it. */

export type ParsedRule =
  | { readonly ok: true; readonly rule: Rule }
  | { readonly ok: false; readonly mistakes: readonly RuleMistake[] };

/** More than people read at once are counted. */
const mostMistakes = 50;

/** Never throws, whatever it is given. */
export function parseRule(body: unknown): ParsedRule {
  const shapeless = findMonster(body);
  if (shapeless !== null) return { ok: false, mistakes: [mistake([], shapeless)] };
  const result = ruleFileSchema.safeParse(body);
  if (!result.success) return { ok: false, mistakes: fewer(mistakesOf(result.error)) };
  const rule = toRule(result.data);
  const mistakes = findNonsense(rule, result.data);
  return mistakes.length > 0 ? { ok: false, mistakes: fewer(mistakes) } : { ok: true, rule };
}

function fewer(mistakes: readonly RuleMistake[]): readonly RuleMistake[] {
  if (mistakes.length <= mostMistakes) return mistakes;
  return [...mistakes.slice(0, mostMistakes), mistake([], `and ${mistakes.length - mostMistakes} more mistakes`)];
}

// --- the domain's rule ----------------------------------------------------------------------------------------------

function toRule(input: RuleInput): Rule {
  const isSafety = input.kind === 'safety';
  return {
    id: input.id,
    name: input.name,
    about: input.about ?? null,
    kind: input.kind,
    // A safety rule without one is a mistake that findNonsense names.
    priority: isSafety ? (input.priority ?? 5) : 12,
    each: (input.each ?? null) as Rule['each'],
    when: toCondition(input.when),
    while: input.while.map(toCondition),
    then: input.then.map((action) => toAction(action, isSafety)),
    latch: input.latch,
    clearAfter: input.clearAfter,
    coolDown: input.coolDown,
    tests: input.tests as Rule['tests'],
  };
}

/** The shapes are the same: zod only says `undefined` where the domain says absent, and it leaves absent keys out. */
function toCondition(input: ConditionInput): Condition {
  return input as Condition;
}

function toAction(input: ActionInput, isSafety: boolean): Action {
  if (input.kind !== 'hold' && input.kind !== 'broadcast') return input as Action;
  return { ...input, for: input.for ?? (isSafety ? null : usualHold) } as Action;
}
