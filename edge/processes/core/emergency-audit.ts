import type { AuditLine } from '#edge/domain/audit.ts';

/* What machines hand in is in the audit, line by line up to a bound; of what is beyond it the number. */

const mostPerHour = 120;
const hour = 3_600_000;
/** Machines that are counted; there are a few tokens of this right. */
const mostKnown = 100;

export class BoundedAudit {
  readonly #counts = new Map<string, { readonly since: number; lines: number; beyond: number }>();

  /** The lines to be written for this one: none, where this machine has had its share of the hour. */
  lines(line: AuditLine): readonly AuditLine[] {
    const { who, time } = line;
    const known = this.#counts.get(who);
    // A clock that went back begins an hour of its own.
    const isNew = known === undefined || time - known.since >= hour || time < known.since;
    if (!isNew) {
      if (known.lines >= mostPerHour) known.beyond++;
      else known.lines++;
      return known.beyond > 0 ? [] : [line];
    }
    this.#counts.delete(who);
    this.#counts.set(who, { since: time, lines: 1, beyond: 0 });
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > mostKnown && oldest !== undefined) this.#counts.delete(oldest);
    if (known === undefined || known.beyond === 0) return [line];
    const rest = { ...line, what: 'crisis.beyond', why: 'more than is written down in an hour' };
    return [{ ...rest, result: `${known.beyond} more` }, line];
  }
}
