import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { slugPattern } from '#edge/domain/ids.ts';
import { sessionPoint } from '#edge/domain/output.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { describeIssues } from '#edge/runtime/site.ts';
import type { ProfileShelf } from './expand.ts';
import { expandValues, pointsOf } from './expand.ts';
import type { ModbusProfile, Profile, SnmpProfile } from './profile.ts';
import { profileSchema } from './profile.ts';

/** More files than this in one folder of profiles is a mistake (a wrong path), not a library. */
const maxProfiles = 2_000;
const maxBytes = 256 * 1024;

/** Checks a parsed profile. Throws PROFILE_INVALID whose message has one line per mistake: path, then what is wrong. */
export function checkProfileShape(input: unknown): Profile {
  const result = profileSchema.safeParse(input);
  if (!result.success) throw new CodedError('PROFILE_INVALID', describeIssues(result.error));
  const profile = result.data;
  const mistakes = findMistakes(profile);
  if (mistakes.length > 0) throw new CodedError('PROFILE_INVALID', mistakes.join('\n'));
  return profile;
}

function findMistakes(profile: Profile): string[] {
  const mistakes =
    profile.protocol === 'modbus'
      ? findModbusMistakes(profile)
      : profile.protocol === 'snmp'
        ? findSnmpMistakes(profile)
        : [];
  if (Object.hasOwn(profile.values, sessionPoint)) mistakes.push(`values: the name "${sessionPoint}" is taken`);
  if (mistakes.length > 0) return mistakes;
  try {
    const names = new Set<string>();
    for (const { name } of expandValues(profile)) {
      if (names.has(name)) mistakes.push(`values: two values are named "${name}"`);
      if (!slugPattern.test(name)) mistakes.push(`values: "${name}" is longer than a point name may be`);
      names.add(name);
    }
    // Also proves units and counter rates.
    pointsOf(profile, { fast: 1, normal: 1, slow: 1 });
    if (profile.protocol === 'modbus') mistakes.push(...findUnknownNames(profile, names));
  } catch (error) {
    mistakes.push(`values: ${messageOf(error)}`);
  }
  return mistakes;
}

function findModbusMistakes(profile: ModbusProfile): string[] {
  return Object.entries(profile.values).flatMap(([name, value]) => {
    const where = `values.${name}`;
    const table = value.fc ?? profile.bus.fc;
    const isBit = table === 'coil' || table === 'discrete';
    const as = value.as ?? (isBit ? 'bool' : 'u16');
    const width = value.phases ?? value.count ?? 1;
    const mistakes: string[] = [];
    const say = (wrong: boolean, message: string) => wrong && mistakes.push(`${where}${message}`);
    say(isBit && as !== 'bool', `.as: a ${table} is a bool`);
    say((as === 'bits') !== (value.bits !== undefined), '.bits: "as: bits" and a list of bits belong together');
    say(value.bit !== undefined && (isBit || as !== 'bool'), '.bit: only "as: bool" on registers has a bit');
    say(value.phases !== undefined && value.count !== undefined, ': either phases or count');
    say(width > 1 && as === 'bits', '.bits: cannot be repeated');
    say(value.at < profile.bus.base, `.at: is below the base ${profile.bus.base}`);
    say(value.at + width * (value.stride ?? 1) > 65_536 + profile.bus.base, '.at: runs over the last address 65535');
    say(value.write !== undefined && table !== 'coil' && table !== 'holding', `.write: a ${table} cannot be written`);
    say(
      value.write !== undefined && (as === 'bits' || value.bit !== undefined),
      '.write: single bits cannot be written',
    );
    say(
      value.write?.fc !== undefined && isBit !== [5, 15].includes(value.write.fc),
      '.write.fc: does not fit the table',
    );
    if (value.read_block !== undefined) {
      const [at, count] = value.read_block;
      say(!isBit && count > profile.bus.max, '.read_block: is longer than bus.max');
      say(value.at < at || value.at + width > at + count, '.read_block: does not cover the value');
    }
    return mistakes;
  });
}

