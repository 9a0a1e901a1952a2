import { spawnSync } from 'node:child_process';
import type { DeviceId } from '#edge/domain/ids.ts';
import type { Fragment, StreamHub, StreamInit, StreamState, StreamSubscriber, Streams } from '#edge/media/hub.ts';
import { Mp4Splitter } from '#edge/media/mp4-splitter.ts';
import type { ManualClock } from '#edge/runtime/clock.ts';

/* Video made by the real ffmpeg, and a camera's stream that plays it at the pace of a clock that tests turn. */

export const hasFfmpeg = spawnSync('ffmpeg', ['-version'], { stdio: 'ignore' }).status === 0;
if (!hasFfmpeg) console.warn('SKIPPED: ffmpeg is not installed, so nothing can be recorded and played');

export interface Video {
  readonly init: Omit<StreamInit, 'generation'>;
  readonly fragments: readonly Omit<Fragment, 'arrived'>[];
}

const made = new Map<string, Video>();

/** `seconds` of a test picture, a key frame each second, in fragments of one picture. */
export function makeVideo(seconds: number, rate = 5, size = '320x180'): Video {
  const key = `${seconds}/${rate}/${size}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  const source = `testsrc=duration=${seconds}:size=${size}:rate=${rate}`;
  const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', String(rate), '-pix_fmt', 'yuv420p', '-bf', '0'];
  const flags = ['-movflags', '+frag_every_frame+empty_moov+default_base_moof', '-f', 'mp4', 'pipe:1'];
  const run = spawnSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', source, ...codec, ...flags], {
    maxBuffer: 500_000_000,
  });
  if (run.status !== 0) throw new Error(`ffmpeg: ${run.stderr.toString()}`);
  const video = splitVideo(run.stdout);
  made.set(key, video);
  return video;
}

export function splitVideo(bytes: Buffer): Video {
  let init: Video['init'] | null = null;
  const fragments: Omit<Fragment, 'arrived'>[] = [];
  const splitter = new Mp4Splitter({
    init: (head, { codec, width, height, timescale }) => {
      init = { bytes: Buffer.from(head), codec, width, height, timescale };
    },
    fragment: ({ bytes, isKey, time, duration }) =>
      fragments.push({ bytes: Buffer.from(bytes), isKey, time, duration }),
  });
  splitter.push(bytes, 0);
  if (init === null) throw new Error('there is no init in this video');
  return { init, fragments };
}

/** One camera whose stream is played by hand. */
export class HandStream implements StreamHub, Streams {
  readonly camera: DeviceId;
  readonly role = 'main';
  readonly recent = [];
  readonly frameRate = null;
  state: StreamState = { kind: 'idle', reason: '', message: '', since: 0 };
  init: StreamInit | null = null;
  readonly #subscribers = new Set<StreamSubscriber>();
  readonly #clock: ManualClock;
  #generation = 0;
  #video: Video;
  #next = 0;
  /** Times of the stream grow on where the video begins again. */
  #base = 0;

  constructor(camera: string, clock: ManualClock, video: Video) {
    this.camera = camera as DeviceId;
    this.#clock = clock;
    this.#video = video;
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  hub(camera: DeviceId): StreamHub | null {
    return camera === this.camera ? this : null;
  }

  codecOf(): 'h264' {
    return 'h264';
  }

  health(): [] {
    return [];
  }

  subscribe(subscriber: StreamSubscriber): Disposable {
    this.#subscribers.add(subscriber);
    if (this.init !== null) subscriber.init(this.init);
    return { [Symbol.dispose]: () => void this.#subscribers.delete(subscriber) };
  }

  /** The camera (or ffmpeg) starts anew. */
  begin(video: Video = this.#video): void {
    this.#video = video;
    this.#next = 0;
    this.#base = 0;
    this.init = { ...video.init, generation: ++this.#generation };
    for (const subscriber of this.#subscribers) subscriber.init(this.init);
    this.say({ kind: 'running', reason: '', message: '', since: this.#clock.now() });
  }

  say(state: StreamState): void {
    this.state = state;
    for (const subscriber of this.#subscribers) subscriber.state?.(state);
  }

  /** Plays so many ms, picture by picture, and turns the clock with it. */
  play(ms: number): void {
    for (let left = ms; left > 0; ) left -= this.step();
  }

  /** The next picture; answers how long it is shown, ms. */
  step(arrives = true): number {
    const { fragments } = this.#video;
    const found = fragments[this.#next];
    const last = fragments.at(-1);
    if (found === undefined || last === undefined) throw new Error('there is no video');
    this.#clock.advance(found.duration);
    const time = this.#base + found.time;
    const fragment: Fragment = { ...this.#rebased(found), time, arrived: this.#clock.now() };
    if (arrives) for (const subscriber of this.#subscribers) subscriber.fragment(fragment);
    this.#next++;
    if (this.#next === fragments.length) {
      this.#next = 0;
      this.#base += last.time + last.duration;
    }
    return found.duration;
  }

  #rebased(fragment: Video['fragments'][number]): Omit<Fragment, 'arrived'> {
    if (this.#base === 0 || this.init === null) return fragment;
    const bytes = Buffer.from(fragment.bytes);
    const at = bytes.indexOf('tfdt') + 4;
    const ticks = Math.round((this.#base * this.init.timescale) / 1000);
    if (bytes[at] === 1) bytes.writeBigUInt64BE(bytes.readBigUInt64BE(at + 4) + BigInt(ticks), at + 4);
    else bytes.writeUInt32BE(bytes.readUInt32BE(at + 4) + ticks, at + 4);
    return { ...fragment, bytes };
  }
}

/** Decodes a file with ffmpeg: pictures in it and what it complains of. */
export function decodeFile(path: string): {
  readonly pictures: number;
  readonly complaints: string;
  readonly seconds: number;
} {
  const run = spawnSync('ffmpeg', ['-v', 'error', '-i', path, '-f', 'null', '-progress', 'pipe:1', '-'], {
    encoding: 'utf8',
  });
  const pictures = Number([...run.stdout.matchAll(/^frame=\s*(\d+)/gm)].at(-1)?.[1] ?? 0);
  const probe = spawnSync(
    'ffprobe',
    ['-v', 'error', '-show_entries', 'format=duration,start_time', '-of', 'csv=p=0', path],
    {
      encoding: 'utf8',
    },
  );
  return { pictures, complaints: run.stderr, seconds: Number(probe.stdout.trim().split(',')[1] ?? Number.NaN) };
}
