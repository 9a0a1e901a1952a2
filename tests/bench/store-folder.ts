import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { Clock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { openStore, type Store, type StoreTuning } from '#edge/store/store.ts';

/* Real stores in folders of the bench, and plain tables beside them. */

export const hour = 3_600_000;
export const day = 24 * hour;
/** 2026-11-02T00:00:00Z, a Monday. */
export const start = 1_793_577_600_000;

export function openBenchStore(folder: string, clock: Clock, tuning: StoreTuning = {}): Promise<Store> {
  mkdirSync(folder, { recursive: true });
  const retention = {
    readings: 400 * day,
    events: 180 * day,
    audit: 400 * day,
    snapshots: 30 * day,
    database: 4e9,
    snapshotBytes: 8e9,
    freeSpaceFloor: 1e6,
  };
  return openStore({ folder, clock, log: silentLog, retention, tuning });
}

export type PlainDb = InstanceType<typeof Database>;

/** One row a sample, with what a sample of ours says: value, quality, both times. */
export function openPlain(folder: string, layout: 'without rowid' | 'rowid and index'): PlainDb {
  mkdirSync(folder, { recursive: true });
  const db = new Database(join(folder, `${layout.replaceAll(' ', '-')}.db`));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = NORMAL');
  const columns =
    'point INTEGER NOT NULL, t INTEGER NOT NULL, received INTEGER NOT NULL, code INTEGER NOT NULL, value REAL';
  if (layout === 'without rowid') {
    db.exec(`CREATE TABLE reading (${columns}, PRIMARY KEY (point, t)) WITHOUT ROWID`);
  } else {
    db.exec(`CREATE TABLE reading (id INTEGER PRIMARY KEY, ${columns}); CREATE UNIQUE INDEX at ON reading (point, t)`);
  }
  return db;
}
