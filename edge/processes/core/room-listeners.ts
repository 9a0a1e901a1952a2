import type { Device } from '#edge/domain/device.ts';
import type { PointRef } from '#edge/domain/ids.ts';
import { splitPointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { gainOf } from '#edge/drivers/sound/level.ts';
import {
  backgroundOf,
  emptyRoom,
  hear,
  hearingWords,
  type LevelSample,
  learnRoom,
  type RoomMemory,
} from '#edge/rules/sound-listening.ts';
import type { SpeakerFacts } from '#edge/rules/sound-proof.ts';
import type { SiteListener } from '#edge/runtime/site-listening.ts';

/* The sound-level sensors of the campus: each learns its room while nothing plays there, and is asked about what plays. */

/** What is on the air on a loudspeaker. */
export interface Sounding {
  readonly item: string;
  /** ms since epoch. */
  readonly since: number;
  /** Percent. */
  readonly level: number;
  /** Somebody speaks: he may be silent for as long as he likes. */
  readonly isLive: boolean;
}

export interface RoomListenersOptions {
  readonly listening: readonly SiteListener[];
  readonly speakers: ReadonlyMap<PointRef, Device>;
  readonly latest: () => ReadonlyMap<PointRef, Reading>;
}

interface Listener {
  readonly wish: SiteListener;
  readonly outputs: readonly PointRef[];
  room: RoomMemory;
  /** While something plays. */
  samples: LevelSample[];
  measured: number;
}

const mostSamples = 400;

export class RoomListeners {
  readonly #options: RoomListenersOptions;
  readonly #listeners: readonly Listener[];
  readonly #byOutput = new Map<PointRef, Listener[]>();
  #sounding: ReadonlyMap<PointRef, Sounding> = new Map();

  constructor(options: RoomListenersOptions) {
    this.#options = options;
    this.#listeners = options.listening.map((wish) => {
      const outputs = [...options.speakers].flatMap(([ref, { id, space }]) =>
        wish.speakers.includes(id) || (space !== undefined && wish.spaces.includes(space)) ? [ref] : [],
      );
      return { wish, outputs, room: emptyRoom, samples: [], measured: 0 };
    });
    for (const listener of this.#listeners)
      for (const ref of listener.outputs) this.#byOutput.set(ref, [...(this.#byOutput.get(ref) ?? []), listener]);
  }

  /** Before the loudspeakers are looked at. */
  tick(sounding: ReadonlyMap<PointRef, Sounding>, now: number): void {
    this.#sounding = sounding;
    const latest = this.#options.latest();
    for (const listener of this.#listeners) {
      const sample = newSample(latest.get(listener.wish.point), listener.measured);
      if (sample !== null) listener.measured = sample.at;
      // What safety rules play past the desk is a sound too.
      const isPlaying = listener.outputs.some((ref) => sounding.has(ref) || isOn(latest.get(ref)));
      listener.room = learnRoom(listener.room, sample, isPlaying, now);
      if (!isPlaying) listener.samples = [];
      else if (sample !== null) listener.samples = [...listener.samples.slice(1 - mostSamples), sample];
    }
  }

  /** null: nobody listens there. Of several sensors one that hears it is enough, and all must be sure that it is silent. */
  hears(ref: PointRef, now: number): SpeakerFacts['room'] {
    const sounding = this.#sounding.get(ref);
    const listeners = this.#byOutput.get(ref);
    if (sounding === undefined || listeners === undefined) return null;
    const all = listeners.map((listener) => this.#ask(listener, sounding, now));
    return (
      all.find(({ verdict }) => verdict === 'heard') ??
      all.find(({ verdict }) => verdict === 'unsure') ??
      all[0] ??
      null
    );
  }

  #ask({ wish, outputs, room, samples }: Listener, { item, since, level, isLive }: Sounding, now: number) {
    const sensor = splitPointRef(wish.point)?.device ?? wish.point;
    const expected = wish.loudness + 20 * Math.log10(Math.max(0.001, gainOf(level)));
    const hearing = hear(backgroundOf(room, now), { margin: wish.margin, expected }, { begun: since, samples, now });
    const isShared = outputs.some((other) => (this.#sounding.get(other)?.item ?? item) !== item);
    if (hearing.verdict === 'heard' ? isShared : hearing.verdict === 'not-heard' && isLive) {
      const why = isShared ? ('shared' as const) : ('waiting' as const);
      return { verdict: 'unsure' as const, words: hearingWords({ verdict: 'unsure', why, level: null }, sensor) };
    }
    return { verdict: hearing.verdict, words: hearingWords(hearing, sensor) };
  }
}

function newSample(reading: Reading | undefined, before: number): LevelSample | null {
  if (reading?.quality !== 'good' || typeof reading.value !== 'number' || reading.receivedTime === before) return null;
  return { at: reading.receivedTime, level: reading.value };
}

function isOn(clip: Reading | undefined): boolean {
  return clip?.quality === 'good' && typeof clip.value === 'string' && clip.value !== '';
}
