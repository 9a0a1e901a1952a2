import type { Name } from '#edge/domain/place.ts';
import type { Value } from '#edge/domain/reading.ts';
import type { Action, Comparison, Condition, Needs, Selection } from '#edge/domain/rule.ts';
import type { PointView } from '../../api.ts';
import { domainText } from '../../domain-words.ts';
import { stateWords } from '../../kit/state-words.ts';
import { pointLabel, valueText } from '../../kit/values.ts';
import { nameIn } from '../../kit/words.ts';
import type { Draft } from './read-body.ts';
import { sentenceWords } from './sentence-words.ts';
import type { Vocabulary } from './vocabulary.ts';
import { clockBody, splitDuration } from './write-body.ts';

/* Rules as sentences, in the language of the vocabulary. Pure: the same rule on the same campus always reads the same. */

const say = (v: Vocabulary) => sentenceWords[v.language];

const unitWords = {
  zh: { ms: '毫秒', s: '秒', min: '分钟', h: '小时', d: '天' },
  en: { ms: 'ms', s: 's', min: 'min', h: 'h', d: 'd' },
} as const;

/** Exactly as it was set: `90 秒`, never about. */
export function spanText(ms: number, v: Vocabulary): string {
  const [count, unit] = splitDuration(ms);
  return `${count} ${unitWords[v.language][unit]}${v.language === 'zh' ? '' : ''}`;
}

function joined(texts: readonly string[], v: Vocabulary): string {
  return texts.join(say(v).comma);
}

const asName = (name: Name, v: Vocabulary) => nameIn(v.language, name);

/** What a selection means: the point itself, or what its points have in common. */
export function selectionText(selection: Selection, v: Vocabulary): string {
  const words = say(v);
  const { of, zones, spaces, tags, here } = selection;
  if (of === '') return words.nothing;
  const found = v.fitting(selection);
  const places = [
    ...(here === true ? [words.hereSpace] : []),
    ...(zones ?? []).map(v.zoneName),
    ...(spaces ?? []).map(v.spaceName),
  ];
  const what = pointsText(of, found, here === true, v);
  const placed = places.length === 0 ? what : words.inPlaces(joined(places, v), what);
  return tags === undefined || tags.length === 0 ? placed : words.tagged(joined(tags, v), placed);
}

function pointsText(of: string, found: readonly PointView[], isHere: boolean, v: Vocabulary): string {
  const [first] = found;
  if (!of.includes('*')) return first === undefined ? of : v.pointName(of);
  if (first === undefined) return of;
  const labels = [...new Set(found.map(({ point, label }) => pointLabel(point, label, v.language)))];
  const label = labels.length <= 2 ? joined(labels, v) : of;
  if (isHere) return label;
  return found.length === 1 ? v.pointName(first.id) : say(v).points(label, String(found.length));
}

function needed(needs: Needs, selection: Selection, v: Vocabulary): string {
  const words = say(v);
  const points = selectionText(selection, v);
  const isOne = !selection.of.includes('*') || (selection.here !== true && v.fitting(selection).length === 1);
  // Of one place: whichever of its points says so.
  if ((isOne || selection.here === true) && (needs === 'any' || needs === 1)) return words.one(points);
  if (isOne && needs === 'all') return words.one(points);
  if (needs === 'any' || needs === 1) return words.any(points);
  return needs === 'all' ? words.all(points) : words.some(String(needs), points);
}

/** A value as the points of a selection would show it. */
function shownValue(value: Value, selection: Selection, v: Vocabulary): string {
  const [first] = v.fitting(selection);
  return valueText(value, first?.unit ?? '', first?.point ?? selection.of.split('/')[1] ?? '', v.language);
}

export function testText(test: Comparison, selection: Selection, v: Vocabulary): string {
  const words = say(v);
  if ('is' in test) return words.is(shownValue(test.is, selection, v));
  if ('isNot' in test) return words.isNot(shownValue(test.isNot, selection, v));
  const by = test.hysteresis ?? 0;
  if ('above' in test) {
    const back = by === 0 ? '' : words.hysteresisAbove(shownValue(test.above - by, selection, v));
    return words.above(shownValue(test.above, selection, v)) + back;
  }
  const back = by === 0 ? '' : words.hysteresisBelow(shownValue(test.below + by, selection, v));
  return words.below(shownValue(test.below, selection, v)) + back;
}

