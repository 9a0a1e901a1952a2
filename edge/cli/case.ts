import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { evidenceKeyFile, openEvidenceKey } from '#edge/media/case-key.ts';
import { type CaseVerdict, verifyCase } from '#edge/media/case-verify.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { type Command, dataOption, type Given, jsonOption, usage } from './command.ts';

export const caseCommands: readonly Command[] = [
  {
    name: 'case verify',
    usage: 'ZIP [--key FINGERPRINT | --data FOLDER] [--json]',
    about: {
      zh: '校验事件案卷：任何一个字节被改动、缺失或添加都会被指出；有问题时退出码为 1',
      en: 'verify a case: any byte that was altered, is missing or was added is named; ends with 1 then',
    },
    more: [
      {
        zh: '不给 --key 或 --data 时只能证明案卷没有被改动，不能证明它来自哪所学校：请核对打印出来的指纹。',
        en: 'Without --key or --data it proves that the case is as it was made, and not by whom: compare the fingerprint that is printed.',
      },
    ],
    options: {
      key: {
        type: 'string',
        value: 'FINGERPRINT',
        about: {
          zh: '学校公布的公钥指纹（至少前 32 位）',
          en: 'the fingerprint that the school has made known (32 digits at least)',
        },
      },
      data: dataOption,
      json: jsonOption,
    },
    run: verify,
  },
  {
    name: 'case key',
    usage: '--data FOLDER [--json]',
    about: {
      zh: '显示本校案卷签名公钥及其指纹，供校验者核对',
      en: 'show the key that signs the cases of this campus, and its fingerprint, for those who will verify',
    },
    options: { data: dataOption, json: jsonOption },
    run: showKey,
  },
];

async function verify(given: Given): Promise<number> {
  const file = resolve(given.one('zip'));
  const key = await expectedKey(given);
  const verdict = await verifyCase(file, key);
  if (given.has('json')) given.print(JSON.stringify(verdict));
  else report(given, verdict, key !== undefined);
  return verdict.ok ? 0 : 1;
}

async function expectedKey(given: Given): Promise<string | undefined> {
  const [key, data] = [given.text('key'), given.text('data')];
  if (key !== undefined && data !== undefined) throw usage('--key and --data do not go together');
  if (key !== undefined && key.replaceAll(/[^0-9a-fA-F]/g, '').length < 32)
    throw usage('--key: a fingerprint has 64 digits, of which the first 32 are needed at least');
  return data === undefined ? key : (await keyIn(given.data())).fingerprint;
}

/** What stands in a file of others must not write its own verdict onto this terminal, nor turn the line round. */
function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '\u{FFFD}');
}

function report(
  given: Given,
  { ok, faults, manifest, fingerprint, sha256, bytes }: CaseVerdict,
  isKnown: boolean,
): void {
  for (const { file, message } of faults) given.print(`${file === '' ? '(zip)' : plain(file)}: ${plain(message)}`);
  if (manifest !== null) {
    const { campus, incident, made, files, missing } = manifest;
    const at = new Date(made.time).toISOString();
    given.say({
      zh: plain(`学校 ${campus.zh}（${campus.id}），事件 ${incident}`),
      en: plain(`campus ${campus.en} (${campus.id}), incident ${incident}`),
    });
    given.say({
      zh: plain(`由 ${made.name}（${made.who}）于 ${at} 导出：${made.why}`),
      en: plain(`taken out by ${made.name} (${made.who}) at ${at}: ${made.why}`),
    });
    given.say({
      zh: `${files.length} 个文件，${missing.length} 处缺失`,
      en: `${files.length} files, ${missing.length} things are missing in it`,
    });
    for (const { what, why } of missing) given.print(`  - ${plain(what)}: ${plain(why)}`);
  }
  given.print(`SHA-256 ${sha256} (${bytes} bytes)`);
  if (fingerprint !== null) given.say({ zh: `签名公钥指纹 ${fingerprint}`, en: `signed by the key ${fingerprint}` });
  if (!ok) given.say({ zh: '校验不通过：案卷与制作时不同', en: 'NOT as it was made' });
  else if (isKnown)
    given.say({
      zh: '校验通过：与制作时逐字节相同，由该校签名',
      en: 'as it was made, byte by byte, and signed by that campus',
    });
  else
    given.say({
      zh: '与制作时逐字节相同；请核对上面的指纹',
      en: 'as it was made, byte by byte; compare the fingerprint above',
    });
}

async function showKey(given: Given): Promise<undefined> {
  given.none();
  const { publicKey, fingerprint } = await keyIn(given.data());
  if (given.has('json')) return void given.print(JSON.stringify({ publicKey, fingerprint }));
  given.print(publicKey.trimEnd());
  given.say({ zh: `指纹 SHA-256 ${fingerprint}`, en: `fingerprint SHA-256 ${fingerprint}` });
}

/** A campus that has not made a case yet has no key: who only looks makes none. */
async function keyIn(data: string) {
  if (!existsSync(evidenceKeyFile(data)))
    throw new CodedError(
      'CASE_KEY',
      `there is no key in ${evidenceKeyFile(data)}: it is made with the first case, or when the console shows it`,
    );
  return openEvidenceKey(data);
}
