import type { Writable } from 'node:stream';
import type { Fragment, StreamInit, StreamState, StreamSubscriber } from './hub.ts';
import type { SourceEnd } from './hub-source.ts';

export interface FeedOptions {
  readonly into: Writable;
  /** Key frames only, at most one a second. */
  readonly isKeyOnly: boolean;
  readonly end: (why: SourceEnd) => void;
}

/** A coder that is slower than its stream misses pictures up to a key frame: it must not fall behind further and further. */
const mostWaiting = 8 * 1024 * 1024;
const betweenPictures = 900;

/** Gives a stream to an ffmpeg's stdin: one generation. */
export class TranscodeFeed implements StreamSubscriber, Disposable {
  readonly #options: FeedOptions;
  #generation = 0;
  #skips = false;
  #lastAt = Number.NEGATIVE_INFINITY;
  skipped = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  init({ bytes, generation }: StreamInit): void {
    if (this.#generation === 0) this.#options.into.write(bytes);
    else this.#options.end({ reason: '', message: 'the stream began anew', pause: 0 });
    this.#generation = generation;
  }

  fragment({ bytes, isKey, arrived }: Fragment): void {
    const { into, isKeyOnly } = this.#options;
    if (into.writableLength > mostWaiting) this.#skips = true;
    else if (isKey) this.#skips = false;
    if (isKeyOnly && (!isKey || arrived - this.#lastAt < betweenPictures)) return;
    if (this.#skips) {
      this.skipped += 1;
      return;
    }
    this.#lastAt = arrived;
    into.write(bytes);
  }

  /** What is wrong with the stream itself is told to viewers by its own hub. */
  state(state: StreamState): void {
    if (this.#generation === 0 || state.kind === 'running') return;
    this.#options.end({ reason: state.reason, message: state.message, pause: 500 });
  }

  ended(reason: string): void {
    this.#options.end({ reason: 'ended', message: reason });
  }

  [Symbol.dispose](): void {
    this.#options.into.end();
  }
}
