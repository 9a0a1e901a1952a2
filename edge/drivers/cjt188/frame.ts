/*
 * CJ/T 188-2004, section 5: [FE ...] 68 T A0..A6 C L DATA CS 16. T is the kind of meter (10 cold water, 20 heat, 30 gas ...), the
 * address is 14 BCD digits, low byte first (the upper four are the maker's code). Data travels as it is; CS is the sum of all
 * bytes from the 68, modulo 256.
 */

const start = 0x68;
const end = 0x16;
/** Bytes around the data. */
const overhead = 13;
/** Section 5: reading carries at most 100 bytes of data. */
const maxData = 100;
/** 0: from the master, 1: from the meter. */
const directionBit = 0x80;
export const refusalBit = 0x40;

export const controls = { read: 0x01 } as const;

export interface Cjt188Frame {
  /** Kind of meter. */
  readonly type: number;
  /** 14 digits as printed on the meter; all A in a question: whoever is there. */
  readonly address: string;
  readonly control: number;
  readonly data: Buffer;
}

/** The bytes of a frame, after `preamble` bytes FE that wake the receiver up. */
export function encodeFrame({ type, address, control, data }: Cjt188Frame, preamble: number): Buffer {
  const body = Buffer.concat([
    Buffer.from([start, type]),
    Buffer.from(address, 'hex').reverse(),
    Buffer.from([control, data.length]),
    data,
  ]);
  return Buffer.concat([Buffer.alloc(preamble, 0xfe), body, Buffer.from([checksum(body), end])]);
}

function checksum(bytes: Buffer): number {
  let sum = 0;
  for (const byte of bytes) sum = (sum + byte) & 0xff;
  return sum;
}

/** Every whole frame with a right checksum, wherever noise ends and it begins, and the indices of its first byte and after it. */
export function* framesIn(bytes: Buffer): Generator<{ frame: Cjt188Frame; start: number; consumed: number }> {
  for (let at = bytes.indexOf(start); at >= 0; at = bytes.indexOf(start, at + 1)) {
    const length = bytes[at + 10];
    if (length === undefined || length > maxData) continue;
    const consumed = at + overhead + length;
    if (consumed > bytes.length || bytes[consumed - 1] !== end) continue;
    const body = bytes.subarray(at, consumed - 2);
    if (checksum(body) !== bytes[consumed - 2]) continue;
    const frame = {
      type: body[1] ?? 0,
      address: Buffer.from(body.subarray(2, 9)).reverse().toString('hex').toUpperCase(),
      control: body[9] ?? 0,
      data: Buffer.from(body.subarray(11)),
    };
    yield { frame, start: at, consumed };
  }
}

/** Is it an answer to a request with this function code? The refusal bit is for the caller. */
export function isAnswerTo(control: number, frame: Cjt188Frame): boolean {
  return (frame.control & ~refusalBit) === (control | directionBit);
}

/** Bytes on the wire for a request with so much data and its answer: what a slow line needs before the meter thinks. */
export function exchangeLength(preamble: number, asked: number, answered: number): number {
  return 2 * preamble + 2 * overhead + asked + answered;
}