function findSnmpMistakes(profile: SnmpProfile): string[] {
  return Object.entries(profile.values).flatMap(([name, value]) => {
    const where = `values.${name}`;
    const mistakes: string[] = [];
    const say = (wrong: boolean, message: string) => wrong && mistakes.push(`${where}${message}`);
    say(value.count !== undefined && value.rows === undefined, '.count: only rows of a table are counted');
    say(value.rate === true && value.type !== 'number', '.rate: is a number');
    say(value.rate === true && value.map !== undefined, '.rate: has no words');
    say(value.type === 'boolean' && value.map === undefined, '.map: must say which number is true');
    say(value.type === 'text' && (value.scale ?? value.offset) !== undefined, '.scale: only for numbers');
    say(value.write !== undefined && (value.rate === true || value.type === 'text'), '.write: cannot be written');
    const meanings = Object.entries(value.map ?? {});
    const kinds = { number: 'number', boolean: 'boolean', text: 'string' } as const;
    const strange = meanings.find(([, meaning]) => typeof meaning !== kinds[value.type]);
    say(strange !== undefined, `.map.${strange?.[0]}: is not a ${value.type}`);
    // What is written is looked up the other way round.
    const isTwice = new Set(meanings.map(([, meaning]) => meaning)).size < meanings.length;
    say(value.write !== undefined && isTwice, '.map: two words mean the same, so it cannot be written');
    say(
      value.write !== undefined && meanings.some(([raw]) => !/^-?\d{1,10}$/.test(raw)),
      '.map: only numbers can be written',
    );
    return mistakes;
  });
}

function findUnknownNames(profile: ModbusProfile, names: ReadonlySet<string>): string[] {
  const missing = (name: string, where: string) => (names.has(name) ? [] : [`${where}: there is no value "${name}"`]);
  return [
    ...profile.test.flatMap((vector, i) => missing(vector.value, `test[${i}].value`)),
    ...profile.check.flatMap((check, i) =>
      'value' in check
        ? missing(check.value, `check[${i}].value`)
        : [check.near, ...check.sum].flatMap((name) => missing(name, `check[${i}]`)),
    ),
  ];
}

/** Reads one profile; `path` is `<folder>/<name>` without the ending. Throws PROFILE_UNREADABLE or PROFILE_INVALID. */
export async function loadProfile(folder: string, path: string): Promise<Profile> {
  const file = join(folder, `${path}.yaml`);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new CodedError('PROFILE_UNREADABLE', `cannot read ${path}.yaml: ${messageOf(error)}`, { cause: error });
  }
  if (text.length > maxBytes) throw new CodedError('PROFILE_INVALID', `${path}.yaml is larger than ${maxBytes} bytes`);
  try {
    const profile = checkProfileShape(parseYaml(text, { maxAliasCount: 20 }));
    const name = path.slice(path.indexOf('/') + 1);
    if (profile.profile !== name) {
      throw new CodedError('PROFILE_INVALID', `profile: says "${profile.profile}" but the file is named "${name}"`);
    }
    return profile;
  } catch (error) {
    throw new CodedError('PROFILE_INVALID', `${path}.yaml is not a valid profile:\n${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Reads every `<kind>/<name>.yaml` below a folder. A broken one is reported and stops no other. */
export async function loadProfiles(folder: string): Promise<ProfileShelf> {
  const profiles = new Map<string, Profile>();
  const broken = new Map<string, string>();
  for (const path of await profilePaths(folder)) {
    try {
      profiles.set(path, await loadProfile(folder, path));
    } catch (error) {
      broken.set(path, messageOf(error));
    }
  }
  return { profiles, broken };
}

async function profilePaths(folder: string): Promise<string[]> {
  let entries: { name: string; parentPath: string }[];
  try {
    entries = (await readdir(folder, { withFileTypes: true, recursive: true })).filter((entry) => entry.isFile());
  } catch (error) {
    throw new CodedError('PROFILE_UNREADABLE', `cannot read the profiles in ${folder}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const paths = entries
    .map((entry) => join(relative(folder, entry.parentPath), entry.name))
    .filter((path) => /^[a-z0-9-]+\/[a-z0-9-]+\.yaml$/.test(path))
    .map((path) => path.slice(0, -'.yaml'.length))
    .sort();
  if (paths.length > maxProfiles) {
    throw new CodedError(
      'PROFILE_UNREADABLE',
      `${folder} has ${paths.length} profiles; at most ${maxProfiles} are read`,
    );
  }
  return paths;
}
