import {
  type BroadcastItem,
  isEmergency,
  longestOrder,
  orderText,
  parseOrder,
  rankOf,
  type SoundSource,
} from '#edge/domain/broadcast.ts';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import type { Moment, PutAnswer, Refusal } from './sound.ts';
import { finish, finishAll } from './sound-course.ts';
import {
  advance,
  type Desk,
  forget,
  monotonicOf,
  type Part,
  type Place,
  placeOf,
  type Sounding,
} from './sound-desk.ts';
import { drilled } from './sound-fire-cycle.ts';
import { isInStep } from './sound-habits.ts';
import { newSleeper } from './wake-list.ts';

/* Who may come in: checks, the same wish from two inputs, bounds. */

/** Inputs that ask for the same emergency: a fire panel says it by contact and by text, not by thirty ways. */
const mostAskers = 32;
const mostLately = 512;
/** Longest text of an order but its clips: loop, since, level, item. */
const longestSince = 999_999_999_999_999;

export function put(desk: Desk, item: BroadcastItem, at: Moment): PutAnswer {
  advance(desk, at);
  const known = desk.asked.get(item.id);
  if (known !== undefined) return { outcome: 'known', item: known.item.id, refusal: null, refusedOn: [] };
  const source = sourceOf(desk, item);
  const refusal = refusalOf(desk, item, source, at);
  if (refusal !== null || source === null) return refused(desk, refusal ?? { code: 'no-drill-word' });
  const content = contentOf(item);
  const twin = twinOf(desk, item, content);
  if (twin !== null) return twin;
  const places = placesOf(desk, item.outputs);
  if (places === null) return refused(desk, { code: 'too-many-outputs', most: desk.options.mostOutputs });
  const { mostOnOutput } = desk.options;
  const hasRoom = ({ parts }: Place) => parts.length < mostOnOutput || parts.some(({ of }) => mayDisplace(item, of));
  if (!places.some(hasRoom)) return refused(desk, { code: 'queue-full', most: mostOnOutput });
  if (desk.soundings.size >= desk.options.mostItems && !displaceItem(desk, item)) {
    return refused(desk, { code: 'too-many-items', most: desk.options.mostItems });
  }
  return take(desk, item, source, content, places, at);
}

function refused(desk: Desk, refusal: Refusal): PutAnswer {
  if (refusal.code === 'duplicate') desk.duplicates++;
  else desk.refused++;
  return { outcome: 'refused', item: null, refusal, refusedOn: [] };
}

/** An exercise says that it is one, whatever way it came; null: it cannot. */
export function sourceOf(
  { options: { drillWord, sirens } }: Desk,
  { source, drill }: BroadcastItem,
): SoundSource | null {
  // Who speaks live says himself that it is an exercise: there is no clip to put in front of a voice.
  if (!drill || source.kind === 'live') return source;
  return drillWord === null ? null : drilled(source, drillWord.clip, sirens);
}

/** What is wrong with it by itself. */
function refusalOf(
  desk: Desk,
  item: BroadcastItem,
  source: SoundSource | null,
  { now, isUnsure }: Moment,
): Refusal | null {
  if (desk.over.has(item.id)) return { code: 'ended-before' };
  if (item.outputs.length === 0) return { code: 'no-outputs' };
  if (source === null) return { code: 'no-drill-word' };
  const what = mistakeOf(item, source);
  if (what !== null) return { code: 'bad-item', what };
  if (item.until !== null && item.until <= now && !(isUnsure === true && isEmergency(item.class)))
    return { code: 'over' };
  return null;
}

/** The field that cannot be; null: all can. */
export function mistakeOf(item: BroadcastItem, source: SoundSource): string | null {
  if (source.kind === 'clips' && source.clips.length === 0) return 'source';
  const text = orderText({ source, since: longestSince, level: 100, item: item.id });
  if (text.length > longestOrder || parseOrder(text) === null) return 'source';
  if (rankOf(item.class) < 0) return 'class';
  if (item.length !== null && !(item.length > 0 && Number.isFinite(item.length))) return 'length';
  if (item.level !== undefined && !(Number.isInteger(item.level) && item.level >= 0 && item.level <= 100))
    return 'level';
  for (const time of ['since', 'patience', 'until'] as const) {
    const value = item[time];
    if (value !== null && !Number.isFinite(value)) return time;
  }
  return null;
}

/** The same sound in the same rooms. Names and reasons differ from input to input. */
export function contentOf({ class: soundClass, source, outputs, drill, length }: BroadcastItem): string {
  const rooms = [...new Set(outputs)].sort().join(' ');
  return `${soundClass} ${drill ? 'drill ' : ''}${length} ${orderText({ source })} ${rooms}`;
}

/**
 * The same wish from two inputs. An emergency that is at work takes the second asker in and goes on until both have been stopped: nobody's
 * emergency is lost, and nothing begins anew. Anything else is refused when it comes shortly after the first: from another input, or from the
 * same one while the first is not over (a double click). The same person may well say the same thing again.
 */
function twinOf(desk: Desk, item: BroadcastItem, content: string): PutAnswer | null {
  if (isEmergency(item.class)) return joinTwin(desk, item, content);
  const before = desk.lately.get(content);
  if (before === undefined || desk.monotonic - before.at > desk.options.sameWithin) return null;
  if (before.by === item.by && !desk.soundings.has(before.id)) return null;
  return refused(desk, { code: 'duplicate', of: before.id });
}

