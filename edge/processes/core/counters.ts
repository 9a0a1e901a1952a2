import { z } from 'zod';
import type { CounterStep } from '#edge/domain/counter.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { StepNews } from '#edge/ingest/counter-steps.ts';
import { flowOf, type StuckState, stepStuck } from '#edge/ingest/counter-stuck.ts';
import type { Ingest } from '#edge/ingest/ingest.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';
import type { Batch, CounterCorrection } from '#edge/store/batch.ts';
import type { Reader } from '#edge/store/reader.ts';
import { counterHeld, counterSource, counterStuck, stuckSource } from './counter-alarms.ts';
import { type Asked, type Decided, type Decision, decidedOf, decideParams, refuseUnless } from './counter-decisions.ts';
import { checked } from './rpc-params.ts';

/** How old what is stored of a course that goes on may be, ms. */
const storeEvery = 15 * 60_000;

export interface CountersOptions {
  readonly ingest: Pick<Ingest, 'counters' | 'registry' | 'latest'>;
  readonly reader: Pick<Reader, 'counterSteps'>;
  /** Steps that were stored as open at the start. */
  readonly stored: readonly CounterStep[];
  /** Writes at once, or fails: what a person decides is not owed to the disk. */
  readonly append: (batch: Batch) => Promise<void>;
  /** Judges and tells; what is in `readings` is on disk already. */
  readonly tell: (readings: readonly Reading[], decisions: readonly AlarmDecision[]) => Promise<void>;
  /** Stores what nobody waits for. */
  readonly commit: (batch: Batch) => void;
  readonly clock: Clock;
}

/** Counters that are held at a step, and what people decide of them (decision 22). */
export class CounterDesk {
  readonly #options: CountersOptions;
  readonly #stuck = new Map<PointRef, { state: StuckState; raised: boolean }>();
  readonly #deciding = new Set<string>();
  #storedAt: number;

  constructor(options: CountersOptions) {
    this.#options = options;
    this.#storedAt = options.clock.monotonic();
  }

