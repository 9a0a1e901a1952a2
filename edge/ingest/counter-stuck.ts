import type { Device, Point } from '#edge/domain/device.ts';

/*
 * A counter that stands still while its own meter says that something flows: a register that is broken, or the wrong one.
 * Nothing is held for it, because what it shows may be true; somebody must look.
 */

/** What a flow counts in an hour, in the units of both. */
const perHour: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  W: { 'W.h': 1, 'kW.h': 1e-3, 'MW.h': 1e-6 },
  kW: { 'W.h': 1e3, 'kW.h': 1, 'MW.h': 1e-3 },
  MW: { 'W.h': 1e6, 'kW.h': 1e3, 'MW.h': 1 },
  'm3/h': { m3: 1, L: 1e3 },
  'L/h': { m3: 1e-3, L: 1 },
};
/** Counters of what goes the other way, of one phase or one tariff stand still for good reasons. */
const flows: Readonly<Record<string, readonly string[]>> = {
  energy: ['power'],
  energy_import: ['power'],
  energy_total: ['power'],
  volume: ['flow'],
  volume_total: ['flow'],
  heat: ['power'],
};
/** It must have stood still for so long, ms, and so much must have flown: steps of the register, and of the rate. */
const patience = 3 * 3_600_000;
const coarsest = 10;
const longestStep = 10 * 60_000;

export interface StuckState {
  readonly value: number;
  /** What has flown since it last moved, in the counter's unit, and for how long something did, ms. */
  readonly flown: number;
  readonly flowing: number;
  readonly at: number;
}

/** The point of the same device that says what flows into the counter, and what one of its units is in an hour; null: none does. */
export function flowOf(
  device: Pick<Device, 'points'>,
  counter: Point,
): { readonly point: Point; readonly factor: number } | null {
  const names = flows[counter.name] ?? [];
  const point = device.points.find(({ name, type }) => type === 'number' && names.includes(name));
  const factor = perHour[point?.unit ?? '']?.[counter.unit];
  return point === undefined || factor === undefined ? null : { point, factor };
}

/**
 * One look. `flow`: what flows now, in the counter's unit per hour, or null when it is not known (then nothing is added). `at`:
 * monotonic ms. Stuck is what has not moved for 3 h of flow while 10 of its units, or an hour at a full kilowatt, went by.
 */
export function stepStuck(
  state: StuckState | null,
  look: { readonly value: number; readonly flow: number | null; readonly at: number },
): { readonly state: StuckState; readonly isStuck: boolean } {
  const { value, flow, at } = look;
  if (state === null || state.value !== value) return { state: { value, flown: 0, flowing: 0, at }, isStuck: false };
  const ms = Math.min(longestStep, Math.max(0, at - state.at));
  const isFlowing = flow !== null && flow > 0;
  const flown = state.flown + (isFlowing ? (flow * ms) / 3_600_000 : 0);
  const flowing = state.flowing + (isFlowing ? ms : 0);
  return { state: { value, flown, flowing, at }, isStuck: flowing >= patience && flown >= coarsest };
}
