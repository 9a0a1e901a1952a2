import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Name } from '#edge/domain/place.ts';
import type { Language } from '#edge/runtime/arguments.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';

/* What a command of `campus` is, and how what was typed is read: strictly, so that a slip is a mistake and not a default. */

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  /** What stands for the value in the help, e.g. `FOLDER`. */
  readonly value?: string;
  readonly about: Name;
}

export interface Command {
  /** One or two words: `doctor`, `client add`. */
  readonly name: string;
  /** What follows them in the help, e.g. `NAME --data FOLDER`. */
  readonly usage: string;
  readonly about: Name;
  /** More for `--help` of this command, a paragraph each. */
  readonly more?: readonly Name[];
  readonly options?: Readonly<Record<string, OptionSpec>>;
  /** Resolves the exit code; nothing is 0. Throws a CodedError for people: USAGE is 2, any other 1. */
  run(given: Given): Promise<number | undefined>;
}

/** Where a command speaks and listens. */
export interface Terminal {
  readonly language: Language;
  out(line: string): void;
  err(line: string): void;
  readonly stdin: NodeJS.ReadStream;
}

/** What was typed behind the name of a command. */
export class Given {
  readonly words: readonly string[];
  readonly terminal: Terminal;
  readonly #values: Readonly<Record<string, string | boolean | undefined>>;

  constructor(
    words: readonly string[],
    values: Readonly<Record<string, string | boolean | undefined>>,
    terminal: Terminal,
  ) {
    this.words = words;
    this.#values = values;
    this.terminal = terminal;
  }

  text(option: string): string | undefined {
    const value = this.#values[option];
    return typeof value === 'string' ? value : undefined;
  }

  has(option: string): boolean {
    return this.#values[option] === true;
  }

  /** Throws USAGE. */
  need(option: string, value: string): string {
    const text = this.text(option);
    if (text === undefined) throw usage(`--${option} ${value} is needed`);
    return text;
  }

  /** The only word. Throws USAGE. */
  one(what: string): string {
    const [word, ...more] = this.words;
    if (word === undefined || more.length > 0) throw usage(`exactly one ${what} is needed`);
    return word;
  }

  none(): void {
    if (this.words.length > 0) throw usage(`"${this.words[0]}" is not expected here`);
  }

  /** The data folder, absolute. */
  data(): string {
    return resolve(this.need('data', 'FOLDER'));
  }

  print(line: string): void {
    this.terminal.out(line);
  }

  /** One line in the language of the terminal; both of them where that is not known. */
  say(words: Name): void {
    for (const line of inLanguage(words, this.terminal.language)) this.terminal.out(line);
  }
}

export function usage(message: string): CodedError {
  return new CodedError('USAGE', message);
}

export function inLanguage({ zh, en }: Name, language: Language): string[] {
  if (language === 'zh') return [zh];
  return language === 'en' ? [en] : zh === en ? [en] : [zh, en];
}

export const dataOption: OptionSpec = {
  type: 'string',
  value: 'FOLDER',
  about: { zh: '校园的数据目录', en: 'the data folder of the campus' },
};
export const jsonOption: OptionSpec = {
  type: 'boolean',
  about: { zh: '以 JSON 输出，供程序使用', en: 'answer as JSON, for programs' },
};

/** Of every command. */
export const commonOptions: Readonly<Record<string, OptionSpec>> = {
  lang: { type: 'string', value: 'zh|en|both', about: { zh: '输出语言', en: 'language of what is printed' } },
  help: { type: 'boolean', about: { zh: '显示帮助', en: 'show this help' } },
};

/** Throws USAGE. */
export function readOptions(
  args: readonly string[],
  options: Readonly<Record<string, OptionSpec>>,
): { readonly words: readonly string[]; readonly values: Readonly<Record<string, string | boolean | undefined>> } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      strict: true,
      options: Object.fromEntries(Object.entries(options).map(([name, { type }]) => [name, { type }])),
    });
    const flat = Object.entries(values).map(([name, value]) => [name, Array.isArray(value) ? value.at(-1) : value]);
    return { words: positionals, values: Object.fromEntries(flat) };
  } catch (error) {
    throw new CodedError('USAGE', messageOf(error), { cause: error });
  }
}
