import { readExchange } from '#edge/drivers/modbus/exchange.ts';
import { BusError } from '#edge/drivers/ports/bus-error.ts';
import type { Link, LinkKind, Question } from '#edge/drivers/ports/link.ts';
import type { PortSource } from '#edge/drivers/ports/port.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { delay } from '#edge/runtime/lifecycle.ts';

/* A line that is asked for everybody who might be there: one question after the other, nothing is kept of who was silent. */

export type Heard =
  | { readonly is: 'answer' | 'refused'; readonly frame: Buffer; readonly ms: number }
  /** `absent`: a gateway says that nobody answers. `collision`: bytes came, again and again, and never a valid frame. */
  | { readonly is: 'silent' | 'absent' | 'collision' };

export interface ScanLineOptions {
  readonly source: PortSource;
  readonly kind: LinkKind;
  /** Least silence between an answer and the next question, ms. */
  readonly pause: number;
  readonly timeout: number;
  readonly signal: AbortSignal;
}

const connectTimeout = 5_000;
const mostReconnects = 8;
const reconnectPause = 500;
/** So many answers without a valid frame, and it is no accident. */
const garbledTimes = 3;
/** No device has this number (248 to 255 are reserved), and to meters of other protocols it is no question at all. */
const nobody = readExchange(250, 'holding', 0, 1).rtu;

export class ScanLine implements AsyncDisposable {
  readonly #options: ScanLineOptions;
  #link: Link | null = null;
  #reconnects = 0;
  #isQuiet = false;
  asked = 0;

  constructor(options: ScanLineOptions) {
    this.#options = options;
  }

  /** Answers carry the number of their question. */
  get numbered(): boolean {
    return this.#options.kind.numbered;
  }

  get signal(): AbortSignal {
    return this.#options.signal;
  }

  /** Throws SCAN_LINE when the line cannot be opened, SCAN_LOST when it is lost again and again, SCAN_NOISE when it is never quiet. */
  async ask(question: Question, timeout = this.#options.timeout): Promise<Heard> {
    for (let garbled = 1; ; garbled++) {
      if (this.#options.signal.aborted) return { is: 'silent' };
      const heard = await this.#once(question, timeout);
      if (heard !== 'garbled') return heard;
      if (garbled >= garbledTimes) {
        await this.#checkQuiet(timeout);
        return { is: 'collision' };
      }
      await delay(this.#options.pause + 50 * garbled, this.#options.signal);
    }
  }

  /** Devices that talk at once were asked; where bytes come though nobody was, there is nothing to be found. */
  async #checkQuiet(timeout: number): Promise<void> {
    for (let heard = 0; heard < garbledTimes && !this.#isQuiet; heard++) {
      if ((await this.#once(nobody, timeout)) !== 'garbled') this.#isQuiet = true;
    }
    if (this.#isQuiet || this.#options.signal.aborted) return;
    throw new CodedError(
      'SCAN_NOISE',
      `bytes come from ${this.#options.source.label} though nobody was asked: it echoes what is sent, something there talks by itself, or it is no line of meters`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link?.[Symbol.asyncDispose]();
  }

  async #once(question: Question, timeout: number): Promise<Heard | 'garbled'> {
    const link = await this.#open();
    const sent = systemClock.monotonic();
    this.asked++;
    try {
      const { frame, verdict } = await link.exchange(question, timeout);
      const ms = systemClock.monotonic() - sent;
      if (verdict === 'silent') return { is: 'absent' };
      return { is: verdict === undefined ? 'answer' : 'refused', frame: Buffer.from(frame), ms };
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      // A closed or confused connection is made anew, and the question counts as not answered.
      return error.outcome === 'crc' ? 'garbled' : { is: 'silent' };
    } finally {
      await delay(this.#options.pause, this.#options.signal);
    }
  }

  async #open(): Promise<Link> {
    if (this.#link !== null && !this.#link.ended) return this.#link;
    const { source, kind, signal } = this.#options;
    await this.#link?.[Symbol.asyncDispose]();
    if (this.#link !== null) {
      this.#reconnects++;
      await delay(reconnectPause, signal);
    }
    if (this.#reconnects > mostReconnects) {
      throw new CodedError('SCAN_LOST', `${source.label} ends the connection again and again`);
    }
    const ignored = { count: () => {}, late: () => {}, unsettled: () => {}, second: () => {} };
    try {
      this.#link = kind.open(await source.open(connectTimeout, signal), systemClock, ignored);
    } catch (error) {
      throw new CodedError('SCAN_LINE', messageOf(error), { cause: error });
    }
    return this.#link;
  }
}
