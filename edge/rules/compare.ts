import type { PointRef } from '#edge/domain/ids.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import type { Comparison } from '#edge/domain/rule.ts';

/** A stale value is what was true once, so it counts as bad; the other uncertain qualities were heard just now and do count. */
export function isUsable(reading: Reading | undefined): reading is Reading & { readonly value: Value } {
  return (
    reading !== undefined &&
    reading.value !== null &&
    reading.quality !== 'bad' &&
    reading.reason !== 'last-usable-value'
  );
}

/** Whether the value passes; null when it cannot be used. `before` is the last verdict, for hysteresis. */
export function compare(test: Comparison, reading: Reading | undefined, before: boolean): boolean | null {
  if (!isUsable(reading)) return null;
  const { value } = reading;
  if ('is' in test) return value === test.is;
  if ('isNot' in test) return value !== test.isNot;
  if (typeof value !== 'number' || Number.isNaN(value)) return null;
  const slack = before ? (test.hysteresis ?? 0) : 0;
  if ('above' in test) return value > test.above - slack;
  return value < test.below + slack;
}

/** `meter-main/current_l1 is 112.5 A (good)`, `smoke-101/smoke is unknown (bad, never-read)`. */
export function describe(ref: PointRef, reading: Reading | undefined): string {
  if (reading === undefined) return `${ref} is unknown (bad, never-read)`;
  const quality = reading.reason === undefined ? reading.quality : `${reading.quality}, ${reading.reason}`;
  return `${ref} is ${describeValue(reading.value, reading.unit)} (${quality})`;
}

export function describeValue(value: Value | null, unit: string): string {
  if (value === null) return 'unknown';
  if (typeof value !== 'number') return String(value);
  const short = String(Math.round(value * 1000) / 1000);
  return unit === '' || unit === '1' ? short : `${short} ${unit}`;
}

export function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
