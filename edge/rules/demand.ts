import type { DemandLoad, DemandPlan } from '#edge/domain/energy.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import { advance, type Measured, powerNow, shifted, usedBetween } from './demand-course.ts';
import {
  type DemandOutput,
  drawOf,
  type Load,
  type LoadMemory,
  loadsOf,
  mayReturn,
  mayShed,
  timeLeft,
} from './demand-loads.ts';
import {
  guardOf,
  lookAhead,
  type Outlook,
  predictedOf,
  type Reach,
  reserveOf,
  returned,
  returnShare,
  returnTime,
  slackOf,
  targetShare,
  windowStart,
} from './demand-outlook.ts';
import type { DemandState } from './demand-state.ts';
import {
  becauseLongEnough,
  becausePredicted,
  becauseReserve,
  becauseRoom,
  type DemandFigures,
} from './demand-words.ts';

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
  /** Active power of the plan's meter, kW, with the time at which it was so; null: bad, stale or never heard. */
  readonly power: Measured | null;
  /** Its counter, kW.h; null likewise. */
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
  /** ms since epoch: since when, when it may come back at the earliest and when it will at the latest. */
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

export interface DemandPrediction {
  /** The window that runs (fixed), or the one that ends worst (sliding), ms since epoch. */
  readonly from: number;
  readonly to: number;
  /** kW.h so far, and the share of that time in which it was measured. */
  readonly used: number;
  readonly known: number;
  /** kW now; null: not known, and nothing below is. */
  readonly power: number | null;
  /** Mean over the window if everything goes on, kW. */
  readonly predicted: number | null;
  /** The same had nothing been shed, kW. */
  readonly unshed: number | null;
  readonly limit: number;
}

/** A window that is over. */
export interface DemandWindow {
  readonly from: number;
  readonly to: number;
  /** Mean over it (fixed) or the highest mean of a window that ended in it (sliding), kW; null: not known. */
  readonly demand: number | null;
  /** The same had nothing been shed, as far as loads drew what the plan says. */
  readonly unshed: number | null;
  /** kW.h that shedding kept from being drawn. */
  readonly shed: number;
  readonly known: number;
  readonly limit: number;
  readonly exceeded: boolean;
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
/** A prediction above the target counts when it has stood so long: lifts and kettles do not, ms. */
const confirmTime = 30_000;
/** And so long there must have been room before a load comes back. */
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
  const going = outlook === null ? [] : toShed(plan, outlook, loads, overFor >= confirmTime);
  const room = outlook === null || going.length > 0 || isOver ? null : roomFor(plan, outlook, loads, now);
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
    overFor: going.length > 0 ? 0 : overFor,
    calmFor: back === null ? calmFor : 0,
    sinceReturn: back === null ? aged.sinceReturn : 0,
    window,
  };
  const after = loadsOf(plan, memories, input.outputs);
  const sheds = shedsOf(after, now);
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

interface Worst {
  readonly reach: Reach;
  readonly predicted: number;
}

function worstOf(plan: DemandPlan, { reaches, power }: Outlook): Worst | null {
  let worst: Worst | null = null;
  for (const reach of reaches) {
    const predicted = predictedOf(plan, reach, power);
    if (worst === null || predicted > worst.predicted) worst = { reach, predicted };
  }
  return worst;
}

function figuresOf(plan: DemandPlan, { reach, predicted }: Worst, { power }: Outlook): DemandFigures {
  return { predicted, limit: plan.limit, power, used: reach.used };
}

interface Act {
  readonly load: Load;
  readonly why: Name;
}

/** The one whose time is over, or must be counted as over so that those behind it come in time too. */
function dueReturn(plan: DemandPlan, loads: readonly Load[], sinceReturn: number, passed: number): Load | null {
  if (sinceReturn < plan.stagger) return null;
  const step = Math.min(60_000, Math.max(1_000, passed));
  const off = loads.filter(({ now }) => now === 'shed').sort((a, b) => timeLeft(a) - timeLeft(b));
  const isPressed = off.some((load, i) => timeLeft(load) <= i * (plan.stagger + step) + step);
  if (!isPressed) return null;
  return off.find(mayReturn) ?? null;
}

/** In the order of shedding. */
function toShed(plan: DemandPlan, outlook: Outlook, loads: readonly Load[], isConfirmed: boolean): readonly Act[] {
  const going = [...lastCall(plan, outlook, loads)];
  if (!isConfirmed) return going;
  const gone = new Set(going.map(({ load }) => load));
  let power = outlook.power - sum(going.map(({ load }) => drawOf(load)));
  for (const load of loads) {
    const worst = worstOf(plan, { ...outlook, power });
    if (worst === null || worst.predicted <= plan.limit * targetShare) break;
    // What is nearly over cannot be helped.
    if (worst.reach.ahead < returnTime) break;
    if (gone.has(load) || !mayShed(load)) continue;
    going.push({ load, why: becausePredicted(figuresOf(plan, worst, { ...outlook, power })) });
    power -= drawOf(load);
  }
  return going.sort((a, b) => a.load.order - b.load.order);
}

