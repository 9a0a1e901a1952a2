import type { Found, Question } from '../ports/link.ts';
import { anyMeter } from './config.ts';
import { Dlt645Error, errorText } from './errors.ts';
import type { Dlt645Frame } from './frame.ts';
import {
  controls,
  encodeFrame,
  exchangeLength,
  framesIn,
  identifierBytes,
  isAnswerTo,
  moreBit,
  refusalBit,
} from './frame.ts';

/** A question whose answers can be read. */
export interface Exchange<T> {
  readonly question: Question;
  /** Bytes that go over the line in both directions. */
  readonly bytes: number;
  /** Meaning of an accepted answer. Throws Dlt645Error. */
  parse(frame: Buffer): T;
}

interface Shape<T> {
  readonly meter: string;
  readonly preamble: number;
  readonly what: string;
  readonly control: number;
  readonly data: Buffer;
  /** Bytes of data that an answer is expected to have; for the time it takes. */
  readonly expected: number;
  /** Does the answer, neither refused nor of another meter, belong to this question? */
  readonly belongs: (frame: Dlt645Frame) => boolean;
  readonly meaning: (frame: Dlt645Frame) => T;
}

/**
 * A copy of an earlier answer to the same question is old, and a refusal does not name the identifier that it refuses: what is read
 * is not believed when it is byte for byte what came a moment ago (`vague`). A command is never sent twice for that: its answers are
 * all the same, and every wrong password counts.
 */
function exchange<T>(shape: Shape<T>): Exchange<T> {
  const { meter, preamble, what, control, data, expected, belongs, meaning } = shape;
  /** Ours, and complete: another meter, function or identifier is not an answer, and is passed over. */
  const answers = (frame: Dlt645Frame) => {
    if (!isAnswerTo(control, frame)) return false;
    if (meter !== anyMeter && frame.address !== meter) return false;
    return isRefusal(frame) ? frame.data.length === 1 : belongs(frame);
  };
  const find = (received: Buffer): Found | null => {
    for (const { frame, start, consumed } of framesIn(received)) {
      if (!answers(frame)) continue;
      const found = { frame: received.subarray(start, consumed), consumed };
      return isRefusal(frame) ? { ...found, verdict: 'refused' } : found;
    }
    return null;
  };
  return {
    question: {
      unit: meter,
      what,
      request: encodeFrame({ address: meter, control, data }, preamble),
      find,
      vague: control !== controls.relay,
    },
    bytes: exchangeLength(preamble, data.length, expected),
    parse(bytes) {
      const [first] = framesIn(bytes);
      if (first === undefined) throw new Dlt645Error('shape', `meter ${meter}: unreadable answer to ${what}`);
      const { frame } = first;
      if (isRefusal(frame)) {
        const word = frame.data[0] ?? 0;
        throw new Dlt645Error('refused', `meter ${meter} refuses to ${what}: ${errorText(word)}`, word);
      }
      return meaning(frame);
    },
  };
}

const isRefusal = ({ control }: Dlt645Frame) => (control & refusalBit) !== 0;
const hasMore = ({ control }: Dlt645Frame) => (control & moreBit) !== 0;

/** What a meter sent of an identifier, and whether there is more to ask for. */
export interface Part {
  readonly data: Buffer;
  readonly more: boolean;
}

interface Asked {
  readonly meter: string;
  readonly preamble: number;
}

/** Reads a data identifier (0x11): its data, `expected` bytes or another number of them. */
export function readExchange({ meter, preamble }: Asked, di: string, expected: number): Exchange<Part> {
  const identifier = identifierBytes(di);
  return exchange({
    meter,
    preamble,
    what: `read ${di}`,
    control: controls.read,
    data: identifier,
    expected: 4 + expected,
    belongs: ({ data }) => data.subarray(0, 4).equals(identifier),
    meaning: (frame) => ({ data: frame.data.subarray(4), more: hasMore(frame) }),
  });
}

/** Asks for the next part of an answer that did not fit (0x12); `sequence` counts from 1. */
export function readMoreExchange({ meter, preamble }: Asked, di: string, sequence: number): Exchange<Part> {
  const identifier = identifierBytes(di);
  return exchange({
    meter,
    preamble,
    what: `read part ${sequence + 1} of ${di}`,
    control: controls.readMore,
    data: Buffer.concat([identifier, Buffer.from([sequence])]),
    expected: 200,
    // The answer repeats the identifier before its data and the number behind them.
    belongs: ({ data }) => data.length > 5 && data.subarray(0, 4).equals(identifier) && data.at(-1) === sequence,
    meaning: (frame) => ({ data: frame.data.subarray(4, -1), more: hasMore(frame) }),
  });
}

/** Asks the only meter of a line for its number (0x13). */
export function addressExchange(preamble: number): Exchange<string> {
  return exchange({
    meter: anyMeter,
    preamble,
    what: 'read the meter number',
    control: controls.readAddress,
    data: Buffer.alloc(0),
    expected: 6,
    belongs: ({ address, data }) => /^\d{12}$/.test(numberOf(data)) && [anyMeter, numberOf(data)].includes(address),
    meaning: ({ data }) => numberOf(data),
  });
}

const numberOf = (data: Buffer) => Buffer.from(data).reverse().toString('hex').toUpperCase();

export interface RelayCommand {
  /** Level and six digits. */
  readonly password: string;
  readonly operator: string;
  /** 1A opens, 1B allows to close, 1C closes. */
  readonly command: number;
  /** The meter refuses the command after this, ms since epoch. */
  readonly expires: number;
}

/** Switches the meter's relay (0x1C). The answer says only that it was taken. */
export function relayExchange({ meter, preamble }: Asked, relay: RelayCommand): Exchange<void> {
  const level = Buffer.from(relay.password.slice(0, 2), 'hex');
  const data = Buffer.concat([
    level,
    Buffer.from(relay.password.slice(2), 'hex').reverse(),
    Buffer.from(relay.operator, 'hex').reverse(),
    Buffer.from([relay.command, 0x00]),
    meterTime(relay.expires),
  ]);
  return exchange({
    meter,
    preamble,
    what: `switch its relay (${relay.command.toString(16).toUpperCase()})`,
    control: controls.relay,
    data,
    expected: 0,
    belongs: (frame) => frame.data.length === 0,
    meaning: () => undefined,
  });
}

/** Meters of this standard run on Beijing time, which has no summer time. */
const beijing = 8 * 3_600_000;

/** ss mm hh DD MM YY in BCD. */
function meterTime(ms: number): Buffer {
  const [, year = '', month = '', day = '', hour = '', minute = '', second = ''] =
    /^\d\d(\d\d)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)/.exec(new Date(ms + beijing).toISOString()) ?? [];
  return Buffer.from(second + minute + hour + day + month + year, 'hex');
}
