import type { Glob } from '#edge/domain/glob.ts';
import type { PointRef, ZoneId } from '#edge/domain/ids.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { Action, Comparison, OnBad, Rule } from '#edge/domain/rule.ts';
import type { Place } from './campus-index.ts';

/*
 * A rule as the engine runs it: one instance for each place, its conditions as a tree whose leaves stand in a flat list, so that
 * what they remember stands in a flat list beside it.
 */

/** `key` says in what a leaf is the same as another: its memory outlives a new version of the rule that still has it. */
interface LeafBase {
  readonly key: string;
  /** As people find it in the rule: `when.conditions[1]`. */
  readonly path: string;
}

interface OverPoints extends LeafBase {
  readonly refs: readonly PointRef[];
  /** By index: not every device of the model has it, and it was chosen by a glob; nobody misses it before it is heard. */
  readonly lenient: readonly boolean[];
  /** How many points must say so. */
  readonly needed: number;
  /** As the rule spells the selection. */
  readonly spelled: string;
  readonly onBad: OnBad;
}

export interface PointsLeaf extends OverPoints {
  readonly kind: 'point';
  readonly test: Comparison;
  readonly for: number;
}

export interface RateLeaf extends OverPoints {
  readonly kind: 'rate';
  /** 1: rises, -1: falls. */
  readonly sign: 1 | -1;
  readonly amount: number;
  readonly within: number;
}

/** How often points began to meet a test. */
export interface EdgesLeaf extends OverPoints {
  readonly kind: 'edges';
  readonly test: Comparison;
  readonly atLeast: number;
  readonly within: number;
}

interface HearsEvents extends LeafBase {
  readonly type: string;
  readonly device: Glob;
  readonly zones: readonly ZoneId[] | null;
  readonly place: Place | null;
}

export interface EventLeaf extends HearsEvents {
  readonly kind: 'event';
  readonly for: number;
}

export interface EventsLeaf extends HearsEvents {
  readonly kind: 'events';
  readonly atLeast: number;
  readonly within: number;
}

export interface UnacknowledgedLeaf extends LeafBase {
  readonly kind: 'unacknowledged';
  readonly rule: string;
  readonly for: number;
}

export interface CalendarLeaf extends LeafBase {
  readonly kind: 'calendar';
  readonly is: string;
}

export interface TimeLeaf extends LeafBase {
  readonly kind: 'time';
  readonly from: number;
  readonly to: number;
  readonly days: readonly number[] | null;
}

export interface ModeLeaf extends LeafBase {
  readonly kind: 'mode';
  readonly mode: string;
  readonly is: boolean;
}

export type SensingLeaf = PointsLeaf | RateLeaf | EdgesLeaf;
export type CircumstanceLeaf = CalendarLeaf | TimeLeaf | ModeLeaf;
export type Leaf = SensingLeaf | EventLeaf | EventsLeaf | UnacknowledgedLeaf | CircumstanceLeaf;

export type Tree =
  | { readonly kind: 'leaf'; readonly path: string; readonly at: number }
  | { readonly kind: 'any' | 'all'; readonly path: string; readonly parts: readonly Tree[] };

export interface TimedHold {
  readonly ref: PointRef;
  readonly value: Value;
  /** ms; null: as long as it is fired. */
  readonly for: number | null;
}

export interface CompiledInstance {
  readonly id: string;
  readonly rule: Rule;
  readonly version: number;
  readonly place: Place | null;
  /** Owner of its holds and source of its alarm. */
  readonly owner: string;
  readonly blindSource: string;
  /** Those of `when` first, then those of `while`. */
  readonly leaves: readonly Leaf[];
  readonly when: Tree;
  readonly whiles: readonly Tree[];
  /** `when` asks for the calendar, the time and modes only: nothing needs to be heard to confirm it. */
  readonly isCircumstantial: boolean;
  /** In the order of the actions; the last one of an output counts. */
  readonly holds: readonly TimedHold[];
  readonly forbids: readonly { readonly ref: PointRef; readonly value: Value }[];
  readonly sheds: readonly Extract<Action, { kind: 'shed' }>[];
  readonly alarm: Extract<Action, { kind: 'alarm' }> | null;
  readonly once: readonly Extract<Action, { kind: 'snapshot' | 'notify' }>[];
}

export function isSensing(leaf: Leaf): leaf is SensingLeaf {
  return leaf.kind === 'point' || leaf.kind === 'rate' || leaf.kind === 'edges';
}

export function isCircumstance(leaf: Leaf): leaf is CircumstanceLeaf {
  return leaf.kind === 'calendar' || leaf.kind === 'time' || leaf.kind === 'mode';
}
