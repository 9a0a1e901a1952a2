import { expect, it } from 'vitest';
import type { Action, Condition, Rule } from '#edge/domain/rule.ts';
import { problemsOf } from '#edge/rules/check-rule.ts';
import { alarm, campus, comfort, name, off, over, ref, rule, smokeIs } from './small-campus.ts';

const around = {
  clips: ['evacuation'],
  modes: ['exam'],
  recipients: ['duty'],
  cameras: ['camera-gate'],
  rules: [] as readonly Rule[],
};
const check = (one: Rule, rules: readonly Rule[] = []) => problemsOf(one, campus, { ...around, rules });
const when = (condition: unknown) => check(rule('r', condition as Condition));
const then = (...actions: unknown[]) => check(rule('r', smokeIs('hold'), { then: actions as Action[] }));

it('has nothing to say of a good rule', () => {
  expect(check(rule('r', smokeIs('hold')))).toEqual([]);
});

it('names points and places that are not there', () => {
  expect(when(over('smoke-999/smoke', { is: true }))).toEqual(['when.points: unknown point "smoke-999/smoke"']);
  expect(when(over('heat-*/smoke', { is: true }))).toEqual(['when.points: "heat-*/smoke" finds no point']);
  expect(when({ ...smokeIs('hold'), points: { of: 'smoke-*/smoke', zones: ['attic'], tags: ['x'] } })).toEqual([
    'when.points.zones: unknown zone "attic"',
    'when.points.tags: no device has the tag "x"',
    'when.points: "smoke-*/smoke" finds no point',
  ]);
  expect(when({ ...smokeIs('hold'), points: { of: 'smoke-*/smoke', here: true } })).toEqual([
    'when.points.here: the rule has no `each`',
  ]);
  const each = { place: 'zone', of: { of: '*/smoke' } } as const;
  const far = { ...smokeIs('hold'), points: { of: 'fire-panel/alarm', here: true } } as Condition;
  expect(check(rule('r', far, { each }))).toEqual([
    'when.points: "fire-panel/alarm" finds no point in 1 of 1 places, the first is "teaching"',
  ]);
  expect(check(rule('r', smokeIs('hold'), { each: { place: 'space', of: { of: '*/smoke' } } }))).toEqual([
    'each: "*/smoke" finds no space, so the rule runs nowhere',
  ]);
});

it('names conditions that can never be met', () => {
  expect(when(over('smoke-*/smoke', { is: true }, { needs: 4 }))).toEqual([
    'when.needs: "smoke-*/smoke" finds 3 points, 4 are needed',
  ]);
  expect(when(smokeIs('hold'))).toEqual([]);
  expect(when(over('smoke-101/smoke', { above: 3 }))).toEqual(['when.test: "smoke-101/smoke" is boolean, not number']);
  expect(when(over('room-101/temperature', { above: 90 }))).toEqual([
    'when.test: "room-101/temperature" never goes above 90: it ends at 85',
  ]);
  const rate = {
    kind: 'rate',
    points: { of: 'room-101/window' },
    needs: 'any',
    change: { rises: 0 },
    within: 0,
    onBad: 'hold',
  };
  expect(when(rate)).toEqual([
    'when.points: "room-101/window" is boolean, not number',
    'when.change: 0 is no change',
    'when.within: must be longer than nothing',
  ]);
  const count = { kind: 'count', of: { event: 'person', device: 'dog-*' }, atLeast: 5_000, within: 1 };
  expect(when(count)).toEqual([
    'when.of.device: "dog-*" fits no device',
    'when.atLeast: 5000 is not a whole number from 1 to 1000',
  ]);
  expect(when({ kind: 'all', conditions: [] })).toEqual(['when.conditions: says nothing']);
  expect(when({ kind: 'calendar', is: 'holiday' })).toEqual(['when.is: the calendar does not know "holiday"']);
  expect(when({ kind: 'mode', mode: 'drill', is: true })).toEqual(['when.mode: unknown mode "drill"']);
  expect(when({ kind: 'time', from: 1_500, to: 3, days: [8] })).toEqual([
    'when.from: 1500 is no minute of a day',
    'when.days: weekdays are 1 (Monday) to 7',
  ]);
});

it('keeps what limits a rule to the calendar, the time and modes', () => {
  expect(check(rule('r', smokeIs('hold'), { while: [smokeIs('hold')] }))).toEqual([
    'while[0].kind: only calendar, time and mode may limit when a rule runs',
  ]);
});

