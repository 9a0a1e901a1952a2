import type { Device, Point } from '#edge/domain/device.ts';
import { type PointRef, pointRef } from '#edge/domain/ids.ts';
import type { Interlock } from '#edge/domain/interlock.ts';
import type { Value } from '#edge/domain/reading.ts';
import { type CompileContext, type CompiledInterlock, clipPoint, compileInterlocks, leavesOf } from './compile.ts';

/**
 * What is wrong with the interlocks now that the profiles are known, one sentence each, naming the interlock. The
 * site file's own check has already seen everything that needs no profile. An interlock with a mistake still runs:
 * a point that does not exist counts as never read, so its interlock says that it is blind.
 */
export function checkInterlocks(interlocks: readonly Interlock[], context: CompileContext): readonly string[] {
  const points = new Map<PointRef, Point>();
  for (const device of context.devices) {
    for (const point of device.points) points.set(pointRef(device.id, point.name), point);
  }
  const compiled = compileInterlocks(interlocks, context).order;
  const ids = new Set(compiled.map(({ interlock }) => interlock.id));
  return [
    ...repeatedIds(interlocks),
    ...compiled.flatMap((one) => [
      ...checkConditions(one, points, ids),
      ...checkActions(one, points, context.devices),
      ...(watchesItself(one, compiled) ? [`interlock ${one.interlock.id}: waits for its own alarm in a circle`] : []),
    ]),
  ];
}

function repeatedIds(interlocks: readonly Interlock[]): string[] {
  const repeated = interlocks.filter((one, i) => interlocks.findIndex((other) => other.id === one.id) !== i);
  return repeated.map((one) => `interlock ${one.id}: the id is used twice; the last one counts`);
}

function checkConditions(
  { interlock, root }: CompiledInterlock,
  points: ReadonlyMap<PointRef, Point>,
  ids: ReadonlySet<string>,
): string[] {
  const where = `interlock ${interlock.id}`;
  return leavesOf(root).flatMap((leaf) => {
    if (leaf.kind === 'unacknowledged') {
      return ids.has(leaf.interlock) ? [] : [`${where}: unknown interlock "${leaf.interlock}"`];
    }
    if (leaf.kind === 'event') return [];
    const unknown = leaf.refs.filter((ref) => !points.has(ref)).map((ref) => `${where}: unknown point "${ref}"`);
    const wanting =
      leaf.refs.length < leaf.n
        ? [`${where}: "${leaf.spelled}" matches ${leaf.refs.length} points, ${leaf.n} are needed`]
        : [];
    const mistyped = leaf.refs.flatMap((ref) => {
      const point = points.get(ref);
      const type = 'is' in leaf.test ? typeName(leaf.test.is) : 'number';
      return point === undefined || point.type === type ? [] : [`${where}: "${ref}" is ${point.type}, not ${type}`];
    });
    return [...unknown, ...wanting, ...mistyped];
  });
}

function checkActions(
  { interlock, holds, sheds }: CompiledInterlock,
  points: ReadonlyMap<PointRef, Point>,
  devices: readonly Device[],
): string[] {
  const where = `interlock ${interlock.id}`;
  const writes: [PointRef, Value][] = [
    ...holds,
    ...sheds.flatMap((shed) => shed.order.map((ref): [PointRef, Value] => [ref, shed.value])),
  ];
  const unwritable = writes.flatMap(([ref, value]) => {
    const point = points.get(ref);
    if (point === undefined) return [`${where}: unknown output "${ref}"`];
    if (point.write === undefined) return [`${where}: "${ref}" cannot be written`];
    return point.type === typeName(value) ? [] : [`${where}: "${ref}" takes ${point.type}, not ${typeName(value)}`];
  });
  const silent = interlock.actions.flatMap((action) => {
    if (action.kind !== 'broadcast') return [];
    const speakers = devices.filter((device) => device.points.some((point) => point.name === clipPoint));
    const zones = action.zones === 'all' ? [] : action.zones;
    const without = zones.filter((zone) => !speakers.some((speaker) => speaker.zone === zone));
    const none = action.zones === 'all' && speakers.length === 0;
    return [...without.map((zone) => `zone "${zone}"`), ...(none ? ['the campus'] : [])].map(
      (place) => `${where}: no speaker in ${place} to broadcast from`,
    );
  });
  return [...unwritable, ...silent];
}

function watchesItself(start: CompiledInterlock, all: readonly CompiledInterlock[]): boolean {
  const seen = new Set<string>();
  const queue = [...start.watches];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (id === start.interlock.id) return true;
    if (seen.has(id)) continue;
    seen.add(id);
    queue.push(...(all.find(({ interlock }) => interlock.id === id)?.watches ?? []));
  }
  return false;
}

function typeName(value: Value): Point['type'] {
  return typeof value === 'string' ? 'text' : typeof value === 'number' ? 'number' : 'boolean';
}
