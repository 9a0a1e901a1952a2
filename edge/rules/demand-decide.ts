import type { DemandPlan } from '#edge/domain/energy.ts';
import type { Name } from '#edge/domain/place.ts';
import { drawOf, type Load, mayReturn, mayShed, timeLeft } from './demand-loads.ts';
import {
  guardOf,
  type Outlook,
  predictedOf,
  type Reach,
  reserveOf,
  returned,
  returnShare,
  returnTime,
  slackOf,
  targetShare,
} from './demand-outlook.ts';
import { becausePredicted, becauseReserve, becauseRoom, type DemandFigures } from './demand-words.ts';

/* Which loads go, and which one comes back. */

export interface Worst {
  readonly reach: Reach;
  readonly predicted: number;
}

/** The window that ends highest if everything goes on. */
export function worstOf(plan: DemandPlan, { reaches, power }: Outlook): Worst | null {
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

export interface Act {
  readonly load: Load;
  readonly why: Name;
}

/** The one whose time is over, or must be counted as over so that those behind it come in time too. */
export function dueReturn(plan: DemandPlan, loads: readonly Load[], sinceReturn: number, passed: number): Load | null {
  if (sinceReturn < plan.stagger) return null;
  const step = Math.min(60_000, Math.max(1_000, passed));
  const off = loads.filter(({ now }) => now === 'shed').sort((a, b) => timeLeft(a) - timeLeft(b));
  const isPressed = off.some((load, i) => timeLeft(load) <= (i + 1) * (plan.stagger + step) + step);
  if (!isPressed) return null;
  return off.find(mayReturn) ?? null;
}

/** `call`: what the reserve asks for, once that is sure; `isOver`: the prediction has been above the target for long enough. In the order of shedding. */
export function toShed(
  plan: DemandPlan,
  outlook: Outlook,
  loads: readonly Load[],
  call: readonly Act[],
  isOver: boolean,
): readonly Act[] {
  const going = [...call];
  if (!isOver) return going;
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

function tightest(plan: DemandPlan, outlook: Outlook, loads: readonly Load[]) {
  const reaches = outlook.next === null ? outlook.reaches : [...outlook.reaches, outlook.next];
  return reaches.map((reach) => ({ reach, slack: slackOf(plan, reach, outlook.power, loads) }));
}

/** Whether waiting for the effect of a later decision would use up what is left; whether or not anything may go now. */
export function isTightNow(plan: DemandPlan, outlook: Outlook, loads: readonly Load[]): boolean {
  const draws = sum(loads.filter(mayShed).map(drawOf));
  return tightest(plan, outlook, loads).some(({ reach, slack }) => slack < guardOf(reach, draws));
}

/** What must go now because waiting for the effect of a later decision would use up what is left. */
export function* lastCall(plan: DemandPlan, outlook: Outlook, loads: readonly Load[]): Generator<Act> {
  const tight = tightest(plan, outlook, loads);
  let draws = sum(loads.filter(mayShed).map(drawOf));
  for (const load of loads) {
    const worst = tight.find(({ reach, slack }) => slack < guardOf(reach, draws));
    if (worst === undefined) return;
    if (!mayShed(load)) continue;
    const { reach, slack } = worst;
    const figures = figuresOf(plan, { reach, predicted: predictedOf(plan, reach, outlook.power) }, outlook);
    // Where the limit is passed as it is, nobody need be told of what might be.
    const isOver = figures.predicted > plan.limit;
    yield { load, why: isOver ? becausePredicted(figures) : becauseReserve(figures, slack, reserveOf(plan)) };
    draws -= drawOf(load);
  }
}

/** The load whose turn it is to come back, if there is room for it: the last that is shed is the first to come back. */
export function roomFor(plan: DemandPlan, outlook: Outlook, loads: readonly Load[], now: number): Act | null {
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

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
