import { type FileHandle, open } from 'node:fs/promises';
import { CodedError } from '#edge/runtime/errors.ts';
import { readBoxHeader } from './mp4-boxes.ts';
import { readFragment } from './mp4-fragment.ts';
import { type Mp4Track, readInit } from './mp4-init.ts';

/** Where a fragment lies in its file, and what it says. */
export interface FragmentPlace {
  readonly offset: number;
  /** moof + mdat. */
  readonly size: number;
  /** Decode time and duration, ms of the file's own clock. */
  readonly time: number;
  readonly duration: number;
  readonly isKey: boolean;
}

/** What is whole in a file of footage. */
export interface FootageContent {
  /** ftyp + moov. */
  readonly init: Buffer;
  readonly track: Mp4Track;
  readonly fragments: readonly FragmentPlace[];
  /** The end of the last whole fragment: what follows was cut off. */
  readonly whole: number;
}

/** Read at a time; fragments are some KB. */
const windowSize = 262_144;
const largestHead = 4_000_000;
/** Two minutes at 100 pictures a second, and as much again. */
const mostFragments = 24_000;

/**
 * Finds the fragments of a file, up to where it was cut off. Throws FOOTAGE_BROKEN when not even its beginning is whole, and what
 * the disk throws.
 */
export async function readFootage(path: string): Promise<FootageContent> {
  await using handle = await open(path, 'r');
  const { size } = await handle.stat();
  const reader = new WindowReader(handle, size);
  const init = await readHead(reader, path);
  const track = readInit(init);
  const fragments: FragmentPlace[] = [];
  let whole = init.length;
  for (let boxes = 0; boxes < mostFragments; boxes++) {
    const found = await readPlace(reader, whole, track);
    if (found === null) break;
    whole = found.next;
    if (found.place !== null) fragments.push(found.place);
  }
  return { init, track, fragments, whole };
}

async function readHead(reader: WindowReader, path: string): Promise<Buffer> {
  for (let at = 0; at < largestHead; ) {
    const box = await reader.header(at);
    const end = box === null ? reader.size + 1 : at + box.size;
    if (box === null || end > Math.min(reader.size, largestHead)) break;
    if (box.type === 'moov') return Buffer.from(await reader.bytes(0, end));
    if (box.type === 'moof' || box.type === 'mdat') break;
    at = end;
  }
  throw new CodedError('FOOTAGE_BROKEN', `${path} does not begin like footage`);
}

/** null: there is no further whole fragment; `place` null: other boxes, or pictures of no time. */
async function readPlace(
  reader: WindowReader,
  offset: number,
  track: Mp4Track,
): Promise<{ readonly next: number; readonly place: FragmentPlace | null } | null> {
  try {
    const head = await reader.header(offset);
    if (head === null || offset + head.size > reader.size) return null;
    if (head.type !== 'moof') return { next: offset + head.size, place: null };
    if (head.size > largestHead) return null;
    const end = offset + head.size;
    const data = await reader.header(end);
    if (data === null || data.type !== 'mdat' || end + data.size > reader.size) return null;
    const times = readFragment(await reader.bytes(offset, head.size), track);
    const next = end + data.size;
    if (times === null) return { next, place: null };
    const { time, duration, isKey } = times;
    return { next, place: { offset, size: next - offset, time, duration, isKey } };
  } catch (error) {
    // What a power cut left is not always cut off: it may be nonsense, and then it ends here too.
    if (error instanceof CodedError) return null;
    throw error;
  }
}

class WindowReader {
  readonly size: number;
  readonly #handle: FileHandle;
  #window: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.size = size;
  }

  async header(offset: number): Promise<ReturnType<typeof readBoxHeader>> {
    const there = await this.bytes(offset, Math.max(0, Math.min(16, this.size - offset)));
    return readBoxHeader(there, 0, there.length);
  }

  /** Of the window: copy what is to stay. */
  async bytes(offset: number, length: number): Promise<Buffer> {
    const isThere = offset >= this.#at && offset + length <= this.#at + this.#window.length;
    if (!isThere) {
      const wanted = Math.min(Math.max(length, windowSize), this.size - offset);
      const { buffer, bytesRead } = await this.#handle.read(Buffer.allocUnsafe(wanted), 0, wanted, offset);
      this.#window = buffer.subarray(0, bytesRead);
      this.#at = offset;
    }
    return this.#window.subarray(offset - this.#at, offset - this.#at + length);
  }
}
