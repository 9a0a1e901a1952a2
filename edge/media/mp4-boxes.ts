import { CodedError } from '#edge/runtime/errors.ts';

/* Boxes of ISO/IEC 14496-12. Every size here was written by a camera's video or a disk: none is believed before it is compared. */

/** One box within a buffer: `body` is where its content begins, `end` is exclusive. */
export interface Box {
  readonly type: string;
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

/** More boxes side by side than any init segment or fragment of ours has. */
const mostSiblings = 4_096;

/** What cannot be understood in a box, with its place; code `MP4_INVALID`. */
export function invalidMp4(message: string, offset: number): CodedError {
  return new CodedError('MP4_INVALID', `${message} at byte ${offset}`);
}

/** The size and kind of a box whose first bytes are at `at`; null: fewer bytes are there than its header needs. */
export function readBoxHeader(
  bytes: Buffer,
  at: number,
  end: number,
): { readonly type: string; readonly header: number; readonly size: number } | null {
  if (end - at < 8) return null;
  const short = bytes.readUInt32BE(at);
  const type = bytes.toString('latin1', at + 4, at + 8);
  if (!/^[\x20-\x7e\xa9]{4}$/.test(type)) throw invalidMp4('no box has such a kind', at);
  if (short !== 1) {
    if (short < 8) throw invalidMp4(`box ${type} says it is ${short} bytes long`, at);
    return { type, header: 8, size: short };
  }
  if (end - at < 16) return null;
  const size = Number(bytes.readBigUInt64BE(at + 8));
  if (size < 16) throw invalidMp4(`box ${type} says it is ${size} bytes long`, at);
  return { type, header: 16, size };
}

/** The boxes side by side between two places. Throws `MP4_INVALID` where one does not fit into what holds it. */
export function boxesIn(bytes: Buffer, from = 0, to = bytes.length): Box[] {
  const boxes: Box[] = [];
  for (let at = from; at < to; ) {
    const header = readBoxHeader(bytes, at, to);
    if (header === null) throw invalidMp4('a box is cut off', at);
    const end = at + header.size;
    if (end > to) throw invalidMp4(`box ${header.type} is longer than what holds it`, at);
    if (boxes.length === mostSiblings) throw invalidMp4('too many boxes', at);
    boxes.push({ type: header.type, start: at, body: at + header.header, end });
    at = end;
  }
  return boxes;
}

/** The first box on a way of kinds, e.g. `['mdia', 'minf', 'stbl']` within a `trak`; null: there is none. */
export function boxOnWay(bytes: Buffer, within: Box, way: readonly string[]): Box | null {
  let here = within;
  for (const type of way) {
    const next = boxesIn(bytes, here.body, here.end).find((box) => box.type === type);
    if (next === undefined) return null;
    here = next;
  }
  return here;
}

/** A cursor over the content of one box that refuses to read past its end. */
export class BoxContent {
  readonly #bytes: Buffer;
  readonly #box: Box;
  #at: number;

  constructor(bytes: Buffer, box: Box) {
    this.#bytes = bytes;
    this.#box = box;
    this.#at = box.body;
  }

  get left(): number {
    return this.#box.end - this.#at;
  }

  skip(count: number): this {
    this.#take(count);
    return this;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  u16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  /** Rounded above 2^53, which no clock of a stream reaches. */
  u64(): number {
    return Number(this.#bytes.readBigUInt64BE(this.#take(8)));
  }

  /** Version and flags of a "full box". */
  full(): { readonly version: number; readonly flags: number } {
    const word = this.u32();
    return { version: word >>> 24, flags: word & 0xff_ff_ff };
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#box.end) throw invalidMp4(`box ${this.#box.type} ends too early`, at);
    this.#at = at + count;
    return at;
  }
}
