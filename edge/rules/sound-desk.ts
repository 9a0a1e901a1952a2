import { type BroadcastItem, isEmergency, type SoundSource } from '#edge/domain/broadcast.ts';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import type {
  LevelCap,
  Moment,
  OutsideClaim,
  QuietRooms,
  SoundArbiterOptions,
  SoundHappening,
  SoundLevels,
  WantedSound,
} from './sound.ts';
import { soundHabits } from './sound-habits.ts';
import { type Journal, newJournal } from './sound-journal.ts';
import { newSleeper, type Sleeper, WakeList } from './wake-list.ts';

/* What the arbiter remembers. Inside, every time is monotonic; `offset` makes a wall clock of it at the border. */

/** An item at work. */
export interface Sounding {
  readonly kind: 'item';
  /** As it was asked for; `until` the latest that any of the askers said. */
  item: BroadcastItem;
  /** The order in which they came. */
  readonly turn: number;
  /** Everybody who asked for it and has not taken it back. */
  readonly askers: Set<HappeningId>;
  /** With the exercise word, when it is an exercise, and so longer. */
  readonly source: SoundSource;
  readonly length: number | null;
  readonly content: string;
  readonly isEmergency: boolean;
  readonly isInStep: boolean;
  until: number | null;
  patience: number | null;
  /** In step: when its position was 0; null: not begun. */
  origin: number | null;
  /** In step: where it stopped and since when, while no room plays it. */
  paused: { readonly position: number; readonly since: number } | null;
  /** In step: when it last began or went on after standing still, so that all rooms of that moment say the same of it. */
  moved: { readonly at: number; readonly isRestart: boolean } | null;
  /** How many rooms play it. */
  playing: number;
  /** Rooms that are not through with it. */
  open: number;
  readonly parts: ReadonlyMap<PointRef, Part>;
  /** The latest that happened to it, oldest first. */
  readonly story: SoundHappening[];
  readonly sleeper: Sleeper;
}

/** An item on one loudspeaker. */
export interface Part {
  readonly kind: 'part';
  readonly of: Sounding;
  readonly place: Place;
  state: 'waiting' | 'playing' | 'cut' | 'over';
  /** Not in step: when its position was 0. */
  origin: number | null;
  /** What its order says, wall clock: kept while it plays, so that a step of the clock does not send every loudspeaker a new order. */
  since: number;
  /** When it got the word here, wall clock. */
  wordAt: number;
  /** Where it was cut, ms; null: not begun. */
  position: number | null;
  cutAt: number | null;
  /** ms that it was cut before. */
  lost: number;
  /** Whether the ledger knows that it waits. */
  isTold: boolean;
  readonly sleeper: Sleeper;
}

/** One loudspeaker. */
export interface Place {
  readonly ref: PointRef;
  /** Not over, in the order of their turns. */
  readonly parts: Part[];
  playing: Part | null;
  /** The strongest of those that others have here. */
  claim: OutsideClaim | null;
  quiet: readonly QuietRooms[];
  caps: readonly LevelCap[];
  wanted: WantedSound | null;
  /** Newest last. */
  readonly recent: SoundHappening[];
}

/** What remains of an item. */
export type Buried = Pick<Sounding, 'item' | 'story'>;

/** Quiet rooms and caps begin and end: one sleeper for all of them. */
export interface Windows {
  readonly kind: 'windows';
  readonly sleeper: Sleeper;
}

