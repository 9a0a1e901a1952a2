import type { NetworkRow } from '#edge/bus/codec.ts';
import type { Commands } from '#edge/commands/commands.ts';
import type { AuditLine } from '#edge/domain/audit.ts';
import { speaksToLoudspeakers } from '#edge/domain/device.ts';
import type { DeviceHealth, ProcessStatus } from '#edge/domain/health.ts';
import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import { type OutputState, priorities, sessionPoint } from '#edge/domain/output.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { AlarmDecision, HoldChange } from '#edge/rules/decision.ts';
import { advance, raise, startByHand } from '#edge/rules/repair.ts';
import {
  type OutputFacts,
  type RepairAct,
  type RepairFacts,
  type RepairPlan,
  type RepairRecord,
  type RepairStep,
  recent,
} from '#edge/rules/repair-plan.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Site } from '#edge/runtime/site.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { Campus } from '../campus.ts';
import { repairCampus, switchOf } from './repair-campus.ts';
import { readMemory } from './repair-memory.ts';

export interface RepairOptions {
  readonly site: Site;
  readonly campus: Campus;
  readonly stored: unknown;
  readonly watch: { healths(): readonly DeviceHealth[] };
  readonly latest: () => ReadonlyMap<PointRef, Reading>;
  readonly commands: Pick<Commands, 'setInterlockHolds' | 'pulse' | 'outputs'>;
  /** A rule that protects lives and is fired. */
  readonly urgent: () => string | null;
  readonly decide: (decisions: readonly AlarmDecision[]) => void;
  /** Owed to the disk when it refuses. */
  readonly commit: (batch: Batch) => void;
  /** Asks the supervisor; undefined where there is none. */
  readonly reload: ((processes: readonly string[]) => void) | undefined;
  readonly clock: Clock;
  /** Between two looks, ms; tests look more often. */
  readonly every?: number;
}

interface Sight {
  readonly now: number;
  readonly healths: ReadonlyMap<string, DeviceHealth>;
  readonly outputs: ReadonlyMap<PointRef, OutputState>;
  readonly emergency: string | null;
}

const tick = 1_000;
/** What a loudspeaker plays when it plays nothing. */
const silence = '';
/** Not heard since the start for so long: something is wrong. The same as the watch's alarm waits. */
const startGrace = 120_000;
/** A probe that is older says nothing. */
const probeAge = 180_000;
/** Power that was off when its memory was lost is given back for so long, then it is the output's own affair again. */
const giveBackFor = 30_000;

/** Looks at every device once a second and does what the ladder says (rules/repair.ts). Remembers over a restart. */
export class Repairs implements Disposable {
  readonly #options: RepairOptions;
  readonly #campus: ReturnType<typeof repairCampus>;
  readonly #records = new Map<string, RepairRecord>();
  readonly #restarted = new Map<string, readonly number[]>();
  /** Of the devices of the site only. */
  readonly #network = new Map<string, NetworkRow>();
  readonly #unreachableSince = new Map<string, number>();
  readonly #processes = new Map<string, ProcessStatus['state']>();
  readonly #ticker: Ticker;