  /** At the start: the alarms of what is still held; what ended while nobody could write it down is over. */
  begin(): readonly AlarmDecision[] {
    const held = this.held();
    const ids = new Set(held.map(({ id }) => id));
    const gone = this.#options.stored.filter(({ id, state }) => state === 'open' && !ids.has(id));
    if (gone.length > 0) this.#options.commit({ counters: gone.map((step) => ({ ...step, state: 'returned' })) });
    return held.flatMap((step) => (step.state === 'open' ? this.#alarmOf(step) : []));
  }

  /** What to say of news from ingest, which are stored by whoever heard them. */
  hear(news: readonly StepNews[]): readonly AlarmDecision[] {
    return news.flatMap(({ news: what, step }): readonly AlarmDecision[] => {
      if (what !== 'returned') return step.state === 'open' ? this.#alarmOf(step) : [];
      return [{ kind: 'return', source: counterSource(step.ref), reason: 'the meter shows its believed course again' }];
    });
  }

  /** Every step that is open, as it stands now, and those that were rejected while the meter still shows them. */
  held(): readonly CounterStep[] {
    return this.#options.ingest.counters.held();
  }

  /**
   * All of them in one transaction, or none. Throws COUNTER_STEP_NOT_FOUND, COUNTER_STEP_REFUSED (with the reason), and what the store
   * throws.
   */
  async decide(decision: Decision): Promise<readonly CounterStep[]> {
    const { append, ingest, clock } = this.#options;
    const asked = this.#find(decision);
    const held = asked.filter(({ isHeld }) => isHeld).map(({ step }) => step.ref);
    for (const { step } of asked) this.#deciding.add(step.id);
    for (const ref of held) ingest.counters.decide(ref);
    try {
      const decided = asked.map((one) => decidedOf(one, decision, clock.now()));
      await append({
        counters: decided.map(({ step }) => step),
        corrections: decided.flatMap(({ correction }) => correction ?? []),
        audit: decided.map(({ audit }) => audit),
      });
      await this.#carryOut(asked, decided, decision);
      return decided.map(({ step }) => step);
    } finally {
      for (const ref of held) ingest.counters.leave(ref);
      for (const { step } of asked) this.#deciding.delete(step.id);
    }
  }

  #find(decision: Decision): readonly Asked[] {
    const { ingest, reader } = this.#options;
    const held = new Map(this.held().map((step) => [step.id, step]));
    const ids = new Set(decision.steps.map(({ id }) => id));
    if (ids.size < decision.steps.length) throw new CodedError('COUNTER_STEP_REFUSED', 'a step is named twice');
    const asked = decision.steps.map(({ id, between }): Asked => {
      const step = held.get(id) ?? reader.counterSteps({ id, limit: 1 })[0];
      if (step === undefined) throw new CodedError('COUNTER_STEP_NOT_FOUND', `there is no counter step ${id}`);
      if (this.#deciding.has(id)) throw new CodedError('COUNTER_STEP_REFUSED', 'it is being decided already');
      return { step, between, isHeld: held.has(id) };
    });
    refuseUnless(asked, decision, (ref) => ingest.registry.slot(ref as PointRef)?.point.counter);
    return asked;
  }

  /** What is on disk now holds for what comes next: the course is good from its first read on, or stays refused. */
  async #carryOut(asked: readonly Asked[], decided: readonly Decided[], { verdict, who }: Decision): Promise<void> {
    const { ingest, tell, commit } = this.#options;
    const readings: Reading[] = [];
    const late: CounterCorrection[] = [];
    const ended = asked.filter(({ step, isHeld }) => isHeld || step.state === 'open');
    for (const [i, { step, isHeld }] of asked.entries()) {
      if (verdict === 'reject' && isHeld) ingest.counters.reject(step.ref);
      const reading = verdict === 'accept' && isHeld ? ingest.counters.accept(step.ref) : null;
      if (reading === null) continue;
      readings.push(reading);
      const correction = decided[i]?.correction ?? null;
      // What the meter showed while the disk wrote is of the same course.
      if (correction === null || reading.sourceTime <= step.lastTime) continue;
      late.push({ ...correction, course: { from: step.lastTime + 1, to: reading.sourceTime } });
    }
    const reason = `${who} ${verdict}ed what the meter shows`;
    const ends = ended.map(({ step }) => ({ kind: 'return' as const, source: counterSource(step.ref), reason }));
    await tell(readings, ends);
    if (late.length > 0) commit({ corrections: late });
  }

  /** About once a minute: courses that go on are written down, and counters looked at that should move and do not. */
  tick(): readonly AlarmDecision[] {
    const { clock, commit } = this.#options;
    const now = clock.monotonic();
    if (now - this.#storedAt >= storeEvery) {
      this.#storedAt = now;
      const open = this.held().filter(({ id, state }) => state === 'open' && !this.#deciding.has(id));
      if (open.length > 0) commit({ counters: open });
    }
    return this.#lookForStuck(now);
  }

  #alarmOf(step: CounterStep): readonly AlarmDecision[] {
    const slot = this.#options.ingest.registry.slot(step.ref);
    return slot === undefined ? [] : [counterHeld(step, slot.device, slot.point)];
  }

  #lookForStuck(at: number): readonly AlarmDecision[] {
    const { ingest } = this.#options;
    const latest = ingest.latest();
    return ingest.registry.devices().flatMap((device) =>
      device.points.flatMap((point): AlarmDecision[] => {
        const flow = point.counter === undefined ? null : flowOf(device, point);
        const slot = flow === null ? undefined : ingest.registry.slot(`${device.id}/${point.name}` as PointRef);
        const reading = slot?.reading;
        if (flow === null || slot === undefined || reading?.quality !== 'good' || typeof reading.value !== 'number')
          return [];
        const flowing = latest.get(`${device.id}/${flow.point.name}` as PointRef);
        const isKnown = flowing?.quality === 'good' && typeof flowing.value === 'number';
        const known = this.#stuck.get(slot.ref);
        const look = { value: reading.value, flow: isKnown ? Number(flowing.value) * flow.factor : null, at };
        const { state, isStuck } = stepStuck(known?.state ?? null, look);
        this.#stuck.set(slot.ref, { state, raised: isStuck });
        if (isStuck) return known?.raised === true ? [] : [counterStuck(device, point, state)];
        return known?.raised === true
          ? [{ kind: 'return', source: stuckSource(slot.ref), reason: 'it moves again' }]
          : [];
      }),
    );
  }
}

/**
 * `counter.list` {} -> {steps}; `counter.decide` {id, verdict, between, note, who, from} -> the step as it is then, or
 * {steps: [{id, between}], verdict, note, who, from} -> {steps}, all of them or none.
 */
export function createCounterMethods(desk: CounterDesk): Readonly<Record<string, RpcMethod>> {
  return {
    'counter.list': checked(z.strictObject({}), async () => ({ steps: desk.held() })),
    'counter.decide': checked(decideParams, async (params) => {
      if ('steps' in params) return { steps: await desk.decide(params) };
      const { id, between, ...rest } = params;
      const [step] = await desk.decide({ ...rest, steps: [{ id, between }] });
      return step;
    }),
  };
}

/** Whether an alarm of before the start still has its step. What stands still is looked at anew. */
export function isHeldSource(source: string, held: readonly CounterStep[]): boolean {
  return held.some(({ ref, state }) => state === 'open' && counterSource(ref) === source);
}
