import { existsSync, statfsSync, statSync } from 'node:fs';
import { type Db, databaseFile } from './database.ts';
import type { Space } from './retention.ts';

const giveBackPages = 2_000;

export interface DiskSpace extends Space {
  /** Size of the write-ahead log, bytes. */
  wal(): number;
}

/** What the database takes of its disk, and what the disk has left. */
export function diskSpace(db: Db, folder: string): DiskSpace {
  const walFile = `${databaseFile(folder)}-wal`;
  const pragma = (name: string) => Number(db.pragma(name, { simple: true }));
  const pageSize = pragma('page_size');
  const wal = () => (existsSync(walFile) ? statSync(walFile).size : 0);
  const unusedPages = () => pragma('freelist_count');
  return {
    wal,
    unusedPages,
    used: () => (pragma('page_count') - unusedPages()) * pageSize + wal(),
    free: () => {
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    },
    settle: () => {
      db.pragma('wal_checkpoint(TRUNCATE)');
    },
    giveBack: () => {
      db.pragma(`incremental_vacuum(${giveBackPages})`);
      db.pragma('wal_checkpoint(TRUNCATE)');
    },
  };
}
