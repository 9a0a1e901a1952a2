import type { DemandPlan } from '#edge/domain/energy.ts';
import { type Course, powerPatience, usedBetween } from './demand-course.ts';
import { drawOf, type Load, type LoadMemory, leastOf, settleTime } from './demand-loads.ts';

/*
 * How the windows that matter now will end. Two questions: what if everything goes on as it is (`predicted`), and how much would
 * still be free if from now on everything were shed that may be, and the rest of the campus rose by its reserve (`slack`).
 */

const hourMs = 3_600_000;

/** Steered for instead of the limit: meters and counters have errors and steps of their own. */
export const targetShare = 0.98;
/** What comes back must leave so much more free: else it would go again at the next breath of wind. */
export const returnShare = 0.95;
/** What is above or too near the target counts when it has been so for so long: lifts and kettles do not, ms. */
export const confirmTime = 30_000;
/** From the first sign to the effect at the latest, ms: making sure, a step, the way to the device, the next reading of the meter. */
export const guardTime = 75_000;
/** Reserve where the plan has none, as a share of the limit. */
const usualReserve = 0.05;
/** A step of the controller and the way to the device, ms: what a return takes beside the pause. */
export const returnTime = 15_000;
/** Ends of sliding windows that are looked at. */
const slidingEnds = 15;

/** The end of one window: how far ahead it is, and what the window has used so far. */
export interface Reach {
  /** ms. */
  readonly ahead: number;
  /** kW.h */
  readonly used: number;
  readonly known: number;
}

export interface Outlook {
  /** kW, as it is once what was switched lately shows. */
  readonly power: number;
  /** The window that runs (fixed), or every end that is looked at (sliding). */
  readonly reaches: readonly Reach[];
  /** The next fixed window, when it begins so soon that what is to be off in it must go now. */
  readonly next: Reach | null;
}

export function windowStart({ window }: DemandPlan, now: number): number {
  return Math.floor(now / window) * window;
}

/** `power`: as it was measured. */
export function lookAhead(
  plan: DemandPlan,
  course: Course,
  power: number,
  loads: readonly Load[],
  now: number,
): Outlook {
  const settled = Math.max(0, power + loads.reduce((sum, load) => sum + unseen(load, course, now), 0));
  const { window } = plan;
  if (plan.kind === 'fixed') {
    const from = windowStart(plan, now);
    const ahead = from + window - now;
    const { energy, known } = usedBetween(course, from, now, power);
    return {
      power: settled,
      reaches: [{ ahead, used: energy, known }],
      next: ahead <= guardTime ? { ahead: window, used: 0, known: 1 } : null,
    };
  }
  const reaches = Array.from({ length: slidingEnds }, (_, i) => {
    const ahead = (window * (i + 1)) / slidingEnds;
    const { energy, known } = usedBetween(course, now + ahead - window, now, power);
    return { ahead, used: energy, known };
  });
  return { power: settled, reaches, next: null };
}

/** What a load that was switched lately changes and the meter has not shown yet, kW. */
function unseen({ memory, plan, defies }: Load, { power }: Course, now: number): number {
  if (memory === undefined || defies) return 0;
  const change = memory.shed ? -memory.saves : plan.power;
  const switched = now - memory.atLeast;
  if (power !== null && now - power.time <= powerPatience) return power.time < switched + settleTime ? change : 0;
  // The slope of the counter looks back over three minutes.
  return change * Math.max(0, 1 - memory.atLeast / (3 * powerPatience));
}

/** Mean power of the window if everything goes on, kW. */
export function predictedOf({ window }: DemandPlan, { used, ahead }: Reach, power: number): number {
  return (used * hourMs + power * ahead) / window;
}

export function reserveOf(plan: DemandPlan): number {
  return plan.reserve ?? usualReserve * plan.limit;
}

/**
 * kW.h that the window has left over if all is shed as soon and as long as its times allow and the rest of the campus draws its
 * reserve more than now until the end. Below 0: even that would not keep it.
 */
export function slackOf(plan: DemandPlan, reach: Reach, power: number, loads: readonly Load[]): number {
  const rest = Math.max(0, power - loads.reduce((sum, load) => sum + drawOf(load), 0));
  const early = loads.length * (plan.stagger + returnTime);
  const least = loads.reduce((sum, load) => sum + leastOf(load, reach.ahead, early), 0);
  const budget = (plan.limit * targetShare * plan.window) / hourMs;
  return budget - reach.used - ((rest + reserveOf(plan)) * reach.ahead) / hourMs - least;
}

/** What runs on while a decision takes effect, kW.h. */
export function guardOf(reach: Reach, draws: number): number {
  return (draws * Math.min(guardTime, reach.ahead)) / hourMs;
}

/** A load as it would be right after its return. */
export function returned(load: Load, now: number): Load {
  const memory: LoadMemory | undefined =
    load.memory === undefined ? undefined : { ...load.memory, shed: false, atLeast: 0, atMost: 0, since: now };
  return { ...load, now: 'on', memory, defies: false };
}
