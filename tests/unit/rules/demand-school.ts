import type { DemandLoad, DemandPlan } from '#edge/domain/energy.ts';
import type { PointRef, SpaceId, ZoneId } from '#edge/domain/ids.ts';
import { type DemandOutcome, stepDemand } from '#edge/rules/demand.ts';
import type { DemandOutput } from '#edge/rules/demand-loads.ts';
import { type DemandState, restoreDemand, startDemand } from '#edge/rules/demand-state.ts';
import { becauseLongEnough } from '#edge/rules/demand-words.ts';
import { below, seeded } from './random.ts';

/*
 * A school with a transformer that is too small, and a meter that is late: loads that obey after some seconds, a power that is up to
 * 10 s old and 0.5 % wrong, a counter that is read once a minute to 0.1 kWh. Everything comes from a seed.
 */

export const stepMs = 10_000;
const minute = 60_000;
const hourMs = 3_600_000;
/** 2026-11-02, a Monday, 00:00 in UTC: the school lives in UTC. */
export const start = Date.UTC(2026, 10, 2);

export interface SchoolOptions {
  readonly seed: number;
  readonly days: number;
  /** Hour of the day at which it begins. */
  readonly from?: number;
  readonly plan: DemandPlan;
  /** kW of a busy noon without the loads of the plan. */
  readonly size: number;
  /** Chance a minute that a fault of the kind begins. */
  readonly faults?: {
    readonly power: number;
    readonly counter: number;
    readonly restart: number;
    readonly clock: number;
  };
  /** kW of a kitchen that comes and goes by itself, for some minutes at a time. */
  readonly kitchen?: number;
  /** Share of the declared power that loads really draw. */
  readonly honesty?: number;
}

/** What is so in one step, whatever the controller does. */
export interface School {
  readonly options: SchoolOptions;
  readonly steps: number;
  /** kW that nothing can shed. */
  readonly base: Float64Array;
  /** By load of the plan: 1 where it wants to run. */
  readonly wishes: readonly Uint8Array[];
  readonly loads: readonly DemandLoad[];
}

/** A day of a school: sleep, a steep morning, lessons, a kitchen at noon, an evening in the dormitories. */
const shape: readonly (readonly [hour: number, share: number])[] = [
  [0, 0.16],
  [5.5, 0.16],
  [6.5, 0.38],
  [7.8, 0.62],
  [8.5, 0.74],
  [10.5, 0.82],
  [11.6, 1],
  [12.6, 0.86],
  [14, 0.78],
  [16.5, 0.72],
  [17.8, 0.58],
  [19, 0.55],
  [21.5, 0.42],
  [23, 0.2],
  [24, 0.16],
];

function shareAt(hour: number): number {
  const next = shape.findIndex(([at]) => at > hour);
  const [h0, s0] = shape[Math.max(0, next - 1)] ?? [0, 0];
  const [h1, s1] = shape[next] ?? [24, 0.16];
  return s0 + ((s1 - s0) * (hour - h0)) / Math.max(0.01, h1 - h0);
}

export function schoolOf(options: SchoolOptions): School {
  const { seed, days, plan, size, from = 0, kitchen = 0 } = options;
  const random = seeded(seed);
  const steps = Math.round((days * 24 * hourMs) / stepMs);
  const loads = plan.tiers.flatMap((tier) => tier.loads);
  const base = new Float64Array(steps);
  const wishes = loads.map(() => new Uint8Array(steps));
  let wander = 0;
  let cooks = false;
  let bump = { until: 0, power: 0 };
  for (let i = 0; i < steps; i++) {
    const time = from * hourMs + i * stepMs;
    const weekday = Math.floor(time / (24 * hourMs)) % 7;
    const hour = (time / hourMs) % 24;
    const isSchool = weekday < 5;
    wander = 0.995 * wander + (random() - 0.5) * 0.004;
    if (i >= bump.until && random() < 0.002) bump = { until: i + 3 + below(random, 30), power: random() * 0.04 };
    const lump = i < bump.until ? bump.power : 0;
    if (random() < 1 / 50) cooks = !cooks;
    const share = Math.max(0.05, (isSchool ? shareAt(hour) : 0.3 * shareAt(hour) + 0.1) + wander + lump);
    base[i] = size * share + (cooks ? kitchen : 0);
    loads.forEach((_, l) => {
      const wish = wishes[l];
      if (wish === undefined) return;
      const before = i === 0 ? 0 : (wish[i - 1] ?? 0);
      const share = isSchool && hour > 6.5 && hour < 21 ? 0.9 : 0.15;
      // Each thinks anew every ten minutes or so.
      wish[i] = i === 0 || random() < 1 / 60 ? Number(random() < share) : before;
    });
  }
  return { options, steps, base, wishes, loads };
}

