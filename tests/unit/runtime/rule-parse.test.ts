import { describe, expect, it } from 'vitest';
import { describeMistake } from '#edge/runtime/rule-mistakes.ts';
import { parseRule } from '#edge/runtime/rule-parse.ts';

const name = { zh: '名', en: 'Name' };
const alarm = { kind: 'alarm', class: 'high', message: name, next: name };
const point = { kind: 'point', points: 'smoke-*/smoke', test: { is: true } };
const body = (changes: object = {}) => ({
  rule: 1,
  id: 'smoke',
  name,
  kind: 'safety',
  priority: 1,
  when: point,
  then: [alarm],
  ...changes,
});
const energy = (changes: object = {}) => body({ kind: 'energy', priority: undefined, ...changes });

/** `path: what`, a line each; throws when there is none. */
function mistakes(input: unknown): string[] {
  const parsed = parseRule(input);
  if (parsed.ok) throw new Error(`that is a good rule: ${JSON.stringify(parsed.rule)}`);
  return parsed.mistakes.map(describeMistake);
}

function rule(input: unknown) {
  const parsed = parseRule(input);
  if (!parsed.ok) throw new Error(parsed.mistakes.map(describeMistake).join('\n'));
  return parsed.rule;
}

describe('a rule body', () => {
  it('becomes a rule, with what it leaves out as usual', () => {
    expect(rule(body())).toEqual({
      id: 'smoke',
      name,
      about: null,
      kind: 'safety',
      priority: 1,
      each: null,
      when: {
        kind: 'point',
        points: { of: 'smoke-*/smoke' },
        needs: 'any',
        test: { is: true },
        for: 0,
        onBad: 'hold',
      },
      while: [],
      then: [alarm],
      latch: false,
      clearAfter: 0,
      coolDown: 0,
      tests: [],
    });
  });

  it('has every kind of condition, durations in ms and times in minutes', () => {
    const conditions = [
      {
        ...point,
        points: { of: 'a/b', zones: ['z'], spaces: ['s'], tags: ['t'] },
        needs: 2,
        for: '1.5min',
        onBad: 'trip',
      },
      { kind: 'rate', points: 'a/b', change: { rises: 3 }, within: '10min' },
      { kind: 'event', type: 'person', for: '10s' },
      { kind: 'count', of: { event: 'open', zones: ['z'] }, atLeast: 3, within: '1h' },
      { kind: 'count', of: { points: 'a/b', becomes: { above: 3, hysteresis: 1 } }, atLeast: 3, within: '1h' },
      { kind: 'unacknowledged', rule: 'other', for: '30s' },
      { kind: 'calendar', is: 'closed' },
      { kind: 'time', from: '22:00', to: '24:00', days: [1, 5] },
      { kind: 'mode', mode: 'exam' },
    ];
    const { when } = rule(body({ when: { kind: 'all', conditions } }));
    expect(when).toMatchObject({
      conditions: [
        { needs: 2, for: 90_000, onBad: 'trip', points: { of: 'a/b', zones: ['z'], spaces: ['s'], tags: ['t'] } },
        { needs: 'any', within: 600_000, onBad: 'hold' },
        { type: 'person', device: '*', for: 10_000 },
        { of: { event: 'open', device: '*', zones: ['z'] }, within: 3_600_000 },
        { of: { points: { of: 'a/b' }, becomes: { above: 3, hysteresis: 1 } } },
        { rule: 'other', for: 30_000 },
        { is: 'closed' },
        { from: 1_320, to: 0, days: [1, 5] },
        { mode: 'exam', is: true },
      ],
    });
  });

  it('ends holds and sounds below safety after 12 h, and those of safety when the rule clears', () => {
    const then = [
      { kind: 'hold', outputs: 'relay-1/relay_1', value: false },
      { kind: 'broadcast', clip: 'bell', zones: 'all' },
      { kind: 'hold', outputs: 'relay-1/relay_2', value: false, for: '20min' },
    ];
    const lasts = (input: object) => rule(input).then.map((action) => ('for' in action ? action.for : undefined));
    expect(lasts(energy({ then }))).toEqual([43_200_000, 43_200_000, 1_200_000]);
    expect(lasts(body({ then }))).toEqual([null, null, 1_200_000]);
    expect(rule(energy()).priority).toBe(12);
  });

  it.each<[string, object, string]>([
    ['a key that is not known', { extra: 1 }, 'extra: is not a key here'],
    ['a key that is not known, deep', { when: { ...point, onbad: 'hold' } }, 'when.onbad: is not a key here'],
    ['what is missing', { name: undefined }, 'name: is missing'],
    ['another version', { rule: 2 }, 'rule: must be 1, the version of this format'],
    ['a wrong duration', { when: { ...point, for: '3 minutes' } }, 'when.for: must be a duration such as'],
    ['a duration that never ends', { clearAfter: '400d' }, 'clearAfter: must be at most 31d'],
    ['a wrong kind', { when: { kind: 'if' } }, 'when.kind: must be one of point, rate, event'],
    ['a wrong comparison', { when: { ...point, test: { equals: 1 } } }, 'when.test: must be one of {is}, {isNot}'],
    [
      'a wrong value in the comparison meant',
      { when: { ...point, test: { above: '3' } } },
      'when.test.above: must be a number',
    ],
    [
      'a wrong selection',
      { when: { ...point, points: { of: 'a/b', place: 'x' } } },
      'when.points.place: is not a key here',
    ],
    [
      'a point without a device',
      { when: { ...point, points: 'smoke' } },
      'when.points: must be <device>/<point>, with *',
    ],
    [
      'safety without priority',
      { priority: undefined },
      'priority: is missing: a safety rule says 1 (life safety) or 5',
    ],
    ['safety with another priority', { priority: 8 }, 'priority: must be 1 (life safety) or 5'],
    ['a cool-down of safety', { coolDown: '1min' }, 'coolDown: is not for safety rules'],
    [
      'here without each',
      { when: { ...point, points: { of: 'a/b', here: true } } },
      'when.points.here: is for rules with "each"',
    ],
    ['a time of no length', { when: { kind: 'time', from: '08:00', to: '08:00' } }, 'when.to: is the same as "from"'],
    [
      'waiting for itself',
      { when: { kind: 'unacknowledged', rule: 'smoke', for: '9s' } },
      'when.rule: is this rule itself',
    ],
    ['a reading as active hours', { while: [point] }, 'while[0].kind: must be calendar, time or mode here'],
    ['a second alarm', { then: [alarm, alarm] }, 'then[1]: is a second alarm: a rule has one'],
    [
      'words that nobody fills in',
      { then: [{ ...alarm, next: { zh: '{x}', en: 'b' } }] },
      'then[0].next.zh: has {x}, and only',
    ],
    ['no action', { then: [] }, 'then: is empty'],
    ['a lone name', { each: 'space' }, 'each: must be keys with values'],
    [
      'here in what makes the places',
      { each: { place: 'space', of: { of: 'a/b', here: true } } },
      'each.of.here: has no meaning',
    ],
  ])('is refused for %s, with path and what', (_, changes, said) => {
    expect(mistakes(body(changes)).join('\n')).toContain(said);
  });

  it('does not take an id that is the address of a page', () => {
    for (const id of ['new', 'safety', 'check', 'templates', 'from-template']) {
      expect(mistakes(body({ id }))).toEqual([`id: "${id}" is the address of a page, not of a rule: choose another`]);
    }
  });

  it('below safety has no priority and forbids nothing', () => {
    expect(mistakes(energy({ priority: 1 }))).toEqual([
      'priority: is for safety rules only: every other rule runs at 12',
    ]);
    const forbid = { kind: 'forbid', outputs: 'relay-1/relay_1', value: true };
    expect(mistakes(energy({ then: [forbid] }))).toEqual([
      'then[0].kind: must not be forbid below safety: only safety rules forbid',
    ]);
    expect(rule(body({ then: [forbid] })).then).toEqual([{ ...forbid, outputs: { of: 'relay-1/relay_1' } }]);
  });

  it('makes no sound because a sensor is broken', () => {
    const then = [{ kind: 'broadcast', clip: 'evacuation', zones: 'all' }];
    const inner = { kind: 'any', conditions: [point, { ...point, onBad: 'trip' }] };
    expect(mistakes(body({ when: inner, then }))).toEqual([
      'when.conditions[1].onBad: must not be trip where sound is made: a broken sensor must never evacuate a school; use hold',
    ]);
  });

  it('means a place by "here" once it has "each"', () => {
    const each = { place: 'space', of: 'co2-*/co2' };
    const when = { kind: 'point', points: { of: 'co2-*/co2', here: true }, test: { above: 1200, hysteresis: 200 } };
    expect(rule(energy({ each, when }))).toMatchObject({ each: { place: 'space', of: { of: 'co2-*/co2' } } });
  });

  it('has tests whose times go forward and whose instances are its own', () => {
    const test = (given: object[], expected: object[]) => [
      { name, start: '2026-11-23T10:00', given, expect: expected },
    ];
    const found = mistakes(
      body({
        tests: test(
          [{ at: '5s', set: { 'smoke-1/smoke': true } }, { at: '2s' }],
          [{ at: '0s', fired: ['fire', 'smoke@r101', 'smoke'] }],
        ),
      }),
    );
    expect(found).toEqual([
      'tests[0].given[1].at: is before the one above it',
      'tests[0].expect[0].fired[0]: is no instance of "smoke"',
      'tests[0].expect[0].fired[1]: has a place, but the rule has no "each"',
    ]);
    expect(mistakes(body({ tests: [{ name, start: '2026-02-30T10:00', expect: [{ at: '0s' }] }] }))).toEqual([
      'tests[0].start: is a day that no calendar has',
    ]);
  });

  it('is bounded in nesting and in conditions', () => {
    let deep: object = point;
    for (let level = 0; level < 9; level++) deep = { kind: 'any', conditions: [deep] };
    expect(mistakes(body({ when: deep })).join()).toContain('is nested more than 8 deep');
    const many = { kind: 'any', conditions: Array.from({ length: 33 }, () => point) };
    expect(mistakes(body({ when: { kind: 'all', conditions: [many, many] } })).join()).toContain(
      'when: has 69 conditions with those of "while", and at most 64 are allowed',
    );
  });

  it('names 50 mistakes and counts the others', () => {
    const extra = Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`k${i}`, 1]));
    const found = mistakes(body(extra));
    expect(found).toHaveLength(51);
    expect(found.at(-1)).toBe('(file): and 30 more mistakes');
  });
});

