import type { Device, Point, WriteRule } from '#edge/domain/device.ts';
import { type PointRef, pointRef } from '#edge/domain/ids.ts';
import type { Command, CommandResult, Hold, OutputState, Priority } from '#edge/domain/output.ts';
import { priorities } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import { arbitrate } from '#edge/rules/priorities.ts';
import { clip } from '#edge/rules/words.ts';
import { Backoff } from '#edge/runtime/lifecycle.ts';
import { maxReason } from './check-request.ts';
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
}

export function newOutput(place: OutputPoint, rule: WriteRule): Output {
  return {
    ref: pointRef(place.device.id, place.point.name),
    place,
    rule,
    holds: [],
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
  };
}

/** The complete array as it belongs on disk: a staged hold as it will be when it is acted on. */
export function recordedHolds({ holds, staged }: Output): readonly Hold[] {
  return staged === null ? holds : putHold(holds, staged).holds;
}

/** What follows from the holds: the winner's value, else the fail-safe value, else nothing. */
export function wantedOf(output: Output, now: number): Want | null {
  const { winner } = arbitrate(output.holds, now);
  if (winner !== null) {
    const { value, priority, owner, until, reason } = winner;
    return { value, priority, owner, until, reason };
  }
  if (output.rule.failSafe === 'keep') return null;
  // The command that lets go is as urgent as the hold that went.
  const priority = output.want?.priority ?? priorities.schedule;
  const reason = 'nobody holds it: its fail-safe value';
  return { value: output.rule.failSafe, priority, owner: null, until: null, reason };
}

export function describeOutput(output: Output, now: number): OutputState {
  const { winner, stack } = arbitrate(output.holds, now);
  const failSafe = output.rule.failSafe;
  return {
    ref: output.ref,
    value: winner?.value ?? (failSafe === 'keep' ? null : failSafe),
    holder: winner?.owner ?? null,
    priority: winner?.priority ?? null,
    reason: winner === null ? reasonWithoutHolder(failSafe) : reasonOf(winner),
    since: output.since,
    until: winner?.until ?? null,
    stack,
    confirmed: output.confirmed,
    next: null,
    waiting: null,
    forbidden: [],
    local: null,
  };
}

function reasonOf({ owner, priority, reason }: Hold): string {
  return clip(`${owner} at ${priority}: ${reason}`, maxReason);
}

function reasonWithoutHolder(failSafe: Value | 'keep'): string {
  return failSafe === 'keep'
    ? 'nobody holds it: it keeps what it has'
    : `nobody holds it: its fail-safe value is ${JSON.stringify(failSafe)}`;
}

export function succeeded(outcome: CommandResult['outcome']): boolean {
  return outcome === 'done' || outcome === 'sent';
}
