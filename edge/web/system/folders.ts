import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#edge/runtime/clock.ts';

export interface FolderSize {
  readonly name: string;
  readonly bytes: number;
  readonly files: number;
}

/** What is worth telling of the data folder; what is not there is left out. */
const told = ['snapshots', 'plans', 'logs', 'backups', 'flows', 'pki', 'city'];
const deepest = 6;
/** A folder that has more is told as if it ended there. */
const mostEntries = 200_000;
const keepMs = 60_000;

/** Sizes of the folders of a data folder; walked at most once a minute. Links are not followed. */
export function createFolderSizes(data: string, clock: Clock): () => Promise<readonly FolderSize[]> {
  let known: { readonly at: number; readonly sizes: Promise<readonly FolderSize[]> } | null = null;
  return () => {
    const now = clock.monotonic();
    if (known === null || now - known.at > keepMs) known = { at: now, sizes: walkAll(data) };
    return known.sizes;
  };
}

async function walkAll(data: string): Promise<readonly FolderSize[]> {
  const sizes: FolderSize[] = [];
  for (const name of told) {
    const size = { name, bytes: 0, files: 0 };
    if (await walk(join(data, name), size, 0)) sizes.push(size);
  }
  return sizes;
}

/** False when there is no such folder. What vanishes meanwhile was not there. */
async function walk(path: string, size: { bytes: number; files: number }, depth: number): Promise<boolean> {
  try {
    for await (const entry of await opendir(path)) {
      if (size.files >= mostEntries) return true;
      const inner = join(path, entry.name);
      if (entry.isDirectory() && depth < deepest) await walk(inner, size, depth + 1);
      if (!entry.isFile()) continue;
      size.files++;
      size.bytes += (await lstat(inner).catch(() => ({ size: 0 }))).size;
    }
    return true;
  } catch {
    return false;
  }
}
