import type { AlarmClass } from './alarm.ts';
import type { DeviceId, HappeningId, PointRef, SpaceId, ZoneId } from './ids.ts';
import type { Name } from './place.ts';
import type { Quality, Reason, Value } from './reading.ts';

/*
 * The one language of rules: when something is seen, do something. Safety rules (interlocks and permissives), energy, comfort and
 * notices are all written in it; one file a rule. Durations are ms here and `20min` in files. Everything is data: nothing in a rule
 * is a program, so each can be read as a sentence, rehearsed on stored readings and proved.
 */

/** `safety` runs at priority 1 or 5, needs two people to change, and nothing a person or a flow wishes overrules it. */
export const ruleKinds = ['safety', 'security', 'energy', 'comfort', 'notice'] as const;
export type RuleKind = (typeof ruleKinds)[number];

/** What a condition does when a value it needs is bad, stale or was never heard. */
export type OnBad = 'trip' | 'hold' | 'ignore';

export type Comparison =
  | { readonly is: Value }
  | { readonly isNot: Value }
  | { readonly above: number /** Must fall this far below again before it is over. */; readonly hysteresis?: number }
  | { readonly below: number; readonly hysteresis?: number };

/** Points by name and by place. All that is said must fit. */
export interface Selection {
  /** `<device>/<point>`; `*` stands for any characters within a segment. */
  readonly of: string;
  readonly zones?: readonly ZoneId[];
  readonly spaces?: readonly SpaceId[];
  /** The device has one of these tags. */
  readonly tags?: readonly string[];
  /** Only in the place of this instance: for rules with `each`. */
  readonly here?: true;
}

/** How many of the selected points must say so. */
export type Needs = 'any' | 'all' | number;

/**
 * `for`: it must have stood so long, ms. `onBad`: `trip` counts an unusable value as true, `ignore` as false, `hold` keeps the last
 * good verdict (false before the first) and says that the rule is blind.
 */
export type Condition =
  | {
      readonly kind: 'point';
      readonly points: Selection;
      readonly needs: Needs;
      readonly test: Comparison;
      readonly for: number;
      readonly onBad: OnBad;
    }
  /** A number that rises (or falls) by at least so much within a time: the newest good value against the lowest (highest) in the window. */
  | {
      readonly kind: 'rate';
      readonly points: Selection;
      readonly needs: Needs;
      readonly change: { readonly rises: number } | { readonly falls: number };
      readonly within: number;
      readonly onBad: OnBad;
    }
  /** An event of this type from a matching device; true for `for` ms after it (at least one evaluation). */
  | {
      readonly kind: 'event';
      readonly type: string;
      /** Glob of device ids. */
      readonly device: string;
      readonly zones?: readonly ZoneId[];
      readonly here?: true;
      readonly for: number;
    }
  /** At least so many events, or so many times that a point of the selection began to meet the test, within a sliding time. */
  | {
      readonly kind: 'count';
      readonly of:
        | { readonly event: string; readonly device: string; readonly zones?: readonly ZoneId[]; readonly here?: true }
        | { readonly points: Selection; readonly becomes: Comparison };
      readonly atLeast: number;
      readonly within: number;
    }
  /** The alarm of another rule (any of its instances) has stood unacknowledged this long. */
  | { readonly kind: 'unacknowledged'; readonly rule: string; readonly for: number }
  /** A label of the calendar holds: `open`, `closed` ... */
  | { readonly kind: 'calendar'; readonly is: string }
  /** Local time of day, minutes after midnight; `from` > `to` reaches over midnight (its day is the one on which it began). ISO weekdays; absent: all. */
  | { readonly kind: 'time'; readonly from: number; readonly to: number; readonly days?: readonly number[] }
  /** A mode of the campus (exam, drill, holiday ...) is on, or off. */
  | { readonly kind: 'mode'; readonly mode: string; readonly is: boolean }
  | { readonly kind: 'any'; readonly conditions: readonly Condition[] }
  | { readonly kind: 'all'; readonly conditions: readonly Condition[] };

/** In messages: `{place}`, `{device}`, `{value}`, `{unit}`, `{count}`, `{since}` are filled in when they are said. */
export type Action =
  /** Every selected output is held while the rule is fired; `for` ends it earlier, ms (always present below safety). */
  | { readonly kind: 'hold'; readonly outputs: Selection; readonly value: Value; readonly for: number | null }
  /** A permissive: while the rule is fired, nothing weaker may give these outputs this value. Safety rules only. */
  | { readonly kind: 'forbid'; readonly outputs: Selection; readonly value: Value }
  /** Forces the first of the outputs to `value`; one more each `every` ms while the cause stands; given back in reverse. */
  | { readonly kind: 'shed'; readonly order: readonly PointRef[]; readonly value: Value; readonly every: number }
  /** Every speaker of the zones plays the clip while the rule is fired. */
  | {
      readonly kind: 'broadcast';
      readonly clip: string;
      readonly zones: 'all' | 'here' | readonly ZoneId[];
      readonly for: number | null;
    }
  | {
      readonly kind: 'alarm';
      readonly class: AlarmClass;
      readonly message: Name;
      /** What the person should do. */
      readonly next: Name;
      readonly camera?: DeviceId;
    }
  /** Takes a picture, once, when it fires. */
  | { readonly kind: 'snapshot'; readonly camera: DeviceId }
  /** Tells people outside the console, once, when it fires. `to`: recipients, groups or channels of the site file. */
  | { readonly kind: 'notify'; readonly to: readonly string[]; readonly message: Name };

