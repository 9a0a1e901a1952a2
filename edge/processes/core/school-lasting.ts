import type { PointRef } from '#edge/domain/ids.ts';
import { type LedgerLine, lateness, type Occurrence } from '#edge/domain/school.ts';
import { addDays } from '#edge/school/dates.ts';
import { lastsOf } from '#edge/school/ticker.ts';
import type { Reader } from '#edge/store/reader.ts';
import type { SchoolActs } from './school-acts.ts';
import type { SchoolBook } from './school-book.ts';

/** Something that was begun and whose time is not over. */
interface Lasting {
  readonly line: LedgerLine;
  readonly occurrence: Occurrence;
}

/** What became of something whose signature was taken back. */
export interface Ended {
  readonly line: LedgerLine;
  /** What the plan that holds now says of the same time instead, and what of it is left; null: nothing. */
  readonly instead: Occurrence | null;
}

export interface SchoolLastingOptions {
  readonly book: Pick<SchoolBook, 'isUndone' | 'occurrences' | 'occurrencesOf' | 'releaseOn' | 'clock'>;
  readonly acts: Pick<SchoolActs, 'end'>;
}

/** Nothing of the school day lasts longer, ms. */
const longest = 86_400_000;
const mostRead = 2_000;
/** More does not last at once; the oldest is forgotten, and ends at its own time. */
const mostKept = 1_000;
const takenBack = 'the signature that began it was taken back';

/** What lasts, and by which signature: taken back, what it began ends, and nothing else does. */
export class SchoolLasting {
  readonly #options: SchoolLastingOptions;
  readonly #lasting = new Map<string, Lasting>();

  constructor(options: SchoolLastingOptions) {
    this.#options = options;
  }

  begun(line: LedgerLine, occurrence: Occurrence): void {
    if (lastsOf(occurrence) === 0) return;
    this.#lasting.set(line.key, { line, occurrence });
    const oldest = this.#lasting.keys().next();
    if (this.#lasting.size > mostKept && oldest.done !== true) this.#lasting.delete(oldest.value);
  }

  /** After a restart: what the ledger says was begun, and lasts. Throws what the reader throws. */
  restore(reader: Pick<Reader, 'schoolLedger'>, now: number): void {
    const { book } = this.#options;
    const lines = reader.schoolLedger({ from: now - longest, outcomes: ['begun', 'done', 'late'], limit: mostRead });
    for (const line of lines.toReversed()) {
      const date = book.clock.dateOf(line.planned);
      const same = ({ key }: Occurrence) => key === line.key;
      // What was shifted over its midnight belongs to the day before.
      const occurrence = [date, addDays(date, -1)].flatMap((one) => book.occurrencesOf(line.release, one)).find(same);
      if (occurrence !== undefined && endOf(occurrence) > now) this.begun(line, occurrence);
    }
  }

  /** Ends what was begun by signatures that were taken back since, unless what holds now says the same. */
  endUndone(now: number): readonly Ended[] {
    const { book, acts } = this.#options;
    for (const [key, { occurrence }] of this.#lasting) if (endOf(occurrence) <= now) this.#lasting.delete(key);
    const undone = [...this.#lasting.values()].filter(({ line }) => book.isUndone(line.release));
    return undone.flatMap((one): Ended[] => {
      const { line, occurrence } = one;
      const { key, date } = occurrence;
      const now = book.occurrences(date).find((other) => other.key === key && other.silenced === null) ?? null;
      const release = book.releaseOn(date)?.id ?? '';
      if (now !== null && isSame(now, occurrence)) {
        this.#lasting.set(key, { line: { ...line, release }, occurrence: now });
        return [];
      }
      this.#lasting.delete(key);
      acts.end(occurrence, takenBack, this.#heldFor(occurrence));
      const instead = now !== null && (now.do.kind === 'hold' || now.do.kind === 'mode') ? now : null;
      return [
        { line: { ...line, ...(instead === null ? {} : { release }), reason: 'undone', message: takenBack }, instead },
      ];
    });
  }

  /** Outputs of the same entry that something else holds on to. */
  #heldFor({ entry }: Occurrence): ReadonlySet<PointRef> {
    const others = [...this.#lasting.values()].filter(({ occurrence }) => occurrence.entry === entry);
    const refs = others.flatMap(({ occurrence: { do: action } }) =>
      action.kind === 'hold' ? action.outputs.map(({ ref }) => ref) : [],
    );
    return new Set(refs);
  }
}

/** A sound that began late is over later. */
function endOf(occurrence: Occurrence): number {
  const late = occurrence.do.kind === 'sound' ? lateness[occurrence.class].most : 0;
  return occurrence.at + lastsOf(occurrence) + late;
}

function isSame(a: Occurrence, b: Occurrence): boolean {
  return JSON.stringify([a.do, a.zones]) === JSON.stringify([b.do, b.zones]);
}
