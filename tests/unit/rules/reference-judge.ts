import type { CampusEvent } from '#edge/domain/event.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { Comparison, Condition, Selection } from '#edge/domain/rule.ts';
import { isAt, isDeviceLike, type LeafCondition, pointsIn } from './reference-campus.ts';
import { type LeafLife, type Life, ownerOf, type World } from './reference-life.ts';

/* Conditions in the reference: each looks through everything that was ever heard. */

export interface Verdict {
  readonly trip: boolean;
  readonly stand: boolean;
  readonly now: boolean;
  readonly fresh: boolean;
}

export interface Look {
  readonly blind: string[];
  readonly heard: CampusEvent[];
}

export function judgeTree(condition: Condition, keys: string[], verdicts: ReadonlyMap<string, Verdict>): Verdict {
  if (condition.kind !== 'any' && condition.kind !== 'all') {
    const key = keys.shift() ?? '';
    return verdicts.get(key) ?? { trip: false, stand: false, now: false, fresh: false };
  }
  const parts = condition.conditions.map((part) => judgeTree(part, keys, verdicts));
  const isAny = condition.kind === 'any';
  const hold = (what: keyof Verdict) =>
    isAny ? parts.some((part) => part[what]) : parts.length > 0 && parts.every((part) => part[what]);
  const fresh = isAny ? hold('fresh') : hold('stand') && parts.some((part) => part.fresh);
  return { trip: hold('trip'), stand: hold('stand'), now: hold('now'), fresh };
}

export function judgeLeaf(condition: LeafCondition, leaf: LeafLife, life: Life, world: World, look: Look): Verdict {
  const { moment, calendar } = world;
  const circumstance = (met: boolean): Verdict => ({ trip: met, stand: met, now: met, fresh: false });
  switch (condition.kind) {
    case 'calendar':
      return circumstance(calendar.is(condition.is, moment.now));
    case 'mode':
      return circumstance(moment.modes.has(condition.mode) === condition.is);
    case 'time':
      return circumstance(isTime(condition, calendar.local(moment.now)));
    case 'event':
      return judgeEvent(condition, leaf, life, world, look);
    case 'count':
      return judgeCount(condition, leaf, life, world, look);
    case 'unacknowledged':
      return judgeAlarms(condition, leaf, world);
    case 'point':
    case 'rate':
      return judgePoints(condition, leaf, life, world, look);
  }
}

function isTime(
  { from, to, days }: Extract<Condition, { kind: 'time' }>,
  { minute, weekday }: { readonly minute: number; readonly weekday: number },
): boolean {
  // Every day on which it may have begun, and how many minutes ago midnight of that day was.
  return [0, 1].some((ago) => {
    const day = ((weekday - 1 - ago + 7) % 7) + 1;
    const length = to > from ? to - from : to - from + 1_440;
    const since = minute + ago * 1_440 - from;
    return (days === undefined || days.includes(day)) && since >= 0 && since < length;
  });
}

function passes(test: Comparison, reading: Reading | undefined, before: boolean): boolean | null {
  if (reading === undefined || reading.value === null) return null;
  if (reading.quality === 'bad' || reading.reason === 'last-usable-value') return null;
  const { value } = reading;
  if ('is' in test) return value === test.is;
  if ('isNot' in test) return value !== test.isNot;
  if (typeof value !== 'number' || Number.isNaN(value)) return null;
  const slack = before ? (test.hysteresis ?? 0) : 0;
  return 'above' in test ? value > test.above - slack : value < test.below + slack;
}

/** Every time in which the point had a usable number: from when until when. */
function stretchesOf(ref: string, from: number, world: World): { value: number; until: number }[] {
  const stretches: { value: number; until: number }[] = [];
  let open: { value: number; until: number } | null = null;
  for (const [i, moment] of world.moments) {
    if (i < from) continue;
    const reading = moment.readings.get(ref);
    const value = passes({ above: Number.NEGATIVE_INFINITY }, reading, false) === null ? null : reading?.value;
    if (open !== null && open.value !== value) {
      open.until = moment.monotonic;
      open = null;
    }
    if (open === null && typeof value === 'number') {
      open = { value, until: Number.POSITIVE_INFINITY };
      stretches.push(open);
    }
  }
  return stretches;
}

