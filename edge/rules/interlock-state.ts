import type { DeviceId, HappeningId, PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { CompiledInterlocks } from './compile.ts';

/*
 * What the interlocks remember: plain JSON, stored with every change that matters, restored at the start. Times named
 * `...At` and `...Since` are on the monotonic clock, so that a step of the wall clock neither starts nor delays an
 * evacuation; they mean nothing to the next process, and `restoreInterlockState` starts them again.
 */

export interface PointMemory {
  /** The last verdict on a usable value; also what hysteresis leans on. */
  verdict: boolean;
  /** A usable value was heard since the start. */
  heard: boolean;
}

export interface ConditionMemory {
  /** The verdict after `for`. */
  verdict: boolean;
  points: Record<string, PointMemory>;
  /** The raw verdict has stood since; null while it does not, or while its values cannot be used. */
  runningSince: number | null;
  /** Time it had stood before its values became unusable, ms. */
  credit: number;
  /** An event counts until then. */
  untilAt: number | null;
  event: { id: HappeningId; device?: DeviceId; zone?: ZoneId } | null;
}

export interface ShedMemory {
  /** How many of the outputs are held, from the first of the list. */
  count: number;
  phase: 'shed' | 'release';
  nextAt: number | null;
}

export interface InterlockMemory {
  tripped: boolean;
  /** What was seen when it tripped. */
  reason: string;
  /** Since the start, usable values have confirmed the trip: others may build on it. */
  live: boolean;
  /** Whether it would stay tripped: not, by remembered verdicts only, or by what is seen now. */
  standing: 'no' | 'remembered' | 'now';
  /** What is seen now that keeps it tripped. */
  standsOn: string;
  /** The condition that `conditions` remember, as JSON: their keys mean nothing to another one. */
  when: string;
  conditions: Record<string, ConditionMemory>;
  sheds: ShedMemory[];
  /** What commands were told to hold since the start. */
  held: Record<string, Value>;
  blindSince: number | null;
  /** What the blind alarm names. */
  blindRefs: string;
  /** The alarms it watches, as they were when it last looked. */
  seen: string;
  wakeAt: number | null;
}

export interface InterlockState {
  readonly version: 1;
  readonly startedAt: number;
  /** False until every interlock was evaluated once since the start. */
  readonly primed: boolean;
  /** The earliest time at which something may change by itself. */
  readonly wakeAt: number | null;
  readonly interlocks: Readonly<Record<string, InterlockMemory>>;
}

export function newConditionMemory(): ConditionMemory {
  return { verdict: false, points: {}, runningSince: null, credit: 0, untilAt: null, event: null };
}

export function newInterlockMemory(): InterlockMemory {
  return {
    tripped: false,
    reason: '',
    live: false,
    standing: 'no',
    standsOn: '',
    when: '',
    conditions: {},
    sheds: [],
    held: {},
    blindSince: null,
    blindRefs: '',
    seen: '',
    wakeAt: null,
  };
}

/**
 * The state to start with: what `stored` (from the store; anything) remembers of the interlocks that still exist.
 * Trips, verdicts and shed tiers come back; timers start again; nothing counts as heard; holds are said once more.
 * Where the site file has another condition now, verdicts are forgotten: only a latched trip outlives that.
 */
export function restoreInterlockState(
  stored: unknown,
  compiled: CompiledInterlocks,
  monotonic: number,
): InterlockState {
  const remembered = isState(stored) ? stored.interlocks : {};
  const interlocks: Record<string, InterlockMemory> = {};
  for (const { interlock } of compiled.order) {
    const memory = { ...newInterlockMemory(), ...remembered[interlock.id] };
    const when = JSON.stringify(interlock.when);
    const known = memory.when === when ? Object.entries(memory.conditions) : [];
    const conditions: Record<string, ConditionMemory> = {};
    for (const [key, condition] of known) conditions[key] = restoreCondition(condition);
    interlocks[interlock.id] = {
      ...memory,
      when,
      conditions,
      sheds: memory.sheds.map((shed) => ({ ...shed, nextAt: null })),
      live: false,
      held: {},
      blindSince: null,
      wakeAt: null,
    };
  }
  return { version: 1, startedAt: monotonic, primed: false, wakeAt: null, interlocks };
}

function restoreCondition(stored: ConditionMemory): ConditionMemory {
  const points: Record<string, PointMemory> = {};
  for (const [ref, point] of Object.entries(stored.points)) points[ref] = { verdict: point.verdict, heard: false };
  return { ...newConditionMemory(), verdict: stored.verdict, event: stored.event, points };
}

/** Our own writing is trusted below its version; anything else is as if nothing had been stored. */
function isState(stored: unknown): stored is InterlockState {
  return (
    typeof stored === 'object' &&
    stored !== null &&
    'version' in stored &&
    stored.version === 1 &&
    'interlocks' in stored &&
    typeof stored.interlocks === 'object' &&
    stored.interlocks !== null
  );
}

/** Every hold the interlocks stand for now; what a restored hold of an interlock is measured against at the start. */
export function standingHolds(state: InterlockState): readonly { readonly owner: string; readonly ref: PointRef }[] {
  return Object.entries(state.interlocks).flatMap(([id, memory]) =>
    Object.keys(memory.held).map((ref) => ({ owner: ownerOf(id), ref: ref as PointRef })),
  );
}

export function ownerOf(interlock: string): string {
  return `interlock:${interlock}`;
}

export interface ResetOutcome {
  readonly state: InterlockState;
  readonly reset: boolean;
  /** For people: why it was not reset, or that it was. */
  readonly message: string;
}

/**
 * A person resets a tripped interlock. Refused while usable values or a standing alarm still say so; verdicts that are
 * only remembered (their points cannot be used) are forgotten. Evaluate right after it: that relinquishes the holds.
 */
export function resetInterlock(state: InterlockState, id: string, why: string): ResetOutcome {
  const memory = state.interlocks[id];
  if (memory === undefined) return { state, reset: false, message: `there is no interlock "${id}"` };
  if (!memory.tripped) return { state, reset: false, message: `interlock "${id}" is not tripped` };
  if (memory.standing === 'now') {
    return { state, reset: false, message: `the cause of interlock "${id}" still stands: ${memory.standsOn}` };
  }
  const conditions: Record<string, ConditionMemory> = {};
  for (const [key, condition] of Object.entries(memory.conditions)) {
    const points: Record<string, PointMemory> = {};
    for (const [ref, { heard }] of Object.entries(condition.points)) points[ref] = { verdict: false, heard };
    conditions[key] = { ...newConditionMemory(), points };
  }
  const after: InterlockMemory = { ...memory, conditions, tripped: false, reason: why, standing: 'no', wakeAt: 0 };
  const interlocks = { ...state.interlocks, [id]: after };
  return { state: { ...state, interlocks, wakeAt: 0 }, reset: true, message: `interlock "${id}" is reset` };
}
