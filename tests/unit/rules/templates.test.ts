import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import { runRuleTests } from '#edge/rules/rule-tests.ts';
import { exampleRule, loadTemplates, templateHours } from '#edge/runtime/rule-template.ts';

const shelf = await loadTemplates(join(import.meta.dirname, '../../../edge/rules/templates'));
const calendar = createCalendar(templateHours.openingHours, templateHours.timeZone);

describe('the templates that are shipped', () => {
  it('can all be used, and are some', () => {
    expect(shelf.broken).toEqual([]);
    expect(shelf.templates.length).toBeGreaterThan(1);
  });

  it.each(shelf.templates.map((template) => [template.id, template] as const))(
    '%s does on its campus what its tests say',
    (_, template) => {
      const { rule, mistakes } = exampleRule(template);
      expect(mistakes).toEqual([]);
      const results = rule === null ? [] : runRuleTests({ rule, campus: template.campus, calendar });
      expect(results.filter(({ passed }) => !passed)).toEqual([]);
      expect(results.length).toBeGreaterThan(0);
    },
  );
});
