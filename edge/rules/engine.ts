import type { Alarm } from '#edge/domain/alarm.ts';
import type { Calendar } from '#edge/domain/calendar.ts';
import type { Device } from '#edge/domain/device.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { PointRef, SpaceId, ZoneId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import type { Rule, RuleDecision, RuleVersion } from '#edge/domain/rule.ts';
import type { Decision } from './decision.ts';

/** What rules are about: every device with its points, and the places they are in. */
export interface RuleCampus {
  readonly devices: readonly Device[];
  readonly zones: readonly { readonly id: ZoneId; readonly name: Name; readonly spaces: readonly SpaceId[] }[];
  readonly spaces: readonly { readonly id: SpaceId; readonly name: Name }[];
}

export interface EngineOptions {
  readonly campus: RuleCampus;
  readonly calendar: Calendar;
  /** ms on the monotonic clock at which this run of the engine began. */
  readonly monotonic: number;
  /** How long a rule may lack a usable value before people are told, ms; default 30,000. */
  readonly blindAfter?: number;
  /** How long after the start `onBad: trip` waits for a point's first value, ms; default 30,000. */
  readonly startGrace?: number;
  /** A version that only watches: its decisions are marked so in the journal, and the caller acts on none of them. */
  readonly shadow?: boolean;
}

export interface EngineInput {
  /** ms since epoch: calendar, time of day, and the stamp of decisions. */
  readonly now: number;
  /** ms: every `for`, window, cool-down and expiry runs on it, so that a step of the wall clock starts and delays nothing. */
  readonly monotonic: number;
  /** What was heard since the last step. The first step after a start (or after `put`) looks at everything it needs. */
  readonly changed: Iterable<PointRef>;
  readonly latest: ReadonlyMap<PointRef, Reading>;
  readonly events: readonly CampusEvent[];
  /** Open alarms by source, with the decisions of the last step applied. */
  readonly openAlarms: ReadonlyMap<string, Alarm>;
  /** Modes that are on. */
  readonly modes: ReadonlySet<string>;
}

export interface StepOutcome {
  /** Strongest priority first, then by rule id and place; of one instance: holds and forbids, alarms, then what is said once. */
  readonly decisions: readonly Decision[];
  readonly journal: readonly RuleDecision[];
  /** Time alone may change something in this many ms; step again then. null: only news can. */
  readonly wakeIn: number | null;
  /** What must survive a restart and has changed: state name (`rule:<instance>`) to plain JSON, null to forget it. */
  readonly durable: Readonly<Record<string, unknown>>;
}

export interface InstanceView {
  readonly instance: string;
  readonly rule: string;
  readonly version: number;
  /** Id of its space, zone or device; null for a rule without `each`. */
  readonly place: string | null;
  readonly fired: boolean;
  /** ms since epoch; null while it is not fired. */
  readonly since: number | null;
  readonly blind: boolean;
  readonly coolsUntil: number | null;
}

/** A condition with what it sees now. */
export interface ConditionNow {
  readonly kind: string;
  /** Path in the rule: `when`, `when.conditions[1]`, `while[0]`. */
  readonly path: string;
  readonly met: boolean;
  /** It stands but not long enough yet: true at that time (ms since epoch) if nothing changes. */
  readonly dueAt: number | null;
  readonly count: number | null;
  readonly needs: number | null;
  /** At most 20, those that say so first. */
  readonly points: readonly {
    readonly ref: PointRef;
    readonly value: Value | null;
    readonly quality: Reading['quality'];
    readonly reason?: Reading['reason'];
    readonly time: number;
    /** null: cannot be used. */
    readonly met: boolean | null;
  }[];
  readonly parts: readonly ConditionNow[];
}

export interface WhyView {
  readonly instance: InstanceView;
  readonly when: ConditionNow;
  readonly while: readonly ConditionNow[];
  readonly holds: readonly { readonly ref: PointRef; readonly value: Value }[];
}

/**
 * The rules of one campus at work. What `step` answers depends on its input and on what it remembers, and on nothing else: no
 * clock, no chance. The same inputs in the same order give the same bytes. It never throws for what it is fed.
 */
export interface Engine {
  /**
   * Adds a rule or replaces its version, compiling only that one. What the old version remembers of conditions, actions and places
   * that are the same goes on; a latched trip goes on in any case. `stored`: of a start, what the store remembers (state by name).
   */
  put(version: RuleVersion, stored?: Readonly<Record<string, unknown>>): void;
  /** Why a rule is too large to run here, alone or beside the others: put all the same, it would say that it sees nothing. null: it fits. */
  refuses(rule: Rule): string | null;
  /** Takes a rule out. The next step relinquishes what it holds and returns its alarms. */
  remove(rule: string): void;
  step(input: EngineInput): StepOutcome;
  /** A person resets a fired, latched instance (or rule: all its instances). Refused while the cause still stands. Step right after it. */
  reset(instance: string, why: string): { readonly reset: boolean; readonly message: string };
  /** Every instance, by rule and place. */
  instances(): readonly InstanceView[];
  /** What an instance sees now, and why it is (not) fired; null when there is none. */
  why(instance: string, input: Omit<EngineInput, 'changed' | 'events'>): WhyView | null;
  /** Every hold and forbid that instances stand for now. */
  standing(): readonly { readonly owner: string; readonly ref: PointRef }[];
  readonly counters: Readonly<Record<string, number>>;
}
