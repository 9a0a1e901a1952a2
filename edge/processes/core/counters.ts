import { z } from 'zod';
import type { AuditLine } from '#edge/domain/audit.ts';
import type { CounterStep } from '#edge/domain/counter.ts';
import { type PointRef, uuidPattern } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { isSettled, type StepNews } from '#edge/ingest/counter-steps.ts';
import { flowOf, type StuckState, stepStuck } from '#edge/ingest/counter-stuck.ts';
import type { Ingest } from '#edge/ingest/ingest.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { RpcMethod } from '#edge/runtime/rpc.ts';
import type { Batch, CounterCorrection } from '#edge/store/batch.ts';
import type { Reader } from '#edge/store/reader.ts';
import { counterHeld, counterSource, counterStuck, stuckSource } from './counter-alarms.ts';
import { asked, checked } from './rpc-params.ts';

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

export interface Decision {
  readonly id: string;
  readonly verdict: 'accept' | 'reject';
  /** What was counted between the last believed value and the new course, in the point's unit; null: nothing. */
  readonly between: number | null;
  readonly note: string;
  readonly who: string;
  readonly from: string;
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

  /** Throws COUNTER_STEP_NOT_FOUND, COUNTER_STEP_REFUSED (with the reason), and what the store throws. */
  async decide(decision: Decision): Promise<CounterStep> {
    const { id, between } = decision;
    const held = this.held().find((step) => step.id === id);
    const step = held ?? this.#options.reader.counterSteps({ id, limit: 1 })[0];
    if (step === undefined) throw new CodedError('COUNTER_STEP_NOT_FOUND', `there is no counter step ${id}`);
    const wrap = this.#options.ingest.registry.slot(step.ref)?.point.counter?.wrap;
    const refused = whyNot(step, held !== undefined, decision, wrap);
    if (refused !== null) throw new CodedError('COUNTER_STEP_REFUSED', refused);
    if (this.#deciding.has(id)) throw new CodedError('COUNTER_STEP_REFUSED', 'it is being decided already');
    this.#deciding.add(id);
    try {
      if (decision.verdict === 'reject') return await this.#reject(step, decision);
      if (held === undefined) return await this.#change(step, decision, between ?? 0);
      return await this.#accept(held, decision, between ?? 0);
    } finally {
      this.#deciding.delete(id);
    }
  }

  /** About once a minute: courses that go on are written down, and counters looked at that should move and do not. */
  tick(): readonly AlarmDecision[] {
    const { clock, commit } = this.#options;
    const now = clock.monotonic();
    if (now - this.#storedAt >= storeEvery) {
      this.#storedAt = now;
      const open = this.held().filter(({ state }) => state === 'open');
      if (open.length > 0) commit({ counters: open });
    }
    return this.#lookForStuck(now);
  }

  /** The course is good from its first read on, in history and for all that count on from here. */
  async #accept(step: CounterStep, decision: Decision, between: number): Promise<CounterStep> {
    const { append, ingest, tell, commit } = this.#options;
    const accepted = this.#decided(step, 'accepted', decision, between);
    const correction = correctionOf(accepted, between);
    await append({
      counters: [accepted],
      corrections: [{ ...correction, course: { from: step.toTime, to: step.lastTime } }],
      audit: [this.#line(step, decision, `accepted; ${between} counted in between`)],
    });
    const reading = ingest.counters.accept(step.ref);
    const reason = `${decision.who} accepted what the meter shows`;
    await tell(reading === null ? [] : [reading], [{ kind: 'return', source: counterSource(step.ref), reason }]);
    // What the meter showed while the disk wrote is of the same course.
    if (reading !== null && reading.sourceTime > step.lastTime) {
      commit({ corrections: [{ ...correction, course: { from: step.lastTime + 1, to: reading.sourceTime } }] });
    }
    return accepted;
  }

  async #reject(step: CounterStep, decision: Decision): Promise<CounterStep> {
    const { append, ingest, tell } = this.#options;
    const rejected = this.#decided(step, 'rejected', decision, null);
    await append({ counters: [rejected], audit: [this.#line(step, decision, 'rejected')] });
    ingest.counters.reject(step.ref);
    const reason = `${decision.who} rejected what the meter shows`;
    await tell([], [{ kind: 'return', source: counterSource(step.ref), reason }]);
    return rejected;
  }

  /** Another figure for what was counted in between, of a step that was accepted before. */
  async #change(step: CounterStep, decision: Decision, between: number): Promise<CounterStep> {
    const changed = this.#decided(step, 'accepted', decision, between);
    await this.#options.append({
      counters: [changed],
      corrections: [{ ...correctionOf(changed, between), course: null }],
      audit: [this.#line(step, decision, `${between} counted in between, ${step.between ?? 0} before`)],
    });
    return changed;
  }

  #decided(
    step: CounterStep,
    state: 'accepted' | 'rejected',
    { who, note }: Decision,
    between: number | null,
  ): CounterStep {
    const { between: _, ...rest } = step;
    const by = who.slice(who.indexOf(':') + 1);
    const decided = { by, time: this.#options.clock.now(), note };
    return { ...rest, state, ...(between === null ? {} : { between }), decided };
  }

  #line(step: CounterStep, { verdict, note, who, from }: Decision, result: string): AuditLine {
    const what = `counter.decide ${step.id} (${step.ref}) ${verdict}`;
    return { time: this.#options.clock.now(), who, from, what, why: note, result };
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

function correctionOf(step: CounterStep, between: number): Omit<CounterCorrection, 'course'> {
  return { ref: step.ref, from: step.from, between, time: step.toTime, to: step.to };
}

/** Why a step cannot be decided so; null: it can. */
function whyNot(step: CounterStep, isHeld: boolean, decision: Decision, wrap: number | undefined): string | null {
  const { verdict, between } = decision;
  if (step.state === 'returned')
    return 'the meter went back to its believed course by itself: there is nothing to decide';
  if (between !== null && wrap !== undefined && between >= wrap)
    return `between must be below ${wrap}, where it starts again`;
  if (verdict === 'reject') {
    if (step.state === 'open') return null;
    return step.state === 'rejected'
      ? 'it is rejected already'
      : 'it was accepted, and is counted on from: accept it again with another figure for what was counted in between';
  }
  if (step.state === 'accepted')
    return between === null ? 'it is accepted already: say what was counted in between' : null;
  if (!isHeld) return 'the meter does not show that course any more';
  return isSettled(step) ? null : 'the meter shows something else with each read: there is no course to accept yet';
}

const decideParams = z.strictObject({
  id: z.string().regex(uuidPattern, 'must be the id of a counter step'),
  verdict: z.enum(['accept', 'reject']),
  between: z.number().min(0).nullable(),
  note: z.string().max(300),
  ...asked,
});

/** `counter.list` {} -> {steps}; `counter.decide` {id, verdict, between, note, who, from} -> the step as it is then. */
export function createCounterMethods(desk: CounterDesk): Readonly<Record<string, RpcMethod>> {
  return {
    'counter.list': checked(z.strictObject({}), async () => ({ steps: desk.held() })),
    'counter.decide': checked(decideParams, (decision) => desk.decide(decision)),
  };
}

/** Whether an alarm of before the start still has its step. What stands still is looked at anew. */
export function isHeldSource(source: string, held: readonly CounterStep[]): boolean {
  return held.some(({ ref, state }) => state === 'open' && counterSource(ref) === source);
}
