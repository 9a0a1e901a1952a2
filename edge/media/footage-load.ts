import { mkdir, readdir, rename, rm, rmdir, stat, truncate } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { type CameraFootage, Footage } from './footage.ts';
import { readFootage } from './footage-file.ts';
import {
  dayOf,
  type FootageFile,
  isCameraFolder,
  isDay,
  parsePartName,
  parseSegmentName,
  segmentName,
  spoolFolder,
} from './footage-names.ts';

/** What was found, and what an earlier run had left. */
export interface FootageReport {
  readonly files: number;
  readonly bytes: number;
  /** Unfinished files kept up to their last whole fragment; those of which nothing was whole, removed. */
  readonly recovered: number;
  readonly discarded: number;
  /** Two files that began in the same ms: one was named anew. */
  readonly renamed: number;
  /** Not ours, or unreadable: left alone. */
  readonly foreign: number;
}

interface Tally {
  files: number;
  recovered: number;
  discarded: number;
  renamed: number;
  foreign: number;
}

/** Folders read at a time. */
const lanes = 8;

/** Reads all names and mends what a dead run left. What one folder refuses costs that folder, and is logged. */
export async function openFootage(
  folder: string,
  log: Log,
): Promise<{ readonly footage: Footage; readonly report: FootageReport }> {
  const footage = new Footage(folder);
  const tally: Tally = { files: 0, recovered: 0, discarded: 0, renamed: 0, foreign: 0 };
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    log.error({ code: codeOf(error) }, 'the footage folder cannot be made');
  });
  for (const name of await names(folder, log)) {
    if (isCameraFolder(name)) await loadCamera(footage.of(name), tally, log);
    else if (!name.startsWith('.') && !name.endsWith('.json')) tally.foreign++;
  }
  return { footage, report: { ...tally, bytes: footage.bytes } };
}

async function loadCamera(camera: CameraFootage, tally: Tally, log: Log): Promise<void> {
  const folders = await names(camera.folder, log);
  const days = folders.filter(isDay).sort();
  const parts: string[] = [];
  for (let i = 0; i < days.length; i += lanes) {
    const found = await Promise.all(
      days.slice(i, i + lanes).map(async (day) => ({ day, names: await names(join(camera.folder, day), log) })),
    );
    for (const { day, names } of found) await loadDay(camera, day, names, parts, tally, log);
  }
  for (const path of parts) await mendPart(camera, path, false, tally, log);
  await loadSpool(camera, tally, log);
}

async function loadDay(
  camera: CameraFootage,
  day: string,
  names: readonly string[],
  parts: string[],
  tally: Tally,
  log: Log,
): Promise<void> {
  const folder = join(camera.folder, day);
  const files: FootageFile[] = [];
  for (const name of names) {
    const parsed = parseSegmentName(name);
    // A file is looked for in the folder of its day: elsewhere it would be counted, and never found.
    if (parsed !== null && dayOf(parsed.from) !== day) tally.foreign++;
    // Without waiting where there is nothing to wait for: there may be a million names.
    else if (parsed?.bytes != null) files.push({ ...parsed, bytes: parsed.bytes });
    else if (parsed !== null) files.push(...(await withSize(parsed, join(folder, name), tally, log)));
    else if (parsePartName(name) !== null) parts.push(join(folder, name));
    else tally.foreign++;
  }
  files.sort((a, b) => a.from - b.from);
  for (const file of files) {
    tally.files++;
    if (!camera.files.add(file)) await nameAnew(camera, file, tally, log);
  }
}

/** A name without its size costs a question; it gets a whole name, so that it is asked once. None where the disk refuses it. */
async function withSize(
  parsed: ReturnType<typeof parseSegmentName> & object,
  path: string,
  tally: Tally,
  log: Log,
): Promise<FootageFile[]> {
  if (parsed.bytes !== null) return [{ ...parsed, bytes: parsed.bytes }];
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new CodedError('FOOTAGE_BROKEN', 'it is no file');
    const file = { ...parsed, bytes: found.size };
    await rename(path, join(path, '..', segmentName(file)));
    return [file];
  } catch (error) {
    leave(path, error, tally, log);
    return [];
  }
}

