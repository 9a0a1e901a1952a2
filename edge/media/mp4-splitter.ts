import type { Fragment } from './hub.ts';
import { invalidMp4, readBoxHeader } from './mp4-boxes.ts';
import { readFragment } from './mp4-fragment.ts';
import { type Mp4Track, readInit } from './mp4-init.ts';

export interface Mp4Parts {
  init(bytes: Buffer, track: Mp4Track): void;
  fragment(fragment: Fragment): void;
}

/** An init segment of one track is about 1 kB; a key frame of an 8 MP camera is about 1 MB. */
const longestInit = 256 * 1024;
const longestFragment = 32 * 1024 * 1024;

/**
 * Cuts what a muxer writes (ftyp moov, then moof mdat over and over) into its parts, as the bytes come. A size that cannot be throws
 * `MP4_INVALID`: the stream is useless from there on. Boxes between the parts (styp, sidx, free) are left out.
 */
export class Mp4Splitter {
  readonly #parts: Mp4Parts;
  #waiting: Buffer[] = [];
  #held = 0;
  /** Whole boxes that wait for what completes them: ftyp for moov, moof for mdat. */
  #open: Buffer[] = [];
  #openArrived = 0;
  #track: Mp4Track | null = null;
  /** Bytes that the box being gathered needs; 0: its header is not here yet. */
  #needed = 0;

  constructor(parts: Mp4Parts) {
    this.#parts = parts;
  }

  /** The next bytes, and when they came (ms since epoch). */
  push(chunk: Buffer, arrived: number): void {
    if (this.#held === 0) this.#openArrived = this.#open.length === 0 ? arrived : this.#openArrived;
    this.#waiting.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#needed) return;
    let bytes = this.#waiting.length === 1 ? chunk : Buffer.concat(this.#waiting, this.#held);
    for (;;) {
      const header = readBoxHeader(bytes, 0, bytes.length);
      this.#needed = header?.size ?? 0;
      if (header !== null) this.#check(header.type, header.size);
      if (header === null || bytes.length < header.size) break;
      this.#box(header.type, bytes.subarray(0, header.size));
      bytes = bytes.subarray(header.size);
      this.#needed = 0;
      if (this.#open.length === 0) this.#openArrived = arrived;
    }
    this.#waiting = bytes.length === 0 ? [] : [bytes];
    this.#held = bytes.length;
  }

  #check(type: string, size: number): void {
    const longest = type === 'mdat' ? longestFragment : longestInit;
    if (size > longest) throw invalidMp4(`box ${type} says it is ${size} bytes long, at most ${longest} are taken`, 0);
  }

  #box(type: string, bytes: Buffer): void {
    if (type === 'ftyp' || type === 'moof') this.#open = [bytes];
    else if (type === 'moov') this.#init(bytes);
    else if (type === 'mdat') this.#fragment(bytes);
  }

  #init(moov: Buffer): void {
    const bytes = Buffer.concat([...this.#open, moov]);
    this.#open = [];
    this.#track = readInit(bytes);
    this.#parts.init(bytes, this.#track);
  }

  #fragment(mdat: Buffer): void {
    const [moof] = this.#open;
    this.#open = [];
    if (moof === undefined || this.#track === null) throw invalidMp4('pictures come before what describes them', 0);
    const times = readFragment(moof, this.#track);
    if (times === null) return;
    const { time, duration, isKey } = times;
    const bytes = Buffer.concat([moof, mdat]);
    this.#parts.fragment({ bytes, isKey, time, duration, arrived: this.#openArrived });
  }
}
