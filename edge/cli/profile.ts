import { resolve } from 'node:path';
import { checkProfile } from '#edge/profiles/check.ts';
import { profilePaths } from '#edge/profiles/load.ts';
import { writeSchema } from '#edge/profiles/schema.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import type { Command } from './command.ts';

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
