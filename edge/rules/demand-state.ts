import type { DemandPlan } from '#edge/domain/energy.ts';
import { type Course, emptyCourse } from './demand-course.ts';
import { type Load, type LoadMemory, untilsOf } from './demand-loads.ts';

/* What the demand controller remembers between two steps, and over a restart: plain JSON. */

export interface DemandState {
  readonly version: 1;
  /** Times of the last step. */
  readonly now: number;
  readonly monotonic: number;
  readonly course: Course;
  /** By output. */
  readonly loads: Readonly<Record<string, LoadMemory>>;
  /**
   * How long the prediction has been above the target, waiting longer has been unsafe, there has been room for the next return, and since
   * the last one, ms.
   */
  readonly overFor: number;
  readonly tightFor: number;
  readonly calmFor: number;
  readonly sinceReturn: number;
  /** The window of the clock that runs: its start, kW.h that shedding kept from being drawn, highest mean that ended in it, kW. */
  readonly window: { readonly from: number; readonly shed: number; readonly peak: number };
}

export function startDemand(now: number, monotonic: number): DemandState {
  const window = { from: 0, shed: 0, peak: 0 };
  // The first return may come at once: nothing came back before it.
  const sinceReturn = 86_400_000;
  const waits = { overFor: 0, tightFor: 0, calmFor: 0, sinceReturn };
  return { version: 1, now, monotonic, course: emptyCourse, loads: {}, ...waits, window };
}

/**
 * What was stored before a restart. Nobody knows how long that took by the clock (it may have been put meanwhile): minimum times go on
 * from where they were, the longest time off counts the whole time by the wall clock. A load whose hold has run out by then is back by
 * itself: it counts as given back now. Anything that cannot be read is a fresh start.
 */
export function restoreDemand(plan: DemandPlan, stored: unknown, now: number, monotonic: number): DemandState {
  const fresh = startDemand(now, monotonic);
  if (!isStored(stored)) return fresh;
  const away = Math.max(0, now - stored.now);
  const lapse = lapsesOf(plan, stored.loads);
  const loads = Object.fromEntries(
    Object.entries(stored.loads).flatMap(([ref, memory]): [string, LoadMemory][] => {
      const { known, left } = lapse(ref);
      if (!known) return [];
      if (!memory.shed || away < left) return [[ref, { ...memory, atMost: memory.atMost + away }]];
      return [[ref, { ...memory, shed: false, atLeast: 0, atMost: 0, since: now, saves: 0 }]];
    }),
  );
  const isUsable = now >= stored.now;
  return {
    ...stored,
    now,
    monotonic,
    course: isUsable ? stored.course : emptyCourse,
    loads,
    overFor: 0,
    tightFor: 0,
    calmFor: 0,
    sinceReturn: 0,
  };
}

/** How long after it was stored each hold ran out. */
function lapsesOf(plan: DemandPlan, memories: DemandState['loads']) {
  let order = 0;
  const loads = plan.tiers.flatMap((tier) =>
    tier.loads.map((load): Load => {
      const memory = Object.hasOwn(memories, load.output) ? memories[load.output] : undefined;
      const now = memory?.shed === true ? 'shed' : 'unknown';
      return { plan: load, tier, order: order++, memory, now, defies: false };
    }),
  );
  const untils = untilsOf(loads, plan.stagger);
  const known = new Set<string>(loads.map((load) => load.plan.output));
  return (ref: string) => ({ known: known.has(ref), left: untils.get(ref) ?? Number.POSITIVE_INFINITY });
}

function isStored(value: unknown): value is DemandState {
  if (!isRecord(value) || value.version !== 1) return false;
  const { course, loads, window } = value;
  return (
    [value.now, value.monotonic, value.overFor, value.tightFor, value.calmFor, value.sinceReturn].every(
      Number.isFinite,
    ) &&
    isRecord(window) &&
    [window.from, window.shed, window.peak].every(Number.isFinite) &&
    isCourse(course) &&
    isRecord(loads) &&
    Object.values(loads).every(isMemory)
  );
}

function isCourse(value: unknown): value is Course {
  return (
    isRecord(value) &&
    isNumberOrNull(value.offset) &&
    isNumberOrNull(value.counterTime) &&
    (value.power === null || (isRecord(value.power) && [value.power.value, value.power.time].every(Number.isFinite))) &&
    Array.isArray(value.points) &&
    value.points.length <= 1_000 &&
    value.points.every(
      (point) =>
        isRecord(point) &&
        [point.t, point.counted, point.summed].every(Number.isFinite) &&
        typeof point.sure === 'boolean',
    )
  );
}

function isMemory(value: unknown): value is LoadMemory {
  return (
    isRecord(value) &&
    typeof value.shed === 'boolean' &&
    [value.atLeast, value.atMost, value.since, value.saves].every(Number.isFinite) &&
    isRecord(value.why) &&
    typeof value.why.zh === 'string' &&
    typeof value.why.en === 'string'
  );
}

function isNumberOrNull(value: unknown): boolean {
  return value === null || Number.isFinite(value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
