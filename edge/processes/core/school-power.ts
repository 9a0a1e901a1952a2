import { maxReason } from '#edge/commands/check-request.ts';
import type { Commands } from '#edge/commands/commands.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import { type OutputState, priorities } from '#edge/domain/output.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import type { LocalDate, SchoolPower } from '#edge/domain/school.ts';
import type { HoldChange } from '#edge/rules/decision.ts';
import { clip } from '#edge/rules/words.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { addDays, clockOf } from '#edge/school/dates.ts';
import type { SchoolPlan } from '#edge/school/plan.ts';
import type { Named } from '#edge/school/plan-parts.ts';
import {
  decidePower,
  noPowerMemory,
  type PowerDecision,
  type PowerMemory,
  type PowerScene,
} from '#edge/school/power.ts';
import { type PowerChange, powerAhead } from '#edge/school/power-ahead.ts';
import { joinNeeds, type PowerNeed } from '#edge/school/power-needs.ts';
import { needsOn, powersOf } from '#edge/school/power-plan.ts';
import type { PreparedRun } from '#edge/school/power-prepare.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { SchoolMoment } from './school-desk.ts';
import { readPowerMemories } from './school-power-memory.ts';
import { whyPower } from './school-power-words.ts';

/*
 * Circuits by the school day, level by level: every ten seconds it is decided anew what each should do, and held at the priority of
 * schedules. A hold ends by itself half a day after the last look that wanted it, so that nothing stays on for a desk that is gone.
 */

export interface PowerDeskOptions {
  readonly commands: Pick<Commands, 'setInterlockHolds' | 'outputs'>;
  readonly latest: () => ReadonlyMap<PointRef, Reading>;
  readonly stored: unknown;
  readonly commit: (batch: Batch) => void;
  readonly clock: Clock;
}

/** A circuit as people see it: RPC `school.power`. Times are ms since epoch. */
export interface PowerNow {
  readonly entry: string;
  readonly power: SchoolPower;
  readonly decision: PowerDecision;
  /** To the end of tomorrow; what is assumed is among the reasons. */
  readonly next: readonly PowerChange[];
  /** Starts that were measured, of a circuit that is prepared. */
  readonly learned: readonly PreparedRun[];
}

/** What is remembered of a circuit, and which outputs its holds are on. */
export interface KeptPower {
  readonly memory: PowerMemory;
  readonly refs: readonly PointRef[];
}

interface Planned {
  readonly powers: readonly Named<SchoolPower>[];
  readonly needs: (power: Named<SchoolPower>) => readonly PowerNeed[];
}

interface Known {
  readonly key: string;
  readonly plans: readonly (SchoolPlan | null)[];
  readonly planned: Planned;
}

/** Yesterday, today, tomorrow. */
const around = [-1, 0, 1] as const;
export const schoolPowerState = 'school-power';
const holdFor = 12 * 3_600_000;
/** Said again when less of it is left. */
const renewBelow = holdFor / 2;
const keepEvery = 600_000;
const retellAfter = 60_000;
/** A value that is kept for a device that went silent says nothing of now. */
const kept = 'last-usable-value';

export class PowerDesk {
  readonly #options: PowerDeskOptions;
  readonly #kept: Map<string, KeptPower>;
  #moment: SchoolMoment | null = null;
  #known: Known | null = null;
  /** By output, of the outputs of this campus: when a hold was said last, ms since epoch. */
  readonly #toldAt = new Map<PointRef, number>();
  #keptAt = Number.NEGATIVE_INFINITY;
  #keptText = '';

  constructor(options: PowerDeskOptions) {
    this.#options = options;
    this.#kept = readPowerMemories(options.stored);
  }

