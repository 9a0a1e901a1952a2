import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CodedError } from '#edge/runtime/errors.ts';
import { ruleSchemaText } from '#edge/runtime/rule-json-schema.ts';
import { type Command, type Given, inLanguage, jsonOption, type OptionSpec, usage } from './command.ts';
import { type Bench, isFolder, type Looked, lookAtFile, lookAtFolder, openBench } from './rule-bench.ts';

const schemaFile = resolve(import.meta.dirname, '../rules/rule.schema.json');

const siteOption: OptionSpec = {
  type: 'string',
  value: 'FILE',
  about: { zh: '规则所在校园的站点文件', en: 'the site file of the campus that the rules are for' },
};

export const ruleCommands: readonly Command[] = [
  {
    name: 'rule check',
    usage: '[FILE|FOLDER] [--site FILE]',
    about: {
      zh: '校验规则文件，并运行其中的测试，无需校园在运行',
      en: 'check rule files and play the tests in them, no campus needed',
    },
    more: [
      {
        zh: '有 --site 时还检查测点、输出、片段和联系人是否存在，并运行测试；不给文件时检查该站点的规则目录。模板自带校园。',
        en: 'With --site it also looks whether points, outputs, clips and people are there, and plays the tests; without a file, all rules of the site. A template brings a campus of its own.',
      },
    ],
    options: { site: siteOption },
    run: async (given) => {
      const looked = await lookAt(given);
      for (const one of looked) given.print(summary(one));
      const wrong = looked.flatMap((one) => failuresOf(one, given));
      if (wrong.length > 0) throw new CodedError('RULE_WRONG', wrong.join('\n'));
    },
  },
  {
    name: 'rule test',
    usage: 'FILE [--site FILE]',
    about: { zh: '运行一个规则文件（或模板）里的测试', en: 'play the tests of one rule file or template' },
    options: { site: siteOption },
    run: async (given) => {
      const path = given.one('FILE');
      const one = await lookAtFile(await benchOf(given), path);
      if (one.mistakes.length === 0 && one.tests === null) throw usage('--site FILE is needed: tests need a campus');
      for (const { name, passed, detail } of one.tests ?? []) {
        given.print(`${passed ? 'ok  ' : 'FAIL'} ${inLanguage(name, given.terminal.language).join(' / ')}`);
        if (!passed) given.print(indented(detail));
      }
      const failed = one.tests?.filter(({ passed }) => !passed).length ?? 0;
      if (one.mistakes.length > 0) throw new CodedError('RULE_WRONG', one.mistakes.join('\n'));
      if (failed > 0) throw new CodedError('RULE_WRONG', `${failed} of ${one.tests?.length ?? 0} tests failed`);
      given.print(`${one.tests?.length ?? 0} tests pass`);
    },
  },
  {
    name: 'rule list',
    usage: '--site FILE [--json]',
    about: { zh: '列出一个站点的规则文件', en: 'the rule files of a site' },
    options: { site: siteOption, json: jsonOption },
    run: async (given) => {
      given.none();
      const { folder } = await openBench(resolve(given.need('site', 'FILE')));
      const { rules, broken } = folder;
      if (given.has('json')) {
        const list = rules.map(({ file, hash, rule }) => ({
          file,
          id: rule.id,
          name: rule.name,
          kind: rule.kind,
          priority: rule.priority,
          hash,
        }));
        given.print(JSON.stringify({ rules: list, broken }));
      } else for (const { rule } of rules) given.print(lineOf(rule, given));
      if (broken.length === 0) return;
      throw new CodedError('RULE_WRONG', broken.map(({ file, message }) => `${file}: ${message}`).join('\n'));
    },
  },
  {
    name: 'rule schema',
    usage: '--write',
    about: { zh: '生成 edge/rules/rule.schema.json', en: 'generate edge/rules/rule.schema.json' },
    options: { write: { type: 'boolean', about: { zh: '写入文件', en: 'write the file' } } },
    run: async (given) => {
      given.none();
      await writeFile(schemaFile, ruleSchemaText());
      given.print(`${schemaFile} is written`);
    },
  },
];

async function benchOf(given: Given): Promise<Bench | null> {
  const site = given.text('site');
  return site === undefined ? null : await openBench(resolve(site));
}

async function lookAt(given: Given): Promise<readonly Looked[]> {
  const bench = await benchOf(given);
  const [path, ...more] = given.words;
  if (more.length > 0) throw usage('at most one FILE or FOLDER is expected');
  if (path === undefined) {
    if (bench === null) throw usage('a FILE or FOLDER, or --site FILE, is needed');
    return await lookAtFolder(bench, null);
  }
  return (await isFolder(path)) ? await lookAtFolder(bench, path) : [await lookAtFile(bench, path)];
}

function summary({ file, mistakes, problems, tests }: Looked): string {
  if (mistakes.length > 0) return `${file}: cannot be used`;
  const played =
    tests === null
      ? 'its tests were not played (no --site)'
      : `${tests.length} ${tests.length === 1 ? 'test' : 'tests'} played`;
  const failed = tests?.filter(({ passed }) => !passed).length ?? 0;
  const wrong = [
    ...(problems.length > 0 ? [`${problems.length} problems`] : []),
    ...(failed > 0 ? [`${failed} tests failed`] : []),
  ];
  return `${file}: ${wrong.length === 0 ? 'good' : wrong.join(', ')}, ${played}`;
}

/** What is wrong in a file, with its name. */
export function failuresOf(
  { file, mistakes, problems, tests }: Looked,
  { terminal }: Pick<Given, 'terminal'>,
): string[] {
  const failed = (tests ?? []).filter(({ passed }) => !passed);
  return [
    ...[...mistakes, ...problems].map((words) => `${file}: ${words}`),
    ...failed.map(
      ({ name, detail }) => `${file}: ${inLanguage(name, terminal.language).join(' / ')}\n${indented(detail)}`,
    ),
  ];
}

function indented(text: string): string {
  return text.replace(/^/gm, '     ');
}

function lineOf(
  rule: {
    readonly id: string;
    readonly kind: string;
    readonly priority: number;
    readonly name: { readonly zh: string; readonly en: string };
  },
  { terminal }: Given,
): string {
  return `${rule.id.padEnd(28)} ${rule.kind.padEnd(9)} ${String(rule.priority).padStart(2)}  ${inLanguage(rule.name, terminal.language).join(' / ')}`;
}
