import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FfmpegChild } from '#edge/media/ffmpeg-child.ts';
import { type Ffmpeg, findFfmpeg } from '#edge/media/ffmpeg-find.ts';
import { decodeWav, defaultWavLimits } from '#edge/media/wav.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import type { Rate } from './codecs.ts';

/* Files of sound -> files of bare samples (16-bit, little-endian, mono), kept by the hash of what is in them. */

export interface PcmFile {
  readonly samples: number;
  /** null: the disk did not take it; then `pcm` is all there is of it. */
  readonly path: string | null;
  readonly pcm: Int16Array | null;
}

export interface PcmFiles extends AsyncDisposable {
  /** Decodes a file at this rate, or finds that it was decoded before. Throws CLIP_* or WAV_*, saying what is wrong with it. */
  open(file: string, rate: Rate, signal: AbortSignal): Promise<PcmFile>;
  /** It is not needed now: it may be the next that is removed. */
  release(file: PcmFile): void;
}

/** An hour of 48 kHz mono 16-bit, the longest clip of the library, is 346 MB. */
const largestFile = 400e6;
/** Read by ourselves, at once: 5 minutes of 44.1 kHz stereo 16-bit, an eye-exercise programme as schools have it, are 53 MB. */
const largestWav = 96e6;
const longest = 3_600;
/** A song of four minutes takes a second on the slowest box. */
const decodePatience = 120_000;
const mostHashes = 5_000;
/** All decoded files; the oldest that are not in use go first. */
const largestFolder = 2e9;

/** `folder` null: a temporary one, gone at the end. */
export function openPcmFiles(folder: string | null): PcmFiles {
  const own: { folder?: Promise<string> } = {};
  /** By file; those of removed clips go when there are many. */
  const hashes = new Map<string, { readonly key: string; readonly hash: string }>();
  const inUse = new Set<string>();
  let ffmpeg: Promise<Ffmpeg | null> | undefined;

  function place(): Promise<string> {
    if (folder !== null) return mkdir(folder, { recursive: true, mode: 0o700 }).then(() => folder);
    own.folder ??= mkdtemp(join(tmpdir(), 'campus-sound-'));
    return own.folder;
  }

  async function keep(hash: string, rate: Rate, write: (part: string) => Promise<void>): Promise<PcmFile> {
    const where = await place();
    const name = nameOf(hash, rate);
    const path = join(where, name);
    const part = `${path}.${process.pid}.part`;
    try {
      await write(part);
      const { size } = await stat(part);
      if (size < 2) throw new CodedError('CLIP_EMPTY', 'there is no sound in it');
      if (size / 2 > longest * rate) throw new CodedError('CLIP_TOO_LONG', `it lasts longer than ${longest} s`);
      await rename(part, path);
      inUse.add(name);
      await tidy(where, inUse);
      return { samples: size / 2, path, pcm: null };
    } finally {
      await rm(part, { force: true });
    }
  }

  async function known(hash: string, rate: Rate): Promise<PcmFile | null> {
    const name = nameOf(hash, rate);
    const path = join(await place(), name);
    const size = await sizeOf(path);
    if (size === null || size < 2) return null;
    inUse.add(name);
    const { atime } = await stat(path);
    // Its age is that of its last use.
    await utimes(path, atime, atime).catch(() => {});
    return { samples: size / 2, path, pcm: null };
  }

  /** In pieces: a big file hashed at once would stop the sound of all rooms. */
  async function contentOf(file: string, signal: AbortSignal): Promise<string> {
    const { size, mtimeMs, ino } = await stat(file);
    const key = `${size} ${mtimeMs} ${ino}`;
    const known = hashes.get(file);
    if (known?.key === key) return known.hash;
    const hash = await hashOf(file, signal);
    hashes.set(file, { key, hash });
    const [oldest] = hashes.keys();
    if (hashes.size > mostHashes && oldest !== undefined) hashes.delete(oldest);
    return hash;
  }

  async function openWav(file: string, rate: Rate, signal: AbortSignal): Promise<PcmFile> {
    const hash = await contentOf(file, signal);
    // What the disk cannot give or take back is no reason to be silent.
    const found = await known(hash, rate).catch(() => null);
    if (found !== null) return found;
    const pcm = await decodeWav(await readFile(file, { signal }), signal, defaultWavLimits, rate);
    try {
      return await keep(hash, rate, (part) => writeFile(part, Buffer.from(pcm.buffer), { mode: 0o600 }));
    } catch {
      return { samples: pcm.length, path: null, pcm };
    }
  }

  async function openOther(file: string, rate: Rate, signal: AbortSignal): Promise<PcmFile> {
    const hash = await contentOf(file, signal);
    const found = await known(hash, rate);
    if (found !== null) return found;
    const where = await place();
    ffmpeg ??= findFfmpeg({ folder: where });
    const program = await ffmpeg;
    if (program === null) {
      ffmpeg = undefined;
      throw new CodedError('CLIP_NO_FFMPEG', 'only ffmpeg can read it, and there is none here (a WAV file needs none)');
    }
    return keep(hash, rate, (part) => decodeByFfmpeg(program.path, file, part, rate, signal));
  }

  return {
    async open(file, rate, signal) {
      const { size } = await stat(file);
      if (size > largestFile) throw new CodedError('CLIP_TOO_LARGE', `${size} bytes; at most ${largestFile} are read`);
      const isOurs = extname(file).toLowerCase() === '.wav' && size <= largestWav;
      return isOurs ? openWav(file, rate, signal) : openOther(file, rate, signal);
    },
    release({ path }) {
      if (path !== null) inUse.delete(basename(path));
    },
    async [Symbol.asyncDispose]() {
      if (own.folder !== undefined) await rm(await own.folder, { recursive: true, force: true });
    },
  };
}

