import fc from 'fast-check';
import type { Calendar } from '#edge/domain/calendar.ts';
import type { Device, Point, ValueType } from '#edge/domain/device.ts';
import type { PointRef, SpaceId, ZoneId } from '#edge/domain/ids.ts';
import type { Action, Comparison, Condition, Needs, Rule, Selection } from '#edge/domain/rule.ts';
import type { RuleCampus } from '#edge/rules/engine.ts';

/* Random rules on a campus so small, with times so few, that things coincide: the same millisecond, the same point, the same output. */

const name = { zh: '字', en: 'word' };

function point(id: string, type: ValueType, more: Partial<Point> = {}): Point {
  return {
    name: id as Point['name'],
    label: name,
    type,
    unit: '',
    poll: 'watch',
    deadband: 0,
    staleAfter: 0,
    address: {},
    ...more,
  };
}
const write = { verifyAfter: 0, verifyWithin: 0, minGap: 0, failSafe: 'keep' } as const;

function device(id: string, zone: string, space: string | null, tags: readonly string[], points: readonly Point[]) {
  const place = space === null ? {} : { space: space as SpaceId };
  return {
    id: id as Device['id'],
    name,
    profile: 'test/any',
    protocol: 'mqtt',
    zone: zone as Device['zone'],
    ...place,
    tags,
    points,
    address: {},
  };
}

const sensed = [point('n', 'number'), point('b', 'boolean'), point('opt', 'number', { optional: true })];
export const tinyCampus: RuleCampus = {
  devices: [
    device('d1', 'za', 's1', ['warm'], sensed),
    device('d2', 'za', 's2', ['warm', 'loud'], sensed),
    device('d3', 'zb', null, [], sensed.slice(0, 2)),
    device('relay', 'za', 's1', [], [point('r1', 'boolean', { write }), point('r2', 'boolean', { write })]),
    device('horn', 'zb', null, [], [point('clip', 'text', { write })]),
  ],
  zones: [
    { id: 'za' as Device['zone'], name, spaces: [] },
    { id: 'zb' as Device['zone'], name, spaces: [] },
  ],
  spaces: [],
};
export const numbers = ['d1/n', 'd2/n', 'd3/n', 'd1/opt', 'd2/opt'] as const;
export const switches = ['d1/b', 'd2/b', 'd3/b'] as const;

/** A day of 24 minutes in which every second is a minute, and a school that opens and closes every 7 s. */
export const quickCalendar: Calendar = {
  labels: ['open', 'closed'],
  is: (label, time) => (label === 'open') === (Math.floor(time / 7_000) % 2 === 0),
  nextChange: (time) => (Math.floor(time / 7_000) + 1) * 7_000,
  local: (time) => {
    const seconds = Math.floor(time / 1_000);
    return { minute: seconds % 1_440, weekday: (Math.floor(seconds / 1_440) % 7) + 1, date: '' };
  },
  nextMinute: (minute, time) => {
    const seconds = Math.floor(time / 1_000);
    const ahead = (((minute - (seconds % 1_440)) % 1_440) + 1_440) % 1_440;
    return (seconds + (ahead === 0 ? 1_440 : ahead)) * 1_000;
  },
};

const span = fc.constantFrom(0, 500, 1_000, 1_500, 3_000);
const window = fc.constantFrom(500, 1_000, 3_000);
const onBad = fc.constantFrom('trip' as const, 'hold' as const, 'ignore' as const);
const needs = fc.constantFrom<Needs>('any', 'all', 1, 2, 3);

