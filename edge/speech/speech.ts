import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '#edge/runtime/errors.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Engine, EngineId, EngineVoice, Found } from './engine.ts';
import { type EspeakRun, findEspeak, systemEspeak } from './espeak.ts';
import { wasmEspeak } from './espeak-wasm.ts';
import { findSherpa } from './sherpa.ts';
import { SpeechQueue } from './speech-queue.ts';
import { spokenText } from './text.ts';

/*
 * Text -> a WAV file, by the best engine there is: a sherpa-onnx model if somebody put one there, the system's espeak-ng if it reads Chinese
 * as Chinese, its WebAssembly half otherwise. The same text, voice and rate are the same bytes, and are spoken once.
 */

export interface SpeechVoice extends EngineVoice {
  readonly engine: EngineId;
  /** Used when none is named. */
  readonly isDefault: boolean;
}

export interface SpeakWish {
  readonly text: string;
  /** Absent: the default one. */
  readonly voice?: string | undefined;
  /** 0.5 to 2; absent: 1. */
  readonly rate?: number | undefined;
  /** Ends the wait; what others wait for too goes on. */
  readonly signal?: AbortSignal | undefined;
}

export interface Spoken {
  /** WAV; kept for a while, so copy it. */
  readonly file: string;
  /** Of engine, voice, rate and text, hex: the same words are the same key. */
  readonly key: string;
  readonly voice: string;
}

export interface Speech extends AsyncDisposable {
  voices(): Promise<readonly SpeechVoice[]>;
  /** Engines that are not used, and why. */
  refused(): Promise<Readonly<Partial<Record<EngineId, string>>>>;
  /**
   * Throws BAD_TEXT, BAD_VOICE; SPEECH_NONE when no engine works here; TOO_MANY_REQUESTS when too many wait; SPEECH_FAILED, TIMEOUT
   * (20 s).
   */
  speak(wish: SpeakWish): Promise<Spoken>;
}

export interface SpeechOptions {
  /** `<data>/speech`: `cache/`, and `model/` where somebody put one. */
  readonly folder: string;
  readonly log: Log;
  /** Default: the system's and the WASM one. */
  readonly espeak?: EspeakRun;
  readonly wasm?: EspeakRun;
}

/** Of one job, ms. */
const jobTime = 20_000;
/** An engine may be installed while we run, ms. */
const lookAgain = 60_000;
/** Spoken texts that are kept, bytes. */
const largestCache = 200_000_000;

interface Engines {
  readonly engines: readonly Engine[];
  readonly refused: Readonly<Partial<Record<EngineId, string>>>;
}

export function openSpeech(options: SpeechOptions): Speech {
  const cache = join(options.folder, 'cache');
  const ending = new AbortController();
  const queue = new SpeechQueue();
  const underWay = new Map<string, Promise<string>>();
  let found: { readonly engines: Promise<Engines>; isGood: boolean; readonly at: number } | undefined;

  function look(): Promise<Engines> {
    const isStale = found !== undefined && !found.isGood && performance.now() - found.at > lookAgain;
    if (found === undefined || isStale) {
      const next = { engines: lookForEngines(options, ending.signal), isGood: true, at: performance.now() };
      found = next;
      next.engines.then(
        ({ engines }) => {
          next.isGood = engines.length > 0;
        },
        () => {
          next.isGood = false;
        },
      );
    }
    return found.engines;
  }

  async function speakInto(key: string, engine: Engine, text: string, voice: string, rate: number): Promise<string> {
    const file = join(cache, `${key}.wav`);
    if (await isThere(file)) return file;
    return queue.run(ending.signal, async () => {
      await mkdir(cache, { recursive: true, mode: 0o700 });
      const part = join(cache, `${key}.${randomBytes(6).toString('hex')}.tmp`);
      try {
        await engine.write({ text, voice, rate, file: part, patience: jobTime, signal: ending.signal });
        if (!(await isThere(part))) throw new CodedError('SPEECH_FAILED', `${engine.id} made no sound of this text`);
        await rename(part, file);
      } finally {
        await rm(part, { force: true });
      }
      await tidy(cache, file);
      return file;
    });
  }

  return {
    async voices() {
      const { engines } = await look();
      const all = engines.flatMap((engine) => engine.voices.map((voice) => ({ ...voice, engine: engine.id })));
      return all.map((voice, i) => ({ ...voice, isDefault: i === 0 }));
    },
    refused: async () => (await look()).refused,
    async speak({ text, voice, rate = 1, signal }) {
      const words = spokenText(text);
      signal?.throwIfAborted();
      const { engine, id } = chosen(await look(), voice);
      const key = createHash('sha256')
        .update(JSON.stringify([engine.version, id, rate, words]))
        .digest('hex');
      const job = underWay.get(key) ?? speakInto(key, engine, words, id, rate);
      underWay.set(key, job);
      const done = () => {
        if (underWay.get(key) === job) underWay.delete(key);
      };
      job.then(done, done);
      return { file: await untilAborted(job, signal), key, voice: id };
    },
    async [Symbol.asyncDispose]() {
      ending.abort(new CodedError('SPEECH_ENDED', 'the programme is ending'));
      await Promise.allSettled(underWay.values());
    },
  };
}