/** The version is of how they are made: other samples, another name. */
const nameOf = (hash: string, rate: Rate): string => `${hash}.${rate}.v1.pcm`;

async function hashOf(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash, { signal });
  return hash.digest('hex');
}

async function decodeByFfmpeg(path: string, file: string, to: string, rate: Rate, signal: AbortSignal): Promise<void> {
  // A playlist may name other files and addresses: only this file is read.
  const input = ['-nostdin', '-v', 'error', '-protocol_whitelist', 'file', '-i', `file:${file}`, '-map', '0:a:0'];
  const output = ['-t', `${longest + 1}`, '-ac', '1', '-ar', `${rate}`, '-f', 's16le', '-y', `file:${to}`];
  const args = [...input, ...output];
  await using child = new FfmpegChild({ path, title: 'campus-sound', args, onOutput: () => {} });
  const enough = AbortSignal.any([signal, AbortSignal.timeout(decodePatience)]);
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(enough.reason);
  enough.addEventListener('abort', stop, { once: true });
  try {
    enough.throwIfAborted();
    const { code, said } = await Promise.race([child.ended, stopped.promise]);
    const why = said.trim().split('\n').slice(-2).join('; ').replaceAll(file, 'the file');
    if (code !== 0) throw new CodedError('CLIP_NOT_SOUND', `ffmpeg cannot read it: ${why || `it ended with ${code}`}`);
  } finally {
    enough.removeEventListener('abort', stop);
  }
}

/** Removes the oldest files that nobody needs now until the folder is small enough again. */
async function tidy(folder: string, inUse: ReadonlySet<string>): Promise<void> {
  const files: { name: string; size: number; time: number }[] = [];
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.pcm')) continue;
    const { size, mtimeMs } = await stat(join(folder, name));
    files.push({ name, size, time: mtimeMs });
  }
  let total = files.reduce((sum, { size }) => sum + size, 0);
  for (const { name, size } of files.toSorted((a, b) => a.time - b.time)) {
    if (total <= largestFolder) return;
    if (inUse.has(name)) continue;
    await unlink(join(folder, name));
    total -= size;
  }
}

async function sizeOf(file: string): Promise<number | null> {
  try {
    return (await stat(file)).size;
  } catch {
    return null;
  }
}