function selections(point: 'n' | 'b'): fc.Arbitrary<Selection> {
  const narrowed: Selection[] = [
    { of: `*/${point}`, zones: ['za' as ZoneId] },
    { of: `d*/${point}`, tags: ['loud', 'cold'] },
    { of: `*/${point}`, spaces: ['s1' as SpaceId, 's2' as SpaceId] },
    { of: `*/${point}`, here: true },
    { of: `d1/${point}`, here: true },
  ];
  const plain: Selection[] = [
    { of: `d1/${point}` },
    { of: `d2/${point}` },
    { of: `d*/${point}` },
    { of: 'gone/x' },
    { of: point === 'n' ? 'd*/opt' : 'd3/b' },
  ];
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...plain) },
    { weight: 1, arbitrary: fc.constantFrom(...narrowed) },
  );
}

const numberTest: fc.Arbitrary<Comparison> = fc.constantFrom(
  { above: 5 },
  { above: 5, hysteresis: 2 },
  { below: 4 },
  { below: 4, hysteresis: 3 },
  { isNot: 0 },
);
const switchTest: fc.Arbitrary<Comparison> = fc.constantFrom({ is: true }, { isNot: true });
interface Tested {
  readonly points: Selection;
  readonly test: Comparison;
}
const tested: fc.Arbitrary<Tested> = fc.oneof(
  fc.record({ points: selections('n'), test: numberTest }),
  fc.record({ points: selections('b'), test: switchTest }),
);

const events = fc.oneof(
  fc.record({ device: fc.constantFrom('d1', 'd*', '*') }),
  fc.record({ device: fc.constant('d*'), zones: fc.constant(['za' as ZoneId]) }),
  fc.record({ device: fc.constant('*'), here: fc.constant(true as const) }),
);

const circumstance: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ kind: fc.constant('calendar' as const), is: fc.constantFrom('open', 'closed') }),
  fc.record({ kind: fc.constant('mode' as const), mode: fc.constantFrom('m1', 'm2'), is: fc.boolean() }),
  fc.record({
    kind: fc.constant('time' as const),
    from: fc.constantFrom(0, 5, 1_437),
    to: fc.constantFrom(3, 9, 1_440),
  }),
  fc.record({
    kind: fc.constant('time' as const),
    from: fc.constantFrom(2, 1_435),
    to: fc.constantFrom(8, 3),
    days: fc.constantFrom([1], [2, 7], [1, 2, 3]),
  }),
);

/** `index`: a rule waits only for the alarms of rules before it, so that there are no circles. */
function leafOf(index: number): fc.Arbitrary<Condition> {
  const leaves: fc.WeightedArbitrary<Condition>[] = [
    {
      weight: 6,
      arbitrary: fc
        .record({ over: tested, needs, for: span, onBad })
        .map(({ over, ...rest }): Condition => ({ kind: 'point', ...over, ...rest })),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('rate' as const),
        points: selections('n'),
        needs,
        change: fc.constantFrom<Extract<Condition, { kind: 'rate' }>['change']>(
          { rises: 3 },
          { falls: 2 },
          { rises: 1 },
        ),
        within: window,
        onBad,
      }),
    },
    {
      weight: 2,
      arbitrary: fc
        .record({ from: events, type: fc.constantFrom('e1', 'e2'), for: span })
        .map(({ from, ...rest }): Condition => ({ kind: 'event', ...rest, ...from })),
    },
    {
      weight: 2,
      arbitrary: fc
        .record({
          from: events,
          event: fc.constantFrom('e1', 'e2'),
          atLeast: fc.integer({ min: 1, max: 3 }),
          within: window,
        })
        .map(({ from, event, ...rest }): Condition => ({ kind: 'count', of: { event, ...from }, ...rest })),
    },
    {
      weight: 2,
      arbitrary: fc.record({ over: tested, atLeast: fc.integer({ min: 1, max: 3 }), within: window }).map(
        ({ over: { points, test }, ...rest }): Condition => ({
          kind: 'count',
          of: { points, becomes: test },
          ...rest,
        }),
      ),
    },
    { weight: 1, arbitrary: circumstance },
  ];
  if (index > 0) {
    leaves.push({
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('unacknowledged' as const),
        rule: fc.constantFrom(...Array.from({ length: index }, (_, i) => `r${i}`)),
        for: span,
      }),
    });
  }
  return fc.oneof(...leaves);
}