it('names outputs that cannot be given the value, and what is not there to be used', () => {
  expect(then({ ...off, value: 'on' })).toEqual(['then[0]: "relay-1/relay_1" takes boolean, not text']);
  expect(then({ ...off, outputs: { of: 'smoke-101/smoke' } })).toEqual([
    'then[0]: "smoke-101/smoke" cannot be written',
  ]);
  expect(then({ ...off, outputs: { of: 'room-101/setpoint' }, value: 40 })).toEqual([
    'then[0]: "room-101/setpoint" takes 16 to 28, not 40',
  ]);
  expect(then({ kind: 'shed', order: [ref('relay-9/x')], value: false, every: 0 })).toEqual([
    'then[0].every: must be longer than nothing',
    'then[0].order: unknown output "relay-9/x"',
  ]);
  expect(then({ kind: 'broadcast', clip: 'bell', zones: ['gate', 'attic'], for: null })).toEqual([
    'then[0].clip: unknown clip "bell"',
    'then[0].zones: unknown zone "attic"',
  ]);
  expect(then({ kind: 'broadcast', clip: 'evacuation', zones: 'here', for: null })).toEqual([
    'then[0].zones: "here" needs `each`',
  ]);
  expect(
    then({ kind: 'snapshot', camera: 'camera-9' }, { kind: 'notify', to: ['nobody'], message: name('x') }),
  ).toEqual(['then[0].camera: unknown camera "camera-9"', 'then[1].to: unknown recipient "nobody"']);
  expect(then(off, { ...off, value: true }, alarm, alarm)).toEqual([
    'then: has more than one alarm; the first one counts',
    'then[1]: "relay-1/relay_1" is given another value before (false); this one (true) counts',
  ]);
  expect(then()).toEqual(['then: does nothing']);
});

it('keeps to safety what only safety may do', () => {
  const actions: Action[] = [
    off,
    { kind: 'forbid', outputs: { of: 'relay-1/relay_1' }, value: true },
    { kind: 'broadcast', clip: 'evacuation', zones: 'all', for: null },
  ];
  expect(check(comfort('r', smokeIs('hold'), { then: actions }))).toEqual([
    'then[0].for: only a safety rule may hold without an end',
    'then[1].kind: only a safety rule may forbid',
    'then[2].for: only a safety rule may sound without an end',
  ]);
  expect(check(rule('r', smokeIs('hold'), { priority: 12, coolDown: 1 }))).toEqual([
    'priority: 12 is for automation; a safety rule has 1 or 5',
    'coolDown: a safety rule never waits before it fires again',
  ]);
  expect(check(comfort('r', smokeIs('hold'), { priority: 5 }))).toEqual([
    'priority: 5 is for safety rules; this one has 12',
  ]);
});

it('names rules that wait for nobody, for the silent, or for themselves', () => {
  const waits = (id: string, other: string) => rule(id, { kind: 'unacknowledged', rule: other, for: 0 });
  expect(check(waits('d', 'nobody'))).toEqual(['when: waits for the alarm of an unknown rule "nobody"']);
  expect(check(waits('b', 'c'), [waits('b', 'c'), waits('c', 'b')])).toEqual([
    'when: the rule waits for its own alarm in a circle',
  ]);
  const silent = rule('c', smokeIs('hold'), { then: [off] });
  expect(check(waits('b', 'c'), [silent])).toEqual(['when: waits for the alarm of rule "c", which raises none']);
});

it('does not let a broken wire make sound, through whatever rule', () => {
  const sound: Action = { kind: 'broadcast', clip: 'evacuation', zones: 'all', for: null };
  const broken = rule('x', smokeIs('trip'), { then: [sound, alarm] });
  expect(check(broken)).toEqual(['when.onBad: "trip" is not allowed where sound is made']);
  const clip: Action = { kind: 'hold', outputs: { of: 'speaker-*/clip' }, value: 'evacuation', for: null };
  expect(check(rule('x', smokeIs('trip'), { then: [clip] }))).toEqual([
    'when.onBad: "trip" is not allowed where sound is made',
  ]);
  const escalated = rule('y', { kind: 'unacknowledged', rule: 'x', for: 30_000 }, { then: [sound] });
  expect(check(escalated, [rule('x', smokeIs('trip'))])).toEqual([
    'when: rule "x" trips on bad values, which is not allowed where sound is made',
  ]);
});
