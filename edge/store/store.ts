import { type Clock, systemClock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { Backoff, delay, within } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Batch, OutboxLane } from './batch.ts';
import { FaultBoard, type StoreFault } from './faults.ts';
import { StoreLink } from './link.ts';
import { CommitPace } from './pace.ts';
import { PendingGroup } from './pack.ts';
import type { MaintenanceReport, StoreStats } from './report.ts';
import type { PointRegistration, Restored, StoreRetention, ThreadOptions, ThreadTuning } from './wire.ts';

export interface StoreTuning extends ThreadTuning {
  /** Bounds of what may wait for its transaction. */
  readonly queueRows?: number;
  readonly queueBytes?: number;
  /**
   * Groups of fewer than 64 readings and nothing else are committed at once while the stock lasts (200) and then so many times
   * a second (4): what a reading may wait for its acknowledgement, against what the flash must bear.
   */
  readonly commitsPerSecond?: number;
  readonly commitStock?: number;
  /** A commit that takes longer is given up on (it may still happen), ms. */
  readonly patience?: number;
  readonly backoff?: { readonly first: number; readonly cap: number };
  readonly threadHeapMb?: number;
  /** Negative control for a chaos test, never for a campus: `append` resolves before anything is written. */
  readonly acknowledgeBeforeCommit?: boolean;
}

export interface StoreOptions {
  /** The data directory; must exist. */
  readonly folder: string;
  readonly clock?: Clock;
  readonly log: Log;
  readonly retention: StoreRetention;
  readonly tuning?: StoreTuning;
}

/** The campus's durable truth. One per folder; it writes from a thread of its own. All times are ms since epoch UTC. */
export interface Store extends AsyncDisposable {
  /** False while a fault keeps everything from being written. */
  readonly ready: boolean;
  readonly epoch: number;
  /**
   * Resolves when the batch is committed (batch.ts says how durably). Rejects, and then nothing of the batch counts as
   * stored: STORE_OVERLOADED (too much waits), STORE_FULL, STORE_IO, STORE_CORRUPT, STORE_BUSY, STORE_CRASHED, STORE_TIMEOUT
   * (the disk; sending again later helps), STORE_UNKNOWN_POINT, STORE_BAD_READING, STORE_REFUSED (the batch; it does not),
   * STORE_CLOSED.
   */
  append(batch: Batch): Promise<void>;
  /** Makes points known. Needed before their first reading; again after a change. */
  registerPoints(points: readonly PointRegistration[]): Promise<void>;
  restore(): Promise<Restored>;
  /** The city has everything up to `watermark`. Rejects with STORE_EPOCH or STORE_WATERMARK for what cannot be. */
  outboxAcknowledge(lane: OutboxLane, epoch: number, watermark: number): Promise<void>;
  /**
   * Closes every whole minute before `upTo` that is not yet closed, at most 120 a call: one row each in lane agg1m. Call it
   * a few seconds after the minute, so that its last samples are in. Returns rows written.
   */
  summarise(upTo: number): Promise<number>;
  /**
   * Tells the city the minute that runs now, as far as it went; its whole row follows when it is closed. Call it once, some
   * seconds after the start. Returns rows written.
   */
  preview(now: number): Promise<number>;
  /** Call it about once a minute. Folds the hot log into blocks, applies retention, frees space. Lets appends pass. */
  maintain(now: number): Promise<MaintenanceReport>;
  stats(): Promise<StoreStats>;
  /**
   * Copies the database, consistent as of when it resolves, into a file that must not be there yet (made 0600); appends go on
   * meanwhile. `head` is the anchor of the audit (the file `audit-head`) that fits the copy. Rejects with STORE_COPY.
   */
  copy(file: string): Promise<{ readonly bytes: number; readonly head: string }>;
  /** Told of every fault when it begins and ends; of those that stand, at once. Returns the way to stop it. */
  onFault(listener: (fault: StoreFault) => void): () => void;
}