/** What must go now because waiting for the effect of a later decision would use up what is left. */
function* lastCall(plan: DemandPlan, outlook: Outlook, loads: readonly Load[]): Generator<Act> {
  const reaches = outlook.next === null ? outlook.reaches : [...outlook.reaches, outlook.next];
  const tight = reaches.map((reach) => ({ reach, slack: slackOf(plan, reach, outlook.power, loads) }));
  let draws = sum(loads.filter(mayShed).map(drawOf));
  for (const load of loads) {
    const worst = tight.find(({ reach, slack }) => slack < guardOf(reach, draws));
    if (worst === undefined) return;
    if (!mayShed(load)) continue;
    const { reach, slack } = worst;
    const figures = figuresOf(plan, { reach, predicted: predictedOf(plan, reach, outlook.power) }, outlook);
    yield { load, why: becauseReserve(figures, slack, reserveOf(plan)) };
    draws -= drawOf(load);
  }
}

/** The load whose turn it is to come back, if there is room for it: the last that is shed is the first to come back. */
function roomFor(plan: DemandPlan, outlook: Outlook, loads: readonly Load[], now: number): Act | null {
  const load = loads.filter(mayReturn).at(-1);
  if (load === undefined) return null;
  const power = outlook.power + (load.defies ? 0 : load.plan.power);
  const most = plan.limit * targetShare * returnShare;
  const worst = worstOf(plan, { ...outlook, power });
  if (worst === null || power > most || worst.predicted > most) return null;
  const after = loads.map((one) => (one === load ? returned(one, now) : one));
  const draws = sum(after.map(drawOf));
  const reaches = outlook.next === null ? outlook.reaches : [...outlook.reaches, outlook.next];
  const fits = reaches.every((reach) => slackOf(plan, reach, power, after) >= guardOf(reach, draws));
  return fits ? { load, why: becauseRoom(figuresOf(plan, worst, outlook), load.plan.power) } : null;
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

function shedsOf(loads: readonly Load[], now: number): readonly DemandShed[] {
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
        until: now + Math.max(0, timeLeft(load)),
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

function predictionOf(
  plan: DemandPlan,
  { course, window }: DemandState,
  outlook: Outlook | null,
  worst: Worst | null,
  now: number,
  shedPower: number,
): DemandPrediction {
  const { limit } = plan;
  if (outlook === null || worst === null) {
    const from = plan.kind === 'fixed' ? windowStart(plan, now) : now - plan.window;
    const { energy, known } = usedBetween(course, from, now, 0);
    const to = from + plan.window;
    return { from, to, used: energy, known, power: null, predicted: null, unshed: null, limit };
  }
  const { reach, predicted } = worst;
  const to = now + reach.ahead;
  const kept = plan.kind === 'fixed' ? window.shed : (shedPower * (plan.window - reach.ahead)) / hourMs;
  const unshed = predicted + (kept * hourMs + shedPower * reach.ahead) / plan.window;
  const from = to - plan.window;
  return { from, to, used: reach.used, known: reach.known, power: outlook.power, predicted, unshed, limit };
}

/** The window of the clock that runs; when it is over, how it ended. */
function followWindow(
  plan: DemandPlan,
  { course, window }: DemandState,
  now: number,
  shed: number,
): { readonly closed: DemandWindow | null; readonly window: DemandState['window'] } {
  const from = windowStart(plan, now);
  const sliding = plan.kind === 'sliding' ? usedBetween(course, now - plan.window, now, 0) : null;
  const mean = sliding === null || sliding.known < 0.9 ? 0 : (sliding.energy * hourMs) / plan.window;
  if (from === window.from)
    return { closed: null, window: { from, shed: window.shed + shed, peak: Math.max(window.peak, mean) } };
  const fresh = { from, shed: 0, peak: mean };
  // A clock that was put back runs through a window twice; the first time does not count.
  if (from < window.from || window.from === 0) return { closed: null, window: fresh };
  const to = window.from + plan.window;
  const { energy, known } = usedBetween(course, window.from, to, 0);
  const measured = plan.kind === 'sliding' ? window.peak : (energy * hourMs) / plan.window;
  const demand = known < 0.5 ? null : measured;
  const all = window.shed + (from === to ? shed : 0);
  const closed = {
    from: window.from,
    to,
    demand,
    unshed: demand === null ? null : demand + (all * hourMs) / plan.window,
    shed: all,
    known,
    limit: plan.limit,
    exceeded: demand !== null && demand > plan.limit,
  };
  return { closed, window: fresh };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
