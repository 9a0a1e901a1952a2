import { randomBytes } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import {
  chmod,
  copyFile,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  statfs,
  writeFile,
} from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { create } from 'tar';
import { databaseName, type Manifest, manifestName, mostFiles, schemaOf, sha256Of } from './backup-manifest.ts';
import type { Clock } from './clock.ts';
import { CodedError, codeOf, messageOf } from './errors.ts';
import type { RpcClient } from './rpc.ts';
import { readRunNote } from './run-note.ts';
import { loadSite, type Site } from './site.ts';

/*
 * A back-up holds all that makes this campus this campus: database, keys, passwords, plans, adopted devices, the site
 * file with its clips, rules and flows. Everything is first copied to a folder of its own on the data disk, so that what is
 * hashed is what is packed, however much the campus writes meanwhile.
 */

/** Makes `file` a consistent copy of the database, and answers the anchor of the audit that fits it. */
export type CopyDatabase = (file: string) => Promise<{ readonly head: string | null }>;

export interface BackupOptions {
  /** The data folder. */
  readonly data: string;
  /** The archive, `.tar.gz`; must not exist. */
  readonly file: string;
  /** null: the one that the campus was last started with. */
  readonly siteFile: string | null;
  readonly copyDatabase: CopyDatabase;
  /** Pictures of cameras too. */
  readonly pictures: boolean;
  readonly clock: Clock;
}

export interface BackupMade {
  readonly file: string;
  readonly bytes: number;
  readonly files: number;
  /** ms since epoch. */
  readonly time: number;
  readonly campus: string | null;
  /** What the site file names and is not in the back-up. */
  readonly elsewhere: readonly string[];
  /** Files of keys in it: they open what is sealed elsewhere in it (passwords of cameras, second factors). */
  readonly keys: readonly string[];
}

/** Never in a back-up: locks, sockets, logs, other back-ups, sound that is made again from clips, models of speech, footage, recordings of voices and cases (they fill disks), and what belongs to the demo's city. */
const leftOut =
  /^(supervisor\.lock.*|campus\.lock|core\.sock|core\.sock\.keys|media\.sock|media\.key|sound\.sock|sound\.key|sound|speech|recordings|footage|cases|run|logs|backups|city|site|snapshots|audit-head|campus\.json|restored\.json|campus\.db.*|devices\.json\..+|.*\.tmp|\.backup-.*|\.restoring-.*)$/;
const leftOutOfFlows = /^(node_modules|\.git|\.npm)$/;
const copyPatience = 60 * 60_000;
/** A staging folder this old was left by a process that died, ms. */
const abandoned = 3 * 3_600_000;

/** The copy that a running campus makes of its own database: by core, while it goes on writing. */
export function copyByCore(core: Pick<RpcClient, 'call'>): CopyDatabase {
  return async (file) => {
    const answer = await core.call('store.copy', { file }, copyPatience);
    const head = typeof answer === 'object' && answer !== null && 'head' in answer ? answer.head : null;
    return { head: typeof head === 'string' ? head : null };
  };
}

/**
 * Throws BACKUP_EXISTS, BACKUP_SPACE (not enough room), BACKUP_FAILED, or what `copyDatabase` throws. Leaves nothing
 * behind then.
 */
