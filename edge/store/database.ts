import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { migrate, migrations, schemaVersion } from './migrations.ts';

export type Db = Database.Database;

export const databaseFile = (folder: string) => join(folder, 'campus.db');
/** The largest epoch this campus ever used: survives a database that does not, even when the clock is wrong (no RTC). */
const epochFile = (folder: string) => join(folder, 'campus.epoch');

export interface OpenedDatabase {
  readonly db: Db;
  readonly epoch: number;
  /** Where a database went that could not be read. */
  readonly movedAside: string | null;
}

/** SQLite's result codes in our words. */
export function storeError(error: unknown, what: string): CodedError {
  if (error instanceof CodedError) return error;
  const code = codeOf(error);
  const known = Object.entries(sqliteCodes).find(([prefix]) => code.startsWith(prefix));
  return new CodedError(known?.[1] ?? 'STORE_REFUSED', `${what}: ${messageOf(error)}`, { cause: error });
}

const sqliteCodes: Readonly<Record<string, string>> = {
  SQLITE_FULL: 'STORE_FULL',
  SQLITE_IOERR: 'STORE_IO',
  SQLITE_READONLY: 'STORE_IO',
  SQLITE_CANTOPEN: 'STORE_IO',
  SQLITE_CORRUPT: 'STORE_CORRUPT',
  SQLITE_NOTADB: 'STORE_CORRUPT',
  SQLITE_BUSY: 'STORE_BUSY',
};

/**
 * Opens (or makes) the folder's database for its one writer. What SQLite calls corrupt is moved aside as
 * `campus.db.corrupt-<time>`, never deleted, and a new one begins with a larger epoch. Checked is what opening touches
 * (header, schema, meta, lanes, points): a full check would take minutes on GBs.
 */
export function openDatabase(folder: string, now: number, corrupt: 'trust' | 'move-aside'): OpenedDatabase {
  const file = databaseFile(folder);
  let movedAside: string | null = corrupt === 'move-aside' && existsSync(file) ? moveAside(file, now) : null;
  try {
    return { ...tryOpen(folder, file, now), movedAside };
  } catch (error) {
    const coded = storeError(error, `cannot open ${file}`);
    if (coded.code !== 'STORE_CORRUPT') throw coded;
    movedAside = moveAside(file, now);
    return { ...tryOpen(folder, file, now), movedAside };
  }
}

function tryOpen(folder: string, file: string, now: number): { db: Db; epoch: number } {
  const db = new Database(file, { timeout: 5_000 });
  try {
    // Only a new database takes these two. Measured at 100 readings a second in one commit: 338 bytes written a reading with
    // 4,096, 399 with 8,192; 2,048 wrote 283, but cuts blocks into overflow pages. auto_vacuum costs 12 % of that, and is
    // what lets pages go back to the file system when its free-space floor is hit.
    db.pragma('page_size = 4096');
    db.pragma('auto_vacuum = INCREMENTAL');
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    // A bound, 8 MB: maintenance checkpoints before it, so that no commit has to. Larger logs did not save a byte (measured).
    db.pragma('wal_autocheckpoint = 2000');
    db.pragma(`journal_size_limit = ${16 * 1024 * 1024}`);
    db.pragma('cache_size = -16000');
    migrate({ db, folder, now });
    for (const table of ['point', 'lane', 'hold', 'state']) db.prepare(`SELECT * FROM ${table}`).all();
    db.prepare('SELECT max(id) FROM hot').get();
    return { db, epoch: ensureEpoch(db, folder, now) };
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * A connection that cannot write, for any process. Throws STORE_NEWER for a database of newer code, STORE_NOT_READY for one
 * that core has not made or brought up to date yet.
 */
export function openReadOnly(folder: string): Db {
  const file = databaseFile(folder);
  if (!existsSync(file)) throw notReady(`${file} does not exist yet: core makes it when it starts`);
  const db = new Database(file, { readonly: true, fileMustExist: true, timeout: 2_000 });
  try {
    const version = schemaVersion(db);
    if (version > migrations.length) {
      throw new CodedError(
        'STORE_NEWER',
        `${file} has schema ${version}; this version knows up to ${migrations.length}`,
      );
    }
    if (version < migrations.length) {
      throw notReady(`${file} has schema ${version}: core has not brought it up to date yet`);
    }
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

export function notReady(message: string): CodedError {
  return new CodedError('STORE_NOT_READY', message);
}

function moveAside(file: string, now: number): string {
  let aside = `${file}.corrupt-${now}`;
  for (let n = 1; existsSync(aside); n++) aside = `${file}.corrupt-${now}-${n}`;
  renameSync(file, aside);
  for (const suffix of ['-wal', '-shm']) {
    if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  return aside;
}

/** Seconds since 1970 when the database was made, and larger than any before it. */
function ensureEpoch(db: Db, folder: string, now: number): number {
  const known = db.prepare<[], { value: number }>("SELECT value FROM meta WHERE key = 'epoch'").get();
  const file = epochFile(folder);
  const before = existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) || 0 : 0;
  if (known !== undefined) {
    if (before < known.value) writeFileSync(file, `${known.value}\n`, { flush: true });
    return known.value;
  }
  const epoch = Math.max(Math.floor(now / 1000), before + 1);
  writeFileSync(file, `${epoch}\n`, { flush: true });
  db.transaction(() => {
    const insert = db.prepare('INSERT INTO meta VALUES (?, ?)');
    insert.run('epoch', epoch);
    insert.run('created', now);
  }).immediate();
  return epoch;
}

/**
 * Makes sure that nobody else writes: an exclusive lock on a small database of its own, which the kernel drops with the
 * process however it ends. Throws STORE_LOCKED.
 */
export function lockFolder(folder: string): Db {
  const lock = new Database(join(folder, 'campus.lock'), { timeout: 1_000 });
  try {
    lock.pragma('journal_mode = MEMORY');
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    throw new CodedError('STORE_LOCKED', `another process writes to ${databaseFile(folder)}; stop it first`, {
      cause: error,
    });
  }
}
