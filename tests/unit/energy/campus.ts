import type { EnergyMeter, EnergyPlan, Tariff } from '#edge/domain/energy.ts';
import type { DeviceId, PointRef } from '#edge/domain/ids.ts';
import type { LocalDay, Span } from '#edge/energy/local-days.ts';
import type { Bucket, Rises, Step } from '#edge/energy/rises.ts';
import { steps } from '#edge/energy/rises.ts';
import { createLocalTime } from '#edge/web/local-time.ts';

/* Small campuses for the tests: meters, and what they count. */

export const shanghai = createLocalTime('Asia/Shanghai');
/** Monday, 2026-11-02, 00:00 in Shanghai. */
export const monday = Date.UTC(2026, 10, 1, 16);
export const hour = 3_600_000;
export const day = 24 * hour;

const name = { zh: '表', en: 'Meter' };

export function real(id: string, more: Partial<EnergyMeter> = {}): EnergyMeter {
  const source = {
    kind: 'real' as const,
    device: id as DeviceId,
    energy: { ref: `${id}/energy_import` as PointRef, factor: 1 },
    power: null,
  };
  return { id, name, medium: 'electricity', buildings: [], source, ...more };
}

export function sumOf(id: string, terms: readonly string[], more: Partial<EnergyMeter> = {}): EnergyMeter {
  const source = {
    kind: 'virtual' as const,
    terms: terms.map((term) => ({
      meter: term.replace('-', ''),
      sign: term.startsWith('-') ? (-1 as const) : (1 as const),
    })),
  };
  return { id, name, medium: 'electricity', buildings: [], source, ...more };
}

export function planOf(meters: readonly EnergyMeter[], more: Partial<EnergyPlan> = {}): EnergyPlan {
  return { meters, buildings: [], tariffs: [], demand: [], ...more };
}

export function tariff(more: Partial<Tariff> = {}): Tariff {
  return { medium: 'electricity', name, from: '2026-01-01', currency: 'CNY', price: 0.6, periods: [], ...more };
}

/** kW of a meter at a time; null: not heard. */
export type Course = (time: number) => number | null;

/** Each meter draws what its course says, asked in the middle of every quarter hour. */
export function risesOf(courses: Readonly<Record<string, Course>>): Rises {
  return (meter: string, { from, to }: Span, step: Step) => {
    const size = steps[step];
    const buckets: Bucket[] = [];
    for (let at = Math.ceil(from / size) * size; at < to; at += size) buckets.push(bucketOf(courses[meter], at, size));
    return buckets;
  };
}

function bucketOf(course: Course | undefined, from: number, size: number): Bucket {
  const quarter = steps['15min'];
  let amount: number | null = null;
  let known = 0;
  for (let at = from; at < from + size; at += quarter) {
    const power = course?.(at + quarter / 2) ?? null;
    if (power === null) continue;
    amount = (amount ?? 0) + (power * quarter) / hour;
    known += quarter;
  }
  return { from, to: from + size, amount, known, estimated: 0 };
}

export const schoolDays = ({ weekday }: LocalDay): string => (weekday <= 5 ? 'school' : 'off');
