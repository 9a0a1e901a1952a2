import type { Clock } from '#edge/runtime/clock.ts';
import type { Log } from '#edge/runtime/log.ts';

/** Something is wrong with the store (active), or is no more. Core makes an alarm of it. */
export interface StoreFault {
  /** STORE_FULL, STORE_IO, STORE_CORRUPT, STORE_BUSY, STORE_CRASHED, STORE_TIMEOUT, STORE_ANCHOR (audit-head cannot be written). */
  readonly code: string;
  readonly message: string;
  readonly since: number;
  readonly active: boolean;
}

/** The faults that stand, one per code, each told once when it begins and once when it ends. */
export class FaultBoard {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #standing = new Map<string, StoreFault>();
  readonly #listeners = new Set<(fault: StoreFault) => void>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  subscribe(listener: (fault: StoreFault) => void): () => void {
    this.#listeners.add(listener);
    for (const fault of this.#standing.values()) listener(fault);
    return () => this.#listeners.delete(listener);
  }

  raise(code: string, message: string): void {
    if (this.#standing.has(code)) return;
    const fault = { code, message, since: this.#clock.now(), active: true };
    this.#standing.set(code, fault);
    this.#log.error({ code, message }, 'the store has a fault');
    this.#tell(fault);
  }

  clear(code: string): void {
    const fault = this.#standing.get(code);
    if (fault === undefined) return;
    this.#standing.delete(code);
    this.#log.info({ code }, 'the store has recovered');
    this.#tell({ ...fault, active: false });
  }

  #tell(fault: StoreFault): void {
    for (const listener of this.#listeners) listener(fault);
  }
}
