import type { Clock } from '#edge/runtime/clock.ts';
import type { Notification } from './notification.ts';
import type { OnvifTimings } from './timings.ts';
import { interpret, type Meaning } from './topics.ts';
import { typeRules } from './topics-table.ts';

/** An edge worth an event, not yet an event: it has no id and no picture. */
export interface Edge {
  readonly type: string;
  /** Absent for a pulse. */
  readonly active?: boolean;
  readonly topic: string;
  readonly source: ReadonlyMap<string, string>;
  readonly sourceTime?: number;
  /** Why the driver itself speaks: `expired`, `resync`, `deleted`. */
  readonly note?: string;
  /** Edges of the same source that were merged into the ones before, since the last event of this source. */
  readonly merged?: number;
  readonly dropped?: number;
}

export interface EdgesOptions {
  readonly clock: Clock;
  readonly timings: OnvifTimings;
  readonly onEdge: (edge: Edge) => void;
  /** Whether some source of this type is active; told at the pace of events, not of messages. */
  readonly onState: (type: string, active: boolean) => void;
  readonly count: (outcome: string) => void;
}

interface Track {
  readonly type: string;
  readonly topic: string;
  readonly source: ReadonlyMap<string, string>;
  known: boolean | undefined;
  /** What the last event said. */
  announced: boolean;
  sourceTime: number | undefined;
  note: string | undefined;
  lastEvent: number;
  merged: number;
  flush: NodeJS.Timeout | undefined;
  expiry: NodeJS.Timeout | undefined;
}

/** Sources of one camera that are told apart; a real one has a dozen. */
const maxTracks = 256;
const maxUnknownTopics = 64;
const stormReport = 60_000;

/**
 * From notifications to edges: states are told from happenings, repetitions merged (the first edge at once, the rest at
 * the end of `coalesce`), storms capped per camera, and states that a camera forgets to end are ended.
 */
export class Edges implements Disposable {
  readonly #options: EdgesOptions;
  readonly #tracks = new Map<string, Track>();
  readonly #unknown = new Map<string, number>();
  #subscribed = 0;
  #tokens: number;
  #refilled: number;
  #dropped = 0;
  #stormTimer: NodeJS.Timeout | undefined;

  constructor(options: EdgesOptions) {
    this.#options = options;
    this.#tokens = options.timings.eventsPerSecond;
    this.#refilled = options.clock.monotonic();
  }

  /** A new subscription replays every state as `Initialized`. */
  subscribed(): void {
    this.#subscribed = this.#options.clock.monotonic();
  }

  /** Whether any source of this type is active; undefined when none was ever heard. */
  active(type: string): boolean | undefined {
    let found: boolean | undefined;
    for (const track of this.#tracks.values()) {
      if (track.type === type && track.known !== undefined) found = found === true || track.known;
    }
    return found;
  }

  hear(notification: Notification): void {
    const { count } = this.#options;
    const verdict = interpret(notification);
    if (verdict.kind === 'unknown') {
      this.#hearUnknown(notification);
      return;
    }
    if (verdict.kind !== 'happening') {
      count(verdict.kind);
      return;
    }
    for (const meaning of verdict.meanings) {
      if (meaning.kind === 'stateless') this.#pulse(notification, meaning);
      else this.#property(notification, meaning);
    }
  }

  #hearUnknown(notification: Notification): void {
    const { clock, timings, count, onEdge } = this.#options;
    const { topic, source, sourceTime } = notification;
    const now = clock.monotonic();
    const last = this.#unknown.get(topic);
    count('unknown-topic');
    if (last !== undefined && now - last < timings.unknownEvery) return;
    if (last === undefined && this.#unknown.size >= maxUnknownTopics) {
      count('unknown-topics-dropped');
      return;
    }
    if (!this.#takeToken()) return;
    this.#unknown.set(topic, now);
    onEdge({ type: 'unknown', topic, source, ...(sourceTime === undefined ? {} : { sourceTime }) });
  }

