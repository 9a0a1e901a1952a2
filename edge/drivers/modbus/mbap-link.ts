import { randomInt } from 'node:crypto';
import type { Clock } from '#edge/runtime/clock.ts';
import { BusError } from '../ports/bus-error.ts';
import type { Found, Link, LinkEvents, LinkKind, Question } from '../ports/link.ts';
import type { BytePort } from '../ports/port.ts';

/** Transaction, protocol and length; the unit that follows is counted in the length. */
const prefixLength = 6;
/** Unit and PDU: at least a function code and one byte, at most 1 + 253. */
const minLength = 3;
const maxLength = 254;
/** Transactions that are over and whose late or doubled answers are known and dropped. */
const maxFinished = 4_096;
const nothing = Buffer.alloc(0);

interface Pending {
  readonly question: Question;
  readonly resolve: (found: Found) => void;
  readonly reject: (error: BusError) => void;
  readonly timer: NodeJS.Timeout;
}

/** A transaction that timed out. */
interface Expired {
  readonly unit: string;
  readonly at: number;
}

/**
 * Modbus TCP frames (MBAP) over a byte port; a question is the unit and the PDU. The transaction number is 16 bits wide and
 * starts at random, so that neither a late answer nor one to an earlier connection through the same gateway can be taken for
 * ours. Whatever shows that the stream is out of step ends the link at once: the next bytes would be read at the wrong place.
 */
class MbapLink implements Link {
  readonly #port: BytePort;
  readonly #clock: Clock;
  readonly #events: LinkEvents;
  #buffer: Buffer = nothing;
  #tid = randomInt(0x1_0000);
  #ended = false;
  readonly #pending = new Map<number, Pending>();
  /** Transactions so far, at most `maxFinished`: numbers run on, so those before the last one are known. */
  #sent = 0;
  /** By transaction number, oldest first. */
  readonly #expired = new Map<number, Expired>();

  constructor(port: BytePort, clock: Clock, events: LinkEvents) {
    this.#port = port;
    this.#clock = clock;
    this.#events = events;
    port.listen({ data: (bytes) => this.#receive(bytes), closed: (reason) => this.#end(reason) });
  }

  get ended(): boolean {
    return this.#ended;
  }

  send(question: Question): void {
    this.#write(question);
  }

  exchange(question: Question, timeout: number): Promise<Found> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(new BusError('closed', 'the connection is closed'));
      const tid = this.#write(question);
      const timer = setTimeout(() => this.#expire(tid, question, timeout), timeout);
      this.#pending.set(tid, { question, resolve, reject, timer });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end('closed by us');
    await this.#port[Symbol.asyncDispose]();
  }

  #write({ request }: Question): number {
    this.#tid = (this.#tid + 1) & 0xffff;
    if (this.#sent < maxFinished) this.#sent++;
    // Its last use is as good as forgotten.
    if (this.#expired.size > 0) this.#expired.delete(this.#tid);
    const frame = Buffer.allocUnsafe(prefixLength + request.length);
    frame.writeUInt32BE(this.#tid * 0x1_0000, 0);
    frame.writeUInt16BE(request.length, 4);
    request.copy(frame, prefixLength);
    this.#port.write(frame);
    return this.#tid;
  }

  #receive(bytes: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? bytes : Buffer.concat([this.#buffer, bytes]);
    while (!this.#ended && this.#buffer.length > prefixLength) {
      const protocol = this.#buffer.readUInt16BE(2);
      const length = this.#buffer.readUInt16BE(4);
      if (protocol !== 0 || length < minLength || length > maxLength) {
        this.#desync(`a header says protocol ${protocol}, length ${length}`);
        return;
      }
      const end = prefixLength + length;
      if (this.#buffer.length < end) return;
      const tid = this.#buffer.readUInt16BE(0);
      const body = this.#buffer.subarray(prefixLength, end);
      this.#buffer = this.#buffer.length === end ? nothing : this.#buffer.subarray(end);
      this.#answer(tid, body);
    }
  }

  #answer(tid: number, body: Buffer): void {
    const pending = this.#pending.get(tid);
    if (pending === undefined) {
      this.#unasked(tid);
      return;
    }
    const found = pending.question.find(body);
    if (found === null || found.consumed !== body.length) {
      const { what, unit } = pending.question;
      this.#desync(`the answer to transaction ${tid} does not fit (${what}, unit ${unit})`);
      return;
    }
    this.#pending.delete(tid);
    clearTimeout(pending.timer);
    pending.resolve(found);
  }

  #unasked(tid: number): void {
    if (((this.#tid - tid) & 0xffff) >= this.#sent) {
      this.#desync(`transaction ${tid} was never asked for`);
      return;
    }
    const over = this.#expired.get(tid);
    this.#events.count(over === undefined ? 'doubled' : 'late');
    if (over !== undefined) this.#events.late(over.unit, this.#clock.monotonic() - over.at);
    this.#expired.delete(tid);
  }

  #expire(tid: number, { unit, what }: Question, timeout: number): void {
    const pending = this.#pending.get(tid);
    this.#pending.delete(tid);
    this.#forget();
    this.#expired.set(tid, { unit, at: this.#clock.monotonic() });
    pending?.reject(new BusError('timeout', `unit ${unit} did not answer within ${timeout} ms (${what})`));
  }

  /** A number that comes round again is another transaction. */
  #forget(): void {
    for (const tid of this.#expired.keys()) if (((this.#tid - tid) & 0xffff) >= maxFinished) this.#expired.delete(tid);
  }

  #desync(what: string): void {
    this.#events.count('desync');
    this.#ended = true;
    this.#failAll('garbage', `out of step, connecting anew: ${what}`);
    void this.#port[Symbol.asyncDispose]();
  }

  #failAll(outcome: 'garbage' | 'closed', message: string): void {
    const all = [...this.#pending.values()];
    this.#pending.clear();
    for (const { timer, reject } of all) {
      clearTimeout(timer);
      reject(new BusError(outcome, message));
    }
  }

  #end(reason: string): void {
    this.#ended = true;
    this.#buffer = nothing;
    this.#failAll('closed', `the connection ended: ${reason}`);
  }
}

export const mbapLink: LinkKind = {
  name: 'Modbus TCP',
  numbered: true,
  open: (port, clock, events) => new MbapLink(port, clock, events),
};
