import type { Clock } from '#edge/runtime/clock.ts';
import type { BytePort } from '../ports/port.ts';
import { hasGoodCrc } from './crc.ts';
import { ModbusError } from './errors.ts';
import type { Exchange } from './exchange.ts';
import type { Link, LinkEvents } from './link.ts';

/** More than two of the longest frames (256 bytes): older bytes of a noisy line are dropped. */
const maxBuffer = 1024;
/** Enough bytes for the answer, none of them valid, and silence for so long: it is not coming. Wi-Fi gateways pause 50 ms. */
const quietAfterGarbage = 120;
/** How long answers stay comparable; a doubled answer later than this was never seen. */
const twinWindow = 1_000;
const maxRecent = 256;
const maxUnanswered = 64;
const exceptionLength = 5;

interface Pending {
  readonly exchange: Exchange;
  readonly sent: number;
  readonly timeout: number;
  readonly resolve: (frame: Buffer) => void;
  readonly reject: (error: ModbusError) => void;
  /** `no`: nothing odd so far. `doubted`: what came equals a recent answer. `asked`: so the request was sent once more. */
  again: 'no' | 'doubted' | 'asked';
  doubted: Buffer | null;
  timer: NodeJS.Timeout;
  extra: NodeJS.Timeout | undefined;
}

/**
 * Modbus RTU frames over a byte port, serial or TCP. RTU has no transaction number: an answer proves only its unit,
 * function and length. So the input is flushed before each request, noise is skipped by a CRC scan, and an answer that is
 * byte for byte one that came moments ago is not believed: it may be a copy that a gateway sent twice (which would shift
 * every later answer by one) or a value that did not move. The request is sent once more, and two equal answers are the
 * value. Late answers are the line's business: it holds the unit back.
 */