describe('a hostile body', () => {
  const deep = () => {
    let value: unknown = 1;
    for (let level = 0; level < 100_000; level++) value = [value];
    return value;
  };
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  it.each<[string, () => unknown, string]>([
    ['no body', () => undefined, '(file): is missing'],
    ['a number', () => 7, '(file): must be keys with values'],
    ['a list', () => [], '(file): must be keys with values'],
    ['a million values', () => [Array.from({ length: 1_000_000 }, () => 1)], '(file): has more than 20000 values'],
    ['a depth that overflows stacks', deep, '(file): is nested more than 32 deep'],
    ['a circle', () => circle, '(file): is nested more than 32 deep'],
    [
      'a megabyte of text',
      () => body({ about: { zh: 'x'.repeat(1e6), en: 'y' } }),
      '(file): has more than 64000 characters',
    ],
    ['a prototype', () => JSON.parse('{"rule": 1, "__proto__": {"ok": true}}'), '(file): has a key "__proto__"'],
    [
      'a prototype, deep',
      () => body({ when: JSON.parse('{"kind": "any", "__proto__": []}') }),
      '(file): has a key "__proto__"',
    ],
    ['a function', () => body({ when: () => true }), '(file): holds a function'],
    ['a Map', () => body({ when: new Map() }), '(file): holds what is no plain data'],
    [
      'a name of Object.prototype as a kind',
      () => body({ when: { kind: 'constructor' } }),
      'when.kind: must be one of',
    ],
  ])('%s is a mistake, never a fault', (_, make, said) => {
    expect(mistakes(make()).join('\n')).toContain(said);
  });
});