interface Happening {
  readonly device: string;
  readonly zones?: readonly string[];
  readonly here?: true;
}

function sourceText({ device, zones, here }: Happening, v: Vocabulary): string {
  const words = say(v);
  const found = v.devicesLike(device);
  const what =
    device === '*'
      ? words.anyDevice
      : !device.includes('*')
        ? v.deviceName(device)
        : words.anyOf(found.length === 0 || found.length > 3 ? device : joined(found.map(v.deviceName), v));
  const places = [...(here === true ? [words.hereZone] : []), ...(zones ?? []).map(v.zoneName)];
  return places.length === 0 ? what : words.inPlaces(joined(places, v), what);
}

export function conditionText(condition: Condition, v: Vocabulary, depth = 0): string {
  const words = say(v);
  switch (condition.kind) {
    case 'point': {
      const { needs, points, test } = condition;
      const subject = needed(needs, points, v);
      const lasting = condition.for === 0 ? '' : words.lasting(spanText(condition.for, v));
      return spaced([subject, testText(test, points, v)], v) + lasting;
    }
    case 'rate': {
      const { needs, points, change, within } = condition;
      const amount = (by: number) => shownValue(by, points, v);
      const time = spanText(within, v);
      const moved =
        'rises' in change ? words.rises(amount(change.rises), time) : words.falls(amount(change.falls), time);
      return spaced([needed(needs, points, v), moved], v);
    }
    case 'event': {
      const type = domainText('event', condition.type, v.language) || words.nothing;
      const source = sourceText(condition, v);
      return condition.for === 0
        ? words.event(source, type)
        : words.eventWithin(source, type, spanText(condition.for, v));
    }
    case 'count':
      return countText(condition, v);
    case 'unacknowledged':
      return words.unacknowledged(v.ruleName(condition.rule), spanText(condition.for, v));
    case 'any':
    case 'all': {
      const parts = condition.conditions.map((one) => conditionText(one, v, depth + 1));
      if (parts.length === 0) return words.nothing;
      const text = parts.join(condition.kind === 'any' ? words.or : words.and);
      return depth > 0 && parts.length > 1 ? words.group(text) : text;
    }
    default:
      return circumstanceText(condition, v);
  }
}

function countText(condition: Extract<Condition, { kind: 'count' }>, v: Vocabulary): string {
  const words = say(v);
  const { of, atLeast, within } = condition;
  const time = spanText(within, v);
  if ('event' in of) {
    return words.countEvents(sourceText(of, v), domainText('event', of.event, v.language), String(atLeast), time);
  }
  return words.countBecomes(selectionText(of.points, v), testText(of.becomes, of.points, v), String(atLeast), time);
}

function circumstanceText(condition: Extract<Condition, { kind: 'calendar' | 'time' | 'mode' }>, v: Vocabulary) {
  const words = say(v);
  if (condition.kind === 'calendar') {
    if (condition.is === 'open' || condition.is === 'closed') return words[condition.is];
    return words.calendar(condition.is);
  }
  if (condition.kind === 'mode') {
    const mode = v.modeName(condition.mode) || words.nothing;
    return condition.is ? words.modeOn(mode) : words.modeOff(mode);
  }
  const days =
    condition.days === undefined
      ? ''
      : words.onDays(
          joined(
            condition.days.map((day) => dayText(day, v)),
            v,
          ),
        );
  return words.time(days, clockBody(condition.from), clockBody(condition.to));
}

const dayKeys = ['day1', 'day2', 'day3', 'day4', 'day5', 'day6', 'day7'] as const;

/** 1 is Monday. */
export function dayText(day: number, v: Vocabulary): string {
  const key = dayKeys[day - 1];
  return key === undefined ? String(day) : say(v)[key];
}

