import type { DemandPlan } from '#edge/domain/energy.ts';
import { usedBetween } from './demand-course.ts';
import type { Worst } from './demand-decide.ts';
import { type Outlook, windowStart } from './demand-outlook.ts';
import type { DemandState } from './demand-state.ts';

/* What is told of windows: how the one that runs will end, and how the last one did, with and without shedding. */

const hourMs = 3_600_000;
/** Less than this share of a window measured says nothing about its mean. */
const enoughKnown = 0.5;

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

export function predictionOf(
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
export function followWindow(
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
  const demand = known < enoughKnown ? null : measured;
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
