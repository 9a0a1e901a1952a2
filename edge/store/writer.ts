import { closeSync, fdatasyncSync, openSync } from 'node:fs';
import type { Statement } from 'better-sqlite3';
import { systemClock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { ItemWriter, rowWriter, type Span, type UnkeptPoints } from './apply.ts';
import { AuditLog } from './audit-log.ts';
import type { CounterCorrection } from './batch.ts';
import { type SampleSource, sampleSource } from './blocks.ts';
import { copyDatabase } from './copy.ts';
import { correctedSamples, findCorrection } from './correct.ts';
import { type Db, databaseFile, lockFolder, openDatabase, storeError } from './database.ts';
import { Folder, type FoldResult, type Slice } from './fold.ts';
import { Outbox } from './outbox.ts';
import { allPoints, registerPoints, type StoredPoint } from './points.ts';
import type { Dropped, MaintenanceReport, StoreStats } from './report.ts';
import { restore } from './restore.ts';
import { Retention } from './retention.ts';
import { type DiskSpace, diskSpace } from './space.ts';
import { Summary } from './summary.ts';
import {
  type Calls,
  columns,
  type Group,
  type PointRegistration,
  type Restored,
  type ThreadOptions,
  type WireError,
} from './wire.ts';

/** On a power cut telemetry loses at most this, ms. */
export const unsyncedAtMost = 1_000;
/** Folding waits for the minute summaries, but not for ever. */
const summaryPatience = 15 * 60_000;
const largeWal = 1024 * 1024;
/** Between two looks at the free space, ms. */
const spaceLook = 10_000;
const squeezeRows = 100_000;
const probeBytes = 65_536;

type Failed = (WireError & { readonly batch: number })[];

/** The one connection that writes. Lives in the store's thread; every method blocks that thread and nobody else. */
export class Writer implements Disposable {
  readonly epoch: number;
  readonly movedAside: string | null;
  readonly #options: ThreadOptions;
  readonly #lock: Db;
  readonly #db: Db;
  readonly #source: SampleSource;
  readonly #outbox: Outbox;
  readonly #audit: AuditLog;
  readonly #items: ItemWriter;
  readonly #rows: ReturnType<typeof rowWriter>;
  readonly #summary: Summary;
  readonly #retention: Retention;
  readonly #folder: Folder;
  readonly #points: Map<number, StoredPoint>;
  readonly #unkept: UnkeptPoints;
  readonly #space: DiskSpace;
  readonly #countHot: Statement<[], number>;
  readonly #insertHot: Statement<[number, number, number, number, number, number | string | null]>;
  readonly #totalChanges: Statement<[], number>;
  readonly #probe: { readonly write: Statement<[number]>; readonly erase: Statement<[]> };
  /** Which ids of the hot log had arrived by when; ascending. */
  #marks: { time: number; id: number }[] = [];
  #hotRows: number;
  #lastHotId: number;
  #synchronous: 'NORMAL' | 'FULL' = 'FULL';
  #unsyncedSince: number | null = null;
  #walFd: number | null = null;
  #damaged = 0;
  #full = false;
  #lookedAtSpace = Number.NEGATIVE_INFINITY;
  #commits = { normal: 0, full: 0, flushes: 0 };
  #readings = 0;
  #longestCommit = 0;

  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#lock = lockFolder(options.folder);
    let opened: ReturnType<typeof openDatabase>;
    try {
      opened = openDatabase(options.folder, options.now, options.corrupt);
    } catch (error) {
      this.#lock.close();
      throw error;
    }
    const { db, epoch, movedAside } = opened;
    this.#db = db;
    this.epoch = epoch;
    this.movedAside = movedAside;
    const { tuning, retention } = options;
    if (tuning.maxPages !== undefined) db.pragma(`max_page_count = ${tuning.maxPages}`);
    this.#source = sampleSource(db, () => {
      this.#damaged += 1;
    });
    this.#space = diskSpace(db, options.folder);
    this.#outbox = new Outbox(db, epoch);
    this.#totalChanges = db.prepare<[], number>('SELECT total_changes()').pluck();
    this.#audit = this.#openAudit(options);
    this.#items = new ItemWriter(db, this.#outbox, this.#audit);
    this.#rows = rowWriter(db);
    this.#points = allPoints(db);
    this.#summary = new Summary(db, this.#source, this.#outbox, options.now);
    this.#folder = new Folder(db, this.#source, this.#points);
    this.#retention = new Retention(db, this.#outbox, this.#audit, this.#space, {
      retention,
      outboxBytes: tuning.outboxBytes ?? Math.min(256e6, retention.database / 4),
      keepAtLeast: tuning.keepAtLeast ?? 86_400_000,
    });
    this.#probe = {
      write: db.prepare("INSERT OR REPLACE INTO meta VALUES ('probe', zeroblob(?))"),
      erase: db.prepare("DELETE FROM meta WHERE key = 'probe'"),
    };
    this.#unkept = {
      has: (point) => this.#points.get(point)?.kept === false,
      keep: (point, sample) => this.#folder.keepLatest(point, sample),
    };
    this.#insertHot = db.prepare('INSERT INTO hot (id, point, t, d, code, value) VALUES (?, ?, ?, ?, ?, ?)');
    this.#countHot = db.prepare<[], number>('SELECT count(*) FROM hot').pluck();
    this.#hotRows = this.#countHot.get() ?? 0;
    this.#lastHotId = db.prepare<[], number | null>('SELECT max(id) FROM hot').pluck().get() ?? 0;
    this.#marks.push({ time: options.now, id: this.#lastHotId });
  }

  #openAudit({ folder, now }: ThreadOptions): AuditLog {
    try {
      return new AuditLog(this.#db, folder, now, (work) => this.#transact('FULL', work));
    } catch (error) {
      this.#db.close();
      this.#lock.close();
      throw error;
    }
  }

  register(points: readonly PointRegistration[]): readonly number[] {
    const ids = this.#transact('FULL', () => registerPoints(this.#db, points));
    this.#points.clear();
    for (const [id, point] of allPoints(this.#db)) this.#points.set(id, point);
    return ids;
  }

  restore(): Restored {
    return restore(this.#db, this.epoch);
  }

  /**
   * Writes many batches in one transaction. A batch that SQLite refuses fails alone; a full or broken disk fails all.
   * Readings alone are synced within a second, everything else before this returns.
   */
  commit(group: Group): Calls['commit']['result'] {
    const started = systemClock.monotonic();
    this.#lookAtSpace(group.now);
    const everyBatch = group.ends.map((_, i) => i);
    const failed: Failed = [];
    const wanted = this.#full ? everyBatch.filter((i) => !this.#refuseReadings(group, i, failed)) : everyBatch;
    try {
      if (wanted.length > 0) failed.push(...this.#write(group, wanted, 'makeRoom'));
    } catch (error) {
      const coded = storeError(error, 'cannot commit');
      if (coded.code !== 'STORE_REFUSED') throw coded;
      for (const batch of wanted) this.#writeAlone(group, batch, failed);
    }
    this.#longestCommit = Math.max(this.#longestCommit, systemClock.monotonic() - started);
    return { failed };
  }

  #refuseReadings(group: Group, batch: number, failed: Failed): boolean {
    const { rows } = spanOf(group, batch);
    if (rows[0] === rows[1]) return false;
    failed.push({ batch, code: 'STORE_FULL', message: 'the disk is full and nothing more may be dropped' });
    return true;
  }

  #writeAlone(group: Group, batch: number, failed: Failed): void {
    try {
      failed.push(...this.#write(group, [batch], 'makeRoom'));
    } catch (error) {
      const coded = storeError(error, 'cannot commit');
      if (coded.code !== 'STORE_REFUSED') throw coded;
      failed.push({ batch, code: coded.code, message: coded.message });
    }
  }

  /** Returns the batches that a document in them failed; the others are committed. */
  #write(group: Group, batches: readonly number[], whenFull: 'makeRoom' | 'fail'): Failed {
    const failed: Failed = [];
    const onlyReadings = batches.every((i) => {
      const { items } = spanOf(group, i);
      return items[0] === items[1];
    });
    const due = this.#unsyncedSince !== null && systemClock.monotonic() - this.#unsyncedSince >= unsyncedAtMost;
    let inserted = 0;
    try {
      this.#transact(onlyReadings && !due ? 'NORMAL' : 'FULL', () => {
        for (const batch of batches) inserted += this.#apply(group, batch, this.#lastHotId + 1 + inserted, failed);
      });
    } catch (error) {
      const isFull = storeError(error, '').code === 'STORE_FULL';
      if (!isFull || whenFull === 'fail' || !this.#makeRoom(group.now)) throw error;
      return this.#write(group, batches, 'fail');
    }
    this.#readings += batches.reduce((n, i) => n + spanOf(group, i).rows[1] - spanOf(group, i).rows[0], 0);
    this.#hotRows += inserted;
    this.#lastHotId += inserted;
    this.#mark(group.now);
    return failed;
  }

  /** Returns how many rows went into the hot log. What a document's revision forbids fails by itself: a savepoint for it. */
  #apply(group: Group, batch: number, nextId: number, failed: Failed): number {
    const { rows, items } = spanOf(group, batch);
    const own = group.items.slice(...items);
    const apply = () => {
      let inserted = this.#rows(group, rows, nextId, this.#unkept);
      this.#noteLate(group, rows);
      for (const item of own) {
        if (item.kind === 'correct') inserted += this.#correct(item.correction, nextId + inserted, group.now);
        else this.#items.write(item, group.now);
      }
      return inserted;
    };
    if (!own.some(({ kind }) => kind === 'document')) return apply();
    try {
      return this.#db.transaction(apply)();
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      failed.push({ batch, code: error.code, message: error.message });
      return 0;
    }
  }

  /** Minutes that the city was told already are told again where a counter's sample lies in them. */
  #noteLate(group: Group, [from, to]: Span): void {
    const { upTo } = this.#summary;
    if (upTo === null) return;
    const late = new Map<number, number>();
    for (let i = from; i < to; i++) {
      const t = group.rows[i * columns + 1] ?? 0;
      const id = group.rows[i * columns] ?? 0;
      if (t >= upTo || this.#points.get(id)?.rule.counter !== true) continue;
      late.set(id, Math.min(t, late.get(id) ?? t));
    }
    for (const [id, t] of late) this.#summary.reissueLate(id, t, group.now);
  }

  /** Returns how many samples history was given. */
  #correct(correction: CounterCorrection, nextId: number, now: number): number {
    const all = new Map([...this.#points.values()].map((point) => [point.ref, point]));
    const found = findCorrection(correction, (ref) => all.get(ref));
    if (found === null) return 0;
    const samples = correctedSamples(this.#source, found);
    samples.forEach(({ t, d, code, value }, i) => {
      this.#insertHot.run(nextId + i, found.point.id, t, d, code, value);
    });
    this.#summary.reissue(found.point.id, samples[0]?.t ?? correction.time, now);
    return samples.length;
  }

  #mark(now: number): void {
    const last = this.#marks.at(-1);
    const id = this.#lastHotId;
    if (last !== undefined && now - last.time < 1_000 && this.#marks.length > 1)
      this.#marks.splice(-1, 1, { ...last, id });
    else this.#marks.push({ time: now, id });
    if (this.#marks.length > 4_000) this.#marks = this.#marks.filter((_, i) => i % 2 === 1);
  }

  acknowledge(params: Calls['acknowledge']['params']): null {
    this.#transact('NORMAL', () => this.#outbox.acknowledge(params.lane, params.epoch, params.watermark));
    return null;
  }

  // What the city was told must not be forgotten by a power cut here: its sequence would be given to another row.
  preview(now: number): number {
    try {
      return this.#transact('FULL', () => this.#summary.preview(now, this.#points));
    } catch (error) {
      this.#summary.forget();
      throw error;
    }
  }

  summarise(upTo: number): number {
    try {
      return this.#transact('FULL', () => this.#summary.close(upTo, this.#points));
    } catch (error) {
      this.#summary.forget();
      throw error;
    }
  }

  /** Fold, retention, space, checkpoint. Yields between turns, so that commits go in between. */
  *maintain(now: number): Generator<void, MaintenanceReport> {
    const started = systemClock.monotonic();
    const folded = yield* this.#fold(now);
    const ms = Math.round(systemClock.monotonic() - started);
    const { dropped, freed, evicted, full } = yield* this.#retention.run(now, this.#slice());
    this.#full = full;
    this.#lookedAtSpace = now;
    this.#report('samples', 'of hours whose raw readings were dropped before', folded.tooLate, dropped, now);
    this.#report(
      'damaged blocks',
      'that could not be decoded and were replaced or skipped',
      this.#damaged,
      dropped,
      now,
    );
    this.#damaged = 0;
    if (this.#space.wal() > largeWal) this.#db.pragma('wal_checkpoint(PASSIVE)');
    const space = this.#space;
    return {
      folded: { rows: folded.rows, blocks: folded.blocks, ms },
      dropped: dropped satisfies Dropped[],
      outbox: { freed, evicted },
      databaseBytes: space.used(),
      freeBytes: space.free(),
      full,
    };
  }

  #report(what: string, why: string, rows: number, dropped: Dropped[], now: number): void {
    if (rows === 0) return;
    dropped.push({ what, why, rows });
    const row = [now, 'process:core', 'store', `fold drop ${what}`, why, `${rows} rows`] as const;
    this.#transact('FULL', () => this.#items.write({ kind: 'audit', row }, now));
  }

  *#fold(now: number): Generator<void, FoldResult> {
    const { foldAfter = 10 * 60_000, foldRows = 50_000 } = this.#options.tuning;
    // A wall clock that was set back must not keep rows in the log until it is there again.
    this.#marks = this.#marks.map((m) => ({ ...m, time: Math.min(m.time, now) }));
    const cut = Math.min(now, Math.max(this.#summary.upTo ?? 0, now - summaryPatience));
    const oldest = this.#marks[0]?.time ?? now;
    const mark = this.#marks.findLast((m) => m.time <= cut);
    const due = this.#hotRows >= foldRows || now - oldest >= foldAfter;
    if (!due || mark === undefined || mark.id === 0 || this.#hotRows === 0) return { rows: 0, blocks: 0, tooLate: 0 };
    const result = yield* this.#folder.run(mark.id, this.#slice());
    this.#hotRows -= result.rows;
    this.#marks = this.#marks.filter((m) => m.time > mark.time);
    if (this.#marks.length === 0) this.#marks.push({ time: now, id: this.#lastHotId });
    return result;
  }

  /** A turn of background work in a transaction of its own, as durable as telemetry is. */
  #slice(): Slice {
    const { slice = 25 } = this.#options.tuning;
    return {
      transaction: (work) => this.#transact('NORMAL', work),
      turn: () => {
        const end = systemClock.monotonic() + slice;
        return { over: () => systemClock.monotonic() >= end };
      },
    };
  }

  /**
   * The disk is full: let go of what the city has, then of the oldest, and fold the hot log into a tenth of its room; each
   * by itself, because each may find no room of its own. False when nothing was won.
   */
  #makeRoom(now: number): boolean {
    const before = this.#space.unusedPages();
    const squeeze = () => this.#folder.squeeze(squeezeRows);
    for (const step of [() => this.#outbox.freeAcknowledged(0), () => this.#retention.dropOne(now), squeeze]) {
      try {
        this.#transact('NORMAL', step);
      } catch (error) {
        if (storeError(error, '').code !== 'STORE_FULL') throw error;
      }
    }
    this.#hotRows = this.#countHot.get() ?? 0;
    if (this.#hotRows === 0) this.#marks = [{ time: now, id: this.#lastHotId }];
    return this.#space.unusedPages() > before;
  }

  /** After a fault: is there a disk again, and room on it for more than the next row? Throws if not. */
  probe(now: number): null {
    const test = () => {
      this.#transact('FULL', () => this.#probe.write.run(probeBytes));
      this.#transact('NORMAL', () => this.#probe.erase.run());
    };
    try {
      test();
    } catch (error) {
      if (storeError(error, '').code !== 'STORE_FULL' || !this.#makeRoom(now)) throw storeError(error, 'still failing');
      test();
    }
    return null;
  }

  /** Something committed is not on the disk yet. */
  get unsynced(): boolean {
    return this.#unsyncedSince !== null;
  }

  /** Syncs what commits at synchronous=NORMAL left to the operating system: the same fdatasync that FULL would have done. */
  flush(): void {
    if (this.#unsyncedSince === null) return;
    const wal = `${databaseFile(this.#options.folder)}-wal`;
    try {
      this.#walFd ??= openSync(wal, 'r');
      fdatasyncSync(this.#walFd);
    } catch (error) {
      throw new CodedError('STORE_IO', `cannot sync ${wal}: ${messageOf(error)}`, { cause: error });
    }
    this.#unsyncedSince = null;
    this.#commits.flushes += 1;
  }

  /** The audit has lines that its anchor does not know. */
  get isUnanchored(): boolean {
    return this.#audit.isUnanchored;
  }

  /** Remembers the newest line of the audit outside the database. Throws STORE_IO. */
  anchor(): void {
    if (!this.#audit.isUnanchored) return;
    this.flush();
    this.#audit.anchor();
  }

  /** A copy of the database as it is when this resolves, in a file that must not be there yet; commits go on meanwhile. Throws STORE_COPY. */
  async copy(file: string, signal: AbortSignal): Promise<Calls['copy']['result']> {
    // Before the copy: what it names is then in it.
    const head = this.#audit.anchorText();
    return { bytes: await copyDatabase(this.#db, file, signal), head };
  }

  stats(): Omit<StoreStats, 'batches' | 'queued' | 'restarts'> {
    const space = this.#space;
    return {
      commits: { ...this.#commits },
      readings: this.#readings,
      longestCommitMs: this.#longestCommit,
      hotRows: this.#hotRows,
      databaseBytes: space.used(),
      freeBytes: space.free(),
      inboxDropped: this.#items.inboxDropped,
      lanes: this.#outbox.states(),
    };
  }

  [Symbol.dispose](): void {
    if (this.#walFd !== null) closeSync(this.#walFd);
    this.#db.close();
    this.#lock.close();
  }

  #transact<T>(synchronous: 'NORMAL' | 'FULL', work: () => T): T {
    if (this.#synchronous !== synchronous) {
      this.#db.pragma(`synchronous = ${synchronous}`);
      this.#synchronous = synchronous;
    }
    const before = this.#totalChanges.get();
    const result = this.#db.transaction(work).immediate();
    if (synchronous === 'FULL') {
      this.#commits.full += 1;
      // A transaction that changed nothing (an event sent again) syncs nothing, whatever it asked for.
      if (this.#totalChanges.get() !== before) this.#unsyncedSince = null;
    } else {
      this.#commits.normal += 1;
      this.#unsyncedSince ??= systemClock.monotonic();
    }
    return result;
  }

  /** Below the floor, or over the cap: room is made at the next maintenance; until then only what is already refused is. */
  #lookAtSpace(now: number): void {
    if (this.#full && now - this.#lookedAtSpace >= spaceLook) {
      const { database, freeSpaceFloor } = this.#options.retention;
      const space = this.#space;
      this.#full = space.used() > database || space.free() < freeSpaceFloor;
      this.#lookedAtSpace = now;
    }
  }
}

function spanOf(group: Group, batch: number): { rows: Span; items: Span } {
  const [rowsFrom, itemsFrom] = group.ends[batch - 1] ?? [0, 0];
  const [rowsTo, itemsTo] = group.ends[batch] ?? [0, 0];
  return { rows: [rowsFrom, rowsTo], items: [itemsFrom, itemsTo] };
}
