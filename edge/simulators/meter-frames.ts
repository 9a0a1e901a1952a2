/*
 * Frames of DL/T 645-2007 and CJ/T 188-2004 as a meter hears them. Written from published frames alone and apart from the
 * drivers, so that one cannot hide a mistake of the other.
 *
 *   DL/T 645:  68 A0..A5 68 C L DATA(+33) CS 16     address BCD, low byte first
 *   CJ/T 188:  68 T A0..A6 C L DATA CS 16           no offset
 * CS is the sum of everything from the first 68, modulo 256. FE FE FE FE in front wakes the receiver and is not part of the frame.
 */

export type MeterProtocol = 'dlt645' | 'cjt188';

export interface HeardFrame {
  readonly protocol: MeterProtocol;
  readonly frame: Buffer;
}

/** What was found at the beginning of the bytes: a frame, a frame that is not complete yet, or nothing that can become one. */
type Found = { readonly frame: Buffer } | 'more' | 'none';

const start = 0x68;
const end = 0x16;

function sum(bytes: Uint8Array): number {
  let total = 0;
  for (const byte of bytes) total = (total + byte) & 0xff;
  return total;
}

function complete(bytes: Buffer, length: number): Found {
  if (bytes.length < length) return 'more';
  const frame = bytes.subarray(0, length);
  const isGood = frame[length - 1] === end && frame[length - 2] === sum(frame.subarray(0, length - 2));
  return isGood ? { frame: Buffer.from(frame) } : 'none';
}

function dlt645At(bytes: Buffer): Found {
  if (bytes.length >= 8 && bytes[7] !== start) return 'none';
  return bytes.length < 10 ? 'more' : complete(bytes, 12 + (bytes[9] ?? 0));
}

function cjt188At(bytes: Buffer): Found {
  return bytes.length < 11 ? 'more' : complete(bytes, 13 + (bytes[10] ?? 0));
}

/**
 * The first whole frame of either protocol, and how many bytes are done with (noise before it, and it). A start that may still
 * become a frame does not hide a whole one behind it.
 */
export function hearFrame(received: Buffer): { heard: HeardFrame | null; consumed: number } {
  let waiting = -1;
  for (let at = received.indexOf(start); at >= 0; at = received.indexOf(start, at + 1)) {
    const bytes = received.subarray(at);
    const found = { dlt645: dlt645At(bytes), cjt188: cjt188At(bytes) };
    for (const protocol of ['dlt645', 'cjt188'] as const) {
      const one = found[protocol];
      if (typeof one === 'object') {
        return { heard: { protocol, frame: one.frame }, consumed: at + one.frame.length };
      }
      if (one === 'more' && waiting < 0) waiting = at;
    }
  }
  return { heard: null, consumed: waiting < 0 ? received.length : waiting };
}

/** Whether a whole, well-formed frame is in there. */
export function hasFrame(bytes: Buffer): boolean {
  return hearFrame(bytes).heard !== null;
}

export function closeFrame(head: Buffer): Buffer {
  return Buffer.concat([head, Buffer.from([sum(head), end])]);
}

export interface Dlt645Heard {
  /** A0..A5 as on the wire. */
  readonly address: Buffer;
  readonly control: number;
  /** Without the offset of 33. */
  readonly data: Buffer;
}

export function openDlt645(frame: Buffer): Dlt645Heard {
  return {
    address: frame.subarray(1, 7),
    control: frame[8] ?? 0,
    data: Buffer.from(frame.subarray(10, -2).map((byte) => (byte - 0x33) & 0xff)),
  };
}

export function dlt645Frame(address: Buffer, control: number, data: Buffer): Buffer {
  const shifted = data.map((byte) => (byte + 0x33) & 0xff);
  const head = [Buffer.from([start]), address, Buffer.from([start, control, data.length]), Buffer.from(shifted)];
  return closeFrame(Buffer.concat(head));
}

export interface Cjt188Heard {
  readonly type: number;
  /** A0..A6 as on the wire. */
  readonly address: Buffer;
  readonly control: number;
  readonly data: Buffer;
}

export function openCjt188(frame: Buffer): Cjt188Heard {
  return {
    type: frame[1] ?? 0,
    address: frame.subarray(2, 9),
    control: frame[9] ?? 0,
    data: Buffer.from(frame.subarray(11, -2)),
  };
}

export function cjt188Frame(type: number, address: Buffer, control: number, data: Buffer): Buffer {
  return closeFrame(Buffer.concat([Buffer.from([start, type]), address, Buffer.from([control, data.length]), data]));
}

/** Digits as printed, high first, to packed BCD as on the wire, low byte first. */
export function bcdDigits(digits: string): Buffer {
  return Buffer.from(digits, 'hex').reverse();
}

/** A whole number as packed BCD, low byte first; what does not fit rolls over, as a display does. */
export function bcd(value: number, bytes: number): Buffer {
  const digits = String(Math.round(Math.abs(value)) % 10 ** (2 * bytes));
  return bcdDigits(digits.padStart(2 * bytes, '0'));
}

/** The sign is the top bit of the highest byte (DL/T 645-2007 annex A: power and power factor). */
export function signedBcd(value: number, bytes: number): Buffer {
  const packed = bcd(Math.abs(value) % (8 * 10 ** (2 * bytes - 1)), bytes);
  if (value < 0) packed[bytes - 1] = (packed[bytes - 1] ?? 0) | 0x80;
  return packed;
}

/** Local clock of a meter in China, fields as numbers. */
export function meterClock(now: number) {
  const local = new Date(now + 8 * 3_600_000);
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    weekday: local.getUTCDay(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
  };
}
