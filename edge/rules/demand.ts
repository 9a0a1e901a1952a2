import type { DemandLoad, DemandPlan } from '#edge/domain/energy.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import { advance, type Measured, powerNow, shifted } from './demand-course.ts';
import { type Act, dueReturn, isTightNow, lastCall, roomFor, sum, toShed, worstOf } from './demand-decide.ts';
import { type DemandOutput, drawOf, type Load, type LoadMemory, loadsOf, mayShed, untilsOf } from './demand-loads.ts';
import { confirmTime, lookAhead, type Outlook, targetShare } from './demand-outlook.ts';
import type { DemandState } from './demand-state.ts';
import { type DemandPrediction, type DemandWindow, followWindow, predictionOf } from './demand-window.ts';
import { becauseLongEnough } from './demand-words.ts';

export type { DemandPrediction, DemandWindow } from './demand-window.ts';

/*
 * Keeps the mean power of a window below a limit by switching loads off in tiers. Pure: what it answers depends on what is given in
 * and on its state, which is plain JSON.
 *
 * It sheds for one of two reasons. *Predicted*: if everything goes on as it is, the window ends above 98 % of the limit; when that has
 * stood for 30 s, just as many loads go, in the order of the tiers, as bring it below. *Reserve*: if it waited for longer than a
 * decision takes effect, shedding everything might no longer be enough should the rest of the campus rise by its reserve; then loads go
 * at once until waiting is safe again. So: as long as what cannot be shed does not rise by more than the reserve within a window, the
 * limit is kept whenever shedding everything that may be shed from the window's start on would keep it.
 *
 * What it never does: touch what is protected or not known; give a load back before its `minOff`, shed it again before its `minOn`; give
 * two back within `stagger`. It gives each back before its `maxOff` is over, early enough that all of them can come back one after the
 * other. When it does not know the power (older than a minute, and no counter that moves) it holds what is shed, sheds nothing more and
 * gives nothing back but what must be because of its `maxOff`.
 */

export interface DemandInput {
  /** ms since epoch: fixed windows begin at the quarter hours of this clock. */
  readonly now: number;
  /** ms: minimum and maximum times run on it, so that a step of the wall clock shortens none of them. */
  readonly monotonic: number;
  /**
   * Active power of the plan's meter, kW, with the time at which it was last *heard*; null: bad, stale or never heard. Not the source time
   * of a reading that core keeps: that stays where it is as long as the value moves within its deadband, and a steady load would look like
   * a silent meter. A good reading has been heard within its `staleAfter`, so `now` will do for it.
   */
  readonly power: Measured | null;
  /** Its counter, kW.h, with the time at which it came to show this (source time); null likewise. */
  readonly energy: Measured | null;
  /** Every output that the plan names: one that is missing is not touched. */
  readonly outputs: ReadonlyMap<PointRef, DemandOutput>;
}

/** A load that is to be held off now. */
export interface DemandShed {
  readonly ref: PointRef;
  readonly value: DemandLoad['value'];
  /** Id of its tier. */
  readonly tier: string;
  /**
   * ms since epoch: since when, when it may come back at the earliest and when it will at the latest. Whoever holds the output lets the
   * hold end at `until`: should nobody step any more, the loads come back in time and one after the other. It may move by some ms
   * between two steps, and by seconds when others come back: a hold need not be renewed for less than two seconds.
   */
  readonly since: number;
  readonly notBefore: number;
  readonly until: number;
  /** With the figures that were seen. */
  readonly why: Name;
  /** kW */
  readonly saves: number;
  /** It runs all the same: somebody stronger holds it, or it does not obey. */
  readonly defies: boolean;
}

export interface DemandChange {
  readonly kind: 'shed' | 'return';
  readonly ref: PointRef;
  readonly tier: string;
  readonly why: Name;
}

export interface DemandOutcome {
  readonly state: DemandState;
  /** Everything that is to be off now, in the order of shedding. What is not in it (any more) is to be relinquished. */
  readonly sheds: readonly DemandShed[];
  /** What changed in this step. */
  readonly changes: readonly DemandChange[];
  readonly prediction: DemandPrediction;
  /** `short`: it is going to be exceeded, and nothing is left that may be shed. `blind`: the power is not known. */
  readonly status: 'ok' | 'shedding' | 'short' | 'blind';
  readonly closed: DemandWindow | null;
}

const hourMs = 3_600_000;
/** So long there must have been room before a load comes back, ms. */
const calmTime = 60_000;
/** A wall clock that moves by more than this against the monotonic one was put, ms. */
const clockStep = 1_000;

