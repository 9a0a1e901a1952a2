import type { Stretch } from './window.ts';

/* Files of footage in a <video>: each lies on the video's timeline where it lies in time. One thing is done after the other. */

/** So long a timeline can be looked at from its anchor on, s: a seek beyond the duration would be cut. */
const duration = 200 * 86_400;
const openTime = 10_000;
const workTime = 15_000;

export function mediaSourceClass(): typeof MediaSource | undefined {
  return typeof MediaSource === 'undefined' ? window.ManagedMediaSource : MediaSource;
}

/** Whether this browser says that it can show a codec. */
export function canShow(codec: string): boolean {
  return mediaSourceClass()?.isTypeSupported(mimeOf(codec)) === true;
}

function mimeOf(codec: string): string {
  return `video/mp4; codecs="${codec}"`;
}

export class LaneBuffer implements Disposable {
  /** What 0 s of the video is, ms since epoch. */
  readonly anchor: number;
  readonly #video: HTMLVideoElement;
  readonly #media: MediaSource;
  readonly #url: string;
  readonly #ending = new AbortController();
  #buffer: SourceBuffer | null = null;
  #mime = '';
  #chain: Promise<unknown> = Promise.resolve();

  /** `onBroken`: the browser said that it can show this, and cannot. */
  constructor(video: HTMLVideoElement, anchor: number, onBroken: () => void) {
    const source = mediaSourceClass();
    if (source === undefined) throw new Error('this browser plays no fragments');
    this.anchor = anchor;
    this.#video = video;
    this.#media = new source();
    this.#url = URL.createObjectURL(this.#media);
    video.disableRemotePlayback = true;
    video.muted = true;
    video.src = this.#url;
    video.addEventListener('error', onBroken, { signal: this.#ending.signal });
  }

  get stretches(): readonly Stretch[] {
    const { buffered } = this.#video;
    return Array.from({ length: buffered.length }, (_, index) => ({
      start: buffered.start(index),
      end: buffered.end(index),
    }));
  }

  /** What follows begins with an init of this codec; its 0 is at `from`, ms since epoch. */
  begin(codec: string, from: number): Promise<void> {
    return this.#turn(async () => {
      await this.#opened();
      const mime = mimeOf(codec);
      if (this.#buffer === null) {
        this.#buffer = this.#media.addSourceBuffer(mime);
        this.#media.duration = duration;
      } else if (this.#mime !== mime) this.#buffer.changeType(mime);
      this.#mime = mime;
      // A file that broke off leaves half a box behind.
      this.#buffer.abort();
      this.#buffer.timestampOffset = (from - this.anchor) / 1000;
    });
  }

  /** Throws a DOMException `QuotaExceededError` when the browser keeps no more. */
  append(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#turn(() => this.#work((buffer) => buffer.appendBuffer(bytes)));
  }

  /** ms since epoch. */
  remove(from: number, to: number): Promise<void> {
    const [start, end] = [Math.max(0, (from - this.anchor) / 1000), (to - this.anchor) / 1000];
    if (end <= start) return Promise.resolve();
    return this.#turn(() => this.#work((buffer) => buffer.remove(start, end)));
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
    this.#buffer = null;
    this.#video.removeAttribute('src');
    this.#video.load();
    URL.revokeObjectURL(this.#url);
  }

  #turn(work: () => Promise<void>): Promise<void> {
    const done = this.#chain.then(() => {
      this.#ending.signal.throwIfAborted();
      return work();
    });
    this.#chain = done.catch(() => {}); // whoever asked is told
    return done;
  }

  async #opened(): Promise<void> {
    if (this.#media.readyState === 'open') return;
    await this.#heard(this.#media, 'sourceopen', openTime);
  }

  async #work(start: (buffer: SourceBuffer) => void): Promise<void> {
    const buffer = this.#buffer;
    if (buffer === null) return;
    const done = this.#heard(buffer, 'updateend', workTime);
    try {
      start(buffer);
    } catch (error) {
      done.catch(() => {}); // it never began
      throw error;
    }
    await done;
  }

  #heard(target: EventTarget, event: string, patience: number): Promise<void> {
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(patience)]);
    return new Promise((resolve, reject) => {
      target.addEventListener(event, () => resolve(), { once: true, signal });
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  }
}
