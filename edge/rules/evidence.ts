import type { PointRef } from '#edge/domain/ids.ts';
import type { Seen } from '#edge/domain/rule.ts';
import { describe, describeValue, seconds } from './compare.ts';
import {
  type CompiledInstance,
  isSensing,
  type Leaf,
  type PointsLeaf,
  type RateLeaf,
  type SensingLeaf,
  type Tree,
} from './compiled-rule.ts';
import { type InstanceMemory, type LeafMemory, type PointMemory, says } from './rule-memory.ts';

/* What there is to say of the conditions, in words: made only when something is said. */

const maxEvidence = 8;
const maxSeen = 16;

/** What makes true leaves of `when` true, e.g. `smoke-101/smoke is true (good), smoke-102/smoke is true (good)`. */
export function evidenceOf(one: CompiledInstance, memory: InstanceMemory): string {
  return leavesOf(one.when, one, memory)
    .flatMap(([leaf, own]) => wordsOf(leaf, own))
    .join(', ');
}

function leavesOf(tree: Tree, one: CompiledInstance, memory: InstanceMemory): readonly [Leaf, LeafMemory][] {
  if (tree.kind !== 'leaf') return tree.parts.flatMap((part) => leavesOf(part, one, memory));
  const leaf = one.leaves[tree.at];
  const own = memory.leaves[tree.at];
  return leaf === undefined || own === undefined ? [] : [[leaf, own]];
}

function wordsOf(leaf: Leaf, own: LeafMemory): readonly string[] {
  if (!own.verdict) return [];
  switch (leaf.kind) {
    case 'calendar':
      return [`the calendar says ${leaf.is}`];
    case 'time':
      return [`it is between ${clockOf(leaf.from)} and ${clockOf(leaf.to)}`];
    case 'mode':
      return [`mode ${leaf.mode} is ${leaf.is ? 'on' : 'off'}`];
    case 'point':
    case 'rate':
      return capped(pointWords(leaf, own), leaf.kind === 'rate' ? 0 : leaf.for);
    case 'edges':
      return [`${leaf.spelled} began to say so ${timesOf(own)} within ${seconds(leaf.within)}`];
    case 'events':
      return [`event ${leaf.type} came ${timesOf(own)} within ${seconds(leaf.within)}`];
    case 'event':
      return [`event ${leaf.type}${own.event?.device === undefined ? '' : ` from ${own.event.device}`}`];
    case 'unacknowledged': {
      const standing = [...own.alarms].flatMap(([instance, timer]) => (timer.verdict ? [instance] : []));
      return capped(
        standing.map((instance) => `the alarm of ${instance} stood unacknowledged`),
        leaf.for,
      );
    }
  }
}

function timesOf({ times }: LeafMemory): string {
  return times.length === 0 ? 'so often before the start' : `${times.length} times`;
}

function pointWords(leaf: PointsLeaf | RateLeaf, own: LeafMemory): string[] {
  const words: string[] = [];
  own.points.forEach((point, i) => {
    const ref = leaf.refs[i];
    if (ref !== undefined && (point.says & says.stand) !== 0) words.push(pointText(leaf, ref, point));
  });
  return words;
}

function pointText(leaf: SensingLeaf, ref: PointRef, point: PointMemory): string {
  const text = describe(ref, point.reading);
  if (point.says & says.fresh) return leaf.kind === 'rate' ? `${text}, ${changeText(leaf, point)}` : text;
  if (point.says & says.now) return `${text}, which counts as tripped`;
  if (point.says & says.blind) return `${text}, was tripped when last good`;
  return point.heard ? `${text}, was tripped before the start` : `${text}, not heard since the start`;
}

function changeText(leaf: RateLeaf, { spans, reading }: PointMemory): string {
  const value = typeof reading?.value === 'number' ? reading.value : 0;
  const change = Math.abs(value - (spans[0]?.value ?? 0) * leaf.sign);
  const words = leaf.sign === 1 ? 'more than the lowest' : 'less than the highest';
  return `${describeValue(change, reading?.unit ?? '')} ${words} of the last ${seconds(leaf.within)}`;
}

function capped(words: readonly string[], stood: number): readonly string[] {
  const more = words.length > maxEvidence ? [`and ${words.length - maxEvidence} more`] : [];
  const all = [...words.slice(0, maxEvidence), ...more];
  return stood === 0 ? all : all.map((word) => `${word} for ${seconds(stood)}`);
}

/** `18:30` */
export function clockOf(minutes: number): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(Math.floor(minutes % 60))}`;
}

/** Points that are needed and cannot be used, each with its quality; selections that found too few. */
export function blindWords(one: CompiledInstance, memory: InstanceMemory): readonly string[] {
  return one.leaves.flatMap((leaf, i) => {
    const own = memory.leaves[i];
    if (own === undefined || !isSensing(leaf)) return [];
    const words: string[] = [];
    if (own.tally.blind > 0) {
      own.points.forEach((point, at) => {
        const ref = leaf.refs[at];
        if (ref !== undefined && (point.says & says.blind) !== 0) words.push(describe(ref, point.reading));
      });
    }
    if (leaf.refs.length < leaf.needed) {
      words.push(`${leaf.spelled} (${leaf.refs.length} points, ${leaf.needed} needed)`);
    }
    return words;
  });
}

export function isBlind(one: CompiledInstance, memory: InstanceMemory): boolean {
  return one.leaves.some((leaf, i) => {
    if (!isSensing(leaf)) return false;
    return leaf.refs.length < leaf.needed || (memory.leaves[i]?.tally.blind ?? 0) > 0;
  });
}

/** At most 16 values as they were seen: those that say so first, each once. */
export function seenBy(one: CompiledInstance, memory: InstanceMemory): readonly Seen[] {
  const first = new Map<PointRef, Seen>();
  const rest = new Map<PointRef, Seen>();
  one.leaves.forEach((leaf, i) => {
    if (!isSensing(leaf)) return;
    memory.leaves[i]?.points.forEach((point, at) => {
      const ref = leaf.refs[at];
      if (ref === undefined) return;
      const isSaying = (point.says & says.stand) !== 0;
      const into = isSaying ? first : rest;
      if (into.size < maxSeen) into.set(ref, seen(ref, point));
    });
  });
  for (const [ref, one] of rest) if (first.size < maxSeen && !first.has(ref)) first.set(ref, one);
  return [...first.values()];
}

function seen(ref: PointRef, { reading }: PointMemory): Seen {
  if (reading === undefined) return { ref, value: null, quality: 'bad', reason: 'never-read', time: 0 };
  const { value, quality, reason, sourceTime } = reading;
  return { ref, value, quality, ...(reason === undefined ? {} : { reason }), time: sourceTime };
}
