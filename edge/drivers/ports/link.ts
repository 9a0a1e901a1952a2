import type { Clock } from '#edge/runtime/clock.ts';
import type { BytePort } from './port.ts';

/** An answer in what was received. */
export interface Found {
  /** The answer itself. On a stream it may point into the receive buffer: whoever keeps it copies it. */
  readonly frame: Buffer;
  /** Bytes up to the end of the answer, the noise before it included. */
  readonly consumed: number;
  /**
   * A valid frame that says no: `refused` by the unit itself (a Modbus exception, DL/T 645 0xD1), `silent` when a gateway
   * says that the unit behind it does not answer (Modbus 0x0B). The question is answered either way.
   */
  readonly verdict?: 'refused' | 'silent';
  /** When it came, where it was not believed at once; monotonic ms. */
  readonly at?: number;
}

/** One request on the wire and how to know its answer. Made once, asked any number of times. */
export interface Question {
  /** Whom it is for, as it is on the wire (`3`, `000000123456`): key of late windows, quarantine and diagnostics. */
  readonly unit: string;
  /** For people: `read 60 input registers at 0`. */
  readonly what: string;
  /** Bytes as they go out. */
  readonly request: Buffer;
  /**
   * Looks for the answer in everything received since the request; noise before it is skipped. null: not yet.
   * On a link that numbers its transactions it is given exactly the one answer.
   */
  find(received: Buffer): Found | null;
  /**
   * Bytes of the answer when that is known. On a stream as many without a valid frame, and then quiet, means that it is not
   * coming; a numbered answer has as many, or says no.
   */
  readonly length?: number;
  /**
   * The answer does not say what was asked (a Modbus RTU read: unit, function and length only). Then a byte for byte copy
   * of an answer of the last moments is not believed: the question is asked once more.
   */
  readonly vague?: boolean;
  /** Nobody answers it; `ask` resolves with the request after the units had time to work it off. */
  readonly broadcast?: boolean;
}

/** One open connection. Ends for good when its port closes or it loses step. */
export interface Link extends AsyncDisposable {
  /** true once nothing can be sent any more. */
  readonly ended: boolean;
  /** Sends and waits for the answer. Rejects with a BusError: timeout, crc, garbage or closed. */
  exchange(question: Question, timeout: number): Promise<Found>;
  /** Sends without waiting for an answer (broadcast). */
  send(question: Question): void;
}

export interface LinkEvents {
  /** An outcome word to count: `late`, `doubled`, `doubted`, `stray`, `desync`. */
  count(word: string): void;
  /** An answer of this unit came so long after its request had timed out, ms. */
  late(unit: string, ms: number): void;
  /** An answer of this unit may still be on its way, in time for `ms` more, and could not be told from the next one. */
  unsettled(unit: string, ms: number): void;
  /** A second, different answer to one question: two devices use this id. */
  second(unit: string): void;
}

/** How questions travel over the bytes of a port. */
export interface LinkKind {
  /** For people, and equal for all who share a line: `rtu frames`, `Modbus TCP`. */
  readonly name: string;
  /** Answers carry the number of their question: late ones are known, and two may be under way. */
  readonly numbered: boolean;
  open(port: BytePort, clock: Clock, events: LinkEvents): Link;
}
