import type { PointRef } from '#edge/domain/ids.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { SchoolPower, SchoolReason } from '#edge/domain/school.ts';
import type { PowerNeed } from './power-needs.ts';
import { gapOf, leadOf, learn, type PreparedRun, type PreparingRun } from './power-prepare.ts';

/*
 * What a circuit should do now, and why. Level-triggered: asked every few seconds with what is needed and what the sensors say, it
 * answers a wish that the caller holds at the priority of schedules; people, rules and demand control stand above it.
 */

/** A value that may be used, or null: unknown, bad or too old. */
export interface PowerScene {
  /** ms since epoch. */
  readonly now: number;
  readonly read: (ref: PointRef) => Value | null;
}

/** What it remembers from one decision to the next. JSON. */
export interface PowerMemory {
  /** null: it never said anything. */
  readonly on: boolean | null;
  /** ms since epoch of the last change. */
  readonly since: number;
  /** Somebody was last seen there; ms since epoch. */
  readonly lastOccupied: number | null;
  readonly run: PreparingRun | null;
  readonly runs: readonly PreparedRun[];
}

export const noPowerMemory: PowerMemory = { on: null, since: 0, lastOccupied: null, run: null, runs: [] };

export interface PowerDecision {
  readonly value: Value;
  readonly on: boolean;
  readonly why: readonly SchoolReason[];
  readonly since: number;
  /** Until then it stays so unless a sensor says something else; ms since epoch, null: nothing is known to change it. */
  readonly until: number | null;
}

interface Wish {
  readonly on: boolean;
  readonly why: readonly SchoolReason[];
  readonly until: number;
}

const minute = 60_000;
const never = Number.POSITIVE_INFINITY;

/** `needs`: of yesterday, today and tomorrow at least, ascending (power-needs.ts). */
export function decidePower(
  power: SchoolPower,
  needs: readonly PowerNeed[],
  scene: PowerScene,
  before: PowerMemory,
): { readonly decision: PowerDecision; readonly memory: PowerMemory } {
  const { now } = scene;
  const someone = occupancyOf(power, scene);
  const lastOccupied = someone === true ? now : earlierThan(now, before.lastOccupied);
  const run = runOf(power, needs, scene, before);
  const seen = { ...before, lastOccupied, run: run.run, runs: run.runs };
  const wish = wishOf(power, needs, scene, someone, seen);
  const { on, why, until } = withMinimum(power, wish, before, now);
  const hasChanged = on !== before.on;
  // A clock that was put back makes no change lie in the future.
  const since = hasChanged ? now : Math.min(before.since, now);
  const value = on ? power.on : (power.setback?.value ?? power.off);
  const told = on || power.setback === null ? why : [...why, reason('setback')];
  return {
    decision: { value, on, why: told, since, until: until === never ? null : until },
    memory: { ...seen, on, since },
  };
}

function earlierThan(now: number, time: number | null): number | null {
  return time === null ? null : Math.min(time, now);
}

/** null: nobody can say. */
function occupancyOf({ occupancy }: SchoolPower, { read }: PowerScene): boolean | null {
  if (occupancy === null) return null;
  const value = read(occupancy.ref);
  if (typeof value === 'boolean') return value;
  return typeof value === 'number' ? value > 0 : null;
}

