import type { Device, Point, WriteRule } from '#edge/domain/device.ts';
import { type PointRef, pointRef } from '#edge/domain/ids.ts';
import type { Command, CommandResult, Forbid, Hold, OutputState, Priority } from '#edge/domain/output.ts';
import { priorities } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import { arbitrate, barring } from '#edge/rules/priorities.ts';
import { Backoff } from '#edge/runtime/lifecycle.ts';
import type { Movement } from './movement.ts';
import { putHold } from './priority-array.ts';

/** A point that can be written, and the process whose driver writes it. */
export interface OutputPoint {
  readonly device: Device;
  readonly point: Point;
  readonly process: string;
}

/** What an output should be now, and by whom. */
export interface Want {
  readonly value: Value;
  readonly priority: Priority;
  /** The hold's owner; null for the fail-safe value. */
  readonly owner: string | null;
  readonly until: number | null;
  readonly reason: string;
}

export interface Flight {
  readonly command: Command;
  readonly output: Output;
  /** Monotonic ms; no answer by then is a failure. */
  readonly deadline: number;
}

/** One output's life: its holds, what follows from them, and how far the device is known to have followed. */
export interface Output {
  readonly ref: PointRef;
  readonly place: OutputPoint;
  readonly rule: WriteRule;
  holds: readonly Hold[];
  /** Values that safety rules forbid: said anew by the rules at every start. */
  forbids: readonly Forbid[];
  /** A hold on its way to the disk: recorded with the others, not yet acted on. */
  staged: Hold | null;
  want: Want | null;
  /** When `want` last changed its value or its holder, ms since epoch. */
  since: number;
  /** The device has not yet confirmed what is wanted. */
  pending: boolean;
  flight: Flight | null;
  /** Failures in a row. */
  failures: number;
  readonly backoff: Backoff;
  /** Monotonic ms before which nothing is tried again. */
  notBefore: number;
  lastSent: number;
  /** The `until` the driver was last told; undefined before the first command. */
  toldUntil: number | null | undefined;
  confirmed: OutputState['confirmed'];
  /** `unknown` after a start: an alarm of the last run may still be open. */
  alarmed: boolean | 'unknown';
  moved: Movement;
  /** Its turn among the loads of its zone after a power cut; monotonic ms. */
  turnAt: number;
  /** The last good reading of the point itself; null while there is none. */
  heard: Value | null;
  /** It is read to have what nobody told it: since then, and taken for true when that stands for so long. Monotonic ms. */
  contrary: { readonly value: Value; readonly due: number } | null;
  /** It was turned by hand where nobody wants anything; ms since epoch. */
  noted: OutputState['local'];
  /** Times in a row that it did not keep what it had confirmed, and when that was last seen; monotonic ms. */
  drifts: { readonly count: number; readonly last: number };
  /** What was last told of why it waits. */
  toldWait: string;
}

export function newOutput(place: OutputPoint, rule: WriteRule, moved: Movement): Output {
  return {
    ref: pointRef(place.device.id, place.point.name),
    place,
    rule,
    holds: [],
    forbids: [],
    staged: null,
    want: null,
    since: 0,
    pending: false,
    flight: null,
    failures: 0,
    backoff: new Backoff({ first: 1_000, cap: 60_000 }),
    notBefore: 0,
    lastSent: Number.NEGATIVE_INFINITY,
    toldUntil: undefined,
    confirmed: null,
    alarmed: 'unknown',
    moved,
    turnAt: Number.NEGATIVE_INFINITY,
    heard: null,
    contrary: null,
    noted: null,
    drifts: { count: 0, last: Number.NEGATIVE_INFINITY },
    toldWait: '',
  };
}

/** The complete array as it belongs on disk: a staged hold as it will be when it is acted on. */
export function recordedHolds({ holds, staged }: Output): readonly Hold[] {
  return staged === null ? holds : putHold(holds, staged).holds;
}

/**
 * What follows from the holds: the value of the strongest that no forbid bars, else the fail-safe value unless that is forbidden,
 * else nothing.
 */
export function wantedOf(output: Output, now: number): Want | null {
  const { holds, forbids, rule } = output;
  const { winner } = arbitrate(holds, now, forbids);
  if (winner !== null) {
    const { value, priority, owner, until, reason } = winner;
    return { value, priority, owner, until, reason };
  }
  if (rule.failSafe === 'keep' || barring(forbids, rule.failSafe, 'failsafe') !== null) return null;
  // The command that lets go is as urgent as the hold that went.
  const priority = output.want?.priority ?? priorities.schedule;
  const reason = 'nobody holds it: its fail-safe value';
  return { value: rule.failSafe, priority, owner: null, until: null, reason };
}

export function succeeded(outcome: CommandResult['outcome']): boolean {
  return outcome === 'done' || outcome === 'sent';
}
