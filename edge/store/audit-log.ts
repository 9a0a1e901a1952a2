import type { KeyObject } from 'node:crypto';
import {
  type Anchor,
  anchorText,
  chainHash,
  genesis,
  inWords,
  newAuditKey,
  readAnchor,
  readAuditKey,
  releaseMac,
  writeAnchor,
  writeAuditKey,
} from './audit-key.ts';
import type { Db } from './database.ts';

/** time, who, from, what, why, result */
export type AuditRow = readonly [number, string, string, string, string, string];

/** The audit line that says that lines are missing before it; its number leaves room for at least one of them. */
export const breakVerb = 'audit.break';

interface Head {
  readonly seq: number;
  readonly time: number;
  readonly hash: Buffer;
}

/** Which lines may go: the oldest, up to the first that is younger. `cut` in ms. */
const old = 'seq < coalesce((SELECT min(seq) FROM audit WHERE time >= @cut), 9e15) AND time < @cut';

/**
 * The audit as its one writer has it: each line is chained to the one before it (audit-key.ts). What was there when it
 * opened must reach what the anchor remembers; if it does not, a line says so for good, and a gap in the numbers.
 */
export class AuditLog {
  readonly #folder: string;
  readonly #key: KeyObject;
  readonly #statements: ReturnType<typeof prepare>;
  #anchored: number;
  #newest: number;

