import { describe, expect, it } from 'vitest';
import type { Rule, RuleTest } from '#edge/domain/rule.ts';
import { type RuleTestRun, runRuleTests } from '#edge/rules/rule-tests.ts';
import { describeMistake } from '#edge/runtime/rule-mistakes.ts';
import { parseRule } from '#edge/runtime/rule-parse.ts';
import { calendar, campus } from './small-campus.ts';

const name = { zh: '名', en: 'Name' };
const alarm = (severity: string) => ({ kind: 'alarm', class: severity, message: name, next: name });

function rule(body: object): Rule {
  const parsed = parseRule({ rule: 1, id: 'smoke', name, kind: 'safety', priority: 1, ...body });
  if (!parsed.ok) throw new Error(parsed.mistakes.map(describeMistake).join('\n'));
  return parsed.rule;
}

const smoke = rule({
  when: { kind: 'point', points: 'smoke-*/smoke', test: { is: true }, onBad: 'hold' },
  then: [alarm('critical'), { kind: 'hold', outputs: 'relay-1/relay_5', value: false }],
});
const fire = rule({
  id: 'fire',
  latch: true,
  when: { kind: 'unacknowledged', rule: 'smoke', for: '30s' },
  then: [alarm('critical'), { kind: 'notify', to: ['duty'], message: name }],
});
const overload = rule({
  id: 'overload',
  priority: 5,
  when: { kind: 'point', points: 'meter-main/current_l1', test: { above: 100 }, for: '30s' },
  then: [{ kind: 'shed', order: ['relay-1/relay_8', 'relay-1/relay_2'], value: false, every: '1min' }],
});

/** What its one test says, with these steps and expectations. */
function play(
  of: Rule,
  given: RuleTest['given'],
  expected: RuleTest['expect'],
  more: Partial<RuleTestRun> = {},
  start = '2026-11-23T10:00',
) {
  const tested: Rule = { ...of, tests: [{ name, start, given, expect: expected }] };
  const [result] = runRuleTests({ rule: tested, campus, calendar, ...more });
  return result?.detail.split('\n') ?? [];
}

const trips = [{ at: 0, set: { 'smoke-101/smoke': true } }];
const passed = [''];

describe('the tests of a rule', () => {
  it('pass when all comes true', () => {
    const at = 0;
    expect(
      play(smoke, trips, [
        { at, fired: ['smoke'], holds: { 'relay-1/relay_5': false }, alarm: 'critical', notified: 0 },
      ]),
    ).toEqual(passed);
    const clear = [...trips, { at: 5_000, set: { 'smoke-101/smoke': false } }];
    expect(play(smoke, clear, [{ at: 5_000, fired: [], holds: {}, alarm: null }])).toEqual(passed);
  });

  it('say at which time what was expected, what was so, and what had happened', () => {
    const said = play(smoke, trips, [{ at: 90_000, fired: [], holds: {}, alarm: null, notified: 1 }]);
    expect(said).toEqual([
      'after 90 s: expected fired to be nothing, but it is smoke',
      'after 90 s: expected the holds to be nothing, but it is relay-1/relay_5=false',
      'after 90 s: expected the alarm to be none, but it is critical',
      'after 90 s: expected the notices so far to be 1, but it is 0',
      'until then:',
      expect.stringMatching(/^ {2}after 0 s: smoke fired: smoke-101\/smoke is true/),
      expect.stringMatching(/^ {2}after 30 s: smoke blind: smoke-102\/smoke/),
    ]);
    expect(play(smoke, [], [{ at: 0, fired: ['smoke'] }])).toEqual([
      'after 0 s: expected fired to be smoke, but it is nothing',
      'until then the rule decided nothing',
    ]);
  });

  it('let time pass to the moment at which something is due', () => {
    const given = [{ at: 0, set: { 'meter-main/current_l1': 120 } }];
    expect(
      play(overload, given, [
        { at: 29_999, fired: [], holds: {} },
        { at: 30_000, fired: ['overload'], holds: { 'relay-1/relay_8': false } },
        { at: 89_999, holds: { 'relay-1/relay_8': false } },
        { at: 90_000, holds: { 'relay-1/relay_8': false, 'relay-1/relay_2': false } },
      ]),
    ).toEqual(passed);
  });

  it('play the rules whose alarms are waited for too, and acknowledge them', () => {
    const others = [smoke];
    const fired = [
      { at: 29_000, fired: [], notified: 0 },
      { at: 31_000, fired: ['fire'], notified: 1, holds: {} },
    ];
    expect(play(fire, trips, fired, { others })).toEqual(passed);
    const seen = [...trips, { at: 20_000, acknowledge: ['smoke'] }];
    expect(play(fire, seen, [{ at: 600_000, fired: [], alarm: null }], { others })).toEqual(passed);
    expect(play(fire, [{ at: 0, acknowledge: ['smoke'] }], [{ at: 0 }], { others })[0]).toBe(
      'after 0 s: smoke has no alarm to acknowledge',
    );
  });

  it('begin at their local time, with modes and events', () => {
    const person = rule({
      kind: 'security',
      priority: undefined,
      when: { kind: 'event', type: 'person', device: 'camera-*', for: '10s' },
      while: [
        { kind: 'calendar', is: 'closed' },
        { kind: 'mode', mode: 'event', is: false },
      ],
      then: [alarm('high')],
    });
    const given = [{ at: 0, event: { type: 'person', device: 'camera-gate' } }];
    const fired = [{ at: 0, fired: ['smoke'], alarm: 'high' as const }];
    expect(play(person, given, fired, {}, '2026-11-23T18:30')).toEqual(passed);
    expect(play(person, given, [{ at: 0, fired: [] }], {}, '2026-11-23T18:29')).toEqual(passed);
    const feast = [{ at: 0, mode: { event: true } }, ...given];
    expect(play(person, feast, [{ at: 0, fired: [] }], {}, '2026-11-23T18:30')).toEqual(passed);
  });

  it('name points that are not there and values of another type', () => {
    const given = [{ at: 0, set: { 'smoke-999/smoke': true, 'meter-main/current_l1': 'much' }, bad: ['x/y'] }];
    expect(play(smoke, given, [{ at: 0, fired: [] }]).slice(0, 3)).toEqual([
      'after 0 s: there is no point smoke-999/smoke here',
      'after 0 s: meter-main/current_l1 is a number, and much is not',
      'after 0 s: there is no point x/y here',
    ]);
  });

  it('see a bad value as core does', () => {
    const lenient = rule({
      when: { kind: 'point', points: 'smoke-101/smoke', test: { is: true }, onBad: 'ignore' },
      then: [alarm('high')],
    });
    const given = [...trips, { at: 1_000, bad: ['smoke-101/smoke'] }];
    expect(
      play(lenient, given, [
        { at: 0, fired: ['smoke'] },
        { at: 1_000, fired: [] },
      ]),
    ).toEqual(passed);
    expect(play(smoke, given, [{ at: 1_000, fired: ['smoke'] }])).toEqual(passed);
  });

  it('answer the same each time', () => {
    const expected = [{ at: 90_000, fired: [] }];
    expect(play(smoke, trips, expected)).toEqual(play(smoke, trips, expected));
  });
});
