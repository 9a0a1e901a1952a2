import { createGlob } from '#edge/domain/glob.ts';
import {
  type Action,
  type Condition,
  instanceId,
  type Needs,
  type Rule,
  type RuleVersion,
  ruleOwner,
  type Selection,
} from '#edge/domain/rule.ts';
import type { CampusIndex, Place } from './campus-index.ts';
import { type CompiledInstance, isCircumstance, type Leaf, type TimedHold, type Tree } from './compiled-rule.ts';

/** Most times of a sliding window that are kept: a count of more is a mistake that `problemsOf` names. */
export const maxCount = 1_000;

/**
 * What one rule may look at and act on, of all its places together: points of its conditions, outputs, and the conditions themselves. A
 * campus has some thousand points; a rule that multiplies them by its places would take the memory and the time of all the others.
 */
export const mostInRule = 20_000;
export const tooLarge = `looks at and acts on more than ${mostInRule} points in all its places: say \`here\`, or narrow what it selects`;

/**
 * One instance for each place, ascending by id. Tolerates mistakes: a point that does not exist was never read, so its rule says that
 * it is blind. A rule with `each` that finds no place, and one that is too large, has one instance that can only say so.
 */
export function compileRule(version: RuleVersion, index: CampusIndex): readonly CompiledInstance[] {
  const { each } = version.rule;
  const places = each === null ? [null] : index.placesOf(each);
  if (each !== null && places.length === 0) return [nowhere(version, each.of.of)];
  const instances: CompiledInstance[] = [];
  let size = 0;
  for (const place of places) {
    const one = compileInstance(version, place, index);
    size += sizeOf([one]);
    if (size > mostInRule) return [nowhere(version, `a rule that ${tooLarge}`)];
    instances.push(one);
  }
  return instances;
}

/** How much instances look at and act on. */
export function sizeOf(instances: readonly CompiledInstance[]): number {
  let size = 0;
  for (const { leaves, holds, forbids, sheds } of instances) {
    size += 1 + leaves.length + holds.length + forbids.length;
    for (const leaf of leaves) if ('refs' in leaf) size += leaf.refs.length;
    for (const { order } of sheds) size += order.length;
  }
  return size;
}

export function isTooLarge({ leaves }: CompiledInstance): boolean {
  return leaves.some((leaf) => leaf.key === nowhereKey && 'spelled' in leaf && leaf.spelled.endsWith(tooLarge));
}

function compileInstance(version: RuleVersion, place: Place | null, index: CampusIndex): CompiledInstance {
  const { rule } = version;
  const build: Build = { place, index, leaves: [], keys: new Map() };
  const when = compileCondition(rule.when, 'when', build);
  const isCircumstantial = build.leaves.length > 0 && build.leaves.every(isCircumstance);
  const whiles = rule.while.map((condition, i) => compileCondition(condition, `while[${i}]`, build));
  const alarm = rule.then.find((action) => action.kind === 'alarm') ?? null;
  return {
    ...namesOf(version, place),
    leaves: build.leaves,
    when,
    whiles,
    isCircumstantial,
    holds: rule.then.flatMap((action) => holdsOf(action, place, index)),
    forbids: rule.then.flatMap((action) => {
      if (action.kind !== 'forbid') return [];
      return index.select(action.outputs, place).map((ref) => ({ ref, value: action.value }));
    }),
    sheds: rule.then.filter((action) => action.kind === 'shed'),
    alarm,
    once: rule.then.filter((action) => action.kind === 'snapshot' || action.kind === 'notify'),
  };
}

function namesOf(
  { rule, version }: RuleVersion,
  place: Place | null,
): Pick<CompiledInstance, 'id' | 'rule' | 'version' | 'place' | 'owner' | 'blindSource'> {
  const id = instanceId(rule.id, place === null ? null : place.id);
  return { id, rule, version, place, owner: ruleOwner(rule.kind, id), blindSource: `blind:${id}` };
}

const nowhereKey = 'nowhere';

/** What stands for a rule that found no place: it does nothing but say that it sees nothing. */
export function nowhere(version: RuleVersion, spelled: string): CompiledInstance {
  const leaf: Leaf = {
    kind: 'point',
    key: nowhereKey,
    path: 'each',
    refs: [],
    lenient: [],
    needed: 1,
    spelled,
    onBad: 'hold',
    test: { is: true },
    for: 0,
  };
  return {
    ...namesOf(version, null),
    leaves: [leaf],
    when: { kind: 'leaf', path: 'each', at: 0 },
    whiles: [],
    isCircumstantial: false,
    holds: [],
    forbids: [],
    sheds: [],
    alarm: null,
    once: [],
  };
}