/** One file that cannot be had must not cost all others, nor live pictures. */
function leave(path: string, error: unknown, tally: Tally, log: Log): void {
  if (tally.foreign++ < 10) log.warn({ file: basename(path), code: codeOf(error) }, 'footage is left alone');
}

async function nameAnew(camera: CameraFootage, file: FootageFile, tally: Tally, log: Log): Promise<void> {
  const from = camera.freeStart(file.from);
  const fresh = { ...file, from, to: Math.max(file.to, from + 1) };
  try {
    await mkdir(dirname(camera.pathOf(fresh)), { recursive: true, mode: 0o700 });
    await rename(camera.pathOf(file), camera.pathOf(fresh));
    camera.files.add(fresh);
    tally.renamed++;
  } catch (error) {
    leave(camera.pathOf(file), error, tally, log);
  }
}

/** Keeps an unfinished file up to its last whole fragment, or removes it. What the disk refuses is left for the next start. */
async function mendPart(
  camera: CameraFootage,
  path: string,
  isSpool: boolean,
  tally: Tally,
  log: Log,
): Promise<FootageFile | null> {
  try {
    const file = await recoverPart(camera, path, isSpool);
    if (file === null) tally.discarded++;
    else tally.recovered++;
    return file;
  } catch (error) {
    tally.foreign++;
    log.error({ camera: camera.camera, problem: messageOf(error) }, 'unfinished footage could not be mended');
    return null;
  }
}

/** Gives an unfinished file its name, cut to what is whole; null: nothing was, it is removed. */
export async function recoverPart(camera: CameraFootage, path: string, isSpool: boolean): Promise<FootageFile | null> {
  const content = await readFootage(path).catch((error: unknown) => {
    if (codeOf(error) === 'FOOTAGE_BROKEN' || codeOf(error) === 'MP4_INVALID') return null;
    throw error;
  });
  const first = content?.fragments[0];
  const last = content?.fragments.at(-1);
  if (content === null || first === undefined || last === undefined || !first.isKey) {
    await rm(path, { force: true });
    return null;
  }
  const from = camera.freeStart(parsePartName(basename(path)) ?? 0);
  const length = Math.round(last.time + last.duration - first.time);
  const file: FootageFile = {
    from,
    to: from + Math.min(3_600_000, Math.max(1, length)),
    bytes: content.whole,
    kind: 'continuous',
  };
  const target = isSpool ? camera.spoolPathOf(file) : camera.pathOf(file);
  await truncate(path, content.whole);
  await mkdir(dirname(target), { recursive: true });
  await rename(path, target);
  if (!isSpool) camera.files.add(file);
  return file;
}

async function loadSpool(camera: CameraFootage, tally: Tally, log: Log): Promise<void> {
  const folder = join(camera.folder, spoolFolder);
  const spool: FootageFile[] = [];
  for (const name of await names(folder, log)) {
    const parsed = parseSegmentName(name);
    if (parsed !== null) spool.push(...(await withSize(parsed, join(folder, name), tally, log)));
    else if (parsePartName(name) !== null) {
      const file = await mendPart(camera, join(folder, name), true, tally, log);
      if (file !== null) spool.push(file);
    } else tally.foreign++;
  }
  camera.spool = spool.sort((a, b) => a.from - b.from);
}

async function names(folder: string, log: Log): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    // ENOENT: nothing was recorded yet. ENOTDIR: a file that is none of ours.
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR') {
      log.error({ code: codeOf(error) }, 'a folder of footage cannot be read');
    }
    return [];
  }
}

/** Days of which everything is deleted leave an empty folder. */
export async function removeEmptyDays(footage: Footage, log: Log): Promise<void> {
  for (const camera of footage.cameras) {
    for (const day of (await names(camera.folder, log)).filter(isDay)) {
      // rmdir refuses a folder that is not empty: exactly what is wanted.
      await rmdir(join(camera.folder, day)).catch(() => {});
    }
  }
}
