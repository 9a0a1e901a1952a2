import type { AlarmClass } from '#edge/domain/alarm.ts';
import type { DeviceId, HappeningId, PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { Priority } from '#edge/domain/output.ts';
import type { Name } from '#edge/domain/place.ts';
import type { Value } from '#edge/domain/reading.ts';

/** What the rules want done. They never do it: `commands` acts on holds, core applies alarms. */

/** Hold this output until told otherwise. Saying it again for the same owner, output and value changes nothing. */
export interface HoldDecision {
  readonly kind: 'hold';
  /** `interlock:<id>`. */
  readonly owner: string;
  readonly ref: PointRef;
  readonly value: Value;
  readonly priority: Priority;
  /** The values and qualities that were seen, e.g. `smoke-101/smoke is true (good)`. */
  readonly reason: string;
}

export interface RelinquishDecision {
  readonly kind: 'relinquish';
  readonly owner: string;
  readonly ref: PointRef;
  readonly reason: string;
}

/** Idempotent while the alarm is active; a new `event` on an active alarm counts as the cause coming again. */
export interface RaiseDecision {
  readonly kind: 'raise';
  /** `interlock:<id>`, `blind:<id>`, `device:<id>`, `process:<name>`, `output:<ref>`. */
  readonly source: string;
  readonly class: AlarmClass;
  readonly message: Name;
  readonly next: Name;
  readonly reason: string;
  readonly device?: DeviceId;
  readonly ref?: PointRef;
  readonly zone?: ZoneId;
  readonly event?: HappeningId;
}

/** The cause is gone. */
export interface ReturnDecision {
  readonly kind: 'return';
  readonly source: string;
  readonly reason: string;
}

export type HoldChange = HoldDecision | RelinquishDecision;
export type AlarmDecision = RaiseDecision | ReturnDecision;
export type Decision = HoldChange | AlarmDecision;

export function isHoldChange(decision: Decision): decision is HoldChange {
  return decision.kind === 'hold' || decision.kind === 'relinquish';
}

export function isAlarmDecision(decision: Decision): decision is AlarmDecision {
  return decision.kind === 'raise' || decision.kind === 'return';
}
