import type { CounterRule } from '#edge/domain/device.ts';

/*
 * Energy and volume counters. The lesson of a 53.7 MWh slot (evcc #30267): never rebase on a lower reading. A counter
 * that steps back or leaps is held at its last believed value as uncertain; three agreeing reads of the new course say
 * that the meter was probably swapped, and then a person decides.
 */

export interface CounterState {
  /** Last believed value, in the point's unit, and when it last moved (ms, source time). */
  readonly base: number;
  readonly movedAt: number;
  /** The other course: where it is, since when, how many reads agreed. */
  readonly other: { readonly value: number; readonly at: number; readonly agreed: number } | null;
}

export interface CounterVerdict {
  readonly state: CounterState;
  /** What to show: the new value, or the believed one when the step is refused. */
  readonly value: number;
  readonly believed: boolean;
  /** True exactly once per swap: the third agreeing read. */
  readonly swapSuspected: boolean;
}

const agreeingReads = 3;
/** Headroom over the rule's fastest rise, because meters update their register in steps. */
const rateTolerance = 1.2;
/** Relative step of a 32-bit float, which most meters send: 2 Wh above 16,384 kWh. */
const floatStep = 2 ** -23;

export function startCounter(value: number, at: number): CounterState {
  return { base: value, movedAt: at, other: null };
}

/** Judges the next read. `at` is source time in ms and may stand still; rates are then taken over one second. */
export function stepCounter(rule: CounterRule, state: CounterState, value: number, at: number): CounterVerdict {
  const { base, movedAt } = state;
  if (Math.abs(value - base) <= Math.max(Math.abs(base), Math.abs(value)) * floatStep) {
    return believe({ base, movedAt, other: null }, base);
  }
  if (isRise(rule, base, movedAt, value, at) || isRollover(rule, base, movedAt, value, at)) {
    return believe(startCounter(value, at), value);
  }
  const { other } = state;
  const agrees = other !== null && (value === other.value || isRise(rule, other.value, other.at, value, at));
  const agreed = agrees ? other.agreed + 1 : 1;
  return {
    state: { base, movedAt, other: { value, at, agreed } },
    value: base,
    believed: false,
    swapSuspected: agreed === agreeingReads,
  };
}

function believe(state: CounterState, value: number): CounterVerdict {
  return { state, value, believed: true, swapSuspected: false };
}

function isRise(rule: CounterRule, from: number, fromTime: number, to: number, at: number): boolean {
  return to >= from && to - from <= allowedRise(rule, from, to, at - fromTime);
}

/** Past the top and started again. Exactly 0 after non-zero is never believed at once: it is also what a reset sends. */
function isRollover(rule: CounterRule, from: number, fromTime: number, to: number, at: number): boolean {
  const { wrap } = rule;
  if (wrap === undefined || to <= 0 || from <= 0.9 * wrap || to >= 0.1 * wrap) return false;
  return wrap - from + to <= allowedRise(rule, from, to, at - fromTime);
}

function allowedRise(rule: CounterRule, from: number, to: number, elapsed: number): number {
  if (rule.maxRate === undefined) return Number.POSITIVE_INFINITY;
  const hours = Math.max(elapsed, 1_000) / 3_600_000;
  return rule.maxRate * hours * rateTolerance + resolution(from, to);
}

/** One step of the register as far as two values show it (1, 0.1, 0.01 or 0.001), or of a float that large. */
function resolution(a: number, b: number): number {
  const step = Math.max(Math.abs(a), Math.abs(b)) * floatStep;
  for (const quantum of [1, 0.1, 0.01]) {
    if (isMultiple(a, quantum, step) && isMultiple(b, quantum, step)) return Math.max(quantum, step);
  }
  return Math.max(0.001, step);
}

function isMultiple(value: number, quantum: number, tolerance: number): boolean {
  const nearest = Math.round(value / quantum) * quantum;
  return Math.abs(value - nearest) <= Math.max(tolerance, quantum * 1e-6);
}
