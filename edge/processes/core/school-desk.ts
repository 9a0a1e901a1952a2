import type {
  DayConflict,
  LedgerLine,
  LedgerOutcome,
  LocalDate,
  Occurrence,
  SchoolOverride,
} from '#edge/domain/school.ts';
import { lateness } from '#edge/domain/school.ts';
import type { AlarmDecision } from '#edge/rules/decision.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import { addDays } from '#edge/school/dates.ts';
import type { SchoolPlan } from '#edge/school/plan.ts';
import {
  afterRestart,
  createTicker,
  lastsOf,
  type SchoolTicker,
  type TickDecision,
  type TickerState,
} from '#edge/school/ticker.ts';
import { type Distrust, usualTrust } from '#edge/school/ticker-trust.ts';
import type { Batch } from '#edge/store/batch.ts';
import type { Reader } from '#edge/store/reader.ts';
import type { Actor } from './rule-guards.ts';
import type { SchoolActs } from './school-acts.ts';
import { SchoolAlarms } from './school-alarms.ts';
import type { SchoolBook } from './school-book.ts';
import type { SchoolClockWatch } from './school-clock.ts';
import { SchoolLasting } from './school-lasting.ts';
import { SchoolLedger } from './school-ledger.ts';
import { UnderWay } from './school-under-way.ts';

/*
 * The one scheduler. Asks the ticker what is due, has it in the ledger before anything is done, does it, and closes the line when the
 * outputs say that it was done. What cannot be written is not done: no bell is worth not knowing whether it rang.
 */

/** What somebody who acts level by level (power) needs to know of this moment. */
export interface SchoolMoment {
  readonly now: number;
  readonly date: LocalDate;
  /** What is signed for yesterday, today and tomorrow; null: nothing. */
  readonly planOn: (date: LocalDate) => SchoolPlan | null;
  readonly overrides: readonly SchoolOverride[];
  /** Why the clock is not believed; null: it is. */
  readonly paused: Distrust | null;
}

export interface SchoolDeskOptions {
  readonly book: SchoolBook;
  readonly acts: SchoolActs;
  readonly clockWatch: SchoolClockWatch;
  readonly reader: Pick<Reader, 'schoolLedger'>;
  /** Writes at once, or fails. */
  readonly append: (batch: Batch) => Promise<void>;
  readonly decide: (decisions: readonly AlarmDecision[]) => void;
  /** What is signed or said is another: rules look again. */
  readonly onChange: () => void;
  /** Called every 10 s, and when the plan changes; decides what circuits should do. */
  readonly powerTick?: (moment: SchoolMoment) => void;
  readonly stored: Readonly<Record<string, unknown>>;
  readonly clock: Clock;
  readonly log: Log;
  /** No clock is right that shows less, ms since epoch. Default: when this program was made. */
  readonly builtAt?: number;
  /** Tests tick by themselves. */
  readonly every?: number | null;
}

/** No clock of this program is right that shows less. */
export const builtAt = Date.UTC(2026, 10, 1);
export const schoolTickerState = 'school-ticker';
const tickEvery = 250;
const slowEvery = 10_000;
const keepEvery = 60_000;
/** So long somebody may still give a command that was late, ms. */
const askedFor = 10 * 60_000;
const mostAsked = 50;

export class SchoolDesk implements Disposable {
  readonly #options: SchoolDeskOptions;
  readonly #ledger: SchoolLedger;
  readonly #lasting: SchoolLasting;
  readonly #underWay: UnderWay;
  readonly #alarms: SchoolAlarms;
  readonly #asked = new Map<string, Occurrence>();
  readonly #timer: Ticker | null;
  #ticker: SchoolTicker;
  #isLoaded = false;
  #paused: Distrust | null = 'start';
  #pausedSince: number;
  #slowAt = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #keptAt: number;

