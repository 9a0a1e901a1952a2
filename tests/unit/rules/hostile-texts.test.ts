import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RuleBody, ruleHash } from '#edge/runtime/rule-body.ts';
import { formatRuleFile, readRuleFile, whyNotFile } from '#edge/runtime/rule-file.ts';
import { describeMistake } from '#edge/runtime/rule-mistakes.ts';
import { parseRule } from '#edge/runtime/rule-parse.ts';

function bodyOf(more: RuleBody = {}): RuleBody {
  return {
    rule: 1,
    id: 'leak',
    name: { zh: '漏水', en: 'Leak' },
    kind: 'comfort',
    when: { kind: 'point', points: 'leak-1/water', test: { is: true }, onBad: 'hold' },
    then: [{ kind: 'alarm', class: 'high', message: { zh: '漏水', en: 'Leak' }, next: { zh: '查看', en: 'Look' } }],
    ...more,
  };
}

function mistakesOf(body: unknown): readonly string[] {
  const parsed = parseRule(body);
  return parsed.ok ? [] : parsed.mistakes.map(describeMistake);
}

describe('texts of a rule', () => {
  const hidden: readonly [string, string][] = [
    ['a mark that turns the direction of reading', 'close \u202eevlav\u202c'],
    ['an isolate', 'a\u2066b\u2069'],
    ['a blank of no width', 'pump\u200b1'],
    ['a soft hyphen', 'pu\u00admp'],
    ['a terminal escape', '\u001b[31mred'],
    ['a zero byte', 'a\u0000b'],
    ['a backspace', 'off\b\b\bon'],
    ['a carriage return', 'shown\rhidden'],
    ['a line separator', 'a\u2028b'],
    ['half a character', 'a\ud800'],
    ['letters of the tag plane', 'a\u{e0041}'],
    ['a byte order mark', '\ufeffa'],
  ];

  it.each(hidden)('are refused with %s, which nobody who approves would see', (_, text) => {
    const alarm = { kind: 'alarm', class: 'low', message: { zh: '好', en: text }, next: { zh: '好', en: 'ok' } };
    for (const [body, path] of [
      [bodyOf({ name: { zh: text, en: 'ok' } }), 'name.zh'],
      [bodyOf({ about: { zh: '好', en: text } }), 'about.en'],
      [bodyOf({ then: [alarm] }), 'then[0].message.en'],
    ] as const) {
      const [found = '', ...more] = mistakesOf(body);
      expect(found.startsWith(`${path}: has signs that nobody can see`)).toBe(true);
      expect(more).toEqual([]);
    }
  });

  it('may have lines, tabs, emoji of several parts, and any script', () => {
    expect(mistakesOf(bodyOf({ about: { zh: '第一行\n第二行\t👩‍🔧', en: 'Ελληνικά – עברית «да»' } }))).toEqual([]);
  });

  it('made of blanks alone are empty', () => {
    expect(mistakesOf(bodyOf({ name: { zh: ' \u3000\n', en: '\u200d' } }))).toEqual([
      'name.zh: is empty',
      'name.en: is empty',
    ]);
  });
});

describe('a rule as a file', () => {
  it('is refused when it could not be read again as it is, and only then', () => {
    const signs = [
      '[',
      '{',
      ']',
      '- ',
      '? ',
      ': ',
      '#',
      '\n',
      ' ',
      '"',
      "'",
      '\\',
      '|',
      '>',
      '%',
      '&',
      '*',
      '!',
      '~',
      'x',
      '水',
      '😀',
      '\t',
    ];
    const text = fc.oneof(
      fc.array(fc.constantFrom(...signs), { minLength: 1, maxLength: 80 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }),
    );
    fc.assert(
      fc.property(text, text, (one, other) => {
        const body = bodyOf({
          about: { zh: one, en: other },
          when: { kind: 'point', points: 'leak-1/water', test: { is: one }, onBad: 'hold' },
        });
        const parsed = parseRule(body);
        if (!parsed.ok) return;
        const bytes = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(formatRuleFile(body)));
        const read = readRuleFile(bytes);
        const isSame = read.ok && ruleHash(read.rule) === ruleHash(parsed.rule);
        expect(whyNotFile(body, parsed.rule) === null).toBe(isSame);
      }),
      { numRuns: 1_500, seed: 4 },
    );
  });

  const large = '量'.repeat(256);
  const refused: readonly [string, RuleBody][] = [
    ['its text has more brackets than a file may open', bodyOf({ about: { zh: '['.repeat(80), en: 'x' } })],
    ['a line of its text looks like lists within lists', bodyOf({ about: { zh: `x\n${'- '.repeat(20)}`, en: 'x' } })],
    [
      'it is small as JSON and too long as a file',
      bodyOf({
        tests: Array.from({ length: 30 }, () => ({
          name: { zh: large.slice(0, 120), en: large.slice(0, 120) },
          start: '2026-11-23T10:00',
          expect: [{ at: '1s' }],
        })),
        then: Array.from({ length: 32 }, () => ({ kind: 'notify', to: ['duty'], message: { zh: large, en: large } })),
      }),
    ],
  ];

  it.each(refused)('%s', (_, body) => {
    const parsed = parseRule(body);
    if (!parsed.ok) throw new Error(parsed.mistakes.map(describeMistake).join('\n'));
    expect(whyNotFile(body, parsed.rule)).toMatch(/^as a file it could not be read again: it /);
  });
});

