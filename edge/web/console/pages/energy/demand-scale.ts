import type { DemandNowView } from '../../../energy-schemas.ts';
import { axisOf } from './course-scale.ts';

/* Where things stand on the gauge of the demand, of 1. Pure. */

export interface GaugeScale {
  readonly top: number;
  readonly ticks: readonly number[];
  readonly limit: number;
  readonly soFar: number | null;
  readonly predicted: number | null;
  readonly unshed: number | null;
  readonly highest: number | null;
}

export function gaugeOf(demand: DemandNowView, highest: number | null): GaugeScale {
  const { limit, soFar, predicted, unshed } = demand;
  const known = [limit * 1.15, soFar, predicted, unshed, highest].filter((one) => one !== null);
  const { top, ticks } = axisOf(Math.max(...known), 5);
  const at = (value: number | null) => (value === null ? null : Math.min(1, Math.max(0, value / top)));
  return {
    top,
    ticks,
    limit: Math.min(1, limit / top),
    soFar: at(soFar),
    predicted: at(predicted),
    unshed: at(unshed),
    highest: at(highest),
  };
}

/** `06:05` until a window is over; never below zero. */
export function leftText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}