export interface Trace {
  readonly school: School;
  /** True power of each step, kW. */
  readonly power: Float64Array;
  /** By load: 1 where the controller holds it off (as it decided), as decided at the beginning of the step. */
  readonly held: readonly Uint8Array[];
  /** By load: shed by the controller when the step began, so long already, ms + 1 (negative: given back so long ago; 0: never shed). */
  readonly ages: readonly Float64Array[];
  readonly blind: Uint8Array;
  /** By load: steps at which it was given back because it had to be. */
  readonly duties: readonly ReadonlySet<number>[];
  /** Steps at which the controller was started anew, or the clock was put. */
  readonly upsets: readonly number[];
  readonly outcomes: readonly { readonly step: number; readonly outcome: DemandOutcome }[];
  /** Wall clock minus true time at each step, ms. */
  readonly put: Float64Array;
}

const zone = 'teaching' as ZoneId;

/** Lives the school under the controller. `look` sees every outcome. */
export function live(school: School, look: (outcome: DemandOutcome, step: number) => void = () => {}): Trace {
  const { options, steps, base, wishes, loads } = school;
  const { plan, seed, faults, honesty = 1, from = 0 } = options;
  const random = seeded(seed ^ 0x5eed);
  const power = new Float64Array(steps);
  const held = loads.map(() => new Uint8Array(steps));
  const ages = loads.map(() => new Float64Array(steps));
  const blind = new Uint8Array(steps);
  const put = new Float64Array(steps);
  const upsets: number[] = [];
  const duties = loads.map(() => new Set<number>());
  const outcomes: { step: number; outcome: DemandOutcome }[] = [];
  let shift = 0;
  let monotonicFrom = 0;
  let total = 1_000;
  let counter = { value: total, time: start };
  let state: DemandState = startDemand(start + from * hourMs, 0);
  const badUntil = { power: 0, counter: 0, core: 0 };
  const since = loads.map(() => Number.NaN);
  const isHeld = loads.map(() => false);
  /** When the hold runs out by itself, true time. */
  const until = loads.map(() => 0);
  for (let i = 0; i < steps; i++) {
    const elapsed = i * stepMs;
    const truth = start + from * hourMs + elapsed;
    if (faults !== undefined && i % 6 === 0) {
      if (random() < faults.power) badUntil.power = i + 1 + below(random, 60);
      if (random() < faults.counter) badUntil.counter = i + 1 + below(random, 120);
      if (random() < faults.clock) {
        shift += (random() < 0.5 ? -1 : 1) * below(random, 20 * minute);
        upsets.push(i);
      }
      if (random() < faults.restart) {
        upsets.push(i);
        badUntil.core = i + below(random, 30);
        const stored: unknown = JSON.parse(JSON.stringify(state));
        const back = badUntil.core * stepMs;
        monotonicFrom = back - below(random, 10_000);
        state = restoreDemand(plan, stored, start + from * hourMs + back + shift, back - monotonicFrom);
      }
    }
    const now = truth + shift;
    put[i] = shift;
    // The load obeys within the step.
    let drawn = base[i] ?? 0;
    loads.forEach((load, l) => {
      if (!isHeld[l] && wishes[l]?.[i] === 1) drawn += load.power * honesty;
    });
    power[i] = drawn;
    total += (drawn * stepMs) / hourMs;
    if (i % 6 === 0) counter = { value: Math.floor(total * 10) / 10, time: now };
    blind[i] = Number(i < badUntil.power && i < badUntil.counter);
    loads.forEach((_, l) => {
      const own = held[l];
      const age = ages[l];
      const at = since[l] ?? Number.NaN;
      if (own !== undefined) own[i] = Number(isHeld[l]);
      if (age !== undefined) age[i] = Number.isNaN(at) ? 0 : (isHeld[l] ? 1 : -1) * (truth - at + 1);
    });
    if (i < badUntil.core) {
      loads.forEach((_, l) => {
        if (!isHeld[l] || truth + stepMs < (until[l] ?? 0)) return;
        isHeld[l] = false;
        since[l] = truth + stepMs;
      });
      continue;
    }
    const outputs = new Map<PointRef, DemandOutput>(
      loads.map((load, l) => [load.output, { value: isHeld[l] ? load.value : wishes[l]?.[i] === 1, zone }]),
    );
    const late = below(random, stepMs);
    const outcome = stepDemand(plan, state, {
      now: now + stepMs,
      monotonic: elapsed + stepMs - monotonicFrom,
      power: i < badUntil.power ? null : { value: drawn * (1 + (random() - 0.5) * 0.01), time: now + stepMs - late },
      energy: i < badUntil.counter ? null : counter,
      outputs,
    });
    state = outcome.state;
    if (outcome.changes.length > 0 || outcome.closed !== null) outcomes.push({ step: i, outcome });
    look(outcome, i);
    for (const { kind, ref, why } of outcome.changes) {
      const l = loads.findIndex(({ output }) => output === ref);
      if (kind === 'return' && why === becauseLongEnough) duties[l]?.add(i + 1);
    }
    loads.forEach((load, l) => {
      const shed = outcome.sheds.find(({ ref }) => ref === load.output);
      const off = shed !== undefined;
      until[l] = truth + stepMs + ((shed?.until ?? 0) - (now + stepMs));
      if (off !== isHeld[l]) since[l] = truth + stepMs;
      isHeld[l] = off;
    });
  }
  return { school, power, held, ages, blind, duties, upsets, outcomes, put };
}

