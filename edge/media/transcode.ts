import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { PictureMask } from '#edge/runtime/site-cameras.ts';
import { FfmpegChild } from './ffmpeg-child.ts';
import type { Ffmpeg } from './ffmpeg-find.ts';
import type { StreamHub } from './hub.ts';
import { LiveHub } from './hub-live.ts';
import type { SourceEnd, SourceSink, StreamSource } from './hub-source.ts';
import { Mp4Splitter } from './mp4-splitter.ts';
import { maskFilter } from './picture-ffmpeg.ts';
import { CpuMeter } from './transcode-cost.ts';
import { TranscodeFeed } from './transcode-feed.ts';
import { PictureSplitter, pictureArgs, smaller } from './transcode-pictures.ts';

/*
 * For browsers that cannot show H.265, and for people who must not see all of a picture: the stream recoded, as many as this box may; above
 * that a picture a second.
 */

export interface TranscodesOptions {
  readonly ffmpeg: Ffmpeg | null;
  readonly title: string;
  /** Streams recoded at the same time; `cameras.transcodes` of the site file. */
  readonly most: number;
  /** Streams shown as a picture a second at the same time. One of an 8 MP stream is about 8 % of a core. Default 16. */
  readonly mostPictures?: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly linger?: number;
}

export interface Recoded {
  readonly hub: StreamHub;
  /** `pictures`: fragments are JPEG files, and `codec` of the init is `jpeg`. */
  readonly kind: 'transcode' | 'pictures';
}

/** What is recoded now. */
export interface TranscodeLoad {
  /** As video, and as a picture a second. */
  readonly video: number;
  readonly pictures: number;
  /** Of both, those with masks burnt in. */
  readonly masked: number;
  /** Of one core over the last seconds, all of them together, %; null: not known here. */
  readonly cpu: number | null;
}

interface Made {
  readonly kind: Recoded['kind'];
  readonly isMasked: boolean;
  readonly hub: LiveHub;
}

/** What is recoded now: one child for each stream, kind, and with or without masks, however many look at it. */
export class Transcodes implements AsyncDisposable {
  readonly #options: TranscodesOptions;
  readonly #made = new Map<StreamHub, Made[]>();
  readonly #cpu: CpuMeter;

  constructor(options: TranscodesOptions) {
    this.#options = options;
    this.#cpu = new CpuMeter(options.clock);
  }

  /** Streams that are recoded as video now. */
  get running(): number {
    return this.#busy('transcode').length;
  }

  /** `cpu` is of the time since the last call. */
  load(): TranscodeLoad {
    const [video, pictures] = [this.#busy('transcode'), this.#busy('pictures')];
    const masked = [...video, ...pictures].filter(({ isMasked }) => isMasked).length;
    return { video: video.length, pictures: pictures.length, masked, cpu: this.#cpu.share() };
  }

  /** The stream in a form that every browser shows, with these parts of it covered; null: not even pictures, too many are made already. */
  of(hub: StreamHub, masks: readonly PictureMask[] = []): Recoded | null {
    const { most, mostPictures = 16, ffmpeg } = this.#options;
    if (ffmpeg === null) return null;
    const isMasked = masks.length > 0;
    for (const [kind, limit] of [
      ['transcode', most],
      ['pictures', mostPictures],
    ] as const) {
      const known = this.#made.get(hub)?.find((made) => made.kind === kind && made.isMasked === isMasked);
      if (known !== undefined && known.hub.state.kind !== 'idle') return known;
      if (this.#busy(kind).length < limit) return known ?? this.#add(hub, kind, masks, ffmpeg);
    }
    return null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#made.values()].flat().map(({ hub }) => hub.close('video stops on this box')));
  }

  #busy(kind: Recoded['kind']): Made[] {
    return [...this.#made.values()].flat().filter((made) => made.kind === kind && made.hub.state.kind !== 'idle');
  }

  #add(from: StreamHub, kind: Recoded['kind'], masks: readonly PictureMask[], ffmpeg: Ffmpeg): Made {
    const { title, clock, log, linger = 5_000 } = this.#options;
    const source = new RecodingSource({ from, kind, masks, ffmpeg, title, clock, cpu: this.#cpu });
    const hub = new LiveHub({ camera: from.camera, role: from.role, source, clock, log, linger });
    const made = { kind, isMasked: masks.length > 0, hub };
    this.#made.set(from, [...(this.#made.get(from) ?? []), made]);
    return made;
  }
}

interface RecodingOptions {
  readonly from: StreamHub;
  readonly kind: Recoded['kind'];
  readonly masks: readonly PictureMask[];
  readonly ffmpeg: Ffmpeg;
  readonly title: string;
  readonly clock: Clock;
  readonly cpu: CpuMeter;
}

/** Fed from a hub, so that the camera has no second session. */
class RecodingSource implements StreamSource {
  readonly #options: RecodingOptions;

  constructor(options: RecodingOptions) {
    this.#options = options;
  }

  async run(sink: SourceSink, signal: AbortSignal): Promise<SourceEnd> {
    const { from, kind, masks, ffmpeg, title, clock, cpu } = this.#options;
    const finish = new AbortController();
    const end = (why: SourceEnd) => finish.abort(why);
    const take = kind === 'transcode' ? videoInto(sink, clock) : new PictureSplitter(sink, clock).take;
    await using child = new FfmpegChild({
      path: ffmpeg.path,
      title,
      args: kind === 'transcode' ? videoArgs(masks) : pictureArgs(masks),
      onOutput: (chunk) => {
        try {
          take(chunk);
        } catch (error) {
          if (codeOf(error) !== 'MP4_INVALID') throw error;
          end({ reason: 'codec', message: `the recoded stream is no video: ${messageOf(error)}` });
        }
      },
    });
    using _cost = cpu.watch(child.pid);
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
const videoArgs = (masks: readonly PictureMask[]): readonly string[] => [
  ...['-hide_banner', '-nostdin', '-loglevel', 'error', '-threads', '1', '-fflags', 'nobuffer', '-flags', 'low_delay'],
  ...['-probesize', '1000000', '-fpsprobesize', '0', '-f', 'mp4', '-i', 'pipe:0', '-map', '0:v:0', '-an'],
  ...['-vf', [smaller, maskFilter(masks), 'format=yuv420p'].filter((step) => step !== '').join(',')],
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-threads', '2', '-crf', '26'],
  ...['-maxrate', '3M', '-bufsize', '3M', '-bf', '0', '-force_key_frames', 'expr:gte(t,n_forced*2)'],
  ...['-vsync', 'passthrough'],
  ...['-f', 'mp4', '-movflags', 'frag_every_frame+empty_moov+default_base_moof', 'pipe:1'],
];
