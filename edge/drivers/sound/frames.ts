import type { SoundOrder } from '#edge/domain/broadcast.ts';
import { type Clip, silenceAt } from './clips.ts';
import type { Rate } from './codecs.ts';
import type { LiveSource } from './live.ts';
import { type FrameResampler, startFrameResampling } from './live-resample.ts';

/* What an order sounds like: 20 ms for each tick of the pacer, at whatever rate somebody wants it. */

export interface Programme {
  /**
   * The sound of this tick, at full level; null: it is over. The same tick gives the same to everybody; ticks of a rate are
   * asked for in order, and a few back. Must not be changed.
   */
  frame(tick: number, rate: Rate): Int16Array | null;
  /** Nothing is left to hear at this tick. */
  isOver(tick: number): boolean;
  /** What is heard at this tick: a clip's name, or `live:<session>`; null: nothing (yet, or any more). */
  heard(tick: number): string | null;
  /** Frames that were silent because the disk was too slow. */
  late(): number;
}

/** From one clip to the next without a gap. `startTick`: whose frame is the first. */
export function clipsProgramme(clips: readonly Clip[], loop: boolean, startTick: number): Programme {
  const total = clips.reduce((sum, clip) => sum + clip.frames, 0);
  let late = 0;

  function place(tick: number): { readonly clip: Clip; readonly frame: number } | null {
    const played = tick - startTick;
    if (played < 0 || (!loop && played >= total)) return null;
    let frame = played % total;
    for (const clip of clips) {
      if (frame < clip.frames) return { clip, frame };
      frame -= clip.frames;
    }
    return null;
  }

  const isOver = (tick: number): boolean => !loop && tick - startTick >= total;
  return {
    isOver,
    frame(tick, rate) {
      if (isOver(tick)) return null;
      const at = place(tick);
      if (at === null) return silenceAt(rate);
      const pcm = at.clip.frame(rate, at.frame);
      if (pcm === null) late++;
      return pcm ?? silenceAt(rate);
    },
    heard: (tick) => place(tick)?.clip.name ?? null,
    late: () => late,
  };
}

/** How many ticks back a stream that catches up may ask. */
const remembered = 8;

/** What comes over a live session, for as long as it is open. */
export function liveProgramme(source: LiveSource): Programme {
  const resamplers = new Map<Rate, FrameResampler>();
  const ring = new Map<string, Int16Array>();

  return {
    isOver: (tick) => source.isOver(tick),
    frame(tick, rate) {
      if (source.isOver(tick)) return null;
      const key = `${rate} ${tick}`;
      const known = ring.get(key);
      if (known !== undefined) return known;
      const pcm = source.frame(tick);
      if (pcm === null) return null;
      const resampler = resamplers.get(rate) ?? startFrameResampling(48_000, rate);
      resamplers.set(rate, resampler);
      const out = resampler(pcm);
      ring.set(key, out);
      for (const old of ring.keys()) {
        if (ring.size <= remembered * 4) break;
        ring.delete(old);
      }
      return out;
    },
    heard: () => `live:${source.session}`,
    late: () => source.figures().underruns,
  };
}

/** What two orders must share to be one and the same sound: all but the level. */
export function soundKey({ source, since, item }: SoundOrder): string {
  const what =
    source.kind === 'live' ? `live:${source.session}` : `${source.clips.join('+')} ${source.loop ? 'loop' : ''}`;
  return `${what} ${since ?? ''} ${item ?? ''}`;
}
