import type { Exchange } from './exchange.ts';

/** One open connection that carries one exchange at a time. Ends for good when its port closes or it loses step. */
export interface Link extends AsyncDisposable {
  /** true once nothing can be sent any more. */
  readonly ended: boolean;
  /**
   * Sends and waits for the accepted answer, an RTU frame ready for `Exchange.parse`. Rejects with a ModbusError:
   * timeout, crc, garbage or closed.
   */
  exchange(exchange: Exchange, timeout: number): Promise<Buffer>;
  /** Sends without waiting for an answer (broadcast). */
  send(exchange: Exchange): void;
}

export interface LinkEvents {
  /** An outcome word to count: `late`, `doubled`, `doubted`, `stray`, `desync`. */
  count(word: string): void;
  /** An answer came this long after its request had timed out, ms. */
  late(ms: number): void;
  /** An answer of this unit may still be on its way and could not be told from the next one. */
  unsettled(unit: number): void;
}
