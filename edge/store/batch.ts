import type { Alarm } from '#edge/domain/alarm.ts';
import type { AuditLine, InboxEntry } from '#edge/domain/audit.ts';
import type { Case } from '#edge/domain/case.ts';
import type { CounterStep } from '#edge/domain/counter.ts';
import type { BroadcastRecord, Delivery } from '#edge/domain/delivery.ts';
import type { Emergency } from '#edge/domain/emergency.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import type { Incident } from '#edge/domain/incident.ts';
import type { Notice } from '#edge/domain/notice.ts';
import type { Command, CommandResult, Hold, Request, RequestResult } from '#edge/domain/output.ts';
import type { PatrolCheckIn } from '#edge/domain/patrol.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { Clip } from '#edge/domain/recording.ts';
import type { RuleDecision } from '#edge/domain/rule.ts';
import type { LedgerLine } from '#edge/domain/school.ts';
import type { DocumentChange } from './documents.ts';

/**
 * What one turn of core wants on disk, in one transaction. A batch with anything but readings in it is durable
 * (synchronous=FULL) before `append` resolves; readings alone may lose the last second on a power cut, never on kill -9.
 */
export interface Batch {
  readonly readings?: readonly Reading[];
  /**
   * Nobody was promised anything (QoS 0): the readings may wait up to 1 s for others, which spares the flash a third of its
   * writes at 100 readings a second; a kill meanwhile loses them. Whatever arrives without this takes them with it.
   */
  readonly patient?: boolean;
  /** Also put into the outbox, lane `event`. The same id twice is stored once. */
  readonly events?: readonly CampusEvent[];
  /** Upserts by id; also put into the outbox, lane `alarm`. */
  readonly alarms?: readonly Alarm[];
  readonly requests?: readonly { readonly request: Request; readonly result: RequestResult }[];
  readonly commands?: readonly { readonly command: Command; readonly result: CommandResult }[];
  readonly audit?: readonly AuditLine[];
  readonly inbox?: readonly InboxEntry[];
  /** The complete array of holds of these outputs, as they now are (an empty array: nobody holds it). */
  readonly holds?: readonly { readonly ref: string; readonly holds: readonly Hold[] }[];
  /**
   * What people set. One whose revision is not the stored one fails its batch with DOCUMENT_CHANGED, one too many with
   * DOCUMENT_LIMIT; nobody else's. Their audit lines are written with them.
   */
  readonly documents?: readonly DocumentChange[];
  /** Keys of inbox lines that are let go. */
  readonly forgetInbox?: readonly string[];
  /** What rules decided, in the order in which they did. */
  readonly journal?: readonly RuleDecision[];
  /** Words on their way to people: upserts by id. */
  readonly notices?: readonly Notice[];
  /** Steps of counters as they now are: upserts by id. */
  readonly counters?: readonly CounterStep[];
  /** History that goes on from another course than was believed; visible at once, and told to the city again. */
  readonly corrections?: readonly CounterCorrection[];
  /** Upserts by id, all four. */
  readonly incidents?: readonly Incident[];
  readonly clips?: readonly Clip[];
  readonly patrols?: readonly PatrolCheckIn[];
  readonly cases?: readonly Case[];
  /** What became of things that the school day was to do: one a key; a closed line stays as it is. */
  readonly schoolLedger?: readonly LedgerLine[];
  /** What the arbiter of sound must know after a restart (`StoredSound` of rules/sound.ts), by item; null: it is over. */
  readonly sounds?: readonly { readonly id: string; readonly body: object | null }[];
  /** Items of broadcast as they now are, and each on each loudspeaker: upserts. */
  readonly broadcasts?: readonly BroadcastRecord[];
  readonly deliveries?: readonly Delivery[];
  /** Upserts by id. */
  readonly emergencies?: readonly Emergency[];
  /** Opaque JSON state that must survive a restart, by name (`rule:<instance>`, ...); null forgets it. */
  readonly state?: Readonly<Record<string, unknown>>;
  /** Put into the outbox, lane `health`. */
  readonly health?: readonly object[];
}

/** What accepting a counter step (or deciding it anew) does to history. */
export interface CounterCorrection {
  readonly ref: PointRef;
  /** The last believed value before the step, and what was counted after it that no reading shows. */
  readonly from: number;
  readonly between: number;
  /** When the new course began, and with which value. */
  readonly time: number;
  readonly to: number;
  /**
   * The stretch whose raw course becomes good, `from` <= t <= `to`, ms; null: only `between` changes.
   * Its rise begins at `to` above: the step itself is no consumption.
   */
  readonly course: { readonly from: number; readonly to: number } | null;
}

/** The lanes to the city, most urgent first. Each has its own sequence in the outbox. */
export const outboxLanes = ['alarm', 'event', 'agg1m', 'health'] as const;
export type OutboxLane = (typeof outboxLanes)[number];

/** One aggregate of one point over one bucket. */
export interface Aggregate {
  /** Bucket start, ms since epoch UTC. */
  readonly t: number;
  readonly min: number | null;
  readonly max: number | null;
  /** Time-weighted over the good seconds (sample and hold), so that a deadband does not bias it. */
  readonly mean: number | null;
  readonly last: number | null;
  /** Samples in the bucket. */
  readonly count: number;
  /** Seconds of the bucket in which the value was good and not stale. */
  readonly goodSeconds: number;
  /** Counters only: rise over the bucket, in the point's unit; null where it cannot be known. */
  readonly delta: number | null;
}
