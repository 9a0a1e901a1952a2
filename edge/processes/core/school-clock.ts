import { z } from 'zod';
import type { Clock } from '#edge/runtime/clock.ts';
import type { ClockSync } from '#edge/runtime/clock-sync.ts';
import type { ClockWord } from '#edge/school/ticker-trust.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { Actor } from './rule-guards.ts';

/** Under which name core remembers that somebody vouched for this box's clock. */
export const schoolClockState = 'school-clock';
const stored = z.strictObject({ by: z.string(), time: z.number(), why: z.string() });
export type Vouched = z.infer<typeof stored>;

export interface SchoolClockWatchOptions {
  readonly stored: unknown;
  /** Asks who sets the clock of this box (runtime/clock-sync.ts). */
  readonly ask: () => Promise<ClockSync>;
  readonly commit: (batch: Batch) => Promise<void>;
  readonly clock: Clock;
}

/** While the clock is believed, and while it is not, ms. */
const askEvery = { calm: 60_000, doubt: 5_000 };

/**
 * What may be said of the clock. A box without any source of time (nothing that says it is set, nothing that says it is not) is vouched for
 * by a person, for good, in the audit; where a source says that the clock is not set, nobody's word is above it.
 */
export class SchoolClockWatch {
  readonly #options: SchoolClockWatchOptions;
  #sync: ClockSync = { synchronised: null, source: 'unknown' };
  #asOf = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #vouched: Vouched | null;

  constructor(options: SchoolClockWatchOptions) {
    this.#options = options;
    const parsed = stored.safeParse(options.stored);
    this.#vouched = parsed.success ? parsed.data : null;
  }

  get word(): ClockWord {
    const { synchronised } = this.#sync;
    const says =
      synchronised === true ? 'synchronised' : synchronised === null && this.#vouched !== null ? 'vouched' : 'unknown';
    return { says, asOf: this.#asOf };
  }

  get source(): ClockSync {
    return this.#sync;
  }

  get vouched(): Vouched | null {
    return this.#vouched;
  }

  /** Call it as often as the ticker; it asks now and then. `isCalm`: the clock is believed. */
  tick(isCalm: boolean): void {
    const { clock, ask } = this.#options;
    const now = clock.monotonic();
    if (now - this.#askedAt < (isCalm ? askEvery.calm : askEvery.doubt)) return;
    this.#askedAt = now;
    // It never throws, and has its own time limits. Valid is what was asked after a jump: so it counts from the question.
    void ask().then((answer) => {
      this.#sync = answer;
      this.#asOf = now;
    });
  }

  /** On disk, and then so. */
  async vouch(isGood: boolean, why: string, { who, from }: Actor): Promise<void> {
    const { commit, clock } = this.#options;
    const vouched = isGood ? { by: who, time: clock.now(), why } : null;
    const what = isGood ? 'school.clock believe' : 'school.clock doubt';
    const line = { time: clock.now(), who, from, what, why, result: isGood ? 'vouched for' : 'not vouched for' };
    await commit({ state: { [schoolClockState]: vouched }, audit: [line] });
    this.#vouched = vouched;
  }
}
