import type { DeviceId, HappeningId, PointName, PointRef } from './ids.ts';
import type { Value } from './reading.ts';

/** Who holds an output; the lower number wins (BACnet priority array, five of its levels). */
export const priorities = { lifeSafety: 1, critical: 5, operator: 8, automation: 12, schedule: 15 } as const;
export type Priority = (typeof priorities)[keyof typeof priorities];

/** A guest's wish. Only `commands` turns it into a hold, and a hold into a command. */
export interface Request {
  readonly id: HappeningId;
  /** The authenticated client: `web`, `flows`, a device's name. Never taken from the payload. */
  readonly client: string;
  /** Id of the person behind the client, when there is one. */
  readonly person?: string;
  /** Who asks, as the audit names him (`person:<id>`, `token:<id>`), and his address; absent: the client itself. */
  readonly who?: string;
  readonly from?: string;
  readonly ref: PointRef;
  /** null relinquishes the client's hold. */
  readonly value: Value | null;
  readonly priority: Priority;
  /** How long the hold lasts; at most 86,400. */
  readonly seconds: number;
  readonly reason: string;
  readonly time: number;
  /** Where behind the client it came from: `flow:<tab>/<node>`, each at most 60 characters. Its audit lines and its hold say so. */
  readonly origin?: string;
}

export interface RequestResult {
  readonly id: HappeningId;
  readonly accepted: boolean;
  /** In a word: `holding`, `waiting` (a stronger hold is on top), `relinquished`, or why not: `unknown-point`,
   * `not-writable`, `out-of-range`, `forbidden-priority`, `forbidden-point`, `bad-request`, `busy`, `too-many-holds`,
   * `not-recorded` (the disk did not take it, so nothing was done). */
  readonly outcome: string;
  /** A sentence for people, naming what and where. */
  readonly message: string;
}

/** One layer of an output's priority array. */
export interface Hold {
  readonly ref: PointRef;
  readonly priority: Priority;
  /**
   * `interlock:<rule>` (safety), `rule:<rule>` (other rules; both may end in `@<place>`), `request:<client>`, `schedule:<id>`,
   * `local` (somebody turned the switch on the device itself); one hold per owner and output.
   */
  readonly owner: string;
  readonly value: Value;
  readonly reason: string;
  readonly since: number;
  /** ms since epoch; null holds until relinquished (safety rules only). */
  readonly until: number | null;
  readonly origin?: string;
  /** Of a loudspeaker: the rank of the sound's class (broadcast.ts), 0 strongest. It decides within a priority; the array says how. */
  readonly rank?: number;
}

/** A permissive that is not given: no hold weaker than `priority` may give the output this value while it stands. */
export interface Forbid {
  readonly ref: PointRef;
  readonly priority: Priority;
  readonly owner: string;
  readonly value: Value;
  readonly reason: string;
  readonly since: number;
}

/**
 * Of every device that a driver process runs: a command that sets it to `reopen` drops its session and opens it anew.
 * No profile may name a value like this.
 */
export const sessionPoint = 'driver-session';

/** Sent to exactly one driver process; lives for seconds: never retained, never queued, never replayed. */
export interface Command {
  readonly id: HappeningId;
  readonly device: DeviceId;
  readonly point: PointName;
  readonly value: Value;
  readonly priority: Priority;
  readonly issued: number;
  /** A driver that sees it later than this answers `expired` and does nothing. */
  readonly expires: number;
  /** What the hold behind it says: how long the driver may keep the output without hearing again; null = until told. */
  readonly until: number | null;
}

export interface CommandResult {
  readonly id: HappeningId;
  readonly device: DeviceId;
  readonly point: PointName;
  /** done = written and read back; sent = no read-back exists (sound); the rest did not happen or is not proved. */
  readonly outcome: 'done' | 'sent' | 'mismatch' | 'expired' | 'failed' | 'refused';
  /** What was read back. */
  readonly value?: Value;
  readonly message?: string;
  readonly time: number;
}

/** Retained on v1/out/output/<device>/<point>: the answer to "why?". */
export interface OutputState {
  readonly ref: PointRef;
  /** What it should be now; null when nobody holds it and it keeps what it has. */
  readonly value: Value | null;
  readonly holder: string | null;
  readonly priority: Priority | null;
  readonly reason: string;
  readonly since: number;
  readonly until: number | null;
  /** Every hold, strongest first; the holder is the first whose value is not forbidden. */
  readonly stack: readonly Hold[];
  /** Last read-back or acknowledgement. */
  readonly confirmed: {
    readonly value: Value | null;
    readonly outcome: CommandResult['outcome'];
    readonly time: number;
  } | null;
  /** What it will be when the present hold ends, and when; null while nothing is known to change by itself. */
  readonly next: { readonly value: Value | null; readonly holder: string | null; readonly at: number } | null;
  /** Why what is wanted has not been sent yet: a minimum time, a rate limit, its turn in a staggered return; null: nothing waits. */
  readonly waiting: {
    readonly for: 'minimum-on' | 'minimum-off' | 'rate' | 'stagger' | 'device';
    readonly until: number | null;
  } | null;
  /** Values that a safety rule forbids now. */
  readonly forbidden: readonly Forbid[];
  /** Somebody turned it by hand on the device; the hold `local` stands for it. */
  readonly local: { readonly value: Value; readonly since: number } | null;
}
