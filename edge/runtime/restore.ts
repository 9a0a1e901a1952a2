import { createHash, randomBytes } from 'node:crypto';
import { closeSync, createReadStream, existsSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { chown, mkdir, readdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Parser, type ReadEntry } from 'tar';
import {
  databaseName,
  isInnerPath,
  largestManifest,
  type Manifest,
  manifestName,
  manifestSchema,
} from './backup-manifest.ts';
import type { Clock } from './clock.ts';
import { lockDataFolder } from './data-lock.ts';
import { syncFolder } from './durable-file.ts';
import { CodedError, messageOf } from './errors.ts';
import { restoredMark } from './restored-mark.ts';
import { describeIssues } from './site.ts';

/*
 * Puts a back-up in place. The archive is a stranger's until it is proved: only what its manifest names is written, with
 * the size and the hash it names, into a folder beside the data folder; that one takes its place as a whole, or nothing
 * does.
 */

export interface RestoreOptions {
  readonly file: string;
  /** The data folder: absent or empty, unless `force`. */
  readonly data: string;
  /** What is in the data folder is moved aside, never deleted. */
  readonly force: boolean;
  /** Looks at the restored folder before it takes its place; throws when this software cannot use it. */
  readonly check: (folder: string) => void;
  readonly clock: Clock;
}

export interface Restored {
  readonly manifest: Manifest;
  readonly bytes: number;
  /** Where the site file is now; null: there was none in the back-up. */
  readonly siteFile: string | null;
  /** Where the old data folder went; null: there was none. */
  readonly aside: string | null;
}

const refused = (message: string): CodedError => new CodedError('RESTORE_REFUSED', message);

/**
 * Throws RESTORE_NOT_EMPTY, DATA_IN_USE, RESTORE_REFUSED (the archive is not one of ours, damaged, or was tampered
 * with), RESTORE_SPACE, RESTORE_FAILED, or what `check` throws. The data folder is then as it was.
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { data, clock } = options;
  const mustMove = await isOccupied(data);
  if (mustMove && !options.force) {
    throw new CodedError('RESTORE_NOT_EMPTY', `${data} is not empty: choose another folder, or --force moves it aside`);
  }
  if (mustMove) await requireIdle(data);
  const draft = `${data}.restoring-${randomBytes(6).toString('hex')}`;
  try {
    await mkdir(draft, { recursive: true, mode: 0o700 });
    const manifest = await unpack(options.file, draft);
    await arrange(draft, manifest, clock);
    if (existsSync(join(draft, 'campus.db'))) options.check(draft);
    await giveToOwner(data, draft);
    const aside = mustMove ? `${data}.before-${clock.now()}` : null;
    if (aside !== null) await rename(data, aside);
    await rename(draft, data);
    await syncFolder(dirname(data));
    return {
      manifest,
      bytes: manifest.files.reduce((sum, { bytes }) => sum + bytes, 0),
      siteFile: manifest.siteFile === null ? null : join(data, manifest.siteFile),
      aside,
    };
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw new CodedError('RESTORE_FAILED', `the back-up could not be restored: ${messageOf(error)}`, { cause: error });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Throws DATA_IN_USE while a campus runs on the folder: its supervisor, or a core without one. */
async function requireIdle(data: string): Promise<void> {
  lockDataFolder(data)[Symbol.dispose]();
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect({ path: join(data, 'core.sock'), timeout: 2_000 });
    const end = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(true));
  });
  if (answers) throw new CodedError('DATA_IN_USE', `a campus runs on ${data}: stop it first`);
}

async function isOccupied(folder: string): Promise<boolean> {
  if (!existsSync(folder)) return false;
  return (await readdir(folder)).length > 0;
}

/** Writes what the manifest names and nothing else. */
async function unpack(file: string, draft: string): Promise<Manifest> {
  const intake = new Intake(draft, await freeBytes(dirname(draft)));
  const parser = new Parser({ strict: true, onReadEntry: (entry) => intake.take(entry) });
  try {
    await pipeline(createReadStream(file), parser);
  } catch (error) {
    throw intake.fault ?? refused(`${file} cannot be read as a back-up: ${messageOf(error)}`);
  } finally {
    intake[Symbol.dispose]();
  }
  return intake.finish();
}

interface Wanted {
  readonly bytes: number;
  readonly sha256: string;
}

/** Takes the entries of the archive one after another; the first fault ends it. */
class Intake implements Disposable {
  readonly #draft: string;
  readonly #free: number;
  #manifest: Manifest | null = null;
  readonly #wanted = new Map<string, Wanted>();
  #open: number | null = null;
  fault: CodedError | null = null;

  constructor(draft: string, free: number) {
    this.#draft = draft;
    this.#free = free;
  }

