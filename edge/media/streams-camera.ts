import type { CameraStream } from '#edge/domain/camera.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';
import { FfmpegChild } from './ffmpeg-child.ts';
import type { Ffmpeg } from './ffmpeg-find.ts';
import { isLoopbackAddress, type ProbeDepth, type RtspTransport, rtspOrder } from './ffmpeg-rtsp.ts';
import { troubleOf } from './ffmpeg-words.ts';
import { mayReorder } from './h264-order.ts';
import type { Fragment } from './hub.ts';
import type { SourceEnd, SourceSink, StreamSource } from './hub-source.ts';
import type { LoginTries } from './login-tries.ts';
import type { Mp4Track } from './mp4-init.ts';
import { parameterSetOf, parameterSetOfInit } from './mp4-parameter-sets.ts';
import { Mp4Splitter } from './mp4-splitter.ts';
import { RtspGate, type RtspLogin } from './rtsp-gate.ts';

export interface CameraLogin extends RtspLogin {
  /** Changes when the password may have changed. */
  readonly version: string;
}

export interface CameraSourceOptions {
  /** null: none runs here. */
  readonly ffmpeg: Ffmpeg | null;
  readonly title: string;
  /** The stream's address as the camera told it last, without a password; null: it has not told any. */
  readonly uri: () => string | null;
  /** As the camera told it; null: it has not. */
  readonly codec: () => CameraStream['codec'] | null;
  /** Throws in words that name the file that cannot be read. */
  readonly login: () => Promise<CameraLogin>;
  /** Shared by all streams of one camera. */
  readonly tries: LoginTries;
  readonly clock: Clock;
  readonly timings?: Partial<typeof defaultTimings>;
}

const defaultTimings = {
  /** No picture for so long: the stream is asked for anew, ms. */
  stall: 10_000,
  /** From the start to the first picture; an old camera sends a key frame each 10 s or so, ms. */
  first: 25_000,
};
/** ms. */
const lookEvery = 500;
/** A refusal that a person must mend is looked at this often, ms. */
const mendPause = 60_000;
/** Cameras that announce another size in each key frame would be asked anew for ever: once in this time, ms. */
const changeEvery = 10_000;
/** What no camera sends for so long, ms: then it is broken or means harm, and takes from the others what reading it costs. */
const floodTime = 4_000;
const mostPictures = 1_000;
const mostBytes = 100_000_000;

/** Fetches one stream of a camera by an ffmpeg of its own, as it is. */
export class CameraSource implements StreamSource {
  readonly #options: CameraSourceOptions;
  readonly #timings: typeof defaultTimings;
  #transport: RtspTransport = 'tcp';
  #changedAt = Number.NEGATIVE_INFINITY;
  /** Of the stream that cannot be passed on after a short look. */
  #fullUri = '';

  constructor(options: CameraSourceOptions) {
    this.#options = options;
    this.#timings = { ...defaultTimings, ...options.timings };
  }

  async run(sink: SourceSink, signal: AbortSignal): Promise<SourceEnd> {
    const { ffmpeg, uri: uriNow, login: loginNow } = this.#options;
    const uri = uriNow();
    if (uri === null) return { reason: 'no-address', message: 'the camera has not said yet where its video is' };
    if (ffmpeg === null) {
      return { reason: 'no-ffmpeg', message: 'there is no ffmpeg on this box: apt install ffmpeg', pause: mendPause };
    }
    if (ffmpeg.isOld && !isLoopbackAddress(uri)) {
      const message = `ffmpeg ${ffmpeg.version} is too old to face a network: install version 5 or later`;
      return { reason: 'old-ffmpeg', message, pause: mendPause };
    }
    let login: CameraLogin;
    try {
      login = await loginNow();
    } catch (error) {
      const message = 'the password for the video of this camera cannot be read on this box';
      return { reason: 'password', message, detail: messageOf(error), pause: mendPause };
    }
    if (signal.aborted) return { reason: '', message: '' };
    const turn = this.#options.tries.take(login.version);
    if ('left' in turn) return { reason: 'password', message: heldWords(turn.left), pause: turn.left };
    using _ = turn;
    return await this.#fetch({ ffmpeg, uri, login, turn }, sink, signal);
  }

