import { EventEmitter } from 'node:events';
import modbusSerial from 'modbus-serial';
import type { Table } from '#edge/profiles/modbus-address.ts';
import type { Found, Question } from '../ports/link.ts';
import { hasGoodCrc } from './crc.ts';
import { exceptionText, ModbusError } from './errors.ts';

/**
 * One request and what may answer it. modbus-serial builds the request, once; see decisions 0006 and 0021. Everything about
 * time, order and which answer belongs to which request is ours, so that nothing of an accepted answer is left to parse.
 */
export interface Exchange {
  readonly unit: number;
  readonly fc: number;
  /** For people: `read 60 input registers at 0`. */
  readonly what: string;
  /** As RTU frames: unit, PDU, CRC. */
  readonly rtu: Question;
  /** As the body of a Modbus TCP frame: unit and PDU. */
  readonly tcp: Question;
  /** Data bytes of the frame that either question found (empty for writes). Throws ModbusError for an exception. */
  parse(frame: Buffer): Buffer;
}

type Done = (error: unknown) => void;
type Client = InstanceType<typeof modbusSerial.default>;

/** Takes the frame that the client writes. */
class FramePort extends EventEmitter {
  readonly isOpen = true;
  written: Buffer = Buffer.alloc(0);

  open(callback: (error?: Error) => void): void {
    callback();
  }

  write(frame: Buffer): void {
    this.written = frame;
  }

  close(callback?: () => void): void {
    callback?.();
  }
}

interface Shape {
  readonly unit: number;
  readonly fc: number;
  readonly what: string;
  /** Bytes of unit and PDU of the only acceptable answer; an exception has three. */
  readonly length: number;
  /** Data bytes of the answer, behind unit, function and count; 0 for a write. */
  readonly data: number;
  readonly send: (client: Client, done: Done) => void;
}

const exceptionLength = 3;
const crcLength = 2;
const gatewaySilent = 11;

function exchange({ unit, fc, what, length, data, send }: Shape): Exchange {
  const port = new FramePort();
  const client = new modbusSerial.default(port);
  client.open(() => {});
  send(client, () => {});
  const request = port.written;
  const matches = (bytes: Buffer, start: number) => answers(bytes, start, request, data);
  const shared = { unit: String(unit), what };
  return {
    unit,
    fc,
    what,
    rtu: {
      ...shared,
      request,
      length: length + crcLength,
      vague: data > 0,
      broadcast: unit === 0,
      find: (received) => findFrame(received, unit, fc, length, matches),
    },
    tcp: {
      ...shared,
      request: request.subarray(0, -crcLength),
      length,
      find: (body) => findBody(body, unit, fc, length, matches),
    },
    parse(frame) {
      if (frame[1] === fc) return data === 0 ? nothing : frame.subarray(3, 3 + data);
      const exception = frame[2] ?? 0;
      throw new ModbusError('exception', `unit ${unit} refuses to ${what}: ${exceptionText(exception)}`, { exception });
    },
  };
}

const nothing = Buffer.alloc(0);

type Matches = (bytes: Buffer, start: number) => boolean;

/** The answer to a read gives its count; that to a write repeats unit, function, address and value or count: six bytes. */
function answers(bytes: Buffer, start: number, request: Buffer, data: number): boolean {
  if (data > 0) return bytes[start + 2] === data;
  return request.compare(bytes, start, start + 6, 0, 6) === 0;
}

/** The first frame that answers, anywhere in a stream. */
function findFrame(received: Buffer, unit: number, fc: number, length: number, matches: Matches): Found | null {
  for (let i = 0; i + exceptionLength + crcLength <= received.length; i++) {
    if (received[i] !== unit) continue;
    const isException = received[i + 1] === (fc | 0x80);
    if (!isException && received[i + 1] !== fc) continue;
    const end = i + (isException ? exceptionLength : length) + crcLength;
    if (end > received.length || !(isException || matches(received, i)) || !hasGoodCrc(received, i, end)) continue;
    return found(received.subarray(i, end), end, isException);
  }
  return null;
}