describe('YAML made to hurt', () => {
  const head = 'rule: 1\nid: leak\n';
  const hostile: readonly [string, string, RegExp][] = [
    ['a second document that a person would read', `${head}---\n${head}`, /multiple documents/],
    ['not a number', `${head}coolDown: .nan\n`, /coolDown: must be a text/],
    ['infinity in a limit', 'when: {kind: point, points: a/b, test: {above: .inf}}', /when\.test/],
    ['a number that overflows', 'when: {kind: point, points: a/b, test: {above: 1e999}}', /when\.test/],
    ['a prototype', `${head}__proto__: {kind: safety}\n`, /has a key "__proto__"/],
    ['a constructor', `${head}constructor: {prototype: {kind: safety}}\n`, /constructor: is not a key here/],
    ['a merge', `base: &a {kind: safety}\n<<: *a\n${head}`, /<<: is not a key here/],
    ['a key that is a list', `${head}? [a]\n: b\n`, /no text/],
    ['bytes by a tag', `${head}about: !!binary aGVsbG8=\n`, /no plain data/],
    ['a set by a tag', '!!set {a, b}', /no plain data/],
    ['a thing that holds itself', '&a [*a]', /nested more than/],
    [
      'ten lines that are a billion',
      `a: &a [x,x,x,x,x,x]\n${[...'bcdefghij'].map((key, i) => `${key}: &${key} [${`*${'abcdefghi'[i]},`.repeat(6).slice(0, -1)}]`).join('\n')}`,
      /aliases|resource exhaustion/,
    ],
    ['five megabytes', 'x'.repeat(5_000_000), /more than 64000 bytes/],
    ['sixty thousand brackets', '['.repeat(60_000), /nested more than/],
    ['sixty thousand dashes', '- '.repeat(30_000), /nested more than/],
    [
      'a key of sixty thousand signs',
      `${'k'.repeat(60_000)}: 1`,
      /is not a key here|mapping key|Implicit keys|simple key/i,
    ],
    ['ten thousand keys', Array.from({ length: 7_000 }, (_, i) => `k${i}: 1`).join('\n'), /is not a key here/],
  ];

  it.each(hostile)('%s: is refused in a moment, in words', (_, text, why) => {
    const began = performance.now();
    const read = readRuleFile(text);
    if (read.ok) throw new Error('it was taken');
    expect(read.mistakes.map(describeMistake).join('\n')).toMatch(why);
    expect(read.mistakes.length).toBeLessThanOrEqual(51);
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describe('bodies made to hurt', () => {
  const deep = (depth: number): RuleBody =>
    depth === 0 ? { kind: 'mode', mode: 'x' } : { kind: 'any', conditions: [deep(depth - 1), deep(depth - 1)] };
  const wide = { kind: 'any', conditions: Array.from({ length: 64 }, () => ({ kind: 'point' })) };
  const hostile: readonly [string, unknown, RegExp][] = [
    [
      'a thousand levels',
      bodyOf({ when: Array.from({ length: 1_000 }).reduce((inner) => ({ kind: 'any', conditions: [inner] }), {}) }),
      /nested more than 32/,
    ],
    ['a tree of conditions', bodyOf({ when: deep(10) }), /nested more than 8|at most 64/],
    [
      'four thousand mistakes',
      bodyOf({ when: { kind: 'any', conditions: Array.from({ length: 64 }, () => wide) } }),
      /more mistakes/,
    ],
    ['a list of a million', bodyOf({ while: new Array(1_000_000).fill(0) }), /more than 20000 values/],
    ['a hole for a list', bodyOf({ while: new Array(4_000_000_000) }), /more than 20000 values/],
    ['not a number', bodyOf({ when: { kind: 'point', points: 'a/b', test: { above: Number.NaN } } }), /when\.test/],
    [
      'no end',
      bodyOf({ when: { kind: 'point', points: 'a/b', test: { below: Number.POSITIVE_INFINITY } } }),
      /when\.test/,
    ],
    ['a time of ages', bodyOf({ clearAfter: `${'9'.repeat(400)}d` }), /clearAfter/],
    ['a time that is no number', bodyOf({ coolDown: '1.2.3h' }), /coolDown/],
    ['an id with a place in it', bodyOf({ id: 'leak@r301' }), /id: must be a slug/],
    ['an id that leads out of the folder', bodyOf({ id: '../core' }), /id: must be a slug/],
    ['an id in letters that look like others', bodyOf({ id: 'lеak' }), /id: must be a slug/],
    ['a priority of safety for comfort', bodyOf({ priority: 1 }), /priority: is for safety rules only/],
    ['a priority between', bodyOf({ kind: 'safety', priority: 8 }), /priority: must be 1/],
    [
      'a hold that never ends',
      bodyOf({ then: [{ kind: 'hold', outputs: 'a/b', value: true, for: null }] }),
      /then\[0\]\.for/,
    ],
    ['a hold of a year', bodyOf({ then: [{ kind: 'hold', outputs: 'a/b', value: true, for: '365d' }] }), /at most 31d/],
    ['a function', bodyOf({ about: (() => 1) as unknown }), /holds a function/],
    ['an object with a getter', Object.create({ rule: 1 }), /no plain data/],
  ];

  it.each(hostile)('%s: is refused in a moment, in words', (_, body, why) => {
    const began = performance.now();
    expect(mistakesOf(body).join('\n')).toMatch(why);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('messages that explode when they are filled in do not: no placeholder brings another', () => {
    expect(mistakesOf(bodyOf({ name: { zh: '{x}', en: '{value}' } }))).toEqual([]);
    const alarm = {
      kind: 'alarm',
      class: 'low',
      message: { zh: '{a}', en: '{value.constructor}' },
      next: { zh: 'x', en: 'x' },
    };
    expect(mistakesOf(bodyOf({ then: [alarm] }))).toHaveLength(2);
  });
});
