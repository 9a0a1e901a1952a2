import type { FootageRange } from '#edge/domain/recording.ts';
import type { FootageFile } from './footage-names.ts';

/** Two files of one stream that are no further apart than this are one range: a picture at 1 a second may lie between, ms. */
const seam = 1_500;
const firstRoom = 256;

/**
 * The files of one camera in the order of their starts, which are unique. Columns instead of objects: 90 days of 30 s are a quarter
 * of a million rows, and a campus has many cameras. Files may overlap (our clock was put back): nothing here minds.
 */
export class FootageTable {
  #from = new Float64Array(firstRoom);
  #to = new Float64Array(firstRoom);
  #bytes = new Uint32Array(firstRoom);
  #isEvent = new Uint8Array(firstRoom);
  /** Rows before it are deleted: the oldest go first, and moving the rest each time would cost the square. */
  #head = 0;
  #end = 0;
  #total = 0;
  /** No file is longer, ms. */
  #longest = 0;

  get size(): number {
    return this.#end - this.#head;
  }

  /** Bytes of all files. */
  get bytes(): number {
    return this.#total;
  }

  /** Rows count from the oldest, 0. */
  at(row: number): FootageFile | null {
    const i = this.#head + row;
    if (row < 0 || i >= this.#end) return null;
    const kind = this.#isEvent[i] === 1 ? 'event' : 'continuous';
    return { from: this.#from[i] ?? 0, to: this.#to[i] ?? 0, bytes: this.#bytes[i] ?? 0, kind };
  }

  has(from: number): boolean {
    return this.find(from) !== null;
  }

  find(from: number): FootageFile | null {
    const row = this.#search(from) - this.#head;
    const file = this.at(row);
    return file?.from === from ? file : null;
  }

  /** The first start from `from` on that no file has: a clock that was put back must not write over what is there. */
  freeStart(from: number): number {
    let free = from;
    while (this.has(free)) free++;
    return free;
  }

  /** False when a file begins at that very ms: the first one stays. */
  add(file: FootageFile): boolean {
    const isNewest = this.size === 0 || file.from > (this.#from[this.#end - 1] ?? 0);
    if (!isNewest && this.has(file.from)) return false;
    this.#makeRoom();
    const at = isNewest ? this.#end : this.#search(file.from);
    this.#from.copyWithin(at + 1, at, this.#end);
    this.#to.copyWithin(at + 1, at, this.#end);
    this.#bytes.copyWithin(at + 1, at, this.#end);
    this.#isEvent.copyWithin(at + 1, at, this.#end);
    this.#set(at, file);
    this.#end++;
    return true;
  }

  /** The file that began then, and is not here any more. */
  remove(from: number): FootageFile | null {
    const file = this.find(from);
    if (file === null) return null;
    const at = this.#search(from);
    this.#total -= file.bytes;
    if (at === this.#head) {
      this.#head++;
      return file;
    }
    this.#from.copyWithin(at, at + 1, this.#end);
    this.#to.copyWithin(at, at + 1, this.#end);
    this.#bytes.copyWithin(at, at + 1, this.#end);
    this.#isEvent.copyWithin(at, at + 1, this.#end);
    this.#end--;
    return file;
  }

  /** Files that have something of [from, to), the oldest first. */
  *between(from: number, to: number): Generator<FootageFile> {
    for (let row = this.#search(from - this.#longest) - this.#head; ; row++) {
      const file = this.at(row);
      if (file === null || file.from >= to) return;
      if (file.to > from) yield file;
    }
  }

  /** What there is of [from, to) without the seams between files. */
  ranges(from: number, to: number): FootageRange[] {
    const ranges: { from: number; to: number }[] = [];
    for (const file of this.between(from, to)) {
      const last = ranges.at(-1);
      if (last !== undefined && file.from <= last.to + seam) last.to = Math.max(last.to, file.to);
      else ranges.push({ from: file.from, to: file.to });
    }
    return ranges;
  }

  /** How much of [from, to) there is, ms; what overlaps counts once, and seams count as there. */
  covered(from: number, to: number): number {
    let covered = 0;
    let end = Number.NEGATIVE_INFINITY;
    for (let i = this.#search(from - this.#longest); i < this.#end; i++) {
      const start = this.#from[i] ?? 0;
      if (start >= to) break;
      const stop = Math.min(to, this.#to[i] ?? 0);
      const begin = Math.max(from, start <= end + seam ? end : start, end);
      if (stop > begin) covered += stop - begin;
      end = Math.max(end, stop);
    }
    return covered;
  }

  /** Bytes of the files that begin in [from, to). */
  bytesBetween(from: number, to: number): number {
    let bytes = 0;
    for (let i = this.#search(from); i < this.#end && (this.#from[i] ?? 0) < to; i++) bytes += this.#bytes[i] ?? 0;
    return bytes;
  }

  /** The last file that begins before that; null: there is none. */
  newest(before: number): FootageFile | null {
    return this.at(this.#search(before) - this.#head - 1);
  }

  /**
   * Where the newest run of footage that begins before `before` begins: back from its last file to the first hole that breaks it. null: there
   * is none.
   */
  unbrokenSince(isBreak: (from: number, to: number) => boolean, before = Number.POSITIVE_INFINITY): number | null {
    const last = this.#search(before) - 1;
    if (last < this.#head) return null;
    let begin = this.#from[last] ?? 0;
    for (let i = last - 1; i >= this.#head; i--) {
      const end = this.#to[i] ?? 0;
      if (begin - end > seam && isBreak(end, begin)) return begin;
      begin = Math.min(begin, this.#from[i] ?? 0);
    }
    return begin;
  }

  /** The first row at or after that start. */
  #search(from: number): number {
    let low = this.#head;
    let high = this.#end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#from[middle] ?? 0) < from) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #set(at: number, file: FootageFile): void {
    this.#from[at] = file.from;
    this.#to[at] = file.to;
    this.#bytes[at] = file.bytes;
    this.#isEvent[at] = file.kind === 'event' ? 1 : 0;
    this.#total += file.bytes;
    this.#longest = Math.max(this.#longest, file.to - file.from);
  }

  #makeRoom(): void {
    if (this.#end < this.#from.length) return;
    const { size } = this;
    const room = Math.max(firstRoom, size * 2);
    const grow = <T extends Float64Array | Uint32Array | Uint8Array>(old: T, fresh: T): T => {
      fresh.set(old.subarray(this.#head, this.#end));
      return fresh;
    };
    this.#from = grow(this.#from, new Float64Array(room));
    this.#to = grow(this.#to, new Float64Array(room));
    this.#bytes = grow(this.#bytes, new Uint32Array(room));
    this.#isEvent = grow(this.#isEvent, new Uint8Array(room));
    this.#head = 0;
    this.#end = size;
  }
}
