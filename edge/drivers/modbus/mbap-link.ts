import { randomInt } from 'node:crypto';
import type { Clock } from '#edge/runtime/clock.ts';
import { type AnswerTimer, answerTimer } from '../ports/answer-timer.ts';
import { BusError } from '../ports/bus-error.ts';
import type { Found, Link, LinkEvents, LinkKind, Question } from '../ports/link.ts';
import type { BytePort } from '../ports/port.ts';

/** Transaction, protocol and length; the unit that follows is counted in the length. */
const prefixLength = 6;
const protocolEnd = 4;
/** Unit and PDU: at least a function code and one byte, at most 1 + 253. An exception has the least. */
const minLength = 3;
const maxLength = 254;
/** Transactions that are over and whose doubled answers are known and dropped: few, so that hardly any stray bytes look like one. */
const maxFinished = 256;
/** Transactions that timed out are known for longer: gateways with a queue answer them all in the end. */
const maxExpired = 4_096;
/** So many answers that nobody waits for, without one that somebody does: it is not answers that this stream is made of. */
const maxUnasked = 256;
const nothing = Buffer.alloc(0);

interface Pending {
  readonly question: Question;
  readonly resolve: (found: Found) => void;
  readonly reject: (error: BusError) => void;
  readonly timer: AnswerTimer;
  /** Its answer, while another one is under way whose bytes may have completed it; `isWhole`: it came in one piece. */
  answer: { readonly found: Found; readonly isWhole: boolean } | null;
}

/** A transaction that timed out. */
interface Expired {
  readonly unit: string;
  readonly at: number;
}