function joinTwin(desk: Desk, item: BroadcastItem, content: string): PutAnswer | null {
  let twin: Sounding | null = null;
  for (const one of desk.soundings.values()) if (one.isEmergency && one.content === content) twin = one;
  if (twin === null) return null;
  // It lasts as long as the one that lasts longest.
  if (twin.item.until !== null && (item.until === null || item.until > twin.item.until)) {
    twin.item = { ...twin.item, until: item.until };
    twin.until = monotonicOf(desk, item.until);
  }
  desk.touched.add(twin);
  if (twin.askers.size >= mostAskers) return refused(desk, { code: 'too-many-askers', most: mostAskers });
  twin.askers.add(item.id);
  desk.asked.set(item.id, twin);
  return { outcome: 'joined', item: twin.item.id, refusal: null, refusedOn: [] };
}

/** null: more loudspeakers than can be. */
function placesOf(desk: Desk, outputs: readonly PointRef[]): Place[] | null {
  const refs = new Set(outputs);
  let more = 0;
  for (const ref of refs) if (!desk.places.has(ref)) more++;
  if (desk.places.size + more > desk.options.mostOutputs) return null;
  return [...refs].flatMap((ref) => placeOf(desk, ref) ?? []);
}

/**
 * Makes room for an emergency at a bound: the weakest goes, and of equals the latest. An emergency goes only for a stronger one: a fire does
 * not stand in line behind sixteen storm warnings.
 */
function displaceItem(desk: Desk, item: BroadcastItem): boolean {
  let weakest: Sounding | null = null;
  for (const one of desk.soundings.values()) if (weakest === null || isWeaker(one, weakest)) weakest = one;
  if (weakest === null || !mayDisplace(item, weakest)) return false;
  finishAll(desk, weakest, () => ({ kind: 'dropped', reason: 'displaced' }));
  desk.displaced++;
  return true;
}

function displacePart(desk: Desk, place: Place, item: BroadcastItem): boolean {
  let weakest: Part | null = null;
  for (const part of place.parts) if (weakest === null || isWeaker(part.of, weakest.of)) weakest = part;
  if (weakest === null || !mayDisplace(item, weakest.of)) return false;
  finish(desk, weakest, { kind: 'dropped', reason: 'displaced' });
  desk.displaced++;
  return true;
}

function mayDisplace({ class: soundClass }: BroadcastItem, weakest: Sounding): boolean {
  return isEmergency(soundClass) && rankOf(soundClass) < rankOf(weakest.item.class);
}

function isWeaker(a: Sounding, b: Sounding): boolean {
  const difference = rankOf(a.item.class) - rankOf(b.item.class);
  return difference > 0 || (difference === 0 && a.turn > b.turn);
}

function take(
  desk: Desk,
  item: BroadcastItem,
  source: SoundSource,
  content: string,
  places: readonly Place[],
  at: Moment,
): PutAnswer {
  const most = desk.options.mostOnOutput;
  const full: Place[] = [];
  for (const place of places) {
    if (place.parts.length >= most && !displacePart(desk, place, item)) full.push(place);
  }
  const { sounding, parts } = newSounding(desk, item, source, content, places);
  // What left a wall clock that nobody vouches for cannot be held against it.
  if (at.isUnsure === true && sounding.isEmergency && item.until !== null) {
    sounding.until = desk.monotonic + Math.max(0, item.until - item.since);
  }
  desk.soundings.set(item.id, sounding);
  desk.asked.set(item.id, sounding);
  desk.lately.delete(content);
  desk.lately.set(content, { id: item.id, by: item.by, at: desk.monotonic });
  forget(desk.lately, mostLately);
  desk.touched.add(sounding);
  for (const part of parts) {
    part.place.parts.push(part);
    desk.dirty.add(part.place);
  }
  for (const place of full) {
    const part = sounding.parts.get(place.ref);
    if (part !== undefined) finish(desk, part, { kind: 'dropped', reason: 'queue-full' });
  }
  return { outcome: 'taken', item: item.id, refusal: null, refusedOn: full.map(({ ref }) => ref) };
}

export function newSounding(
  desk: Desk,
  item: BroadcastItem,
  source: SoundSource,
  content: string,
  places: readonly Place[],
): { sounding: Sounding; parts: readonly Part[] } {
  const parts = new Map<PointRef, Part>();
  const sounding: Sounding = {
    kind: 'item',
    item,
    turn: desk.turn++,
    askers: new Set<HappeningId>([item.id]),
    source,
    length: lengthOf(desk, item, source),
    content,
    isEmergency: isEmergency(item.class),
    isInStep: isInStep(item),
    until: monotonicOf(desk, item.until),
    patience: monotonicOf(desk, item.patience),
    origin: null,
    paused: null,
    moved: null,
    playing: 0,
    open: places.length,
    parts,
    story: [],
    sleeper: newSleeper(),
  };
  for (const place of places) parts.set(place.ref, newPart(sounding, place));
  return { sounding, parts: [...parts.values()] };
}

function newPart(of: Sounding, place: Place): Part {
  return {
    kind: 'part',
    of,
    place,
    state: 'waiting',
    origin: null,
    since: 0,
    wordAt: 0,
    position: null,
    cutAt: null,
    lost: 0,
    isTold: false,
    sleeper: newSleeper(),
  };
}

/** The exercise word takes its time: what has a length gets longer, or its last words would be missing. What loops ends when it was to end. */
function lengthOf(
  { options: { drillWord } }: Desk,
  { length, source: asked }: BroadcastItem,
  source: SoundSource,
): number | null {
  if (length === null || drillWord === null || source.kind !== 'clips' || asked.kind !== 'clips' || source.loop)
    return length;
  return length + (source.clips.length - asked.clips.length) * drillWord.length;
}
