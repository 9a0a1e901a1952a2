import { z } from 'zod';
import type { Commands } from '#edge/commands/commands.ts';
import type { Device } from '#edge/domain/device.ts';
import type { DemandPlan, EnergyPlan } from '#edge/domain/energy.ts';
import { type PointRef, splitPointRef } from '#edge/domain/ids.ts';
import { priorities } from '#edge/domain/output.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import type { AlarmDecision, HoldChange } from '#edge/rules/decision.ts';
import { type DemandOutcome, stepDemand } from '#edge/rules/demand.ts';
import type { Measured } from '#edge/rules/demand-course.ts';
import type { DemandOutput } from '#edge/rules/demand-loads.ts';
import { type DemandState, restoreDemand } from '#edge/rules/demand-state.ts';
import type { DemandWindow } from '#edge/rules/demand-window.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Batch } from '#edge/store/batch.ts';

/*
 * The demand limits of the campus: looks at each every few seconds, holds what rules/demand.ts wants shed, and remembers over a
 * restart. A hold of priority 12 ends by itself at the latest time the plan allows: a core that is gone keeps no load off for ever.
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

interface Limit {
  readonly plan: DemandPlan;
  readonly owner: string;
  state: DemandState;
  outcome: DemandOutcome | null;
  windows: readonly DemandWindow[];
  /** Monotonic time since which the power is not known; null: it is. */
  blindSince: number | null;
  alarm: 'short' | 'blind' | null;
  keptAt: number;
  /** What each load was before it was shed: where nobody else holds it, that is what it becomes again. */
  values: Readonly<Record<string, Value>>;
}

const lookEvery = 5_000;
/** Two days of quarter hours. */
const mostWindows = 192;
/** Between two notes of a state in which nothing happened, ms. */
const keepEvery = 60_000;
/** Of a meter that is silent people hear by its own alarm: that a limit stands unguarded comes after it, ms. */
const blindPatience = 300_000;
/** What a load was before is asserted for so long; then it is the output's own affair again, ms. */
const giveBackFor = 60_000;