  #pulse(notification: Notification, meaning: Meaning): void {
    const { clock, timings, count } = this.#options;
    // A replayed pulse is history, and `Deleted` ends what never lasted.
    if (notification.operation === 'Initialized') {
      count('initialized');
      return;
    }
    if (notification.operation === 'Deleted') return;
    const track = this.#track(notification, meaning);
    if (!track) {
      this.#drop();
      return;
    }
    const now = clock.monotonic();
    if (now - track.lastEvent < timings.coalesce) {
      track.merged += 1;
      count('coalesced');
      return;
    }
    track.sourceTime = notification.sourceTime;
    if (!this.#takeToken()) {
      this.#drop();
      return;
    }
    this.#emit(track, undefined);
  }

  #property(notification: Notification, meaning: Meaning): void {
    const { clock, timings, count } = this.#options;
    const { operation } = notification;
    const next = operation === 'Deleted' ? false : meaning.active;
    if (next === undefined) {
      count('unreadable');
      return;
    }
    const track = this.#track(notification, meaning, next || meaning.part === '');
    if (!track) {
      if (next) this.#drop();
      return;
    }
    const previous = track.known;
    this.#know(track, next);
    if (operation === 'Initialized') {
      count('initialized');
      // Tapo marks real edges Initialized (home-assistant/core #127991); and an end that was missed must still end.
      const settled = clock.monotonic() - this.#subscribed > timings.settled;
      const edge = previous !== undefined && previous !== next && (settled || !next);
      if (!edge) {
        this.#tell(track);
        return;
      }
    }
    if (previous === next) {
      if (track.flush === undefined) this.#tell(track);
      count('repeat');
      return;
    }
    track.sourceTime = notification.sourceTime;
    track.note = operation === 'Deleted' ? 'deleted' : operation === 'Initialized' ? 'resync' : undefined;
    this.#settle(track);
  }

  /** Keeps the state and its expiry. */
  #know(track: Track, next: boolean): void {
    const { timings } = this.#options;
    track.known = next;
    clearTimeout(track.expiry);
    if (next && timings.stuck > 0 && typeRules[track.type]?.expires === true) {
      track.expiry = setTimeout(() => this.#expire(track), timings.stuck);
    }
  }

  #expire(track: Track): void {
    this.#options.count('expired');
    this.#know(track, false);
    track.note = 'expired';
    track.sourceTime = undefined;
    this.#settle(track);
  }

  /** Says what is to be said now, or at the end of the pause that this source must keep. */
  #settle(track: Track): void {
    const { clock, timings, count } = this.#options;
    if (track.known === track.announced) {
      track.merged += 1;
      if (track.flush === undefined) this.#tell(track);
      return;
    }
    const pause = track.lastEvent + timings.coalesce - clock.monotonic();
    if (pause <= 0 && track.flush === undefined && this.#takeToken()) {
      this.#emit(track, track.known);
      this.#tell(track);
      return;
    }
    if (track.flush !== undefined) return;
    count('coalesced');
    const again = () => {
      track.flush = undefined;
      this.#tell(track);
      this.#settle(track);
    };
    track.flush = setTimeout(again, Math.max(pause, 1000 / timings.eventsPerSecond));
  }

  /** Told even when it is the same (after an outage the same is news), but never while changes are being merged. */
  #tell(track: Track): void {
    this.#options.onState(track.type, this.active(track.type) ?? false);
  }

  #emit(track: Track, active: boolean | undefined): void {
    const { type, topic, source, sourceTime, note, merged } = track;
    track.announced = active ?? false;
    track.lastEvent = this.#options.clock.monotonic();
    track.merged = 0;
    track.note = undefined;
    this.#options.onEdge({
      type,
      topic,
      source,
      ...(active === undefined ? {} : { active }),
      ...(sourceTime === undefined ? {} : { sourceTime }),
      ...(note === undefined ? {} : { note }),
      ...(merged === 0 ? {} : { merged }),
    });
  }

  #track(notification: Notification, meaning: Meaning, create = true): Track | undefined {
    const { topic, source } = notification;
    const key = JSON.stringify([topic, meaning.part, [...source]]);
    const found = this.#tracks.get(key);
    if (found || !create || (this.#tracks.size >= maxTracks && !this.#forgetOne())) return found;
    const track: Track = {
      type: meaning.type,
      topic,
      source,
      known: undefined,
      announced: false,
      sourceTime: undefined,
      note: undefined,
      lastEvent: Number.NEGATIVE_INFINITY,
      merged: 0,
      flush: undefined,
      expiry: undefined,
    };
    this.#tracks.set(key, track);
    return track;
  }

  /** Cameras that number what they see (Hikvision's Key ObjectId) never use a number again: what is at rest makes room. */
  #forgetOne(): boolean {
    for (const [key, { known, announced, flush }] of this.#tracks) {
      if (known === true || announced || flush !== undefined) continue;
      return this.#tracks.delete(key);
    }
    return false;
  }

  #takeToken(): boolean {
    const { clock, timings } = this.#options;
    const now = clock.monotonic();
    const grown = ((now - this.#refilled) / 1000) * timings.eventsPerSecond;
    this.#tokens = Math.min(timings.eventsPerSecond, this.#tokens + grown);
    this.#refilled = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** What the cap forced out leaves a visible gap: one event a minute that says how much. */
  #drop(): void {
    this.#options.count('storm-dropped');
    this.#dropped += 1;
    this.#stormTimer ??= setTimeout(
      () => {
        this.#stormTimer = undefined;
        this.#options.onEdge({ type: 'event_storm', topic: '', source: new Map(), dropped: this.#dropped });
        this.#dropped = 0;
      },
      Math.min(stormReport, this.#options.timings.coalesce * 60),
    );
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#stormTimer);
    for (const track of this.#tracks.values()) {
      clearTimeout(track.flush);
      clearTimeout(track.expiry);
    }
    this.#tracks.clear();
  }
}
