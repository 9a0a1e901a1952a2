import type { LedgerLine, LedgerOutcome } from '#edge/domain/school.ts';
import type { Db } from './database.ts';

export interface SchoolLedgerFilter {
  /** Planned at from <= t < to, ms since epoch. */
  readonly from?: number;
  readonly to?: number;
  readonly entry?: string;
  readonly outcomes?: readonly LedgerOutcome[];
  /** Key of the last line of the page before. */
  readonly after?: string;
  readonly limit: number;
}

type Asked = Record<string, string | number | null>;
const farthest = Number.MAX_SAFE_INTEGER;

/** Latest planned first. Bodies were written by this room from checked values: reading them back is the parse. */
export function schoolLedgerReader(db: Db) {
  const page = db
    .prepare<[Asked], string>(
      `SELECT body FROM school_ledger WHERE (planned, key) < (@planned, @key) AND planned >= @from
         AND (@entry IS NULL OR entry = @entry)
         AND (@outcomes IS NULL OR outcome IN (SELECT value FROM json_each(@outcomes)))
       ORDER BY planned DESC, key DESC LIMIT @limit`,
    )
    .pluck();
  const plannedOf = db.prepare<[string], number>('SELECT planned FROM school_ledger WHERE key = ?').pluck();
  return (filter: SchoolLedgerFilter, limit: number): LedgerLine[] => {
    const { from = 0, to = farthest, entry, outcomes, after } = filter;
    // Let go of meanwhile, and with it all that is older.
    const planned = after === undefined ? to : plannedOf.get(after);
    if (planned === undefined) return [];
    const asked = { planned, key: after ?? '', from, limit, entry: entry ?? null };
    const words = outcomes === undefined ? null : JSON.stringify(outcomes);
    return page.all({ ...asked, outcomes: words }).map((body) => JSON.parse(body) as LedgerLine);
  };
}
