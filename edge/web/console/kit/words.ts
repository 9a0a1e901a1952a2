/* Every sentence on the screen comes from a dictionary with both languages. A page keeps its own in `words.ts`. */

export const languages = ['zh', 'en'] as const;
export type Language = (typeof languages)[number];

/** A word, or a sentence with something in it. */
export type Word = string | ((...parts: never[]) => string);
export type Dictionary = Readonly<Record<string, Word>>;

export interface Words<D> {
  readonly zh: D;
  readonly en: D;
}

/** The type asks that `en` has exactly the keys of `zh`, with the same parts; a test asks that none is empty or in the wrong language. */
export function defineWords<D extends Dictionary>(words: { readonly zh: D; readonly en: NoInfer<D> }): Words<D> {
  return words;
}

/** A name that people gave, in both languages (`domain/place.ts`). */
export interface NamePair {
  readonly zh: string;
  readonly en: string;
}

/** A name in the language of the screen; the other one where that is empty. */
export function nameIn(language: Language, name: NamePair | null | undefined): string {
  if (name === null || name === undefined) return '';
  return name[language] || name.zh || name.en;
}

/** `key: value` with the colon of the language. */
export function pairIn(language: Language, key: string, value: string): string {
  return language === 'zh' ? `${key}：${value}` : `${key}: ${value}`;
}
