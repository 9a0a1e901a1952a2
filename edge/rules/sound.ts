import type { BroadcastItem, SoundClass, SoundOrder } from '#edge/domain/broadcast.ts';
import type { HappeningId, PointRef } from '#edge/domain/ids.ts';
import type { Priority } from '#edge/domain/output.ts';
import type { Name } from '#edge/domain/place.ts';

/*
 * The arbiter of sound: what it is told and what it answers. For each loudspeaker (its output `clip`) it decides which item has the word. It
 * never acts: core holds what `step` says through `commands`. Who has the word and why: edge/docs/decisions/0033-who-has-the-word.md.
 */

export interface Moment {
  /** Wall clock, ms since epoch. */
  readonly now: number;
  /** Never steps, ms. All lasting things are measured by it, so that a step of the wall clock neither ends nor prolongs a sound. */
  readonly monotonic: number;
  /** Nobody vouches for the wall clock: an emergency that is restored does not expire by it. */
  readonly isUnsure?: boolean;
}

export interface SoundArbiterOptions {
  /** The clip that says "this is an exercise"; null: there is none, and no exercise of clips sounds. */
  readonly drillWord: { readonly clip: string; readonly length: number } | null;
  /** Clips without words: the exercise word is not put in front of them. */
  readonly sirens: readonly string[];
  /** The same content from another input within so many ms is the same wish; absent: 30 s. */
  readonly sameWithin?: number;
  /** Items at one time; absent: 256. An emergency displaces what is weaker. */
  readonly mostItems?: number;
  /** Items that play or wait on one loudspeaker; absent: 16. */
  readonly mostOnOutput?: number;
  /** Loudspeakers; absent: 4,096. */
  readonly mostOutputs?: number;
}

/** Somebody else has the loudspeaker: a safety rule, a person's request. The arbiter cannot move it and gives way, or does not. */
export interface OutsideClaim {
  readonly output: PointRef;
  readonly owner: string;
  readonly reason: string;
  readonly since: number;
  /** Absent: `fire`. */
  readonly class?: SoundClass;
  /** `strengthOf` of its hold; absent: that of its class. */
  readonly strength?: number;
  /** It holds the loudspeaker silent. */
  readonly isSilence?: boolean;
}

/** Rooms where an examination sits or a lesson is recorded: nothing but emergencies and what belongs to the examination. */
export interface QuietRooms {
  readonly id: string;
  readonly kind: 'exam' | 'recording';
  readonly outputs: readonly PointRef[];
  readonly from: number;
  /** null: until it is taken away. */
  readonly until: number | null;
  readonly reason: string;
}

/** Quiet hours, loudspeakers outdoors. Only emergencies are louder. */
export interface LevelCap {
  readonly id: string;
  readonly outputs: readonly PointRef[];
  /** Percent. */
  readonly most: number;
  readonly from: number;
  readonly until: number | null;
  readonly reason: string;
}

/** Percent of full loudness, 0 to 100. */
export interface PlaceLevel {
  /** Percent of what the class has. */
  readonly scale?: number;
  /** What a class has here, whatever the campus and the scale say. */
  readonly classes?: Partial<Readonly<Record<SoundClass, number>>>;
  readonly emergency?: number;
}

export interface SoundLevels {
  /** Absent: 100. Not for emergencies. */
  readonly classes: Partial<Readonly<Record<SoundClass, number>>>;
  /** Absent: 100. */
  readonly emergency?: number;
  readonly places: ReadonlyMap<PointRef, PlaceLevel>;
  readonly caps: readonly LevelCap[];
}

export interface LevelAnswer {
  readonly level: number;
  readonly from: 'item' | 'place' | 'class' | 'emergency';
  readonly cap: {
    readonly id: string;
    readonly most: number;
    readonly until: number | null;
    readonly reason: string;
  } | null;
}

/** What is asked of one loudspeaker. */
export interface WantedSound {
  readonly order: SoundOrder;
  /** `orderText` of it: the value of the output. */
  readonly text: string;
  readonly item: HappeningId;
  readonly class: SoundClass;
  /** Of the hold; `since` is when it got the word here, whatever became of its level. With all three the array decides as the arbiter does. */
  readonly priority: Priority;
  readonly rank: number;
  readonly since: number;
  readonly reason: string;
}

