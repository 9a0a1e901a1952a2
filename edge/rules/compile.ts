import type { Device } from '#edge/domain/device.ts';
import { type DeviceId, type PointRef, pointRef, type ZoneId } from '#edge/domain/ids.ts';
import type { Comparison, Condition, Interlock, InterlockAction, OnBad, OpeningHours } from '#edge/domain/interlock.ts';
import type { Value } from '#edge/domain/reading.ts';
import { ownerOf } from './interlock-state.ts';
import { createOpeningHours } from './opening-hours.ts';

/** The point of a speaker that takes the name of a clip; every device that has it, writable, is a speaker. */
export const clipPoint = 'clip';

/** A condition ready to be judged. `key` is its path in the tree and names its memory. */
export type Node = PointsNode | EventNode | UnacknowledgedNode | GroupNode;

/** `point` is the case of one of one. */
export interface PointsNode {
  readonly kind: 'points';
  readonly key: string;
  readonly refs: readonly PointRef[];
  readonly n: number;
  readonly test: Comparison;
  readonly for: number;
  readonly onBad: OnBad;
  /** As the site file spells it, for people. */
  readonly spelled: string;
}

export interface EventNode {
  readonly kind: 'event';
  readonly key: string;
  readonly type: string;
  readonly device: RegExp;
  readonly during: 'always' | 'open' | 'closed';
  readonly for: number;
}

export interface UnacknowledgedNode {
  readonly kind: 'unacknowledged';
  readonly key: string;
  readonly interlock: string;
  readonly for: number;
}

export type GroupNode =
  | { readonly kind: 'any'; readonly nodes: readonly Node[] }
  | { readonly kind: 'all'; readonly nodes: readonly Node[] };

export interface CompiledInterlock {
  readonly interlock: Interlock;
  readonly root: Node;
  readonly refs: readonly PointRef[];
  readonly hearsEvents: boolean;
  /** Interlocks whose alarm this one watches. */
  readonly watches: readonly string[];
  /** Held as long as it is tripped: its own holds and the speakers of its broadcasts. */
  readonly holds: ReadonlyMap<PointRef, Value>;
  readonly sheds: readonly Extract<InterlockAction, { kind: 'shed' }>[];
  readonly alarm: Extract<InterlockAction, { kind: 'alarm' }> | null;
}

export interface CompileContext {
  readonly devices: readonly Device[];
  readonly openingHours: OpeningHours;
  readonly timeZone: string;
  /** How long an interlock may lack a usable value before people are told, ms. Bridges a start and a lost poll. */
  readonly blindAfter?: number;
  /** How long after the start `onBad: trip` waits for a point's first value, ms. */
  readonly startGrace?: number;
}

export interface CompiledInterlocks {
  /** Watched interlocks before those that watch them, then by priority. */
  readonly order: readonly CompiledInterlock[];
  /** Which interlocks a reading concerns; a reading of no interest costs this one lookup. */
  readonly byRef: ReadonlyMap<PointRef, readonly string[]>;
  /** Interlocks that events may concern. */
  readonly hearers: readonly string[];
  /** Interlocks that watch alarms of others, and the sources of those alarms. */
  readonly watchers: readonly { readonly id: string; readonly watches: readonly string[] }[];
  readonly watched: ReadonlySet<string>;
  readonly isOpen: (time: number) => boolean;
  readonly zoneOf: (device: DeviceId) => ZoneId | undefined;
  readonly blindAfter: number;
  readonly startGrace: number;
}

/** Compiles once per site file. Tolerates mistakes, so that one bad interlock never stops the others: see `checkInterlocks`. */
export function compileInterlocks(interlocks: readonly Interlock[], context: CompileContext): CompiledInterlocks {
  const refs = context.devices.flatMap((device) => device.points.map((point) => pointRef(device.id, point.name)));
  const speakers = speakersByZone(context.devices);
  const unique = [...new Map(interlocks.map((interlock) => [interlock.id, interlock])).values()];
  const order = inOrder(unique.map((interlock) => compileOne(interlock, refs, speakers)));
  const byRef = new Map<PointRef, string[]>();
  for (const { interlock, refs: own } of order) {
    for (const ref of own) byRef.set(ref, [...(byRef.get(ref) ?? []), interlock.id]);
  }
  const zones = new Map(context.devices.map((device) => [device.id, device.zone]));
  return {
    order,
    byRef,
    hearers: order.filter((one) => one.hearsEvents).map((one) => one.interlock.id),
    watchers: order.flatMap(({ interlock, watches }) => (watches.length > 0 ? [{ id: interlock.id, watches }] : [])),
    watched: new Set(order.flatMap((one) => one.watches.map(ownerOf))),
    isOpen: createOpeningHours(context.openingHours, context.timeZone),
    zoneOf: (device) => zones.get(device),
    blindAfter: context.blindAfter ?? 30_000,
    startGrace: context.startGrace ?? 30_000,
  };
}

