import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { readRuleFile } from '#edge/runtime/rule-file.ts';
import { describeMistake } from '#edge/runtime/rule-mistakes.ts';
import { parseRule } from '#edge/runtime/rule-parse.ts';

/* What docs/writing-a-rule.md shows must be what the code takes. */

const page = readFileSync(join(import.meta.dirname, '../../../edge/docs/writing-a-rule.md'), 'utf8');
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
const name = { zh: '一', en: 'one' };
const alarm = { kind: 'alarm', class: 'low', message: name, next: name };
const calm = { kind: 'calendar', is: 'open' };

function mistakes(changes: object): string[] {
  const parsed = parseRule({
    ...{ rule: 1, id: 'smoke', name, kind: 'safety', priority: 1, each: { place: 'device', of: '*/*' } },
    ...{ when: calm, then: [alarm], ...changes },
  });
  return parsed.ok ? [] : parsed.mistakes.map(describeMistake);
}

it('its first rule is a good one', () => {
  const [first = ''] = blocks;
  const read = readRuleFile(first);
  expect(read.ok ? [] : read.mistakes.map(describeMistake)).toEqual([]);
});

it('each of its conditions, actions and tests is one', () => {
  const lines = blocks.flatMap((text) => text.split('\n')).filter((line) => line.startsWith('{kind: '));
  expect(lines.length).toBeGreaterThan(9);
  expect(lines.flatMap((line) => mistakes({ id: 'other', when: parse(line) }))).toEqual([]);
  const actions = blocks.find((text) => text.startsWith('then:')) ?? '';
  expect(mistakes(parse(actions))).toEqual([]);
  const tests = blocks.find((text) => text.startsWith('tests:')) ?? '';
  expect(mistakes({ each: undefined, ...parse(tests) })).toEqual([]);
  const points = blocks.find((text) => text.startsWith('points:')) ?? '';
  expect(mistakes({ when: { kind: 'point', test: { is: true }, ...parse(points) } })).toEqual([]);
});
