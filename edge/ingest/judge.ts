import type { Quality, Reading, Reason, Value } from '#edge/domain/reading.ts';
import { assemble, type Decoded } from './assemble.ts';
import { coerce } from './coerce.ts';
import { hearSerial, isCountable, judgeCounter, judgeLateCounter } from './counter-judge.ts';
import type { CounterNews } from './counter-steps.ts';
import type { Registry, Slot } from './registry.ts';
import type { SourceTime } from './source-time.ts';
import { judgeSourceTime } from './source-time.ts';

/** What was heard of one point, not yet judged. */
export interface Heard {
  /** As it came; null when the device or driver has no value. */
  readonly raw: unknown;
  /** What the driver already says of it; absent = good. */
  readonly quality?: Quality;
  readonly reason?: Reason;
  /** The device's clock, ms since epoch; NaN when it gave one that is no time. */
  readonly sourceTime?: number;
  /** From the unit the device stated to the point's. */
  readonly convert?: (value: number) => number;
  /** The value is as the profile's `at`, `map` and `scale` describe it, not yet an engineering value. */
  readonly encoded: boolean;
}

/** The moment of one message on both clocks, ms. */
export interface Moment {
  readonly now: number;
  readonly monotonic: number;
}

export interface Judged {
  /** To store and publish: now the latest of its point. */
  readonly readings: Reading[];
  /** History that came late: to store, never to publish. */
  readonly late: Reading[];
  /** What meters showed while they were not believed: to store, never to publish. */
  readonly raw: Reading[];
  readonly steps: CounterNews[];
}

export interface JudgeCounts {
  /** Dropped because nothing worth storing changed. */
  unchanged: number;
  /** Dropped because the same value with the same source time had been heard. */
  duplicates: number;
  late: number;
}

/** Out of order by less than this is taken as live: the clocks of devices are adjusted while they run. */
const lateAfter = 10_000;
/** A device that stays this constantly behind, for this long, has a wrong clock and no history to tell. */
const lagTolerance = 5_000;
const keepAlive = 60_000;
const recentValues = 8;

/** Sample -> reading: type, unit, source time, range, counter, deadband. Appends to `out`. */
export function judge(
  registry: Registry,
  slot: Slot,
  heard: Heard,
  moment: Moment,
  out: Judged,
  counts: JudgeCounts,
): void {
  const decoded = decode(slot, heard);
  let source = judgeSourceTime(heard.sourceTime, moment.now);
  const order = source.own ? orderOf(slot, source.time, moment) : 'live';
  if (order === 'skewed') source = { time: moment.now, trusted: false, own: false };
  if (decoded.value === null) {
    if (order !== 'late') settleBad(registry, slot, decoded.reason, moment, out);
    return;
  }
  if (source.own && isRepeated(slot, heard.sourceTime ?? source.time, decoded.value)) {
    counts.duplicates++;
    return;
  }
  if (order === 'late') {
    counts.late++;
    out.late.push(judgeLate(slot, decoded, source, moment, out));
    return;
  }
  slot.heardAt = moment.monotonic - Math.max(0, moment.now - source.time);
  if (source.time !== heard.sourceTime) source = { ...source, time: inTurn(slot, source.time, moment.now) };
  const { reading: next, raw } = judgeLive(slot, decoded, source, moment, out);
  hearSerial(registry, slot, next, out);
  const same = isUnchanged(slot, next);
  if (raw !== null && (!same || raw.value !== slot.shown)) {
    slot.shown = Number(raw.value);
    out.raw.push(raw);
  }
  if (same) {
    counts.unchanged++;
    return;
  }
  registry.settle(slot, next);
  out.readings.push(next);
}

function decode(slot: Slot, heard: Heard): Decoded {
  const { quality = 'good', reason } = heard;
  if (quality === 'bad') return { value: null, quality, reason: reason ?? 'communication-error' };
  const { address } = slot;
  const coerced = coerce(heard.raw, slot.point.type, heard.encoded ? address?.map : undefined);
  if (!coerced.ok) return { value: null, quality: 'bad', reason: 'device-failure' };
  let { value } = coerced;
  if (typeof value === 'number') {
    if (heard.convert !== undefined) value = heard.convert(value);
    if (heard.encoded && address !== null) value = value * address.scale + address.offset;
    if (!Number.isFinite(value)) return { value: null, quality: 'bad', reason: 'device-failure' };
  }
  return { value, quality, ...(reason === undefined || quality === 'good' ? {} : { reason }) };
}

