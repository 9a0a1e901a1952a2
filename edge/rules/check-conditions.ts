import type { Point, ValueType } from '#edge/domain/device.ts';
import { createGlob } from '#edge/domain/glob.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { Comparison, Condition, Needs, Selection } from '#edge/domain/rule.ts';
import type { Place } from './campus-index.ts';
import type { Check } from './check-rule.ts';
import { maxCount } from './compile-rule.ts';

export function checkConditions(condition: Condition, path: string, check: Check): string[] {
  const inWhile = path.startsWith('while');
  switch (condition.kind) {
    case 'any':
    case 'all': {
      const none = condition.conditions.length === 0 ? [`${path}.conditions: says nothing`] : [];
      const parts = condition.conditions.flatMap((one, i) => checkConditions(one, `${path}.conditions[${i}]`, check));
      return [...none, ...parts];
    }
    case 'calendar':
      return (check.around.labels ?? ['open', 'closed']).includes(condition.is)
        ? []
        : [`${path}.is: the calendar does not know "${condition.is}"`];
    case 'mode':
      return check.around.modes.includes(condition.mode) ? [] : [`${path}.mode: unknown mode "${condition.mode}"`];
    case 'time':
      return checkTime(condition, path);
  }
  const misplaced = inWhile ? [`${path}.kind: only calendar, time and mode may limit when a rule runs`] : [];
  return [...misplaced, ...checkSensing(condition, path, check)];
}

type Sensing = Exclude<Condition, { kind: 'any' | 'all' | 'calendar' | 'mode' | 'time' }>;

function checkSensing(condition: Sensing, path: string, check: Check): string[] {
  switch (condition.kind) {
    case 'point':
      return [
        ...checkSelection(condition.points, `${path}.points`, check),
        ...checkNeeds(condition.points, condition.needs, path, check),
        ...checkTest(condition.points, condition.test, `${path}.test`, check),
      ];
    case 'rate': {
      const amount = 'rises' in condition.change ? condition.change.rises : condition.change.falls;
      return [
        ...checkSelection(condition.points, `${path}.points`, check),
        ...checkNeeds(condition.points, condition.needs, path, check),
        ...checkTypes(condition.points, 'number', `${path}.points`, check),
        ...(amount > 0 ? [] : [`${path}.change: ${amount} is no change`]),
        ...(condition.within > 0 ? [] : [`${path}.within: must be longer than nothing`]),
      ];
    }
    case 'event':
      return checkEvents(condition, path, check);
    case 'count': {
      const { of, atLeast, within } = condition;
      const isFair = Number.isInteger(atLeast) && atLeast >= 1 && atLeast <= maxCount;
      return [
        ...('event' in of
          ? checkEvents(of, `${path}.of`, check)
          : [
              ...checkSelection(of.points, `${path}.of.points`, check),
              ...checkTest(of.points, of.becomes, `${path}.of.becomes`, check),
            ]),
        ...(isFair ? [] : [`${path}.atLeast: ${atLeast} is not a whole number from 1 to ${maxCount}`]),
        ...(within > 0 ? [] : [`${path}.within: must be longer than nothing`]),
      ];
    }
    case 'unacknowledged':
      return [];
  }
}

function checkTime({ from, to, days }: Extract<Condition, { kind: 'time' }>, path: string): string[] {
  const wrong: string[] = [];
  if (!(from >= 0 && from < 1_440)) wrong.push(`${path}.from: ${from} is no minute of a day`);
  if (!(to >= 0 && to <= 1_440)) wrong.push(`${path}.to: ${to} is no minute of a day`);
  if (from === to) wrong.push(`${path}: begins and ends at the same minute, which is the whole day`);
  if (days !== undefined && days.length === 0) wrong.push(`${path}.days: on no day`);
  if (days?.some((day) => !(Number.isInteger(day) && day >= 1 && day <= 7))) {
    wrong.push(`${path}.days: weekdays are 1 (Monday) to 7`);
  }
  return wrong;
}

function checkEvents(
  from: Pick<Extract<Condition, { kind: 'event' }>, 'device' | 'zones' | 'here'>,
  path: string,
  { rule, index }: Check,
): string[] {
  const pattern = createGlob(from.device);
  const wrong: string[] = [];
  if (![...index.devices.keys()].some((id) => pattern.test(id))) {
    wrong.push(`${path}.device: "${from.device}" fits no device`);
  }
  for (const zone of from.zones ?? []) {
    if (index.nameOf('zone', zone) === undefined) wrong.push(`${path}.zones: unknown zone "${zone}"`);
  }
  if (from.here === true && rule.each === null) wrong.push(`${path}.here: the rule has no \`each\``);
  return wrong;
}

