import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RuleBody } from '#edge/runtime/rule-body.ts';
import { formatDuration, ruleHash, ruleToBody } from '#edge/runtime/rule-body.ts';
import { formatRuleFile, readRuleFile } from '#edge/runtime/rule-file.ts';
import { describeMistake } from '#edge/runtime/rule-mistakes.ts';
import { parseRule } from '#edge/runtime/rule-parse.ts';
import { duration } from '#edge/runtime/site-values.ts';

const fire = `# The panel, two detectors, or one that nobody answers.
rule: 1
id: fire
name: {zh: 火灾疏散, en: Fire evacuation}
kind: safety
priority: 1
when:
  kind: any
  conditions:
    - {kind: point, points: fire-panel/alarm, test: {is: true}, onBad: hold}
    - {kind: point, points: smoke-*/smoke, needs: 2, test: {is: true}, onBad: hold}
    - {kind: unacknowledged, rule: smoke, for: 30s}
then:
  - {kind: broadcast, clip: evacuation, zones: all}
  - {kind: hold, outputs: relay-1/relay_5, value: false}
  - kind: alarm
    class: critical
    message: {zh: 火灾，疏散广播已开始, en: "Fire: the evacuation broadcast is playing"}
    next:
      zh: 组织疏散，拨打 119；确认安全后复位联锁。
      en: Lead everybody out and call 119; reset the interlock once it is safe.
latch: true
tests:
  - name: {zh: 两个烟感, en: Two detectors}
    start: 2026-11-23T10:00
    given:
      - {at: 0s, set: {smoke-101/smoke: true, smoke-102/smoke: true}}
    expect:
      - {at: 0s, fired: [fire], alarm: critical}
`;

function read(text: string) {
  const found = readRuleFile(text);
  if (!found.ok) throw new Error(found.mistakes.map(describeMistake).join('\n'));
  return found;
}

function mistakes(text: string): string[] {
  const found = readRuleFile(text);
  return found.ok ? [] : found.mistakes.map(describeMistake);
}