export const demandSource = (meter: string) => `demand:${meter}`;

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

  constructor(options: DemandDeskOptions) {
    this.#options = options;
    this.#places = new Map(options.devices.map((device) => [device.id, device]));
    this.#limits = options.plan.demand.map((plan) => this.#restored(plan));
    this.#letGoOfOrphans();
    this.#ticker = new Ticker(options.every ?? lookEvery, () => this.look());
  }

  /** Looks at every limit once. */
  look(): void {
    if (this.#limits.length === 0) return;
    const latest = this.#options.latest();
    const outputs = this.#outputsNow(latest);
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

  #restored(plan: DemandPlan): Limit {
    const { clock, stored } = this.#options;
    const kept = storedLimit.safeParse(stored[demandSource(plan.meter)]).data;
    return {
      plan,
      owner: demandSource(plan.meter),
      state: restoreDemand(plan, kept?.state, clock.now(), clock.monotonic()),
      outcome: null,
      windows: kept?.windows ?? [],
      blindSince: null,
      alarm: null,
      keptAt: Number.NEGATIVE_INFINITY,
      values: kept?.values ?? {},
    };
  }

  #step(limit: Limit, latest: ReadonlyMap<PointRef, Reading>, outputs: ReadonlyMap<PointRef, DemandOutput>): void {
    const { clock } = this.#options;
    const before = limit.outcome;
    const outcome = stepDemand(limit.plan, limit.state, {
      now: clock.now(),
      monotonic: clock.monotonic(),
      ...this.#measured(limit.plan, latest),
      outputs,
    });
    limit.state = outcome.state;
    limit.outcome = outcome;
    if (outcome.closed !== null) limit.windows = [...limit.windows, outcome.closed].slice(-mostWindows);
    limit.values = valuesBefore(limit.values, outcome, outputs);
    this.#hold(limit, before, outcome);
    this.#tell(limit, outcome);
    const isNews = outcome.changes.length > 0 || outcome.closed !== null;
    if (isNews || clock.monotonic() - limit.keptAt >= keepEvery) this.#keep(limit);
  }

  #hold({ owner, values }: Limit, before: DemandOutcome | null, { sheds, changes }: DemandOutcome): void {
    const { clock, commands } = this.#options;
    const priority = priorities.automation;
    const holds = sheds.map(({ ref, value, why, until }): HoldChange => {
      const lasts = Math.max(1_000, until - clock.now());
      return { kind: 'hold', owner, ref, value, priority, reason: sentence(why), lasts };
    });
    const shed = new Set(sheds.map(({ ref }) => ref));
    const given = new Map(changes.map(({ ref, why }) => [ref, sentence(why)]));
    const ends = (before?.sheds ?? [])
      .filter(({ ref }) => !shed.has(ref))
      .map(({ ref }): HoldChange => {
        const reason = given.get(ref) ?? 'the demand limit no longer needs it';
        const value = values[ref];
        // Most outputs keep what they have when nobody holds them: what was shed would stay off for ever.
        if (value === undefined) return { kind: 'relinquish', owner, ref, reason };
        return { kind: 'hold', owner, ref, value, priority, reason, lasts: giveBackFor };
      });
    if (holds.length + ends.length > 0) commands.setInterlockHolds([...ends, ...holds]);
  }

  #tell(limit: Limit, outcome: DemandOutcome): void {
    const { clock, decide } = this.#options;
    const isBlind = outcome.status === 'blind';
    limit.blindSince = isBlind ? (limit.blindSince ?? clock.monotonic()) : null;
    const isBlindLong = limit.blindSince !== null && clock.monotonic() - limit.blindSince >= blindPatience;
    const alarm = outcome.status === 'short' ? 'short' : isBlindLong ? 'blind' : isBlind ? limit.alarm : null;
    if (alarm === limit.alarm) return;
    const source = limit.owner;
    if (alarm === null) decide([{ kind: 'return', source, reason: 'the demand is within its limit again' }]);
    else decide([alarm === 'short' ? shortAlarm(source, outcome) : blindAlarm(source, limit.plan)]);
    limit.alarm = alarm;
  }

  #keep(limit: Limit): void {
    limit.keptAt = this.#options.clock.monotonic();
    this.#options.commit({
      state: { [limit.owner]: { state: limit.state, windows: limit.windows, values: limit.values } },
    });
  }

  /** Of the plan's meter: what can be used now. A sum of meters or a missing one cannot. */
  #measured({ meter }: DemandPlan, latest: ReadonlyMap<PointRef, Reading>) {
    const source = this.#options.plan.meters.find(({ id }) => id === meter)?.source;
    if (source?.kind !== 'real') return { power: null, energy: null };
    const { power, energy } = source;
    return {
      // A load that does not change is told rarely: as long as its quality is good it is so now. A counter is extrapolated from its time.
      power: power === null ? null : measuredOf(latest.get(power.ref), power.factor, this.#options.clock.now()),
      energy: measuredOf(latest.get(energy.ref), energy.factor),
    };
  }

  #outputsNow(latest: ReadonlyMap<PointRef, Reading>): ReadonlyMap<PointRef, DemandOutput> {
    const wanted = new Set(
      this.#limits.flatMap(({ plan }) => plan.tiers.flatMap((tier) => tier.loads.map((l) => l.output))),
    );
    const outputs = new Map<PointRef, DemandOutput>();
    for (const { ref, confirmed } of this.#options.commands.outputs()) {
      const device = wanted.has(ref) ? this.#places.get(splitPointRef(ref)?.device ?? '') : undefined;
      if (device === undefined) continue;
      const reading = latest.get(ref);
      const value =
        reading?.quality === 'good' ? reading.value : reading === undefined ? (confirmed?.value ?? null) : null;
      outputs.set(ref, { value, zone: device.zone, ...(device.space === undefined ? {} : { space: device.space }) });
    }
    return outputs;
  }

  /** Holds of a limit that the site no longer has, or of a load that left its plan, would else stand until their end. */
  #letGoOfOrphans(): void {
    const { commands } = this.#options;
    const shedValues = new Map<string, Value>(
      this.#options.plan.demand.flatMap(({ tiers }) =>
        tiers.flatMap((t) => t.loads.map((l) => [l.output, l.value] as const)),
      ),
    );
    const known = new Set(this.#limits.flatMap(({ owner, state }) => shedRefs(state).map((ref) => `${owner} ${ref}`)));
    const orphans = commands.outputs().flatMap(({ ref, stack }) =>
      stack
        .filter(({ owner }) => owner.startsWith('demand:') && !known.has(`${owner} ${ref}`))
        // What is being given back ends by itself.
        .filter(({ value }) => !shedValues.has(ref) || shedValues.get(ref) === value)
        .map(
          ({ owner }): HoldChange => ({
            kind: 'relinquish',
            owner,
            ref,
            reason: 'no demand limit stands for it any more',
          }),
        ),
    );
    if (orphans.length > 0) commands.setInterlockHolds(orphans);
  }
}

