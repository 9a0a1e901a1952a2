import { randomBytes } from 'node:crypto';
import { chown, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/* Files of which a power cut leaves the old one or the new one, whole. */

/** What a crash while writing leaves beside the file: `<file>.<12 hex digits>.tmp`. Whoever owns the folder may remove it. */
export const leftover = /\.[0-9a-f]{12}\.tmp$/;

/** Puts the file in the place of what is there, on disk when it resolves. `mode` is 0600 unless others may read it. */
export async function writeDurably(file: string, content: string | Buffer, mode = 0o600): Promise<void> {
  const temporary = join(dirname(file), `${basename(file)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await using handle = await open(temporary, 'wx', mode);
    await handle.writeFile(content);
    await handle.sync();
    await giveToOwner(temporary, dirname(file));
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(file));
}

/** A new (or a missing) name in a folder is on disk when the folder is. */
export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r');
  await handle.sync();
}

/** Somebody works as root on the folder of a service: what is made there must stay readable to the service. */
export async function giveToOwner(path: string, folder: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(folder);
  await chown(path, uid, gid);
}
