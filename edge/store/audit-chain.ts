import type { KeyObject } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type Anchor,
  auditKeyFile,
  type ChainedLine,
  chainHash,
  genesis,
  inWords,
  readAnchor,
  readAuditKey,
  releaseMac,
} from './audit-key.ts';
import { breakVerb, setBack } from './audit-log.ts';
import { type Db, databaseFile, openReadOnly, storeError } from './database.ts';

/*
 * Is every line of the audit as it was written, and is none missing? For any process, while core writes or while it does
 * not: nothing here can write. What can be found and what cannot: decision 12.
 */

export interface AuditVerdict {
  readonly ok: boolean;
  /** How many were looked at. */
  readonly lines: number;
  /** In words for people; the first 20, and how many more. Empty when ok. */
  readonly faults: readonly { readonly seq: number; readonly message: string }[];
  /** Time of the oldest line, ms since epoch; null when there is none. */
  readonly oldest: number | null;
  /** Hash of the newest line, hex; '' when there is none. Who notes it elsewhere can prove later that it was there. */
  readonly head: string;
}

const mostFaults = 20;
/** Lines read at a time; between two pages others have their turn. */
const pageSize = 500;

interface StoredLine extends ChainedLine {
  readonly hash: Buffer;
}

/**
 * Verifies the audit of a data folder; 8 s for a million lines, in turns of a few ms. Throws STORE_NOT_READY (there is no
 * database, or one that core must bring up to date first), STORE_NEWER, STORE_IO, STORE_CORRUPT.
 */
