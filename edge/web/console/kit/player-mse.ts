import { EdgeTarget, stepTowardsEdge } from './player-edge.ts';

/* Fragments of MP4 into a <video>, kept at the live edge. */

export interface MseEvents {
  /** The browser cannot go on with this: it said that it can show the codec, and cannot. */
  failed(why: 'decode' | 'append' | 'overflow'): void;
}

/** Waiting bytes at which a hidden or hopeless page gives up: it begins anew. */
const mostQueued = 24 * 1024 * 1024;
const keepBehind = 8;
const trimAbove = 20;
const stepEvery = 100;

declare global {
  interface Window {
    /** Safari on telephones has only this. */
    readonly ManagedMediaSource?: typeof MediaSource;
  }
}

function mediaSourceClass(): typeof MediaSource | undefined {
  return typeof MediaSource === 'undefined' ? window.ManagedMediaSource : MediaSource;
}

/** Families of codecs that the browser says it can show. */
export function codecsOfBrowser(): readonly string[] {
  const source = mediaSourceClass();
  if (source === undefined) return [];
  const examples = { avc1: 'avc1.640028', hvc1: 'hvc1.1.6.L123.B0' };
  return Object.entries(examples)
    .filter(([, codec]) => source.isTypeSupported(`video/mp4; codecs="${codec}"`))
    .map(([family]) => family);
}

export class MsePlayer implements Disposable {
  readonly #video: HTMLVideoElement;
  readonly #events: MseEvents;
  readonly #media: MediaSource;
  readonly #url: string;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #target = new EdgeTarget();
  readonly #ending = new AbortController();
  #buffer: SourceBuffer | null = null;
  #mime = '';
  #wanted = '';
  #queue: ArrayBuffer[] = [];
  #queued = 0;
  /** What was shown is of an earlier generation: it goes before what is new comes. */
  #mustClear = false;

  constructor(video: HTMLVideoElement, events: MseEvents) {
    const source = mediaSourceClass();
    if (source === undefined) throw new Error('this browser plays no fragments');
    this.#video = video;
    this.#events = events;
    this.#media = new source();
    this.#url = URL.createObjectURL(this.#media);
    video.disableRemotePlayback = true;
    video.muted = true;
    video.src = this.#url;
    const { signal } = this.#ending;
    this.#media.addEventListener('sourceopen', () => this.#work(), { signal });
    video.addEventListener('waiting', () => this.#target.waits(performance.now(), video.seeking), { signal });
    video.addEventListener('playing', () => this.#target.plays(performance.now()), { signal });
    video.addEventListener('error', () => events.failed('decode'), { signal });
    this.#timer = setInterval(() => this.#step(), stepEvery);
  }

  /** Seconds that the picture is behind what has come; null: nothing has. */
  get lag(): number | null {
    const end = this.#end();
    return end === null ? null : end - this.#video.currentTime;
  }

  /** What follows begins with an init of this kind; times begin anew. */
  begin(mime: string): void {
    this.#wanted = mime;
    this.#queue = [];
    this.#queued = 0;
    this.#mustClear = true;
    this.#work();
  }

  append(bytes: ArrayBuffer): void {
    this.#target.arrived(performance.now());
    this.#queue.push(bytes);
    this.#queued += bytes.byteLength;
    if (this.#queued > mostQueued) this.#events.failed('overflow');
    else this.#work();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#ending.abort();
    this.#buffer = null;
    this.#queue = [];
    this.#video.removeAttribute('src');
    this.#video.load();
    URL.revokeObjectURL(this.#url);
  }

  #work(): void {
    if (this.#media.readyState !== 'open' || this.#wanted === '' || this.#ending.signal.aborted) return;
    try {
      const buffer = this.#prepare();
      if (buffer === null || buffer.updating) return;
      if (this.#mustClear && buffer.buffered.length > 0) buffer.remove(0, Number.POSITIVE_INFINITY);
      else if (this.#isTooLong(buffer)) buffer.remove(0, this.#video.currentTime - keepBehind);
      else if (this.#queue.length > 0) buffer.appendBuffer(this.#takeQueue());
      this.#mustClear = false;
    } catch (error) {
      // It keeps more than it may, and begins anew with nothing; anything else does not get better by trying again either.
      const isFull = error instanceof DOMException && error.name === 'QuotaExceededError';
      this.#events.failed(isFull ? 'overflow' : 'append');
    }
  }

  #takeQueue(): ArrayBuffer {
    const bytes = joined(this.#queue);
    this.#queue = [];
    this.#queued = 0;
    return bytes;
  }

  #prepare(): SourceBuffer | null {
    if (this.#buffer === null) {
      const buffer = this.#media.addSourceBuffer(this.#wanted);
      const { signal } = this.#ending;
      buffer.addEventListener('updateend', () => this.#work(), { signal });
      buffer.addEventListener('error', () => this.#events.failed('decode'), { signal });
      this.#buffer = buffer;
      this.#mime = this.#wanted;
      this.#mustClear = false;
    } else if (this.#mime !== this.#wanted && !this.#buffer.updating) {
      this.#buffer.changeType(this.#wanted);
      this.#mime = this.#wanted;
    }
    return this.#buffer;
  }

  #isTooLong(buffer: SourceBuffer): boolean {
    const { buffered } = buffer;
    return buffered.length > 0 && this.#video.currentTime - buffered.start(0) > trimAbove;
  }

  #end(): number | null {
    const { buffered } = this.#video;
    return buffered.length === 0 ? null : buffered.end(buffered.length - 1);
  }

  #step(): void {
    const { buffered, currentTime: current } = this.#video;
    const end = this.#end();
    if (end === null || this.#video.seeking) return;
    this.#target.calm(performance.now());
    const start = buffered.start(buffered.length - 1);
    const step = stepTowardsEdge({ start, end, current, target: this.#target.seconds });
    if (step.kind === 'jump') this.#video.currentTime = step.to;
    else if (this.#video.playbackRate !== step.rate) this.#video.playbackRate = step.rate;
    // A browser that saves power may have paused it; muted video may always be played.
    if (this.#video.paused) void this.#video.play().catch(() => {});
  }
}

function joined(parts: readonly ArrayBuffer[]): ArrayBuffer {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const all = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(new Uint8Array(part), at);
    at += part.byteLength;
  }
  return all.buffer;
}
