import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { mistake, mistakesOf, type RuleMistake } from '#edge/runtime/rule-mistakes.ts';
import { readRuleYaml } from '#edge/runtime/rule-yaml.ts';
import type { ProfileShelf } from './expand.ts';
import { extendProfile, extensionSchema, isRecord } from './extend.ts';
import type { Profile } from './profile.ts';
import { inspectProfile } from './profile-mistakes.ts';

/** More files than this in one folder of profiles is a mistake (a wrong path), not a library. */
const maxProfiles = 2_000;
/** A profile that extends one that extends one: deeper nobody can follow it. */
const maxAncestors = 3;
const mostMistakes = 50;

/** Checks a parsed profile. Throws PROFILE_INVALID whose message has one line per mistake: path, then what is wrong. */
export function checkProfileShape(input: unknown): Profile {
  const { profile, mistakes } = inspectProfile(input);
  if (profile === undefined) throw new CodedError('PROFILE_INVALID', describe(mistakes));
  return profile;
}

/** `values.a.at: must be at most 65536 (line 6, column 9)`. */
function describe(mistakes: readonly RuleMistake[]): string {
  const inOrder = [...mistakes].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
  const lines = inOrder.slice(0, mostMistakes).map(({ path, message, line, column }) => {
    const place = line === undefined ? '' : ` (line ${line}, column ${column ?? 1})`;
    return `${path}: ${message}${place}`;
  });
  const more = mistakes.length - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}

/** A profile as text: what it is, or what is wrong with it and where. */
interface Inspected {
  readonly profile?: Profile;
  readonly mistakes: readonly RuleMistake[];
}

/** `name` is what `profile:` must say. `parentOf` brings a whole profile as it was written. Never throws for what is in the text. */
async function inspectText(
  text: string,
  name: string,
  parentOf: (path: string) => Promise<Readonly<Record<string, unknown>>>,
): Promise<Inspected> {
  const read = readRuleYaml(text);
  if (!read.ok) return { mistakes: read.mistakes };
  const whole = await wholeOf(read.body, parentOf);
  const inspected = 'mistakes' in whole ? whole : inspectProfile(whole.body);
  const found = [...inspected.mistakes];
  if (isRecord(read.body) && typeof read.body.profile === 'string' && read.body.profile !== name) {
    found.push(mistake(['profile'], `says "${read.body.profile}" but the file is named "${name}"`));
  }
  return found.length > 0 ? { mistakes: found.map(read.locate) } : inspected;
}

async function wholeOf(
  body: unknown,
  parentOf: (path: string) => Promise<Readonly<Record<string, unknown>>>,
): Promise<{ readonly body: unknown } | { readonly mistakes: readonly RuleMistake[] }> {
  if (!isRecord(body) || body.extends === undefined) return { body };
  const own = extensionSchema.safeParse(body);
  if (!own.success) return { mistakes: mistakesOf(own.error) };
  try {
    return { body: extendProfile(await parentOf(own.data.extends), own.data) };
  } catch (error) {
    return { mistakes: [mistake(['extends'], messageOf(error))] };
  }
}

async function readText(folder: string, path: string): Promise<string> {
  try {
    return await readFile(join(folder, `${path}.yaml`), 'utf8');
  } catch (error) {
    throw new CodedError('PROFILE_UNREADABLE', `cannot read ${path}.yaml: ${messageOf(error)}`, { cause: error });
  }
}

/** A profile as it was written, with everything it extends. Throws what is wrong with that one. */
async function readWhole(folder: string, path: string, ancestors: number): Promise<Readonly<Record<string, unknown>>> {
  if (ancestors > maxAncestors)
    throw new CodedError('PROFILE_INVALID', `more than ${maxAncestors} profiles extend each other`);
  const read = readRuleYaml(await readText(folder, path));
  if (!read.ok) throw invalid(path, read.mistakes);
  const whole = await wholeOf(read.body, (parent) => readWhole(folder, parent, ancestors + 1));
  if ('mistakes' in whole) throw invalid(path, whole.mistakes.map(read.locate));
  if (!isRecord(whole.body)) throw invalid(path, [mistake([], 'must be keys with values')]);
  return whole.body;
}

function invalid(path: string, mistakes: readonly RuleMistake[]): CodedError {
  return new CodedError('PROFILE_INVALID', `${path}.yaml is not a valid profile:\n${describe(mistakes)}`);
}

/** Reads one profile; `path` is `<folder>/<name>` without the ending. Throws PROFILE_UNREADABLE or PROFILE_INVALID. */
export async function loadProfile(folder: string, path: string): Promise<Profile> {
  const text = await readText(folder, path);
  const name = path.slice(path.indexOf('/') + 1);
  const { profile, mistakes } = await inspectText(text, name, (parent) => readWhole(folder, parent, 1));
  if (profile === undefined) throw invalid(path, mistakes);
  return profile;
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

/** `meter/eastron-sdm630` of every profile below a folder, sorted. Throws PROFILE_UNREADABLE. */
export async function profilePaths(folder: string): Promise<string[]> {
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
