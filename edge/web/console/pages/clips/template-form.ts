import type { z } from 'zod';
import type { templateBody, templateView } from '../../../clip-schemas.ts';

/* A template as people write it: `{班级}请到{地点}集合`, the names of its fields in braces. The API knows each field by a word of its own. Pure. */

export type TemplateBody = z.infer<typeof templateBody>;
export type TemplateView = z.infer<typeof templateView>;

export interface TemplateForm {
  readonly zh: string;
  readonly en: string;
  readonly text: string;
  /** What one chooses from, by the name of the field: `一班、二班`; '' or absent: anything. */
  readonly options: Readonly<Record<string, string>>;
  readonly chime: string | null;
}

export const emptyForm: TemplateForm = { zh: '', en: '', text: '', options: {}, chime: null };

/** Names in braces, in their order, each once. */
export function namesIn(text: string): readonly string[] {
  return [
    ...new Set([...text.matchAll(/\{([^{}]+)\}/g)].map(([, name = '']) => name.trim()).filter((name) => name !== '')),
  ];
}

/** A brace that has no other, or none between two. */
export function hasLooseBrace(text: string): boolean {
  return /[{}]/.test(text.replaceAll(/\{[^{}]*[^{}\s][^{}]*\}/g, ''));
}

export function formOf({ name, text, fields, chime }: TemplateBody): TemplateForm {
  const names = new Map(fields.map((field) => [field.key, field.name.zh]));
  return {
    ...{ zh: name.zh, en: name.en === name.zh ? '' : name.en, chime },
    text: text.replaceAll(/\{([^{}]*)\}/g, (whole, key: string) => (names.has(key) ? `{${names.get(key)}}` : whole)),
    options: Object.fromEntries(fields.map(({ name: field, options }) => [field.zh, options.join('、')])),
  };
}

/** `before`: what it was, whose words for fields that keep their name are kept, and so are their English names. */
export function bodyOf({ zh, en, text, options, chime }: TemplateForm, before: TemplateBody | null): TemplateBody {
  const known = new Map((before?.fields ?? []).map((field) => [field.name.zh, field]));
  const taken = new Set([...known.values()].map(({ key }) => key));
  const free = () => {
    let n = 1;
    while (taken.has(`field_${n}`)) n++;
    taken.add(`field_${n}`);
    return `field_${n}`;
  };
  const fields = namesIn(text).map((name) => {
    const old = known.get(name);
    const choices = (options[name] ?? '').split(/[、,，;；\n]/).map((one) => one.trim());
    return {
      key: old?.key ?? free(),
      name: old?.name ?? { zh: name, en: name },
      options: [...new Set(choices.filter((one) => one !== ''))],
    };
  });
  const keys = new Map(fields.map((field) => [field.name.zh, field.key]));
  return {
    name: { zh: zh.trim(), en: en.trim() === '' ? zh.trim() : en.trim() },
    text: text.trim().replaceAll(/\{([^{}]+)\}/g, (whole, name: string) => {
      const key = keys.get(name.trim());
      return key === undefined ? whole : `{${key}}`;
    }),
    fields,
    class: before?.class ?? 'page',
    chime,
  };
}

/** What it sounds like, to be listened to: each field with its first choice, or its name. */
export function sampleOf({ text, options }: TemplateForm): string {
  return text.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => {
    const [first = ''] = (options[name.trim()] ?? '').split(/[、,，;；\n]/);
    return first.trim() === '' ? name.trim() : first.trim();
  });
}
