import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import type { Db } from './database.ts';

/** Pages (4 KB) in one turn of the store's thread: what a commit may have to wait for. */
const pagesPerTurn = 250;

/**
 * Copies the database page by page while the same connection goes on writing: SQLite puts into the copy what changes
 * meanwhile. Returns its size, bytes. Rejects with STORE_COPY; then there is no file.
 */
export async function copyDatabase(db: Db, file: string, signal: AbortSignal): Promise<number> {
  try {
    // Made here, so that it is nobody else's and nobody else may read it.
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    throw new CodedError('STORE_COPY', `cannot make ${file}: ${messageOf(error)}`, { cause: error });
  }
  try {
    await db.backup(file, {
      progress: () => {
        signal.throwIfAborted();
        return pagesPerTurn;
      },
    });
    return statSync(file).size;
  } catch (error) {
    for (const part of [file, `${file}-journal`]) rmSync(part, { force: true });
    throw new CodedError('STORE_COPY', `the database could not be copied to ${file}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
