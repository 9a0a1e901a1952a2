import type { DeviceId, HappeningId, PointRef, ZoneId } from './ids.ts';
import type { Name } from './place.ts';

/** ISA-18.2 / IEC 62682: how fast a person must act. */
export type AlarmClass = 'critical' | 'high' | 'medium' | 'low';

/**
 * How long an alarm may be shelved at a time, minutes. A critical one from an interlock of priority 1 (life safety) may not
 * be shelved at all.
 */
export const longestShelf: Readonly<Record<AlarmClass, number>> = { critical: 60, high: 480, medium: 480, low: 480 };

/**
 * ISA-18.2 states. `normal` ends the occurrence: it stays in history, and the next one gets a new id.
 * unacknowledged -> acknowledged -> normal;  unacknowledged -> returned (cleared before anyone saw it) -> normal.
 * A latched alarm stays active until it is reset, even when its cause is gone.
 */
export type AlarmState = 'unacknowledged' | 'acknowledged' | 'returned' | 'normal';

export interface Alarm {
  readonly id: HappeningId;
  /**
   * What raised it; one open alarm per source: `interlock:<rule>` (safety), `rule:<rule>`, `blind:<rule>` (its points cannot
   * be used; all three may end in `@<place>`), `flow:<key>` (raised by a flow), `device:<id>`, `process:<name>`, `output:<ref>`, `store:acts` (what was done is not on disk).
   */
  readonly source: string;
  readonly class: AlarmClass;
  readonly state: AlarmState;
  /** The cause still stands, or comes and goes so often that the alarm is held up (`chattering`). */
  readonly active: boolean;
  readonly message: Name;
  /** What the person should do. An alarm nobody must act on is not an alarm. */
  readonly next: Name;
  /** What was seen: values and qualities, e.g. `smoke-101/smoke is true (good)`. */
  readonly reason?: string;
  readonly device?: DeviceId;
  readonly ref?: PointRef;
  readonly zone?: ZoneId;
  /** Event that raised it (its snapshot is the alarm's picture). */
  readonly event?: HappeningId;
  /** Camera to look through first. */
  readonly camera?: DeviceId;
  /** Alarms of one cause share it (a rule's instances: the rule's id); they are shown as one until opened. */
  readonly group?: string;
  /** How far the ladder has gone: the step that was last told (0 is the first), and when the next is due; null: it is at its end. */
  readonly escalation?: {
    readonly ladder: string;
    readonly step: number;
    readonly told: number;
    readonly due: number | null;
  };
  /** Source of the alarm whose known cause makes this one silent by design (its driver is down). Never itself behind another. */
  readonly suppressedBy?: string;
  /** That cause is gone: what it hid has until then to recover, and is shown if it has not. */
  readonly suppressedUntil?: number;
  readonly raised: number;
  /** Since when it waits for a person, where that is later than `raised`: it became graver, or came back into sight. */
  readonly shown?: number;
  /** When its cause last came back within this occurrence. */
  readonly came?: number;
  /**
   * Its cause comes and goes more often than anybody can follow: since then it is held up as one alarm whose `count` grows.
   * `quiet`: since when the cause has stayed away; null while it stands.
   */
  readonly chattering?: { readonly since: number; readonly quiet: number | null };
  readonly acknowledged?: { readonly time: number; readonly by: string; readonly note: string };
  /**
   * ISA-18.2 shelving: out of sight until then, with a reason; the state goes on beneath. Ends by itself, with the
   * occurrence, when a person takes it back, and when the alarm becomes graver.
   */
  readonly shelved?: { readonly until: number; readonly by: string; readonly reason: string };
  readonly returned?: number;
  readonly ended?: number;
  /** How many times the cause came back within this occurrence. */
  readonly count: number;
}
