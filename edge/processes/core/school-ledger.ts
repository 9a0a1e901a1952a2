import type { LedgerLine, LedgerOutcome } from '#edge/domain/school.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { messageOf } from '#edge/runtime/errors.ts';
import { within } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { Reader } from '#edge/store/reader.ts';

export interface SchoolLedgerOptions {
  readonly reader: Pick<Reader, 'schoolLedger'>;
  readonly append: (batch: Batch) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Keys that are remembered: half a year of a large school. */
const mostKnown = 20_000;
/** Lines that wait for the disk; more is a fault nobody has looked at for weeks. */
const mostOwed = 2_000;
const patience = 10_000;
const retryEvery = 5_000;

/** What became of everything, in memory as far as it matters and on disk for good. */
export class SchoolLedger {
  readonly #options: SchoolLedgerOptions;
  readonly #known = new Map<string, LedgerOutcome>();
  #begun: readonly LedgerLine[] = [];
  #asked: readonly LedgerLine[] = [];
  readonly #owed = new Map<string, LedgerLine>();
  #isWriting = false;
  #triedAt = Number.NEGATIVE_INFINITY;
  #dropped = 0;
  #why = '';

  constructor(options: SchoolLedgerOptions) {
    this.#options = options;
  }

  /** Throws what the reader throws. */
  load(): void {
    const lines = this.#options.reader.schoolLedger({ limit: mostKnown });
    for (const { key, outcome } of lines.toReversed()) this.#known.set(key, outcome);
    this.#begun = lines.filter(({ outcome }) => outcome === 'begun');
    this.#asked = lines.filter(({ outcome }) => outcome === 'asked');
  }

  /** Lines that had begun, or that somebody was asked about, before the start. */
  begun(): readonly LedgerLine[] {
    return this.#begun;
  }

  asked(): readonly LedgerLine[] {
    return this.#asked;
  }

  outcomeOf(key: string): LedgerOutcome | null {
    return this.#known.get(key) ?? null;
  }

  /** Lines that are not on disk. */
  get owed(): number {
    return this.#owed.size + this.#dropped;
  }

  get why(): string {
    return this.#why;
  }

  note({ key, outcome }: LedgerLine): void {
    this.#known.delete(key);
    this.#known.set(key, outcome);
    if (this.#known.size <= mostKnown) return;
    const oldest = this.#known.keys().next();
    if (oldest.done !== true) this.#known.delete(oldest.value);
  }

  /** Before anything is done: whether it is on disk. What is not is owed, and must not be done. */
  async first(lines: readonly LedgerLine[], state: Readonly<Record<string, unknown>>): Promise<boolean> {
    for (const line of lines) this.note(line);
    try {
      await within(patience, 'the ledger', this.#options.append({ schoolLedger: lines, state }));
      return true;
    } catch (error) {
      // One that was to begin is told as failed by whoever asked.
      this.#owe(
        lines.filter(({ outcome }) => outcome !== 'begun'),
        error,
      );
      return false;
    }
  }

  /** Afterwards: owed when the disk refuses. */
  write(lines: readonly LedgerLine[]): void {
    if (lines.length === 0) return;
    for (const line of lines) this.note(line);
    this.#options.append({ schoolLedger: lines }).catch((error: unknown) => this.#owe(lines, error));
  }

  /** Call it now and then. */
  retry(): void {
    const { clock, append } = this.#options;
    if (this.#owed.size === 0 || this.#isWriting || clock.monotonic() - this.#triedAt < retryEvery) return;
    this.#isWriting = true;
    this.#triedAt = clock.monotonic();
    const lines = [...this.#owed.values()];
    append({ schoolLedger: lines })
      .then(
        () => {
          for (const line of lines) if (this.#owed.get(line.key) === line) this.#owed.delete(line.key);
          this.#dropped = 0;
        },
        (error: unknown) => {
          this.#why = messageOf(error);
        },
      )
      .finally(() => {
        this.#isWriting = false;
      });
  }

  #owe(lines: readonly LedgerLine[], error: unknown): void {
    this.#why = messageOf(error);
    this.#options.log.error({ error, lines: lines.length }, 'lines of the school day are not on disk');
    for (const line of lines) {
      if (this.#owed.size < mostOwed || this.#owed.has(line.key)) this.#owed.set(line.key, line);
      else this.#dropped += 1;
    }
  }
}
