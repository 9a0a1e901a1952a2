import type { AlarmClass } from './alarm.ts';
import type { PointRef, ZoneId } from './ids.ts';
import type { Priority } from './output.ts';
import type { Name } from './place.ts';
import type { Value } from './reading.ts';

/** What a condition does when a value it needs is bad, stale or was never heard. */
export type OnBad = 'trip' | 'hold' | 'ignore';

export type Comparison =
  | { readonly is: Value }
  | { readonly above: number /** Must fall this far below again before it is over. */; readonly hysteresis?: number }
  | { readonly below: number; readonly hysteresis?: number };

/**
 * A condition over readings, events and alarms. `for` in ms. `onBad`: `trip` counts a bad value as true, `ignore` as
 * false, `hold` keeps the last good verdict (false before the first) and raises an alarm that the interlock is blind.
 */
export type Condition =
  | {
      readonly kind: 'point';
      readonly ref: PointRef;
      readonly test: Comparison;
      readonly for: number;
      readonly onBad: OnBad;
    }
  /** At least n of the points that match `<device glob>/<point>` (`*` within a segment). */
  | {
      readonly kind: 'atLeast';
      readonly n: number;
      readonly of: string;
      readonly test: Comparison;
      readonly for: number;
      readonly onBad: OnBad;
    }
  /** An event of this type from a matching device; true for `for` ms after it (at least one evaluation). */
  | {
      readonly kind: 'event';
      readonly type: string;
      readonly device: string;
      readonly during: 'always' | 'open' | 'closed';
      readonly for: number;
    }
  /** The alarm of another interlock has stood unacknowledged this long. */
  | { readonly kind: 'unacknowledged'; readonly interlock: string; readonly for: number }
  | { readonly kind: 'any'; readonly conditions: readonly Condition[] }
  | { readonly kind: 'all'; readonly conditions: readonly Condition[] };

export type InterlockAction =
  | { readonly kind: 'hold'; readonly ref: PointRef; readonly value: Value }
  /** Every speaker of the zones plays the clip until the interlock clears or is reset. */
  | { readonly kind: 'broadcast'; readonly clip: string; readonly zones: 'all' | readonly ZoneId[] }
  /** Forces the first of the outputs (lowest tier first) to `value`; one more each `every` ms while the cause stands. */
  | { readonly kind: 'shed'; readonly order: readonly PointRef[]; readonly value: Value; readonly every: number }
  | { readonly kind: 'alarm'; readonly class: AlarmClass; readonly message: Name; readonly next: Name };

export interface Interlock {
  readonly id: string;
  readonly name: Name;
  readonly when: Condition;
  readonly actions: readonly InterlockAction[];
  readonly priority: Priority;
  /** Stays tripped when the cause is gone, until a person resets it. */
  readonly latch: boolean;
}

export type { OpeningHours } from './calendar.ts';
