import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type Clock, systemClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { collide, type MeterFault, type MeterFaults, type Pieces, seededRandom, spoil } from './meter-faults.ts';
import {
  cjt188Frame,
  dlt645Frame,
  hasFrame,
  hearFrame,
  type MeterProtocol,
  openCjt188,
  openDlt645,
} from './meter-frames.ts';
import { Wire, type WireAnswer, type WireStats } from './meter-wire.ts';

/*
 * An RS-485 line with meters behind a transparent TCP serial server: bytes go out as they come in, answers go to everybody who is
 * connected. For a serial port join a pseudo terminal to its TCP port.
 */

/** A meter as the line knows it. Several may have the same address; then they talk at once. */
export interface LineMeter {
  readonly name: string;
  readonly protocol: MeterProtocol;
  hear(frame: Buffer): Buffer | null;
}

export interface MeterLineOptions {
  readonly host: string;
  readonly port: number;
  /** Bit/s of the line; null: as fast as can be, for tests that do not measure time. */
  readonly baud: number | null;
  /** 11: 8E1. */
  readonly bits?: 10 | 11;
  readonly meters: readonly LineMeter[];
  /** What a meter needs before it answers, ms; default 20 when the line has a pace, else 0. */
  readonly think?: number;
  /** FE in front of answers; default 4. */
  readonly preamble?: number;
  readonly seed?: number;
  readonly clock?: Clock;
}

export interface MeterLine extends AsyncDisposable {
  readonly port: number;
  readonly wire: Readonly<WireStats>;
  readonly stats: {
    /** Bytes that came to the serial server, whole frames among them, and answers that met on the line. */
    received: number;
    frames: number;
    collisions: number;
    connections: number;
    open: number;
    /** Answers that were spoiled, by what. */
    readonly faults: Record<string, number>;
  };
  /** From now on; null: nothing goes wrong. `name` is the meter's, all without it. */
  fault(fault: MeterFault | MeterFaults | null, name?: string): void;
  add(meter: LineMeter): void;
  remove(name: string): void;
  /** The cable is out: bytes go nowhere. */
  cut(isCut: boolean): void;
}

/** A meter forgets half a frame when nothing follows for this long, ms (DL/T 645-2007: 500 ms between bytes). */
const patience = 500;
const maxReceived = 1_024;

class Line implements MeterLine {
  readonly stats = {
    received: 0,
    frames: 0,
    collisions: 0,
    connections: 0,
    open: 0,
    faults: {} as Record<string, number>,
  };
  readonly #options: MeterLineOptions;
  readonly #clock: Clock;
  readonly #wire: Wire;
  readonly #random: () => number;
  readonly #sockets = new Set<Socket>();
  readonly #deaf = new WeakSet<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #faults = new Map<string | undefined, MeterFaults>();
  readonly #heard = new Map<string, number>();
  readonly #server: Server;
  #meters: LineMeter[];
  #received: Buffer = Buffer.alloc(0);
  #lastByte = 0;
  #isCut = false;

