import type { Action, Condition, Rule } from '#edge/domain/rule.ts';
import { mistake, mistakesOf, type RuleMistake } from './rule-mistakes.ts';
import {
  type ActionInput,
  type ConditionInput,
  type RuleInput,
  ruleFileSchema,
  ruleLimits,
  usualHold,
} from './rule-schema.ts';
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

// --- before anything looks closely --------------------------------------------------------------------------------

/** Levels of maps and lists; `nesting` of conditions takes two each, and what is around and inside a dozen more. */
const deepest = 32;
const mostNodes = 20_000;

/**
 * What is too large, too deep, no tree or no plain data: nothing behind here expects that. null: it can be looked at. Goes
 * without recursion, because what it guards against is what overflows a stack.
 */
export function findMonster(body: unknown): string | null {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value: body, depth: 0 }];
  let nodes = 0;
  let bytes = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    nodes += 1;
    if (nodes > mostNodes) return `has more than ${mostNodes} values`;
    if (depth > deepest) return `is nested more than ${deepest} deep`;
    if (typeof value === 'string') bytes += value.length;
    if (bytes > ruleLimits.bytes) return `has more than ${ruleLimits.bytes} characters`;
    if (typeof value !== 'object' || value === null) {
      if (['bigint', 'function', 'symbol'].includes(typeof value)) return `holds a ${typeof value}`;
      continue;
    }
    if (!Array.isArray(value) && !isPlain(value)) return 'holds what is no plain data';
    for (const [key, inner] of Object.entries(value)) {
      if (key === '__proto__') return 'has a key "__proto__"';
      bytes += key.length;
      open.push({ value: inner, depth: depth + 1 });
    }
  }
  return null;
}

function isPlain(value: object): boolean {
  const proto: unknown = Object.getPrototypeOf(value);
  return proto === Object.prototype || proto === null;
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
    // biome-ignore lint/suspicious/noThenProperty: the language's own word; nobody awaits this object
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
