import { randomInt } from 'node:crypto';
import type { Clock } from '#edge/runtime/clock.ts';
import type { BytePort } from '../ports/port.ts';
import { withCrc } from './crc.ts';
import { ModbusError } from './errors.ts';
import type { Exchange } from './exchange.ts';
import type { Link, LinkEvents } from './link.ts';

const headerLength = 7;
/** Unit and PDU: at least a function code and one byte, at most 1 + 253. */
const minLength = 3;
const maxLength = 254;
/** Transactions that are over and whose late or doubled answers are known and dropped. */
const maxFinished = 4_096;

interface Pending {
  readonly tid: number;
  readonly exchange: Exchange;
  readonly resolve: (frame: Buffer) => void;
  readonly reject: (error: ModbusError) => void;
  readonly timer: NodeJS.Timeout;
}

/**
 * Modbus TCP frames (MBAP) over a byte port. The transaction number is 16 bits wide and starts at random, so that neither
 * a late answer nor one to an earlier connection through the same gateway can be taken for ours. Whatever shows that the
 * stream is out of step ends the link at once: the next bytes would be read at the wrong place.
 */
export class MbapLink implements Link {
  readonly #port: BytePort;
  readonly #clock: Clock;
  readonly #events: LinkEvents;
  #buffer: Buffer = Buffer.alloc(0);
  #tid = randomInt(0x1_0000);
  #pending: Pending | null = null;
  #ended = false;
  /** Transaction number -> when it timed out, or 0 when it was answered; oldest first. */
  readonly #finished = new Map<number, number>();

  constructor(port: BytePort, clock: Clock, events: LinkEvents) {
    this.#port = port;
    this.#clock = clock;
    this.#events = events;
    port.listen({ data: (bytes) => this.#receive(bytes), closed: (reason) => this.#end(reason) });
  }

  get ended(): boolean {
    return this.#ended;
  }

  send(exchange: Exchange): void {
    this.#finish(this.#write(exchange), 0);
  }

  exchange(exchange: Exchange, timeout: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(new ModbusError('closed', 'the connection is closed'));
      const timer = setTimeout(() => {
        if (this.#pending !== null) this.#finish(this.#pending.tid, this.#clock.monotonic());
        this.#fail('timeout', `unit ${exchange.unit} did not answer within ${timeout} ms (${exchange.what})`);
      }, timeout);
      this.#pending = { tid: this.#write(exchange), exchange, resolve, reject, timer };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end('closed by us');
    await this.#port[Symbol.asyncDispose]();
  }

  #write({ request }: Exchange): number {
    this.#tid = (this.#tid + 1) & 0xffff;
    const body = request.subarray(0, -2);
    const header = Buffer.alloc(headerLength - 1);
    header.writeUInt16BE(this.#tid, 0);
    header.writeUInt16BE(body.length, 4);
    this.#port.write(Buffer.concat([header, body]));
    return this.#tid;
  }

  #finish(tid: number, expired: number): void {
    this.#finished.delete(tid);
    this.#finished.set(tid, expired);
    const oldest = this.#finished.keys().next();
    if (this.#finished.size > maxFinished && !oldest.done) this.#finished.delete(oldest.value);
  }

  #receive(bytes: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? bytes : Buffer.concat([this.#buffer, bytes]);
    while (!this.#ended && this.#buffer.length >= headerLength) {
      const protocol = this.#buffer.readUInt16BE(2);
      const length = this.#buffer.readUInt16BE(4);
      if (protocol !== 0 || length < minLength || length > maxLength) {
        this.#desync(`a header says protocol ${protocol}, length ${length}`);
        return;
      }
      const end = headerLength - 1 + length;
      if (this.#buffer.length < end) return;
      const tid = this.#buffer.readUInt16BE(0);
      const body = this.#buffer.subarray(headerLength - 1, end);
      this.#buffer = this.#buffer.subarray(end);
      this.#answer(tid, body);
    }
  }

  #answer(tid: number, body: Buffer): void {
    const pending = this.#pending;
    if (pending?.tid !== tid) {
      const expired = this.#finished.get(tid);
      if (expired === undefined) {
        this.#desync(`transaction ${tid} was never asked for`);
        return;
      }
      this.#events.count(expired === 0 ? 'doubled' : 'late');
      if (expired !== 0) this.#events.late(this.#clock.monotonic() - expired);
      return;
    }
    const { exchange } = pending;
    const frame = withCrc(body);
    const isException = body.length === 3 && body[0] === exchange.unit && body[1] === (exchange.fc | 0x80);
    if (!isException && !(frame.length === exchange.answerLength && exchange.accepts(frame))) {
      this.#desync(`the answer to transaction ${tid} does not fit (${exchange.what}, unit ${exchange.unit})`);
      return;
    }
    this.#finish(tid, 0);
    this.#pending = null;
    clearTimeout(pending.timer);
    pending.resolve(frame);
  }

  #desync(what: string): void {
    this.#events.count('desync');
    this.#ended = true;
    this.#fail('garbage', `out of step, connecting anew: ${what}`);
    void this.#port[Symbol.asyncDispose]();
  }

  #fail(outcome: 'timeout' | 'garbage' | 'closed', message: string): void {
    const pending = this.#pending;
    this.#pending = null;
    clearTimeout(pending?.timer);
    pending?.reject(new ModbusError(outcome, message));
  }

  #end(reason: string): void {
    this.#ended = true;
    this.#buffer = Buffer.alloc(0);
    this.#fail('closed', `the connection ended: ${reason}`);
  }
}