  /** The password was refused, and may be another one now. */
  async hasNewLogin(): Promise<boolean> {
    if (!this.#options.tries.hasRefused) return false;
    try {
      return this.#options.tries.isOther((await this.#options.login()).version);
    } catch {
      return false; // it still cannot be had: `run` says so
    }
  }

  async #fetch(
    { ffmpeg, uri, login, turn }: { ffmpeg: Ffmpeg; uri: string; login: CameraLogin; turn: Disposable },
    sink: SourceSink,
    signal: AbortSignal,
  ): Promise<SourceEnd> {
    const { tries } = this.#options;
    const finish = new AbortController();
    const letIn = () => {
      tries.accept(login.version);
      turn[Symbol.dispose]();
    };
    const end = (why: SourceEnd) => finish.abort(why);
    const depth = this.#options.codec() === 'h264' && this.#fullUri !== uri ? 'short' : 'full';
    const watch = new Watch({ clock: this.#options.clock, timings: this.#timings, depth, sink, letIn, end });
    await using gate = await RtspGate.open({ uri, login });
    await using child = new FfmpegChild({
      path: ffmpeg.path,
      title: this.#options.title,
      ...rtspOrder({ gate: gate.uri, transport: this.#transport, depth }, ffmpeg),
      secrets: [login.password, encodeURIComponent(login.password)],
      onOutput: (chunk) => watch.push(chunk),
    });
    const over = AbortSignal.any([signal, finish.signal]);
    void watch.run(over);
    const ended = await Promise.race([child.ended, aborted(over)]);
    finish.abort({ reason: '', message: '' });
    const trouble = ended === null ? null : (gate.trouble ?? troubleOf(ended.said));
    if (depth === 'short' && !watch.hasPictures && !signal.aborted) {
      // Whatever it was that came: the next look is a long one. Only what ffmpeg could not make sense of is looked at again at once.
      const isUnclear = trouble === null ? finish.signal.reason === lookLonger : /^(codec|ended)$/.test(trouble.reason);
      if (isUnclear || trouble === null) this.#fullUri = uri;
      if (isUnclear) return lookLonger;
    }
    if (trouble === null) return this.#endOf(finish.signal.reason);
    return this.#judge(trouble, login.version);
  }

  /** Changes of the stream begin the next generation at once, but not again and again. */
  #endOf(end: SourceEnd): SourceEnd {
    if (end.pause !== 0) return end;
    const now = this.#options.clock.monotonic();
    const isOften = now - this.#changedAt < changeEvery;
    this.#changedAt = now;
    return isOften ? { reason: end.reason, message: end.message, pause: changeEvery } : end;
  }

  #judge(
    { reason, message, pause, isTransport = false }: SourceEnd & { isTransport?: boolean },
    version: string,
  ): SourceEnd {
    if (isTransport) {
      this.#transport = this.#transport === 'tcp' ? 'udp' : 'tcp';
      return { reason, message, pause: 1_000 };
    }
    if (reason !== 'password' || pause !== undefined)
      return { reason, message, ...(pause === undefined ? {} : { pause }) };
    const left = this.#options.tries.refuse(version);
    return left === 0 ? { reason, message } : { reason, message: `${message}; ${heldWords(left)}`, pause: left };
  }
}

function heldWords(left: number): string {
  if (left < 60_000) return 'another stream of this camera finds out whether the password is right';
  const minutes = Math.max(1, Math.round(left / 60_000));
  return `the password was refused: not tried for ${minutes} min, lest it locks the account`;
}

/** A short look is not enough for this stream. */
const lookLonger: SourceEnd = { reason: '', message: '', pause: 0 };

interface WatchOptions {
  readonly clock: Clock;
  readonly depth: ProbeDepth;
  readonly timings: typeof defaultTimings;
  readonly sink: SourceSink;
  /** The first picture is here: the camera took the password. */
  readonly letIn: () => void;
  readonly end: (end: SourceEnd) => void;
}

/** Looks at what one ffmpeg brings: cuts it, and says when it is not what it should be. */
class Watch {
  readonly #clock: Clock;
  readonly #timings: typeof defaultTimings;
  readonly #depth: ProbeDepth;
  readonly #sink: SourceSink;
  readonly #letIn: () => void;
  readonly #end: (end: SourceEnd) => void;
  readonly #splitter: Mp4Splitter;
  #codec = '';
  /** Of the init, and of the first picture. */
  #described: Buffer | null = null;
  #parameterSet: Buffer | null = null;
  #lastAt: number;
  /** What it brings from now on is nobody's. */
  #isOver = false;
  hasPictures = false;
  /** What came since `begun`. */
  #flood = { begun: 0, pictures: 0, bytes: 0 };

  constructor({ clock, timings, depth, sink, letIn, end }: WatchOptions) {
    this.#depth = depth;
    this.#letIn = letIn;
    this.#clock = clock;
    this.#timings = timings;
    this.#sink = sink;
    this.#end = end;
    this.#lastAt = clock.monotonic();
    this.#splitter = new Mp4Splitter({ init: (...args) => this.#init(...args), fragment: (f) => this.#fragment(f) });
  }

  push(chunk: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#splitter.push(chunk, this.#clock.now());
    } catch (error) {
      if (codeOf(error) !== 'MP4_INVALID') throw error;
      this.#finish({ reason: 'codec', message: `ffmpeg wrote what is no video: ${messageOf(error)}` });
    }
  }

  /** Ends the run when no picture has come for too long. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const limit = this.hasPictures ? this.#timings.stall : this.#timings.first;
      const left = this.#lastAt + limit - this.#clock.monotonic();
      if (left <= 0) return this.#finish(this.#silence(limit));
      // The limit is another one once the first picture is there.
      await delay(Math.min(Math.max(left, 50), lookEvery), signal);
    }
  }

  #finish(end: SourceEnd): void {
    this.#isOver = true;
    this.#end(end);
  }

  #silence(limit: number): SourceEnd {
    const seconds = Math.round(limit / 1000);
    if (this.hasPictures) return { reason: 'stalled', message: `no picture came for ${seconds} s`, pause: 1_000 };
    return { reason: 'unreachable', message: `the camera sent no picture to begin with in ${seconds} s` };
  }

  #init(bytes: Buffer, { codec, width, height, timescale }: Mp4Track): void {
    if (this.#isOver) return;
    this.#codec = codec.replace(/^hev1/, 'hvc1');
    const set = parameterSetOfInit(bytes);
    if (!this.#isClear(set)) {
      this.#finish(lookLonger);
      return;
    }
    this.#described = set === null ? null : Buffer.from(set);
    this.#sink.init({ bytes: asHvc1(bytes), codec: this.#codec, width, height, timescale });
  }

  #fragment(fragment: Fragment): void {
    this.#lastAt = this.#clock.monotonic();
    if (this.#isOver) return;
    if (!this.hasPictures && this.#isOtherwise(fragment)) {
      this.#finish(lookLonger);
      return;
    }
    if (fragment.isKey && this.#hasChanged(fragment)) {
      this.#finish({ reason: '', message: 'the camera changed its picture', pause: 0 });
      return;
    }
    if (this.#isFlood(fragment.bytes.length)) {
      const message = 'the camera sends more pictures, or larger ones, than any camera does: asked again in a minute';
      this.#finish({ reason: 'codec', message, pause: mendPause });
      return;
    }
    if (!this.hasPictures) this.#letIn();
    this.hasPictures = true;
    this.#sink.fragment(fragment);
  }

  /** After a short look only pictures that cannot come out of order have right times. */
  #isClear(set: Buffer | null): boolean {
    return this.#depth === 'full' || (this.#codec.startsWith('avc') && set !== null && !mayReorder(set));
  }

