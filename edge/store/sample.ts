import type { Quality, Reading, Reason, Value } from '#edge/domain/reading.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { RollupSample } from './rollup.ts';

/*
 * A reading as it is stored. `t` is the time it has its place in history at, and `d` leads to the other of its two times:
 * a fresh value lies at its source time (d = received - source); a value that is only kept says something about *now* (its
 * source stopped answering), so it lies at the time it was received (d = source - received). Both times survive exactly.
 */
export interface StoredSample {
  readonly t: number;
  readonly d: number;
  /** Booleans are 0 and 1; the code says which kind of value it is. */
  readonly value: number | string | null;
  readonly code: number;
}

// The positions below are on disk in every database: append only, never reorder.
const kinds = ['none', 'number', 'boolean', 'text'] as const;
const qualities: readonly Quality[] = ['good', 'uncertain', 'bad'];
const reasons: readonly (Reason | undefined)[] = [
  undefined,
  'never-read',
  'no-communication',
  'communication-error',
  'configuration-error',
  'device-failure',
  'held',
  'last-usable-value',
  'out-of-range',
  'not-accurate',
  'counter-step',
  'clock',
];

export type ValueKind = (typeof kinds)[number];

/** One small integer for kind, quality and reason. */
export function sampleCode(kind: ValueKind, quality: Quality, reason: Reason | undefined): number {
  const r = reasons.indexOf(reason);
  if (r < 0) throw new CodedError('STORE_BAD_READING', `unknown reason "${reason}"`);
  return kinds.indexOf(kind) + 4 * (qualities.indexOf(quality) + 3 * r);
}

export function kindOf(code: number): ValueKind {
  return kinds[code & 3] ?? 'none';
}

export function qualityOf(code: number): Quality {
  return qualities[(code >> 2) % 3] ?? 'bad';
}

export function reasonOf(code: number): Reason | undefined {
  return reasons[Math.floor((code >> 2) / 3)];
}

/** Good, and nothing was counted between the value before and this one: a counter step that a person accepted. */
export const restartCode = sampleCode('number', 'good', 'counter-step');

/** The value was not heard anew: only its quality changed. */
export function isKept(quality: Quality, reason: Reason | undefined): boolean {
  return quality === 'bad' || reason === 'last-usable-value';
}

/** A reading for the disk. NaN is no value and becomes null. Throws STORE_BAD_READING for times that are none. */
export function toStored(reading: Reading): StoredSample {
  const { value, quality, reason } = reading;
  const source = checkTime(reading.sourceTime, 'sourceTime', reading.ref);
  const received = checkTime(reading.receivedTime, 'receivedTime', reading.ref);
  const kept = isKept(quality, reason);
  const none = value === null || Number.isNaN(value);
  const kind = none ? 'none' : typeof value === 'string' ? 'text' : typeof value === 'boolean' ? 'boolean' : 'number';
  return {
    t: kept ? received : source,
    d: kept ? source - received : received - source,
    value: none ? null : typeof value === 'boolean' ? Number(value) : value,
    code: sampleCode(kind, quality, reason),
  };
}

/** Times beyond the year 6429 do not fit beside a point in a block's key; device clocks do show such things. */
const latestTime = 2 ** 47;

function checkTime(time: number, what: string, ref: string): number {
  if (time >= 0 && time < latestTime) return Math.round(time);
  throw new CodedError('STORE_BAD_READING', `${ref}: ${what} ${time} is not a time in ms since 1970`);
}

export function plainValue(sample: StoredSample): Value | null {
  return kindOf(sample.code) === 'boolean' ? sample.value === 1 : sample.value;
}

export function timesOf(sample: StoredSample): { sourceTime: number; receivedTime: number } {
  const other = sample.t + sample.d;
  return isKept(qualityOf(sample.code), reasonOf(sample.code))
    ? { sourceTime: other, receivedTime: sample.t }
    : { sourceTime: sample.t, receivedTime: other };
}

/** A sample as history answers it. Read its fields by name: the times of most are derived, and a spread leaves them out (JSON does not). */
export interface HistorySample {
  /** Where it lies in history: the source time of a fresh value, the received time of one that is only kept. */
  readonly t: number;
  readonly value: Value | null;
  readonly quality: Quality;
  readonly reason?: Reason;
  readonly sourceTime: number;
  readonly receivedTime: number;
}

/**
 * A fresh, good sample. Its source time is where it lies, and its received time is derived when somebody asks: with both stored, a
 * third of a long read went into V8's moving them from one space to the next (its numbers above 2^31 are objects of their own).
 */
class FreshSample implements HistorySample {
  readonly t: number;
  readonly value: Value | null;
  readonly quality: Quality;
  readonly #distance: number;

  constructor(t: number, distance: number, value: Value | null, quality: Quality) {
    this.t = t;
    this.value = value;
    this.quality = quality;
    this.#distance = distance;
  }

  get sourceTime(): number {
    return this.t;
  }

  get receivedTime(): number {
    return this.t + this.#distance;
  }

  toJSON(): HistorySample {
    const { t, value, quality, sourceTime, receivedTime } = this;
    return { t, value, quality, sourceTime, receivedTime };
  }
}

export type HistoryMaker = (t: number, d: number, value: number | string | null) => HistorySample;

/** How samples of one code are answered: what the code says is looked up once. */
export function historyMaker(code: number): HistoryMaker {
  const quality = qualityOf(code);
  const reason = reasonOf(code);
  const plain = (value: number | string | null) => (kindOf(code) === 'boolean' ? value === 1 : value);
  if (isKept(quality, reason)) {
    const why = reason === undefined ? {} : { reason };
    return (t, d, value) => ({ t, value: plain(value), quality, ...why, sourceTime: t + d, receivedTime: t });
  }
  if (reason !== undefined) {
    return (t, d, value) => ({ t, value: plain(value), quality, reason, sourceTime: t, receivedTime: t + d });
  }
  if (kindOf(code) === 'boolean') {
    return (t, d, value) => new FreshSample(t, d, value === 1, quality);
  }
  return (t, d, value) => new FreshSample(t, d, value, quality);
}

/** What aggregates need of it: text has no number; only `good` counts as good. */
export function toRollup(sample: StoredSample): RollupSample {
  const value = typeof sample.value === 'number' ? sample.value : null;
  const good = value !== null && qualityOf(sample.code) === 'good';
  return sample.code === restartCode ? { t: sample.t, value, good, restart: true } : { t: sample.t, value, good };
}

/**
 * Sorted by time, each time once: a sample that was sent again (QoS 1) counts once, and of two values for the same time
 * the later arrival wins. `samples` are in order of arrival.
 */
export function inOrder(samples: readonly StoredSample[]): StoredSample[] {
  let sorted = true;
  for (let i = 1; i < samples.length && sorted; i++) sorted = (samples[i - 1]?.t ?? 0) < (samples[i]?.t ?? 0);
  if (sorted) return samples.slice();
  const byTime = new Map<number, StoredSample>();
  for (const sample of samples) byTime.set(sample.t, sample);
  return [...byTime.values()].sort((a, b) => a.t - b.t);
}