export interface Desk {
  readonly options: Required<SoundArbiterOptions>;
  readonly soundings: Map<HappeningId, Sounding>;
  /** Which item an asker's id stands for; its own among them. */
  readonly asked: Map<HappeningId, Sounding>;
  readonly places: Map<PointRef, Place>;
  readonly dirty: Set<Place>;
  readonly wakes: WakeList<Sounding | Part | Windows, 'sleeper'>;
  readonly windows: Windows;
  readonly journal: Journal;
  /** Their documents changed. */
  readonly touched: Set<Sounding>;
  /** Over since the last step. */
  readonly gone: Set<HappeningId>;
  /** Over, the latest of them, so that they can be asked about and do not come a second time. */
  readonly over: Map<HappeningId, Buried>;
  /** What was asked for lately, by its content. */
  readonly lately: Map<string, { readonly id: HappeningId; readonly by: string; readonly at: number }>;
  quiet: readonly QuietRooms[];
  levels: SoundLevels;
  turn: number;
  refused: number;
  duplicates: number;
  displaced: number;
  /** When this process took over what was stored. */
  bornAt: number;
  monotonic: number;
  /** Wall clock minus monotonic; null: nothing was heard of the time yet. */
  offset: number | null;
}

/** Items that are over and remembered. */
const mostBuried = 512;

/** The wall clock was set: more than slewing does between two looks. */
const isStep = 500;

export function newDesk(options: SoundArbiterOptions): Desk {
  return {
    options: { sameWithin: 30_000, mostItems: 256, mostOnOutput: 16, mostOutputs: 4_096, ...options },
    soundings: new Map(),
    asked: new Map(),
    places: new Map(),
    dirty: new Set(),
    wakes: new WakeList('sleeper'),
    windows: { kind: 'windows', sleeper: newSleeper() },
    journal: newJournal(),
    touched: new Set(),
    gone: new Set(),
    over: new Map(),
    lately: new Map(),
    quiet: [],
    levels: { classes: {}, places: new Map(), caps: [] },
    turn: 0,
    refused: 0,
    duplicates: 0,
    displaced: 0,
    bornAt: Number.NEGATIVE_INFINITY,
    monotonic: Number.NEGATIVE_INFINITY,
    offset: null,
  };
}

/**
 * Moves the time on. When the wall clock was set, what people planned by it (a lesson begins, a quiet hour ends) follows; how long something
 * has played does not, and no emergency's end does: its time left was reckoned when it came.
 */
export function advance(desk: Desk, { now, monotonic }: Moment): void {
  desk.monotonic = Math.max(desk.monotonic, monotonic);
  const offset = now - monotonic;
  if (desk.offset !== null && Math.abs(offset - desk.offset) <= isStep) return;
  const isFirst = desk.offset === null;
  desk.offset = offset;
  if (isFirst) return;
  for (const one of desk.soundings.values()) {
    if (one.isEmergency) continue;
    one.until = monotonicOf(desk, one.item.until);
    one.patience = monotonicOf(desk, one.item.patience);
    wakeItem(desk, one);
    desk.touched.add(one);
  }
  for (const place of desk.places.values()) {
    if (place.quiet.length > 0 || place.caps.length > 0) desk.dirty.add(place);
  }
  wakeWindows(desk);
}

export function wallOf(desk: Desk, monotonic: number): number {
  return Math.round(monotonic + (desk.offset ?? 0));
}

/** Without the dust of floating point, or a window that begins now would have begun neither now nor later. */
function wallNow(desk: Desk): number {
  return Math.round((desk.monotonic + (desk.offset ?? 0)) * 100) / 100;
}

export function monotonicOf(desk: Desk, wall: number | null): number | null {
  return wall === null ? null : wall - (desk.offset ?? 0);
}

export function isWithin(desk: Desk, { from, until }: { from: number; until: number | null }): boolean {
  const wall = wallNow(desk);
  return from <= wall && (until === null || wall < until);
}

/** The loudspeaker, when there is room for one more. */
export function placeOf(desk: Desk, ref: PointRef): Place | null {
  const known = desk.places.get(ref);
  if (known !== undefined) return known;
  if (desk.places.size >= desk.options.mostOutputs) return null;
  const place = newPlace(desk, ref);
  desk.places.set(ref, place);
  return place;
}