  /** What a camera describes may be older than what it sends: a short look has seen the description alone. */
  #isOtherwise({ bytes }: Fragment): boolean {
    const set = this.#depth === 'full' ? null : parameterSetOf(bytes, this.#codec);
    return set !== null && this.#described?.equals(set) !== true;
  }

  #isFlood(bytes: number): boolean {
    const flood = this.#flood;
    if (this.#lastAt - flood.begun > floodTime) this.#flood = { begun: this.#lastAt, pictures: 1, bytes };
    else {
      flood.pictures += 1;
      flood.bytes += bytes;
    }
    return flood.pictures > mostPictures || flood.bytes > mostBytes;
  }

  /** A camera that is set to another size while it sends says so only in its pictures; the init we have is then wrong. */
  #hasChanged({ bytes }: Fragment): boolean {
    const set = parameterSetOf(bytes, this.#codec);
    if (set === null) return false;
    const before = this.#parameterSet;
    if (before === null) this.#parameterSet = Buffer.from(set);
    return before !== null && !before.equals(set);
  }
}

/** Safari takes H.265 under this name only, other browsers under both; parameter sets are in the init as this name demands. */
function asHvc1(bytes: Buffer): Buffer {
  const at = bytes.indexOf('hev1', 0, 'latin1');
  if (at !== -1) bytes.write('hvc1', at, 'latin1');
  return bytes;
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(null);
    signal.addEventListener('abort', () => resolve(null), { once: true });
  });
}