export class RtuLink implements Link {
  readonly #port: BytePort;
  readonly #clock: Clock;
  readonly #events: LinkEvents;
  #buffer: Buffer = Buffer.alloc(0);
  #pending: Pending | null = null;
  #ended = false;
  /** Accepted answers of the last moments, oldest first. */
  readonly #recent: { readonly frame: Buffer; readonly at: number }[] = [];
  /** Requests that timed out a moment ago: their late answers teach how long to hold a unit back. */
  readonly #unanswered: { readonly exchange: Exchange; readonly expired: number }[] = [];
  /** Smoothed answer time, ms; decides how long an answer may follow its forerunner's copy. */
  #latency = 20;

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
    this.#flush();
    this.#port.write(exchange.request);
  }

  exchange(exchange: Exchange, timeout: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(new ModbusError('closed', 'the connection is closed'));
      this.#flush();
      const timer = setTimeout(() => this.#expire(timeout), timeout);
      const sent = this.#clock.monotonic();
      this.#pending = { exchange, sent, timeout, resolve, reject, timer, again: 'no', doubted: null, extra: undefined };
      this.#port.write(exchange.request);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end('closed by us');
    await this.#port[Symbol.asyncDispose]();
  }

  #flush(): void {
    if (this.#buffer.length > 0) this.#events.count('stray');
    this.#buffer = Buffer.alloc(0);
  }

  #receive(bytes: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, bytes]).subarray(-maxBuffer);
    this.#learnLate();
    const pending = this.#pending;
    if (pending === null) return;
    for (let frame = this.#scan(pending.exchange); frame !== null; frame = this.#scan(pending.exchange)) {
      const isConfirmed = pending.again === 'asked' && pending.doubted?.equals(frame) === true;
      if (isConfirmed || !this.#isTwin(frame)) {
        this.#accept(pending, frame);
        return;
      }
      this.#doubt(pending, frame);
    }
    if (pending.again === 'no') clearTimeout(pending.extra);
    if (pending.again === 'no' && this.#buffer.length >= pending.exchange.answerLength) {
      pending.extra = setTimeout(() => {
        this.#fail(
          'crc',
          `unit ${pending.exchange.unit}: ${this.#buffer.length} bytes came, no valid answer among them`,
        );
      }, quietAfterGarbage);
    }
  }

  /** Takes the first frame out of the buffer that answers the exchange, together with the noise before it. */
  #scan(exchange: Exchange): Buffer | null {
    const { unit, fc, answerLength } = exchange;
    for (let i = 0; i + exceptionLength <= this.#buffer.length; i++) {
      if (this.#buffer[i] !== unit) continue;
      const isException = this.#buffer[i + 1] === (fc | 0x80);
      const length = isException ? exceptionLength : answerLength;
      if (i + length > this.#buffer.length) continue;
      const frame = this.#buffer.subarray(i, i + length);
      if ((isException || exchange.accepts(frame)) && hasGoodCrc(frame)) {
        this.#buffer = this.#buffer.subarray(i + length);
        return Buffer.from(frame);
      }
    }
    return null;
  }

  /** Echoes of writes are the same by nature, and a copy of one answers the same question. */
  #isTwin(frame: Buffer): boolean {
    if (((frame[1] ?? 0) & 0x7f) > 4) return false;
    const since = this.#clock.monotonic() - twinWindow;
    return this.#recent.some((known) => known.at > since && known.frame.equals(frame));
  }

  /** Gives the true answer a moment to follow its forerunner's copy, then asks again. */
  #doubt(pending: Pending, frame: Buffer): void {
    if (pending.again !== 'no') return;
    pending.again = 'doubted';
    pending.doubted = frame;
    this.#events.count('doubted');
    clearTimeout(pending.extra);
    const patience = Math.min(100, Math.max(5, 1.5 * this.#latency));
    pending.extra = setTimeout(() => {
      pending.again = 'asked';
      clearTimeout(pending.timer);
      pending.timer = setTimeout(() => this.#expire(pending.timeout), pending.timeout);
      this.#port.write(pending.exchange.request);
    }, patience);
  }

  #accept(pending: Pending, frame: Buffer): void {
    const now = this.#clock.monotonic();
    if (pending.again === 'no') this.#latency += 0.2 * (now - pending.sent - this.#latency);
    // Two questions, and this answers one of them: the other answer is still on its way.
    else if (pending.again === 'asked' && !this.#isTwin(frame)) this.#events.unsettled(pending.exchange.unit);
    this.#take();
    this.#recent.push({ frame, at: now });
    while (this.#recent.length > maxRecent || (this.#recent[0]?.at ?? now) < now - twinWindow) this.#recent.shift();
    pending.resolve(frame);
  }

  #expire(timeout: number): void {
    const pending = this.#pending;
    if (pending === null) return;
    const { exchange } = pending;
    this.#unanswered.push({ exchange, expired: this.#clock.monotonic() });
    if (this.#unanswered.length > maxUnanswered) this.#unanswered.shift();
    if (this.#buffer.length > 0) {
      this.#fail('crc', `unit ${exchange.unit}: ${this.#buffer.length} bytes came, no valid answer among them`);
      return;
    }
    this.#fail('timeout', `unit ${exchange.unit} did not answer within ${timeout} ms (${exchange.what})`);
  }

  #learnLate(): void {
    const index = this.#unanswered.findIndex(({ exchange }) => this.#contains(exchange));
    const [found] = index < 0 ? [] : this.#unanswered.splice(index, 1);
    if (found === undefined) return;
    this.#events.count('late');
    this.#events.late(this.#clock.monotonic() - found.expired);
  }

  #contains(exchange: Exchange): boolean {
    const { unit, answerLength } = exchange;
    // The unit's own open request may look the same: that is an answer, not a late one.
    if (this.#pending?.exchange.unit === unit) return false;
    for (let i = 0; i + answerLength <= this.#buffer.length; i++) {
      const frame = this.#buffer.subarray(i, i + answerLength);
      if (exchange.accepts(frame) && hasGoodCrc(frame)) return true;
    }
    return false;
  }

  #take(): Pending | null {
    const pending = this.#pending;
    this.#pending = null;
    clearTimeout(pending?.timer);
    clearTimeout(pending?.extra);
    return pending;
  }

  #fail(outcome: 'timeout' | 'crc' | 'closed', message: string): void {
    this.#take()?.reject(new ModbusError(outcome, message));
  }

  #end(reason: string): void {
    this.#ended = true;
    this.#fail('closed', `the connection ended: ${reason}`);
  }
}
