import type { Commands } from '#edge/commands/commands.ts';
import type { Device } from '#edge/domain/device.ts';
import type { DemandPlan, EnergyPlan } from '#edge/domain/energy.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import { type OutputState, priorities } from '#edge/domain/output.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import type { AlarmDecision, HoldChange } from '#edge/rules/decision.ts';
import { type DemandOutcome, stepDemand } from '#edge/rules/demand.ts';
import { type DemandState, restoreDemand } from '#edge/rules/demand-state.ts';
import type { DemandWindow } from '#edge/rules/demand-window.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Batch } from '#edge/store/batch.ts';
import {
  type Debt,
  type DebtLook,
  goneStagger,
  noteValues,
  oweUnshed,
  payBack,
  restoreDebt,
  shedValue,
} from './demand-desk-debt.ts';
import { loadsNow, measuredNow } from './demand-desk-input.ts';
import { demandState, mostWindows, readLimit, readWindows, shedLoads, windowsState } from './demand-desk-memory.ts';
import { blindAlarm, demandSource, sentence, shortAlarm } from './demand-desk-words.ts';

/*
 * The demand limits of the campus: looks at each every few seconds, holds what rules/demand.ts wants shed, gives back what it took
 * (demand-desk-debt.ts), and remembers over a restart. A hold of priority 12 ends at the latest time the plan allows.
 */

export interface DemandDeskOptions {
  readonly plan: Pick<EnergyPlan, 'meters' | 'demand'>;
  readonly devices: readonly Device[];
  readonly latest: () => ReadonlyMap<PointRef, Reading>;
  readonly commands: Pick<Commands, 'setInterlockHolds' | 'outputs'>;
  readonly decide: (decisions: readonly AlarmDecision[]) => void;
  /** Owed to the disk when it refuses. */
  readonly commit: (batch: Batch) => void;
  /** What was stored, by the name of the state. */
  readonly stored: Readonly<Record<string, unknown>>;
  readonly clock: Clock;
  /** Between two looks, ms; tests look by themselves. */
  readonly every?: number;
}

/** Whoever holds loads, and owes them: a limit, or one that the site does not have any more. */
interface Owner {
  readonly owner: string;
  /** Name of its state in the store. */
  readonly name: string;
  /** What was shed at the last look, and what it was told. */
  shed: ReadonlyMap<string, Value>;
  debt: Debt;
}

interface Limit extends Owner {
  readonly plan: DemandPlan;
  state: DemandState;
  outcome: DemandOutcome | null;
  windows: readonly DemandWindow[];
  /** Monotonic times since which the power is not known, nothing is left to shed, or neither is so; null: it is not so. */
  blindSince: number | null;
  shortSince: number | null;
  fineSince: number | null;
  /** `unknown`: of before the start. */
  alarm: 'short' | 'blind' | 'unknown' | null;
  keptAt: number;
}

const lookEvery = 5_000;
/** Between two notes of a state in which nothing happened, ms. */
const keepEvery = 60_000;
/** Of a meter that is silent people hear by its own alarm: that a limit stands unguarded comes after it, ms. */
const blindPatience = 300_000;
/** A kettle makes nobody run; and an alarm is over when it has been over for a while, ms. */
const shortPatience = 30_000;
const finePatience = 60_000;
/** A hold whose end moves by less is not said again, ms (rules/demand.ts). */
const sameUntil = 2_000;
const nobody: ReadonlyMap<string, Value> = new Map();

/** What one limit is about to do, for people: RPC `energy.now`. Powers kW, energies kW.h, times ms since epoch. */
export interface DemandNow extends Omit<DemandOutcome, 'state' | 'closed' | 'changes'> {
  readonly meter: string;
  readonly limit: number;
  /** Windows that are over, ascending; two days of them at most. */
  readonly windows: readonly DemandWindow[];
}

export class DemandDesk implements Disposable {
  readonly #options: DemandDeskOptions;
  readonly #limits: readonly Limit[];
  readonly #places: ReadonlyMap<string, Device>;
  readonly #ticker: Ticker;
  /** Limits that the site does not have any more and that still owe something. */
  #gone: readonly Owner[];

