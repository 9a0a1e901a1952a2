import type { Condition, Rule, Selection } from '#edge/domain/rule.ts';
import { ruleOfInstance } from '#edge/domain/rule.ts';
import { mistake, type RuleMistake } from './rule-mistakes.ts';
import { type RuleInput, ruleLimits } from './rule-schema.ts';

/* What the shape of a rule file cannot say: which of its parts may stand together. */

type Keys = readonly (string | number)[];

interface Found {
  readonly condition: Condition;
  readonly keys: Keys;
  readonly depth: number;
}

/** Every mistake of a rule whose shape is right; `input` is what the file said. */
export function findNonsense(rule: Rule, input: RuleInput): RuleMistake[] {
  const conditions = [
    ...conditionsWithin(rule.when, ['when'], 1),
    ...rule.while.flatMap((condition, i) => conditionsWithin(condition, ['while', i], 1)),
  ];
  return [
    ...idMistakes(rule),
    ...kindMistakes(rule, input),
    ...sizeMistakes(conditions),
    ...conditions.flatMap((found) => conditionMistakes(rule, found)),
    ...whileMistakes(conditions),
    ...actionMistakes(rule),
    ...hereMistakes(rule, conditions),
    ...testMistakes(rule),
  ];
}

function conditionsWithin(condition: Condition, keys: Keys, depth: number): Found[] {
  const own = [{ condition, keys, depth }];
  // What is deeper is named once, not looked at.
  if ((condition.kind !== 'any' && condition.kind !== 'all') || depth > ruleLimits.nesting) return own;
  const inner = condition.conditions.flatMap((part, i) =>
    conditionsWithin(part, [...keys, 'conditions', i], depth + 1),
  );
  return [...own, ...inner];
}

/** They stand in the place of an id in the addresses of the API and of the console. */
const reservedIds: ReadonlySet<string> = new Set(['check', 'from-template', 'new', 'safety', 'templates']);

function idMistakes({ id }: Rule): RuleMistake[] {
  return reservedIds.has(id)
    ? [mistake(['id'], `"${id}" is the address of a page, not of a rule: choose another`)]
    : [];
}

function kindMistakes(rule: Rule, input: RuleInput): RuleMistake[] {
  const found: RuleMistake[] = [];
  if (rule.kind === 'safety') {
    if (input.priority === undefined) {
      found.push(mistake(['priority'], 'is missing: a safety rule says 1 (life safety) or 5 (critical equipment)'));
    }
    if (rule.coolDown > 0)
      found.push(mistake(['coolDown'], 'is not for safety rules: they fire as often as their cause'));
  } else if (input.priority !== undefined) {
    found.push(mistake(['priority'], 'is for safety rules only: every other rule runs at 12'));
  }
  if (rule.each?.of.here === true)
    found.push(mistake(['each', 'of', 'here'], 'has no meaning here: these points make the places'));
  return found;
}

function sizeMistakes(conditions: readonly Found[]): RuleMistake[] {
  const deep = conditions.find(({ depth }) => depth > ruleLimits.nesting);
  if (deep !== undefined) return [mistake(deep.keys, `is nested more than ${ruleLimits.nesting} deep`)];
  if (conditions.length <= ruleLimits.conditions) return [];
  return [
    mistake(
      ['when'],
      `has ${conditions.length} conditions with those of "while", and at most ${ruleLimits.conditions} are allowed`,
    ),
  ];
}

function conditionMistakes(rule: Rule, { condition, keys }: Found): RuleMistake[] {
  if (condition.kind === 'time' && condition.from === condition.to) {
    return [mistake([...keys, 'to'], 'is the same as "from": leave the condition out for the whole day')];
  }
  if (condition.kind === 'unacknowledged' && condition.rule === rule.id) {
    return [mistake([...keys, 'rule'], 'is this rule itself')];
  }
  const sounds = rule.then.some(({ kind }) => kind === 'broadcast');
  if (!sounds || (condition.kind !== 'point' && condition.kind !== 'rate') || condition.onBad !== 'trip') return [];
  return [
    mistake(
      [...keys, 'onBad'],
      'must not be trip where sound is made: a broken sensor must never evacuate a school; use hold',
    ),
  ];
}

