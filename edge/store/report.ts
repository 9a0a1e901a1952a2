import type { OutboxLane } from './batch.ts';

/** What one `maintain` did. */
export interface MaintenanceReport {
  /** Samples moved from the hot log into blocks. */
  readonly folded: { readonly rows: number; readonly blocks: number; readonly ms: number };
  readonly dropped: readonly Dropped[];
  readonly outbox: { readonly freed: number; readonly evicted: number };
  readonly databaseBytes: number;
  readonly freeBytes: number;
  /** Nothing more may be dropped and space is still short: readings are refused (STORE_FULL). */
  readonly full: boolean;
}

/** One deletion by retention; each is an audit line too. */
export interface Dropped {
  readonly what: string;
  readonly why: string;
  readonly rows: number;
}

export interface LaneState {
  readonly lane: OutboxLane;
  readonly epoch: number;
  /** Oldest sequence still held; head + 1 when none is. */
  readonly min: number;
  readonly head: number;
  readonly watermark: number;
}

export interface StoreStats {
  /** Transactions since the thread started, by PRAGMA synchronous; flushes are fsyncs between them. */
  readonly commits: { readonly normal: number; readonly full: number; readonly flushes: number };
  readonly readings: number;
  /** Appended batches since the store was opened: committed, refused for lack of room, failed. */
  readonly batches: { readonly committed: number; readonly overloaded: number; readonly failed: number };
  readonly queued: { readonly rows: number; readonly bytes: number };
  readonly longestCommitMs: number;
  readonly restarts: number;
  readonly hotRows: number;
  /** Pages in use, and the write-ahead log. */
  readonly databaseBytes: number;
  readonly freeBytes: number;
  /** Inbox keys that were let go because there were too many. */
  readonly inboxDropped: number;
  readonly lanes: readonly (LaneState & { readonly bytes: number })[];
}