  constructor(options: SchoolDeskOptions) {
    this.#options = options;
    const { book, acts, clock, reader, append, log, every = tickEvery } = options;
    this.#lasting = new SchoolLasting({ book, acts });
    this.#underWay = new UnderWay({ acts, clock });
    this.#alarms = new SchoolAlarms({ book, clock, decide: options.decide });
    this.#ledger = new SchoolLedger({ reader, append, clock, log });
    this.#ticker = this.#newTicker();
    this.#pausedSince = clock.monotonic();
    // The first horizon goes to disk at once: a box that is switched off in its first minute owes what it missed, too.
    this.#keptAt = Number.NEGATIVE_INFINITY;
    book.onChange(() => {
      if (!this.#isLoaded) return;
      options.onChange();
      this.#slowAt = Number.NEGATIVE_INFINITY;
    });
    this.#timer = every === null ? null : new Ticker(every, () => this.tick());
  }

  /** What is due now is begun in this turn, as far as the ledger takes it. */
  tick(): void {
    const { clock, book, clockWatch } = this.#options;
    if (!this.#isLoaded && !this.#load()) return;
    clockWatch.tick(this.#paused === null);
    const { decisions, events, paused } = this.#ticker.tick({
      ...{ wall: clock.now(), monotonic: clock.monotonic(), word: clockWatch.word },
      occurrences: (date) => book.occurrences(date),
      ledgerHas: (key) => this.#ledger.outcomeOf(key),
    });
    for (const event of events) this.#options.log.info({ event }, 'the clock of the school day');
    if (paused !== null && this.#paused === null) this.#pausedSince = clock.monotonic();
    this.#paused = paused;
    if (decisions.length > 0) this.#carryOut(decisions);
    else this.#keep();
    if (clock.monotonic() - this.#lookedAt >= tickEvery) this.#look();
    if (clock.monotonic() - this.#slowAt >= slowEvery) this.#slowly();
  }

  /** The clock is not believed. */
  get isPaused(): boolean {
    return this.#paused !== null;
  }

  /** For RPC `school.now`. Times are ms since epoch. */
  now() {
    const { book, clockWatch, clock } = this.#options;
    const today = book.today();
    const dates = [today, addDays(today, 1)];
    const next = this.#isLoaded
      ? dates.flatMap((date) => book.occurrences(date)).filter(({ at }) => at > clock.now())
      : [];
    const signed = dates.map((date) => ({
      date,
      release: this.#isLoaded ? (book.releaseOn(date)?.id ?? null) : null,
    }));
    return {
      clock: { paused: this.#paused, ...clockWatch.source, vouched: clockWatch.vouched },
      signed,
      conflicts: this.#isLoaded ? signed.flatMap(nothingSigned) : [],
      next: next.slice(0, 20),
      asked: [...this.#asked.values()],
      open: this.#underWay.keys,
      unwritten: this.#ledger.owed,
    };
  }

  /** A command that is late: given now, or left out. Throws COMMAND_NOT_FOUND, what the store throws. */
  async answer(key: string, isGiven: boolean, why: string, { who, from }: Actor): Promise<LedgerLine> {
    const occurrence = this.#asked.get(key);
    if (occurrence === undefined) throw new CodedError('COMMAND_NOT_FOUND', `nobody is asked for "${key}"`);
    const { append, clock } = this.#options;
    const what = `school.exam ${isGiven ? 'give' : 'leave'} ${key}`;
    const outcome = isGiven ? 'begun' : 'skipped';
    const line = this.#line(
      occurrence,
      outcome,
      'asked',
      `${who} ${isGiven ? 'gave it by hand' : 'left it out'}: ${why}`,
    );
    const audit = { time: clock.now(), who, from, what, why, result: outcome };
    await append({ schoolLedger: [line], audit: [audit] });
    this.#asked.delete(key);
    this.#ledger.note(line);
    if (isGiven) this.#begin(line, occurrence, null);
    this.#slowAt = Number.NEGATIVE_INFINITY;
    return line;
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }

  #newTicker(): SchoolTicker {
    const { stored, book, builtAt: earliest = builtAt } = this.#options;
    const options = { ...usualTrust, builtAt: earliest, dateOf: (time: number) => book.clock.dateOf(time) };
    return createTicker(options, readState(stored[schoolTickerState]));
  }

  /** Without what is signed and what was done nothing may run. */
  #load(): boolean {
    const { book, clock, log } = this.#options;
    if (clock.monotonic() - this.#slowAt < slowEvery) return false;
    this.#slowAt = clock.monotonic();
    try {
      book.load();
      this.#ledger.load();
      this.#lasting.restore(this.#options.reader, clock.now());
    } catch (error) {
      log.error({ error }, 'the school day cannot be read: nothing of it runs');
      this.#alarms.cannotRead(messageOf(error));
      return false;
    }
    this.#isLoaded = true;
    this.#slowAt = Number.NEGATIVE_INFINITY;
    this.#afterRestart();
    this.#options.onChange();
    return true;
  }

  #afterRestart(): void {
    const { book, acts, clock } = this.#options;
    const written: LedgerLine[] = [];
    for (const line of this.#ledger.begun()) {
      const date = book.clock.dateOf(line.planned);
      const dates = [date, addDays(date, -1)];
      const occurrence = dates.flatMap((one) => book.occurrences(one)).find(({ key }) => key === line.key) ?? null;
      const now = { wall: clock.now(), isHeld: acts.isHeld(line.entry) };
      const { do: what, outcome, reason, message } = afterRestart(line, occurrence, now);
      const next = { ...line, time: clock.now(), outcome, reason, message };
      written.push(next);
      if (what === 'again' && occurrence !== null) this.#begin(next, occurrence, null);
    }
    for (const line of this.#ledger.asked()) {
      const occurrence = book.occurrences(book.clock.dateOf(line.planned)).find(({ key }) => key === line.key);
      if (occurrence !== undefined && clock.now() - line.planned < askedFor) this.#asked.set(line.key, occurrence);
    }
    this.#ledger.write(written);
  }

  #carryOut(decisions: readonly TickDecision[]): void {
    const { clock } = this.#options;
    const asked = decisions.map((one) => ({
      ...{ one, line: this.#line(one.occurrence, one.outcome, one.reason, one.message) },
    }));
    const state = { [schoolTickerState]: this.#ticker.state };
    this.#keptAt = clock.monotonic();
    for (const { one } of asked) if (one.do === 'ask') this.#ask(one.occurrence);
    const written = this.#ledger.first(
      asked.map(({ line }) => line),
      state,
    );
    void written.then((isWritten) => {
      for (const { one, line } of asked) {
        if (one.do !== 'act') continue;
        if (!isWritten) this.#close(line, 'failed', 'not-recorded', 'the ledger did not take it, so it was not done');
        // The disk took its time.
        else if (clock.now() - line.planned > lateness[line.class].most)
          this.#close(line, 'skipped', 'too-late', 'the ledger was written too late');
        else this.#begin(line, one.occurrence, one.only);
      }
      if (!isWritten) this.#slowAt = Number.NEGATIVE_INFINITY;
    });
  }

  #begin(line: LedgerLine, occurrence: Occurrence, only: readonly string[] | null): void {
    const begun = this.#options.acts.begin(occurrence, only);
    if ('refused' in begun) {
      this.#close(line, 'failed', 'refused', begun.refused);
      return;
    }
    this.#lasting.begun(line, occurrence);
    if (begun.done !== null) {
      void begun.done.then((problem) => {
        if (problem === '') this.#close(line, line.reason === 'late' ? 'late' : 'done', line.reason, line.message);
        else this.#close(line, 'failed', 'refused', problem);
      });
      return;
    }
    this.#underWay.begin(line, begun.told, lastsOf(occurrence));
  }

  #look(): void {
    this.#lookedAt = this.#options.clock.monotonic();
    for (const { line, outcome, reason, message } of this.#underWay.look()) this.#close(line, outcome, reason, message);
  }

  /**
   * A signature was taken back: what it began ends, and where the one before says otherwise for this time, that is done. The line stays as
   * it was closed (one for a key, for good); the audit of the outputs says why they were let go.
   */
  #endUndone(): void {
    const { acts, clock } = this.#options;
    for (const { line, instead } of this.#lasting.endUndone(clock.now())) {
      const open = this.#underWay.forget(line.key);
      if (open !== null) this.#close(line, open.isHeard ? 'done' : 'failed', line.reason, line.message);
      if (instead === null) continue;
      const begun = acts.begin(instead, null);
      if (!('refused' in begun)) this.#lasting.begun(line, instead);
    }
  }

  #close(line: LedgerLine, outcome: LedgerOutcome, reason: string, message: string): void {
    this.#ledger.write([{ ...line, time: this.#options.clock.now(), outcome, reason, message }]);
  }

