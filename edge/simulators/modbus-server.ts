import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import { CodedError } from '#edge/runtime/errors.ts';
import { Wire, type WireStats } from './meter-wire.ts';
import { deliver, type Later } from './modbus-faults.ts';

export type SimTable = 'coil' | 'discrete' | 'holding' | 'input';

/** One device on a simulated line. Answers data bytes as on the wire, or an exception code. */
export interface SimUnit {
  read(table: SimTable, at: number, count: number): Buffer | number;
  /** Coils come as booleans, registers as bytes in wire order. 0, or an exception code. */
  write(at: number, values: readonly boolean[] | Buffer): number;
}

export interface SimRequest {
  readonly unit: number;
  readonly fc: number;
  readonly at: number;
  readonly count: number;
  /** Counts the requests of this server, from 1. */
  readonly n: number;
}

/** What may go wrong with one answer. `ms` from when it would have been sent. */
export type SimFault =
  | { readonly kind: 'late' | 'doubled' | 'split'; readonly ms: number }
  /** As late, but a line behind a gateway is kept waiting meanwhile. */
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'dropped' | 'garbage' | 'noise' | 'crc' | 'short' | 'stranger' | 'reset' | 'close' }
  /** Two units with this id talk at once; the connection stays open and is dead from now on. */
  | { readonly kind: 'collision' | 'half-open' }
  | { readonly kind: 'exception'; readonly code: number }
  /** Sends these bytes in place of the answer. */
  | { readonly kind: 'raw'; readonly bytes: Buffer };

export interface SimServerOptions {
  readonly host: string;
  readonly port: number;
  readonly framing: 'mbap' | 'rtu';
  readonly units: ReadonlyMap<number, SimUnit>;
  /** Asked for every request; null answers properly. */
  readonly fault?: (request: SimRequest) => SimFault | null;
  /** Time a device needs, ms. */
  readonly think?: number;
  /** A gateway with an RS-485 line behind it, in place of a device that answers by itself. */
  readonly line?: SimGateway;
}

/**
 * A gateway that asks one thing after the other and drops nothing: who has long given up is still served. In-flight requests
 * times the time of one must stay below the client's timeout, or nothing useful comes through any more.
 */
export interface SimGateway {
  /** Bit/s. */
  readonly baud: number;
  /** 10: 8N1, 11: 8E1. Default 10. */
  readonly bits?: 10 | 11;
  /** How long it waits for a unit that is silent, ms; default 1,000. */
  readonly patience?: number;
  /** What the client hears then; the exception over Modbus TCP only. Default nothing. */
  readonly silence?: 'nothing' | '0x0B';
}

export interface SimServer extends AsyncDisposable {
  readonly port: number;
  readonly stats: { requests: number; connections: number; open: number };
  /** Of the line behind a gateway; null without one. */
  readonly wire: Readonly<WireStats> | null;
}

const tables: Readonly<Record<number, SimTable>> = { 1: 'coil', 2: 'discrete', 3: 'holding', 4: 'input' };
const maxBuffer = 4_096;

/** CRC-16/MODBUS, bit by bit: written apart from the driver's, so that one cannot hide a mistake of the other. */
function crc(bytes: Uint8Array): Buffer {
  let value = 0xffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let i = 0; i < 8; i++) value = (value & 1) === 1 ? (value >>> 1) ^ 0xa001 : value >>> 1;
  }
  return Buffer.from([value & 0xff, value >>> 8]);
}

/** A request with its frame's wrapping removed: unit and PDU, and how to wrap the answer. */
export interface Unwrapped {
  readonly body: Buffer;
  readonly wrap: (answer: Buffer) => Buffer;
  readonly length: number;
}

function unwrapMbap(buffer: Buffer): Unwrapped | null {
  if (buffer.length < 7) return null;
  const length = 6 + buffer.readUInt16BE(4);
  if (buffer.length < length) return null;
  const tid = Buffer.from(buffer.subarray(0, 4));
  const wrap = (answer: Buffer) =>
    Buffer.concat([tid, Buffer.from([answer.length >> 8, answer.length & 0xff]), answer]);
  return { body: Buffer.from(buffer.subarray(6, length)), wrap, length };
}

function unwrapRtu(buffer: Buffer): Unwrapped | null {
  if (buffer.length < 8) return null;
  const fc = buffer[1] ?? 0;
  const length = fc === 15 || fc === 16 ? 9 + (buffer[6] ?? 0) : 8;
  if (buffer.length < length) return null;
  const body = Buffer.from(buffer.subarray(0, length - 2));
  // A real device hears a broken frame and says nothing.
  const isGood = crc(body).equals(buffer.subarray(length - 2, length));
  return { body: isGood ? body : Buffer.alloc(0), wrap: (answer) => Buffer.concat([answer, crc(answer)]), length };
}

function unpackBits(bytes: Buffer, count: number): boolean[] {
  return Array.from({ length: count }, (_, i) => ((bytes[i >> 3] ?? 0) & (1 << (i & 7))) !== 0);
}

