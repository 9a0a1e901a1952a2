import type { SchoolPower } from '#edge/domain/school.ts';

/*
 * Pre-heat and pre-cool: how long before the first lesson an air conditioner must start. Every start is measured; how long the next one
 * takes is read off the starts that were most like it, from the slowest of them, because a cold classroom is worse than ten minutes of power.
 */

export type Preparation = NonNullable<SchoolPower['prepare']>;

/** A start that was measured. */
export interface PreparedRun {
  /** Degrees that it had to go. */
  readonly gap: number;
  /** Minutes that a degree took. */
  readonly pace: number;
}

/** A start under way. */
export interface PreparingRun {
  readonly due: number;
  /** ms since epoch and Cel at its start; temperature null: it was not known. */
  readonly from: number;
  readonly temperature: number | null;
}

const minute = 60_000;
const keptRuns = 12;
const likeliest = 3;
/** What a start is given beyond what such starts took. */
const reserve = 1.1;
/** A gap larger than any that was measured takes longer a degree: a room loses more the warmer it gets. */
const unknownReserve = 1.25;
/** Less than that is the noise of a thermometer, Cel. */
const measurable = 0.3;
/** No room changes slower or faster, minutes a degree. */
const slowest = 240;
const fastest = 0.5;

/** Degrees that are missing; 0 when it is there already. Aims at half of the tolerance, so that a reading that lags does no harm. */
export function gapOf({ mode, setpoint, tolerance }: Preparation, temperature: number): number {
  const missing = mode === 'heat' ? setpoint - temperature : temperature - setpoint;
  return Math.max(0, missing - tolerance / 2);
}

/** How long before it is due it must start, ms. Without a thermometer: as early as it may. */
export function leadOf(prepare: Preparation, temperature: number | null, runs: readonly PreparedRun[]): number {
  const most = prepare.earliest * minute;
  if (temperature === null) return most;
  const gap = gapOf(prepare, temperature);
  return Math.min(most, gap * paceFor(prepare, gap, runs) * minute);
}

function paceFor({ rate }: Preparation, gap: number, runs: readonly PreparedRun[]): number {
  if (runs.length === 0) return (60 / rate) * reserve;
  const alike = [...runs].sort((a, b) => Math.abs(a.gap - gap) - Math.abs(b.gap - gap)).slice(0, likeliest);
  const widest = Math.max(...runs.map((run) => run.gap));
  const pace = Math.max(...alike.map((run) => run.pace)) * reserve;
  return gap > widest * 1.2 ? pace * unknownReserve : pace;
}

/** What a start that is over (it is there, or it is due) has taught. */
export function learn(
  prepare: Preparation,
  run: PreparingRun,
  now: number,
  temperature: number | null,
  runs: readonly PreparedRun[],
): readonly PreparedRun[] {
  if (run.temperature === null || temperature === null) return runs;
  const covered = prepare.mode === 'heat' ? temperature - run.temperature : run.temperature - temperature;
  const minutes = (now - run.from) / minute;
  const pace = minutes / covered;
  // What got warmer by the sun alone, or did not move at all (a window, a broken unit), is no measure of it.
  if (covered < measurable || pace < fastest || pace > slowest) return runs;
  return [...runs, { gap: gapOf(prepare, run.temperature), pace }].slice(-keptRuns);
}
