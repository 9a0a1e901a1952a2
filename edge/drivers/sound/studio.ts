import type { SoundOrder } from '#edge/domain/broadcast.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { type Clip, type ClipLibrary, type ClipLibraryOptions, openClipLibrary } from './clips.ts';
import { type CodecFormat, frameMs, type Rate } from './codecs.ts';
import { clipsProgramme, liveProgramme, type Programme, soundKey } from './frames.ts';
import { createLiveSources, type LiveSources } from './live.ts';
import { type Pacer, startPacer } from './pacer.ts';
import { startTake, type Take } from './take.ts';

/**
 * Where the sound of all drivers of loudspeakers is made: what an order sounds like is decoded once, kept in step, and encoded
 * once for all loudspeakers that play it with one codec at one level.
 */
export interface Studio extends AsyncDisposable {
  readonly pacer: Pacer;
  readonly library: ClipLibrary;
  readonly live: LiveSources;
  /** It can be played in this turn. */
  isReady(order: SoundOrder, rate: Rate): boolean;
  /** Waits until it can. Throws CLIP_UNKNOWN, CLIP_UNUSABLE. */
  load(order: SoundOrder, rate: Rate): Promise<void>;
  /**
   * Plays an order that is ready, from where it is now (`since`). The same order is at the same place for everybody; its level
   * is this voice's own. Throws CLIP_NOT_READY, LIVE_FULL.
   */
  play(order: SoundOrder, format: CodecFormat): Voice;
}

/** One loudspeaker's part in a sound. Dispose it when it stops. */
export interface Voice extends Disposable {
  /** The encoded 20 ms of this tick of the pacer; null: it is over. Ask tick by tick; ticks may be left out. */
  payload(tick: number): Buffer | null;
  isOver(tick: number): boolean;
  /** Percent; moves there within 60 ms, in place. */
  setLevel(level: number): void;
  /** The clip of this tick, or `live:<session>`; null: none. */
  heard(tick: number): string | null;
}

export interface StudioOptions extends ClipLibraryOptions {
  readonly clock: Clock;
}

interface Shared {
  readonly programme: Programme;
  /** By codec and level: who begins alike shares it. */
  readonly takes: Map<string, Take>;
  voices: number;
}

export function openStudio(options: StudioOptions): Studio {
  const { clock } = options;
  const library = openClipLibrary(options);
  const pacer = startPacer(clock);
  const live = createLiveSources(clock);
  const playing = new Map<string, Shared>();

  function clipsOf(order: SoundOrder, rate: Rate): readonly Clip[] | null {
    if (order.source.kind === 'live') return [];
    const clips = order.source.clips.map((name) => library.ready(name, rate));
    return clips.every((clip) => clip !== undefined) ? clips : null;
  }

  function begin(order: SoundOrder, rate: Rate): Programme {
    if (order.source.kind === 'live') return liveProgramme(live.listen(order.source.session));
    const clips = clipsOf(order, rate);
    if (clips === null) {
      throw new CodedError('CLIP_NOT_READY', `${order.source.clips.join('+')} is not decoded at ${rate} Hz yet`);
    }
    // A clip that the site calls endless is so alone; among others only the order says so.
    const loop = order.source.loop || (clips.length === 1 && clips[0]?.loop === true);
    const elapsed = order.since === undefined ? 0 : clock.now() - order.since;
    const start = order.since === undefined ? pacer.tick() : Math.floor(pacer.position() - elapsed / frameMs);
    return clipsProgramme(clips, loop, start);
  }

  return {
    pacer,
    library,
    live,
    isReady: (order, rate) => clipsOf(order, rate) !== null,
    async load({ source }, rate) {
      if (source.kind === 'live') return;
      await Promise.all([...new Set(source.clips)].map((name) => library.load(name, rate)));
    },
    play(order, format) {
      // Without `since` it begins with this tick: those who begin together are together.
      const key = order.since === undefined ? `${soundKey(order)} @${pacer.tick()}` : soundKey(order);
      const shared = playing.get(key) ?? { programme: begin(order, format.rate), takes: new Map(), voices: 0 };
      playing.set(key, shared);
      shared.voices++;
      return voiceOf(shared, order.level ?? 100, format, pacer, () => {
        if (--shared.voices > 0) return;
        playing.delete(key);
        for (const take of shared.takes.values()) take[Symbol.dispose]();
      });
    },
    async [Symbol.asyncDispose]() {
      pacer[Symbol.dispose]();
      await library[Symbol.asyncDispose]();
    },
  };
}

function voiceOf(shared: Shared, level: number, format: CodecFormat, pacer: Pacer, leave: () => void): Voice {
  const { programme, takes } = shared;
  let wanted = level;
  let isGone = false;

  function use(key: string, start: () => Take): Take {
    const known = takes.get(key) ?? start();
    takes.set(key, known);
    known.users++;
    return known;
  }
  function drop(take: Take): void {
    if (--take.users > 0) return;
    takes.delete(take.key);
    take[Symbol.dispose]();
  }

  const first = `${format.codec} ${level}`;
  let take = use(first, () => startTake(first, programme, format, level));
  return {
    payload: (tick) => take.payload(tick),
    isOver: (tick) => programme.isOver(tick),
    heard: (tick) => programme.heard(tick),
    setLevel(next) {
      if (next === wanted || isGone) return;
      wanted = next;
      const before = take;
      // Those who go the same way at the same time go on together.
      const at = Math.max(pacer.tick() + 1, before.nextTick());
      const key = `${before.key} > ${next} @${at}`.slice(-120);
      take = use(key, () => before.fork(key, next, at));
      drop(before);
    },
    [Symbol.dispose]() {
      if (isGone) return;
      isGone = true;
      drop(take);
      leave();
    },
  };
}