export interface Verdict {
  /** Steps of the window. */
  readonly from: number;
  readonly to: number;
  /** kW */
  readonly demand: number;
  /** Had nothing been shed at all. */
  readonly free: number;
  /** Had everything allowed been shed from the window's start on. */
  readonly oracle: number;
  /** How far what cannot be shed rises above what it was up to half a minute before, as a mean over the rest of the window, kW. */
  readonly rise: number;
}

/**
 * What each window of the true clock came to, and what it could have come to. `stride`: steps between two windows; `reaction`: steps
 * that pass before the oracle's first decision is obeyed and seen.
 */
export function judge(
  { school, power, held, ages, duties }: Trace,
  stride: number,
  reaction: number,
): readonly Verdict[] {
  const { steps, base, wishes, loads, options } = school;
  const length = Math.round(options.plan.window / stepMs);
  const verdicts: Verdict[] = [];
  for (let from = stride; from + length <= steps; from += stride) {
    const to = from + length;
    let demand = 0;
    let free = 0;
    for (let i = from; i < to; i++) {
      demand += power[i] ?? 0;
      free += base[i] ?? 0;
      for (let l = 0; l < loads.length; l++) if (wishes[l]?.[i] === 1) free += loads[l]?.power ?? 0;
    }
    const oracle = oracleOf(school, { held, ages, duties }, from, to, reaction);
    verdicts.push({ from, to, demand: demand / length, free: free / length, oracle, rise: riseOf(school, from, to) });
  }
  return verdicts;
}

/**
 * Sheds everything it may as soon as it may, from the window's start on, with the times that each load has behind it then. What was off
 * before it gives back when the controller had to; what it sheds itself, as early before the end of its time as it takes for all loads to
 * come back one after the other.
 */
function oracleOf(
  { base, wishes, loads, options }: School,
  { held, ages, duties }: Pick<Trace, 'held' | 'ages' | 'duties'>,
  from: number,
  to: number,
  reaction: number,
): number {
  const early = loads.length * (options.plan.stagger + 15_000);
  let energy = 0;
  for (let i = from; i < to; i++) energy += base[i] ?? 0;
  loads.forEach((load, l) => {
    let off = held[l]?.[from] === 1;
    let age = Math.abs(ages[l]?.[from] ?? 0) - 1;
    const isFree = (ages[l]?.[from] ?? 0) === 0;
    if (!off && isFree) {
      off = true;
      age = 0;
    }
    let isOurs = held[l]?.[from] !== 1;
    for (let i = from; i < to; i++) {
      const mustReturn = isOurs ? age >= Math.max(load.minOff, load.maxOff - early) : duties[l]?.has(i) === true;
      if (off && mustReturn) {
        [off, age, isOurs] = [false, 0, true];
      } else if (!off && age >= load.minOn) [off, age] = [true, 0];
      const isLate = i - from < reaction && held[l]?.[from] !== 1;
      if ((!off || isLate) && wishes[l]?.[i] === 1) energy += load.power;
      age += stepMs;
    }
  });
  return energy / (to - from);
}