function spaced(parts: readonly string[], v: Vocabulary): string {
  return parts.join(v.language === 'zh' ? '' : ' ');
}

export function actionText(action: Action, v: Vocabulary): string {
  const words = say(v);
  switch (action.kind) {
    case 'hold': {
      const [output, value] = [selectionText(action.outputs, v), shownValue(action.value, action.outputs, v)];
      return action.for === null ? words.hold(output, value) : words.holdFor(output, value, spanText(action.for, v));
    }
    case 'forbid':
      return words.forbid(selectionText(action.outputs, v), shownValue(action.value, action.outputs, v));
    case 'shed': {
      const order = joined(action.order.map(v.pointName), v) || words.nothing;
      const value = shownValue(action.value, { of: action.order[0] ?? '' }, v);
      return words.shed(order, value, spanText(action.every, v));
    }
    case 'broadcast': {
      const { zones } = action;
      const where =
        zones === 'all'
          ? words.everywhere
          : zones === 'here'
            ? words.hereZones
            : joined(zones.map(v.zoneName), v) || words.nothing;
      const clip = clipText(action.clip, v) || words.nothing;
      return action.for === null
        ? words.broadcast(where, clip)
        : words.broadcastFor(where, clip, spanText(action.for, v));
    }
    case 'alarm':
      return words.alarm(stateWords[v.language][`class:${action.class}`], asName(action.message, v));
    case 'snapshot':
      return words.snapshot(v.deviceName(action.camera) || words.nothing);
    case 'notify':
      return words.notify(joined(action.to, v) || words.nothing, asName(action.message, v));
  }
}

export function clipText(clip: string, v: Vocabulary): string {
  return clip === '' ? '' : valueText(clip, '', 'clip', v.language);
}

const eachWords = { space: 'eachSpace', zone: 'eachZone', device: 'eachDevice' } as const;

/** The whole rule: when, while, then, and how it ends. */
export function ruleSentence(draft: Draft, v: Vocabulary): string {
  const words = say(v);
  const each = draft.each === null ? '' : words[eachWords[draft.each.place]];
  const whiles = draft.while.map((one) => words.while(conditionText(one, v, 1))).join('');
  const then = draft.then.map((one) => actionText(one, v)).join(words.then) || words.doNothing;
  return words.whole(each, conditionText(draft.when, v), whiles, then);
}

/** How it ends: latched, late, quiet for a while. Empty when there is nothing to say. */
export function endingTexts(draft: Draft, v: Vocabulary): readonly string[] {
  const words = say(v);
  return [
    ...(draft.latch ? [words.latch] : []),
    ...(draft.clearAfter > 0 ? [words.clearAfter(spanText(draft.clearAfter, v))] : []),
    ...(draft.coolDown > 0 ? [words.coolDown(spanText(draft.coolDown, v))] : []),
  ];
}

/** What it says of sensors that fail, each once. */
export function onBadTexts(draft: Draft, v: Vocabulary): readonly string[] {
  const found = new Set<string>();
  const look = (condition: Condition): void => {
    if (condition.kind === 'point' || condition.kind === 'rate') found.add(say(v)[`onBad:${condition.onBad}`]);
    if (condition.kind === 'any' || condition.kind === 'all') condition.conditions.forEach(look);
  };
  [draft.when, ...draft.while].forEach(look);
  return [...found];
}

/** The part of a rule at a path as the server says it: `when.conditions[1]`, `while[0]`; undefined when there is none. */
export function conditionAt(draft: Draft, path: string): Condition | undefined {
  const [root = '', ...rest] = path.split('.');
  const index = Number(/\[(\d+)\]/.exec(root)?.[1] ?? -1);
  let found: Condition | undefined = root.startsWith('while') ? draft.while[index] : draft.when;
  for (const part of rest) {
    const at = Number(/^conditions\[(\d+)\]$/.exec(part)?.[1] ?? -1);
    found = found?.kind === 'any' || found?.kind === 'all' ? found.conditions[at] : undefined;
  }
  return found;
}