/** Opens the store. Rejects with STORE_NEWER, STORE_LOCKED, STORE_IO, STORE_BUSY. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const store = new ThreadedStore(options);
  await store.open();
  return store;
}

/** Faults of the disk or of the thread: they say nothing about the batch, and everything waits until they are over. */
const outages = ['STORE_FULL', 'STORE_IO', 'STORE_CORRUPT', 'STORE_BUSY', 'STORE_CRASHED', 'STORE_TIMEOUT'];
/** So many rows are worth a commit's pages. */
const worthwhileRows = 64;
/** So many that nobody waits for are not held back any longer. */
const patientRows = 2_000;
const openPatience = 60_000;
const callPatience = 120_000;
const closePatience = 10_000;
/** GBs on a slow card. */
const copyPatience = 60 * 60_000;
/** So many reports of a corrupt database in a row, each by a fresh connection, and it is moved aside. */
const corruptReports = 3;
const corruptWindow = 600_000;

class ThreadedStore implements Store {
  readonly #options: StoreOptions;
  readonly #clock: Clock;
  readonly #tuning: StoreTuning;
  readonly #faults: FaultBoard;
  readonly #backoff: Backoff;
  readonly #closing = new AbortController();
  readonly #registered = new Map<string, PointRegistration>();
  readonly #pointIds = new Map<string, number>();
  readonly #pace: CommitPace;
  #link: StoreLink | null = null;
  #pending = new PendingGroup();
  #inFlight: PendingGroup | null = null;
  #outage: CodedError | null = null;
  #recovery: Promise<void> | null = null;
  #corrupt = 0;
  #corruptAt = 0;
  #restarts = 0;
  #epoch = 0;
  #committed = 0;
  #overloaded = 0;
  #failed = 0;
  #idle: (() => void)[] = [];
  #patient = true;
  #draining = false;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#tuning = options.tuning ?? {};
    this.#faults = new FaultBoard(this.#clock, options.log);
    const { commitsPerSecond = 4, commitStock = 200 } = this.#tuning;
    this.#pace = new CommitPace(commitsPerSecond, commitStock, () => this.#pump());
    this.#backoff = new Backoff(this.#tuning.backoff ?? { first: 500, cap: 30_000 });
  }

  get ready(): boolean {
    return this.#link !== null && this.#outage === null;
  }

  get epoch(): number {
    return this.#epoch;
  }

  onFault(listener: (fault: StoreFault) => void): () => void {
    return this.#faults.subscribe(listener);
  }

  async open(): Promise<void> {
    const options: ThreadOptions = {
      folder: this.#options.folder,
      now: this.#clock.now(),
      corrupt: this.#corrupt >= corruptReports ? 'move-aside' : 'trust',
      retention: this.#options.retention,
      tuning: this.#tuning,
    };
    const link = new StoreLink(options, this.#tuning.threadHeapMb ?? 256, {
      ended: (error) => {
        if (this.#link === link) this.#link = null;
        if (!this.#closing.signal.aborted) this.#fail(error);
      },
      fault: ({ code, message, active }) => {
        // The anchor of the audit is a file beside the database, which goes on without it.
        if (active && code === 'STORE_ANCHOR') this.#faults.raise(code, message);
        else if (active) this.#fail(new CodedError(code, message));
        else this.#faults.clear(code);
      },
    });
    try {
      const { epoch, movedAside } = await within(openPatience, 'opening the store', link.opened);
      this.#epoch = epoch;
      if (movedAside !== null) {
        this.#corrupt = 0;
        const message = `the database could not be read and was moved to ${movedAside}; a new one (epoch ${epoch}) begins`;
        this.#faults.raise('STORE_CORRUPT', message);
      }
      this.#link = link;
      await this.#register([...this.#registered.values()]);
    } catch (error) {
      this.#link = null;
      await link.terminate();
      throw error;
    }
  }

  append(batch: Batch): Promise<void> {
    return new Promise((resolve, reject) => {
      const refused = this.#whyNot();
      if (refused !== null) return reject(refused);
      const early = this.#tuning.acknowledgeBeforeCommit === true;
      this.#pending.add(batch, this.#pointIds, early ? { resolve: () => {}, reject: () => {} } : { resolve, reject });
      if (early) resolve();
      this.#pump();
    });
  }

  #whyNot(): CodedError | null {
    if (this.#closing.signal.aborted) return new CodedError('STORE_CLOSED', 'the store is closed');
    if (this.#outage !== null) {
      this.#failed += 1;
      return new CodedError(this.#outage.code, `not written: ${this.#outage.message}`);
    }
    const { queueRows = 200_000, queueBytes = 32 * 1024 * 1024 } = this.#tuning;
    const { rows, bytes } = this.#queued();
    if (rows < queueRows && bytes < queueBytes) return null;
    this.#overloaded += 1;
    return new CodedError('STORE_OVERLOADED', `${rows} readings (${bytes} bytes) wait to be written already`);
  }

  #queued(): { rows: number; bytes: number } {
    const { rows, bytes } = this.#pending;
    return { rows: rows + (this.#inFlight?.rows ?? 0), bytes: bytes + (this.#inFlight?.bytes ?? 0) };
  }

  #pump(): void {
    const link = this.#link;
    if (this.#inFlight !== null || this.#pending.waiters.length === 0 || link === null || this.#outage !== null) return;
    const group = this.#pending;
    const enough = group.patient ? patientRows : worthwhileRows;
    const soon = group.urgent || group.rows >= enough || this.#draining;
    if (!soon && !(group.patient ? this.#pace.rested(group) : this.#pace.take())) return;
    this.#inFlight = group;
    this.#pending = new PendingGroup();
    void this.#commit(link, group);
  }

  async #commit(link: StoreLink, group: PendingGroup): Promise<void> {
    try {
      const message = group.toGroup(this.#clock.now());
      const patience = this.#tuning.patience ?? 30_000;
      const { failed } = await link.call('commit', message, patience, [message.rows.buffer]);
      const errors = new Map(failed.map((f) => [f.batch, new CodedError(f.code, f.message)]));
      const full = failed.find((f) => f.code === 'STORE_FULL');
      if (full !== undefined) this.#faults.raise('STORE_FULL', full.message);
      group.waiters.forEach((waiter, i) => {
        const error = errors.get(i);
        if (error === undefined) waiter.resolve();
        else waiter.reject(error);
      });
      this.#committed += group.waiters.length - failed.length;
      this.#failed += failed.length;
    } catch (error) {
      this.#reject(group, asCoded(error));
      this.#fail(asCoded(error));
    }
    this.#inFlight = null;
    for (const wake of this.#idle.splice(0)) wake();
    this.#pump();
  }

  #reject(group: PendingGroup, error: CodedError): void {
    this.#failed += group.waiters.length;
    for (const waiter of group.waiters) waiter.reject(error);
  }

  /** Begins an outage: whatever waits is refused, and recovery tries until it succeeds. */
  #fail(error: CodedError): void {
    this.#countCorrupt(error);
    this.#outage ??= error;
    this.#faults.raise(error.code, error.message);
    const waiting = this.#pending;
    this.#pending = new PendingGroup();
    this.#reject(waiting, error);
    this.#recovery ??= this.#recover().finally(() => {
      this.#recovery = null;
    });
  }

  async #recover(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      await delay(this.#backoff.next(), this.#closing.signal);
      if (this.#closing.signal.aborted) return;
      try {
        await this.#restart();
        await this.#require().call('probe', { now: this.#clock.now() }, callPatience);
        this.#backoff.reset();
        this.#outage = null;
        for (const code of outages) if (code !== 'STORE_CORRUPT' || this.#corrupt > 0) this.#faults.clear(code);
        return;
      } catch (error) {
        const coded = asCoded(error);
        this.#countCorrupt(coded);
        this.#outage = coded;
        this.#faults.raise(coded.code, coded.message);
      }
    }
  }

  #countCorrupt(error: CodedError): void {
    if (error.code !== 'STORE_CORRUPT') return;
    const now = this.#clock.monotonic();
    this.#corrupt = now - this.#corruptAt > corruptWindow ? 1 : this.#corrupt + 1;
    this.#corruptAt = now;
  }

  /** A new thread where the old one is gone, hangs, or holds a connection that calls its database corrupt. */
  async #restart(): Promise<void> {
    const hangs = this.#outage?.code === 'STORE_TIMEOUT' || this.#outage?.code === 'STORE_CORRUPT';
    const old = this.#link;
    if (old !== null && !hangs) return;
    this.#link = null;
    // A thread inside a system call that hangs cannot be ended: then its lock still stands, and the next try says so.
    if (old !== null) await within(closePatience, 'ending the store thread', old.terminate());
    this.#restarts += 1;
    await this.open();
  }

  #require(): StoreLink {
    if (this.#link === null) throw this.#outage ?? new CodedError('STORE_CLOSED', 'the store is closed');
    return this.#link;
  }

  async registerPoints(points: readonly PointRegistration[]): Promise<void> {
    for (const point of points) this.#registered.set(point.ref, point);
    await this.#register(points);
  }

  async #register(points: readonly PointRegistration[]): Promise<void> {
    if (points.length === 0) return;
    const ids = await this.#require().call('register', points, callPatience);
    points.forEach((point, i) => {
      this.#pointIds.set(point.ref, ids[i] ?? 0);
    });
  }

  restore(): Promise<Restored> {
    return this.#call((link) => link.call('restore', null, callPatience));
  }

  async outboxAcknowledge(lane: OutboxLane, epoch: number, watermark: number): Promise<void> {
    await this.#call((link) => link.call('acknowledge', { lane, epoch, watermark }, callPatience));
  }

  preview(now: number): Promise<number> {
    return this.#call((link) => link.call('preview', { now }, callPatience));
  }

  summarise(upTo: number): Promise<number> {
    return this.#call((link) => link.call('summarise', { upTo }, callPatience));
  }

  async maintain(now: number): Promise<MaintenanceReport> {
    // As long as it takes: a first fold or a large deletion runs for minutes between the appends.
    const report = await this.#call((link) => link.call('maintain', { now }, 60 * 60_000));
    for (const { what, why, rows } of report.dropped)
      this.#options.log.info({ what, why, rows }, 'retention dropped data');
    if (report.full)
      this.#faults.raise('STORE_FULL', 'space is short and nothing more may be dropped: readings are refused');
    else if (this.#outage === null) this.#faults.clear('STORE_FULL');
    return report;
  }

  copy(file: string): Promise<{ readonly bytes: number; readonly head: string }> {
    return this.#call((link) => link.call('copy', { file }, copyPatience));
  }

  async stats(): Promise<StoreStats> {
    const stats = await this.#call((link) => link.call('stats', null, callPatience));
    const batches = { committed: this.#committed, overloaded: this.#overloaded, failed: this.#failed };
    return { ...stats, batches, queued: this.#queued(), restarts: this.#restarts };
  }

  /** A disk fault met in any other call is an outage as well. */
  async #call<T>(run: (link: StoreLink) => Promise<T>): Promise<T> {
    try {
      return await run(this.#require());
    } catch (error) {
      const coded = asCoded(error);
      if (this.#outage === null && outages.includes(coded.code) && !this.#closing.signal.aborted) this.#fail(coded);
      throw coded;
    }
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    this.#pump();
    const enough = new AbortController();
    const late = delay(closePatience, enough.signal);
    while ((this.#inFlight !== null || this.#pending.waiters.length > 0) && this.#outage === null && this.#patient) {
      const idle = new Promise<void>((resolve) => this.#idle.push(resolve));
      await Promise.race([
        idle,
        late.then(() => {
          this.#patient = false;
        }),
      ]);
    }
    enough.abort();
  }

  /** Writes what waits, then closes the database. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#drain();
    this.#closing.abort();
    this.#pace[Symbol.dispose]();
    this.#reject(this.#pending, new CodedError('STORE_CLOSED', 'the store was closed before it could write'));
    await this.#recovery;
    const link = this.#link;
    this.#link = null;
    if (link === null) return;
    try {
      await link.call('close', null, closePatience);
    } catch (error) {
      this.#options.log.warn({ error: messageOf(error) }, 'the store did not close cleanly');
    }
    await link.terminate();
  }
}

function asCoded(error: unknown): CodedError {
  return error instanceof CodedError ? error : new CodedError('STORE_CRASHED', messageOf(error), { cause: error });
}