/** As it is while nobody asks for anything there. */
export function newPlace(desk: Desk, ref: PointRef): Place {
  const quiet = desk.quiet.filter(({ outputs }) => outputs.includes(ref));
  const caps = desk.levels.caps.filter(({ outputs }) => outputs.includes(ref));
  return { ref, parts: [], playing: null, claim: null, quiet, caps, wanted: null, recent: [] };
}

/** What is heard of it here, or would be, if it were in step; null: not begun. */
export function positionOf(desk: Desk, part: Part): number | null {
  const { length } = part.of;
  if (part.state === 'playing') {
    return Math.min(desk.monotonic - (originOf(part) ?? desk.monotonic), length ?? Number.POSITIVE_INFINITY);
  }
  if (part.of.isInStep && part.position !== null) return stepPosition(desk, part.of);
  return part.position;
}

/** Where all rooms of an item in step are; null: it has not begun. */
export function stepPosition(desk: Desk, { origin, paused }: Sounding): number | null {
  if (paused !== null) return paused.position;
  return origin === null ? null : desk.monotonic - origin;
}

export function originOf(part: Part): number | null {
  return part.of.isInStep ? part.of.origin : part.origin;
}

/** What its order says. A clock that is at the beginning of its time cannot say more than that. */
export function sinceOf(desk: Desk, part: Part): number {
  return Math.max(0, wallOf(desk, originOf(part) ?? desk.monotonic));
}

/** When the item as a whole is to be looked at again. */
export function wakeItem(desk: Desk, one: Sounding): void {
  let at = one.until ?? Number.POSITIVE_INFINITY;
  if (one.patience !== null && hasWaiting(one)) at = Math.min(at, one.patience);
  const end = endOf(one);
  if (end !== null) at = Math.min(at, end);
  desk.wakes.set(one, one.open === 0 || at === Number.POSITIVE_INFINITY ? null : at);
}

/** When all rooms in step come to its end; null: each for itself, or it stands still, or it has none. */
export function endOf({ isInStep: together, origin, paused, length }: Sounding): number | null {
  return !together || origin === null || paused !== null || length === null ? null : origin + length;
}

function hasWaiting(one: Sounding): boolean {
  if (one.isEmergency) return false;
  for (const part of one.parts.values()) if (part.state === 'waiting') return true;
  return false;
}

/** When the part is to be looked at again: it is played to its end, or was cut for too long. */
export function wakePart(desk: Desk, part: Part): void {
  const { of } = part;
  let at: number | null = null;
  if (part.state === 'playing' && part.origin !== null && of.length !== null) at = part.origin + of.length;
  const { mostLost } = soundHabits[of.item.class];
  if (part.state === 'cut' && part.cutAt !== null && mostLost !== null) {
    at = part.cutAt + Math.max(0, mostLost - part.lost);
  }
  desk.wakes.set(part, at);
}

export function wakeWindows(desk: Desk): void {
  const wall = wallNow(desk);
  let next = Number.POSITIVE_INFINITY;
  for (const { from, until } of [...desk.quiet, ...desk.levels.caps]) {
    if (from > wall) next = Math.min(next, from);
    else if (until !== null && until > wall) next = Math.min(next, until);
  }
  desk.wakes.set(desk.windows, next === Number.POSITIVE_INFINITY ? null : (monotonicOf(desk, next) ?? 0));
}

/** What keeps everything but emergencies and what belongs to an examination from this loudspeaker now. */
export function quietOf(desk: Desk, place: Place): QuietRooms | null {
  return place.quiet.find((rooms) => isWithin(desk, rooms)) ?? null;
}

export function isSilencedByQuiet({ of: { item } }: Part): boolean {
  return !isEmergency(item.class) && item.class !== 'exam';
}

/** An id that was over once, or taken back, does not sound again. */
export function bury(desk: Desk, id: HappeningId, { item, story }: Sounding): void {
  desk.over.set(id, { item, story });
  forget(desk.over, mostBuried);
}

/** Drops the oldest beyond the bound. */
export function forget<K, V>(map: Map<K, V>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}
