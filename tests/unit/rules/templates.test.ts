import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Rule } from '#edge/domain/rule.ts';
import { problemsOf } from '#edge/rules/check-rule.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import { runRuleTests } from '#edge/rules/rule-tests.ts';
import { describeMistake } from '#edge/runtime/rule-mistakes.ts';
import { exampleRule, loadTemplates, type RuleTemplate, templateHours } from '#edge/runtime/rule-template.ts';
import { modesSection } from '#edge/runtime/site-rules.ts';

const shelf = await loadTemplates(join(import.meta.dirname, '../../../edge/rules/templates'));
const calendar = createCalendar(templateHours.openingHours, templateHours.timeZone);
const examples = new Map(shelf.templates.map((template) => [template.id, exampleRule(template)]));
const rules = [...examples.values()].flatMap(({ rule }) => (rule === null ? [] : [rule]));

describe('the templates that are shipped', () => {
  it('can all be used, and there are some of each kind', () => {
    expect(shelf.broken).toEqual([]);
    expect([...new Set(shelf.templates.map(({ kind }) => kind))].sort()).toEqual([
      'comfort',
      'energy',
      'notice',
      'safety',
      'security',
    ]);
    expect(shelf.templates.length).toBeGreaterThanOrEqual(30);
    expect(new Set(shelf.templates.map(({ id }) => id)).size).toBe(shelf.templates.length);
  });

  it('stand in the manual, and nothing else does', async () => {
    const manual = await readFile(join(import.meta.dirname, '../../../edge/docs/shipped-rules.md'), 'utf8');
    const listed = [...manual.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, id]) => id);
    expect(listed.sort()).toEqual(shelf.templates.map(({ id }) => id));
  });

  describe.each(shelf.templates.map((template) => [template.id, template] as const))('%s', (_, template) => {
    const { rule, mistakes } = examples.get(template.id) ?? { rule: null, mistakes: [] };

    it('does on its campus what its tests say', () => {
      expect(mistakes.map(describeMistake)).toEqual([]);
      const results = rule === null ? [] : runRuleTests({ rule, campus: template.campus, calendar });
      expect(results.filter(({ passed }) => !passed).map(({ name, detail }) => `${name.en}: ${detail}`)).toEqual([]);
      expect(results.length).toBeGreaterThanOrEqual(3);
    });

    it('is right for a campus like its own, where outputs can be written and people and clips are known', () => {
      expect(rule === null ? ['no rule'] : problemsOf(rule, template.campus, surroundings(template))).toEqual([]);
    });

    it('is tried with data that is bad, and both while it fires and while it does not', () => {
      const tests = rule?.tests ?? [];
      const expected = tests.flatMap(({ expect: all }) => all.flatMap(({ fired }) => (fired ? [fired.length] : [])));
      expect(tests.some(({ given }) => given.some(({ bad }) => (bad?.length ?? 0) > 0))).toBe(true);
      expect(expected.some((count) => count > 0)).toBe(true);
      expect(expected.some((count) => count === 0)).toBe(true);
    });

    it('says everything in Chinese and in English', () => {
      const spoken = [
        template.name,
        template.about,
        ...template.parameters.map(({ name }) => name),
        ...(rule?.tests ?? []).map(({ name }) => name),
        ...messagesOf(rule),
      ];
      for (const { zh, en } of spoken) {
        expect(zh, en).toMatch(/\p{Script=Han}/u);
        expect(en, zh).not.toMatch(/\p{Script=Han}/u);
        expect(en.trim(), zh).not.toBe('');
      }
    });

    it('asks every number and duration to stay within reach', () => {
      const open = template.parameters.filter(
        ({ type, min, max }) =>
          (type === 'number' && (min === undefined || max === undefined)) || (type === 'duration' && max === undefined),
      );
      expect(open.map(({ id }) => id)).toEqual([]);
    });
  });
});

describe('the templates for smoke work together', () => {
  const detector = shelf.templates.find(({ id }) => id === 'smoke-detector');
  const campus = shelf.templates.find(({ id }) => id === 'smoke-evacuate')?.campus ?? {
    devices: [],
    zones: [],
    spaces: [],
  };
  const evacuate = examples.get('smoke-evacuate')?.rule;
  const start = '2026-11-23T10:00';
  const plays: Rule['tests'] = [
    {
      name: { zh: '无人确认即疏散', en: 'one that nobody acknowledges evacuates after 30 s, not before' },
      start,
      given: [{ at: 0, set: { 'smoke-101/smoke': true } }],
      expect: [
        { at: 29_000, fired: [], holds: {} },
        { at: 30_000, fired: ['smoke-evacuate'], alarm: 'critical' },
      ],
    },
    {
      name: { zh: '及时确认不疏散', en: 'one that is acknowledged in time evacuates nobody' },
      start,
      given: [
        { at: 0, set: { 'smoke-101/smoke': true } },
        { at: 29_000, acknowledge: ['smoke-detector'] },
      ],
      expect: [{ at: 600_000, fired: [], holds: {} }],
    },
  ];

  it.each(plays.map((play) => [play.name.en, play] as const))('%s', (_, play) => {
    expect(detector).toBeDefined();
    const results =
      evacuate == null ? [] : runRuleTests({ rule: { ...evacuate, tests: [play] }, campus, calendar, others: rules });
    expect(results).toEqual([{ name: play.name, passed: true, detail: '' }]);
  });
});

/** A campus that knows whom and what the examples name. */
function surroundings(template: RuleTemplate) {
  const named = (type: string) =>
    template.parameters
      .filter((parameter) => parameter.type === type)
      .flatMap(({ example, default: usual }) => [example ?? usual].flat())
      .filter((name) => typeof name === 'string');
  return {
    clips: named('clip'),
    modes: modesSection.parse(undefined).map(({ id }) => id),
    recipients: named('recipient'),
    cameras: template.campus.devices.map(({ id }) => String(id)),
    rules,
  };
}

function messagesOf(rule: Rule | null) {
  return (rule?.then ?? []).flatMap((action) => {
    if (action.kind === 'alarm') return [action.message, action.next];
    return action.kind === 'notify' ? [action.message] : [];
  });
}