function conditionOf(index: number): fc.Arbitrary<Condition> {
  const leaf = leafOf(index);
  const group = (inner: fc.Arbitrary<Condition>) =>
    fc.record({
      kind: fc.constantFrom('any' as const, 'all' as const),
      conditions: fc.array(inner, { minLength: 1, maxLength: 3 }),
    });
  return fc.oneof(
    { weight: 4, arbitrary: leaf },
    { weight: 2, arbitrary: group(leaf) },
    { weight: 1, arbitrary: group(fc.oneof({ weight: 3, arbitrary: leaf }, { weight: 1, arbitrary: group(leaf) })) },
  );
}

const outputs = fc.constantFrom<Selection>({ of: 'relay/r1' }, { of: 'relay/*' }, { of: 'relay/r2', here: true });
const lasts = fc.constantFrom(null, 1_000, 2_500);
const shedOrder = ['relay/r2' as PointRef, 'relay/r1' as PointRef];
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant('hold' as const), outputs, value: fc.boolean(), for: lasts }),
  fc.record({ kind: fc.constant('forbid' as const), outputs, value: fc.boolean() }),
  fc.record({
    kind: fc.constant('shed' as const),
    order: fc.constant(shedOrder),
    value: fc.constant(false),
    every: fc.constantFrom(500, 1_000),
  }),
  fc.record({
    kind: fc.constant('broadcast' as const),
    clip: fc.constantFrom('bell', 'siren'),
    zones: fc.constantFrom<Extract<Action, { kind: 'broadcast' }>['zones']>('all', 'here', [
      'zb' as ZoneId,
      'za' as ZoneId,
    ]),
    for: lasts,
  }),
  fc.record({ kind: fc.constant('snapshot' as const), camera: fc.constant('d1' as Device['id']) }),
  fc.record({ kind: fc.constant('notify' as const), to: fc.constant(['duty', 'head']), message: fc.constant(name) }),
);
const alarm: fc.Arbitrary<Action> = fc.record({
  kind: fc.constant('alarm' as const),
  class: fc.constantFrom('critical' as const, 'high' as const, 'low' as const),
  message: fc.constant(name),
  next: fc.constant(name),
});

const head = fc.constantFrom<Pick<Rule, 'kind' | 'priority'>>(
  { kind: 'safety', priority: 1 },
  { kind: 'safety', priority: 5 },
  { kind: 'security', priority: 12 },
  { kind: 'comfort', priority: 12 },
);
const each = fc.oneof(
  { weight: 4, arbitrary: fc.constant(null) },
  {
    weight: 1,
    arbitrary: fc.record({
      place: fc.constantFrom('space' as const, 'zone' as const, 'device' as const),
      of: fc.constantFrom<Selection>({ of: 'd*/n' }, { of: '*/b', tags: ['warm'] }),
    }),
  },
);

export function ruleNamed(index: number): fc.Arbitrary<Rule> {
  return fc
    .record({
      head,
      each,
      when: conditionOf(index),
      while: fc.oneof(
        { weight: 3, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.array(circumstance, { minLength: 1, maxLength: 2 }) },
      ),
      acts: fc.array(action, { maxLength: 2 }),
      alarms: fc.array(alarm, { maxLength: 1 }),
      latch: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
      clearAfter: fc.constantFrom(0, 0, 1_000),
      coolDown: fc.constantFrom(0, 0, 0, 2_000),
    })
    .map(({ head: { kind, priority }, acts, alarms, ...rest }) => ({
      ...rest,
      id: `r${index}`,
      name,
      about: null,
      kind,
      priority,
      then: [...acts, ...alarms],
      coolDown: kind === 'safety' ? 0 : rest.coolDown,
      tests: [],
    }));
}
