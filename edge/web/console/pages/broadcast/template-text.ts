import type { TemplateView } from './data.ts';

/* `{class}同学请到{place}` with what was filled in. Pure. */

export type Filled = Readonly<Record<string, string>>;

export function filledText(template: TemplateView['body'], filled: Filled): string {
  return template.text.replaceAll(/\{([a-z][a-z0-9_]*)\}/g, (whole, key: string) => {
    const isField = template.fields.some((field) => field.key === key);
    return isField ? (filled[key] ?? '').trim() : whole;
  });
}

/** The first field that nothing is in; null: all are filled. */
export function emptyField(
  template: TemplateView['body'],
  filled: Filled,
): TemplateView['body']['fields'][number] | null {
  return template.fields.find(({ key }) => (filled[key] ?? '').trim() === '') ?? null;
}