function whileMistakes(conditions: readonly Found[]): RuleMistake[] {
  return conditions
    .filter(({ keys, condition }) => {
      return keys[0] === 'while' && !['calendar', 'time', 'mode', 'any', 'all'].includes(condition.kind);
    })
    .map(({ keys }) => mistake([...keys, 'kind'], 'must be calendar, time or mode here (or any, all of these)'));
}

function actionMistakes(rule: Rule): RuleMistake[] {
  const found: RuleMistake[] = [];
  const alarms = rule.then.flatMap(({ kind }, i) => (kind === 'alarm' ? [i] : []));
  for (const i of alarms.slice(1)) found.push(mistake(['then', i], 'is a second alarm: a rule has one'));
  rule.then.forEach((action, i) => {
    if (action.kind === 'forbid' && rule.kind !== 'safety') {
      found.push(mistake(['then', i, 'kind'], 'must not be forbid below safety: only safety rules forbid'));
    }
    for (const [key, words] of Object.entries(action)) {
      if (key === 'message' || key === 'next') found.push(...placeholderMistakes(words, ['then', i, key]));
    }
    if (action.kind !== 'shed') return;
    const repeated = action.order.findIndex((ref, at) => action.order.indexOf(ref) !== at);
    if (repeated >= 0) found.push(mistake(['then', i, 'order', repeated], 'is in the list twice'));
  });
  return found;
}

const placeholders = ['place', 'device', 'value', 'unit', 'count', 'since'];

function placeholderMistakes(words: { readonly zh: string; readonly en: string }, keys: Keys): RuleMistake[] {
  return (['zh', 'en'] as const).flatMap((language) =>
    [...words[language].matchAll(/\{([^{}]*)\}/g)]
      .filter(([, name = '']) => !placeholders.includes(name))
      .map(([whole]) => {
        const known = placeholders.map((name) => `{${name}}`).join(', ');
        return mistake([...keys, language], `has ${whole}, and only ${known} are filled in`);
      }),
  );
}

/** `here` is the place of an instance: without `each` there is none. */
function hereMistakes(rule: Rule, conditions: readonly Found[]): RuleMistake[] {
  if (rule.each !== null) return [];
  const wrong = (keys: Keys) => mistake(keys, 'is for rules with "each": without it there is no place to mean');
  const inConditions = conditions.flatMap(({ condition, keys }) => {
    if (condition.kind === 'event') return condition.here === true ? [wrong([...keys, 'here'])] : [];
    if (condition.kind === 'count') {
      if ('event' in condition.of) return condition.of.here === true ? [wrong([...keys, 'of', 'here'])] : [];
      return isHere(condition.of.points) ? [wrong([...keys, 'of', 'points', 'here'])] : [];
    }
    const hasPoints = condition.kind === 'point' || condition.kind === 'rate';
    return hasPoints && isHere(condition.points) ? [wrong([...keys, 'points', 'here'])] : [];
  });
  const inActions = rule.then.flatMap((action, i) => {
    if (action.kind === 'broadcast') return action.zones === 'here' ? [wrong(['then', i, 'zones'])] : [];
    if (action.kind !== 'hold' && action.kind !== 'forbid') return [];
    return isHere(action.outputs) ? [wrong(['then', i, 'outputs', 'here'])] : [];
  });
  return [...inConditions, ...inActions];
}

function isHere(selection: Selection): boolean {
  return selection.here === true;
}

function testMistakes(rule: Rule): RuleMistake[] {
  return rule.tests.flatMap((test, t) => {
    const backwards = ['given', 'expect'] as const;
    const order = backwards.flatMap((part) =>
      test[part].flatMap(({ at }, i) =>
        at < (test[part][i - 1]?.at ?? 0) ? [mistake(['tests', t, part, i, 'at'], 'is before the one above it')] : [],
      ),
    );
    const strangers = test.expect.flatMap(({ fired = [] }, e) =>
      fired.flatMap((instance, f) => {
        const keys = ['tests', t, 'expect', e, 'fired', f];
        if (ruleOfInstance(instance) !== rule.id) return [mistake(keys, `is no instance of "${rule.id}"`)];
        if (instance.includes('@') === (rule.each !== null)) return [];
        return [
          mistake(
            keys,
            rule.each === null ? 'has a place, but the rule has no "each"' : `must say its place: ${rule.id}@<place>`,
          ),
        ];
      }),
    );
    return [...order, ...strangers];
  });
}
