import { describe, expect, it } from 'vitest';
import { templateBody } from '#edge/web/clip-schemas.ts';
import {
  bodyOf,
  emptyForm,
  formOf,
  hasLooseBrace,
  namesIn,
  sampleOf,
} from '#edge/web/console/pages/clips/template-form.ts';

const form = {
  ...emptyForm,
  zh: '集合',
  text: '请{班级}的同学到{ 地点 }集合，{班级}请快。',
  options: { 班级: '一班、二班,二班', 地点: '' },
  chime: 'bell',
};

describe('a template', () => {
  it('is written with names in braces, and told with words of its own', () => {
    const body = bodyOf(form, null);
    expect(body).toEqual({
      ...{ name: { zh: '集合', en: '集合' }, class: 'page', chime: 'bell' },
      text: '请{field_1}的同学到{field_2}集合，{field_1}请快。',
      fields: [
        { key: 'field_1', name: { zh: '班级', en: '班级' }, options: ['一班', '二班'] },
        { key: 'field_2', name: { zh: '地点', en: '地点' }, options: [] },
      ],
    });
    expect(templateBody.parse(body)).toEqual(body);
    expect(formOf(body)).toEqual({
      ...form,
      text: '请{班级}的同学到{地点}集合，{班级}请快。',
      options: { 班级: '一班、二班', 地点: '' },
    });
  });

  it('keeps the words and English names of fields that stay, also beside new ones', () => {
    const before = templateBody.parse({
      ...{ name: { zh: '寻人', en: 'Call' }, text: '{who}请到{place}', class: 'warning', chime: null },
      fields: [
        { key: 'who', name: { zh: '姓氏', en: 'Who' }, options: [] },
        { key: 'place', name: { zh: '地点', en: 'Place' }, options: ['门卫室'] },
      ],
    });
    const changed = bodyOf({ ...formOf(before), text: '请{姓氏}老师在{时间}到{地点}' }, before);
    expect(changed).toMatchObject({ text: '请{who}老师在{field_1}到{place}', class: 'warning', name: { en: 'Call' } });
    expect(changed.fields.map(({ key, name }) => [key, name.en])).toEqual([
      ['who', 'Who'],
      ['field_1', '时间'],
      ['place', 'Place'],
    ]);
  });

  it('is heard with its first choices', () => {
    expect(sampleOf(form)).toBe('请一班的同学到地点集合，一班请快。');
  });

  it('says what is wrong with its braces', () => {
    expect(['a{b', 'a}b', 'a{}b', 'a{ }b', '{a{b}}'].map(hasLooseBrace)).toEqual([true, true, true, true, true]);
    expect(['', 'a', '{a}', '{a}{b}'].map(hasLooseBrace)).toEqual([false, false, false, false]);
    expect(namesIn('{a}{ }{a}{b}')).toEqual(['a', 'b']);
  });
});