  #ask(occurrence: Occurrence): void {
    if (this.#asked.size >= mostAsked) return;
    this.#asked.set(occurrence.key, occurrence);
    this.#slowAt = Number.NEGATIVE_INFINITY;
  }

  #keep(): void {
    const { clock, append } = this.#options;
    const { state } = this.#ticker;
    if (state === null || clock.monotonic() - this.#keptAt < keepEvery) return;
    this.#keptAt = clock.monotonic();
    append({ state: { [schoolTickerState]: state } }).catch(() => {}); // the store's own alarm; again in a minute
  }

  /** Every ten seconds: the alarms, the circuits, what is owed to the disk. */
  #slowly(): void {
    const { book, clock, powerTick } = this.#options;
    this.#slowAt = clock.monotonic();
    this.#ledger.retry();
    if (this.#isLoaded) this.#endUndone();
    this.#tellAll();
    const overrides = book.overrides();
    const moment = { now: clock.now(), date: book.today(), overrides, paused: this.#paused };
    powerTick?.({ ...moment, planOn: (date) => book.planOn(date) });
  }

  #tellAll(): void {
    const { clock } = this.#options;
    for (const [key, { at }] of this.#asked) if (clock.now() - at > askedFor) this.#asked.delete(key);
    const why = this.#paused;
    this.#alarms.look({
      paused: why === null ? null : { why, since: this.#pausedSince },
      ledger: this.#ledger,
      asked: [...this.#asked.values()],
    });
  }

  #line(occurrence: Occurrence, outcome: LedgerOutcome, reason: string, message: string): LedgerLine {
    const { key, entry, class: of, at, date, name, zones } = occurrence;
    const release = this.#options.book.releaseOn(date)?.id ?? '';
    const time = this.#options.clock.now();
    return { ...{ key, entry, class: of, planned: at, time, outcome, reason, message, release }, name, zones };
  }
}

function nothingSigned({
  date,
  release,
}: {
  readonly date: LocalDate;
  readonly release: string | null;
}): DayConflict[] {
  return release === null ? [{ code: 'nothing-signed', date, of: [] }] : [];
}

function readState(stored: unknown): TickerState | null {
  if (typeof stored !== 'object' || stored === null || !('horizon' in stored)) return null;
  return typeof stored.horizon === 'number' && Number.isFinite(stored.horizon) ? { horizon: stored.horizon } : null;
}