/** Whether it finds something, and in each place if it is for places. */
export function checkSelection(
  selection: Selection,
  path: string,
  check: Check,
  places: readonly (Place | null)[] = check.places,
): string[] {
  const { index, rule } = check;
  const wrong: string[] = [];
  for (const zone of selection.zones ?? []) {
    if (index.nameOf('zone', zone) === undefined) wrong.push(`${path}.zones: unknown zone "${zone}"`);
  }
  for (const space of selection.spaces ?? []) {
    if (index.nameOf('space', space) === undefined) wrong.push(`${path}.spaces: unknown space "${space}"`);
  }
  for (const tag of selection.tags ?? []) {
    const isKnown = index.campus.devices.some(({ tags }) => tags?.includes(tag) === true);
    if (!isKnown) wrong.push(`${path}.tags: no device has the tag "${tag}"`);
  }
  if (selection.here === true && rule.each === null) return [...wrong, `${path}.here: the rule has no \`each\``];
  if (!selection.of.includes('*') && !index.points.has(selection.of as PointRef)) {
    return [...wrong, `${path}: unknown point "${selection.of}"`];
  }
  const without = places.filter((place) => index.select(selection, place).length === 0);
  const [first] = without;
  if (first === undefined) return wrong;
  const where = first === null ? '' : ` in ${without.length} of ${places.length} places, the first is "${first.id}"`;
  return [...wrong, `${path}: "${selection.of}" finds no point${where}`];
}

function checkNeeds(selection: Selection, needs: Needs, path: string, { index, places }: Check): string[] {
  if (typeof needs !== 'number') return [];
  if (!(Number.isInteger(needs) && needs >= 1)) return [`${path}.needs: ${needs} is not a whole number from 1`];
  const counts = places.map((place) => ({ place, count: index.select(selection, place).length }));
  // Where it finds nothing at all, that has been said.
  const poor = counts.find(({ count }) => count > 0 && count < needs);
  if (poor === undefined) return [];
  const where = poor.place === null ? '' : ` in "${poor.place.id}"`;
  return [`${path}.needs: "${selection.of}" finds ${poor.count} points${where}, ${needs} are needed`];
}

export function selected(selection: Selection, { index, places }: Check): readonly PointRef[] {
  return [...new Set(places.flatMap((place) => index.select(selection, place)))];
}

/** The first few are named; a campus may have thousands. */
const maxNamed = 5;

export function named(words: readonly string[]): string[] {
  const more =
    words.length > maxNamed ? [`${words[0]?.split(':')[0]}: and ${words.length - maxNamed} more like it`] : [];
  return [...words.slice(0, maxNamed), ...more];
}

function checkTypes(selection: Selection, type: ValueType, path: string, check: Check): string[] {
  const wrong = selected(selection, check).flatMap((ref) => {
    const point = check.index.points.get(ref)?.point;
    return point === undefined || point.type === type ? [] : [`${path}: "${ref}" is ${point.type}, not ${type}`];
  });
  return named(wrong);
}

function checkTest(selection: Selection, test: Comparison, path: string, check: Check): string[] {
  const value = 'is' in test ? test.is : 'isNot' in test ? test.isNot : 0;
  const mistyped = checkTypes(selection, typeName(value), path, check);
  if (mistyped.length > 0) return mistyped;
  const limits = selected(selection, check).flatMap((ref) => {
    const point = check.index.points.get(ref)?.point;
    const problem = point === undefined ? null : outOfReach(test, point);
    return problem === null ? [] : [`${path}: "${ref}" ${problem}`];
  });
  const slack = 'hysteresis' in test && test.hysteresis !== undefined && !(test.hysteresis >= 0);
  return [...named(limits), ...(slack ? [`${path}.hysteresis: must not be negative`] : [])];
}

/** Why a believable value can never meet it. */
function outOfReach(test: Comparison, { range }: Point): string | null {
  if (range === undefined) return null;
  const [low, high] = range;
  if ('above' in test) return test.above >= high ? `never goes above ${test.above}: it ends at ${high}` : null;
  if ('below' in test) return test.below <= low ? `never goes below ${test.below}: it begins at ${low}` : null;
  const isNumber = 'is' in test && typeof test.is === 'number';
  return isNumber && (Number(test.is) < low || Number(test.is) > high)
    ? `is never ${test.is}: it goes from ${low} to ${high}`
    : null;
}

export function typeName(value: Value): ValueType {
  return typeof value === 'string' ? 'text' : typeof value === 'number' ? 'number' : 'boolean';
}

/** Paths of the conditions that count a bad value as true. */
export function tripsOnBad(condition: Condition, path: string): readonly string[] {
  if (condition.kind === 'any' || condition.kind === 'all') {
    return condition.conditions.flatMap((one, i) => tripsOnBad(one, `${path}.conditions[${i}]`));
  }
  return 'onBad' in condition && condition.onBad === 'trip' ? [path] : [];
}
