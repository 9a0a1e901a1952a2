import { resolve } from 'node:path';
import type { ClipFacts } from '#edge/domain/broadcast.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { delay, within } from '#edge/runtime/lifecycle.ts';
import { frameMs, type Rate, samplesIn } from './codecs.ts';
import { openPcmFiles, type PcmFile } from './pcm-files.ts';
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
  /** Grows with everything that `facts` may say otherwise. */
  readonly revision: number;
  /**
   * Clips that people made, in place of those that were held before: there at once, without a new start. Those to be decoded ahead are decoded
   * now; others when they are asked for. One that is gone plays to its end where it plays. A name of the site stays the site's.
   */
  hold(clips: Readonly<Record<string, ClipFile>>): void;
  /** What is known of clips that were decoded, or could not be. */
  facts(): readonly ClipFacts[];
  /** The clip if it can start now, without waiting, at this rate. */
  ready(name: string, rate: Rate): Clip | undefined;
  /** Decodes a clip at this rate, once; what failed is tried again at the next call. Throws CLIP_UNKNOWN or CLIP_UNUSABLE. */
  load(name: string, rate: Rate): Promise<Clip>;
  /** Decodes all clips of the site at this rate, emergency clips first; resolves when each is there or has failed. Never rejects. */
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
  /** An order may come a moment before its clip is told: so long it waits, ms; absent: it does not. */
  readonly arrival?: number;
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
/** Clips of people, not to be decoded ahead, that stay ready after they were played. */
const mostReady = 100;
/** Names that somebody waits for. */
const mostAwaited = 100;
const mostNamed = 50;
/** As `ClipFacts` are told. */
const longestProblem = 300;
const endPatience = 2000;

export function openClipLibrary(options: ClipLibraryOptions): ClipLibrary {
  const { clips, folder, onProblem } = options;
  const files = openPcmFiles(options.cache ?? null);
  const memory = new PcmMemory(options.memory ?? defaultMemory);
  const shelf = new Map<string, ShelvedClip>();
  const running = new Map<string, Promise<Clip>>();
  /** Names of the site and of the library only: as bounded as they are. */
  const broken = new Map<string, string>();
  /** What people made; the site's are in `clips`. */
  let held: ReadonlyMap<string, ClipFile> = new Map();
  const awaited = new Map<string, PromiseWithResolvers<void>>();
  let revision = 0;
  const ending = new AbortController();
  const passes = new Map<Rate, Promise<void>>();
  const inOrder = Object.keys(clips).toSorted((a, b) => Number(isUrgent(b)) - Number(isUrgent(a)));

  function entryOf(name: string): ClipFile | undefined {
    return Object.hasOwn(clips, name) ? clips[name] : held.get(name);
  }

  function isUrgent(name: string): boolean {
    return entryOf(name)?.emergency === true;
  }

  function retire(name: string): void {
    const clip = shelf.get(name);
    shelf.delete(name);
    for (const file of clip?.retire() ?? []) files.release(file);
  }

  /** The last that were asked for stay; what was asked for once, days ago, goes. */
  function makeRoom(): void {
    const passing = [...shelf.keys()].filter((name) => held.has(name) && !isUrgent(name));
    for (const name of passing.slice(0, Math.max(0, passing.length - mostReady))) retire(name);
  }

  /** Resolves when the clip is known, or is not after all. */
  async function untilKnown(name: string): Promise<void> {
    if (options.arrival === undefined || entryOf(name) !== undefined) return;
    if (awaited.size >= mostAwaited && !awaited.has(name)) return;
    const told = awaited.get(name) ?? Promise.withResolvers<void>();
    awaited.set(name, told);
    const enough = new AbortController();
    await Promise.race([told.promise, delay(options.arrival, AbortSignal.any([enough.signal, ending.signal]))]);
    enough.abort();
    if (awaited.get(name) === told) awaited.delete(name);
  }

  async function decode(name: string, rate: Rate, { signal }: AbortController): Promise<Clip> {
    const entry = entryOf(name);
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
      if (entryOf(name) !== entry) {
        // It was replaced, or removed: then whoever asked for it plays it, and nobody else.
        for (const file of base.retire()) files.release(file);
        return entryOf(name) === undefined ? base : decode(name, rate, ending);
      }
      // Behind all others: it is the last that was asked for.
      shelf.delete(name);
      shelf.set(name, base);
      broken.delete(name);
      revision++;
      makeRoom();
      return base;
    } catch (error) {
      signal.throwIfAborted();
      const problem = `clip "${name}" (${file}): ${messageOf(error)}`;
      if (entryOf(name) === entry) {
        if (broken.get(name) !== problem) onProblem?.(name, problem);
        broken.set(name, problem);
        revision++;
      }
      throw new CodedError('CLIP_UNUSABLE', problem, { cause: error });
    }
  }

  async function loadUnknown(name: string, rate: Rate): Promise<Clip> {
    await untilKnown(name);
    if (entryOf(name) !== undefined) return load(name, rate);
    const known = [...Object.keys(clips), ...held.keys()];
    const more = known.length > mostNamed ? ` and ${known.length - mostNamed} more` : '';
    const list = known.slice(0, mostNamed).join(', ') || 'none';
    throw new CodedError('CLIP_UNKNOWN', `there is no clip "${name}"; known: ${list}${more}`);
  }

  function load(name: string, rate: Rate): Promise<Clip> {
    if (entryOf(name) === undefined) return loadUnknown(name, rate);
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

  function hold(next: ReadonlyMap<string, ClipFile>): void {
    const before = held;
    held = next;
    revision++;
    for (const name of new Set([...before.keys(), ...next.keys()])) {
      const [was, is] = [before.get(name), next.get(name)];
      if (was?.file === is?.file && was?.loop === is?.loop && was?.emergency === is?.emergency) continue;
      // Files are named by what is in them: another file is another sound. What becomes urgent is read whole.
      if (Object.hasOwn(clips, name)) continue;
      retire(name);
      broken.delete(name);
      awaited.get(name)?.resolve();
      if (is?.emergency !== true) continue;
      for (const rate of new Set([baseRate, ...passes.keys()])) load(name, rate).catch(() => {}); // `problems` has it
    }
  }

  return {
    get revision() {
      return revision;
    },
    hold: (next) => hold(new Map(Object.entries(next))),
    facts() {
      const good = [...shelf.values()].map(({ name, loop, frames }) => {
        return { name, length: loop ? null : frames * frameMs, problem: null };
      });
      const bad = [...broken].map(([name, problem]) => ({
        name,
        length: null,
        problem: problem.slice(0, longestProblem),
      }));
      return [...good.filter(({ name }) => !broken.has(name)), ...bad];
    },
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

  retire(): PcmFile[] {
    return [...this.#tracks.values()].map((track) => track.retire());
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
