import { readdir, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '#edge/runtime/errors.ts';

export interface PictureLimits {
  /** Pictures older than this go, ms. */
  readonly age: number;
  /** All pictures together, bytes. */
  readonly bytes: number;
  /** The disk keeps at least this much free, bytes. */
  readonly freeSpaceFloor: number;
}

export interface PictureReport {
  readonly kept: number;
  readonly bytes: number;
  readonly removed: { readonly age: number; readonly bytes: number; readonly freeSpace: number };
}

interface Picture {
  readonly path: string;
  readonly time: number;
  readonly size: number;
}

const dayFolder = /^\d{4}-\d{2}-\d{2}$/;
/** Half-written files of a process that was killed. */
const leftoverAge = 3_600_000;

/**
 * Removes pictures of `<folder>/<yyyy-mm-dd>/`, oldest first: those too old, then those over the byte limit, then those
 * that stand between the disk and its free-space floor. A clock that ran ahead makes pictures look young, never old:
 * what lies in the future is kept. Files that are not ours are left alone.
 */
export async function pruneSnapshots(folder: string, limits: PictureLimits, now: number): Promise<PictureReport> {
  const pictures = (await listPictures(folder, now)).sort((a, b) => a.time - b.time);
  let bytes = pictures.reduce((sum, picture) => sum + picture.size, 0);
  let missing = limits.freeSpaceFloor - (await freeSpace(folder));
  const removed = { age: 0, bytes: 0, freeSpace: 0 };
  for (const picture of pictures) {
    const why =
      now - picture.time > limits.age ? 'age' : bytes > limits.bytes ? 'bytes' : missing > 0 ? 'freeSpace' : null;
    if (why === null) break;
    await rm(picture.path, { force: true });
    removed[why]++;
    bytes -= picture.size;
    missing -= picture.size;
  }
  await removeEmptyDays(folder);
  return { kept: pictures.length - removed.age - removed.bytes - removed.freeSpace, bytes, removed };
}

async function listPictures(folder: string, now: number): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (const day of await listDays(folder)) {
    for (const name of await readdir(join(folder, day))) {
      const path = join(folder, day, name);
      const { mtimeMs, size } = await stat(path).catch(() => ({ mtimeMs: now, size: 0 }));
      if (name.endsWith('.jpg')) pictures.push({ path, time: mtimeMs, size });
      else if (name.endsWith('.part') && now - mtimeMs > leftoverAge) await rm(path, { force: true });
    }
  }
  return pictures;
}

async function listDays(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => dayFolder.test(name)).sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []; // no camera has seen anything yet
    throw error;
  }
}

async function freeSpace(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return Number.POSITIVE_INFINITY;
    throw error;
  }
}

async function removeEmptyDays(folder: string): Promise<void> {
  for (const day of await listDays(folder)) {
    // rmdir refuses a folder that is not empty: exactly what is wanted.
    await rmdir(join(folder, day)).catch(() => {});
  }
}
