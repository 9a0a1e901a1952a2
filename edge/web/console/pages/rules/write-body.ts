import type { Action, Condition, Selection } from '#edge/domain/rule.ts';
import type { Body, Draft } from './read-body.ts';

/* A draft as the body that the API takes and the file holds: durations as text, what is as usual left out. */

export function writeBody(draft: Draft): Body {
  return present({
    rule: 1,
    id: draft.id,
    name: draft.name,
    about: draft.about === null || (draft.about.zh === '' && draft.about.en === '') ? undefined : draft.about,
    kind: draft.kind,
    priority: draft.kind === 'safety' ? draft.priority : undefined,
    each: draft.each === null ? undefined : { place: draft.each.place, of: selection(draft.each.of) },
    when: condition(draft.when),
    while: draft.while.length === 0 ? undefined : draft.while.map(condition),
    then: draft.then.map(action),
    latch: draft.latch || undefined,
    clearAfter: lasting(draft.clearAfter),
    coolDown: lasting(draft.coolDown),
    tests: draft.tests.length === 0 ? undefined : draft.tests,
  });
}

const sizes = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/** ms in the largest unit that says it in whole numbers: `[90, 's']`. */
export function splitDuration(ms: number): readonly [count: number, unit: (typeof sizes)[number][0]] {
  if (ms === 0) return [0, 's'];
  const [unit, size] = sizes.find(([, one]) => ms % one === 0) ?? ['ms', 1];
  return [ms / size, unit];
}

export function durationBody(ms: number): string {
  return splitDuration(ms).join('');
}

/** Minutes after midnight as `HH:MM`. */
export function clockBody(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

function lasting(ms: number | null): string | undefined {
  return ms === null || ms === 0 ? undefined : durationBody(ms);
}

function present(body: Body): Body {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}

function selection({ of, zones, spaces, tags, here }: Selection): unknown {
  const filled = (some: readonly string[] | undefined) => (some === undefined || some.length === 0 ? undefined : some);
  const rest = present({ zones: filled(zones), spaces: filled(spaces), tags: filled(tags), here });
  return Object.keys(rest).length === 0 ? of : { of, ...rest };
}

function condition(one: Condition): Body {
  const { kind } = one;
  switch (kind) {
    case 'point': {
      const needs = one.needs === 'any' ? undefined : one.needs;
      const { test, onBad } = one;
      return present({ kind, points: selection(one.points), needs, test, for: lasting(one.for), onBad });
    }
    case 'rate': {
      const needs = one.needs === 'any' ? undefined : one.needs;
      const { change, onBad } = one;
      return present({ kind, points: selection(one.points), needs, change, within: durationBody(one.within), onBad });
    }
    case 'event':
      return present({ ...one, for: lasting(one.for) });
    case 'count': {
      const of = 'event' in one.of ? one.of : { points: selection(one.of.points), becomes: one.of.becomes };
      return { kind, of, atLeast: one.atLeast, within: durationBody(one.within) };
    }
    case 'unacknowledged':
      return { kind, rule: one.rule, for: durationBody(one.for) };
    case 'calendar':
      return { ...one };
    case 'time':
      return present({ kind, from: clockBody(one.from), to: clockBody(one.to), days: one.days });
    case 'mode':
      return present({ kind, mode: one.mode, is: one.is ? undefined : false });
    case 'any':
    case 'all':
      return { kind, conditions: one.conditions.map(condition) };
  }
}

function action(one: Action): Body {
  switch (one.kind) {
    case 'hold':
      return present({ ...one, outputs: selection(one.outputs), for: lasting(one.for) });
    case 'forbid':
      return { ...one, outputs: selection(one.outputs) };
    case 'shed':
      return { ...one, every: durationBody(one.every) };
    case 'broadcast':
      return present({ ...one, for: lasting(one.for) });
    case 'alarm':
    case 'snapshot':
    case 'notify':
      return { ...one };
  }
}