describe('a rule file', () => {
  it('says of each mistake the line and the column', () => {
    const wrong = fire
      .replace('alarm, test: {is: true}, onBad', 'alarm, test: {is: true}, onbad')
      .replace('for: 30s', 'for: 30')
      .replace('latch: true', 'latch: maybe')
      .replace('kind: hold', 'kind: held');
    expect(mistakes(wrong)).toEqual([
      'line 10, column 65: when.conditions[0].onbad: is not a key here',
      'line 12, column 43: when.conditions[2].for: must be a text',
      'line 15, column 6: then[1].kind: must be one of hold, forbid, shed, broadcast, alarm, snapshot, notify',
      'line 22, column 1: latch: must be true or false',
    ]);
  });

  it('says where YAML itself is broken, and which key is there twice', () => {
    expect(mistakes('rule: 1\nid: [a\n')[0]).toMatch(/^line \d+, column \d+: \(file\): .*]/);
    expect(mistakes('rule: 1\nid: a\nid: b\n')).toEqual(['line 3, column 1: (file): has the key "id" twice']);
  });

  it('is written again as people like to read it, without its comments', () => {
    expect(formatRuleFile(read(fire).body)).toBe(fire.replace(/^#.*\n/, ''));
  });

  it('says what stays the same when only the spelling changes', () => {
    const { rule } = read(fire);
    const spelled = fire
      .replace('for: 30s', 'for: 0.5min')
      .replace(', onBad: hold', '')
      .replace('id: fire', 'id: "fire"');
    expect(ruleHash(read(spelled).rule)).toBe(ruleHash(rule));
    expect(ruleHash(read(fire.replace('needs: 2', 'needs: 3')).rule)).not.toBe(ruleHash(rule));
  });

  it('may use a few aliases', () => {
    const aliased = fire
      .replace('test: {is: true}, onBad', 'test: &yes {is: true}, onBad')
      .replace('needs: 2, test: {is: true}', 'needs: 2, test: *yes');
    expect(read(aliased).rule).toEqual(read(fire).rule);
  });
});

describe('a hostile file', () => {
  it.each<[string, string]>([
    ['too large', 'x'.repeat(64_001)],
    ['brackets', '['.repeat(60_000)],
    ['braces', '{a: '.repeat(15_000)],
    ['dashes', '- '.repeat(31_000)],
    ['keys within keys', Array.from({ length: 340 }, (_, i) => `${' '.repeat(i)}a:\n`).join('')],
    ['questions', '? '.repeat(30_000)],
    ['anchors', '&a '.repeat(20_000)],
    ['escapes', `a: "${'\\u'.repeat(20_000)}`],
    ['documents', '---\n'.repeat(15_000)],
    ['keys', Array.from({ length: 7_000 }, (_, i) => `k${i}: 1`).join('\n')],
    [
      'a bomb of aliases',
      `a: &a [${'x,'.repeat(9)}]\n${[...'bcdefgh'].map((key, i) => `${key}: &${key} [${'*'.concat('abcdefgh'[i] ?? '', ',').repeat(9)}]`).join('\n')}`,
    ],
    ['an alias of itself', 'a: &a [*a]\nb: *a'],
    ['a prototype', '__proto__: {rule: 1}\nrule: 1'],
    ['a key that is a list', '? [a]\n: 1'],
    ['a key that is a map', '{a: 1}: 2'],
    ['a program', '!!js/function "return 1"'],
    ['bytes', 'rule: !!binary aGVsbG8='],
    ['what is no number', 'rule: .nan\nid: .inf'],
    ['zeros', '\u0000\u0001'],
    ['nothing', ''],
  ])('%s is a mistake, soon', (_, text) => {
    const began = performance.now();
    expect(mistakes(text).length).toBeGreaterThan(0);
    // Milliseconds for most; a second or so for the worst on a busy machine.
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it('of any kind is never thrown at', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'abz:-?[]{}&*!|>%@"\' \n\t#,0'), maxLength: 200 }), (text) => {
        expect(readRuleFile(text).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});

// --- every rule there can be ------------------------------------------------------------------------------------------

const slug = fc.constantFrom('a', 'r101', 'smoke-1', 'co2_x');
const words = fc.record({
  zh: fc.constantFrom('烟', '“是”', '# no'),
  en: fc.constantFrom('x', ': y', '- {value}', 'yes', '12'),
});
const time = fc.oneof(
  fc.constantFrom('1s', '90s', '2min', '12h', '1d'),
  fc.integer({ min: 1_000, max: 31 * 86_400_000 }).map(formatDuration),
);
const glob = fc.constantFrom('smoke-*/smoke', 'relay-1/relay_1', '*/co2');
const selection = fc.oneof(
  glob,
  fc.record(
    { of: glob, zones: fc.array(slug, { minLength: 1, maxLength: 3 }), here: fc.constant(true) },
    { requiredKeys: ['of', 'zones'] },
  ),
);
const value = fc.oneof(
  fc.boolean(),
  fc.double({ min: -1e9, max: 1e9, noDefaultInfinity: true }).map((n) => n || 0),
  fc.constantFrom('on', 'true', '1', ''),
);
const number = fc.integer({ min: -1000, max: 1000 });
const test = fc.oneof(
  fc.record({ is: value }),
  fc.record({ isNot: value }),
  fc.record({ above: number, hysteresis: fc.constant(2.5) }, { requiredKeys: ['above'] }),
  fc.record({ below: number }),
);
const needs = fc.constantFrom('any', 'all', 3);
const onBad = fc.constantFrom('hold', 'ignore');
const clock = fc
  .integer({ min: 0, max: 719 })
  .map((minute) => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`);
const calm = fc.oneof(
  fc.record({ kind: fc.constant('calendar'), is: slug }),
  fc
    .record(
      {
        kind: fc.constant('time'),
        from: clock,
        to: fc.constantFrom('18:30', '24:00', '12:00'),
        days: fc.constant([1, 7]),
      },
      { requiredKeys: ['kind', 'from', 'to'] },
    )
    .filter(({ from, to }) => !(from === '00:00' && to === '24:00')),
  fc.record({ kind: fc.constant('mode'), mode: slug, is: fc.boolean() }, { requiredKeys: ['kind', 'mode'] }),
);
const leaf = fc.oneof(
  calm,
  fc.record(
    { kind: fc.constant('point'), points: selection, needs, test, for: time, onBad },
    { requiredKeys: ['kind', 'points', 'test'] },
  ),
  fc.record(
    {
      kind: fc.constant('rate'),
      points: selection,
      needs,
      change: fc.constantFrom({ rises: 2 }, { falls: 0.5 }),
      within: time,
      onBad,
    },
    { requiredKeys: ['kind', 'points', 'change', 'within'] },
  ),
  fc.record(
    {
      kind: fc.constant('event'),
      type: slug,
      device: fc.constantFrom('*', 'camera-*'),
      zones: fc.array(slug, { minLength: 1 }),
      for: time,
    },
    { requiredKeys: ['kind', 'type'] },
  ),
  fc.record({
    kind: fc.constant('count'),
    of: fc.oneof(fc.record({ event: slug }), fc.record({ points: selection, becomes: test })),
    atLeast: fc.constant(3),
    within: time,
  }),
  fc.record({ kind: fc.constant('unacknowledged'), rule: fc.constant('other'), for: time }),
);
const condition = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.record({
      kind: fc.constantFrom('any', 'all'),
      conditions: fc.array(tie('node'), { minLength: 1, maxLength: 3 }),
    }),
  ),
})).node;
const action = fc.oneof(
  fc.record(
    { kind: fc.constant('hold'), outputs: selection, value, for: time },
    { requiredKeys: ['kind', 'outputs', 'value'] },
  ),
  fc.record(
    { kind: fc.constant('shed'), order: fc.constant(['relay-1/relay_1', 'relay-1/relay_2']), value, every: time },
    { requiredKeys: ['kind', 'order', 'value'] },
  ),
  fc.record(
    { kind: fc.constant('broadcast'), clip: slug, zones: fc.constantFrom('all', 'here', ['z']), for: time },
    { requiredKeys: ['kind', 'clip', 'zones'] },
  ),
  fc.record({ kind: fc.constant('snapshot'), camera: slug }),
  fc.record({ kind: fc.constant('notify'), to: fc.constantFrom(['duty'], ['wang@sms', 'robot']), message: words }),
);
const body = fc.record(
  {
    rule: fc.constant(1),
    id: fc.constant('some-rule'),
    name: words,
    about: words,
    kind: fc.constantFrom('energy', 'comfort', 'notice', 'security'),
    each: fc.record({ place: fc.constantFrom('space', 'zone', 'device'), of: glob }),
    when: condition,
    while: fc.array(calm, { maxLength: 2 }),
    then: fc.array(action, { minLength: 1, maxLength: 4 }),
    latch: fc.boolean(),
    clearAfter: time,
    coolDown: time,
    tests: fc.constantFrom(
      [],
      [
        {
          name: { zh: '一', en: 'one' },
          start: '2026-11-23T10:00',
          given: [
            { at: '0s', set: { 'a/b': 1 } },
            { at: '90s', bad: ['a/b'], mode: { exam: true } },
          ],
          expect: [{ at: '2min', fired: ['some-rule@r101'], alarm: null, holds: { 'a/b': 'on' }, notified: 1 }],
        },
      ],
    ),
  },
  { requiredKeys: ['rule', 'id', 'name', 'kind', 'each', 'when', 'then'] },
);

describe('every rule', () => {
  it('is the same after it was made a body and read again, and its file after it was written and read', () => {
    fc.assert(
      fc.property(body, (made) => {
        const parsed = parseRule(made);
        if (!parsed.ok) throw new Error(parsed.mistakes.map(describeMistake).join('\n'));
        const canonical = ruleToBody(parsed.rule);
        expect(parseRule(canonical)).toEqual(parsed);
        const text = formatRuleFile(made as RuleBody);
        const again = read(text);
        expect(again.body).toEqual(made);
        expect(formatRuleFile(again.body)).toBe(text);
        expect(ruleHash(again.rule)).toBe(ruleHash(parsed.rule));
      }),
      { numRuns: 150 },
    );
  });

  it('has durations that are read as they were written', () => {
    fc.assert(fc.property(fc.nat(31 * 86_400_000), (ms) => duration.parse(formatDuration(ms)) === ms));
    expect([0, 90_000, 120_000, 86_400_000, 1_500].map(formatDuration)).toEqual(['0s', '90s', '2min', '1d', '1500ms']);
  });
});
