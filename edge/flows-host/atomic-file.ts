import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';

/** Replaces a file as a whole or not at all, also when the power fails in the middle. */
export async function writeAtomically(path: string, text: string, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await using file = await open(draft, 'wx', mode);
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    await rm(draft, { force: true });
    throw new CodedError('FLOWS_WRITE', `cannot write ${path}: ${messageOf(error)}`, { cause: error });
  }
  await rename(draft, path);
}

/** The file's text, or null when there is none. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw new CodedError('FLOWS_READ', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}
