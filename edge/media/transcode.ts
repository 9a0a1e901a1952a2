import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import { FfmpegChild } from './ffmpeg-child.ts';
import type { Ffmpeg } from './ffmpeg-find.ts';
import type { StreamHub } from './hub.ts';
import { LiveHub } from './hub-live.ts';
import type { SourceEnd, SourceSink, StreamSource } from './hub-source.ts';
import { Mp4Splitter } from './mp4-splitter.ts';
import { TranscodeFeed } from './transcode-feed.ts';
import { PictureSplitter, pictureArgs } from './transcode-pictures.ts';

/* For browsers that cannot show H.265: the stream recoded, as many as this box may; above that a picture a second. */

export interface TranscodesOptions {
  readonly ffmpeg: Ffmpeg | null;
  readonly title: string;
  /** Streams recoded at the same time; `cameras.transcodes` of the site file. */
  readonly most: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly linger?: number;
}

export interface Recoded {
  readonly hub: StreamHub;
  /** `pictures`: fragments are JPEG files, and `codec` of the init is `jpeg`. */
  readonly kind: 'transcode' | 'pictures';
}

/** A picture a second of an 8 MP stream is about 8 % of a core: no more than these at once. */
const mostPictures = 16;

/** What is recoded now: one child for each stream and kind, however many look at it. */
export class Transcodes implements AsyncDisposable {
  readonly #options: TranscodesOptions;
  readonly #hubs = new Map<StreamHub, Map<Recoded['kind'], LiveHub>>();

  constructor(options: TranscodesOptions) {
    this.#options = options;
  }

  /** Streams that are recoded as video now. */
  get running(): number {
    return this.#busy('transcode').length;
  }

  /** The stream in a form that every browser shows; null: not even pictures, too many are made already. */
  of(hub: StreamHub): Recoded | null {
    const { most, ffmpeg } = this.#options;
    if (ffmpeg === null) return null;
    for (const [kind, limit] of [
      ['transcode', most],
      ['pictures', mostPictures],
    ] as const) {
      const known = this.#hubs.get(hub)?.get(kind);
      if (known !== undefined && known.state.kind !== 'idle') return { hub: known, kind };
      if (this.#busy(kind).length < limit) return { hub: known ?? this.#add(hub, kind, ffmpeg), kind };
    }
    return null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#hubs.values()].flatMap((kinds) => [...kinds.values()]);
    await Promise.all(all.map((hub) => hub.close('video stops on this box')));
  }

  #busy(kind: Recoded['kind']): LiveHub[] {
    return [...this.#hubs.values()].flatMap((kinds) => {
      const hub = kinds.get(kind);
      return hub === undefined || hub.state.kind === 'idle' ? [] : [hub];
    });
  }

  #add(from: StreamHub, kind: Recoded['kind'], ffmpeg: Ffmpeg): LiveHub {
    const { title, clock, log, linger = 5_000 } = this.#options;
    const source = new RecodingSource({ from, kind, ffmpeg, title, clock });
    const hub = new LiveHub({ camera: from.camera, role: from.role, source, clock, log, linger });
    const kinds = this.#hubs.get(from) ?? new Map<Recoded['kind'], LiveHub>();
    this.#hubs.set(from, kinds.set(kind, hub));
    return hub;
  }
}

interface RecodingOptions {
  readonly from: StreamHub;
  readonly kind: Recoded['kind'];
  readonly ffmpeg: Ffmpeg;
  readonly title: string;
  readonly clock: Clock;
}

/** Fed from a hub, so that the camera has no second session. */
class RecodingSource implements StreamSource {
  readonly #options: RecodingOptions;

  constructor(options: RecodingOptions) {
    this.#options = options;
  }

  async run(sink: SourceSink, signal: AbortSignal): Promise<SourceEnd> {
    const { from, kind, ffmpeg, title, clock } = this.#options;
    const finish = new AbortController();
    const end = (why: SourceEnd) => finish.abort(why);
    const take = kind === 'transcode' ? videoInto(sink, clock) : new PictureSplitter(sink, clock).take;
    await using child = new FfmpegChild({
      path: ffmpeg.path,
      title,
      args: kind === 'transcode' ? videoArgs : pictureArgs,
      onOutput: (chunk) => {
        try {
          take(chunk);
        } catch (error) {
          if (codeOf(error) !== 'MP4_INVALID') throw error;
          end({ reason: 'codec', message: `the recoded stream is no video: ${messageOf(error)}` });
        }
      },
    });
    using feed = new TranscodeFeed({ into: child.stdin, isKeyOnly: kind === 'pictures', end });
    using _ = from.subscribe(feed, { fromKeyFrame: true });
    const over = AbortSignal.any([signal, finish.signal]);
    const stopped = new Promise<null>((resolve) => {
      if (over.aborted) return resolve(null);
      over.addEventListener('abort', () => resolve(null), { once: true });
    });
    const ended = await Promise.race([child.ended, stopped]);
    if (ended !== null) return { reason: 'ended', message: 'the recoding ended' };
    return signal.aborted ? { reason: '', message: '' } : finish.signal.reason;
  }
}

function videoInto(sink: SourceSink, clock: Clock): (chunk: Buffer) => void {
  const splitter = new Mp4Splitter({
    init: (bytes, { codec, width, height, timescale }) => sink.init({ bytes, codec, width, height, timescale }),
    fragment: (fragment) => sink.fragment(fragment),
  });
  return (chunk) => splitter.push(chunk, clock.now());
}

/**
 * At most 720 lines, a key frame each two seconds. Two threads: more would hold back as many pictures. `-bf 0` and zerolatency: no picture
 * waits for a later one.
 */
const videoArgs: readonly string[] = [
  ...['-hide_banner', '-nostdin', '-loglevel', 'error', '-threads', '1', '-fflags', 'nobuffer', '-flags', 'low_delay'],
  ...['-probesize', '1000000', '-fpsprobesize', '0', '-f', 'mp4', '-i', 'pipe:0', '-map', '0:v:0', '-an'],
  ...['-vf', "scale=w=-2:h='min(720,ih)':flags=fast_bilinear,format=yuv420p"],
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-threads', '2', '-crf', '26'],
  ...[
    '-maxrate',
    '3M',
    '-bufsize',
    '3M',
    '-bf',
    '0',
    '-force_key_frames',
    'expr:gte(t,n_forced*2)',
    '-vsync',
    'passthrough',
  ],
  ...['-f', 'mp4', '-movflags', 'frag_every_frame+empty_moov+default_base_moof', 'pipe:1'],
];
