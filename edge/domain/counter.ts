import type { PointRef } from './ids.ts';

/**
 * A step of a counter that its meter cannot make by counting. Until it is decided the point stands at its last believed value,
 * uncertain; what the meter shows meanwhile is kept beside it.
 */
export interface CounterStep {
  /** UUIDv7. */
  readonly id: string;
  readonly ref: PointRef;
  readonly kind: CounterStepKind;
  readonly state: CounterStepState;
  /** Last believed value and when it was read. */
  readonly from: number;
  readonly fromTime: number;
  /** What the meter showed first after the step, and when. */
  readonly to: number;
  readonly toTime: number;
  /** What it showed last, and when; it goes on counting while people decide. */
  readonly last: number;
  readonly lastTime: number;
  /** Reads that agree with the new course. */
  readonly agreed: number;
  /** Serial numbers before and after, where the profile reads them. */
  readonly serial?: { readonly before: string; readonly after: string };
  /** Consumption between `from` and `to` that a person says to count (a swap: what the old meter counted last), in the point's unit. */
  readonly between?: number;
  readonly decided?: { readonly by: string; readonly time: number; readonly note: string };
}

/** `swap`: lower and stays there, or another serial. `spike`: higher than it can be. `reset`: exactly 0. */
export type CounterStepKind = 'swap' | 'spike' | 'reset';

/** `open`: needs a person. `accepted`: history goes on from the new course. `rejected`, `returned` (by itself): it never was. */
export type CounterStepState = 'open' | 'accepted' | 'rejected' | 'returned';

/** Where the store keeps what the meter showed while the point stood at its last believed value: never published, never summarised. */
export function rawRefOf(ref: PointRef): PointRef {
  return `${ref}~raw` as PointRef;
}
