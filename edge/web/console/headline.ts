import type { PointView } from './api.ts';

/* Which of a device's values a glance wants. */

const order: readonly RegExp[] = [
  /^(smoke|water_leak|alarm|gas|carbon_monoxide|fault|intrusion)$/,
  /^(person|motion|occupancy|presence|contact)$/,
  /^(co2)$/,
  /^(temperature)$/,
  /^(power)$/,
  /^(clip)$/,
  /^(state|relay_1|switch)/,
  /^(online)$/,
];

/** The point that stands for a device; the first of its points where none is known. */
export function headlineOf(points: readonly PointView[]): PointView | undefined {
  for (const pattern of order) {
    const found = points.find(({ point }) => pattern.test(point));
    if (found !== undefined) return found;
  }
  return points[0];
}
