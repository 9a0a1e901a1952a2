import type { AlarmClass } from '#edge/domain/alarm.ts';
import type { DeviceId, PointRef, SpaceId, ZoneId } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';
import type { Value } from '#edge/domain/reading.ts';
import {
  type Action,
  type Comparison,
  type Condition,
  type Each,
  type Needs,
  type OnBad,
  type Rule,
  ruleKinds,
  type Selection,
} from '#edge/domain/rule.ts';

/*
 * A rule's body, which is what its file holds, as the domain's words for it. The server alone says whether a rule is right: here
 * anything is read, so that half a draft can be shown, and what is missing or strange becomes the nearest thing that can be edited.
 */

export type Body = Readonly<Record<string, unknown>>;

/** Everything but the tests: the screen shows those, and sends them back as they came. */
export type Draft = Omit<Rule, 'tests'> & { readonly tests: readonly unknown[] };

export function readBody(body: Body): Draft {
  const kind = ruleKinds.find((one) => one === body.kind) ?? 'notice';
  return {
    id: text(body.id),
    name: nameOf(body.name),
    about: body.about === undefined ? null : nameOf(body.about),
    kind,
    priority: kind !== 'safety' ? 12 : body.priority === 1 ? 1 : 5,
    each: eachOf(body.each),
    when: readCondition(body.when),
    while: list(body.while).map(readCondition),
    then: list(body.then).flatMap(actionOf),
    latch: body.latch === true,
    clearAfter: duration(body.clearAfter),
    coolDown: duration(body.coolDown),
    tests: list(body.tests),
  };
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** `20min` -> ms; 0 for what is no duration. */
export function duration(given: unknown): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|min|h|d)$/.exec(text(given)) ?? [];
  return Math.round(Number(number) * (units[unit] ?? 0));
}

export function object(given: unknown): Body {
  return typeof given === 'object' && given !== null && !Array.isArray(given) ? (given as Body) : {};
}

export function list(given: unknown): readonly unknown[] {
  return Array.isArray(given) ? given : [];
}

export function text(given: unknown): string {
  return typeof given === 'string' ? given : '';
}

function texts(given: unknown): readonly string[] {
  return list(given).filter((one) => typeof one === 'string');
}

function number(given: unknown, otherwise = 0): number {
  return typeof given === 'number' && Number.isFinite(given) ? given : otherwise;
}

export function valueIn(given: unknown): Value {
  return typeof given === 'number' || typeof given === 'boolean' || typeof given === 'string' ? given : '';
}

export function nameOf(given: unknown): Name {
  const { zh, en } = object(given);
  return { zh: text(zh), en: text(en) };
}

export function readSelection(given: unknown): Selection {
  if (typeof given === 'string') return { of: given };
  const { of, zones, spaces, tags, here } = object(given);
  return {
    of: text(of),
    ...(zones === undefined ? {} : { zones: texts(zones) as readonly ZoneId[] }),
    ...(spaces === undefined ? {} : { spaces: texts(spaces) as readonly SpaceId[] }),
    ...(tags === undefined ? {} : { tags: texts(tags) }),
    ...(here === true ? { here } : {}),
  };
}

function eachOf(given: unknown): Each | null {
  const { place, of } = object(given);
  if (place !== 'space' && place !== 'zone' && place !== 'device') return null;
  return { place, of: readSelection(of) };
}

function comparisonOf(given: unknown): Comparison {
  const test = object(given);
  const hysteresis = typeof test.hysteresis === 'number' ? { hysteresis: test.hysteresis } : {};
  if ('above' in test) return { above: number(test.above), ...hysteresis };
  if ('below' in test) return { below: number(test.below), ...hysteresis };
  if ('isNot' in test) return { isNot: valueIn(test.isNot) };
  return { is: 'is' in test ? valueIn(test.is) : true };
}

function needsOf(given: unknown): Needs {
  return given === 'all' ? 'all' : typeof given === 'number' ? given : 'any';
}

function onBadOf(given: unknown): OnBad {
  return given === 'trip' || given === 'ignore' ? given : 'hold';
}

