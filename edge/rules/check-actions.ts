import type { PointRef } from '#edge/domain/ids.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { Action, Rule } from '#edge/domain/rule.ts';
import { type CampusIndex, clipPoint, type Place } from './campus-index.ts';
import { checkSelection, named, selected, typeName } from './check-conditions.ts';
import type { Check } from './check-rule.ts';

export function checkActions(check: Check): string[] {
  const { then } = check.rule;
  const nothing = then.length === 0 ? ['then: does nothing'] : [];
  const alarms = then.filter(({ kind }) => kind === 'alarm').length;
  const twice = alarms > 1 ? ['then: has more than one alarm; the first one counts'] : [];
  const each = then.flatMap((action, i) => checkAction(action, `then[${i}]`, check));
  return [...nothing, ...twice, ...each, ...checkDoubles(check)];
}

function checkAction(action: Action, path: string, check: Check): string[] {
  const { around, rule } = check;
  const isSafety = rule.kind === 'safety';
  const camera = (id: string) => (around.cameras.includes(id) ? [] : [`${path}.camera: unknown camera "${id}"`]);
  switch (action.kind) {
    case 'hold': {
      const endless =
        action.for === null && !isSafety ? [`${path}.for: only a safety rule may hold without an end`] : [];
      const finds = checkSelection(action.outputs, `${path}.outputs`, check);
      const refs = selected(action.outputs, check);
      return [...endless, ...finds, ...checkWrites(refs, action.value, path, check.index)];
    }
    case 'forbid': {
      const weak = isSafety ? [] : [`${path}.kind: only a safety rule may forbid`];
      const finds = checkSelection(action.outputs, `${path}.outputs`, check);
      const refs = selected(action.outputs, check);
      return [...weak, ...finds, ...checkWrites(refs, action.value, path, check.index)];
    }
    case 'shed': {
      const endless = isSafety ? [] : [`${path}.kind: only a safety rule may hold without an end`];
      const slow = action.every > 0 ? [] : [`${path}.every: must be longer than nothing`];
      const unknown = action.order.filter((ref) => !check.index.points.has(ref));
      return [
        ...endless,
        ...slow,
        ...(action.order.length === 0 ? [`${path}.order: names no output`] : []),
        ...unknown.map((ref) => `${path}.order: unknown output "${ref}"`),
        ...checkWrites(action.order, action.value, path, check.index),
      ];
    }
    case 'broadcast':
      return checkBroadcast(action, path, check);
    case 'alarm':
      return action.camera === undefined ? [] : camera(action.camera);
    case 'snapshot':
      return camera(action.camera);
    case 'notify':
      return action.to
        .filter((to) => !around.recipients.includes(to))
        .map((to) => `${path}.to: unknown recipient "${to}"`);
  }
}

function checkWrites(refs: readonly PointRef[], value: Value, path: string, index: CampusIndex): string[] {
  const wrong = refs.flatMap((ref) => {
    const point = index.points.get(ref)?.point;
    // Where it does not exist, that has been said.
    if (point === undefined) return [];
    if (point.write === undefined) return [`${path}: "${ref}" cannot be written`];
    if (point.type !== typeName(value)) return [`${path}: "${ref}" takes ${point.type}, not ${typeName(value)}`];
    if (typeof value !== 'number') return [];
    const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = point.write;
    return value < min || value > max ? [`${path}: "${ref}" takes ${min} to ${max}, not ${value}`] : [];
  });
  return named(wrong);
}

function checkBroadcast(action: Extract<Action, { kind: 'broadcast' }>, path: string, check: Check): string[] {
  const { around, index, places, rule } = check;
  const { clip, zones } = action;
  const wrong: string[] = [];
  if (!around.clips.includes(clip)) wrong.push(`${path}.clip: unknown clip "${clip}"`);
  if (action.for === null && rule.kind !== 'safety') {
    wrong.push(`${path}.for: only a safety rule may sound without an end`);
  }
  if (zones === 'here') {
    if (rule.each === null) return [...wrong, `${path}.zones: "here" needs \`each\``];
    const silent = places.filter((place) => index.speakers('here', place).length === 0);
    const [first] = silent;
    if (first !== undefined) {
      wrong.push(
        `${path}.zones: no speaker in ${silent.length} of ${places.length} places, the first is "${first?.id}"`,
      );
    }
    return wrong;
  }
  if (zones === 'all') {
    if (index.speakers('all', null).length === 0) wrong.push(`${path}.zones: no speaker on the campus to sound from`);
    return wrong;
  }
  for (const zone of zones) {
    if (index.nameOf('zone', zone) === undefined) wrong.push(`${path}.zones: unknown zone "${zone}"`);
    else if (index.speakers([zone], null).length === 0) {
      wrong.push(`${path}.zones: no speaker in zone "${zone}" to sound from`);
    }
  }
  return wrong;
}

/** An output that gets two values from one rule: the last one counts. */
function checkDoubles({ rule, index, places }: Check): string[] {
  const wrong = new Set<string>();
  for (const place of places) {
    const values = new Map<PointRef, Value>();
    for (const [i, action] of rule.then.entries()) {
      for (const [ref, value] of writesOf(action, index, place)) {
        const before = values.get(ref);
        if (before !== undefined && before !== value) {
          wrong.add(`then[${i}]: "${ref}" is given another value before (${before}); this one (${value}) counts`);
        }
        values.set(ref, value);
      }
    }
  }
  return named([...wrong]);
}

function writesOf(action: Action, index: CampusIndex, place: Place | null): readonly [PointRef, Value][] {
  switch (action.kind) {
    case 'hold':
      return index.select(action.outputs, place).map((ref) => [ref, action.value]);
    case 'shed':
      return action.order.map((ref) => [ref, action.value]);
    case 'broadcast':
      return index.speakers(action.zones, place).map((ref) => [ref, action.clip]);
    default:
      return [];
  }
}

/** It broadcasts, or holds the clip of a loudspeaker itself. */
export function makesSound(rule: Rule, index: CampusIndex, places: readonly (Place | null)[]): boolean {
  return rule.then.some((action) => {
    if (action.kind === 'broadcast') return true;
    return places.some((place) => writesOf(action, index, place).some(([ref]) => ref.endsWith(`/${clipPoint}`)));
  });
}