function judgePoints(
  condition: Extract<Condition, { kind: 'point' | 'rate' }>,
  leaf: LeafLife,
  life: Life,
  world: World,
  look: Look,
): Verdict {
  const { monotonic } = world.moment;
  const refs = pointsIn(world.campus, life.rule, condition.points, life.place);
  const isGlob = condition.points.of.includes('*');
  const tally = { trip: 0, stand: 0, now: 0, fresh: 0 };
  for (const ref of refs) {
    const reading = world.moment.readings.get(ref);
    const point = leaf.points.get(ref) ?? { verdict: false, heard: false, keptUntil: null };
    leaf.points.set(ref, point);
    const verdict =
      condition.kind === 'point'
        ? passes(condition.test, reading, point.verdict)
        : hasChanged(condition, ref, reading, leaf, point, life, world);
    if (verdict !== null) {
      point.verdict = verdict;
      point.heard = true;
      const isKept = point.keptUntil !== null && monotonic < point.keptUntil;
      if (verdict) tally.stand++;
      if (verdict && !isKept) {
        tally.trip++;
        tally.now++;
        tally.fresh++;
      }
      continue;
    }
    const isOptional = world.campus.devices.some(({ id, points }) =>
      points.some(({ name, optional }) => `${id}/${name}` === ref && optional === true),
    );
    const isNever = reading === undefined || reading.reason === 'never-read';
    if (isGlob && isOptional && isNever && !point.heard && !point.verdict) continue;
    const isOld = !point.heard || point.keptUntil !== null;
    if (condition.onBad === 'hold') {
      look.blind.push(ref);
      if (point.verdict) tally.stand++;
      if (point.verdict && !isOld) tally.trip++;
    } else if (condition.onBad === 'ignore') {
      if (point.verdict && isOld) tally.stand++;
    } else if (!point.heard && monotonic < life.startedAt + 30_000) {
      if (point.verdict) tally.stand++;
    } else {
      tally.trip++;
      tally.stand++;
      tally.now++;
    }
  }
  const { needs } = condition;
  const needed = Math.max(1, needs === 'any' ? 1 : needs === 'all' ? refs.length : needs);
  if (refs.length < needed) look.blind.push(condition.points.of);
  standFor(leaf, condition.kind === 'rate' ? 0 : condition.for, tally, needed, world.passed);
  return {
    trip: leaf.verdict && tally.trip >= needed,
    stand: leaf.verdict,
    now: leaf.verdict && tally.now >= needed,
    fresh: leaf.verdict && tally.fresh > 0,
  };
}

/** Good time adds up; bad time stops it; a good value that says otherwise starts it again. */
function standFor(
  leaf: LeafLife,
  needed: number,
  tally: { trip: number; stand: number; now: number },
  points: number,
  passed: number,
): void {
  if (tally.stand < points) {
    Object.assign(leaf, { verdict: false, stood: 0, runs: false });
    return;
  }
  if (leaf.runs) leaf.stood += passed;
  if (leaf.verdict || tally.trip < points) return;
  leaf.runs = tally.now > 0;
  if (needed === 0 || (leaf.runs && leaf.stood >= needed)) leaf.verdict = true;
}

function hasChanged(
  condition: Extract<Condition, { kind: 'rate' }>,
  ref: string,
  reading: Reading | undefined,
  leaf: LeafLife,
  point: { verdict: boolean; heard: boolean; keptUntil: number | null },
  life: Life,
  world: World,
): boolean | null {
  if (passes({ above: Number.NEGATIVE_INFINITY }, reading, false) === null) return null;
  const value = reading?.value;
  if (typeof value !== 'number') return null;
  const { monotonic } = world.moment;
  const { change, within } = condition;
  if (!point.heard && point.verdict) point.keptUntil = life.startedAt + within;
  const inWindow = stretchesOf(ref, leaf.bornAt, world).filter(({ until }) => until + within > monotonic);
  const values = inWindow.map((stretch) => stretch.value);
  const is =
    'rises' in change ? value - Math.min(...values) >= change.rises : Math.max(...values) - value >= change.falls;
  if (is) point.keptUntil = null;
  return is || (point.keptUntil !== null && monotonic < point.keptUntil);
}

type EventSource = { readonly device: string; readonly zones?: readonly string[]; readonly here?: true };

function isMeant(type: string, from: EventSource, event: CampusEvent, life: Life, { campus }: World): boolean {
  if (event.type !== type || event.active === false || !isDeviceLike(from.device, event.device ?? '')) return false;
  const device = campus.devices.find(({ id }) => id === event.device);
  const zone = event.zone ?? device?.zone;
  if (from.zones !== undefined && (zone === undefined || !from.zones.includes(zone))) return false;
  if (from.here !== true) return true;
  if (life.place === null || life.rule.each === null) return false;
  return life.rule.each.place === 'zone' ? zone === life.place : isAt(device, life.rule.each.place, life.place);
}

function judgeEvent(
  condition: Extract<Condition, { kind: 'event' }>,
  leaf: LeafLife,
  life: Life,
  world: World,
  look: Look,
): Verdict {
  const { monotonic, events } = world.moment;
  const isOne = (event: CampusEvent) => isMeant(condition.type, condition, event, life, world);
  const heard = events.filter(isOne);
  look.heard.push(...heard);
  if (heard.length > 0) leaf.event = heard.at(-1)?.id ?? null;
  let isSo = heard.length > 0;
  for (const [i, moment] of world.moments) {
    if (i < leaf.bornAt || i < leaf.countsFrom || !moment.events.some(isOne)) continue;
    leaf.keptUntil = null;
    isSo ||= monotonic < moment.monotonic + condition.for;
  }
  const hasOwn = world.moments.some(([i, { events: all }]) => i >= leaf.bornAt && all.some(isOne));
  if (!hasOwn && leaf.verdict) leaf.keptUntil ??= monotonic + condition.for;
  if (leaf.keptUntil !== null && monotonic < leaf.keptUntil) isSo = true;
  leaf.verdict = isSo;
  return { trip: isSo, stand: isSo, now: false, fresh: heard.length > 0 };
}

