import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { listClients, removeClient, setClientPassword } from '#edge/bus/access.ts';
import { isSlug } from '#edge/domain/ids.ts';
import { checkProfile } from '#edge/profiles/check.ts';
import { devicesOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { writeSchema } from '#edge/profiles/schema.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { loadSite } from '#edge/runtime/site.ts';

/* The `campus` command. Every line it prints is for a person; it exits 0 only when what was asked is done. */

const usage = `campus: looks after one campus from the command line

  campus client add --data FOLDER NAME [--password TEXT]   give an MQTT client a (new) password; prints a random one
  campus client remove --data FOLDER NAME
  campus client list --data FOLDER
  campus profile check NAME...                             decode the test vectors of profiles, no device needed
  campus profile schema --write                            generate device-profiles/schema.json
  campus site check FILE                                   check a site file and every profile it names
`;

interface Given {
  readonly words: readonly string[];
  readonly data: string | undefined;
  readonly password: string | undefined;
}

const profileFolder = resolve(import.meta.dirname, '../../device-profiles');

const commands: Record<string, (given: Given) => Promise<void>> = {
  'client add': async (given) => {
    const id = clientId(given);
    const password = given.password ?? randomBytes(18).toString('base64url');
    mkdirSync(dataFolder(given), { recursive: true, mode: 0o700 });
    await setClientPassword(dataFolder(given), id, password);
    print(given.password === undefined ? `${id}: password ${password}` : `${id}: password set`);
  },
  'client remove': async (given) => {
    if (!(await removeClient(dataFolder(given), clientId(given)))) {
      throw new CodedError('UNKNOWN_CLIENT', `there is no client "${clientId(given)}"`);
    }
    print(`${clientId(given)}: removed`);
  },
  'client list': async (given) => {
    for (const id of await listClients(dataFolder(given))) print(id);
  },
  'profile check': async (given) => {
    if (given.words.length === 0) throw new CodedError('USAGE', 'at least one NAME is needed');
    const failed: string[] = [];
    for (const word of given.words) {
      const name = word.replace(/^.*device-profiles\//, '').replace(/\.yaml$/, '');
      const { passed, failures } = await checkProfile(profileFolder, name);
      failed.push(...failures.map((failure) => `${name}: ${failure}`));
      if (failures.length === 0) print(`${name}: ${passed} test vectors decode as they should`);
    }
    if (failed.length > 0) throw new CodedError('PROFILE_WRONG', failed.join('\n'));
  },
  'profile schema': async () => {
    print(`${await writeSchema(profileFolder)} is written`);
  },
  'site check': async (given) => {
    const site = await loadSite(one(given, 'FILE'));
    const { devices, broken } = devicesOf(site, await loadProfiles(profileFolder));
    const wrong = broken.map(({ device, message }) => `device ${device}: ${message}`);
    if (wrong.length > 0) throw new CodedError('SITE_WRONG', wrong.join('\n'));
    print(
      `${devices.length} devices, ${devices.reduce((n, device) => n + device.points.length, 0)} points: well formed`,
    );
  },
};

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function one(given: Given, what: string): string {
  const [word, ...more] = given.words;
  if (word === undefined || more.length > 0) throw new CodedError('USAGE', `exactly one ${what} is needed`);
  return word;
}

function clientId(given: Given): string {
  const id = one(given, 'NAME');
  if (!isSlug(id))
    throw new CodedError('USAGE', `"${id}" is not a client name: a-z, 0-9, _ or -, at most 63 characters`);
  return id;
}

function dataFolder(given: Given): string {
  if (given.data === undefined) throw new CodedError('USAGE', '--data FOLDER is needed');
  return resolve(given.data);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { data: { type: 'string' }, password: { type: 'string' }, write: { type: 'boolean' } },
    });
  } catch (error) {
    throw new CodedError('USAGE', messageOf(error), { cause: error });
  }
}

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  const [noun = '', verb = '', ...words] = positionals;
  const command = commands[`${noun} ${verb}`];
  if (command === undefined) throw new CodedError('USAGE', `there is no command "${positionals.join(' ')}"`);
  await command({ words, data: values.data, password: values.password });
}

try {
  await main();
} catch (error) {
  const isUsage = error instanceof CodedError && error.code === 'USAGE';
  process.stderr.write(`${messageOf(error)}\n${isUsage ? `\n${usage}` : ''}`);
  process.exitCode = isUsage ? 2 : 1;
}