  /** With a clock that nobody believes nothing is decided: what is held stays so until its own end. */
  tick(moment: SchoolMoment): void {
    if (moment.paused !== null) return;
    this.#moment = moment;
    const scene = this.#scene(moment.now);
    const plan = moment.planOn(moment.date);
    const changes: HoldChange[] = [];
    const outputs = new Map(this.#options.commands.outputs().map((output) => [output.ref, output]));
    const { powers, needs } = this.#planned(moment);
    let isNews = false;
    for (const power of powers) {
      const before = this.#kept.get(power.id);
      const { decision, memory } = decidePower(power, needs(power), scene, before?.memory ?? noPowerMemory);
      isNews ||= before?.memory.on !== memory.on || before.refs !== power.outputs;
      changes.push(...this.#holds(power, decision, plan, moment.now, outputs));
      changes.push(...this.#release(power.id, before?.refs ?? [], power.outputs));
      this.#kept.set(power.id, { memory, refs: power.outputs });
    }
    changes.push(...this.#releaseOthers(new Set(powers.map(({ id }) => id))));
    if (changes.length > 0) this.#options.commands.setInterlockHolds(changes);
    this.#keep(isNews);
  }

  /** null: nothing was decided since the start. */
  now(): readonly PowerNow[] | null {
    const moment = this.#moment;
    if (moment === null) return null;
    const scene = this.#scene(this.#options.clock.now());
    const plan = moment.planOn(moment.date);
    if (plan === null) return [];
    const until = plan.clock.dayOf(addDays(moment.date, 1)).to;
    const { powers, needs: needsOfPower } = this.#planned(moment);
    return powers.map((power) => {
      const { memory } = this.#kept.get(power.id) ?? { memory: noPowerMemory };
      const needs = needsOfPower(power);
      const { decision } = decidePower(power, needs, scene, memory);
      const { id: entry, ...rest } = power;
      const next = powerAhead(power, needs, scene, memory, until);
      return { entry, power: rest, decision, next, learned: memory.runs };
    });
  }

  /** Circuits and when they are needed, worked out again only when a date, a plan or a shift is another. */
  #planned(moment: SchoolMoment): Planned {
    const { date, planOn, overrides } = moment;
    const plans = around.map((distance) => planOn(addDays(date, distance)));
    const shifts = overrides.flatMap(({ id, what, until }) => (what.kind === 'shift' ? [`${id} ${until}`] : [])).join();
    const known = this.#known;
    if (known?.key === `${date} ${shifts}` && plans.every((plan, n) => plan === known.plans[n])) return known.planned;
    const plan = plans[around.indexOf(0)] ?? null;
    const found = new Map<string, readonly PowerNeed[]>();
    const planned: Planned = {
      powers: plan === null ? [] : powersOf(plan),
      needs: (power) => {
        const kept = found.get(power.id) ?? needsOf(moment, power);
        found.set(power.id, kept);
        return kept;
      },
    };
    this.#known = { key: `${date} ${shifts}`, plans, planned };
    return planned;
  }

  #scene(now: number): PowerScene {
    const latest = this.#options.latest();
    return {
      now,
      read: (ref): Value | null => {
        const reading = latest.get(ref);
        return reading === undefined || reading.quality === 'bad' || reading.reason === kept ? null : reading.value;
      },
    };
  }

  #holds(
    power: Named<SchoolPower>,
    decision: PowerDecision,
    plan: SchoolPlan | null,
    now: number,
    outputs: ReadonlyMap<PointRef, OutputState>,
  ): HoldChange[] {
    const owner = ownerOf(power.id);
    const { value } = decision;
    const clock = (time: number) => (plan === null ? '' : clockOf(plan.clock.secondOf(time)).slice(0, 5));
    const reason = clip(whyPower(power, decision.why, clock), maxReason);
    return power.outputs.flatMap((ref): HoldChange[] => {
      const mine = outputs.get(ref)?.stack.find((hold) => hold.owner === owner);
      const left = (mine?.until ?? 0) - now;
      const stands = mine !== undefined && mine.value === value && left > renewBelow && left <= holdFor;
      // Why it is so may change more often than what it is: not told, and written down, more than once a minute.
      const isTold = mine?.reason === reason || now - (this.#toldAt.get(ref) ?? 0) < retellAfter;
      if ((stands && isTold) || !outputs.has(ref)) return [];
      this.#toldAt.set(ref, now);
      return [{ kind: 'hold', owner, ref, value, priority: priorities.schedule, reason, lasts: holdFor }];
    });
  }

  /** Outputs that it does not have any more. */
  #release(entry: string, before: readonly PointRef[], now: readonly PointRef[]): HoldChange[] {
    const gone = before.filter((ref) => !now.includes(ref));
    const reason = 'no schedule holds it any more';
    return gone.map((ref) => ({ kind: 'relinquish', owner: ownerOf(entry), ref, reason }));
  }

  #releaseOthers(powers: ReadonlySet<string>): HoldChange[] {
    const gone = [...this.#kept].filter(([id]) => !powers.has(id));
    for (const [id] of gone) this.#kept.delete(id);
    return gone.flatMap(([id, { refs }]) => this.#release(id, refs, []));
  }

  #keep(isNews: boolean): void {
    const { clock, commit } = this.#options;
    if (!isNews && clock.monotonic() - this.#keptAt < keepEvery) return;
    this.#keptAt = clock.monotonic();
    const state = Object.fromEntries(this.#kept);
    const text = JSON.stringify(state);
    if (text === this.#keptText) return;
    this.#keptText = text;
    commit({ state: { [schoolPowerState]: state } });
  }
}

function ownerOf(entry: string): string {
  return `schedule:${entry}`;
}

/** Yesterday's, today's and tomorrow's may come from plans that were signed at different times. */
function needsOf(moment: SchoolMoment, power: Named<SchoolPower>): readonly PowerNeed[] {
  const days = around.map((distance) => onDate(addDays(moment.date, distance), moment, power.id));
  return joinNeeds(power, days);
}

function onDate(date: LocalDate, { planOn, overrides }: SchoolMoment, id: string): readonly PowerNeed[] {
  const plan = planOn(date);
  const power = plan?.entries[id];
  return plan === null || power?.part !== 'power' ? [] : needsOn(plan, power, date, overrides);
}