/** PDU of the answer, without unit. */
function answerPdu(unit: SimUnit, body: Buffer): Buffer {
  const fc = body[1] ?? 0;
  const refuse = (code: number) => Buffer.from([fc | 0x80, code]);
  const at = body.readUInt16BE(2);
  const table = tables[fc];
  if (table !== undefined) {
    const count = body.readUInt16BE(4);
    if (count < 1 || count > (fc <= 2 ? 2000 : 125)) return refuse(3);
    const data = unit.read(table, at, count);
    return typeof data === 'number' ? refuse(data) : Buffer.concat([Buffer.from([fc, data.length]), data]);
  }
  if (fc !== 5 && fc !== 6 && fc !== 15 && fc !== 16) return refuse(1);
  const word = body.readUInt16BE(4);
  if (fc === 5 && word !== 0 && word !== 0xff00) return refuse(3);
  const values =
    fc === 5
      ? [word === 0xff00]
      : fc === 6
        ? body.subarray(4, 6)
        : fc === 15
          ? unpackBits(body.subarray(7), word)
          : body.subarray(7);
  const code = unit.write(at, values);
  return code === 0 ? Buffer.from(body.subarray(1, 6)) : refuse(code);
}

/** A Modbus TCP or RTU-over-TCP server: a device with an Ethernet port, or a gateway with several devices behind it. */
export async function startModbusServer(options: SimServerOptions): Promise<SimServer> {
  const stats = { requests: 0, connections: 0, open: 0 };
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();
  const later: Later = (ms, action) => {
    if (ms <= 0) {
      action();
      return;
    }
    const timer = setTimeout(() => {
      timers.delete(timer);
      action();
    }, ms);
    timers.add(timer);
  };
  const unwrap = options.framing === 'mbap' ? unwrapMbap : unwrapRtu;

  const gateway = options.line;
  const wire = gateway && new Wire({ baud: gateway.baud, bits: gateway.bits ?? 10, gap: 3.5 });
  const deaf = new WeakSet<Socket>();
  const think = options.think ?? 0;

  /** What the unit says, without unit and wrapping; null: it is silent, or not there. */
  const ask = ({ body }: Unwrapped): { pdu: Buffer | null; fault: SimFault | null } => {
    const [unitId = 0, fc = 0] = body;
    const unit = options.units.get(unitId);
    stats.requests++;
    const count = fc <= 4 || fc === 15 || fc === 16 ? body.readUInt16BE(4) : 1;
    const fault = options.fault?.({ unit: unitId, fc, at: body.readUInt16BE(2), count, n: stats.requests }) ?? null;
    if (unitId === 0 && options.framing === 'rtu') for (const each of options.units.values()) answerPdu(each, body);
    // Nobody there: a serial line stays silent; a gateway says 0x0B only when its maker thought of it.
    if (unit === undefined || fault?.kind === 'dropped') return { pdu: null, fault };
    return { pdu: fault?.kind === 'exception' ? Buffer.from([fc | 0x80, fault.code]) : answerPdu(unit, body), fault };
  };
  const reply = (socket: Socket, request: Unwrapped, pdu: Buffer, fault: SimFault | null) => {
    const answer = request.wrap(Buffer.concat([request.body.subarray(0, 1), pdu]));
    deliver({ socket, request, answer, fault, later, deaf });
  };
  const serve = (socket: Socket, request: Unwrapped) => {
    if (request.body.length < 6 || deaf.has(socket)) return;
    if (wire === undefined) {
      const { pdu, fault } = ask(request);
      if (pdu !== null) later(think, () => reply(socket, request, pdu, fault));
      return;
    }
    let asked: ReturnType<typeof ask> = { pdu: null, fault: null };
    wire.take({
      // Unit, PDU and CRC, whatever the client's frame looks like.
      request: Buffer.alloc(request.body.length + 2),
      hold: gateway?.patience ?? 1_000,
      hear: () => {
        asked = ask(request);
        const extra = asked.fault?.kind === 'late' || asked.fault?.kind === 'slow' ? asked.fault.ms : 0;
        return asked.pdu && { after: think + extra, bytes: Buffer.alloc(asked.pdu.length + 3) };
      },
      answered: () => {
        const isDone = asked.fault?.kind === 'late' || asked.fault?.kind === 'slow';
        if (asked.pdu !== null) reply(socket, request, asked.pdu, isDone ? null : asked.fault);
      },
      silent: () => {
        if (gateway?.silence !== '0x0B' || options.framing !== 'mbap') return;
        reply(socket, request, Buffer.from([(request.body[1] ?? 0) | 0x80, 0x0b]), null);
      },
    });
  };

  const server = createServer({ noDelay: true }, (socket) => {
    stats.connections++;
    stats.open++;
    sockets.add(socket);
    let buffer: Buffer = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('close', () => {
      stats.open--;
      sockets.delete(socket);
    });
    socket.on('data', (bytes) => {
      buffer = Buffer.concat([buffer, bytes]).subarray(-maxBuffer);
      for (let request = unwrap(buffer); request !== null; request = unwrap(buffer)) {
        buffer = buffer.subarray(request.length);
        serve(socket, request);
      }
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const message = cause.code === 'EADDRINUSE' ? `port ${options.port} on ${options.host} is taken` : cause.message;
      reject(new CodedError('SIMULATOR_PORT', `virtual Modbus devices: ${message}`, { cause }));
    });
    server.listen(options.port, options.host, () => resolve());
  });
  return {
    port: (server.address() as AddressInfo).port,
    stats,
    wire: wire?.stats ?? null,
    async [Symbol.asyncDispose]() {
      wire?.[Symbol.dispose]();
      for (const timer of timers) clearTimeout(timer);
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
