import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { checkProfile } from '#edge/profiles/check.ts';
import { expandValues } from '#edge/profiles/expand.ts';
import { loadProfiles, profilePaths } from '#edge/profiles/load.ts';
import { inspectProfile } from '#edge/profiles/profile-mistakes.ts';
import { writeSchema } from '#edge/profiles/schema.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { readRuleYaml } from '#edge/runtime/rule-yaml.ts';
import { type Command, type Given, inLanguage, jsonOption, usage } from './command.ts';
import { readRegisterList } from './profile-csv.ts';
import { type DraftOptions, draftProfile } from './profile-draft.ts';

export const profileFolder = resolve(import.meta.dirname, '../../device-profiles');

/** `device-profiles/meter/x.yaml` and `meter/x` are the same profile. */
export function profileName(word: string): string {
  return word.replace(/^.*device-profiles\//, '').replace(/\.yaml$/, '');
}

export const profileCommands: readonly Command[] = [
  {
    name: 'profile check',
    usage: '[NAME...]',
    about: {
      zh: '用测试向量校验设备档案，不需要设备；不给名称时校验全部',
      en: 'decode the test vectors of profiles, no device needed; of all of them when none is named',
    },
    run: async (given) => {
      const names = given.words.length > 0 ? given.words.map(profileName) : await profilePaths(profileFolder);
      const failed: string[] = [];
      for (const name of names) {
        const looked = await look(name);
        failed.push(...looked.failures);
        if (looked.failures.length === 0) given.print(`${name}: ${looked.found}`);
      }
      if (failed.length > 0) throw new CodedError('PROFILE_WRONG', failed.join('\n'));
    },
  },
  {
    name: 'profile list',
    usage: '[--json]',
    about: { zh: '列出设备档案', en: 'the profiles there are' },
    options: { json: jsonOption },
    run: async (given) => {
      given.none();
      await listProfiles(given);
    },
  },
  {
    name: 'profile new',
    usage: 'FILE.csv --as KIND/NAME [--zh NAME] [--en NAME] [--base 0|1|40001] [--order ABCD]',
    about: { zh: '由寄存器表（CSV）开始一个设备档案', en: 'start a profile from a list of registers (CSV)' },
    more: [
      {
        zh: '首行为列名：name 名称、address 地址必需；type 类型、registers 寄存器数、unit 单位、scale 倍率、table 功能码、order 字节序、min 最小值、max 最大值、access 读写、zh 中文名、en 英文名可选。',
        en: 'The first row holds the headings: name and address are needed; type, registers, unit, scale, table (or fc), order, min, max, access, zh and en may be there. Chinese headings are understood.',
      },
      {
        zh: '写入 device-profiles，不覆盖已有文件；之后须补上测试向量（原始字节），profile check 才会通过。',
        en: 'It is written into device-profiles and overwrites nothing. Then it needs its test vectors (raw bytes): profile check says so.',
      },
    ],
    options: {
      as: { type: 'string', value: 'KIND/NAME', about: { zh: '档案，例如 meter/demo-1', en: 'such as meter/demo-1' } },
      zh: { type: 'string', value: 'NAME', about: { zh: '中文产品名', en: 'name of the product in Chinese' } },
      en: { type: 'string', value: 'NAME', about: { zh: '英文产品名', en: 'name of the product in English' } },
      base: {
        type: 'string',
        value: '0|1|40001',
        about: {
          zh: '地址从几数起；40001：首位数字表示寄存器区',
          en: 'what addresses count from; 40001: their first digit is the table',
        },
      },
      order: { type: 'string', value: 'ABCD', about: { zh: '32 位值的字节序', en: 'byte order of 32-bit values' } },
      folder: { type: 'string', value: 'FOLDER', about: { zh: '写入此目录', en: 'write it into this folder instead' } },
    },
    run: newProfile,
  },
  {
    name: 'profile schema',
    usage: '--write',
    about: { zh: '生成 device-profiles/schema.json', en: 'generate device-profiles/schema.json' },
    options: { write: { type: 'boolean', about: { zh: '写入文件', en: 'write the file' } } },
    run: async (given) => {
      given.none();
      given.print(`${await writeSchema(profileFolder)} is written`);
    },
  },
];

/** One broken profile keeps no other from being looked at. */
async function look(name: string): Promise<{ readonly found: string; readonly failures: readonly string[] }> {
  try {
    const { profile, passed, failures } = await checkProfile(profileFolder, name);
    const found = 'test' in profile ? `${passed} test vectors decode as they should` : 'well formed';
    return { found, failures: failures.map((failure) => `${name}: ${failure}`) };
  } catch (error) {
    return { found: '', failures: [messageOf(error)] };
  }
}

async function listProfiles(given: Given): Promise<void> {
  const { profiles, broken } = await loadProfiles(profileFolder);
  const list = [...profiles].map(([path, profile]) => {
    const values = expandValues(profile);
    const outputs = values.filter(({ value }) => value.write !== undefined).length;
    const { name, kind, protocol } = profile;
    return { path, name, kind, protocol, points: values.length, outputs };
  });
  if (given.has('json')) {
    given.print(JSON.stringify({ profiles: list, broken: Object.fromEntries(broken) }));
  } else {
    for (const { path, name, protocol, points } of list) {
      const words = inLanguage(name, given.terminal.language).join(' / ');
      given.print(`${path.padEnd(30)} ${protocol.padEnd(9)} ${String(points).padStart(3)}  ${words}`);
    }
  }
  if (broken.size > 0) throw new CodedError('PROFILE_WRONG', [...broken.values()].join('\n'));
}

function draftOptions(given: Given, csv: string): DraftOptions {
  const path = profileName(given.need('as', 'KIND/NAME'));
  if (!/^[a-z][a-z0-9-]*\/[a-z0-9][a-z0-9-]*$/.test(path)) throw usage('--as must be such as meter/demo-1');
  const base = given.text('base') ?? '0';
  if (base !== '0' && base !== '1' && base !== '40001') throw usage('--base must be 0, 1 or 40001');
  const order = (given.text('order') ?? 'ABCD').toUpperCase();
  if (!/^(ABCD|CDAB|BADC|DCBA)$/.test(order)) throw usage('--order must be ABCD, CDAB, BADC or DCBA');
  const product = path.slice(path.indexOf('/') + 1);
  const name = { zh: given.text('zh') ?? given.text('en') ?? product, en: given.text('en') ?? product };
  return { path, name, base: base === '0' ? 0 : base === '1' ? 1 : 40_001, order, source: basename(csv) };
}

async function newProfile(given: Given): Promise<undefined> {
  const csv = given.one('FILE.csv');
  const options = draftOptions(given, csv);
  const { list, text } = await draftFrom(csv, options);
  const file = join(resolve(given.text('folder') ?? profileFolder), `${options.path}.yaml`);
  await mkdir(dirname(file), { recursive: true });
  try {
    await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    throw new CodedError('PROFILE_EXISTS', `cannot write ${file}: ${messageOf(error)}`, { cause: error });
  }
  given.print(file);
  const registers = list.rows.length;
  const left = list.ignored.join(', ');
  given.say({
    zh: `已写入 ${registers} 个值。请补上 test 中的测试向量，再运行 campus profile check ${options.path}`,
    en: `${registers} values. Give it its test vectors, then: campus profile check ${options.path}`,
  });
  if (left !== '') given.say({ zh: `未使用的列：${left}`, en: `columns that were left out: ${left}` });
}

async function draftFrom(csv: string, options: DraftOptions) {
  try {
    const list = readRegisterList(await readFile(csv));
    const text = draftProfile(list, options);
    proveDraft(text);
    return { list, text };
  } catch (error) {
    throw new CodedError('PROFILE_CSV', `${csv}:\n${messageOf(error)}`, { cause: error });
  }
}

/** Whatever was in the list: but for its vectors the draft must be a profile. Throws PROFILE_CSV. */
export function proveDraft(text: string): void {
  const read = readRuleYaml(text);
  if (!read.ok) throw new CodedError('PROFILE_CSV', read.mistakes.map(({ message }) => message).join('\n'));
  const body: unknown = read.body;
  if (typeof body !== 'object' || body === null || !('values' in body)) {
    throw new CodedError('PROFILE_CSV', 'there is nothing in it');
  }
  const [first = ''] = Object.keys(body.values ?? {});
  const { mistakes } = inspectProfile({ ...body, test: [{ value: first, hex: '00', is: 0 }] });
  if (mistakes.length === 0) return;
  throw new CodedError('PROFILE_CSV', mistakes.map(({ path, message }) => `${path}: ${message}`).join('\n'));
}
