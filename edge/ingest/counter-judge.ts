import { rawRefOf } from '#edge/domain/counter.ts';
import type { CounterRule } from '#edge/domain/device.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { assemble, type Decoded } from './assemble.ts';
import {
  type CounterRead,
  type CounterVerdict,
  fitsBetween,
  noteSerial,
  startCounter,
  stepCounter,
} from './counter.ts';
import type { CounterNews } from './counter-steps.ts';
import type { Registry, Slot } from './registry.ts';
import type { SourceTime } from './source-time.ts';

/** The point whose change proves that a device was replaced. */
const serialPoint = 'serial';

/** Where what was judged goes. */
export interface CounterOut {
  /** What meters showed while they were not believed: to store, never to publish. */
  readonly raw: Reading[];
  readonly steps: CounterNews[];
}

/** The moment on both clocks, ms. */
interface Moment {
  readonly now: number;
  readonly monotonic: number;
}

/** A counter's next read, and what the meter really showed where that is something else. */
export interface CounterJudged {
  readonly reading: Reading;
  readonly raw: Reading | null;
}

/** Only good numbers within range move a counter: what a failed check or a foreign device says must not become its course. */
export function isCountable(slot: Slot, decoded: Decoded, isInRange: boolean): boolean {
  return (
    slot.point.counter !== undefined && typeof decoded.value === 'number' && decoded.quality === 'good' && isInRange
  );
}

/** For what `isCountable`. */
export function judgeCounter(
  slot: Slot,
  rule: CounterRule,
  decoded: Decoded,
  source: SourceTime,
  moment: Moment,
  out: CounterOut,
): CounterJudged {
  const value = Number(decoded.value);
  const read: CounterRead = { value, at: source.time, heard: moment.monotonic };
  if (slot.counter === null) {
    slot.counter = startCounter(value, source.time, moment.monotonic);
    slot.past.add(value, source.time);
    return { reading: assemble(slot, decoded, undefined, source, moment.now), raw: null };
  }
  const before = slot.counter.step;
  const verdict = stepCounter(rule, slot.counter, read);
  slot.counter = verdict.state;
  if (verdict.news !== null) out.steps.push({ slot, news: verdict.news, step: verdict.state.step ?? before });
  if (verdict.believed) {
    slot.shown = null;
    slot.past.add(verdict.value, source.time);
    return { reading: assemble(slot, { ...decoded, value: verdict.value }, undefined, source, moment.now), raw: null };
  }
  for (const one of verdict.adopted) out.raw.push(rawOf(slot, one.value, one.at, moment.now, true));
  return {
    reading: held(slot, verdict, source, moment),
    raw: rawOf(slot, value, source.time, moment.now, verdict.isOnCourse),
  };
}

/** One that comes after later ones are known: believed only where it fits between them. */
export function judgeLateCounter(
  slot: Slot,
  rule: CounterRule,
  decoded: Decoded,
  source: SourceTime,
  moment: Moment,
  out: CounterOut,
): Reading {
  const { counter, past } = slot;
  const read = { value: Number(decoded.value), at: source.time, heard: null };
  const { before, after } = past.around(source.time);
  const step = counter?.step ?? null;
  const isOfStep = step !== null && source.time >= step.course.first.at;
  if (!isOfStep && fitsBetween(rule, before, after, read)) {
    past.add(read.value, read.at);
    return assemble(slot, decoded, undefined, source, moment.now);
  }
  const isOnCourse = isOfStep && fitsBetween(rule, step.course.first, step.course.track, read);
  out.raw.push(rawOf(slot, read.value, read.at, moment.now, isOnCourse));
  const believed = before?.value ?? counter?.base.value ?? read.value;
  return assemble(slot, { value: believed, quality: 'good' }, 'counter-step', source, moment.now);
}

/** Another serial number of a device is another meter: its counters are held until a person says what the old one counted. */
export function hearSerial(registry: Registry, slot: Slot, next: Reading, out: CounterOut): void {
  if (slot.point.name !== serialPoint || next.quality !== 'good') return;
  const before = textOf(slot.serial ?? slot.reading.value);
  const after = textOf(next.value);
  if (after === '') return;
  slot.serial = after;
  if (before === '' || before === after) return;
  for (const one of registry.find(slot.device.id)?.slots.values() ?? []) {
    if (one.counter === null) continue;
    const noted = noteSerial(one.counter, { before, after });
    one.counter = noted.state;
    if (noted.news !== null) out.steps.push({ slot: one, news: noted.news, step: noted.state.step });
  }
}

const textOf = (value: unknown): string => (value === null || value === undefined ? '' : String(value).trim());

/** The believed value, at the time of the refused read: in history it must not overwrite the good reading before it. */
function held(slot: Slot, verdict: CounterVerdict, source: SourceTime, moment: Moment): Reading {
  return assemble(slot, { value: verdict.value, quality: 'good' }, 'counter-step', source, moment.now);
}

function rawOf(slot: Slot, value: number, sourceTime: number, receivedTime: number, isOnCourse: boolean): Reading {
  return {
    ref: rawRefOf(slot.ref),
    device: slot.device.id,
    point: slot.point.name,
    value,
    unit: slot.point.unit,
    ...(isOnCourse ? { quality: 'good' } : { quality: 'uncertain', reason: 'counter-step' }),
    sourceTime,
    receivedTime,
  };
}