/** `HH:MM` -> minutes after midnight. */
export function minutesOf(given: unknown): number {
  const [, hours = '0', minutes = '0'] = /^(\d\d?):(\d\d)$/.exec(text(given)) ?? [];
  return (Number(hours) * 60 + Number(minutes)) % 1_440;
}

/** What events have in common: whose, where. */
function eventOf({
  device,
  zones,
  here,
}: Body): Pick<Extract<Condition, { kind: 'event' }>, 'device' | 'zones' | 'here'> {
  return {
    device: text(device) || '*',
    ...(zones === undefined ? {} : { zones: texts(zones) as readonly ZoneId[] }),
    ...(here === true ? { here } : {}),
  };
}

export function readCondition(given: unknown): Condition {
  const body = object(given);
  const sensed = () => ({
    points: readSelection(body.points),
    needs: needsOf(body.needs),
    onBad: onBadOf(body.onBad),
  });
  switch (body.kind) {
    case 'rate': {
      const { rises, falls } = object(body.change);
      const change = falls === undefined ? { rises: number(rises, 1) } : { falls: number(falls, 1) };
      return { kind: 'rate', ...sensed(), change, within: duration(body.within) };
    }
    case 'event':
      return { kind: 'event', type: text(body.type), ...eventOf(body), for: duration(body.for) };
    case 'count':
      return countOf(body);
    case 'unacknowledged':
      return { kind: 'unacknowledged', rule: text(body.rule), for: duration(body.for) };
    case 'calendar':
      return { kind: 'calendar', is: text(body.is) };
    case 'time': {
      const days = body.days === undefined ? {} : { days: list(body.days).map((day) => number(day, 1)) };
      return { kind: 'time', from: minutesOf(body.from), to: minutesOf(body.to), ...days };
    }
    case 'mode':
      return { kind: 'mode', mode: text(body.mode), is: body.is !== false };
    case 'any':
    case 'all':
      return { kind: body.kind, conditions: list(body.conditions).map(readCondition) };
    default:
      return { kind: 'point', ...sensed(), test: comparisonOf(body.test), for: duration(body.for) };
  }
}

function countOf(body: Body): Condition {
  const of = object(body.of);
  return {
    kind: 'count',
    of:
      'points' in of
        ? { points: readSelection(of.points), becomes: comparisonOf(of.becomes) }
        : { event: text(of.event), ...eventOf(of) },
    atLeast: number(body.atLeast, 1),
    within: duration(body.within),
  };
}

const classes: readonly AlarmClass[] = ['critical', 'high', 'medium', 'low'];

function actionOf(given: unknown): Action[] {
  const body = object(given);
  const lasting = body.for === undefined ? null : duration(body.for);
  const outputs = () => readSelection(body.outputs);
  switch (body.kind) {
    case 'hold':
      return [{ kind: 'hold', outputs: outputs(), value: valueIn(body.value), for: lasting }];
    case 'forbid':
      return [{ kind: 'forbid', outputs: outputs(), value: valueIn(body.value) }];
    case 'shed': {
      const every = body.every === undefined ? 60_000 : duration(body.every);
      return [{ kind: 'shed', order: texts(body.order) as readonly PointRef[], value: valueIn(body.value), every }];
    }
    case 'broadcast': {
      const { zones } = body;
      const where = zones === 'all' || zones === 'here' ? zones : (texts(zones) as readonly ZoneId[]);
      return [{ kind: 'broadcast', clip: text(body.clip), zones: where, for: lasting }];
    }
    case 'alarm': {
      const camera = text(body.camera) === '' ? {} : { camera: text(body.camera) as DeviceId };
      const severity = classes.find((one) => one === body.class) ?? 'medium';
      const words = { message: nameOf(body.message), next: nameOf(body.next) };
      return [{ kind: 'alarm', class: severity, ...words, ...camera }];
    }
    case 'snapshot':
      return [{ kind: 'snapshot', camera: text(body.camera) as DeviceId }];
    case 'notify':
      return [{ kind: 'notify', to: texts(body.to), message: nameOf(body.message) }];
    default:
      return [];
  }
}