function holdsOf(action: Action, place: Place | null, index: CampusIndex): readonly TimedHold[] {
  if (action.kind === 'hold') {
    return index.select(action.outputs, place).map((ref) => ({ ref, value: action.value, for: action.for }));
  }
  if (action.kind !== 'broadcast') return [];
  return index.speakers(action.zones, place).map((ref) => ({ ref, value: action.clip, for: action.for }));
}

interface Build {
  readonly place: Place | null;
  readonly index: CampusIndex;
  readonly leaves: Leaf[];
  /** How often each condition was met so far: the same one twice has two memories. */
  readonly keys: Map<string, number>;
}

function compileCondition(condition: Condition, path: string, build: Build): Tree {
  if (condition.kind === 'any' || condition.kind === 'all') {
    const parts = condition.conditions.map((inner, i) => compileCondition(inner, `${path}.conditions[${i}]`, build));
    return { kind: condition.kind, path, parts };
  }
  const text = stableText(condition);
  const seen = build.keys.get(text) ?? 0;
  build.keys.set(text, seen + 1);
  const key = seen === 0 ? text : `${text}#${seen}`;
  build.leaves.push(compileLeaf(condition, { key, path }, build));
  return { kind: 'leaf', path, at: build.leaves.length - 1 };
}

function compileLeaf(
  condition: Exclude<Condition, { kind: 'any' | 'all' }>,
  base: { readonly key: string; readonly path: string },
  build: Build,
): Leaf {
  switch (condition.kind) {
    case 'point': {
      const { test, onBad } = condition;
      const over = overPoints(condition.points, condition.needs, build);
      return { ...base, kind: 'point', ...over, test, for: condition.for, onBad };
    }
    case 'rate': {
      const { change, within, onBad } = condition;
      const [sign, amount] = 'rises' in change ? ([1, change.rises] as const) : ([-1, change.falls] as const);
      const over = overPoints(condition.points, condition.needs, build);
      return { ...base, kind: 'rate', ...over, sign, amount, within, onBad };
    }
    case 'event':
      return { ...base, kind: 'event', ...eventsOf(condition.type, condition, build), for: condition.for };
    case 'count': {
      const { of, within } = condition;
      const atLeast = Math.min(maxCount, Math.max(1, Math.floor(condition.atLeast) || 1));
      if ('event' in of) return { ...base, kind: 'events', ...eventsOf(of.event, of, build), atLeast, within };
      const over = overPoints(of.points, 'any', build);
      return { ...base, kind: 'edges', ...over, test: of.becomes, atLeast, within, onBad: 'hold' };
    }
    case 'unacknowledged':
      return { ...base, kind: 'unacknowledged', rule: condition.rule, for: condition.for };
    case 'calendar':
      return { ...base, kind: 'calendar', is: condition.is };
    case 'time':
      return { ...base, kind: 'time', from: condition.from, to: condition.to, days: condition.days ?? null };
    case 'mode':
      return { ...base, kind: 'mode', mode: condition.mode, is: condition.is };
  }
}

function overPoints(selection: Selection, needs: Needs, { index, place }: Build) {
  const refs = index.select(selection, place);
  const isGlob = selection.of.includes('*');
  const most = needs === 'any' ? 1 : needs === 'all' ? refs.length : Math.floor(needs);
  return {
    refs,
    lenient: refs.map((ref) => isGlob && index.points.get(ref)?.point.optional === true),
    needed: Math.max(1, most || 1),
    spelled: selection.of,
  };
}

function eventsOf(
  type: string,
  from: Pick<Extract<Condition, { kind: 'event' }>, 'device' | 'zones' | 'here'>,
  { place }: Build,
) {
  const none: Place = { kind: 'device', id: '' };
  return {
    type,
    device: createGlob(from.device),
    zones: from.zones ?? null,
    place: from.here === true ? (place ?? none) : null,
  };
}

/** The same for the same data, whatever the order of keys: a rule from a file and one from the database are one. */
function stableText(data: unknown): string {
  if (Array.isArray(data)) return `[${data.map(stableText).join()}]`;
  if (typeof data !== 'object' || data === null) return JSON.stringify(data) ?? 'null';
  const entries = Object.entries(data).filter(([, value]) => value !== undefined);
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${sorted.map(([key, value]) => `${JSON.stringify(key)}:${stableText(value)}`).join()}}`;
}

/** Rules whose alarms a rule waits for. */
export function watchedBy(rule: Rule): readonly string[] {
  const walk = (condition: Condition): readonly string[] => {
    if (condition.kind === 'any' || condition.kind === 'all') return condition.conditions.flatMap(walk);
    return condition.kind === 'unacknowledged' ? [condition.rule] : [];
  };
  return [rule.when, ...rule.while].flatMap(walk);
}
