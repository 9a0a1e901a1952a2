import type { DeviceId, HappeningId, PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import type { Span } from './change-window.ts';
import { type CompiledInstance, isSensing, type Leaf } from './compiled-rule.ts';

/*
 * What an instance remembers while the engine runs. Times named `...At`, `...Since` and `...Until` are on the monotonic clock unless
 * their comment says otherwise. What of it outlives a restart is in `stored-memory.ts`.
 */

/** What a point says in a condition; bits, so that a change of one point costs the same however many points there are. */
export const says = { trip: 1, stand: 2, now: 4, fresh: 8, blind: 16, waiting: 32 } as const;

export interface PointMemory {
  /** The last verdict on a usable value; also what hysteresis leans on. */
  verdict: boolean;
  /** A usable value was heard since the start. */
  heard: boolean;
  says: number;
  reading: Reading | undefined;
  /** `rate`: what it was within the window, falling ones with their sign turned. */
  readonly spans: Span[];
  /** `rate`: a verdict from before the start stands until then; null while no value has asked for it. */
  keptUntil: number | null;
}

export interface Tally {
  /** A reason to trip: usable values, remembered ones heard since the start, bad ones that count as tripped. */
  trip: number;
  /** A reason to stay tripped: also what is only remembered. */
  stand: number;
  /** Seen now: usable values, and bad ones that count as tripped. */
  now: number;
  /** Usable values only. */
  fresh: number;
  /** Needed and unusable. */
  blind: number;
  /** `onBad: trip` that waits for its first value. */
  waiting: number;
}

export interface EventTrace {
  readonly id: HappeningId;
  readonly device?: DeviceId;
  readonly zone?: ZoneId;
}

export interface AlarmTimer {
  since: number | null;
  verdict: boolean;
}

export interface LeafMemory {
  /** The verdict after `for`, or of the window. */
  verdict: boolean;
  /** By the index of the leaf's `refs`. */
  readonly points: PointMemory[];
  readonly tally: Tally;
  /** The raw verdict has stood since; null while it does not, or while its values cannot be used. */
  runningSince: number | null;
  /** Time it had stood before its values became unusable, ms. */
  credit: number;
  /** An event counts until then; of a count: a verdict from before the start stands until then. */
  untilAt: number | null;
  event: EventTrace | null;
  /** Of a count: the newest times, ascending. */
  readonly times: number[];
  /** Of `unacknowledged`, by instance. */
  readonly alarms: Map<string, AlarmTimer>;
  /** `rate`: no verdict of a point ends before then by time alone. */
  expiresAt: number | null;
  /** Grows whenever a point becomes unusable or usable. */
  blindness: number;
}

export interface ShedMemory {
  /** How many of the outputs are held, from the first of the list. */
  readonly count: number;
  readonly phase: 'shed' | 'release';
  readonly nextAt: number | null;
}

export interface Held {
  readonly value: Value;
  /** NaN: say it once more. */
  readonly until: number | null;
}

export interface InstanceMemory {
  fired: boolean;
  /** What was seen when it fired, or why it is not fired. */
  reason: string;
  /** When it fired, ms since epoch; null while it is not fired. */
  since: number | null;
  firedAt: number;
  /** Since the start, usable values have confirmed it: others may build on it. */
  live: boolean;
  /** Whether it would stay fired: not, by remembered verdicts only, or by what is seen now. */
  standing: 'no' | 'remembered' | 'now';
  goneSince: number | null;
  /** How long the cause had been gone before the rule became blind, ms. */
  goneCredit: number;
  coolsUntil: number | null;
  /** The same as a time of day, as it was when it cleared: that is what a restart knows. */
  coolsUntilTime: number | null;
  readonly leaves: LeafMemory[];
  sheds: readonly ShedMemory[];
  /** What commands were told since the start. */
  readonly held: Map<PointRef, Held>;
  readonly forbidden: Map<PointRef, Value>;
  blindSince: number | null;
  /** What the blind alarm names, and how often points had become unusable by then. */
  blindRefs: string;
  blindness: number;
  /** What a rule that only watches would have said. */
  saidAlarm: boolean;
  saidBlind: boolean;
  /** Why the last evaluation failed; null: it did not. */
  failure: string | null;
  /** A person has reset it since the last look. */
  wasReset: boolean;
  /** Every point was looked at. */
  isPrimed: boolean;
  /** Its holds were said by an earlier process, or by an earlier version. */
  isRestored: boolean;
  /** When this run of it began: from then `startGrace` counts. */
  startedAt: number | null;
  /** Something changed that must survive a restart. */
  isDirty: boolean;
  /** The store has something of it. */
  isStored: boolean;
}

function newPointMemory(): PointMemory {
  return { verdict: false, heard: false, says: 0, reading: undefined, spans: [], keptUntil: null };
}

function newLeafMemory(leaf: Leaf): LeafMemory {
  return {
    verdict: false,
    points: isSensing(leaf) ? leaf.refs.map(newPointMemory) : [],
    tally: { trip: 0, stand: 0, now: 0, fresh: 0, blind: 0, waiting: 0 },
    runningSince: null,
    credit: 0,
    untilAt: null,
    event: null,
    times: [],
    alarms: new Map(),
    expiresAt: null,
    blindness: 0,
  };
}

export function newInstanceMemory(one: CompiledInstance): InstanceMemory {
  return {
    fired: false,
    reason: '',
    since: null,
    firedAt: 0,
    live: false,
    standing: 'no',
    goneSince: null,
    goneCredit: 0,
    coolsUntil: null,
    coolsUntilTime: null,
    leaves: one.leaves.map(newLeafMemory),
    sheds: [],
    held: new Map(),
    forbidden: new Map(),
    blindSince: null,
    blindRefs: '',
    blindness: -1,
    saidAlarm: false,
    saidBlind: false,
    failure: null,
    wasReset: false,
    isPrimed: false,
    isRestored: false,
    startedAt: null,
    isDirty: false,
    isStored: false,
  };
}

/**
 * A new version takes over what the old one remembers: leaves that are the same go on with their timers and windows, a standing trip
 * goes on (without its conditions it clears at the next look, unless it is latched), and holds are said anew only where they differ.
 */
export function inheritMemory(
  one: CompiledInstance,
  before: { readonly compiled: CompiledInstance; readonly memory: InstanceMemory },
): InstanceMemory {
  const old = before.memory;
  const byKey = new Map(before.compiled.leaves.map((leaf, i) => [leaf.key, { leaf, memory: old.leaves[i] }]));
  const leaves = one.leaves.map((leaf) => {
    const known = byKey.get(leaf.key);
    if (known?.memory === undefined || !hasSamePoints(leaf, known.leaf)) return newLeafMemory(leaf);
    return known.memory;
  });
  const isSamePriority = one.rule.priority === before.compiled.rule.priority;
  const isSameShed = JSON.stringify(one.sheds) === JSON.stringify(before.compiled.sheds);
  const { held, forbidden } = isSamePriority ? old : sayAgain(old);
  return {
    ...old,
    leaves,
    held,
    forbidden,
    sheds: isSameShed ? old.sheds : [],
    blindness: -1,
    isPrimed: false,
    isRestored: old.isRestored && !old.isPrimed,
    isDirty: true,
  };
}

/** What it told commands, so that whatever is still wanted is said once more, and the rest given back. */
export function sayAgain({ held, forbidden }: InstanceMemory): Pick<InstanceMemory, 'held' | 'forbidden'> {
  return {
    held: new Map([...held].map(([ref, { value }]) => [ref, { value, until: Number.NaN }])),
    forbidden: new Map([...forbidden.keys()].map((ref) => [ref, Number.NaN])),
  };
}

function hasSamePoints(a: Leaf, b: Leaf): boolean {
  if (!isSensing(a)) return !isSensing(b);
  return isSensing(b) && a.refs.length === b.refs.length && a.refs.every((ref, i) => ref === b.refs[i]);
}