/** The whole body of a numbered answer, or nothing of it. */
function findBody(body: Buffer, unit: number, fc: number, length: number, matches: Matches): Found | null {
  if (body[0] !== unit) return null;
  if (body[1] === fc && body.length === length && matches(body, 0)) return found(body, length, false);
  return body[1] === (fc | 0x80) && body.length === exceptionLength ? found(body, exceptionLength, true) : null;
}

function found(frame: Buffer, consumed: number, isException: boolean): Found {
  if (!isException) return { frame, consumed };
  return { frame, consumed, verdict: frame[2] === gatewaySilent ? 'silent' : 'refused' };
}

function checkLimits(unit: number, at: number, count: number, most: number): void {
  if (!Number.isInteger(unit) || unit < 0 || unit > 255) throw new ModbusError('limit', `unit ${unit} is not 0..255`);
  if (!Number.isInteger(count) || count < 1 || count > most) {
    throw new ModbusError('limit', `${count} values in one request; Modbus allows 1..${most}`);
  }
  if (!Number.isInteger(at) || at < 0 || at + count > 65_536) {
    throw new ModbusError('limit', `addresses ${at}..${at + count - 1} are not within 0..65535`);
  }
}

const readCodes: Readonly<Record<Table, 1 | 2 | 3 | 4>> = { coil: 1, discrete: 2, holding: 3, input: 4 };
const tableWords: Readonly<Record<Table, string>> = {
  coil: 'coils',
  discrete: 'discrete inputs',
  holding: 'holding registers',
  input: 'input registers',
};

/** Reads `count` registers (at most 125) or bits (at most 2000). Throws MODBUS_LIMIT. */
export function readExchange(unit: number, table: Table, at: number, count: number): Exchange {
  const isBit = table === 'coil' || table === 'discrete';
  checkLimits(unit, at, count, isBit ? 2000 : 125);
  const fc = readCodes[table];
  const bytes = isBit ? Math.ceil(count / 8) : 2 * count;
  return exchange({
    unit,
    fc,
    what: `read ${count} ${tableWords[table]} at ${at}`,
    length: 3 + bytes,
    data: bytes,
    send: (client, done) => {
      if (fc === 1) client.writeFC1(unit, at, count, done);
      else if (fc === 2) client.writeFC2(unit, at, count, done);
      else if (fc === 3) client.writeFC3(unit, at, count, done);
      else client.writeFC4(unit, at, count, done);
    },
  });
}

export type WriteCode = 5 | 6 | 15 | 16;

/** Writes registers given as bytes in wire order, or coils (`values`), with the function code asked for. Throws MODBUS_LIMIT. */
export function writeExchange(unit: number, fc: WriteCode, at: number, values: readonly boolean[] | Buffer): Exchange {
  const count = Buffer.isBuffer(values) ? values.length / 2 : values.length;
  checkLimits(unit, at, count, { 5: 1, 6: 1, 15: 1968, 16: 123 }[fc]);
  if (Buffer.isBuffer(values) !== (fc === 6 || fc === 16)) {
    throw new ModbusError('limit', `function ${fc} does not write ${Buffer.isBuffer(values) ? 'registers' : 'coils'}`);
  }
  const words = Buffer.isBuffer(values) ? Array.from({ length: count }, (_, i) => values.readUInt16BE(2 * i)) : [];
  const bits = Buffer.isBuffer(values) ? [] : [...values];
  return exchange({
    unit,
    fc,
    what: `write ${count} ${fc === 6 || fc === 16 ? 'registers' : 'coils'} at ${at}`,
    length: 6,
    data: 0,
    send: (client, done) => {
      if (fc === 5) client.writeFC5(unit, at, bits[0] === true, done);
      else if (fc === 6) client.writeFC6(unit, at, words[0] ?? 0, done);
      else if (fc === 15) client.writeFC15(unit, at, bits, done);
      else client.writeFC16(unit, at, words, done);
    },
  });
}
