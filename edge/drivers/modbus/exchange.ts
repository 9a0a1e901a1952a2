import { EventEmitter } from 'node:events';
import modbusSerial from 'modbus-serial';
import type { Table } from '#edge/profiles/modbus-address.ts';
import { exceptionText, ModbusError } from './errors.ts';

/**
 * One request and what may answer it, as RTU frames (unit, PDU, CRC). modbus-serial builds the request and parses the
 * answer, over a port of ours that only carries frames; see decision 0006. Everything about time, order and which answer
 * belongs to which request is ours.
 */
export interface Exchange {
  readonly unit: number;
  readonly fc: number;
  /** The request as an RTU frame. */
  readonly request: Buffer;
  /** Length of the only acceptable answer as an RTU frame, CRC included; an exception is always 5. */
  readonly answerLength: number;
  /** For people: `read 60 input registers at 0`. */
  readonly what: string;
  /** Does this frame of `answerLength` bytes answer this request, as far as Modbus lets one tell? CRC not looked at. */
  accepts(frame: Buffer): boolean;
  /** Data bytes of an accepted frame (empty for writes). Throws ModbusError for an exception frame. */
  parse(frame: Buffer): Buffer;
}

type Done = (error: unknown, result?: unknown) => void;
type Client = InstanceType<typeof modbusSerial.default>;

/** Takes the frame that the client writes, and gives it the one answer that we accepted. */
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
  readonly answerLength: number;
  readonly accepts: (frame: Buffer, request: Buffer) => boolean;
  readonly send: (client: Client, done: Done) => void;
}

/** A client of its own for every exchange: no state of an earlier one can leak into it. */
function exchange({ unit, fc, what, answerLength, accepts, send }: Shape): Exchange {
  const port = new FramePort();
  const client = new modbusSerial.default(port);
  client.open(() => {});
  let outcome: { error: unknown; data: Buffer } | undefined;
  send(client, (error, result) => {
    outcome ??= { error, data: bufferOf(result) };
  });
  const request = port.written;
  return {
    unit,
    fc,
    what,
    request,
    answerLength,
    accepts: (frame) => accepts(frame, request),
    parse(frame) {
      if (frame[1] === (fc | 0x80)) {
        const exception = frame[2] ?? 0;
        throw new ModbusError('exception', `unit ${unit} refuses to ${what}: ${exceptionText(exception)}`, {
          exception,
        });
      }
      port.emit('data', frame);
      if (outcome === undefined || outcome.error) {
        throw new ModbusError('garbage', `unit ${unit}: unreadable answer to ${what}`, { cause: outcome?.error });
      }
      return outcome.data;
    },
  };
}

/** The data bytes of a read; the answer to a write has none. */
function bufferOf(result: unknown): Buffer {
  const has = typeof result === 'object' && result !== null && 'buffer' in result;
  return has && Buffer.isBuffer(result.buffer) ? result.buffer : Buffer.alloc(0);
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
    answerLength: 5 + bytes,
    accepts: (frame) => frame[0] === unit && frame[1] === fc && frame[2] === bytes,
    send: (client, done) => {
      if (fc === 1) client.writeFC1(unit, at, count, done);
      else if (fc === 2) client.writeFC2(unit, at, count, done);
      else if (fc === 3) client.writeFC3(unit, at, count, done);
      else client.writeFC4(unit, at, count, done);
    },
  });
}

/** The answer to a write repeats unit, function, address and value (5, 6) or count (15, 16): the first six bytes. */
const echoes = (frame: Buffer, request: Buffer) => frame.subarray(0, 6).equals(request.subarray(0, 6));

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
    answerLength: 8,
    accepts: echoes,
    send: (client, done) => {
      if (fc === 5) client.writeFC5(unit, at, bits[0] === true, done);
      else if (fc === 6) client.writeFC6(unit, at, words[0] ?? 0, done);
      else if (fc === 15) client.writeFC15(unit, at, bits, done);
      else client.writeFC16(unit, at, words, done);
    },
  });
}
