import type { Name } from '#edge/domain/place.ts';
import type { Language } from '#edge/runtime/arguments.ts';
import { type Command, commonOptions, inLanguage, type OptionSpec } from './command.ts';

const title: Name = {
  zh: 'campus：在命令行上照看一所校园',
  en: 'campus: looks after one campus from the command line',
};
const hint: Name = {
  zh: '每个命令都有 --help；退出码：0 完成，1 未完成，2 用法错误',
  en: 'every command has --help; exit codes: 0 done, 1 not done, 2 wrongly used',
};

/** Every command, a line each. */
export function overview(commands: readonly Command[], language: Language): string {
  const lines = commands.flatMap(({ name, usage, about }) => [
    `  campus ${name} ${usage}`.trimEnd(),
    ...inLanguage(about, language).map((line) => `      ${line}`),
  ]);
  return [...inLanguage(title, language), '', ...lines, '', ...inLanguage(hint, language), ''].join('\n');
}

export function helpOf({ name, usage, about, more = [], options = {} }: Command, language: Language): string {
  const paragraphs = more.flatMap((paragraph) => ['', ...inLanguage(paragraph, language)]);
  const all = Object.entries({ ...options, ...commonOptions });
  return [
    `campus ${name} ${usage}`.trimEnd(),
    '',
    ...inLanguage(about, language),
    ...paragraphs,
    '',
    ...all.flatMap(([option, spec]) => optionLines(option, spec, language)),
    '',
  ].join('\n');
}

function optionLines(name: string, { value, about }: OptionSpec, language: Language): string[] {
  const [first = '', ...rest] = inLanguage(about, language);
  const margin = 26;
  const head = `  --${name}${value === undefined ? '' : ` ${value}`}`;
  return [`${head.padEnd(margin - 1)} ${first}`, ...rest.map((line) => `${''.padEnd(margin)}${line}`)];
}
