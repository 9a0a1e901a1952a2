import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import type {
  Moment,
  OutsideClaim,
  QuietRooms,
  Said,
  SoundArbiter,
  SoundArbiterOptions,
  SoundCounters,
  SoundLevels,
  SoundReason,
  SoundStep,
  StopAnswer,
  WantedSound,
} from './sound.ts';
import { type Ending, finish, finishAll } from './sound-course.ts';
import {
  advance,
  bury,
  type Desk,
  endOf,
  newDesk,
  type Part,
  placeOf,
  type Sounding,
  wakeItem,
  wakeWindows,
} from './sound-desk.ts';
import { explainItem, explainOutput } from './sound-explain.ts';
import { classStrength } from './sound-habits.ts';
import { put } from './sound-intake.ts';
import { flush } from './sound-journal.ts';
import { judge } from './sound-judge.ts';
import { wantedOf } from './sound-levels.ts';
import { restore, storedOf } from './sound-store.ts';

/** Quiet rooms at one time, and caps. */
const mostWindows = 256;

/**
 * Decides for each loudspeaker who has the word. Everything that it is told changes nothing by itself: `step` says what follows. It costs as
 * much as changed, not as much as there is.
 */
export function createSoundArbiter(options: SoundArbiterOptions): SoundArbiter {
  const desk = newDesk(options);
  return {
    put: (item, at) => put(desk, item, at),
    stop: (id, said, at) => stop(desk, id, said, at),
    allClear: (said, at) => allClear(desk, said, at),
    outside: (claims, at) => outside(desk, claims, at),
    quiet: (rooms, at) => setQuiet(desk, rooms, at),
    levels: (levels, at) => setLevels(desk, levels, at),
    step: (at) => step(desk, at),
    next: () => desk.wakes.next,
    orders: () => ordersOf(desk),
    why(output, at) {
      advance(desk, at);
      return explainOutput(desk, output);
    },
    whyItem(id, at) {
      advance(desk, at);
      return explainItem(desk, id);
    },
    emergencies: () => [...desk.soundings.values()].filter((one) => one.isEmergency).map(({ item }) => item.id),
    stored(id) {
      const one = desk.soundings.get(id);
      return one === undefined ? null : storedOf(desk, one);
    },
    snapshot: () => [...desk.soundings.values()].map((one) => storedOf(desk, one)),
    restore: (stored, at) => restore(desk, stored, at),
    get counters() {
      return countersOf(desk);
    },
  };
}

function stop(
  desk: Desk,
  id: HappeningId,
  { by, why, outputs }: Said & { readonly outputs?: readonly PointRef[] },
  at: Moment,
): StopAnswer {
  advance(desk, at);
  const one = desk.asked.get(id) ?? desk.soundings.get(id);
  if (one === undefined) return { outcome: 'unknown', item: null, askers: [] };
  const item = one.item.id;
  const ending: Ending = { kind: 'stopped', reason: 'asked', said: { by, why } };
  if (outputs !== undefined) {
    for (const ref of outputs) {
      const part = one.parts.get(ref);
      if (part !== undefined) finish(desk, part, ending);
    }
    return { outcome: 'stopped', item, askers: one.open === 0 ? [] : [...one.askers] };
  }
  one.askers.delete(id);
  desk.asked.delete(id);
  bury(desk, id, one);
  desk.touched.add(one);
  if (one.askers.size > 0) return { outcome: 'goes-on', item, askers: [...one.askers] };
  finishAll(desk, one, () => ending);
  return { outcome: 'stopped', item, askers: [] };
}

function allClear(desk: Desk, said: Said, at: Moment): HappeningId[] {
  advance(desk, at);
  const emergencies = [...desk.soundings.values()].filter((one) => one.isEmergency);
  for (const one of emergencies) finishAll(desk, one, () => ({ kind: 'stopped', reason: 'all-clear', said }));
  return emergencies.map(({ item }) => item.id);
}

function outside(desk: Desk, claims: readonly OutsideClaim[], at: Moment): void {
  advance(desk, at);
  const strongest = new Map<PointRef, OutsideClaim>();
  for (const claim of claims) {
    const before = strongest.get(claim.output);
    if (before === undefined || strengthOfClaim(claim) < strengthOfClaim(before)) strongest.set(claim.output, claim);
  }
  for (const place of desk.places.values()) {
    if (place.claim === null || strongest.has(place.ref)) continue;
    place.claim = null;
    desk.dirty.add(place);
  }
  for (const [ref, claim] of strongest) {
    const place = placeOf(desk, ref);
    if (place === null) continue;
    if (place.claim === null || strengthOfClaim(place.claim) !== strengthOfClaim(claim)) desk.dirty.add(place);
    place.claim = claim;
  }
}

function strengthOfClaim({ strength, class: soundClass = 'fire' }: OutsideClaim): number {
  return strength ?? classStrength(soundClass);
}

/** Each list of ids that go over the bound: those that begin last. */
function bounded<T extends { id: string; from: number }>(all: readonly T[]): { kept: T[]; beyond: string[] } {
  const sorted = [...all].sort((a, b) => a.from - b.from);
  return { kept: sorted.slice(0, mostWindows), beyond: sorted.slice(mostWindows).map(({ id }) => id) };
}

