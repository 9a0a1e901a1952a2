import { resolve } from 'node:path';
import { checkProfile } from '#edge/profiles/check.ts';
import { writeSchema } from '#edge/profiles/schema.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { type Command, usage } from './command.ts';

export const profileFolder = resolve(import.meta.dirname, '../../device-profiles');

/** `device-profiles/meter/x.yaml` and `meter/x` are the same profile. */
export function profileName(word: string): string {
  return word.replace(/^.*device-profiles\//, '').replace(/\.yaml$/, '');
}

export const profileCommands: readonly Command[] = [
  {
    name: 'profile check',
    usage: 'NAME...',
    about: {
      zh: '用测试向量校验设备档案，不需要设备',
      en: 'decode the test vectors of profiles, no device needed',
    },
    run: async (given) => {
      if (given.words.length === 0) throw usage('at least one NAME is needed');
      const failed: string[] = [];
      for (const name of given.words.map(profileName)) {
        const { passed, failures } = await checkProfile(profileFolder, name);
        failed.push(...failures.map((failure) => `${name}: ${failure}`));
        if (failures.length === 0) given.print(`${name}: ${passed} test vectors decode as they should`);
      }
      if (failed.length > 0) throw new CodedError('PROFILE_WRONG', failed.join('\n'));
    },
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
