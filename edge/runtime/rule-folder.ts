import { constants, type Dirent } from 'node:fs';
import { mkdir, open, opendir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isSlug } from '#edge/domain/ids.ts';
import type { Rule } from '#edge/domain/rule.ts';
import { syncFolder, writeDurably } from './durable-file.ts';
import { CodedError, codeOf, messageOf } from './errors.ts';
import { within } from './lifecycle.ts';
import { type RuleBody, ruleHash } from './rule-body.ts';
import { formatRuleFile, readRuleFile } from './rule-file.ts';
import { describeMistake } from './rule-mistakes.ts';
import { ruleLimits } from './rule-schema.ts';

/* The rules folder of a site: one `<id>.yaml` a rule. Technicians write there with an editor, core when somebody saves in the console. */

export interface RuleOnDisk {
  /** `<id>.yaml` */
  readonly file: string;
  /** As the file has it. */
  readonly body: RuleBody;
  readonly rule: Rule;
  /** Of what it means (rule-body.ts): comments and spelling do not change it. */
  readonly hash: string;
}

export interface RuleFolder {
  /** By file name. */
  readonly rules: readonly RuleOnDisk[];
  /** Files that cannot be used, and why: a line per mistake. */
  readonly broken: readonly { readonly file: string; readonly message: string }[];
}

export const mostRules = 2_000;
/** Entries of the folder that are looked at: what else lies there costs time too. */
const mostEntries = 10_000;
const atOnce = 8;
const readTimeout = 10_000;

/**
 * Reads every rule. A folder that is not there holds none. A file that cannot be used stops no other. Throws RULES_UNREADABLE when the
 * folder itself cannot be read.
 */
export async function readRuleFolder(folder: string): Promise<RuleFolder> {
  const { files, broken } = await listFiles(folder);
  const rules: RuleOnDisk[] = [];
  const queue = files.values();
  const work = async () => {
    for (const file of queue) {
      const read = await readOne(folder, file);
      if ('rule' in read) rules.push(read);
      else if (read.gone !== true) broken.push(read);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const byFile = (a: { file: string }, b: { file: string }) => (a.file < b.file ? -1 : 1);
  return { rules: rules.sort(byFile), broken: broken.sort(byFile) };
}

/** Reads one file of the folder by itself; null when it is not there. */
export async function readRule(
  folder: string,
  id: string,
): Promise<RuleOnDisk | { readonly file: string; readonly message: string } | null> {
  const read = await readOne(folder, fileOf(id));
  return 'gone' in read ? null : read;
}

/** Puts a rule into its file, on disk when it resolves; makes the folder if need be. Throws RULES_UNWRITABLE. */
export async function writeRuleFile(folder: string, id: string, body: RuleBody): Promise<void> {
  const path = join(folder, fileOf(id));
  const work = async () => {
    await mkdir(folder, { recursive: true });
    // Not secret: whoever looks after the site reads it with his own account.
    await writeDurably(path, formatRuleFile(body), 0o644);
  };
  await write(path, work());
}

/** It is gone from the disk when it resolves; nothing happens when it was not there. Throws RULES_UNWRITABLE. */
export async function removeRuleFile(folder: string, id: string): Promise<void> {
  const path = join(folder, fileOf(id));
  const work = async () => {
    try {
      await rm(path);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return;
      throw error;
    }
    await syncFolder(folder);
  };
  await write(path, work());
}

/** Throws RULES_UNWRITABLE for an id that is none: it must never become a path. */
function fileOf(id: string): string {
  if (!isSlug(id)) throw new CodedError('RULES_UNWRITABLE', `"${id.slice(0, 64)}" is no id of a rule`);
  return `${id}.yaml`;
}

async function write(path: string, work: Promise<void>): Promise<void> {
  try {
    await within(readTimeout, `writing ${path}`, work);
  } catch (error) {
    throw new CodedError('RULES_UNWRITABLE', `cannot write ${path}: ${messageOf(error)}`, { cause: error });
  }
}

async function listFiles(folder: string): Promise<{ files: string[]; broken: { file: string; message: string }[] }> {
  const files: string[] = [];
  const broken: { file: string; message: string }[] = [];
  let looked = 0;
  const work = async () => {
    for await (const entry of await opendir(folder)) {
      looked += 1;
      if (looked > mostEntries) return;
      const wrong = whyNotRule(entry);
      if (wrong === null) files.push(entry.name);
      else if (wrong !== '') broken.push({ file: entry.name, message: wrong });
    }
  };
  try {
    await within(readTimeout, `listing ${folder}`, work());
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { files: [], broken: [] };
    throw new CodedError('RULES_UNREADABLE', `cannot read the rules in ${folder}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (looked > mostEntries)
    broken.push({ file: '.', message: `the folder has more than ${mostEntries} files: the others are not read` });
  files.sort();
  const rest = files.splice(mostRules);
  if (rest.length > 0) {
    broken.push({
      file: rest[0] ?? '.',
      message: `${mostRules} rules are read; this and ${rest.length - 1} more are left out`,
    });
  }
  return { files, broken };
}

/** null: it is one; '': it is something else that may lie there. */
function whyNotRule(entry: Dirent): string | null {
  const { name } = entry;
  if (name.startsWith('.') || !/\.ya?ml$/i.test(name)) return '';
  if (!name.endsWith('.yaml') || !isSlug(name.slice(0, -'.yaml'.length))) {
    return 'must be named <id>.yaml: a-z, 0-9, _ or -, at most 63 characters';
  }
  return null;
}

type Read = RuleOnDisk | { readonly file: string; readonly message: string; readonly gone?: true };

async function readOne(folder: string, file: string): Promise<Read> {
  let text: string;
  try {
    text = await within(readTimeout, `reading ${file}`, readText(join(folder, file)));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { file, message: 'is gone', gone: true };
    const link = codeOf(error) === 'ELOOP' ? 'it is a link, and only files are read' : messageOf(error);
    return { file, message: `cannot be read: ${link}` };
  }
  const read = readRuleFile(text);
  if (!read.ok) return { file, message: read.mistakes.map(describeMistake).join('\n') };
  const { body, rule } = read;
  if (`${rule.id}.yaml` !== file) return { file, message: `id: says "${rule.id}", but the file is named "${file}"` };
  return { file, body, rule, hash: ruleHash(rule) };
}

/** Only a plain file of a bounded size: a pipe would never end, and a link may lead out of the folder. */
async function readText(path: string): Promise<string> {
  await using handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const { size } = await handle.stat().then((found) => {
    if (!found.isFile()) throw new Error('it is no file');
    return found;
  });
  if (size > ruleLimits.bytes) throw new Error(`it has ${size} bytes, and at most ${ruleLimits.bytes} are read`);
  const buffer = Buffer.alloc(ruleLimits.bytes + 1);
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
  return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytesRead));
}
