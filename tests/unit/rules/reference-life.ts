import type { Alarm } from '#edge/domain/alarm.ts';
import type { Calendar } from '#edge/domain/calendar.ts';
import type { CampusEvent } from '#edge/domain/event.ts';
import type { Reading, Value } from '#edge/domain/reading.ts';
import type { Rule } from '#edge/domain/rule.ts';
import type { RuleCampus } from '#edge/rules/engine.ts';
import { leavesIn } from './reference-campus.ts';

/* What an instance of a rule has lived through, in the reference. */

export interface Moment {
  readonly now: number;
  readonly monotonic: number;
  readonly readings: ReadonlyMap<string, Reading>;
  readonly events: readonly CampusEvent[];
  readonly alarms: ReadonlyMap<string, Alarm>;
  readonly modes: ReadonlySet<string>;
}

/** What a leaf remembers along the history. */
export interface LeafLife {
  verdict: boolean;
  /** Good time that it has stood, ms, and whether that time runs. */
  stood: number;
  runs: boolean;
  points: Map<string, { verdict: boolean; heard: boolean; keptUntil: number | null }>;
  alarms: Map<string, { stood: number; begun: boolean; verdict: boolean }>;
  event: string | null;
  eventUntil: number | null;
  /** The entry of the history with which it came. */
  readonly bornAt: number;
  /** No event before this entry counts any more (a reset). */
  countsFrom: number;
  /** A verdict from before the start stands until then. */
  keptUntil: number | null;
}

export interface Remembered {
  readonly fired: boolean;
  readonly since: number | null;
  readonly coolsUntil: number | null;
  readonly leaves: ReadonlyMap<string, { verdict: boolean; on: ReadonlySet<string>; event: string | null }>;
  readonly sheds: readonly { count: number; isShedding: boolean }[];
}

export interface Life {
  readonly rule: Rule;
  readonly version: number;
  readonly instance: string;
  readonly place: string | null;
  fired: boolean;
  since: number | null;
  firedAt: number;
  live: boolean;
  standing: boolean;
  goneFor: number;
  goneRuns: boolean;
  coolEnd: number | null;
  coolTime: number | null;
  leaves: Map<string, LeafLife>;
  sheds: { count: number; isShedding: boolean; nextAt: number | null }[];
  held: Map<string, string>;
  forbidden: Map<string, Value>;
  blindFrom: number | null;
  blindSaid: string;
  looked: boolean;
  restored: boolean;
  wasReset: boolean;
  startedAt: number;
}

export interface World {
  readonly campus: RuleCampus;
  readonly calendar: Calendar;
  /** Every moment so far, with its place in the history. */
  readonly moments: readonly (readonly [number, Moment])[];
  readonly moment: Moment;
  /** ms since the step before. */
  readonly passed: number;
  readonly at: number;
  readonly lives: ReadonlyMap<string, Life>;
}

export function ownerOf(rule: Rule, instance: string): string {
  return `${rule.kind === 'safety' ? 'interlock' : 'rule'}:${instance}`;
}

export function newLeaf(bornAt: number): LeafLife {
  return {
    bornAt,
    verdict: false,
    stood: 0,
    runs: false,
    points: new Map(),
    alarms: new Map(),
    event: null,
    eventUntil: null,
    countsFrom: 0,
    keptUntil: null,
  };
}

export function newLife(rule: Rule, version: number, instance: string, place: string | null, at: number): Life {
  return {
    rule,
    version,
    instance,
    place,
    fired: false,
    since: null,
    firedAt: 0,
    live: false,
    standing: false,
    goneFor: 0,
    goneRuns: false,
    coolEnd: null,
    coolTime: null,
    leaves: new Map(leavesIn(rule).map(([key]) => [key, newLeaf(at)])),
    sheds: rule.then.flatMap((action) =>
      action.kind === 'shed' ? [{ count: 0, isShedding: false, nextAt: null }] : [],
    ),
    held: new Map(),
    forbidden: new Map(),
    blindFrom: null,
    blindSaid: '',
    looked: false,
    restored: false,
    wasReset: false,
    startedAt: Number.NaN,
  };
}