  take(entry: ReadEntry): void {
    try {
      if (this.fault === null && entry.type !== 'File' && entry.type !== 'OldFile') {
        throw refused(`"${shown(entry.path)}" in the back-up is a ${entry.type}: only plain files belong there`);
      }
      if (this.fault !== null) entry.resume();
      else if (this.#manifest === null) this.#takeManifest(entry);
      else this.#takeFile(entry);
    } catch (error) {
      this.#fail(error, entry);
    }
  }

  #takeManifest(entry: ReadEntry): void {
    if (entry.path !== manifestName)
      throw refused(`it does not begin with ${manifestName}: this is no back-up of ours`);
    if (entry.size > largestManifest) throw refused(`${manifestName} has ${entry.size} bytes`);
    const chunks: Buffer[] = [];
    entry.on('data', (chunk: Buffer) => chunks.push(chunk));
    entry.on('end', () => {
      try {
        this.#read(Buffer.concat(chunks).toString('utf8'));
      } catch (error) {
        this.#fail(error, entry);
      }
    });
  }

  #read(text: string): void {
    const result = manifestSchema.safeParse(parseJson(text));
    if (!result.success) throw refused(`${manifestName} is not one of ours: ${describeIssues(result.error)}`);
    const manifest = result.data;
    for (const { path, bytes, sha256 } of manifest.files) {
      if (this.#wanted.has(path)) throw refused(`${manifestName} names "${path}" twice`);
      this.#wanted.set(path, { bytes, sha256 });
    }
    const needed = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
    if (needed > this.#free) {
      const mb = (n: number): number => Math.ceil(n / 1e6);
      throw new CodedError('RESTORE_SPACE', `the back-up needs ${mb(needed)} MB, and ${mb(this.#free)} MB are free`);
    }
    this.#manifest = manifest;
  }

  #takeFile(entry: ReadEntry): void {
    const { path } = entry;
    const wanted = this.#wanted.get(path);
    if (wanted === undefined || !isInnerPath(path)) throw refused(`"${shown(path)}" is not in the manifest`);
    if (entry.size !== wanted.bytes) throw refused(`"${path}" has ${entry.size} bytes and not ${wanted.bytes}`);
    this.#wanted.delete(path);
    const target = join(this.#draft, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    // `wx`: nothing that this archive brought before may be written through.
    const handle = openSync(target, 'wx', 0o600);
    this.#open = handle;
    const hash = createHash('sha256');
    entry.on('data', (chunk: Buffer) => {
      if (this.fault !== null) return;
      try {
        hash.update(chunk);
        for (let at = 0; at < chunk.length; ) at += writeSync(handle, chunk, at);
      } catch (error) {
        this.#fail(error, entry);
      }
    });
    entry.on('end', () => {
      if (this.fault !== null) return;
      try {
        fsyncSync(handle);
        this.#close();
        if (hash.digest('hex') !== wanted.sha256)
          throw refused(`"${path}" is not what the manifest says: its hash differs`);
      } catch (error) {
        this.#fail(error, entry);
      }
    });
  }

  finish(): Manifest {
    if (this.fault !== null) throw this.fault;
    if (this.#manifest === null) throw refused(`there is no ${manifestName} in it: this is no back-up of ours`);
    const [missing] = this.#wanted.keys();
    if (missing !== undefined) throw refused(`"${missing}" is missing (${this.#wanted.size} files in all)`);
    return this.#manifest;
  }

  #fail(error: unknown, entry: ReadEntry): void {
    this.fault ??= error instanceof CodedError ? error : new CodedError('RESTORE_FAILED', messageOf(error));
    this.#close();
    entry.resume();
  }

  #close(): void {
    if (this.#open !== null) closeSync(this.#open);
    this.#open = null;
  }

  [Symbol.dispose](): void {
    this.#close();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A name of a stranger's choosing, fit for a terminal. */
function shown(path: string): string {
  return path.replace(/\p{Cc}/gu, '?').slice(0, 200);
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** `data/...` becomes the folder itself; the site stays below `site/`. */
async function arrange(draft: string, manifest: Manifest, clock: Clock): Promise<void> {
  const inner = join(draft, 'data');
  const names = existsSync(inner) ? await readdir(inner) : [];
  if (names.includes('site') || names.includes('data')) throw refused('data/site and data/data cannot be in a back-up');
  for (const name of names) await rename(join(inner, name), join(draft, name));
  await rm(inner, { recursive: true, force: true });
  if (!manifest.files.some(({ path }) => path === databaseName)) return;
  const { time, auditHead } = manifest;
  await writeFile(join(draft, restoredMark), JSON.stringify({ version: 1, time, auditHead, restored: clock.now() }), {
    mode: 0o600,
    flush: true,
  });
}

/** Root restores for the user that the service runs as: whoever owns the folder already, or the one above it. */
async function giveToOwner(data: string, draft: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(existsSync(data) ? data : dirname(data));
  if (uid === 0) return;
  const entries = await readdir(draft, { recursive: true, withFileTypes: true });
  for (const entry of entries) await chown(join(entry.parentPath, entry.name), uid, gid);
  await chown(draft, uid, gid);
}