export async function makeBackup(options: BackupOptions): Promise<BackupMade> {
  const { data, file, clock } = options;
  if (existsSync(file)) throw new CodedError('BACKUP_EXISTS', `${file} exists already`);
  await removeAbandoned(data, clock);
  const staging = join(data, `.backup-${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(join(staging, 'data'), { recursive: true, mode: 0o700 });
    const manifest = await stage(options, staging);
    const bytes = await pack(staging, manifest, file);
    const { files, time, campus, elsewhere } = manifest;
    const keys = files.map(({ path }) => path).filter((path) => path.startsWith('data/keys/'));
    return { file, bytes, files: files.length, time, campus: campus?.id ?? null, elsewhere, keys };
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw new CodedError('BACKUP_FAILED', `the back-up could not be made: ${messageOf(error)}`, { cause: error });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function stage(options: BackupOptions, staging: string): Promise<Manifest> {
  const { data, clock, pictures } = options;
  const time = clock.now();
  await requireSpace(data, await sizeOf(join(data, 'campus.db')), 'a copy of the database');
  const head = await stageDatabase(options, staging);
  await copyTree(data, join(staging, 'data'), (name, depth) => depth > 0 || !leftOut.test(name));
  if (pictures) await copyTree(join(data, 'snapshots'), join(staging, 'data/snapshots'), () => true, 'link');
  const placed = await stageSite(options.siteFile ?? readRunNote(data)?.site ?? null, staging);
  const files = await hashed(staging);
  return {
    manifest: 1,
    time,
    software: { version: await ownVersion(), node: process.version },
    campus: placed.campus,
    schema: files.some(({ path }) => path === databaseName) ? await schemaOf(join(staging, databaseName)) : null,
    auditHead: head,
    siteFile: placed.siteFile,
    elsewhere: placed.elsewhere,
    pictures,
    files,
  };
}

/** The copy and the anchor that fits it: with a younger one the audit would miss lines that the copy never had. */
async function stageDatabase({ data, copyDatabase }: BackupOptions, staging: string): Promise<string | null> {
  if (!existsSync(join(data, 'campus.db'))) return null;
  const { head } = await copyDatabase(join(staging, databaseName));
  if (head !== null) await writeFile(join(staging, 'data/audit-head'), head, { mode: 0o600 });
  return head?.split(' ')[2] ?? null;
}

async function removeAbandoned(data: string, clock: Clock): Promise<void> {
  for (const name of await readdir(data)) {
    if (!name.startsWith('.backup-')) continue;
    const { mtimeMs } = await stat(join(data, name));
    if (clock.now() - mtimeMs > abandoned) await rm(join(data, name), { recursive: true, force: true });
  }
}

/** Regular files only; what vanishes meanwhile was not there. Nothing is followed that could lead elsewhere. */
async function copyTree(
  from: string,
  to: string,
  wants: (name: string, depth: number) => boolean,
  how: 'copy' | 'link' = 'copy',
  depth = 0,
): Promise<void> {
  for (const entry of await entriesOf(from)) {
    if (!wants(entry.name, depth)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, target, wants, how, depth + 1);
    if (!entry.isFile()) continue;
    await mkdir(to, { recursive: true, mode: 0o700 });
    await placeFile(source, target, how);
  }
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** A picture is never written again, so a second name for it is as good as a copy. */
async function placeFile(source: string, target: string, how: 'copy' | 'link'): Promise<void> {
  try {
    if (how === 'link') await link(source, target);
    else await copyFile(source, target);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    if (how === 'copy') throw error;
    await placeFile(source, target, 'copy');
  }
}

interface PlacedSite {
  readonly siteFile: string | null;
  readonly campus: Manifest['campus'];
  readonly elsewhere: string[];
}

/**
 * The site file as it is, with what it names by relative paths in the same places relative to it. A file that has mistakes
 * is kept all the same, alone.
 */
async function stageSite(siteFile: string | null, staging: string): Promise<PlacedSite> {
  if (siteFile === null || !existsSync(siteFile)) return { siteFile: null, campus: null, elsewhere: [] };
  const site = await siteOrNull(siteFile);
  const folder = dirname(resolve(siteFile));
  const clips = Object.values(site?.clips ?? {}).map(({ file }) => file);
  const named = site === null ? [] : [...clips, site.flows.folder, site.rules.folder];
  const inside = named.filter((path) => !isAbsolute(path)).map((path) => resolve(folder, path));
  const base = commonFolder([folder, ...inside.map((path) => dirname(path))]);
  const target = (path: string): string => join(staging, 'site', relative(base, path));
  for (const path of [resolve(siteFile), ...inside]) {
    const found = await stat(path).catch(() => null); // what is not there is an alarm of the campus, not of its back-up
    await mkdir(dirname(target(path)), { recursive: true, mode: 0o700 });
    if (found?.isFile()) await placeFile(path, target(path), 'copy');
    if (found?.isDirectory()) await copyTree(path, target(path), (name) => !leftOutOfFlows.test(name));
  }
  return {
    siteFile: relative(staging, target(resolve(siteFile))),
    campus: site === null ? null : { id: site.campus.id, ...site.campus.name },
    elsewhere: named.filter((path) => isAbsolute(path)),
  };
}

async function siteOrNull(file: string): Promise<Site | null> {
  try {
    return await loadSite(file);
  } catch (error) {
    if (error instanceof CodedError) return null;
    throw error;
  }
}

function commonFolder(folders: readonly string[]): string {
  const [first = '/', ...rest] = folders;
  return rest.reduce((common, folder) => {
    let shared = common;
    while (shared !== '/' && relative(shared, folder).startsWith('..')) shared = dirname(shared);
    return shared;
  }, first);
}

async function hashed(staging: string): Promise<Manifest['files']> {
  const entries = await readdir(staging, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  if (paths.length > mostFiles) throw new CodedError('BACKUP_FAILED', `there are more than ${mostFiles} files`);
  const files: Manifest['files'] = [];
  for (const path of paths.sort()) {
    const { size } = await stat(path);
    files.push({ path: relative(staging, path), bytes: size, sha256: await sha256Of(path) });
  }
  return files;
}

/** Written beside the archive's place and renamed: whoever finds it finds it whole. */
async function pack(staging: string, manifest: Manifest, file: string): Promise<number> {
  const needed = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await requireSpace(dirname(file), needed, 'the archive');
  await writeFile(join(staging, manifestName), JSON.stringify(manifest), { mode: 0o600 });
  const partial = `${file}.${randomBytes(6).toString('hex')}.partial`;
  try {
    const names = [manifestName, ...manifest.files.map(({ path }) => path)];
    const archive = create({ cwd: staging, gzip: { level: 5 }, portable: true, noDirRecurse: true }, names);
    await pipeline(archive, createWriteStream(partial, { mode: 0o600, flush: true }));
    await chmod(partial, 0o600);
    const { size } = await stat(partial);
    await rename(partial, file);
    await using folder = await open(dirname(file), 'r');
    await folder.sync();
    return size;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

async function requireSpace(folder: string, bytes: number, what: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const reserve = 100_000_000; // for the campus that goes on
  if (free >= bytes + reserve) return;
  const mb = (n: number): number => Math.ceil(n / 1e6);
  throw new CodedError(
    'BACKUP_SPACE',
    `${what} needs ${mb(bytes + reserve)} MB at ${folder}, and ${mb(free)} MB are free`,
  );
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch {
    return 0;
  }
}

async function ownVersion(): Promise<string> {
  const text = await readFile(join(import.meta.dirname, '../../package.json'), 'utf8');
  const parsed: unknown = JSON.parse(text);
  const version = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : '';
  return String(version);
}
