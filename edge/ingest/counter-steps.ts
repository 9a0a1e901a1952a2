import type { CounterStep } from '#edge/domain/counter.ts';
import {
  acceptStep,
  agreeingReads,
  type CounterRead,
  decideStep,
  type HeldStep,
  rejectStep,
  startCounter,
  undecideStep,
} from './counter.ts';
import type { Registry, Slot } from './registry.ts';

/** What a counter did that people must hear of. */
export interface CounterNews {
  readonly slot: Slot;
  readonly news: 'opened' | 'changed' | 'returned';
  readonly step: HeldStep | null;
}

/** A step that is news, as people and the store see it. */
export interface StepNews {
  readonly news: CounterNews['news'];
  readonly step: CounterStep;
}

/** What the store knows of counters after a restart. */
export interface StoredCounters {
  /** Their newest believed values. */
  readonly good: readonly { readonly ref: string; readonly value: number; readonly time: number }[];
  /** The newest step of each, if it is open or rejected; with the last that the meter showed. */
  readonly steps: readonly CounterStep[];
}

/** A meter that leaves its course again so soon is still at the same step: one that is mad must not fill the disk with them, ms. */
const sameStep = 10 * 60_000;

/** News as steps with an id; a step that is not known any more is none. `monotonic`: our clock, ms. */
export function stepNews(heard: readonly CounterNews[], newId: () => string, monotonic: number): StepNews[] {
  return heard.flatMap(({ slot, news, step }): StepNews[] => {
    if (step === null) return [];
    let isAgain = false;
    if (news === 'opened') {
      const last = slot.lastStep;
      isAgain = last !== null && monotonic - last.at < sameStep;
      slot.stepId = isAgain && last !== null ? last.id : newId();
    }
    if (news === 'returned' && slot.stepId !== null) slot.lastStep = { id: slot.stepId, at: monotonic };
    const shown = toStep(slot, step, news === 'returned' ? 'returned' : step.state);
    if (news === 'returned') slot.stepId = null;
    return shown === null ? [] : [{ news: isAgain ? 'changed' : news, step: shown }];
  });
}

/** The step at which a point is held now; null: it counts. */
export function heldStep(slot: Slot): CounterStep | null {
  const step = slot.counter?.step ?? null;
  return step === null ? null : toStep(slot, step, step.state);
}

export const isSettled = (step: Pick<CounterStep, 'agreed'>): boolean => step.agreed >= agreeingReads;

/** The point counts on from what its meter shows now; the value it stands at then, or null where it is not held. */
export function acceptHeld(slot: Slot): CounterRead | null {
  if (slot.counter?.step == null) return null;
  slot.counter = acceptStep(slot.counter);
  slot.stepId = null;
  slot.shown = null;
  slot.past.clear();
  const { value, at, heard } = slot.counter.base;
  slot.past.add(value, at);
  return { value, at, heard };
}

/** Until the decision is accepted, rejected or left, what the meter shows changes nothing. */
export function decideHeld(slot: Slot): void {
  if (slot.counter !== null) slot.counter = decideStep(slot.counter);
}

export function leaveHeld(slot: Slot): void {
  if (slot.counter !== null) slot.counter = undecideStep(slot.counter);
}

export function rejectHeld(slot: Slot): void {
  if (slot.counter !== null) slot.counter = rejectStep(slot.counter);
}

/** Counters go on from what was believed, and steps stay as they were, however long nobody listened. */
export function restoreCounters(registry: Registry, { good, steps }: StoredCounters): void {
  for (const { ref, value, time } of good) {
    const slot = slotOf(registry, ref);
    if (slot === null) continue;
    slot.counter = startCounter(value, time);
    slot.past.clear();
    slot.past.add(value, time);
  }
  for (const step of steps) {
    const slot = slotOf(registry, step.ref);
    if (slot === null || slot.counter === null || slot.counter.base.at > step.lastTime) continue;
    if (step.state !== 'open' && step.state !== 'rejected') continue;
    slot.stepId = step.id;
    slot.counter = { ...slot.counter, step: fromStep(step, step.state) };
  }
}

function slotOf(registry: Registry, ref: string): Slot | null {
  const slot = registry.find(ref.slice(0, ref.indexOf('/')))?.slots.get(ref.slice(ref.indexOf('/') + 1));
  return slot?.point.counter === undefined ? null : slot;
}

function fromStep(step: CounterStep, state: HeldStep['state']): HeldStep {
  const { kind, from, fromTime, to, toTime, last, lastTime, agreed, serial = null } = step;
  const at = (value: number, time: number): CounterRead => ({ value, at: time, heard: null });
  const track = { ...at(last, lastTime), movedAt: lastTime };
  const course = { first: at(to, toTime), track, agreed, reads: [], isRollover: false };
  return { state, kind, from: at(from, fromTime), course, serial };
}

function toStep(slot: Slot, { kind, from, course, serial }: HeldStep, state: CounterStep['state']): CounterStep | null {
  if (slot.stepId === null) return null;
  const { first, track, agreed } = course;
  return {
    id: slot.stepId,
    ref: slot.ref,
    kind,
    state,
    from: from.value,
    fromTime: from.at,
    to: first.value,
    toTime: first.at,
    last: track.value,
    lastTime: track.at,
    agreed,
    ...(serial === null ? {} : { serial }),
  };
}