export async function verifyAudit(
  folder: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<AuditVerdict> {
  try {
    const key = readAuditKey(folder);
    // Before the database: what it names is then in it, however much core writes meanwhile.
    const anchor = key === null ? null : readAnchor(folder, key);
    using open = closing(openReadOnly(folder));
    if (key === null) return withoutKey(folder, open.db);
    const walk = new Walk(open.db, key, anchor);
    while (walk.page()) {
      options.signal?.throwIfAborted();
      await nextTurn();
    }
    return walk.verdict();
  } catch (error) {
    options.signal?.throwIfAborted();
    throw storeError(error, `cannot verify the audit in ${databaseFile(folder)}`);
  }
}

function withoutKey(folder: string, db: Db): AuditVerdict {
  const lines = db.prepare<[], number>('SELECT count(*) FROM audit').pluck().get() ?? 0;
  const message = `${auditKeyFile(folder)} is missing or damaged: no line can be verified`;
  return { ok: false, lines, faults: [{ seq: 0, message }], oldest: null, head: '' };
}

/** Goes along the chain from the oldest line on. */
class Walk {
  readonly #key: KeyObject;
  readonly #anchor: Anchor | 'unbelievable' | null;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #faults: { seq: number; message: string }[] = [];
  #faultCount = 0;
  #lines = 0;
  #oldest: number | null = null;
  /** The line before the next one. */
  #last: { seq: number; hash: Buffer };

  constructor(db: Db, key: KeyObject, anchor: Anchor | 'unbelievable' | null) {
    this.#key = key;
    this.#anchor = anchor;
    this.#statements = prepare(db);
    this.#last = db.transaction(() => this.#begin()).deferred();
  }

  /** False after the last one. */
  page(): boolean {
    const lines = this.#statements.page.all(this.#last.seq, pageSize);
    for (const line of lines) this.#take(line);
    return lines.length === pageSize;
  }

  verdict(): AuditVerdict {
    this.#judgeAnchor();
    const more = this.#faultCount - this.#faults.length;
    if (more > 0) this.#faults.push({ seq: this.#last.seq, message: `and ${more} more` });
    const head = this.#last.hash === genesis ? '' : this.#last.hash.toString('hex');
    return { ok: this.#faultCount === 0, lines: this.#lines, faults: this.#faults, oldest: this.#oldest, head };
  }

  #begin(): { seq: number; hash: Buffer } {
    const start = this.#released() ?? { seq: 0, hash: genesis };
    for (const seq of this.#statements.before.all(start.seq, mostFaults + 1)) {
      this.#fault(seq, `line ${seq} was let go long ago, or never was: somebody has put it there`);
    }
    return start;
  }

  /** Where the chain begins since retention let go of what was before. */
  #released(): { seq: number; hash: Buffer } | null {
    const row = this.#statements.released.get();
    if (row === undefined) return null;
    const { mac, ...release } = row;
    if (!mac.equals(releaseMac(this.#key, release))) {
      this.#fault(release.upto, `that lines up to ${release.upto} were let go was not written by this campus`);
    }
    return { seq: release.upto, hash: release.hash };
  }

  #take(line: StoredLine): void {
    this.#lines += 1;
    this.#oldest ??= line.time;
    const expected = this.#last.seq + 1;
    const fits = chainHash(this.#key, this.#last.hash, line).equals(line.hash);
    if (line.seq !== expected) this.#takeAfterGap(line, expected, fits);
    else if (!fits) this.#fault(line.seq, altered(line.seq));
    if (this.#anchor instanceof Object && this.#anchor.seq === line.seq && !this.#anchor.hash.equals(line.hash)) {
      this.#fault(line.seq, `line ${line.seq} is not the one that audit-head names`);
    }
    this.#last = { seq: line.seq, hash: line.hash };
  }

  #takeAfterGap(line: StoredLine, expected: number, fits: boolean): void {
    // Retention may have let go of lines since the last page: then the chain goes on from its note.
    const released = this.#statements.released.get();
    if (released !== undefined && released.upto === line.seq - 1 && released.upto >= expected) {
      const start = this.#released();
      const followsIt = start !== null && chainHash(this.#key, start.hash, line).equals(line.hash);
      if (!followsIt) this.#fault(line.seq, altered(line.seq));
      return;
    }
    const last = line.seq - 1;
    const which = last === expected ? `line ${expected} is` : `lines ${expected} to ${last} are`;
    const why =
      fits && line.what === breakVerb ? ` (as line ${line.seq} of ${inWords(line.time)} says: ${line.why})` : '';
    this.#fault(expected, `${which} missing${why}`);
  }

  #judgeAnchor(): void {
    const { seq } = this.#last;
    const after = 'whether lines are missing at the end cannot be told';
    if (this.#anchor === null) this.#fault(seq, `audit-head is missing: ${after}`);
    else if (this.#anchor === 'unbelievable') {
      this.#fault(seq, `audit-head is damaged, or was not written with the key of this campus: ${after}`);
    } else if (this.#anchor.seq > seq) this.#fault(seq + 1, setBack(this.#anchor, { seq }));
  }

  #fault(seq: number, message: string): void {
    this.#faultCount += 1;
    if (this.#faults.length < mostFaults) this.#faults.push({ seq, message });
  }
}

function altered(seq: number): string {
  return `line ${seq} is not as it was written: altered, moved or put there`;
}

function closing(db: Db): Disposable & { readonly db: Db } {
  return { db, [Symbol.dispose]: () => db.close() };
}

function prepare(db: Db) {
  return {
    // Whatever type somebody has given it, a hash is bytes.
    page: db.prepare<[number, number], StoredLine>(
      `SELECT seq, time, who, origin AS "from", what, why, result, CAST(hash AS BLOB) AS hash
       FROM audit WHERE seq > ? ORDER BY seq LIMIT ?`,
    ),
    before: db.prepare<[number, number], number>('SELECT seq FROM audit WHERE seq <= ? ORDER BY seq LIMIT ?').pluck(),
    released: db.prepare<[], { upto: number; time: number; why: string; hash: Buffer; mac: Buffer }>(
      `SELECT upto, time, why, CAST(coalesce(hash, '') AS BLOB) AS hash, CAST(mac AS BLOB) AS mac
       FROM audit_released WHERE mac IS NOT NULL ORDER BY rowid DESC LIMIT 1`,
    ),
  };
}