  constructor(options: MeterLineOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#meters = [...options.meters];
    this.#random = seededRandom(options.seed ?? 1);
    this.#wire = new Wire({ baud: options.baud, bits: options.bits ?? 11 });
    this.#server = createServer({ noDelay: true }, (socket) => this.#connect(socket));
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause: NodeJS.ErrnoException) => {
        const message = cause.code === 'EADDRINUSE' ? `port ${port} on ${host} is taken` : cause.message;
        reject(new CodedError('SIMULATOR_PORT', `virtual meters: ${message}`, { cause }));
      });
      this.#server.listen(port, host, () => resolve());
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get wire(): Readonly<WireStats> {
    return this.#wire.stats;
  }

  fault(fault: MeterFault | MeterFaults | null, name?: string): void {
    if (fault === null) this.#faults.delete(name);
    else this.#faults.set(name, typeof fault === 'function' ? fault : () => fault);
  }

  add(meter: LineMeter): void {
    this.#meters.push(meter);
  }

  remove(name: string): void {
    this.#meters = this.#meters.filter((meter) => meter.name !== name);
  }

  cut(isCut: boolean): void {
    this.#isCut = isCut;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#wire[Symbol.dispose]();
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #connect(socket: Socket): void {
    this.stats.connections++;
    this.stats.open++;
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.stats.open--;
      this.#sockets.delete(socket);
    });
    socket.on('data', (bytes) => {
      this.stats.received += bytes.length;
      if (!this.#deaf.has(socket) && !this.#isCut) this.#receive(bytes);
    });
  }

  #receive(bytes: Buffer): void {
    const now = this.#clock.monotonic();
    if (now - this.#lastByte > patience) this.#received = Buffer.alloc(0);
    this.#lastByte = now;
    this.#received = Buffer.concat([this.#received, bytes]).subarray(-maxReceived);
    for (;;) {
      const { heard, consumed } = hearFrame(this.#received);
      const request = this.#received.subarray(0, consumed);
      this.#received = this.#received.subarray(consumed);
      if (heard === null) return;
      this.stats.frames++;
      this.#ask(Buffer.from(request), heard.protocol, heard.frame);
    }
  }

  #ask(request: Buffer, protocol: MeterProtocol, frame: Buffer): void {
    this.#wire.take({
      request,
      // The serial server does not wait; a meter that answers has the line all the same.
      hold: 0,
      hear: () => this.#hear(protocol, frame),
      answered: (bytes) => this.#send(bytes),
    });
  }

  #hear(protocol: MeterProtocol, frame: Buffer): WireAnswer | null {
    const answers = this.#meters
      .filter((meter) => meter.protocol === protocol)
      .map((meter) => ({ meter, bytes: meter.hear(frame) }))
      .filter((answer): answer is { meter: LineMeter; bytes: Buffer } => answer.bytes !== null);
    const [first] = answers;
    if (first === undefined || this.#isCut) return null;
    const think = this.#options.think ?? (this.#options.baud === null ? 0 : 20);
    if (answers.length > 1) {
      this.stats.collisions++;
      const mixed = collide(
        answers.map(({ bytes }) => this.#wake(bytes)),
        this.#random,
        hasFrame,
      );
      return { after: think, bytes: mixed };
    }
    const fault = this.#faultOf(first.meter.name);
    if (fault === null) return { after: think, bytes: this.#wake(first.bytes) };
    this.stats.faults[fault.kind] = (this.stats.faults[fault.kind] ?? 0) + 1;
    return this.#spoiled(fault, first.bytes, think);
  }

  #wake(bytes: Buffer): Buffer {
    return Buffer.concat([Buffer.alloc(this.#options.preamble ?? 4, 0xfe), bytes]);
  }

  #faultOf(name: string): MeterFault | null {
    const n = (this.#heard.get(name) ?? 0) + 1;
    this.#heard.set(name, n);
    return this.#faults.get(name)?.(n) ?? this.#faults.get(undefined)?.(n) ?? null;
  }

  #spoiled(fault: MeterFault, answer: Buffer, think: number): WireAnswer | null {
    if (fault.kind === 'reset' || fault.kind === 'close' || fault.kind === 'half-open') this.#breakLinks(fault.kind);
    const pieces = spoil(fault, {
      answer: this.#wake(answer),
      random: this.#random,
      isWhole: hasFrame,
      stranger: () => this.#wake(readdressed(answer)),
    });
    if (fault.kind === 'late') {
      this.#later(fault.ms, pieces);
      return null;
    }
    const [first, ...rest] = pieces;
    if (first === undefined) return null;
    const after = think + (fault.kind === 'slow' ? fault.ms : 0);
    for (const piece of rest) this.#later(after + piece.after, [{ after: 0, bytes: piece.bytes }]);
    return { after, bytes: first.bytes };
  }

  #later(ms: number, pieces: Pieces): void {
    for (const { after, bytes } of pieces) {
      const timer = setTimeout(
        () => {
          this.#timers.delete(timer);
          this.#send(bytes);
        },
        ms + after + this.#wire.duration(bytes.length),
      );
      this.#timers.add(timer);
    }
  }

  #breakLinks(kind: 'reset' | 'close' | 'half-open'): void {
    for (const socket of this.#sockets) {
      if (kind === 'reset') socket.resetAndDestroy();
      else if (kind === 'close') socket.end();
      else this.#deaf.add(socket);
    }
  }

  #send(bytes: Buffer): void {
    if (this.#isCut) return;
    for (const socket of this.#sockets) {
      if (!socket.destroyed && socket.writable && !this.#deaf.has(socket)) socket.write(bytes);
    }
  }
}

/** The same answer from the neighbouring address: right in all but whom it is from. */
function readdressed(answer: Buffer): Buffer {
  const next = (address: Buffer) => Buffer.from(address.map((byte, i) => (i === 0 ? byte ^ 1 : byte)));
  if (answer[7] === 0x68) {
    const { address, control, data } = openDlt645(answer);
    return dlt645Frame(next(address), control, data);
  }
  const { type, address, control, data } = openCjt188(answer);
  return cjt188Frame(type, next(address), control, data);
}

/** Starts the line and its serial server. Port 0 takes a free one. */
export async function startMeterLine(options: MeterLineOptions): Promise<MeterLine> {
  const line = new Line(options);
  await line.listen();
  return line;
}