  constructor(options: RepairOptions) {
    this.#options = options;
    this.#campus = repairCampus(options.site, options.campus);
    const { records, restarted } = readMemory(options.stored);
    for (const record of records) if (this.#campus.plans.has(record.device)) this.#records.set(record.device, record);
    for (const [process, times] of Object.entries(restarted)) this.#restarted.set(process, times);
    this.#adopt();
    this.#ticker = new Ticker(options.every ?? tick, () => this.#look());
  }

  /** `process` is who says it. */
  hearNetwork(process: string, rows: readonly NetworkRow[]): void {
    if (process !== 'fieldbus') return;
    for (const row of rows) {
      if (!this.#campus.plans.has(row.device)) continue;
      this.#network.set(row.device, row);
      if (row.reachable) this.#unreachableSince.delete(row.device);
      else if (!this.#unreachableSince.has(row.device)) this.#unreachableSince.set(row.device, row.at);
    }
  }

  hearProcesses(processes: readonly ProcessStatus[]): void {
    for (const { name, state } of processes) this.#processes.set(name, state);
  }

  /** Latest begun first. */
  list(): readonly RepairRecord[] {
    return [...this.#records.values()].sort((a, b) => b.began - a.began);
  }

  /** Every device with an address, probed or not yet. */
  network() {
    return this.#options.site.devices.flatMap(({ id, uplink }) => {
      const row = this.#network.get(id);
      if (row === undefined && this.#campus.plans.get(id)?.probed !== true) return [];
      return [
        {
          device: id,
          address: row?.address ?? '',
          reachable: row?.reachable ?? null,
          latency: row?.latency ?? null,
          loss: row?.loss ?? null,
          at: row?.at ?? null,
          way: row?.way ?? null,
          uplink: uplink ?? null,
        },
      ];
    });
  }

  /** A person's step. Throws DEVICE_NOT_FOUND, and REPAIR_REFUSED with the reason. */
  act(device: string, step: RepairStep, by: { readonly who: string; readonly from: string }): RepairRecord {
    const plan = this.#campus.plans.get(device);
    if (plan === undefined) throw new CodedError('DEVICE_NOT_FOUND', `there is no device "${device}"`);
    const before = this.#records.get(device) ?? null;
    const { record, acts, refused } = startByHand(plan, before, step, this.#facts(plan, this.#sight()));
    const line = { ...by, time: this.#options.clock.now(), what: `repair.${step} ${device}`, why: '' };
    if (refused !== null || record === null) {
      this.#options.commit({ audit: [{ ...line, result: `refused: ${refused}` }] });
      throw new CodedError('REPAIR_REFUSED', refused ?? 'there is nothing to do');
    }
    this.#records.set(device, record);
    this.#do(plan, acts);
    this.#keep([{ ...line, result: 'begun' }, ...this.#linesOf(plan, before, record)]);
    return record;
  }

  [Symbol.dispose](): void {
    this.#ticker[Symbol.dispose]();
  }

  /** What the outputs remember of us must be what we remember: power that nobody accounts for is given back. */
  #adopt(): void {
    const changes: HoldChange[] = [];
    for (const { ref, stack } of this.#options.commands.outputs()) {
      for (const { owner } of stack.filter((hold) => hold.owner.startsWith('repair:'))) {
        if (this.#records.get(owner.slice('repair:'.length))?.phase?.ref === ref) continue;
        const reason = 'a power cycle that nobody remembers: on again';
        changes.push({
          kind: 'hold',
          owner,
          ref,
          value: true,
          priority: priorities.critical,
          reason,
          lasts: giveBackFor,
        });
      }
    }
    if (changes.length > 0) this.#options.commands.setInterlockHolds(changes);
    for (const record of this.#records.values()) {
      const plan = this.#campus.plans.get(record.device);
      if (plan === undefined || record.state !== 'person') continue;
      this.#do(plan, [raise(plan, record, { now: this.#options.clock.now(), message: 'no answer' })]);
    }
  }

  #look(): void {
    const sight = this.#sight();
    const lines: AuditLine[] = [];
    let isChanged = false;
    for (const plan of this.#campus.plans.values()) {
      const before = this.#records.get(plan.device) ?? null;
      const facts = this.#facts(plan, sight);
      if (before === null && facts.health !== 'ill') continue;
      const { record, acts } = advance(plan, before, facts);
      if (record === null) isChanged = this.#records.delete(plan.device) || isChanged;
      else this.#records.set(plan.device, record);
      this.#do(plan, acts);
      const news = record === null ? [] : this.#linesOf(plan, before, record);
      lines.push(...news);
      isChanged ||= news.length > 0 || acts.length > 0 || before?.phase?.kind !== record?.phase?.kind;
    }
    if (isChanged) this.#keep(lines);
  }

  #do(plan: RepairPlan, acts: readonly RepairAct[]): void {
    const { commands, decide, reload, clock } = this.#options;
    const owner = `repair:${plan.device}`;
    const holds: HoldChange[] = [];
    const decisions: AlarmDecision[] = [];
    for (const act of acts) {
      if (act.kind === 'hold') holds.push({ ...act, owner, priority: priorities.critical, lasts: null });
      else if (act.kind === 'relinquish') holds.push({ ...act, owner });
      else if (act.kind === 'reconnect') void commands.pulse(plan.device, sessionPoint, owner, act.reason);
      else if (act.kind === 'restart') {
        const now = clock.now();
        this.#restarted.set(act.process, [...recent(this.#restarted.get(act.process) ?? [], now), now]);
        reload?.([act.process]);
      } else if (act.kind === 'return') decisions.push({ kind: 'return', source: owner, reason: act.reason });
      else {
        const zone = this.#options.site.devices.find(({ id }) => id === plan.device)?.zone;
        const where = zone === undefined ? {} : { zone };
        decisions.push({ ...act, source: owner, class: 'medium', device: plan.device, ...where });
      }
    }
    if (holds.length > 0) commands.setInterlockHolds(holds);
    if (decisions.length > 0) decide(decisions);
  }

  #keep(audit: readonly AuditLine[]): void {
    const state = { records: [...this.#records.values()], restarted: Object.fromEntries(this.#restarted) };
    this.#options.commit({ state: { repair: state }, ...(audit.length > 0 ? { audit } : {}) });
  }

  /** A line of the audit for each step that began or ended. */
  #linesOf(plan: RepairPlan, before: RepairRecord | null, record: RepairRecord): AuditLine[] {
    const isSame = before?.began === record.began;
    return record.steps.flatMap(({ step, state, outcome }): AuditLine[] => {
      const was = isSame ? before?.steps.find((one) => one.step === step)?.state : undefined;
      if (was === state || (state !== 'running' && state !== 'done')) return [];
      const who = `repair:${plan.device}`;
      const result = state === 'running' ? outcome || 'begun' : outcome;
      return [
        { time: this.#options.clock.now(), who, from: 'core', what: `repair.${step} ${plan.device}`, why: '', result },
      ];
    });
  }

  #sight(): Sight {
    const { clock, watch, commands } = this.#options;
    const outputs = commands.outputs();
    return {
      now: clock.now(),
      healths: new Map(watch.healths().map((health) => [health.device, health])),
      outputs: new Map(outputs.map((output) => [output.ref, output])),
      emergency: this.#emergency(outputs),
    };
  }

  #emergency(outputs: readonly OutputState[]): string | null {
    const urgent = this.#options.urgent();
    if (urgent !== null) return `the rule "${urgent}" protects people and has fired`;
    const isSound = (ref: PointRef) => speaksToLoudspeakers(this.#protocolOf(switchOf(ref)));
    const sounding = outputs.find(
      ({ ref, priority, value }) =>
        priority !== null && priority <= priorities.critical && value !== silence && isSound(ref),
    );
    return sounding === undefined ? null : `the loudspeakers are needed: ${sounding.holder} holds ${sounding.ref}`;
  }

  #facts(plan: RepairPlan, sight: Sight): RepairFacts {
    const { now, healths } = sight;
    const row = this.#network.get(plan.device);
    const isFresh = row !== undefined && now - row.at < probeAge;
    const { health, since, message } = this.#healthOf(plan, sight);
    return {
      now,
      health,
      since,
      message,
      probe: isFresh ? { reachable: row.reachable, at: row.at } : null,
      driver: plan.process === null ? null : this.#driverFacts(plan.process, sight),
      emergency: sight.emergency ?? this.#ownSound(plan, sight),
      cutting: [...this.#records.values()].filter(
        ({ device, phase }) => device !== plan.device && phase?.kind === 'off',
      ).length,
      output: (ref) => this.#outputFacts(plan, ref, sight, healths),
    };
  }

  #healthOf(plan: RepairPlan, { now, healths }: Sight): Pick<RepairFacts, 'health' | 'since' | 'message'> {
    const known = healths.get(plan.device);
    if (known === undefined) return { health: 'unknown', since: now, message: 'not heard yet' };
    const { state, since, message } = known;
    if (plan.process !== null && !this.#isRunning(plan.process)) return { health: 'unknown', since, message };
    // Sound goes one way: whether a loudspeaker is there only a probe can tell.
    const silent = this.#unreachableSince.get(plan.device);
    if (speaksToLoudspeakers(this.#protocolOf(plan.device)) && silent !== undefined) {
      return { health: 'ill', since: silent, message: 'its host does not answer' };
    }
    if (state === 'online' || state === 'degraded') return { health: 'well', since, message };
    if (state === 'offline') return { health: 'ill', since, message };
    if (state === 'starting' && now - since >= startGrace) return { health: 'ill', since, message };
    // What is configured wrongly, or has a wrong password, is not mended by switching it off.
    return { health: 'unknown', since, message };
  }

  #driverFacts(process: string, sight: Sight): NonNullable<RepairFacts['driver']> {
    const own = [...this.#campus.plans.values()].filter((plan) => plan.process === process);
    return {
      isRunning: this.#isRunning(process),
      ill: own.filter((plan) => this.#healthOf(plan, sight).health === 'ill').length,
      of: own.length,
      canRestart: this.#options.reload !== undefined,
      restarted: this.#restarted.get(process) ?? [],
    };
  }

  #outputFacts(plan: RepairPlan, ref: PointRef, sight: Sight, healths: Sight['healths']): OutputFacts | null {
    const output = sight.outputs.get(ref);
    if (output === undefined) return null;
    const reading = this.#options.latest().get(ref);
    const value = reading?.quality === 'good' ? reading.value : output.confirmed?.value;
    // A weak hold that keeps it on is no objection; a person, a rule that protects, or anybody who wants it off is.
    const holder = output.stack.find(
      (hold) => hold.owner !== `repair:${plan.device}` && (hold.value !== true || hold.priority <= priorities.operator),
    );
    const carrier = healths.get(switchOf(ref))?.state;
    const behind = this.#campus.behind(ref).filter((id) => id !== plan.device);
    const works = (id: string) => {
      const other = this.#campus.plans.get(id);
      return other !== undefined && this.#healthOf(other, sight).health === 'well';
    };
    return {
      on: typeof value === 'boolean' ? value : null,
      holder: holder?.owner ?? null,
      isDead: carrier === 'offline' || carrier === 'held' || carrier === 'misconfigured',
      others: behind.filter(works).length,
    };
  }

  /** A loudspeaker that plays is not touched, whoever has it play. */
  #ownSound({ device }: RepairPlan, { outputs }: Sight): string | null {
    if (!speaksToLoudspeakers(this.#protocolOf(device))) return null;
    const playing = [...outputs.values()].find(
      ({ ref, holder, value }) => switchOf(ref) === device && holder !== null && value !== silence,
    );
    return playing === undefined ? null : `it plays for ${playing.holder}`;
  }

  #isRunning(process: string): boolean {
    return (this.#processes.get(process) ?? 'ready') === 'ready';
  }

  #protocolOf(device: string): string | undefined {
    return this.#options.campus.devices.find(({ id }) => id === (device as DeviceId))?.protocol;
  }
}