function riseOf({ base, wishes, loads }: School, from: number, to: number): number {
  let worst = 0;
  let sum = 0;
  for (let i = to - 1; i >= from; i--) {
    sum += base[i] ?? 0;
    // One that begins to run by itself runs until it is seen to.
    for (let l = 0; l < loads.length; l++) {
      if (wishes[l]?.[i] === 1 && wishes[l]?.[i - 1] !== 1) sum += (loads[l]?.power ?? 0) * 5;
    }
    let before = Number.POSITIVE_INFINITY;
    for (let k = Math.max(0, i - 3); k <= i; k++) before = Math.min(before, base[k] ?? 0);
    worst = Math.max(worst, sum / (to - i) - before);
    // What is nearly over cannot be steered.
    if (to - i < 5) worst = 0;
  }
  return worst;
}

/** A sentence for each time a rule was broken. Step times are exact, so a tolerance of one step for what must come in time. */
export function broken({ school, held, upsets, put }: Trace): readonly string[] {
  const { loads, steps, options } = school;
  const found: string[] = [];
  const returns: number[] = [];
  const gaps = new Set(upsets);
  const lasting = options.faults === undefined ? stepMs : 35 * stepMs;
  loads.forEach((load, l) => {
    const own = held[l];
    let since = Number.NEGATIVE_INFINITY;
    let was = 0;
    let upset = false;
    for (let i = 0; i < steps; i++) {
      if (gaps.has(i)) upset = true;
      const now = own?.[i] ?? 0;
      if (now === was) continue;
      const lasted = (i - since) * stepMs;
      if (was === 1) {
        returns.push(i);
        if (lasted < load.minOff) found.push(`${load.output} was off for ${lasted} ms only, at step ${i}`);
        if (lasted > load.maxOff + lasting)
          found.push(`${load.output} was off for ${lasted} ms, at step ${i}${upset ? ' after an upset' : ''}`);
      } else if (lasted < load.minOn) found.push(`${load.output} was on for ${lasted} ms only, at step ${i}`);
      was = now;
      since = i;
      upset = false;
    }
  });
  returns.sort((a, b) => a - b);
  for (let k = 1; k < returns.length; k++) {
    const apart = ((returns[k] ?? 0) - (returns[k - 1] ?? 0)) * stepMs;
    if (apart < options.plan.stagger)
      found.push(`two came back within ${apart} ms, at step ${returns[k]}, clock put by ${put[returns[k] ?? 0]}`);
  }
  return found;
}

/** A plan from chance: `n` loads in three tiers. */
export function planOf(
  random: () => number,
  about: {
    readonly n: number;
    readonly limit: number;
    readonly kind: DemandPlan['kind'];
    readonly reserve: number;
    readonly power: number;
  },
): DemandPlan {
  const stagger = 10_000 + 10_000 * below(random, 4);
  const loads = Array.from({ length: about.n }, (_, l): DemandLoad => {
    const minOff = minute * (1 + below(random, 8));
    const maxOff = minOff + about.n * (stagger + 15_000) + minute * below(random, 40);
    const output = `relay-1/relay_${l + 1}` as PointRef;
    return {
      output,
      value: false,
      power: about.power * (0.5 + random()),
      minOff,
      maxOff,
      minOn: minute * below(random, 8),
    };
  });
  const third = Math.ceil(loads.length / 3);
  return {
    meter: 'main',
    limit: about.limit,
    window: 15 * minute,
    kind: about.kind,
    stagger,
    reserve: about.reserve,
    protected: { outputs: [], zones: ['kitchen' as ZoneId], spaces: ['r101' as SpaceId] },
    tiers: ['comfort', 'water', 'halls'].map((id, t) => ({
      id,
      name: { zh: id, en: id },
      loads: loads.slice(t * third, (t + 1) * third),
    })),
  };
}