/** What keeps an item from a loudspeaker. */
export type Blocker =
  | { readonly kind: 'item'; readonly item: HappeningId; readonly class: SoundClass; readonly name: Name }
  | { readonly kind: 'outside'; readonly owner: string; readonly class: SoundClass; readonly reason: string }
  | {
      readonly kind: 'quiet';
      readonly id: string;
      readonly rooms: 'exam' | 'recording';
      readonly reason: string;
      readonly until: number | null;
    };

/**
 * `queued`: it waits. Then `begun`, and for each `preempted` exactly one of `resumed` (where it stopped, or in step with the other rooms),
 * `restarted`, or an end: `ended` (by its own length), `expired`, `dropped`, `stopped`. Each loudspeaker of an item has exactly one end.
 */
export type SoundHappeningKind =
  | 'queued'
  | 'begun'
  | 'preempted'
  | 'resumed'
  | 'restarted'
  | 'ended'
  | 'expired'
  | 'dropped'
  | 'stopped';

/**
 * `turn`: it had its turn. `stronger`, `quiet`: what cut it or keeps it out. `in-step`: came back where the other rooms are. `length`: played
 * to its end. `over-elsewhere`: the other rooms are through with it. `until`, `patience`: its times. `not-again`: it is not taken up
 * once cut. `too-much-lost`: an exercise that was cut for longer than makes sense. `displaced`: a bound, for an emergency's sake.
 * `queue-full`: a bound. `asked`: somebody stopped it. `all-clear`. `while-away`: over before this process was back.
 */
export type SoundReason =
  | 'turn'
  | 'in-step'
  | 'stronger'
  | 'quiet'
  | 'length'
  | 'over-elsewhere'
  | 'until'
  | 'patience'
  | 'not-again'
  | 'too-much-lost'
  | 'displaced'
  | 'queue-full'
  | 'asked'
  | 'all-clear'
  | 'while-away';

/** For the ledger and the proof: one for all loudspeakers to which the same happened at the same time. */
export interface SoundHappening {
  readonly kind: SoundHappeningKind;
  readonly item: HappeningId;
  readonly class: SoundClass;
  readonly outputs: readonly PointRef[];
  /** Wall clock. */
  readonly at: number;
  readonly reason: SoundReason;
  /** Who cut it or keeps it waiting. */
  readonly by: Blocker | null;
  /** ms of it that were heard, or passed in the other rooms, when it was cut, went on or ended; null: it had not begun here. */
  readonly position: number | null;
  /** Of a stop: who and why. */
  readonly said: Said | null;
}

/** Who stops, and why. */
export interface Said {
  readonly by: string;
  readonly why: string;
}

export interface SoundStep {
  /** Only what changed; null: nothing is asked of it any more. */
  readonly orders: ReadonlyMap<PointRef, WantedSound | null>;
  readonly happenings: readonly SoundHappening[];
  /** Their documents changed (`stored`). */
  readonly changed: readonly HappeningId[];
  /** Their documents may go. */
  readonly gone: readonly HappeningId[];
}

export type Refusal =
  | { readonly code: 'no-outputs' | 'no-drill-word' | 'ended-before' | 'over' }
  /** `what`: the field. */
  | { readonly code: 'bad-item'; readonly what: string }
  | { readonly code: 'duplicate'; readonly of: HappeningId }
  | { readonly code: 'too-many-items' | 'too-many-outputs' | 'queue-full' | 'too-many-askers'; readonly most: number };

export interface PutAnswer {
  /** `joined`: the same emergency plays or waits already, and goes on until both have been stopped. `known`: this very item. */
  readonly outcome: 'taken' | 'joined' | 'known' | 'refused';
  /** The item that stands for it. */
  readonly item: HappeningId | null;
  readonly refusal: Refusal | null;
  /** Where its queue was full though it was taken elsewhere. */
  readonly refusedOn: readonly PointRef[];
}

export interface StopAnswer {
  /** `goes-on`: somebody else asked for the same emergency and has not taken it back. */
  readonly outcome: 'stopped' | 'goes-on' | 'unknown';
  readonly item: HappeningId | null;
  /** Who asks for it still. */
  readonly askers: readonly HappeningId[];
}

