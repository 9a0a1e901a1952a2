import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Rule } from '#edge/domain/rule.ts';
import { devicesOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { problemsOf } from '#edge/rules/check-rule.ts';
import { createCalendar } from '#edge/rules/create-calendar.ts';
import { runRuleTests } from '#edge/rules/rule-tests.ts';
import { readRuleFolder } from '#edge/runtime/rule-folder.ts';
import { ruleCampus, ruleSurroundings } from '#edge/runtime/rule-surroundings.ts';
import { loadSite } from '#edge/runtime/site.ts';
import { rulesFolder } from '#edge/runtime/site-rules.ts';

const root = join(import.meta.dirname, '../../..');
const site = await loadSite(join(root, 'edge/simulators/demo-site.yaml'));
const { devices } = devicesOf(site, await loadProfiles(join(root, 'device-profiles')));
const campus = ruleCampus(site, devices);
const calendar = createCalendar(site.openingHours, site.campus.timeZone);
const { rules: files, broken } = await readRuleFolder(rulesFolder(site));
const rules = files.map(({ rule }) => rule);

const idsOf = (isWanted: (rule: Rule) => boolean) => rules.filter(isWanted).map(({ id }) => id);

it('the rules of the demo can all be used, and the safety rules are the six', () => {
  expect(broken).toEqual([]);
  expect(idsOf(({ kind }) => kind === 'safety')).toEqual([
    'after-hours-gate',
    'after-hours-playground',
    'fire',
    'leak',
    'overload',
    'smoke',
  ]);
});

it('the demo shows the other kinds too, with rules that wait for minutes and miss no device that is not there', () => {
  const others = rules.filter(({ kind }) => kind !== 'safety');
  expect(new Set(others.map(({ kind }) => kind)).size).toBe(4);
  for (const { id, when } of others) {
    expect(when.kind === 'point' ? when : null, id).toMatchObject({ onBad: 'ignore' });
    expect(when.kind === 'point' ? when.for : 0, id).toBeGreaterThanOrEqual(600_000);
  }
});

it.each(rules.map((rule) => [rule.id, rule] as const))(
  '%s fits the demo campus and does there what its tests say',
  (_, rule) => {
    expect(problemsOf(rule, campus, { ...ruleSurroundings(site, devices), rules })).toEqual([]);
    const results = runRuleTests({ rule, campus, calendar, others: rules });
    expect(results.filter(({ passed }) => !passed)).toEqual([]);
    expect(results.length).toBeGreaterThan(0);
  },
);
