import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import { Backoff } from '#edge/runtime/lifecycle.ts';
import type { Batch } from '#edge/store/batch.ts';
import { Debt } from './debt.ts';

/** Refusals that are about the batch: the same again would be refused again. All others are about the disk. */
const refusals: ReadonlySet<string> = new Set(['STORE_UNKNOWN_POINT', 'STORE_BAD_READING', 'STORE_REFUSED']);

/** Something of a batch that the store will never take. */
export interface Refused {
  /** A reading's ref, or what kind of thing it is. */
  readonly what: string;
  readonly why: string;
}

export interface LedgerOptions {
  readonly append: (batch: Batch) => Promise<void>;
  readonly clock: Clock;
  /** What is left out for good, once each. */
  readonly onRefused: (refused: readonly Refused[]) => void;
  /** The disk begins to refuse, with the reason; null when it takes everything again and nothing is owed. */
  readonly onFault: (why: string | null) => void;
}

export interface WriteOptions {
  /** Whose word it is, when an acknowledgement waits: until its debt is paid nothing more of it is acknowledged. */
  readonly client?: string;
  /** The client sends it again when it is not acknowledged, so its events need not be owed. */
  readonly isResent?: boolean;
}

/**
 * What stands between core's turns and the store. Core judges and tells news before they are on disk, and does not hear
 * the same news twice: a message whose readings were refused by a full disk comes again, is nothing new, and would be
 * acknowledged without ever having been stored. So what was refused is owed here, and whose word is owed is not
 * acknowledged. Alarms and states never fail with the readings beside them: a full disk refuses readings first.
 */
export class Ledger {
  readonly #options: LedgerOptions;
  readonly #backoff = new Backoff({ first: 500, cap: 15_000 });
  readonly #debt = new Debt();
  /** Fulfils when everything written so far is on disk or owed. */
  #settled: Promise<unknown> = Promise.resolve();
  #paying: Promise<void> | null = null;
  #retryAt = 0;
  #isFailing = false;

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  /** Readings and lines that were forced out of memory while the disk took nothing. */
  get dropped(): number {
    return this.#debt.dropped;
  }

  owesTo(client: string): boolean {
    return this.#debt.isTo(client);
  }

  /**
   * Resolves when the batch is on disk, but for what the store will never take; rejects with the fault of the disk. Nothing
   * to write resolves when all that was under way before it is settled: it may be a message that came again over a new
   * connection while its first copy still waits for its commit.
   */
  async write(batch: Batch, options: WriteOptions = {}): Promise<void> {
    if (isEmpty(batch)) {
      await this.#settled;
      return this.#write(batch, options);
    }
    const work = this.#write(batch, options);
    this.#settled = Promise.allSettled([this.#settled, work]);
    return work;
  }