export interface PartAnswer {
  readonly item: HappeningId;
  readonly class: SoundClass;
  readonly name: Name;
  readonly state: 'waiting' | 'playing' | 'cut' | 'over';
  /** ms of it; null: not begun. */
  readonly position: number | null;
  readonly blocker: Blocker | null;
  readonly cutAt: number | null;
  /** Given up at this time if it has not begun, and over at this time. */
  readonly patience: number | null;
  readonly until: number | null;
  readonly by: string;
  readonly why: string;
  readonly isDrill: boolean;
}

/** Why this plays, or why it is silent. */
export interface OutputAnswer {
  readonly output: PointRef;
  /** `outside`: somebody else has it. `quiet`: something would play but for quiet rooms. `level-zero`: it plays inaudibly. */
  readonly reason: 'plays' | 'level-zero' | 'outside' | 'silenced-outside' | 'quiet' | 'nothing-asked';
  readonly playing: PartAnswer | null;
  readonly level: LevelAnswer | null;
  readonly outside: OutsideClaim | null;
  readonly quiet: QuietRooms | null;
  /** Cut or waiting, in the order in which they will have the word. */
  readonly waiting: readonly PartAnswer[];
  /** The latest of this loudspeaker, newest first. */
  readonly recent: readonly SoundHappening[];
}

export interface ItemAnswer {
  readonly item: BroadcastItem;
  readonly state: 'waiting' | 'playing' | 'cut' | 'over';
  readonly askers: readonly HappeningId[];
  readonly parts: readonly (PartAnswer & { readonly output: PointRef })[];
  /** Oldest first; the latest of them. */
  readonly story: readonly SoundHappening[];
}

/** One item with how far it is, as a document. All times are of the wall clock. */
export interface StoredSound {
  readonly version: 1;
  readonly item: BroadcastItem;
  /** The order in which they came. */
  readonly turn: number;
  readonly askers: readonly HappeningId[];
  readonly savedAt: number;
  /** The beginning that all rooms share; null: not begun, or each room for itself. */
  readonly origin: number | null;
  /** Where it stopped, ms, while no room plays it. */
  readonly pausedAt: number | null;
  /** Its end: not always that of the item, because an emergency's does not move with the wall clock. */
  readonly until: number | null;
  readonly parts: readonly StoredParts[];
}

export interface StoredParts {
  readonly outputs: readonly PointRef[];
  readonly state: 'waiting' | 'playing' | 'cut';
  readonly origin: number | null;
  readonly position: number | null;
  readonly cutAt: number | null;
  /** ms it was cut before. */
  readonly lost: number;
}

export interface SoundCounters {
  readonly items: number;
  readonly outputs: number;
  readonly playing: number;
  readonly waiting: number;
  readonly refused: number;
  readonly duplicates: number;
  readonly displaced: number;
}

export interface SoundArbiter {
  put(item: BroadcastItem, at: Moment): PutAnswer;
  /** With `outputs`: in these rooms only, for all who asked for it. */
  stop(id: HappeningId, said: Said & { readonly outputs?: readonly PointRef[] }, at: Moment): StopAnswer;
  /** Stops every emergency, whoever asked for it. Answers which. */
  allClear(said: Said, at: Moment): readonly HappeningId[];
  /** All claims that stand now; the owner of the arbiter's own holds is not among them. */
  outside(claims: readonly OutsideClaim[], at: Moment): void;
  /** All that are known, also those to come. Answers the ids beyond the bound. */
  quiet(rooms: readonly QuietRooms[], at: Moment): readonly string[];
  /** Answers the ids of caps beyond the bound. */
  levels(levels: SoundLevels, at: Moment): readonly string[];
  /** What changed since the last one. */
  step(at: Moment): SoundStep;
  /** Monotonic time at which something changes by itself; null: never. */
  next(): number | null;
  /** What is asked of each loudspeaker now. */
  orders(): ReadonlyMap<PointRef, WantedSound>;
  why(output: PointRef, at: Moment): OutputAnswer;
  whyItem(id: HappeningId, at: Moment): ItemAnswer | null;
  emergencies(): readonly HappeningId[];
  /** null: over. */
  stored(id: HappeningId): StoredSound | null;
  snapshot(): readonly StoredSound[];
  /** Once, before anything else. Answers the ids of those that could not be taken (bounds, an item that is not understood). */
  restore(stored: readonly StoredSound[], at: Moment): readonly HappeningId[];
  readonly counters: SoundCounters;
}