function chosen({ engines, refused }: Engines, voice: string | undefined): { engine: Engine; id: string } {
  const [first] = engines;
  const known = engines.flatMap((engine) => engine.voices.map(({ id }) => ({ engine, id })));
  const usual = known[0];
  if (first === undefined || usual === undefined) {
    const why = Object.entries(refused).map(([id, reason]) => `${id}: ${reason}`);
    throw new CodedError('SPEECH_NONE', `nothing on this box can speak (${why.join('; ')})`);
  }
  if (voice === undefined) return usual;
  const found = known.find(({ id }) => id === voice);
  if (found !== undefined) return found;
  throw new CodedError('BAD_VOICE', `voice: there is no "${voice}"; there are ${known.map(({ id }) => id).join(', ')}`);
}

/** The WASM engine is looked at only where the system's cannot be used: it is the same voice, slower. */
async function lookForEngines(options: SpeechOptions, signal: AbortSignal): Promise<Engines> {
  const { folder, log, espeak = systemEspeak(), wasm = wasmEspeak() } = options;
  const engines: Engine[] = [];
  const refused: Partial<Record<EngineId, string>> = {};
  const take = (id: EngineId, found: Found | null): boolean => {
    if (found === null) return false;
    if ('engine' in found) engines.push(found.engine);
    else {
      refused[id] = found.refused;
      log.warn({ engine: id, reason: found.refused }, 'an engine of speech is not used');
    }
    return 'engine' in found;
  };
  take('sherpa', await findSherpa(join(folder, 'model'), signal));
  if (!take('espeak', await findEspeak('espeak', espeak, signal))) {
    take('espeak-wasm', await findEspeak('espeak-wasm', wasm, signal));
  }
  return { engines, refused };
}

async function untilAborted<T>(job: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return job;
  const aborted = Promise.withResolvers<never>();
  const stop = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([job, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** A WAV file with sound in it; its age is that of its last use. */
async function isThere(file: string): Promise<boolean> {
  try {
    const { size, atime } = await stat(file);
    if (size <= 44) return false;
    if (file.endsWith('.wav')) await utimes(file, atime, new Date(performance.timeOrigin + performance.now()));
    return true;
  } catch {
    return false;
  }
}

/** The least lately used go first; what a crash left behind goes too. */
async function tidy(folder: string, newest: string): Promise<void> {
  const files: { path: string; size: number; time: number }[] = [];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const { size, mtimeMs } = await stat(path).catch(() => ({ size: 0, mtimeMs: 0 }));
    files.push({ path, size, time: mtimeMs });
  }
  let total = files.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of files.toSorted((a, b) => a.time - b.time)) {
    if (total <= largestCache) return;
    if (path === newest) continue;
    await rm(path, { force: true });
    total -= size;
  }
}