  constructor(options: DemandDeskOptions) {
    this.#options = options;
    this.#places = new Map(options.devices.map((device) => [device.id, device]));
    this.#limits = options.plan.demand.map((plan) => this.#restored(plan));
    this.#gone = this.#findGone();
    this.#payForGone();
    this.#ticker = new Ticker(options.every ?? lookEvery, () => this.look());
  }

  /** Looks at every limit once. */
  look(): void {
    this.#payForGone();
    if (this.#limits.length === 0) return;
    const latest = this.#options.latest();
    const outputs = this.#outputs();
    for (const limit of this.#limits) this.#step(limit, latest, outputs);
  }

  now(): readonly DemandNow[] {
    return this.#limits.flatMap(({ plan, outcome, windows }) => {
      if (outcome === null) return [];
      const { sheds, prediction, status } = outcome;
      return [{ meter: plan.meter, limit: plan.limit, sheds, prediction, status, windows }];
    });
  }

  [Symbol.dispose](): void {
    this.#ticker[Symbol.dispose]();
  }

  #outputs(): ReadonlyMap<string, OutputState> {
    return new Map(this.#options.commands.outputs().map((output) => [output.ref, output]));
  }

  #restored(plan: DemandPlan): Limit {
    const { clock, stored } = this.#options;
    const name = demandState(plan.meter);
    const kept = readLimit(stored[name]);
    return {
      plan,
      owner: demandSource(plan.meter),
      name,
      state: restoreDemand(plan, kept.state, clock.now(), clock.monotonic()),
      shed: new Map(shedLoads(kept.state).map((ref) => [ref, shedValue(plan, ref) ?? false])),
      debt: restoreDebt(kept.debt, clock.monotonic(), plan.stagger),
      outcome: null,
      windows: readWindows(stored[windowsState(plan.meter)]),
      blindSince: null,
      shortSince: null,
      fineSince: null,
      alarm: 'unknown',
      keptAt: Number.NEGATIVE_INFINITY,
    };
  }

  #step(limit: Limit, latest: ReadonlyMap<PointRef, Reading>, outputs: ReadonlyMap<string, OutputState>): void {
    const { clock } = this.#options;
    const outcome = stepDemand(limit.plan, limit.state, {
      now: clock.now(),
      monotonic: clock.monotonic(),
      ...measuredNow(limit.plan, this.#options.plan, latest),
      outputs: loadsNow(limit.plan, limit.owner, latest, outputs, this.#places),
    });
    const before = { shed: limit.shed, debt: JSON.stringify(limit.debt) };
    const sheds = new Map<string, Value>(outcome.sheds.map(({ ref, value }) => [ref, value]));
    limit.state = outcome.state;
    limit.outcome = outcome;
    limit.shed = sheds;
    if (outcome.closed !== null) {
      limit.windows = [...limit.windows, outcome.closed].slice(-mostWindows);
      this.#options.commit({ state: { [windowsState(limit.plan.meter)]: limit.windows } });
    }
    const look = this.#debtLook(limit, latest, outputs, before.shed);
    const why = new Map<string, string>(outcome.changes.map((change) => [change.ref, sentence(change.why)]));
    const owed = oweUnshed(noteValues(limit.debt, look), look, { ...before, why, plan: limit.plan });
    const { debt, changes } = payBack(owed, look);
    limit.debt = debt;
    // On disk before the holds: a core that is killed in between sheds again what it meant to, and owes it.
    const isNews = outcome.changes.length > 0 || JSON.stringify(debt) !== before.debt;
    if (isNews || clock.monotonic() - limit.keptAt >= keepEvery) this.#keep(limit);
    this.#hold(limit, outcome, outputs, changes);
    this.#tell(limit, outcome);
  }

  #debtLook(
    { owner, shed: sheds }: Owner,
    latest: ReadonlyMap<PointRef, Reading>,
    outputs: ReadonlyMap<string, OutputState>,
    before: ReadonlyMap<string, Value>,
  ): DebtLook {
    const { clock } = this.#options;
    const fresh = new Set([...sheds.keys()].filter((ref) => !before.has(ref)));
    return { owner, now: clock.now(), monotonic: clock.monotonic(), outputs, latest, sheds, fresh };
  }

  #hold(
    { owner }: Limit,
    { sheds }: DemandOutcome,
    outputs: ReadonlyMap<string, OutputState>,
    others: readonly HoldChange[],
  ): void {
    const { clock, commands } = this.#options;
    const now = clock.now();
    const holds = sheds.flatMap(({ ref, value, why, until }): HoldChange[] => {
      const mine = outputs.get(ref)?.stack.find((hold) => hold.owner === owner);
      const isStanding = mine?.value === value && Math.abs((mine.until ?? 0) - until) < sameUntil && until > now;
      if (isStanding) return [];
      const lasts = Math.max(1_000, until - now);
      return [{ kind: 'hold', owner, ref, value, priority: priorities.automation, reason: sentence(why), lasts }];
    });
    if (holds.length + others.length > 0) commands.setInterlockHolds([...others, ...holds]);
  }

  #tell(limit: Limit, outcome: DemandOutcome): void {
    const { clock, decide } = this.#options;
    const at = clock.monotonic();
    const { status } = outcome;
    limit.blindSince = status === 'blind' ? (limit.blindSince ?? at) : null;
    limit.shortSince = status === 'short' ? (limit.shortSince ?? at) : null;
    limit.fineSince = status === 'ok' || status === 'shedding' ? (limit.fineSince ?? at) : null;
    const hasLasted = (since: number | null, patience: number) => since !== null && at - since >= patience;
    const alarm = hasLasted(limit.shortSince, shortPatience)
      ? 'short'
      : hasLasted(limit.blindSince, blindPatience)
        ? 'blind'
        : hasLasted(limit.fineSince, finePatience)
          ? null
          : limit.alarm;
    if (alarm === limit.alarm || alarm === 'unknown') return;
    const source = limit.owner;
    limit.alarm = alarm;
    // After a start, too: nobody knows whether one was open before it.
    if (alarm === null) decide([{ kind: 'return', source, reason: 'the demand is within its limit again' }]);
    else if (alarm === 'short') decide([shortAlarm(source, outcome)]);
    else decide([blindAlarm(source, limit.plan, blindPatience / 60_000)]);
  }

  #keep(limit: Limit): void {
    limit.keptAt = this.#options.clock.monotonic();
    this.#options.commit({ state: { [limit.name]: { state: limit.state, debt: limit.debt } } });
  }

  /** What limits that the site has no more have left behind. */
  #findGone(): readonly Owner[] {
    const { commands, stored, clock } = this.#options;
    const known = new Set(this.#limits.map(({ owner }) => owner));
    const holders = commands.outputs().flatMap(({ stack }) => stack.map(({ owner }) => owner));
    const all = [...Object.keys(stored), ...holders].filter((one) => one.startsWith('demand:') && !known.has(one));
    return [...new Set(all)].map((owner): Owner => {
      const kept = readLimit(stored[owner]);
      const debt = restoreDebt(kept.debt, clock.monotonic(), goneStagger);
      return { owner, name: owner, shed: new Map(shedLoads(kept.state).map((ref) => [ref, false])), debt };
    });
  }

  #payForGone(): void {
    if (this.#gone.length === 0) return;
    const { commands, commit, latest } = this.#options;
    const outputs = this.#outputs();
    const open = this.#gone.filter((one) => {
      const before = { shed: one.shed, why: new Map<string, string>(), plan: null };
      one.shed = nobody;
      const look = this.#debtLook(one, latest(), outputs, nobody);
      const { debt, changes } = payBack(oweUnshed(one.debt, look, before), look);
      one.debt = debt;
      const isOpen = Object.keys(debt.returning).length > 0;
      const windows = windowsState(one.owner.slice('demand:'.length));
      if (!isOpen) commit({ state: { [one.name]: null, [windows]: null } });
      if (changes.length > 0) commands.setInterlockHolds(changes);
      return isOpen;
    });
    this.#gone = open;
  }
}