/** Parsed as far as it is ours: `restoreDemand` checks its own part. */
const storedLimit = z.object({
  state: z.unknown(),
  values: z.record(z.string(), z.union([z.number(), z.boolean(), z.string()])).catch({}),
  windows: z
    .array(
      z.object({
        from: z.number(),
        to: z.number(),
        demand: z.number().nullable(),
        unshed: z.number().nullable(),
        shed: z.number(),
        known: z.number(),
        limit: z.number(),
        exceeded: z.boolean(),
      }),
    )
    .max(mostWindows)
    .catch([]),
});

/** Remembers what loads are that are being shed now; forgets nothing that is still off. */
function valuesBefore(
  known: Limit['values'],
  { sheds, changes }: DemandOutcome,
  outputs: ReadonlyMap<PointRef, DemandOutput>,
): Limit['values'] {
  const news = changes
    .filter(({ kind }) => kind === 'shed')
    .map(({ ref }) => [ref, outputs.get(ref)?.value ?? null] as const);
  const off = new Map<string, Value>(sheds.map(({ ref, value }) => [ref, value]));
  const values = new Map<string, Value>(Object.entries(known));
  for (const [ref, value] of news) if (value !== null && value !== off.get(ref)) values.set(ref, value);
  return Object.fromEntries(values);
}

function shedRefs(state: DemandState): string[] {
  return Object.entries(state.loads).flatMap(([ref, { shed }]) => (shed ? [ref] : []));
}

function measuredOf(reading: Reading | undefined, factor: number, time = reading?.sourceTime ?? 0): Measured | null {
  if (reading === undefined || reading.quality !== 'good' || typeof reading.value !== 'number') return null;
  return { value: reading.value * factor, time };
}

/** Reasons of holds are one text; people of both languages read it. */
const sentence = ({ zh, en }: { readonly zh: string; readonly en: string }) => `${zh} / ${en}`;

function shortAlarm(source: string, { prediction }: DemandOutcome): AlarmDecision {
  const { limit } = prediction;
  const predicted = Math.round(prediction.predicted ?? limit);
  return {
    kind: 'raise',
    source,
    class: 'high',
    message: {
      zh: `需量预计达到 ${predicted} kW，超过限值 ${limit} kW，且已无可切除的负荷`,
      en: `Demand is going to reach ${predicted} kW, above the limit of ${limit} kW, and nothing is left to shed`,
    },
    next: {
      zh: '在本需量周期结束前，人工关闭大功率设备，或推迟其启动',
      en: 'Before this window ends, switch off large loads by hand or put off starting them',
    },
    reason: `predicted ${predicted} kW, limit ${limit} kW`,
  };
}

function blindAlarm(source: string, { meter, limit }: DemandPlan): AlarmDecision {
  return {
    kind: 'raise',
    source,
    class: 'medium',
    message: {
      zh: `需量控制收不到总表功率，${limit} kW 的限值暂时无人看守`,
      en: `Demand control does not get the power of its meter: the limit of ${limit} kW is not guarded`,
    },
    next: { zh: `检查电表 ${meter} 的通信`, en: `Look at the line of the meter ${meter}` },
    reason: `the power of ${meter} has not been known for ${blindPatience / 60_000} min`,
  };
}