/** By loudspeaker. */
function byOutput<T extends { outputs: readonly PointRef[] }>(windows: readonly T[]): Map<PointRef, T[]> {
  const found = new Map<PointRef, T[]>();
  for (const window of windows) {
    for (const ref of new Set(window.outputs)) {
      const list = found.get(ref);
      if (list === undefined) found.set(ref, [window]);
      else list.push(window);
    }
  }
  return found;
}

function setQuiet(desk: Desk, rooms: readonly QuietRooms[], at: Moment): string[] {
  advance(desk, at);
  const { kept, beyond } = bounded(rooms);
  desk.quiet = kept;
  const found = byOutput(kept);
  for (const place of desk.places.values()) {
    const quiet = found.get(place.ref) ?? [];
    if (quiet.length > 0 || place.quiet.length > 0) desk.dirty.add(place);
    place.quiet = quiet;
  }
  wakeWindows(desk);
  return beyond;
}

function setLevels(desk: Desk, levels: SoundLevels, at: Moment): string[] {
  advance(desk, at);
  const { kept, beyond } = bounded(levels.caps);
  desk.levels = { ...levels, caps: kept };
  const found = byOutput(kept);
  for (const place of desk.places.values()) {
    place.caps = found.get(place.ref) ?? [];
    desk.dirty.add(place);
  }
  wakeWindows(desk);
  return beyond;
}

function step(desk: Desk, at: Moment): SoundStep {
  advance(desk, at);
  wake(desk);
  const orders = new Map<PointRef, WantedSound | null>();
  for (const place of desk.dirty) {
    judge(desk, place);
    const wanted = wantedOf(desk, place);
    if (wanted === place.wanted) continue;
    place.wanted = wanted;
    orders.set(place.ref, wanted);
  }
  desk.dirty.clear();
  for (const one of desk.touched) wakeItem(desk, one);
  const changed = [...desk.touched].map(({ item }) => item.id);
  const gone = [...desk.gone];
  desk.touched.clear();
  desk.gone.clear();
  return { orders, happenings: flush(desk.journal), changed, gone };
}

/** Everything whose time has come, the earliest first; at one time what is played to its end comes before what is given up. */
function wake(desk: Desk): void {
  const now = desk.monotonic;
  for (let at = desk.wakes.next; at !== null && at <= now; at = desk.wakes.next) {
    for (const one of desk.wakes.due(at).sort((a, b) => kinds[a.kind] - kinds[b.kind])) {
      if (one.kind === 'part') wakeUpPart(desk, one);
      else if (one.kind === 'item') wakeUpItem(desk, one, at);
      else wakeUpWindows(desk);
    }
  }
}

const kinds = { part: 0, item: 1, windows: 2 } as const;

function wakeUpPart(desk: Desk, part: Part): void {
  if (part.state === 'playing') finish(desk, part, { kind: 'ended', reason: away(desk, part.sleeper.at, 'length') });
  else if (part.state === 'cut') finish(desk, part, { kind: 'dropped', reason: 'too-much-lost' });
}

function wakeUpItem(desk: Desk, one: Sounding, at: number): void {
  const end = endOf(one);
  const { until, patience } = one;
  if (end !== null && end <= at) endInStep(desk, one, end);
  else if (until !== null && until <= at) {
    finishAll(desk, one, () => ({ kind: 'expired', reason: away(desk, until, 'until') }));
  } else if (patience !== null && patience <= at) {
    const reason = away(desk, patience, 'patience');
    finishAll(desk, one, (part) => (part.state === 'waiting' ? { kind: 'expired', reason } : null));
  }
  wakeItem(desk, one);
}

function endInStep(desk: Desk, one: Sounding, end: number): void {
  finishAll(desk, one, ({ state }) => {
    if (state === 'playing') return { kind: 'ended', reason: away(desk, end, 'length') };
    return { kind: state === 'cut' ? 'dropped' : 'expired', reason: 'over-elsewhere' };
  });
}

/** What was over before this process was there is said so: whether it was heard to its end nobody knows. */
function away(desk: Desk, at: number, reason: SoundReason): SoundReason {
  return at <= desk.bornAt ? 'while-away' : reason;
}

function wakeUpWindows(desk: Desk): void {
  for (const place of desk.places.values()) {
    if (place.quiet.length > 0 || place.caps.length > 0) desk.dirty.add(place);
  }
  wakeWindows(desk);
}

function ordersOf(desk: Desk): Map<PointRef, WantedSound> {
  const orders = new Map<PointRef, WantedSound>();
  for (const { ref, wanted } of desk.places.values()) if (wanted !== null) orders.set(ref, wanted);
  return orders;
}

function countersOf(desk: Desk): SoundCounters {
  let playing = 0;
  let waiting = 0;
  for (const place of desk.places.values()) {
    if (place.playing !== null) playing++;
    waiting += place.parts.length - (place.playing === null ? 0 : 1);
  }
  const { refused, duplicates, displaced } = desk;
  return { items: desk.soundings.size, outputs: desk.places.size, playing, waiting, refused, duplicates, displaced };
}