  /** Inside no transaction: what it finds missing is written in one that `transact` makes durable. Throws STORE_IO. */
  constructor(db: Db, folder: string, now: number, transact: (work: () => void) => void) {
    this.#folder = folder;
    this.#statements = prepare(db);
    const known = readAuditKey(folder);
    this.#key = known ?? newAuditKey();
    if (known === null) writeAuditKey(folder, this.#key);
    const anchor = readAnchor(folder, this.#key);
    const head = this.#head();
    const missing = known === null ? 'the key of the audit was missing' : this.#missing(anchor, head);
    if (missing !== null) {
      const last = Math.max(head.seq + 1, anchor === null || anchor === 'unbelievable' ? 0 : anchor.seq);
      const result = `lines ${head.seq + 1} to ${last} are missing here`;
      transact(() => this.#insert([now, 'process:core', 'store', breakVerb, missing, result], last + 1));
    }
    this.#newest = this.#head().seq;
    this.#anchored = missing === null && anchor !== null && anchor !== 'unbelievable' ? anchor.seq : -1;
  }

  /** Inside the caller's transaction. */
  append(row: AuditRow): void {
    this.#insert(row, this.#head().seq + 1);
  }

  /** Lines that are older than `cut`. */
  countOld(cut: number): number {
    return this.#statements.countOld.get({ cut }) ?? 0;
  }

  /**
   * Lets go of the oldest lines, at most so many, inside the caller's transaction. What is left is chained to the last of
   * them by a note that only the key can make. Returns how many went.
   */
  release(cut: number, most: number, now: number, why: string): number {
    const s = this.#statements;
    const { upto = null, rows = 0 } = s.oldest.get({ cut, most }) ?? {};
    const hash = upto === null ? undefined : s.hash.get(upto);
    if (upto === null || hash === undefined) return 0;
    const release = { upto, time: now, why, hash };
    s.release.run(upto, now, why, hash, releaseMac(this.#key, release));
    s.remove.run(upto);
    return rows;
  }

  /** There are lines that the anchor does not know yet. */
  get isUnanchored(): boolean {
    return this.#newest !== this.#anchored;
  }

  /** Remembers the newest line outside the database. All lines must be synced: what it names must never be lost. Throws STORE_IO. */
  anchor(): void {
    const head = this.#head();
    writeAnchor(this.#folder, anchorText(this.#key, head));
    this.#anchored = head.seq;
    this.#newest = head.seq;
  }

  /** The anchor as it is for what is in the database now: for a copy of it. */
  anchorText(): string {
    return anchorText(this.#key, this.#head());
  }

  /** Why what the anchor remembers is not what is here; null when it is. */
  #missing(anchor: Anchor | 'unbelievable' | null, head: Head): string | null {
    if (anchor === null) return 'audit-head was missing: it cannot be told whether lines were taken from the end';
    if (anchor === 'unbelievable') return 'audit-head was damaged, or not written with the key of this campus';
    if (anchor.seq > head.seq) return setBack(anchor, head);
    const hash = this.#statements.hash.get(anchor.seq);
    if (hash === undefined || hash.equals(anchor.hash)) return null;
    return `line ${anchor.seq} is not the one that audit-head names: the database comes from another history`;
  }

  #insert([time, ...words]: AuditRow, seq: number): void {
    // SQLite stores UTF-8: half a surrogate pair would be read back as something else, and its hash would not fit.
    const [who, from, what, why, result] = words.map((word) => word.toWellFormed()) as typeof words;
    const hash = chainHash(this.#key, this.#head().hash, { seq, time, who, from, what, why, result });
    this.#statements.insert.run(seq, time, who, from, what, why, result, hash);
    this.#newest = seq;
  }

  #head(): Head {
    const { newest, released } = this.#statements;
    return newest.get() ?? released.get() ?? { seq: 0, time: 0, hash: genesis };
  }
}

/** What an anchor beyond the newest line means, for people. */
export function setBack(anchor: Anchor, head: { readonly seq: number }): string {
  return (
    `audit-head names line ${anchor.seq} of ${inWords(anchor.time)}, but the newest line in the database was ${head.seq}: ` +
    'the lines after it were deleted, or the database was set back (an older back-up was restored, or a damaged database moved aside)'
  );
}

/**
 * The migration: chains the lines of before, and makes key and anchor where this campus never had them. Both are on disk
 * before the database says that it is chained: cut short, it is done again with the same result.
 */
export function chainOldLines(db: Db, folder: string, now: number): void {
  const known = readAuditKey(folder);
  const key = known ?? newAuditKey();
  db.exec(`
    ALTER TABLE audit ADD COLUMN hash BLOB NOT NULL DEFAULT x'';
    ALTER TABLE audit_released ADD COLUMN hash BLOB;
    ALTER TABLE audit_released ADD COLUMN mac BLOB;
    DROP TRIGGER IF EXISTS audit_no_update;
  `);
  const page = db.prepare<[number], Omit<Head, 'hash'> & Record<'who' | 'from' | 'what' | 'why' | 'result', string>>(
    'SELECT seq, time, who, origin AS "from", what, why, result FROM audit WHERE seq > ? ORDER BY seq LIMIT 1000',
  );
  const update = db.prepare<[Buffer, number]>('UPDATE audit SET hash = ? WHERE seq = ?');
  let head: Head = { seq: 0, time: 0, hash: genesis };
  for (let lines = page.all(0); lines.length > 0; lines = page.all(head.seq)) {
    // Lines were numbered by SQLite and let go before there was a chain: it begins with the oldest that is left.
    const [first] = lines;
    if (head.seq === 0 && first !== undefined && first.seq > 1) {
      noteStart(db, key, { upto: first.seq - 1, time: now, why: 'let go before lines were chained', hash: genesis });
    }
    for (const line of lines) {
      const hash = chainHash(key, head.hash, line);
      update.run(hash, line.seq);
      head = { seq: line.seq, time: line.time, hash };
    }
  }
  db.exec(`
    CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
      BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
  `);
  if (known !== null) return;
  writeAnchor(folder, anchorText(key, head));
  writeAuditKey(folder, key);
}

function noteStart(db: Db, key: KeyObject, release: Parameters<typeof releaseMac>[1]): void {
  const { upto, time, why, hash } = release;
  db.prepare('INSERT INTO audit_released VALUES (?, ?, ?, ?, ?)').run(upto, time, why, hash, releaseMac(key, release));
}

function prepare(db: Db) {
  return {
    newest: db.prepare<[], Head>('SELECT seq, time, CAST(hash AS BLOB) AS hash FROM audit ORDER BY seq DESC LIMIT 1'),
    released: db.prepare<[], Head>(
      "SELECT upto AS seq, time, CAST(coalesce(hash, '') AS BLOB) AS hash FROM audit_released WHERE mac IS NOT NULL ORDER BY rowid DESC LIMIT 1",
    ),
    hash: db.prepare<[number], Buffer>('SELECT CAST(hash AS BLOB) FROM audit WHERE seq = ?').pluck(),
    insert: db.prepare<[number, number, string, string, string, string, string, Buffer]>(
      'INSERT INTO audit (seq, time, who, origin, what, why, result, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    ),
    countOld: db.prepare<[{ cut: number }], number>(`SELECT count(*) FROM audit WHERE ${old}`).pluck(),
    oldest: db.prepare<[{ cut: number; most: number }], { upto: number | null; rows: number }>(
      `SELECT max(seq) AS upto, count(*) AS rows FROM (SELECT seq FROM audit WHERE ${old} ORDER BY seq LIMIT @most)`,
    ),
    release: db.prepare<[number, number, string, Buffer, Buffer]>('INSERT INTO audit_released VALUES (?, ?, ?, ?, ?)'),
    remove: db.prepare<[number]>('DELETE FROM audit WHERE seq <= ?'),
  };
}
