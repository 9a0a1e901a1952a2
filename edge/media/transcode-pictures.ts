import type { Clock } from '#edge/runtime/clock.ts';
import type { PictureMask } from '#edge/runtime/site-cameras.ts';
import type { SourceSink } from './hub-source.ts';
import { maskFilter } from './picture-ffmpeg.ts';

/** At most 720 lines. What is covered is covered behind it, where it costs least: the covers are rounded outwards. */
export const smaller = "scale=w=-2:h='min(720,ih)':flags=fast_bilinear";

/** Key frames in, JPEG files out. One thread, or the decoder holds back as many pictures as it has threads. */
export const pictureArgs = (masks: readonly PictureMask[]): readonly string[] => [
  ...['-hide_banner', '-nostdin', '-loglevel', 'error', '-threads', '1', '-fflags', 'nobuffer', '-flags', 'low_delay'],
  ...['-probesize', '1000000', '-fpsprobesize', '0', '-f', 'mp4', '-i', 'pipe:0', '-map', '0:v:0', '-an'],
  ...['-vf', [smaller, maskFilter(masks)].filter((step) => step !== '').join(','), '-vsync', 'passthrough'],
  ...['-c:v', 'mjpeg', '-q:v', '6', '-threads', '1', '-f', 'image2pipe', '-flush_packets', '1', 'pipe:1'],
];

/** A picture of 720 lines at this quality is below 300 kB. */
const largest = 4 * 1024 * 1024;
const startOfImage = Buffer.from([0xff, 0xd8, 0xff]);
const endOfImage = Buffer.from([0xff, 0xd9]);

/** Cuts JPEG files that follow each other. ffmpeg's have no thumbnail in them, so their first end mark is their end. */
export class PictureSplitter {
  readonly #sink: SourceSink;
  readonly #clock: Clock;
  #held: Buffer = Buffer.alloc(0);
  #hasBegun = false;
  readonly #began: number;

  constructor(sink: SourceSink, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
    this.#began = clock.monotonic();
  }

  readonly take = (chunk: Buffer): void => {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      const start = this.#held.indexOf(startOfImage);
      const end = start === -1 ? -1 : this.#held.indexOf(endOfImage, start);
      if (end === -1) break;
      this.#give(this.#held.subarray(start, end + endOfImage.length));
      this.#held = this.#held.subarray(end + endOfImage.length);
    }
    if (this.#held.length > largest) this.#held = Buffer.alloc(0);
  };

  #give(bytes: Buffer): void {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#sink.init({ bytes: Buffer.alloc(0), codec: 'jpeg', width: 0, height: 0, timescale: 1000 });
    }
    const arrived = this.#clock.now();
    const time = this.#clock.monotonic() - this.#began;
    this.#sink.fragment({ bytes: Buffer.from(bytes), isKey: true, time, duration: 1000, arrived });
  }
}