/** One instance for each place in which `of` finds a point: one rule for sixty classrooms. */
export interface Each {
  readonly place: 'space' | 'zone' | 'device';
  readonly of: Selection;
}

export interface Rule {
  readonly id: string;
  readonly name: Name;
  /** Why it exists, for whoever reads the list. */
  readonly about: Name | null;
  readonly kind: RuleKind;
  /** Of what it holds: 1 or 5 for safety, 12 for the others. */
  readonly priority: 1 | 5 | 12;
  readonly each: Each | null;
  readonly when: Condition;
  /** Calendar, time and mode conditions in which it may fire and stay fired; outside them it clears (a latched one stays). */
  readonly while: readonly Condition[];
  readonly then: readonly Action[];
  /** Stays fired when the cause is gone, until a person resets it. */
  readonly latch: boolean;
  /** The cause must be gone this long before it clears, ms. */
  readonly clearAfter: number;
  /** After it cleared it does not fire again for so long, ms. Not for safety. */
  readonly coolDown: number;
  /** Examples that must come true; run by `campus rule check`, before a rule is activated, and by the tests. */
  readonly tests: readonly RuleTest[];
}

/** A little play: what happens at which ms after the start, and what must then be so. */
export interface RuleTest {
  readonly name: Name;
  /** Local date and time at which it starts, `2026-11-23T10:00`. */
  readonly start: string;
  readonly given: readonly RuleTestStep[];
  readonly expect: readonly RuleTestExpectation[];
}

export interface RuleTestStep {
  readonly at: number;
  readonly set?: Readonly<Record<string, Value>>;
  readonly bad?: readonly string[];
  readonly event?: { readonly type: string; readonly device: string };
  readonly mode?: Readonly<Record<string, boolean>>;
  /** Alarms of these rules are acknowledged. */
  readonly acknowledge?: readonly string[];
}

export interface RuleTestExpectation {
  readonly at: number;
  /** Instances that are fired then; every other one is not. */
  readonly fired?: readonly string[];
  /** What the rule holds then, all of it. */
  readonly holds?: Readonly<Record<string, Value>>;
  readonly alarm?: AlarmClass | null;
  readonly notified?: number;
}

/** A rule with the number of its version: what the engine runs and the journal names. */
export interface RuleVersion {
  readonly rule: Rule;
  /** 1, 2, 3 ...; 0 for one that was never saved (a rehearsal of a draft). */
  readonly version: number;
}

/** `interlock:` for safety, `rule:` for the others: the owner of its holds and the source of its alarm. */
export function ruleOwner(kind: RuleKind, instance: string): string {
  return kind === 'safety' ? `interlock:${instance}` : `rule:${instance}`;
}

/** `<rule>` or `<rule>@<place>`. */
export function instanceId(rule: string, place: string | null): string {
  return place === null ? rule : `${rule}@${place}`;
}

export function ruleOfInstance(instance: string): string {
  const cut = instance.indexOf('@');
  return cut < 0 ? instance : instance.slice(0, cut);
}

/** A value as a decision saw it. */
export interface Seen {
  readonly ref: PointRef;
  readonly value: Value | null;
  readonly quality: Quality;
  readonly reason?: Reason;
  /** Source time of the value, ms since epoch. */
  readonly time: number;
}

/** What one instance decided, with what it saw: one line of the journal. At most 16 values and 32 acts are kept. */
export interface RuleDecision {
  readonly time: number;
  readonly rule: string;
  readonly instance: string;
  readonly version: number;
  /** Of a version that only watches: it acted on nothing. */
  readonly shadow: boolean;
  readonly what: 'fired' | 'cleared' | 'ended' | 'reset' | 'blind' | 'sighted' | 'stepped';
  readonly why: string;
  readonly saw: readonly Seen[];
  /** The event that did it. */
  readonly event?: HappeningId;
  /** `hold relay-1/relay_1=false at 12`, `relinquish ...`, `forbid ...`, `alarm high`, `notify duty`, `snapshot camera-gate`. */
  readonly did: readonly string[];
}

/** How far a rule is: people see all of them, the engine runs `active` ones and, beside them, what is in `shadow`. */
export type RuleState = 'draft' | 'shadow' | 'active' | 'off';

/** What a parameter of a template takes. `points`: a glob or reference. */
export const ruleParameterTypes = [
  'number',
  'duration',
  'time',
  'boolean',
  'text',
  'points',
  'output',
  'zone',
  'camera',
  'clip',
  'recipient',
] as const;
