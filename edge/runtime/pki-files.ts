import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { giveToOwner } from './durable-file.ts';
import { codeOf } from './errors.ts';
import { delay } from './lifecycle.ts';

/* Files that several processes of ours (and a person at the command line) read and write at the same time. */

export const pkiPaths = (data: string) => {
  const folder = join(data, 'pki');
  return {
    folder,
    lock: join(folder, 'lock'),
    /** Key and certificate of the authority, in one file so that neither is ever there without the other. */
    authority: join(folder, 'authority.pem'),
    /** Key and certificate that our servers show. */
    server: join(folder, 'server.pem'),
    /** The client certificates that were made, and which of them were revoked. */
    clients: join(folder, 'clients.json'),
  };
};

export async function makePkiFolder(data: string): Promise<void> {
  const { folder } = pkiPaths(data);
  if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) await giveToOwner(folder, data);
}

/** The text of a file; null when it is not there. */
export async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, { encoding: 'utf8', signal: AbortSignal.timeout(10_000) });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

const lockPause = 25;
/** Nobody holds it for more than some milliseconds: what stands this long (10 s) was left by a process that died. */
const longestHeld = 400;

/** Runs `work` while no other process runs anything under the same lock file. */
export async function withLock<T>(file: string, work: () => Promise<T>, patience = longestHeld): Promise<T> {
  const own = randomBytes(8).toString('hex');
  let holder: string | null = null;
  for (let tries = 0; !(await isTaken(file, own)); tries++) {
    const now = await readIfThere(file);
    if (now !== holder) tries = 0;
    holder = now;
    if (tries >= patience) await rm(file, { force: true });
    else await delay(lockPause);
  }
  try {
    return await work();
  } finally {
    if ((await readIfThere(file)) === own) await rm(file, { force: true });
  }
}

async function isTaken(file: string, own: string): Promise<boolean> {
  try {
    await writeFile(file, own, { flag: 'wx', mode: 0o644 });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}
