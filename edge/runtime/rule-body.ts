import { createHash } from 'node:crypto';
import type { Action, Condition, Each, Rule, RuleTest, RuleTestExpectation, Selection } from '#edge/domain/rule.ts';

/* A rule as its file says it: the JSON that the API speaks and the store keeps. What is as usual is left out. */

export type RuleBody = Readonly<Record<string, unknown>>;

/** parseRule(ruleToBody(rule)) is the same rule again. */
export function ruleToBody(rule: Rule): RuleBody {
  return withoutAbsent({
    rule: 1,
    id: rule.id,
    name: rule.name,
    about: rule.about ?? undefined,
    kind: rule.kind,
    priority: rule.kind === 'safety' ? rule.priority : undefined,
    each: rule.each === null ? undefined : eachBody(rule.each),
    when: conditionBody(rule.when),
    while: rule.while.length === 0 ? undefined : rule.while.map(conditionBody),
    then: rule.then.map(actionBody),
    latch: rule.latch || undefined,
    clearAfter: rule.clearAfter === 0 ? undefined : formatDuration(rule.clearAfter),
    coolDown: rule.coolDown === 0 ? undefined : formatDuration(rule.coolDown),
    tests: rule.tests.length === 0 ? undefined : rule.tests.map(testBody),
  });
}

/** Of what the rule means: two files that differ in comments, order and spelling alone have the same. */
export function ruleHash(rule: Rule): string {
  return createHash('sha256')
    .update(JSON.stringify(ruleToBody(rule)))
    .digest('hex');
}

const units = { ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** The largest unit that says it in whole numbers: `90s`, `2min`, `12h`. */
export function formatDuration(ms: number): string {
  const fitting = Object.entries(units).filter(([, size]) => ms % size === 0);
  const [unit, size] = ms === 0 ? ['s', 1] : (fitting.at(-1) ?? ['ms', 1]);
  return `${ms / size}${unit}`;
}

/** Minutes after midnight as `HH:MM`. */
export function formatClock(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}

function withoutAbsent(object: Readonly<Record<string, unknown>>): RuleBody {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}

function selectionBody(selection: Selection): unknown {
  const { of, zones, spaces, tags, here } = selection;
  const rest = withoutAbsent({ zones, spaces, tags, here });
  return Object.keys(rest).length === 0 ? of : { of, ...rest };
}

function eachBody({ place, of }: Each): RuleBody {
  return { place, of: selectionBody(of) };
}

function conditionBody(condition: Condition): RuleBody {
  const { kind } = condition;
  const held = (ms: number) => (ms === 0 ? undefined : formatDuration(ms));
  switch (kind) {
    case 'point': {
      const { points, needs, test, for: stands, onBad } = condition;
      const counted = needs === 'any' ? undefined : needs;
      return withoutAbsent({ kind, points: selectionBody(points), needs: counted, test, for: held(stands), onBad });
    }
    case 'rate': {
      const { points, needs, change, within, onBad } = condition;
      const counted = needs === 'any' ? undefined : needs;
      const moved = { change, within: formatDuration(within) };
      return withoutAbsent({ kind, points: selectionBody(points), needs: counted, ...moved, onBad });
    }
    case 'event': {
      const { type, device, zones, here, for: stands } = condition;
      return withoutAbsent({ kind, type, device, zones, here, for: held(stands) });
    }
    case 'count': {
      const { of, atLeast, within } = condition;
      const counted =
        'event' in of ? withoutAbsent({ ...of }) : { points: selectionBody(of.points), becomes: of.becomes };
      return { kind, of: counted, atLeast, within: formatDuration(within) };
    }
    case 'unacknowledged':
      return { kind, rule: condition.rule, for: formatDuration(condition.for) };
    case 'calendar':
      return { kind, is: condition.is };
    case 'time': {
      const { from, to, days } = condition;
      return withoutAbsent({ kind, from: formatClock(from), to: formatClock(to), days });
    }
    case 'mode':
      return withoutAbsent({ kind, mode: condition.mode, is: condition.is ? undefined : false });
    case 'any':
    case 'all':
      return { kind, conditions: condition.conditions.map(conditionBody) };
  }
}

function actionBody(action: Action): RuleBody {
  const lasting = (ms: number | null) => (ms === null ? undefined : formatDuration(ms));
  switch (action.kind) {
    case 'hold':
      return withoutAbsent({ ...action, outputs: selectionBody(action.outputs), for: lasting(action.for) });
    case 'forbid':
      return { ...action, outputs: selectionBody(action.outputs) };
    case 'shed':
      return { ...action, every: formatDuration(action.every) };
    case 'broadcast':
      return withoutAbsent({ ...action, for: lasting(action.for) });
    case 'alarm':
    case 'snapshot':
    case 'notify':
      return { ...action };
  }
}

function testBody({ name, start, given, expect }: RuleTest): RuleBody {
  return withoutAbsent({
    name,
    start,
    given: given.length === 0 ? undefined : given.map((step) => ({ ...step, at: formatDuration(step.at) })),
    expect: expect.map((expected: RuleTestExpectation) => ({ ...expected, at: formatDuration(expected.at) })),
  });
}
