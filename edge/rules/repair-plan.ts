import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';

/* What the ladder of repair knows, remembers and wants done. Times are ms since epoch UTC, durations ms. */

/** From the cheapest to the dearest: 检测 -> 重连 -> 重启 -> 切换 (its PoE port) -> 断电 (its relay) -> 人工. */
export const repairSteps = ['probe', 'reconnect', 'restart', 'switch', 'power', 'person'] as const;
export type RepairStep = (typeof repairSteps)[number];

/** What there is to mend one device with: from the site file. */
export interface RepairPlan {
  readonly device: DeviceId;
  readonly name: Name;
  readonly zone: string;
  /** false: only what a person starts. */
  readonly automatic: boolean;
  readonly after: number;
  readonly reconnect: number;
  readonly restart: number;
  readonly off: number;
  readonly boot: number;
  /** Power cycles within 24 h. */
  readonly perDay: number;
  /** It has an address of its own that is probed. */
  readonly probed: boolean;
  /** Process of its driver; null: it speaks to core itself. */
  readonly process: string | null;
  /** Outputs that carry its power; true = on. */
  readonly port: PointRef | null;
  readonly power: PointRef | null;
  /** Why its power is never cut; null: it may be. */
  readonly spared: string | null;
}

/** What is so now, as far as it concerns one device. */
export interface RepairFacts {
  readonly now: number;
  /** `unknown`: nobody can tell (its process is down, it has just started). */
  readonly health: 'well' | 'ill' | 'unknown';
  /** Since when it is ill, and what its driver says. */
  readonly since: number;
  readonly message: string;
  readonly probe: { readonly reachable: boolean; readonly at: number } | null;
  /** Of the devices of its driver; `restarted`: when repairs last restarted it, ascending. */
  readonly driver: {
    readonly isRunning: boolean;
    readonly ill: number;
    readonly of: number;
    readonly canRestart: boolean;
    readonly restarted: readonly number[];
  } | null;
  /** Why nothing may be switched or restarted now (people are being led out); null: nothing forbids it. */
  readonly emergency: string | null;
  /** Repairs of other devices that have something switched off now. */
  readonly cutting: number;
  /** null: there is no such output. */
  readonly output: (ref: PointRef) => OutputFacts | null;
}

export interface OutputFacts {
  /** As it was last read; null when that is not known. */
  readonly on: boolean | null;
  /** Who holds it, other than this repair. */
  readonly holder: string | null;
  /** The device that switches does not answer. */
  readonly isDead: boolean;
  /** Other devices on the same power that work. */
  readonly others: number;
}

export type StepState = 'done' | 'running' | 'next' | 'skipped';

export interface StepRecord {
  readonly step: RepairStep;
  readonly state: StepState;
  /** When it began, or was passed over; null: not yet. */
  readonly at: number | null;
  readonly outcome: string;
}

export interface RepairRecord {
  readonly device: DeviceId;
  readonly state: 'working' | 'healed' | 'person';
  readonly began: number;
  readonly ended: number | null;
  /** One of each, in order. */
  readonly steps: readonly StepRecord[];
  /** How far the running step is; `off`: this output is held off by us now. */
  readonly phase: {
    readonly kind: 'wait' | 'off' | 'on';
    readonly at: number;
    readonly ref: PointRef | null;
  } | null;
  readonly wellSince: number | null;
  /** Times in a row that it failed again soon after it was mended. */
  readonly flaps: number;
  /** When its power was cut, of the last 24 h. */
  readonly cuts: readonly number[];
}

/** `hold` and `relinquish` as owner `repair:<device>`. */
export type RepairAct =
  | { readonly kind: 'reconnect'; readonly process: string; readonly reason: string }
  | { readonly kind: 'restart'; readonly process: string; readonly reason: string }
  | { readonly kind: 'hold'; readonly ref: PointRef; readonly value: boolean; readonly reason: string }
  | { readonly kind: 'relinquish'; readonly ref: PointRef; readonly reason: string }
  | { readonly kind: 'raise'; readonly message: Name; readonly next: Name; readonly reason: string }
  | { readonly kind: 'return'; readonly reason: string };

/** `record` null: there is nothing to remember of it. */
export interface Advanced {
  readonly record: RepairRecord | null;
  readonly acts: readonly RepairAct[];
}

export const day = 86_400_000;

export function newRecord(plan: RepairPlan, now: number, before: RepairRecord | null, flaps: number): RepairRecord {
  return {
    device: plan.device,
    state: 'working',
    began: now,
    ended: null,
    steps: repairSteps.map((step) => ({ step, state: 'next', at: null, outcome: '' })),
    phase: null,
    wellSince: null,
    flaps,
    cuts: recent(before?.cuts ?? [], now),
  };
}

export function withStep(
  record: RepairRecord,
  step: RepairStep,
  state: StepState,
  at: number,
  outcome: string,
): RepairRecord {
  const steps = record.steps.map((one) =>
    one.step === step ? { step, state, at: state === 'next' ? one.at : (one.at ?? at), outcome } : one,
  );
  return { ...record, steps };
}

export function stepOf(record: RepairRecord, step: RepairStep): StepRecord {
  return record.steps.find((one) => one.step === step) ?? { step, state: 'next', at: null, outcome: '' };
}

export function runningStep(record: RepairRecord): RepairStep | null {
  return record.steps.find(({ state }) => state === 'running')?.step ?? null;
}

/** Those of the last 24 h; a clock that was set back does not make them last for ever. */
export function recent(times: readonly number[], now: number): readonly number[] {
  return times.filter((time) => time > now - day && time <= now);
}

export function inSeconds(ms: number): string {
  return ms < 120_000 ? `${Math.max(0, Math.round(ms / 1_000))} s` : `${Math.round(ms / 60_000)} min`;
}