  async #write(batch: Batch, options: WriteOptions): Promise<void> {
    const fault = isEmpty(batch) ? null : await this.#try(batch);
    if (fault === null) this.#debt.forget(batch);
    else await this.#writeApart(batch, options, fault);
    if (options.client !== undefined && this.owesTo(options.client)) await this.#pay();
    this.#tell();
  }

  /** Pays when it is time to try again. Call it about once a second. */
  tick(): void {
    if (this.#debt.isEmpty || this.#options.clock.monotonic() < this.#retryAt) return;
    this.#pay().then(
      () => this.#tell(),
      () => {}, // told already, and tried again
    );
  }

  /** Readings for themselves and the rest for itself, so that neither costs the other. Throws the fault of the disk. */
  async #writeApart(batch: Batch, options: WriteOptions, first: unknown): Promise<void> {
    const { readings = [], ...rest } = batch;
    const apart = readings.length > 0 && !isEmpty(rest);
    const [readingsFault, restFault] = await Promise.all([
      readings.length > 0 ? this.#writeReadings(batch, options.client ?? '', apart ? null : first) : null,
      isEmpty(rest) ? null : this.#writeRest(rest, options, apart ? null : first),
    ]);
    const fault = readingsFault ?? restFault;
    if (fault !== null) throw this.#failed(fault);
  }

  /** `before`: what the same readings have met already. Returns the fault of the disk, with the readings owed. */
  async #writeReadings({ readings = [] }: Batch, client: string, before: unknown): Promise<unknown> {
    const fault = before ?? (await this.#try({ readings }));
    if (fault === null) return null;
    if (refusals.has(codeOf(fault))) return this.#pickReadings(readings, client);
    this.#debt.owe({ readings }, client);
    return fault;
  }

  /** One after the other: what is refused even so is left out for good, and nobody is made to send it again. */
  async #pickReadings(readings: NonNullable<Batch['readings']>, client: string): Promise<unknown> {
    const refused: Refused[] = [];
    let fault: unknown = null;
    for (const reading of readings) {
      const error = fault ?? (await this.#try({ readings: [reading] }));
      if (error === null) continue;
      if (refusals.has(codeOf(error))) refused.push({ what: reading.ref, why: messageOf(error) });
      else {
        fault = error;
        this.#debt.owe({ readings: [reading] }, client);
      }
    }
    if (refused.length > 0) this.#options.onRefused(refused);
    return fault;
  }

  async #writeRest(rest: Batch, options: WriteOptions, before: unknown): Promise<unknown> {
    const fault = before ?? (await this.#try(rest));
    if (fault === null) {
      this.#debt.forget(rest);
      return null;
    }
    if (refusals.has(codeOf(fault))) return this.#pickParts(rest, options, fault);
    const { events: _, ...own } = rest;
    this.#debt.owe(options.isResent === true ? own : rest, options.client ?? '');
    return fault;
  }

  /** Kind by kind, so that one bad line costs only its own kind. */
  async #pickParts(rest: Batch, options: WriteOptions, before: unknown): Promise<unknown> {
    const parts = Object.entries(rest).filter(([, part]) => Object.keys(part ?? {}).length > 0);
    const [only] = parts;
    if (only !== undefined && parts.length === 1) {
      this.#options.onRefused([{ what: only[0], why: messageOf(before) }]);
      return null;
    }
    let fault: unknown = null;
    for (const [kind, part] of parts) fault = (await this.#writeRest({ [kind]: part }, options, null)) ?? fault;
    return fault;
  }

  async #try(batch: Batch): Promise<unknown> {
    try {
      await this.#options.append(batch);
      return null;
    } catch (error) {
      return error ?? new Error('refused without a reason');
    }
  }

  #pay(): Promise<void> {
    this.#paying ??= this.#payAll().finally(() => {
      this.#paying = null;
    });
    return this.#paying;
  }

  async #payAll(): Promise<void> {
    for (let part = this.#debt.next(); part !== null; part = this.#debt.next()) {
      const fault = await this.#try(part.batch);
      if (fault === null) part.paid();
      else if (!refusals.has(codeOf(fault))) throw this.#failed(fault);
      else {
        part.paid();
        const again = await this.#payApart(part.batch, part.client);
        if (again !== null) throw this.#failed(again);
      }
    }
    this.#backoff.reset();
    this.#retryAt = 0;
  }

  #payApart(batch: Batch, client: string): Promise<unknown> {
    return batch.readings === undefined
      ? this.#pickParts(batch, { client }, new Error('refused'))
      : this.#pickReadings(batch.readings, client);
  }

  #failed(fault: unknown): unknown {
    if (this.#retryAt <= this.#options.clock.monotonic()) {
      this.#retryAt = this.#options.clock.monotonic() + this.#backoff.next();
    }
    if (!this.#isFailing) {
      this.#isFailing = true;
      this.#options.onFault(messageOf(fault));
    }
    return fault;
  }

  /** Something was written: is all well again? */
  #tell(): void {
    if (!this.#isFailing || !this.#debt.isEmpty) return;
    this.#isFailing = false;
    this.#options.onFault(null);
  }
}

function isEmpty(batch: Batch): boolean {
  return Object.values(batch).every((part) => Object.keys(part ?? {}).length === 0);
}
