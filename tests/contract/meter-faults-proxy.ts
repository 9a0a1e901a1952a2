import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { deliver } from '#edge/simulators/modbus-faults.ts';
import type { Weather } from './meter-faults-lab.ts';
import { simFault } from './meter-faults-modbus.ts';

/*
 * Stands between a Modbus client and a slave that nobody here wrote, as a gateway does: one request after the other goes to the
 * slave, and what comes back is handed on, or what the weather makes of it.
 */

export type Framing = 'mbap' | 'rtu';

export interface FaultProxy extends AsyncDisposable {
  /** For the client. */
  readonly port: number;
  /** For a slave that calls, as a terminal does that is joined to us; 0 where we call the slave. */
  readonly slavePort: number;
}

export interface FaultProxyOptions {
  readonly framing: Framing;
  readonly weather: Weather;
  /** Port of the slave; absent: it calls. */
  readonly slave?: number;
  /** Unit and PDU of each request, as it goes to the slave, and of the answer it gave. */
  readonly asking: (body: Buffer) => void;
  readonly answered: (body: Buffer, answer: Buffer) => void;
}

const host = '127.0.0.1';
/** A slave that says nothing for so long does not want to, ms. */
const patience = 1_000;

function crc(bytes: Buffer): Buffer {
  let value = 0xffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let i = 0; i < 8; i++) value = (value & 1) === 1 ? (value >>> 1) ^ 0xa001 : value >>> 1;
  }
  return Buffer.from([value & 0xff, value >>> 8]);
}

/** Bytes of the first frame; 0: not yet known. */
function lengthOf(framing: Framing, bytes: Buffer, isAnswer: boolean): number {
  if (framing === 'mbap') return bytes.length < 6 ? 0 : 6 + bytes.readUInt16BE(4);
  const fc = bytes[1] ?? 0;
  if (bytes.length < 3) return 0;
  if (!isAnswer) return 8;
  return fc >= 0x80 ? 5 : fc <= 4 ? 5 + (bytes[2] ?? 0) : 8;
}

/** Collects frames from a stream. */
function framesOf(framing: Framing, isAnswer: boolean, take: (frame: Buffer) => void): (bytes: Buffer) => void {
  let buffer: Buffer = Buffer.alloc(0);
  return (bytes) => {
    buffer = Buffer.concat([buffer, bytes]);
    for (;;) {
      const length = lengthOf(framing, buffer, isAnswer);
      if (length === 0 || buffer.length < length) return;
      take(buffer.subarray(0, length));
      buffer = buffer.subarray(length);
    }
  };
}

const bodyOf = (framing: Framing, frame: Buffer) =>
  Buffer.from(framing === 'mbap' ? frame.subarray(6) : frame.subarray(0, -2));

function wrapperOf(framing: Framing, request: Buffer): (body: Buffer) => Buffer {
  if (framing === 'rtu') return (body) => Buffer.concat([body, crc(body)]);
  const tid = Buffer.from(request.subarray(0, 4));
  return (body) => Buffer.concat([tid, Buffer.from([body.length >> 8, body.length & 0xff]), body]);
}

async function listen(onSocket: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer({ noDelay: true }, onSocket);
  server.listen(0, host);
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

interface Asked {
  readonly socket: Socket;
  readonly request: Buffer;
}

export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const { framing, weather, asking, answered } = options;
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();
  const deaf = new WeakSet<Socket>();
  const queue: Asked[] = [];
  let open: Asked | null = null;
  let slave: Socket | null = null;
  let count = 0;
  const later = (ms: number, action: () => void) => {
    if (ms <= 0) return action();
    const timer = setTimeout(() => {
      timers.delete(timer);
      action();
    }, ms);
    timers.add(timer);
  };
  const next = () => {
    open = queue.shift() ?? null;
    if (open === null || slave === null) return;
    const asked = open;
    asking(bodyOf(framing, asked.request));
    slave.write(asked.request);
    later(patience, () => open === asked && next());
  };
  const hear = (frame: Buffer) => {
    const asked = open;
    if (asked === null) return;
    const body = bodyOf(framing, asked.request);
    answered(body, bodyOf(framing, frame));
    const fault = simFault(weather, ++count, framing === 'mbap');
    const wrap = wrapperOf(framing, asked.request);
    const answer =
      fault?.kind === 'exception'
        ? wrap(Buffer.from([body[0] ?? 0, (body[1] ?? 0) | 0x80, fault.code]))
        : Buffer.from(frame);
    deliver({
      socket: asked.socket,
      request: { body, wrap, length: asked.request.length },
      answer,
      fault,
      later,
      deaf,
    });
    next();
  };
  const adopt = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  };
  const join = (socket: Socket) => {
    adopt(socket);
    socket.setNoDelay(true);
    slave = socket;
    socket.on('data', framesOf(framing, true, hear));
  };
  const clients = await listen((socket) => {
    adopt(socket);
    const take = (frame: Buffer) => {
      if (deaf.has(socket)) return;
      queue.push({ socket, request: Buffer.from(frame) });
      if (open === null) next();
    };
    socket.on('data', framesOf(framing, false, take));
  });
  const slaves = options.slave === undefined ? await listen(join) : null;
  if (options.slave !== undefined) join(connect({ host, port: options.slave }));
  return {
    port: clients.port,
    slavePort: slaves?.port ?? 0,
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearTimeout(timer);
      for (const socket of sockets) socket.destroy();
      for (const server of [clients.server, slaves?.server]) {
        if (server !== undefined) await new Promise<void>((resolve) => server.close(() => resolve()));
      }
    },
  };
}