/** The `clip` points of every zone's speakers. */
export function speakersByZone(devices: readonly Device[]): ReadonlyMap<ZoneId, readonly PointRef[]> {
  const speakers = new Map<ZoneId, PointRef[]>();
  for (const device of devices) {
    const clip = device.points.find((point) => point.name === clipPoint && point.write !== undefined);
    if (clip === undefined) continue;
    speakers.set(device.zone, [...(speakers.get(device.zone) ?? []), pointRef(device.id, clip.name)]);
  }
  return speakers;
}

function compileOne(
  interlock: Interlock,
  refs: readonly PointRef[],
  speakers: ReadonlyMap<ZoneId, readonly PointRef[]>,
): CompiledInterlock {
  const root = compileCondition(interlock.when, '0', refs);
  const leaves = leavesOf(root);
  const holds = new Map<PointRef, Value>();
  for (const action of interlock.actions) {
    if (action.kind === 'hold') holds.set(action.ref, action.value);
    if (action.kind === 'broadcast') {
      const zones = action.zones === 'all' ? [...speakers.keys()] : action.zones;
      for (const ref of zones.flatMap((zone) => speakers.get(zone) ?? [])) holds.set(ref, action.clip);
    }
  }
  return {
    interlock,
    root,
    refs: [...new Set(leaves.flatMap((leaf) => (leaf.kind === 'points' ? leaf.refs : [])))],
    hearsEvents: leaves.some((leaf) => leaf.kind === 'event'),
    watches: leaves.flatMap((leaf) => (leaf.kind === 'unacknowledged' ? [leaf.interlock] : [])),
    holds,
    sheds: interlock.actions.filter((action) => action.kind === 'shed'),
    alarm: interlock.actions.find((action) => action.kind === 'alarm') ?? null,
  };
}

function compileCondition(condition: Condition, key: string, refs: readonly PointRef[]): Node {
  switch (condition.kind) {
    case 'point': {
      const { ref, test, onBad } = condition;
      return { kind: 'points', key, refs: [ref], n: 1, test, for: condition.for, onBad, spelled: ref };
    }
    case 'atLeast': {
      const glob = globPattern(condition.of);
      const matching = refs.filter((ref) => glob.test(ref));
      const { n, test, onBad, of } = condition;
      return { kind: 'points', key, refs: matching, n, test, for: condition.for, onBad, spelled: of };
    }
    case 'event': {
      const { type, during } = condition;
      return { kind: 'event', key, type, device: globPattern(condition.device), during, for: condition.for };
    }
    case 'unacknowledged':
      return { kind: 'unacknowledged', key, interlock: condition.interlock, for: condition.for };
    case 'any':
    case 'all': {
      const nodes = condition.conditions.map((inner, i) => compileCondition(inner, `${key}.${i}`, refs));
      return { kind: condition.kind, nodes };
    }
  }
}

export function leavesOf(node: Node): readonly Exclude<Node, GroupNode>[] {
  return node.kind === 'any' || node.kind === 'all' ? node.nodes.flatMap(leavesOf) : [node];
}

/** `*` stands for any number of characters within a segment. */
export function globPattern(glob: string): RegExp {
  const escaped = glob.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('[^/]*')}$`);
}

/** Watched ones first; a circle (a mistake that `checkInterlocks` names) is cut where it is entered. */
function inOrder(compiled: readonly CompiledInterlock[]): readonly CompiledInterlock[] {
  const byId = new Map(compiled.map((one) => [one.interlock.id, one]));
  const done = new Set<CompiledInterlock>();
  const visit = (one: CompiledInterlock, entered: ReadonlySet<CompiledInterlock>) => {
    if (done.has(one) || entered.has(one)) return;
    for (const id of one.watches) {
      const watched = byId.get(id);
      if (watched !== undefined) visit(watched, new Set([...entered, one]));
    }
    done.add(one);
  };
  for (const one of [...compiled].sort((a, b) => a.interlock.priority - b.interlock.priority)) visit(one, new Set());
  return [...done];
}
