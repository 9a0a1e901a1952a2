import type { BroadcastItem, Proof } from './broadcast.ts';
import type { HappeningId, PointRef } from './ids.ts';

/*
 * Proof of delivery: of each item, on each loudspeaker, what was asked, what is known to have been heard, and what nobody knows. Times are
 * ms since epoch.
 */

/**
 * `waiting`: not its turn yet. `playing`: told, and nothing speaks against it. `played`: over, and proved as far as this loudspeaker can.
 * `missed`: it was to sound here and did not. `cut`: something stronger took the word, and it did not come back. `withheld`: it was not to
 * sound here after all (a quiet room, stopped or given up before its turn). `unknown`: over, and nothing is known.
 */
export const deliveryStates = ['waiting', 'playing', 'played', 'missed', 'cut', 'withheld', 'unknown'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** One item on one loudspeaker. */
export interface Delivery {
  readonly item: HappeningId;
  readonly output: PointRef;
  readonly state: DeliveryState;
  /** The most that was proved while it played. */
  readonly proof: Proof;
  /** In the words of the driver, or of whatever listened, e.g. `SIP 200`, `RTCP receiver report`, `sound level sensor hall/noise`. */
  readonly evidence: string;
  /** When it was first told here; null: it never was. */
  readonly begun: number | null;
  readonly ended: number | null;
  /** ms of it that were on the air here, as far as is known. */
  readonly heard: number;
  /** ms of it that the loudspeaker counted itself; absent: it counts nothing. Its last seconds come with the next sound. */
  readonly counted?: number;
  /** How late it began after it was told, ms; null: nothing says when it began. */
  readonly delay: number | null;
  /** Why it was missed, cut or withheld; '' otherwise. */
  readonly reason: string;
}

/** One item as a whole: what the day's report is made of. */
export interface BroadcastRecord {
  readonly item: BroadcastItem;
  /** null: it waits, plays, or is cut. */
  readonly over: number | null;
  /** Loudspeakers of each state, at its end or now. */
  readonly counts: Readonly<Partial<Record<DeliveryState, number>>>;
}

/**
 * Does a loudspeaker's own count of a day agree with ours? What it says of the last seconds of each sound comes too late for it, and a
 * tenth may be lost on the way.
 */
export function countersAgree(theirs: number, ours: number, sounds: number): boolean {
  const late = Math.max(lastReport * sounds, leastDifference);
  return theirs <= ours * 1.1 + leastDifference && theirs >= ours * 0.9 - late;
}
/** Receivers report each 5 s (RFC 3550 section 6.2), give or take a half; ms. */
const lastReport = 7_500;
const leastDifference = 3_000;
