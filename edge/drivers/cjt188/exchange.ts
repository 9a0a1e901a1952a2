import type { Found, Question } from '../ports/link.ts';
import { anyMeter } from './config.ts';
import { Cjt188Error } from './errors.ts';
import type { Cjt188Frame } from './frame.ts';
import { controls, encodeFrame, exchangeLength, framesIn, isAnswerTo, refusalBit } from './frame.ts';

/** Whom to ask, and how its maker writes. */
export interface Asked {
  readonly type: number;
  readonly meter: string;
  readonly preamble: number;
  /** `901F` as it goes over the wire: as it is printed, or turned round. */
  readonly diOrder: 'printed' | 'turned';
}

/** A question whose answers can be read. */
export interface Exchange<T> {
  readonly question: Question;
  /** Bytes that go over the line in both directions. */
  readonly bytes: number;
  /** Meaning of an accepted answer. Throws Cjt188Error. */
  parse(frame: Buffer): T;
}

interface Shape {
  readonly asked: Asked;
  readonly what: string;
  readonly control: number;
  readonly di: string;
  readonly serial: number;
  readonly data: Buffer;
  readonly expected: number;
}

export interface Answer {
  /** Number of the meter that answered. */
  readonly meter: string;
  /** What follows DI and SER. */
  readonly data: Buffer;
}

const headLength = 3;

/**
 * An answer repeats the identifier and the serial number of its question, so neither a late one nor a copy of an earlier one
 * can stand for it.
 */
function exchange({ asked, what, control, di, serial, data, expected }: Shape): Exchange<Answer> {
  const { type, meter, preamble } = asked;
  const head = Buffer.concat([identifierBytes(di, asked.diOrder), Buffer.from([serial])]);
  const answers = (frame: Cjt188Frame) => {
    if (!isAnswerTo(control, frame) || frame.type !== type) return false;
    if (meter === anyMeter ? !/^\d{14}$/.test(frame.address) : frame.address !== meter) return false;
    const isOurs = frame.data.subarray(0, headLength).equals(head);
    // Refusals have SER and status only (CJ/T 188-2004, 6.2), or the whole head.
    return isOurs || (isRefusal(frame) && frame.data.length === 3 && frame.data[0] === serial);
  };
  const find = (received: Buffer): Found | null => {
    for (const { frame, start, consumed } of framesIn(received)) {
      if (!answers(frame)) continue;
      const found = { frame: received.subarray(start, consumed), consumed };
      return isRefusal(frame) ? { ...found, verdict: 'refused' } : found;
    }
    return null;
  };
  const request = encodeFrame({ type, address: meter, control, data: Buffer.concat([head, data]) }, preamble);
  return {
    question: { unit: meter, what, request, find },
    bytes: exchangeLength(preamble, headLength + data.length, headLength + expected),
    parse(bytes) {
      const [first] = framesIn(bytes);
      if (first === undefined || isRefusal(first.frame)) {
        const status = first?.frame.data.subarray(-2).toString('hex') ?? 'none';
        throw new Cjt188Error(`meter ${meter} refuses to ${what} (status ${status})`);
      }
      const { frame } = first;
      return { meter: frame.address, data: frame.data.subarray(headLength) };
    },
  };
}

const isRefusal = ({ control }: Cjt188Frame) => (control & refusalBit) !== 0;

function identifierBytes(di: string, order: Asked['diOrder']): Buffer {
  const bytes = Buffer.from(di, 'hex');
  return order === 'printed' ? bytes : bytes.reverse();
}

/** Reads an identifier (control 01); `expected` bytes of data for the time they take. */
export function readExchange(asked: Asked, di: string, serial: number, expected: number): Exchange<Answer> {
  const { read } = controls;
  return exchange({ asked, what: `read ${di}`, control: read, di, serial, data: Buffer.alloc(0), expected });
}
