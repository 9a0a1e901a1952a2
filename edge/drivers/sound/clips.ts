import { resolve } from 'node:path';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import { type Rate, samplesIn } from './codecs.ts';
import { openPcmFiles } from './pcm-files.ts';
import { defaultMemory, type MemoryLimits, PcmMemory, PcmTrack } from './pcm-track.ts';

/** A clip that was decoded. */
export interface Clip {
  readonly name: string;
  readonly loop: boolean;
  /** Its length in frames of 20 ms, the same at every rate. */
  readonly frames: number;
  /** One frame; null: not in memory yet, and being read. Must not be changed. */
  frame(rate: Rate, n: number): Int16Array | null;
}

export interface ClipFile {
  /** WAV, or whatever ffmpeg reads (mp3, ogg, m4a, flac); relative to the library's folder. */
  readonly file: string;
  readonly loop: boolean;
  /** Decoded before all others, and always in memory. */
  readonly emergency?: boolean;
}

export interface ClipLibrary extends AsyncDisposable {
  readonly names: readonly string[];
  /** The clip if it can start now, without waiting, at this rate. */
  ready(name: string, rate: Rate): Clip | undefined;
  /** Decodes a clip at this rate, once; what failed is tried again at the next call. Throws CLIP_UNKNOWN or CLIP_UNUSABLE. */
  load(name: string, rate: Rate): Promise<Clip>;
  /** Decodes all clips at this rate, emergency clips first; resolves when each is there or has failed. Never rejects. */
  prepare(rate: Rate): Promise<void>;
  /** Why clips of the site cannot be played, one sentence for each; a clip that is mended and played is out of it. */
  problems(): readonly string[];
  /** Bytes in memory. */
  memory(): { readonly kept: number; readonly passing: number };
}

export interface ClipLibraryOptions {
  /** By name, as the site file has them. */
  readonly clips: Readonly<Record<string, ClipFile>>;
  /** Where their relative paths start. */
  readonly folder: string;
  /** Where decoded sound is kept; absent: in a temporary folder. */
  readonly cache?: string | undefined;
  readonly memory?: MemoryLimits;
  /** A clip that cannot be decoded, told once. */
  readonly onProblem?: (clip: string, problem: string) => void;
}

/** The length of every clip is told by this one. */
const baseRate: Rate = 8000;
/** Clips up to this long stay in memory as a whole if they fit: bells, chimes, short messages. */
const shortFrames = 30 * 50;
/** What must never be pushed out has the last half for itself. */
const shareOfOthers = 0.5;
/** One clip on a disk that hangs must not keep the others from being decoded, ms. */
const turnPatience = 30_000;
const endPatience = 2000;