function temperatureOf({ prepare }: SchoolPower, { read }: PowerScene): number | null {
  const value = prepare === null ? null : read(prepare.temperature);
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** The start under way: begun when it is time, ended and learnt from when it is there or due. */
function runOf(
  power: SchoolPower,
  needs: readonly PowerNeed[],
  scene: PowerScene,
  before: PowerMemory,
): Pick<PowerMemory, 'run' | 'runs'> {
  const { prepare } = power;
  if (prepare === null) return { run: null, runs: [] };
  const { now } = scene;
  const temperature = temperatureOf(power, scene);
  let { run, runs } = before;
  if (run !== null && now >= run.due) {
    runs = learn(prepare, run, run.due, temperature, runs);
    run = null;
  }
  const next = needs.find(({ due }) => due > now);
  // Painted differently meanwhile: what was begun is not for what comes now.
  if (run !== null && run.due !== next?.due) run = null;
  if (run === null && next !== undefined && now >= next.due - leadOf(prepare, temperature, runs) && now < next.due) {
    run = { due: next.due, from: now, temperature };
  }
  if (run !== null && run.temperature !== null && temperature !== null && gapOf(prepare, temperature) === 0) {
    runs = learn(prepare, run, now, temperature, runs);
    // It is kept there until it is due, and is not measured twice.
    run = { ...run, temperature: null };
  }
  return { run, runs };
}

function wishOf(
  power: SchoolPower,
  needs: readonly PowerNeed[],
  scene: PowerScene,
  someone: boolean | null,
  memory: PowerMemory,
): Wish {
  const { now } = scene;
  const need = needs.find(({ from, to }) => now >= from && now < to);
  if (memory.run !== null) {
    const isKnown = temperatureOf(power, scene) !== null;
    const why = [reason('preparing', { due: memory.run.due }), ...(isKnown ? [] : [reason('no-reading')])];
    return { on: true, why, until: memory.run.due };
  }
  if (need !== undefined) return inNeed(power, need, now, someone, memory);
  const next = needs.find(({ from }) => from > now);
  const start = next === undefined ? never : startOf(power, next, scene, memory);
  return keepsLight(power, now, someone, memory) ?? { on: false, why: [reason('no-need')], until: start };
}

/** When it comes on for a need, as far as is known now. */
function startOf(power: SchoolPower, next: PowerNeed, scene: PowerScene, { runs }: PowerMemory): number {
  if (power.prepare === null) return next.from;
  return Math.min(next.from, next.due - leadOf(power.prepare, temperatureOf(power, scene), runs));
}

function inNeed(
  { occupancy, prepare }: SchoolPower,
  need: PowerNeed,
  now: number,
  someone: boolean | null,
  { lastOccupied }: PowerMemory,
): Wish {
  if (occupancy === null) return { on: true, why: need.why, until: need.to };
  if (someone === null) return { on: true, why: [...need.why, reason('no-reading')], until: need.to };
  if (someone) return { on: true, why: [...need.why, reason('occupied')], until: need.to };
  // A room that was made ready for its lesson is not given up before anybody can have come.
  const waited = occupancy.toStart === 'schedule' || prepare !== null ? need.due : -never;
  const off = Math.max(lastOccupied ?? -never, waited) + occupancy.offAfter * minute;
  if (now < off) return { on: true, why: need.why, until: Math.min(need.to, off) };
  return { on: false, why: [reason('empty', { since: lastOccupied ?? need.from })], until: need.to };
}

/** Nobody is left in the dark: a light that is on stays until the last one has gone. */
function keepsLight(
  { kind, occupancy }: SchoolPower,
  now: number,
  someone: boolean | null,
  { on, lastOccupied }: PowerMemory,
): Wish | null {
  if (kind !== 'light' || occupancy === null || on !== true || someone === null || lastOccupied === null) return null;
  const off = lastOccupied + occupancy.offAfter * minute;
  if (now >= off) return null;
  return { on: true, why: [reason('occupied')], until: off };
}

function withMinimum(
  { minimumOn, minimumOff }: SchoolPower,
  wish: Wish,
  { on, since }: PowerMemory,
  now: number,
): Wish {
  if (on === null || on === wish.on) return wish;
  const end = Math.min(since, now) + (on ? minimumOn : minimumOff) * minute;
  if (now >= end) return wish;
  return { on, why: [reason(on ? 'minimum-on' : 'minimum-off', { until: end }), ...wish.why], until: end };
}

function reason(code: SchoolReason['code'], params?: SchoolReason['params']): SchoolReason {
  return params === undefined ? { code } : { code, params };
}
