import type { AlarmClass } from '#edge/domain/alarm.ts';
import type { DeviceId, HappeningId, PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { Priority } from '#edge/domain/output.ts';
import type { Name } from '#edge/domain/place.ts';
import type { Value } from '#edge/domain/reading.ts';

/** What the rules want done. They never do it: `commands` acts on holds, core applies alarms. */

/** Hold this output until told otherwise. Saying it again for the same owner, output and value changes nothing. */
export interface HoldDecision {
  readonly kind: 'hold';
  /** `interlock:<rule>` or `rule:<rule>`, both perhaps with `@<place>`. */
  readonly owner: string;
  readonly ref: PointRef;
  readonly value: Value;
  readonly priority: Priority;
  /** The values and qualities that were seen, e.g. `smoke-101/smoke is true (good)`. */
  readonly reason: string;
  /** ms from now after which the rule itself will relinquish it; null: as long as it is fired. */
  readonly lasts: number | null;
  /** Of a loudspeaker: as `Hold` has it. */
  readonly rank?: number;
  /** Since when, ms since epoch; absent: now. Of equals who was first has the word. */
  readonly since?: number;
}

/** A permissive is not given: nothing weaker than `priority` may give the output this value until `permit`. Idempotent. */
export interface ForbidDecision {
  readonly kind: 'forbid';
  readonly owner: string;
  readonly ref: PointRef;
  readonly value: Value;
  readonly priority: Priority;
  readonly reason: string;
}

export interface PermitDecision {
  readonly kind: 'permit';
  readonly owner: string;
  readonly ref: PointRef;
  readonly reason: string;
}

/** Take a picture, once. */
export interface SnapshotDecision {
  readonly kind: 'snapshot';
  readonly owner: string;
  readonly camera: DeviceId;
  readonly reason: string;
}

/** Tell people outside the console, once. */
export interface NotifyDecision {
  readonly kind: 'notify';
  /** `rule:<instance>`. */
  readonly about: string;
  /** Recipients, groups or channels of the site file. */
  readonly to: readonly string[];
  readonly message: Name;
  readonly zone?: ZoneId;
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
  readonly camera?: DeviceId;
  /** Alarms of one cause share it: the rule's id. */
  readonly group?: string;
}

/** The cause is gone. */
export interface ReturnDecision {
  readonly kind: 'return';
  readonly source: string;
  readonly reason: string;
}

/** What `commands` acts on at once. */
export type HoldChange = HoldDecision | RelinquishDecision | ForbidDecision | PermitDecision;
export type AlarmDecision = RaiseDecision | ReturnDecision;
/** Said once, acted on once, never repeated after a restart. */
export type OnceDecision = SnapshotDecision | NotifyDecision;
export type Decision = HoldChange | AlarmDecision | OnceDecision;

export function isHoldChange(decision: Decision): decision is HoldChange {
  return ['hold', 'relinquish', 'forbid', 'permit'].includes(decision.kind);
}

export function isOnce(decision: Decision): decision is OnceDecision {
  return decision.kind === 'snapshot' || decision.kind === 'notify';
}

export function isAlarmDecision(decision: Decision): decision is AlarmDecision {
  return decision.kind === 'raise' || decision.kind === 'return';
}