/**
 * Modbus TCP frames (MBAP) over a byte port; a question is the unit and the PDU. The transaction number is 16 bits wide and
 * starts at random, so that neither a late answer nor one to an earlier connection through the same gateway can be taken for
 * ours. Nothing in a frame checks its bytes: where a gateway cuts an answer short or mixes two, the bytes of the next one
 * complete it. So an answer is believed when what comes after it begins in step, or when nothing else is under way that could
 * come after it; and whatever shows that the stream is out of step ends the link at once.
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
  #unaskedInARow = 0;
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
      const timer = answerTimer(this.#clock, timeout, () => this.#expire(tid, timeout));
      this.#pending.set(tid, { question, resolve, reject, timer, answer: null });
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
    if (this.#ended) return;
    const isPieced = this.#buffer.length > 0;
    // Answers are sent in one go: one that begins in the middle of another was not meant to.
    if (isPieced && bytes.length >= protocolEnd && this.#whyNotHeader(bytes) === null) {
      this.#desync('an answer begins before the one before it has ended');
      return;
    }
    let rest = isPieced ? Buffer.concat([this.#buffer, bytes]) : bytes;
    const frames: Buffer[] = [];
    // All of it is looked at before any of it is believed.
    while (rest.length > 0) {
      const wrong = this.#whyNotHeader(rest);
      if (wrong !== null) {
        this.#desync(wrong);
        return;
      }
      const end = rest.length < prefixLength ? prefixLength : prefixLength + rest.readUInt16BE(4);
      if (rest.length < end) break;
      frames.push(rest.subarray(0, end));
      rest = rest.length === end ? nothing : rest.subarray(end);
    }
    this.#buffer = rest;
    this.#take(frames, isPieced);
  }

  /** null: this may well be the beginning of an answer, as far as it goes. */
  #whyNotHeader(bytes: Buffer): string | null {
    if (bytes.length < 2) return null;
    const tid = bytes.readUInt16BE(0);
    const question = this.#pending.get(tid)?.question;
    if (question === undefined && !this.#isOver(tid)) return `transaction ${tid} was never asked for`;
    if (bytes.length < protocolEnd) return null;
    const protocol = bytes.readUInt16BE(2);
    const length = bytes.length < prefixLength ? minLength : bytes.readUInt16BE(4);
    if (protocol !== 0 || length < minLength || length > maxLength) {
      return `a header says protocol ${protocol}, length ${length}`;
    }
    if (length === minLength || question?.length === undefined || length === question.length) return null;
    return `the answer to transaction ${tid} is to have ${length} bytes, not ${question.length} (${question.what})`;
  }

  #isOver(tid: number): boolean {
    return this.#expired.has(tid) || ((this.#tid - tid) & 0xffff) < this.#sent;
  }

  #take(frames: readonly Buffer[], isPieced: boolean): void {
    for (const [i, frame] of frames.entries()) {
      const tid = frame.readUInt16BE(0);
      const pending = this.#pending.get(tid);
      if (pending === undefined || pending.answer !== null) {
        this.#unasked(tid);
        continue;
      }
      const body = frame.subarray(prefixLength);
      const found = pending.question.find(body);
      if (found === null || found.consumed !== body.length) {
        const { what, unit } = pending.question;
        this.#desync(`the answer to transaction ${tid} does not fit (${what}, unit ${unit})`);
        return;
      }
      pending.answer = { found: { ...found, at: this.#clock.monotonic() }, isWhole: !isPieced || i > 0 };
      this.#unaskedInARow = 0;
    }
    if (!this.#ended && frames.length > 0) this.#believe();
  }

  /** Once nothing else is under way, or the next header is seen, which was looked at: then the bytes of an answer were its own. */
  #believe(): void {
    const isHeaderSeen = this.#buffer.length >= prefixLength;
    if (this.#buffer.length > 0 && !isHeaderSeen) return;
    if (!isHeaderSeen) for (const { answer } of this.#pending.values()) if (answer === null) return;
    for (const [tid, { answer }] of this.#pending) if (answer !== null) this.#settle(tid, answer.found);
  }

  #settle(tid: number, found: Found): void {
    const pending = this.#pending.get(tid);
    this.#pending.delete(tid);
    pending?.timer.cancel();
    pending?.resolve(found);
  }

  #unasked(tid: number): void {
    const over = this.#expired.get(tid);
    this.#events.count(over === undefined ? 'doubled' : 'late');
    if (over !== undefined) this.#events.late(over.unit, this.#clock.monotonic() - over.at);
    this.#expired.delete(tid);
    if (++this.#unaskedInARow > maxUnasked && !this.#ended) {
      this.#desync(`${maxUnasked} answers in a row that nobody waits for`);
    }
  }

  #expire(tid: number, timeout: number): void {
    const pending = this.#pending.get(tid);
    if (pending === undefined) return;
    // Nothing came after it, which would have been the rest of it: what came in one piece was it.
    if (pending.answer?.isWhole === true && this.#buffer.length === 0) {
      this.#settle(tid, pending.answer.found);
      return;
    }
    if (pending.answer === null) {
      const { unit, what } = pending.question;
      this.#pending.delete(tid);
      this.#forget();
      this.#expired.set(tid, { unit, at: this.#clock.monotonic() });
      pending.reject(new BusError('timeout', `unit ${unit} did not answer within ${timeout} ms (${what})`));
    }
    // Half an answer that long after its first byte is all of it; the next one would complete it.
    const isCut = this.#buffer.length > 0 || pending.answer !== null;
    const held = [...this.#pending].filter(([, { answer }]) => answer !== null);
    if (isCut || held.some(([, { answer }]) => answer?.isWhole === false)) {
      this.#desync('an answer came in pieces, and perhaps not all of it');
    } else for (const [other, { answer }] of held) if (answer !== null) this.#settle(other, answer.found);
  }

  /** A number that comes round again is another transaction. */
  #forget(): void {
    for (const tid of this.#expired.keys()) if (((this.#tid - tid) & 0xffff) >= maxExpired) this.#expired.delete(tid);
  }

  #desync(what: string): void {
    this.#events.count('desync');
    this.#ended = true;
    this.#buffer = nothing;
    this.#failAll('garbage', `out of step, connecting anew: ${what}`);
    void this.#port[Symbol.asyncDispose]();
  }

  #failAll(outcome: 'garbage' | 'closed', message: string): void {
    const all = [...this.#pending.values()];
    this.#pending.clear();
    for (const { timer, reject } of all) {
      timer.cancel();
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
