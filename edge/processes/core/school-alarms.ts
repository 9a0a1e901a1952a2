import type { Occurrence } from '#edge/domain/school.ts';
import type { AlarmDecision, RaiseDecision } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { addDays } from '#edge/school/dates.ts';
import { nameOfReason } from '#edge/school/in-force.ts';
import type { Distrust } from '#edge/school/ticker-trust.ts';
import type { SchoolBook } from './school-book.ts';
import { clockAlarm, examAlarm, ledgerAlarm, schoolSources, unconfirmedAlarm, unsignedAlarm } from './school-words.ts';

export interface SchoolAlarmsOptions {
  readonly book: Pick<SchoolBook, 'today' | 'releaseOn' | 'isUsed' | 'assumptionsOn' | 'clock'>;
  readonly decide: (decisions: readonly AlarmDecision[]) => void;
  readonly clock: Clock;
}

/** What the desk knows of itself. */
export interface DeskState {
  readonly paused: { readonly why: Distrust; readonly since: number } | null;
  readonly ledger: { readonly owed: number; readonly why: string };
  readonly asked: readonly Occurrence[];
}

/** A clock that is doubted for a moment after a start is nobody's business, ms. */
const clockPatience = 20_000;
/** From this second of the day on somebody should have signed tomorrow. */
const signBy = 16 * 3_600;

/** What a person must see of the school day. */
export class SchoolAlarms {
  readonly #options: SchoolAlarmsOptions;
  readonly #told = new Map<string, string>();

  constructor(options: SchoolAlarmsOptions) {
    this.#options = options;
  }

  /** Nothing of the school day can be read, and nothing of it runs. */
  cannotRead(why: string): void {
    this.#tell(schoolSources.ledger, ledgerAlarm(why, 0));
  }

  /** `paused.since`: monotonic ms. */
  look({ paused, ledger, asked }: DeskState): void {
    const { book, clock } = this.#options;
    const today = book.today();
    const tomorrow = addDays(today, 1);
    const isPlanned = book.releaseOn(today) !== null || book.releaseOn(tomorrow) !== null;
    const isLong = paused !== null && clock.monotonic() - paused.since >= clockPatience;
    this.#tell(schoolSources.clock, isPlanned && isLong ? clockAlarm(paused.why) : null);
    this.#tell(schoolSources.ledger, ledger.owed > 0 ? ledgerAlarm(ledger.why, ledger.owed) : null);
    this.#tell(schoolSources.exam, asked.length > 0 ? examAlarm(asked) : null);
    const isTime = book.clock.secondOf(clock.now()) >= signBy;
    const isMissing = book.isUsed() && book.releaseOn(tomorrow) === null;
    // Once raised it stands until somebody signs, also past midnight.
    const stands = (this.#told.get(schoolSources.unsigned) ?? '') !== '';
    this.#tell(schoolSources.unsigned, isMissing && (isTime || stands) ? unsignedAlarm(tomorrow) : null);
    const assumed = book.assumptionsOn(today).map(nameOfReason);
    this.#tell(schoolSources.unconfirmed, assumed.length > 0 ? unconfirmedAlarm(today, assumed) : null);
  }

  /** Said when it changes; after a start once in any case, because nobody knows what stood before. */
  #tell(source: string, raise: RaiseDecision | null): void {
    const text = raise === null ? '' : `${raise.message.en} ${raise.reason}`;
    if (this.#told.get(source) === text) return;
    this.#told.set(source, text);
    this.#options.decide([raise ?? { kind: 'return', source, reason: 'it is so no more' }]);
  }
}
