/*
 * DL/T 645-2007, section 5: [FE ...] 68 A0..A5 68 C L DATA CS 16. The address is 12 BCD digits, low byte first; every data byte
 * travels plus 0x33; CS is the sum of all bytes from the first 68, modulo 256.
 */

const start = 0x68;
const end = 0x16;
const offset = 0x33;
/** Bytes around the data. */
const overhead = 12;
/** Section 5.2.5: reading carries at most 200 bytes of data. */
const maxData = 200;
/** 0: from the master, 1: from the meter. */
const directionBit = 0x80;
export const refusalBit = 0x40;
export const moreBit = 0x20;

export const controls = { read: 0x11, readMore: 0x12, readAddress: 0x13, relay: 0x1c } as const;

export interface Dlt645Frame {
  /** 12 digits as printed on the meter; a question may have A for "any" (AAAAAAAAAAAA: whoever is there). */
  readonly address: string;
  readonly control: number;
  /** Without the 0x33. */
  readonly data: Buffer;
}

/** Twelve digits in the order of the wire: low byte first. */
function addressBytes(address: string): Buffer {
  return Buffer.from(address, 'hex').reverse();
}

/** The bytes of a frame, after `preamble` bytes FE that wake the receiver up. */
export function encodeFrame({ address, control, data }: Dlt645Frame, preamble: number): Buffer {
  const body = Buffer.concat([
    Buffer.from([start]),
    addressBytes(address),
    Buffer.from([start, control, data.length]),
    Buffer.from(data.map((byte) => byte + offset)),
  ]);
  return Buffer.concat([Buffer.alloc(preamble, 0xfe), body, Buffer.from([checksum(body), end])]);
}

function checksum(bytes: Buffer): number {
  let sum = 0;
  for (const byte of bytes) sum = (sum + byte) & 0xff;
  return sum;
}

/** Every whole frame with a right checksum, wherever noise ends and it begins, and the indices of its first byte and after it. */
export function* framesIn(bytes: Buffer): Generator<{ frame: Dlt645Frame; start: number; consumed: number }> {
  for (let at = bytes.indexOf(start); at >= 0; at = bytes.indexOf(start, at + 1)) {
    const length = bytes[at + 9];
    if (length === undefined || bytes[at + 7] !== start || length > maxData) continue;
    const consumed = at + overhead + length;
    if (consumed > bytes.length || bytes[consumed - 1] !== end) continue;
    const body = bytes.subarray(at, consumed - 2);
    if (checksum(body) !== bytes[consumed - 2]) continue;
    const frame = {
      address: Buffer.from(body.subarray(1, 7)).reverse().toString('hex').toUpperCase(),
      control: body[8] ?? 0,
      data: Buffer.from(body.subarray(10).map((byte) => byte - offset)),
    };
    yield { frame, start: at, consumed };
  }
}

/** Is it an answer to a request with this function code? The refusal and "more follows" bits are for the caller. */
export function isAnswerTo(control: number, frame: Dlt645Frame): boolean {
  return (frame.control & ~(refusalBit | moreBit)) === (control | directionBit);
}

/** Bytes of a data identifier as they travel: `02010100` -> 00 01 01 02. */
export function identifierBytes(di: string): Buffer {
  return Buffer.from(di, 'hex').reverse();
}

/** Bytes on the wire for a request with so much data and its answer: what a slow line needs before the meter thinks. */
export function exchangeLength(preamble: number, asked: number, answered: number): number {
  return 2 * preamble + 2 * overhead + asked + answered;
}
