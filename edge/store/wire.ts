import type { Alarm } from '#edge/domain/alarm.ts';
import type { CounterStep } from '#edge/domain/counter.ts';
import type { ValueType } from '#edge/domain/device.ts';
import type { Hold } from '#edge/domain/output.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { Site } from '#edge/runtime/site.ts';
import type { AuditRow } from './audit-log.ts';
import type { CounterCorrection, OutboxLane } from './batch.ts';
import type { DocumentChange } from './documents.ts';
import type { GatehouseItem } from './gatehouse-items.ts';
import type { MaintenanceReport, StoreStats } from './report.ts';
import type { SchoolLedgerItem } from './school-ledger-items.ts';
import type { SoundItem } from './sound-items.ts';

/*
 * What core's loop and the store's thread say to each other. Readings cross as one transferred Float64Array per group (0.1
 * us a row on core's side against 2.1 us for inserting inline); everything else as JSON text, made when `append` is called:
 * a value that cannot be written then fails its own batch at once, and nobody else's.
 */

/** Doubles per reading: point, t, d, code, value (for text: index into `texts`). */
export const columns = 5;

export type Item =
  | { readonly kind: 'event'; readonly id: string; readonly time: number; readonly body: string }
  | {
      readonly kind: 'alarm';
      readonly id: string;
      readonly raised: number;
      readonly open: number;
      readonly body: string;
    }
  | { readonly kind: 'request' | 'command'; readonly id: string; readonly time: number; readonly body: string }
  | { readonly kind: 'audit'; readonly row: AuditRow }
  /** key, kind, client, topic, message, excerpt, time */
  | { readonly kind: 'inbox'; readonly row: readonly [string, string, string, string, string, string, number] }
  /** body null: nobody holds it. */
  | { readonly kind: 'hold'; readonly ref: string; readonly body: string | null }
  /** body null: forgotten. */
  | { readonly kind: 'state'; readonly name: string; readonly body: string | null }
  /** time, rule, instance, version, shadow, body */
  | { readonly kind: 'journal'; readonly row: readonly [number, string, string, number, number, string] }
  /** id, created, state, about, body */
  | { readonly kind: 'notice'; readonly row: readonly [string, number, string, string, string] }
  /** id, ref, state, time, body */
  | { readonly kind: 'counter'; readonly row: readonly [string, string, string, number, string] }
  | GatehouseItem
  | SchoolLedgerItem
  | SoundItem
  | { readonly kind: 'correct'; readonly correction: CounterCorrection; readonly body: null }
  | { readonly kind: 'forget'; readonly body: string }
  | { readonly kind: 'document'; readonly change: Omit<DocumentChange, 'body'>; readonly body: string | null }
  | { readonly kind: 'health'; readonly body: string };

/** Many batches, one transaction. */
export interface Group {
  readonly now: number;
  readonly rows: Float64Array;
  readonly texts: readonly string[];
  readonly items: readonly Item[];
  /** Per batch: where its rows and its items end. */
  readonly ends: readonly (readonly [rows: number, items: number])[];
}

export interface WireError {
  readonly code: string;
  readonly message: string;
}

export interface PointRegistration {
  readonly ref: string;
  readonly type: ValueType;
  readonly unit: string;
  /** ms; 0 = never. */
  readonly staleAfter: number;
  readonly counter: boolean;
  readonly wrap?: number;
  /** false: only the latest value is kept, no history and no summaries. Default true. */
  readonly kept?: boolean;
  /** What a meter showed while its counter was not believed (`rawRefOf`): history, but no summaries. Default false. */
  readonly raw?: boolean;
}

/** What core starts again with. */
export interface Restored {
  readonly latest: Reading[];
  /** Those that are not `normal`. */
  readonly alarms: Alarm[];
  readonly holds: Hold[];
  /** What was last believed of each counter. */
  readonly good: { readonly ref: string; readonly value: number; readonly time: number }[];
  /** Steps that are open, and of each counter the newest rejected one; with the last that the meter showed. */
  readonly counterSteps: CounterStep[];
  readonly state: Record<string, unknown>;
  readonly epoch: number;
}

/** What core asks of the thread, and what it answers. */
export interface Calls {
  commit: { params: Group; result: { failed: readonly (WireError & { readonly batch: number })[] } };
  register: { params: readonly PointRegistration[]; result: readonly number[] };
  restore: { params: null; result: Restored };
  acknowledge: { params: { lane: OutboxLane; epoch: number; watermark: number }; result: null };
  summarise: { params: { upTo: number }; result: number };
  preview: { params: { now: number }; result: number };
  maintain: { params: { now: number }; result: MaintenanceReport };
  /** `head`: the anchor that fits the copy. */
  copy: { params: { file: string }; result: { bytes: number; head: string } };
  probe: { params: { now: number }; result: null };
  stats: { params: null; result: StoreStats };
  close: { params: null; result: null };
}
export type Method = keyof Calls;

export interface Call<M extends Method = Method> {
  readonly id: number;
  readonly method: M;
  readonly params: Calls[M]['params'];
}

export type FromThread =
  | { readonly kind: 'opened'; readonly epoch: number; readonly movedAside: string | null }
  | { readonly kind: 'refused'; readonly error: WireError }
  | { readonly kind: 'answer'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: WireError }
  | { readonly kind: 'fault'; readonly code: string; readonly message: string; readonly active: boolean };

/** Ages and room, ms and bytes. */
export type StoreRetention = Site['retention'] & {
  /** Incidents that are over, and what was taken out of them and let go; default: as long as the audit. */
  readonly incidents?: number;
};

export interface ThreadTuning {
  /** PRAGMA max_page_count: a disk that is full, on demand. */
  readonly maxPages?: number;
  /** Samples leave the hot log for blocks when they are this old, ms, or this many. */
  readonly foldAfter?: number;
  readonly foldRows?: number;
  /** Longest turn of background work, ms: what a commit may have to wait. */
  readonly slice?: number;
  readonly outboxBytes?: number;
  /** Readings younger than this are never dropped for space, ms. */
  readonly keepAtLeast?: number;
}

export interface ThreadOptions {
  readonly folder: string;
  readonly now: number;
  readonly corrupt: 'trust' | 'move-aside';
  readonly retention: StoreRetention;
  readonly tuning: ThreadTuning;
}
