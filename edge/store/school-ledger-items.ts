import type { LedgerLine } from '#edge/domain/school.ts';
import type { Db } from './database.ts';

/* The ledger of the school day as rows: one a key, for good. */

/** key, planned, entry, outcome, body */
type LedgerRow = [string, number, string, string, string];

export interface SchoolLedgerItem {
  readonly kind: 'school-ledger';
  readonly row: Readonly<LedgerRow>;
}

export function schoolLedgerItem(line: LedgerLine): SchoolLedgerItem {
  return {
    kind: 'school-ledger',
    row: [line.key, line.planned, line.entry, line.outcome, JSON.stringify(line)],
  };
}

/** The statement, inside the caller's transaction. A line that is closed is never opened again, nor made another. */
export function schoolLedgerWriter(db: Db): (item: SchoolLedgerItem) => void {
  const put = db.prepare<LedgerRow>(
    `INSERT INTO school_ledger (key, planned, entry, outcome, body) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET outcome = excluded.outcome, body = excluded.body
       WHERE school_ledger.outcome IN ('begun', 'asked')`,
  );
  return ({ row }) => void put.run(...row);
}
