import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeMistake } from '#edge/runtime/rule-mistakes.ts';
import {
  exampleRule,
  fillTemplate,
  loadTemplates,
  type RuleTemplate,
  readTemplate,
} from '#edge/runtime/rule-template.ts';
import { fillIn } from '#edge/runtime/template-values.ts';

const source = `template: 1
id: base-load
name: {zh: 夜间基荷, en: Night load}
about: {zh: 夜间超过 $limit kW 持续 $stands 时通知 $who, en: 'Above $limit kW for $stands at night: $who hears it, for $$5'}
kind: energy
parameters:
  - {id: meter, name: {zh: 电表, en: Meters}, type: points, example: meter-1/power}
  - {id: limit, name: {zh: 上限, en: Limit}, type: number, unit: kW, default: 20, min: 1, max: 500}
  - {id: stands, name: {zh: 持续, en: Stands for}, type: duration, default: 20min, min: 60, max: 3600}
  - {id: night, name: {zh: 起, en: From}, type: time, default: '22:00'}
  - {id: who, name: {zh: 谁, en: Who}, type: recipient, example: facility}
  - {id: zone, name: {zh: 区域, en: Zones}, type: zone, default: teaching}
when: {kind: point, points: {of: $meter, zones: $zone}, test: {above: $limit}, for: $stands}
while: [{kind: time, from: $night, to: '06:00'}]
then:
  - {kind: notify, to: [principal, $who], message: {zh: 夜间用电 {value} kW，高于 $limit, en: 'Load above $limit for $stands'}}
campus:
  - {id: meter-1, zone: teaching, points: [{name: power, unit: kW}]}
tests:
  - name: {zh: 一, en: one}
    start: 2026-11-23T23:00
    given: [{at: 0s, set: {$meter: 50}}]
    expect: [{at: 20min, notified: 1}]
`.replace('夜间用电 {value} kW，高于 $limit', "'夜间用电 {value} kW，已 $stands'");

function template(text = source): RuleTemplate {
  const read = readTemplate(text);
  if (!read.ok) throw new Error(read.mistakes.map(describeMistake).join('\n'));
  return read.template;
}

const broken = (text: string): string[] => {
  const read = readTemplate(text);
  return read.ok ? [] : read.mistakes.map(describeMistake);
};

const values = { meter: 'meter-main/power', who: ['facility', 'wang@sms'], limit: 35.5 };

describe('a template', () => {
  it('becomes a rule that knows it no more, under an id and a name of its own', () => {
    const name = { zh: '食堂', en: 'Canteen' };
    const { body, mistakes } = fillTemplate(template(), values, { id: 'canteen-night', name });
    expect(mistakes).toEqual([]);
    expect(body).toEqual({
      rule: 1,
      id: 'canteen-night',
      name,
      about: {
        zh: '夜间超过 35.5 kW 持续 20 分钟 时通知 facility、wang@sms',
        en: 'Above 35.5 kW for 20 min at night: facility, wang@sms hears it, for $5',
      },
      kind: 'energy',
      when: {
        kind: 'point',
        points: { of: 'meter-main/power', zones: ['teaching'] },
        test: { above: 35.5 },
        for: '20min',
      },
      while: [{ kind: 'time', from: '22:00', to: '06:00' }],
      then: [
        {
          kind: 'notify',
          to: ['principal', 'facility', 'wang@sms'],
          message: { zh: '夜间用电 {value} kW，已 20 分钟', en: 'Load above 35.5 for 20 min' },
        },
      ],
    });
  });

  it('makes of its examples the rule that its tests prove', () => {
    const { rule } = exampleRule(template());
    expect(rule?.tests[0]?.given[0]?.set).toEqual({ 'meter-1/power': 50 });
    expect(rule?.when).toMatchObject({ points: { of: 'meter-1/power' } });
  });

  it.each<[object, string]>([
    [{ who: 'x' }, 'parameters.meter: is missing: it has no default'],
    [{ ...values, limit: '30' }, 'parameters.limit: must be a number'],
    [{ ...values, limit: 0 }, 'parameters.limit: must be at least 1 kW'],
    [{ ...values, stands: '2h' }, 'parameters.stands: must be at most 3600 s'],
    [{ ...values, stands: 'long' }, 'parameters.stands: must be a duration such as'],
    [{ ...values, night: '25:00' }, 'parameters.night: must be HH:MM'],
    [{ ...values, meter: 'power' }, 'parameters.meter: must be <device>/<point>'],
    [{ ...values, other: 1 }, 'parameters.other: is no parameter of this template'],
    [{ ...values, zone: 'all' }, 'when.points.zones: must be a list'],
  ])('says of values %o what is wrong', (given, said) => {
    const { mistakes } = fillTemplate(template(), { ...given });
    expect(mistakes.map(describeMistake).join('\n')).toContain(said);
  });

  it('takes values as they are: what looks like a parameter in them is text', () => {
    const known = new Map([
      ['who', { type: 'text', value: '$limit' }],
      ['limit', { type: 'number', value: 3 }],
    ]);
    expect(fillIn({ a: '$who', b: ['$who', 'of $who'], c: '$limit', d: '$other' }, known)).toEqual({
      a: '$limit',
      b: ['$limit', 'of $limit'],
      c: 3,
      d: '$other',
    });
  });

  it('is refused with the place of the mistake', () => {
    expect(broken(source.replace('kind: notify', 'kind: tell'))).toEqual([
      expect.stringContaining('line 16, column 6: then[0].kind: must be one of hold'),
    ]);
    expect(broken(source.replace('test: {above: $limit}', 'test: {above: $limmit}'))[0]).toContain('has no "limmit"');
    expect(broken(source.replace('zones: $zone', 'zones: [teaching]'))[0]).toContain('$zone stands nowhere');
    expect(broken(source.replace(/tests:[\s\S]*/, ''))).toEqual([expect.stringContaining('tests: is missing')]);
    expect(broken(source.replace(', example: meter-1/power', ''))[0]).toContain('parameters.meter: is missing');
    expect(broken('')).toEqual([expect.stringContaining('must be keys with values')]);
    expect(broken('['.repeat(50_000))).toEqual(['(file): is nested more than 64 deep']);
  });

  it('lies in the folder of its kind, and a broken one stops no other', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'templates-'));
    mkdirSync(join(folder, 'energy'));
    writeFileSync(join(folder, 'README.md'), 'about');
    writeFileSync(join(folder, 'energy', 'base-load.yaml'), source);
    writeFileSync(join(folder, 'energy', 'other.yaml'), source);
    writeFileSync(join(folder, 'energy', 'wrong.yaml'), 'template: 2');
    const { templates, broken: wrong } = await loadTemplates(folder);
    expect(templates.map(({ id }) => id)).toEqual(['base-load']);
    expect(wrong.map(({ file }) => file)).toEqual(['energy/other.yaml', 'energy/wrong.yaml']);
    expect(wrong[0]?.message).toBe('must be energy/base-load.yaml by its kind and its id');
    await expect(loadTemplates(join(folder, 'none'))).rejects.toMatchObject({ code: 'TEMPLATES_UNREADABLE' });
    expect(readFileSync(join(folder, 'README.md'), 'utf8')).toBe('about');
    rmSync(folder, { recursive: true });
  });
});
