import { open } from 'node:fs/promises';
import { messageOf } from '#edge/runtime/errors.ts';
import { delay, within } from '#edge/runtime/lifecycle.ts';
import { type Rate, samplesIn } from './codecs.ts';
import type { PcmFile } from './pcm-files.ts';

/* One clip at one rate: samples in memory, second by second, as far as memory goes. */

/** A piece is a second. */
const framesPerPiece = 50;
/** The beginning of each clip is always here: it starts in the turn of its command. */
const headPieces = 2;
const readPatience = 10_000;
const retryPause = 500;

export interface MemoryLimits {
  /** Bytes that stay: emergency clips, short clips, and the first 2 s of all. */
  readonly kept: number;
  /** Bytes of what is being played. */
  readonly passing: number;
}

/** For a box of 4 GB: 64 MB hold 67 minutes at 8 kHz, 11 at 48 kHz. */
export const defaultMemory: MemoryLimits = { kept: 64e6, passing: 24e6 };

/** What all tracks together have in memory. */
export class PcmMemory {
  readonly #limits: MemoryLimits;
  readonly #passing = new Map<object, { readonly bytes: number; readonly drop: () => void }>();
  #passingBytes = 0;
  #keptBytes = 0;

  constructor(limits: MemoryLimits = defaultMemory) {
    this.#limits = limits;
  }

  figures(): { readonly kept: number; readonly passing: number } {
    return { kept: this.#keptBytes, passing: this.#passingBytes };
  }

  /** false: there is no room for it to stay. */
  keep(bytes: number, share = 1): boolean {
    if (this.#keptBytes + bytes > this.#limits.kept * share) return false;
    this.#keptBytes += bytes;
    return true;
  }

  /** What stays whether there is room or not. */
  add(bytes: number): void {
    this.#keptBytes += bytes;
  }

  /** What was kept or added is not needed any more. */
  release(bytes: number): void {
    this.#keptBytes -= bytes;
  }

  /** The least lately used goes when there are too many. */
  take(piece: object, bytes: number, drop: () => void): void {
    this.#passing.set(piece, { bytes, drop });
    this.#passingBytes += bytes;
    for (const [other, { bytes: size, drop: dropOther }] of this.#passing) {
      if (this.#passingBytes <= this.#limits.passing || other === piece) return;
      this.#passing.delete(other);
      this.#passingBytes -= size;
      dropOther();
    }
  }

  touch(piece: object): void {
    const known = this.#passing.get(piece);
    if (known === undefined) return;
    this.#passing.delete(piece);
    this.#passing.set(piece, known);
  }
}

export class PcmTrack {
  readonly frames: number;
  readonly #file: PcmFile;
  readonly #memory: PcmMemory;
  readonly #frameSamples: number;
  readonly #kept = new Map<number, Int16Array>();
  readonly #passing = new Map<number, Int16Array>();
  readonly #reading = new Map<number, Promise<void>>();
  #problem: string | null = null;
  #counted = 0;

  constructor(file: PcmFile, rate: Rate, memory: PcmMemory) {
    this.#file = file;
    this.#memory = memory;
    this.#frameSamples = samplesIn(rate);
    this.frames = Math.ceil(file.samples / this.#frameSamples);
  }

  /** Why a part of it could not be read, as it was last; null: all is well. */
  get problem(): string | null {
    return this.#problem;
  }

  /** Reads what shall stay in memory: all of it, or its beginning. Throws when it cannot be read. */
  async keep(whole: boolean, share: number): Promise<void> {
    const all = Math.ceil(this.frames / framesPerPiece);
    const head = Math.min(all, headPieces);
    const pieceBytes = this.#pieceSamples * 2;
    this.#memory.add(head * pieceBytes);
    const wanted = whole && this.#memory.keep((all - head) * pieceBytes, share) ? all : head;
    this.#counted += wanted * pieceBytes;
    for (let piece = 0; piece < wanted; piece++) this.#kept.set(piece, await this.#load(piece));
  }

  /** Nobody begins with it any more; who plays it may play it to its end, and its memory goes with the last. */
  retire(): PcmFile {
    this.#memory.release(this.#counted);
    this.#counted = 0;
    return this.#file;
  }

  /** 20 ms; null: not in memory, and being read. Silence behind the end. The caller must not change it. */
  frame(n: number): Int16Array | null {
    if (n >= this.frames) return new Int16Array(this.#frameSamples);
    const piece = Math.floor(n / framesPerPiece);
    // Read ahead a second or more.
    if ((piece + 1) * framesPerPiece < this.frames && !this.#has(piece + 1)) this.#fetch(piece + 1);
    const samples = this.#kept.get(piece) ?? this.#passing.get(piece);
    if (samples === undefined) {
      this.#fetch(piece);
      return null;
    }
    const start = (n % framesPerPiece) * this.#frameSamples;
    if (start === 0) this.#memory.touch(samples);
    return samples.subarray(start, start + this.#frameSamples);
  }

  get #pieceSamples(): number {
    return framesPerPiece * this.#frameSamples;
  }

  #has(piece: number): boolean {
    return this.#kept.has(piece) || this.#passing.has(piece);
  }

  #fetch(piece: number): void {
    if (this.#reading.has(piece)) return;
    const reading = this.#load(piece).then(
      (samples) => {
        this.#problem = null;
        this.#passing.set(piece, samples);
        this.#memory.take(samples, samples.byteLength, () => this.#passing.delete(piece));
      },
      async (error: unknown) => {
        this.#problem = messageOf(error);
        // It is asked for 50 times a second.
        await delay(retryPause);
      },
    );
    this.#reading.set(
      piece,
      reading.finally(() => this.#reading.delete(piece)),
    );
  }

  async #load(piece: number): Promise<Int16Array> {
    const samples = new Int16Array(this.#pieceSamples);
    const from = piece * this.#pieceSamples;
    const { path, pcm } = this.#file;
    if (pcm !== null) samples.set(pcm.subarray(from, from + samples.length));
    if (path !== null) await within(readPatience, `reading ${path}`, readInto(path, samples, from * 2));
    return samples;
  }
}

async function readInto(path: string, samples: Int16Array, position: number): Promise<void> {
  await using file = await open(path, 'r');
  const bytes = Buffer.from(samples.buffer);
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, position + at);
    if (bytesRead === 0) return;
    at += bytesRead;
  }
}