/** Call it about every 10 s, at least every 30 s, and whenever the meter was read. Never throws. */
export function stepDemand(plan: DemandPlan, before: DemandState, input: DemandInput): DemandOutcome {
  const { now } = input;
  const passed = Math.max(0, input.monotonic - before.monotonic);
  const aged = passTime(before, input, passed);
  const course = advance(aged.course, now, input.power, input.energy, plan);
  const loads = loadsOf(plan, aged.loads, input.outputs);
  const power = powerNow(course, now);
  const outlook = power === null ? null : lookAhead(plan, course, power, loads, now);
  const worst = outlook === null ? null : worstOf(plan, outlook);
  const isOver = worst !== null && worst.predicted > plan.limit * targetShare;
  const overFor = isOver ? aged.overFor + passed : 0;
  const due = dueReturn(plan, loads, aged.sinceReturn, passed);
  const call = outlook === null ? [] : [...lastCall(plan, outlook, loads)];
  const isTight = outlook !== null && isTightNow(plan, outlook, loads);
  const tightFor = isTight ? aged.tightFor + passed : 0;
  const sure = tightFor >= confirmTime ? call : [];
  const going = outlook === null ? [] : toShed(plan, outlook, loads, sure, overFor >= confirmTime);
  const isCalm = outlook !== null && !isOver && !isTight;
  const room = isCalm ? roomFor(plan, outlook, loads, now) : null;
  const calmFor = room === null ? 0 : aged.calmFor + passed;
  const isTurn = calmFor >= calmTime && aged.sinceReturn >= plan.stagger;
  const back = due === null ? (isTurn ? room : null) : { load: due, why: becauseLongEnough };
  const changes = changesOf(back, going);
  const memories = remember(aged.loads, loads, changes, now);
  const shedPower = sum(loads.map((load) => (load.memory?.shed === true && !load.defies ? load.memory.saves : 0)));
  const { closed, window } = followWindow(plan, { ...aged, course }, now, (shedPower * passed) / hourMs);
  const state: DemandState = {
    ...aged,
    course,
    loads: memories,
    overFor,
    tightFor,
    calmFor: back === null ? calmFor : 0,
    sinceReturn: back === null ? aged.sinceReturn : 0,
    window,
  };
  const after = loadsOf(plan, memories, input.outputs);
  const sheds = shedsOf(after, plan.stagger, now);
  return {
    state,
    sheds,
    changes,
    prediction: predictionOf(plan, state, outlook, worst, now, shedPower),
    status: statusOf(plan, outlook, after, worst?.predicted ?? 0, sheds.length),
    closed,
  };
}

/** Everything that is measured in time since the last step, and the clock being put. */
function passTime(before: DemandState, { now, monotonic }: DemandInput, passed: number): DemandState {
  const step = now - before.now - passed;
  const by = Math.abs(step) > clockStep ? step : 0;
  const loads = Object.fromEntries(
    Object.entries(before.loads).map(([ref, memory]) => [
      ref,
      {
        ...memory,
        atLeast: memory.atLeast + passed,
        atMost: memory.atMost + passed,
        since: memory.since + by,
      },
    ]),
  );
  const course = by === 0 ? before.course : shifted(before.course, by);
  return { ...before, now, monotonic, course, loads, sinceReturn: before.sinceReturn + passed };
}

function changesOf(back: Act | null, going: readonly Act[]): readonly DemandChange[] {
  const told = (kind: DemandChange['kind']) => (act: Act) => ({
    kind,
    ref: act.load.plan.output,
    tier: act.load.tier.id,
    why: act.why,
  });
  return [...(back === null ? [] : [told('return')(back)]), ...going.map(told('shed'))];
}

/** Only loads that may be touched are remembered, and one that runs only as long as that keeps it from being shed. */
function remember(
  before: Readonly<Record<string, LoadMemory>>,
  loads: readonly Load[],
  changes: readonly DemandChange[],
  now: number,
): Readonly<Record<string, LoadMemory>> {
  const after: Record<string, LoadMemory> = {};
  for (const load of loads) {
    const ref = load.plan.output;
    const memory = Object.hasOwn(before, ref) ? before[ref] : undefined;
    const change = changes.find((one) => one.ref === ref);
    if (change !== undefined) {
      const shed = change.kind === 'shed';
      after[ref] = { shed, atLeast: 0, atMost: 0, since: now, why: change.why, saves: shed ? drawOf(load) : 0 };
    } else if (memory !== undefined && (memory.shed || memory.atLeast < load.plan.minOn + hourMs)) after[ref] = memory;
  }
  return after;
}

function shedsOf(loads: readonly Load[], stagger: number, now: number): readonly DemandShed[] {
  const left = untilsOf(loads, stagger);
  return loads.flatMap((load) => {
    const { memory, plan, tier, defies } = load;
    if (memory?.shed !== true) return [];
    return [
      {
        ref: plan.output,
        value: plan.value,
        tier: tier.id,
        since: memory.since,
        notBefore: now + Math.max(0, plan.minOff - memory.atLeast),
        until: now + (left.get(plan.output) ?? 0),
        why: memory.why,
        saves: memory.saves,
        defies,
      },
    ];
  });
}

function statusOf(
  plan: DemandPlan,
  outlook: Outlook | null,
  loads: readonly Load[],
  predicted: number,
  shed: number,
): DemandOutcome['status'] {
  if (outlook === null) return 'blind';
  if (predicted > plan.limit && !loads.some(mayShed)) return 'short';
  return shed > 0 ? 'shedding' : 'ok';
}