/** A new version goes on where the old one was; conditions that are the same go on too. */
export function takeOver(life: Life, old: Life, gone: (Life & { goesOn?: 'here' | 'elsewhere' })[]): void {
  const { rule, version, leaves, sheds } = life;
  const isSameOwner = ownerOf(rule, life.instance) === ownerOf(old.rule, old.instance);
  Object.assign(life, old, { rule, version, leaves, sheds, restored: old.restored && !old.looked, looked: false });
  for (const key of leaves.keys()) {
    const known = old.leaves.get(key);
    if (known !== undefined) leaves.set(key, known);
  }
  const shedsOf = (one: Rule) => JSON.stringify(one.then.filter(({ kind }) => kind === 'shed'));
  if (shedsOf(rule) === shedsOf(old.rule)) life.sheds = old.sheds;
  life.held = new Map(old.held);
  life.forbidden = new Map(old.forbidden);
  if (rule.priority !== old.rule.priority) {
    for (const ref of life.held.keys()) life.held.set(ref, 'to be said again');
    for (const ref of life.forbidden.keys()) life.forbidden.set(ref, 'to be said again');
  }
  if (isSameOwner) return;
  // Its blind alarm has the same name whatever its kind.
  gone.push({ ...old, goesOn: 'elsewhere' });
  life.held.clear();
  life.forbidden.clear();
}

/** Gone and come again under the same owner within one step: what the one before holds is this one's to give back. */
export function reclaim(life: Life, gone: (Life & { goesOn?: 'here' | 'elsewhere' })[]): void {
  for (const [at, before] of gone.entries()) {
    if (before.instance !== life.instance || before.goesOn === 'here') continue;
    if (ownerOf(before.rule, before.instance) !== ownerOf(life.rule, life.instance)) {
      gone[at] = { ...before, goesOn: 'elsewhere' };
      continue;
    }
    gone[at] = { ...before, held: new Map(), forbidden: new Map(), goesOn: 'here' };
    life.held = new Map([...before.held.keys()].map((ref) => [ref, 'to be said again']));
    life.forbidden = new Map([...before.forbidden.keys()].map((ref) => [ref, 'to be said again']));
  }
}

export function recall(life: Life, known: Remembered | undefined): void {
  if (known === undefined) return;
  life.fired = known.fired;
  life.since = known.since;
  life.coolTime = known.coolsUntil;
  life.restored = true;
  life.sheds = life.sheds.map((shed, i) => ({ ...shed, ...known.sheds[i], nextAt: null }));
  for (const [key, condition] of leavesIn(life.rule)) {
    const leaf = life.leaves.get(key);
    const before = known.leaves.get(key);
    if (leaf === undefined || before === undefined) continue;
    leaf.verdict = before.verdict;
    leaf.event = before.event;
    for (const one of before.on) {
      if (condition.kind === 'unacknowledged') leaf.alarms.set(one, { stood: 0, begun: false, verdict: true });
      else leaf.points.set(one, { verdict: true, heard: false, keptUntil: null });
    }
  }
}

export function rememberedOf(life: Life): Remembered {
  const leaves = new Map<string, { verdict: boolean; on: ReadonlySet<string>; event: string | null }>();
  for (const [key, condition] of leavesIn(life.rule)) {
    const leaf = life.leaves.get(key);
    if (leaf === undefined || ['calendar', 'time', 'mode'].includes(condition.kind)) continue;
    const isCount = condition.kind === 'count';
    const points = isCount ? [] : [...leaf.points].flatMap(([ref, { verdict }]) => (verdict ? [ref] : []));
    const alarms = [...leaf.alarms].flatMap(([one, { verdict }]) => (verdict ? [one] : []));
    leaves.set(key, { verdict: leaf.verdict, on: new Set([...points, ...alarms]), event: leaf.event });
  }
  const { fired, since, coolTime: coolsUntil, sheds } = life;
  return { fired, since, coolsUntil, leaves, sheds: sheds.map(({ count, isShedding }) => ({ count, isShedding })) };
}

/** A person has reset it: nothing that was seen until then counts, but what has been heard stays heard. */
export function forget(life: Life, at: number): void {
  life.fired = false;
  life.since = null;
  life.standing = false;
  life.goneFor = 0;
  life.goneRuns = false;
  life.wasReset = true;
  life.restored = false;
  for (const [key, condition] of leavesIn(life.rule)) {
    const leaf = life.leaves.get(key);
    if (leaf === undefined) continue;
    Object.assign(leaf, { verdict: false, stood: 0, runs: false, event: null, countsFrom: at, keptUntil: null });
    leaf.alarms.clear();
    if (condition.kind !== 'count') {
      for (const point of leaf.points.values()) Object.assign(point, { verdict: false, keptUntil: null });
    }
  }
}
