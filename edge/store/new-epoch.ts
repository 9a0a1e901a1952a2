import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { databaseFile, storeError } from './database.ts';
import { laneSpan } from './outbox.ts';

/**
 * A restored database counts its outbox from where the back-up was made: rows that the city has had since under the same
 * numbers would look like duplicates (decision 9). So a person who restores begins a new epoch: what the city had not
 * acknowledged in the copy is numbered from 1 again and sent once more; what it had is let go. The city knows events and
 * minutes by what they are, and keeps those that it has. Sessions of people end. Core calls this before it opens the store. Returns the epoch;
 * null when there is no database. Throws STORE_IO, STORE_CORRUPT.
 */
export function beginNewEpoch(folder: string, now: number): number | null {
  const file = databaseFile(folder);
  if (!existsSync(file)) return null;
  try {
    const db = new Database(file, { timeout: 5_000 });
    try {
      db.pragma('journal_mode = WAL');
      db.pragma('synchronous = FULL');
      return db.transaction(() => renumber(db, folder, now)).immediate();
    } finally {
      db.close();
    }
  } catch (error) {
    throw storeError(error, `cannot begin a new epoch in ${file}`);
  }
}

/** Who signed out since the copy was made, or was signed out, must not be signed in again by it. Older copies know no sessions. */
function endSessions(db: Database.Database): void {
  const known = db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'document'").get();
  if (known !== undefined) db.exec("DELETE FROM document WHERE kind = 'session'");
}

function renumber(db: Database.Database, folder: string, now: number): number {
  const known = db.prepare<[], number>("SELECT value FROM meta WHERE key = 'epoch'").pluck().get() ?? 0;
  const noted = join(folder, 'campus.epoch');
  const before = existsSync(noted) ? Number.parseInt(readFileSync(noted, 'utf8'), 10) || 0 : 0;
  const epoch = Math.max(Math.floor(now / 1000), before + 1, known + 1);
  // The file first: cut short, this number is never used again.
  writeFileSync(noted, `${epoch}\n`, { flush: true, mode: 0o600 });
  const lanes = db
    .prepare<[], { lane: number; head: number; min: number; watermark: number }>('SELECT * FROM lane')
    .all();
  for (const { lane, head, min, watermark } of lanes) {
    const base = lane * laneSpan;
    const first = Math.max(min, watermark + 1);
    db.prepare('DELETE FROM outbox WHERE id BETWEEN ? AND ?').run(base + 1, base + first - 1);
    db.prepare('UPDATE outbox SET id = id - ? WHERE id BETWEEN ? AND ?').run(first - 1, base + first, base + head);
    db.prepare(
      `UPDATE lane SET head = ?, min = 1, watermark = 0, bytes =
        (SELECT coalesce(sum(length(body)), 0) FROM outbox WHERE id BETWEEN ? AND ?) WHERE lane = ?`,
    ).run(Math.max(0, head - first + 1), base + 1, base + laneSpan - 1, lane);
  }
  db.exec('DELETE FROM acknowledged');
  endSessions(db);
  db.prepare("UPDATE meta SET value = ? WHERE key = 'epoch'").run(epoch);
  return epoch;
}