/** Where a sample with a time of its own stands: after what we know, before it, or from a clock that lags for ever. */
function orderOf(slot: Slot, time: number, moment: Moment): 'live' | 'late' | 'skewed' {
  const behind = moment.now - time;
  if (slot.reading.value === null || time >= slot.reading.sourceTime || behind <= lateAfter) {
    slot.lag = null;
    return 'live';
  }
  if (slot.lag === null || Math.abs(slot.lag.behind - behind) > lagTolerance) {
    slot.lag = { behind, since: moment.monotonic };
    return 'late';
  }
  return moment.monotonic - slot.lag.since >= lagTolerance ? 'skewed' : 'late';
}

/** Furthest that a backlog told at once may run ahead of the clock, ms: one a millisecond. */
const mostAhead = 1_000;

/**
 * A time of our own giving. History keeps one value per millisecond of a point, and a device without a good clock may
 * tell a whole backlog within one: each of its values gets a millisecond to itself.
 */
function inTurn(slot: Slot, time: number, now: number): number {
  const last = slot.reading.sourceTime;
  return slot.reading.value !== null && last >= time && last < now + mostAhead ? last + 1 : time;
}

function isRepeated(slot: Slot, time: number, value: Value): boolean {
  if (slot.recent.some((one) => one.time === time && one.value === value)) {
    // After a silence the same message is news: it says that the value still stands.
    return slot.reading.quality === 'good' || slot.reading.reason === 'out-of-range';
  }
  slot.recent.push({ time, value });
  if (slot.recent.length > recentValues) slot.recent.shift();
  return false;
}

function rangeOf(slot: Slot, value: Value): Reason | undefined {
  const { range } = slot.point;
  if (range === undefined || typeof value !== 'number') return undefined;
  return value < range[0] || value > range[1] ? 'out-of-range' : undefined;
}

function judgeLive(slot: Slot, decoded: Decoded, source: SourceTime, moment: Moment, out: Judged) {
  const range = rangeOf(slot, decoded.value ?? 0);
  const { counter: rule } = slot.point;
  if (rule !== undefined && isCountable(slot, decoded, range === undefined)) {
    return judgeCounter(slot, rule, decoded, source, moment, out);
  }
  return { reading: assemble(slot, decoded, range, source, moment.now), raw: null };
}

function judgeLate(slot: Slot, decoded: Decoded, source: SourceTime, moment: Moment, out: Judged): Reading {
  const range = rangeOf(slot, decoded.value ?? 0);
  const { counter: rule } = slot.point;
  if (rule !== undefined && isCountable(slot, decoded, range === undefined)) {
    return judgeLateCounter(slot, rule, decoded, source, moment, out);
  }
  return assemble(slot, decoded, range, source, moment.now);
}

/** Keeps the last usable value and its time under a quality that says not to use it. Only a transition is told. */
export function settleBad(
  registry: Registry,
  slot: Slot,
  reason: Reason = 'communication-error',
  moment: Moment,
  out: Pick<Judged, 'readings'>,
): void {
  settleKept(registry, slot, 'bad', reason, moment, out);
}

export function settleKept(
  registry: Registry,
  slot: Slot,
  quality: Quality,
  reason: Reason,
  moment: Pick<Moment, 'now'>,
  out: Pick<Judged, 'readings'>,
): void {
  if (slot.reading.quality === quality && slot.reading.reason === reason) return;
  const next: Reading = { ...slot.reading, quality, reason, receivedTime: moment.now };
  registry.settle(slot, next);
  out.readings.push(next);
}

function isUnchanged(slot: Slot, next: Reading): boolean {
  const { reading, point } = slot;
  if (reading.quality !== next.quality || reading.reason !== next.reason || reading.value === null) return false;
  const elapsed = next.sourceTime - reading.sourceTime;
  const pause = point.staleAfter > 0 ? Math.min(keepAlive, point.staleAfter / 2) : keepAlive;
  // A step back means that a clock was set: tell, so that sample-and-hold goes on from the new time.
  if (elapsed < 0 || elapsed >= pause) return false;
  return isWithinDeadband(reading.value, next.value, point.deadband);
}

function isWithinDeadband(before: Value, after: Value | null, deadband: number): boolean {
  if (typeof before !== 'number' || typeof after !== 'number' || deadband <= 0) return before === after;
  // 21.2 - 21.1 is 0.09999999999999787: a change of exactly the deadband is one.
  return Math.abs(after - before) < deadband * (1 - 1e-9);
}
