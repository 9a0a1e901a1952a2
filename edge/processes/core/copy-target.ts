import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, sep } from 'node:path';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';

/**
 * Where a copy of the database may go: an absolute path within the data folder, whatever links lead there, and never among
 * the database's own files. Rejects with RPC_PARAMS; that nothing is there yet is made sure of where it is made.
 */
export async function copyTarget(data: string, file: string): Promise<string> {
  if (!isAbsolute(file)) throw refused(file, 'it must be an absolute path');
  const [home, folder] = await Promise.all([realpath(data), realFolderOf(file)]);
  if (folder !== home && !folder.startsWith(home + sep)) throw refused(file, `it must lie within ${data}`);
  if (folder === home && basename(file).startsWith('campus.'))
    throw refused(file, "that is one of the database's own files");
  return join(folder, basename(file));
}

async function realFolderOf(file: string): Promise<string> {
  try {
    return await realpath(dirname(file));
  } catch (error) {
    throw refused(file, messageOf(error));
  }
}

function refused(file: string, why: string): CodedError {
  return new CodedError('RPC_PARAMS', `the database cannot be copied to ${JSON.stringify(file)}: ${why}`);
}