export function openClipLibrary(options: ClipLibraryOptions): ClipLibrary {
  const { clips, folder, onProblem } = options;
  const files = openPcmFiles(options.cache ?? null);
  const memory = new PcmMemory(options.memory ?? defaultMemory);
  const shelf = new Map<string, ShelvedClip>();
  const running = new Map<string, Promise<Clip>>();
  /** Names of the site only, so it is as bounded as the site file. */
  const broken = new Map<string, string>();
  const ending = new AbortController();
  const passes = new Map<Rate, Promise<void>>();
  const inOrder = Object.keys(clips).toSorted((a, b) => Number(isUrgent(b)) - Number(isUrgent(a)));

  function isUrgent(name: string): boolean {
    return clips[name]?.emergency === true;
  }

  async function decode(name: string, rate: Rate, { signal }: AbortController): Promise<Clip> {
    const entry = clips[name];
    if (entry === undefined) throw new CodedError('CLIP_UNKNOWN', `there is no clip "${name}"`);
    const file = resolve(folder, entry.file);
    try {
      const track = async (at: Rate) => {
        const found = new PcmTrack(await files.open(file, at, signal), at, memory);
        const whole = isUrgent(name) || found.frames <= shortFrames;
        await found.keep(whole, isUrgent(name) ? 1 : shareOfOthers);
        return found;
      };
      const base = shelf.get(name) ?? new ShelvedClip(name, entry.loop, await track(baseRate));
      if (!base.has(rate)) base.add(rate, await track(rate));
      shelf.set(name, base);
      broken.delete(name);
      return base;
    } catch (error) {
      signal.throwIfAborted();
      const problem = `clip "${name}" (${file}): ${messageOf(error)}`;
      if (broken.get(name) !== problem) onProblem?.(name, problem);
      broken.set(name, problem);
      throw new CodedError('CLIP_UNUSABLE', problem, { cause: error });
    }
  }

  function load(name: string, rate: Rate): Promise<Clip> {
    if (!Object.hasOwn(clips, name)) {
      const known = Object.keys(clips).join(', ') || 'none';
      return Promise.reject(new CodedError('CLIP_UNKNOWN', `there is no clip "${name}"; known: ${known}`));
    }
    const here = shelf.get(name);
    if (here?.has(rate) === true) return Promise.resolve(here);
    const key = `${name} ${rate}`;
    // One decoding of a clip at a time: the second finds the first one's length.
    const before = running.get(name) ?? Promise.resolve();
    const now = running.get(key) ?? before.catch(() => {}).then(() => decode(name, rate, ending));
    if (running.has(key)) return now;
    running.set(key, now);
    running.set(name, now);
    const done = () => {
      running.delete(key);
      if (running.get(name) === now) running.delete(name);
    };
    now.then(done, done);
    return now;
  }

  async function prepareAll(rate: Rate): Promise<void> {
    // One after the other: a decoder holds a whole file.
    for (const name of inOrder) {
      if (ending.signal.aborted) return;
      const loading = load(name, rate).then(
        () => {},
        () => {}, // `problems` has it
      );
      let timer: NodeJS.Timeout | undefined;
      const enough = new Promise<void>((done) => {
        timer = setTimeout(done, turnPatience);
      });
      await Promise.race([loading, enough]);
      clearTimeout(timer);
    }
  }

  return {
    names: Object.keys(clips),
    ready(name, rate) {
      const clip = shelf.get(name);
      return clip?.has(rate) === true ? clip : undefined;
    },
    load,
    prepare(rate) {
      const pass = passes.get(rate) ?? prepareAll(rate);
      passes.set(rate, pass);
      return pass;
    },
    problems: () => [...broken.values()],
    memory: () => memory.figures(),
    async [Symbol.asyncDispose]() {
      ending.abort(new CodedError('CLIP_ENDED', 'the library is being closed'));
      // A disk that hangs keeps its reader; it must not keep us.
      await within(endPatience, 'the end of decoding', Promise.allSettled(running.values())).catch(() => {});
      await files[Symbol.asyncDispose]();
    },
  };
}

class ShelvedClip implements Clip {
  readonly name: string;
  readonly loop: boolean;
  readonly frames: number;
  readonly #tracks = new Map<Rate, PcmTrack>();

  constructor(name: string, loop: boolean, base: PcmTrack) {
    this.name = name;
    this.loop = loop;
    this.frames = base.frames;
    this.#tracks.set(baseRate, base);
  }

  has(rate: Rate): boolean {
    return this.#tracks.has(rate);
  }

  add(rate: Rate, track: PcmTrack): void {
    this.#tracks.set(rate, track);
  }

  frame(rate: Rate, n: number): Int16Array | null {
    const track = this.#tracks.get(rate);
    return track === undefined ? null : track.frame(n);
  }
}

const silences = new Map<Rate, Int16Array>();

/** 20 ms of nothing; must not be changed. */
export function silenceAt(rate: Rate): Int16Array {
  const known = silences.get(rate) ?? new Int16Array(samplesIn(rate));
  silences.set(rate, known);
  return known;
}