function judgeCount(
  condition: Extract<Condition, { kind: 'count' }>,
  leaf: LeafLife,
  life: Life,
  world: World,
  look: Look,
): Verdict {
  const { monotonic } = world.moment;
  const { of, atLeast, within } = condition;
  const times: number[] = [];
  if ('event' in of) {
    for (const [i, moment] of world.moments) {
      if (i < leaf.bornAt || i < leaf.countsFrom) continue;
      for (const event of moment.events) if (isMeant(of.event, of, event, life, world)) times.push(moment.monotonic);
    }
    const heard = world.moment.events.filter((event) => isMeant(of.event, of, event, life, world));
    look.heard.push(...heard);
    if (heard.length > 0) leaf.event = heard.at(-1)?.id ?? null;
  } else {
    const refs = pointsIn(world.campus, life.rule, of.points, life.place);
    for (const ref of refs) times.push(...beginningsOf(ref, of.becomes, leaf, world));
    blindPoints(refs, of, life, leaf, world, look);
  }
  if (times.filter((time) => time + within > monotonic).length >= atLeast) {
    leaf.verdict = true;
    leaf.keptUntil = null;
    return { trip: true, stand: true, now: false, fresh: true };
  }
  if (leaf.verdict && life.restored && !life.looked) leaf.keptUntil ??= life.startedAt + within;
  leaf.verdict = leaf.verdict && leaf.keptUntil !== null && monotonic < leaf.keptUntil;
  if (!leaf.verdict) leaf.keptUntil = null;
  return { trip: false, stand: leaf.verdict, now: false, fresh: false };
}

function beginningsOf(ref: string, test: Comparison, leaf: LeafLife, world: World): number[] {
  const times: number[] = [];
  let before: boolean | null = null;
  for (const [i, moment] of world.moments) {
    if (i < leaf.bornAt) continue;
    const verdict = passes(test, moment.readings.get(ref), before === true);
    if (verdict === null) continue;
    if (verdict && before === false && i >= leaf.countsFrom) times.push(moment.monotonic);
    before = verdict;
  }
  return times;
}

function blindPoints(
  refs: readonly string[],
  of: { readonly points: Selection; readonly becomes: Comparison },
  life: Life,
  leaf: LeafLife,
  world: World,
  look: Look,
): void {
  for (const ref of refs) {
    const reading = world.moment.readings.get(ref);
    if (passes(of.becomes, reading, false) !== null) continue;
    const wasHeard = world.moments.some(
      ([i, { readings }]) => i >= leaf.bornAt && passes(of.becomes, readings.get(ref), false) !== null,
    );
    const isOptional = world.campus.devices.some(({ id, points }) =>
      points.some(({ name, optional }) => `${id}/${name}` === ref && optional === true),
    );
    const isNever = reading === undefined || reading.reason === 'never-read';
    if (!(of.points.of.includes('*') && isOptional && isNever && !wasHeard)) look.blind.push(ref);
  }
  if (refs.length === 0) look.blind.push(of.points.of);
  void life;
}

function judgeAlarms(condition: Extract<Condition, { kind: 'unacknowledged' }>, leaf: LeafLife, world: World): Verdict {
  let verdict: Verdict = { trip: false, stand: false, now: false, fresh: false };
  const others = [...world.lives.values()].filter(({ rule }) => rule.id === condition.rule);
  for (const other of others) {
    const alarm = world.moment.alarms.get(ownerOf(other.rule, other.instance));
    const timer = leaf.alarms.get(other.instance) ?? { stood: 0, begun: false, verdict: false };
    leaf.alarms.set(other.instance, timer);
    if (alarm?.state !== 'unacknowledged' || !alarm.active) {
      leaf.alarms.delete(other.instance);
      continue;
    }
    if (timer.begun) timer.stood += world.passed;
    if (other.live) timer.begun = true;
    if (other.live && timer.stood >= condition.for) timer.verdict = true;
    if (!timer.verdict) continue;
    verdict = { trip: verdict.trip || other.live, stand: true, now: true, fresh: verdict.fresh || other.live };
  }
  for (const instance of [...leaf.alarms.keys()]) {
    if (!others.some((other) => other.instance === instance)) leaf.alarms.delete(instance);
  }
  leaf.verdict = verdict.stand;
  return verdict;
}
