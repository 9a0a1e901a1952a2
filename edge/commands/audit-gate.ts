import type { AuditLine } from '#edge/domain/audit.ts';

export interface AuditGateOptions {
  /** Lines in a span that say the same of the same output, before they are only counted. */
  readonly most?: number;
  /** ms, monotonic. */
  readonly span?: number;
}

interface Tally {
  lines: number;
  skipped: number;
  last: AuditLine | null;
}

/** What is told apart within a span; what comes beyond shares one count. */
const mostKept = 20_000;

/**
 * The audit is kept for half a year, whatever the room: a rule that switches an output with every reading must not fill the disk with
 * it. What no person did is written sixty times an hour of the same kind and output, and then counted; one line an hour says how many
 * there were and what the last one was. What people and guests did is always written.
 */
export class AuditGate {
  readonly #most: number;
  readonly #span: number;
  readonly #tallies = new Map<string, Tally>();
  #began = Number.NEGATIVE_INFINITY;

  constructor({ most = 60, span = 3_600_000 }: AuditGateOptions = {}) {
    this.#most = most;
    this.#span = span;
  }

  /** Whether it is written; what is not is counted. */
  admits(line: AuditLine): boolean {
    if (!/^(rule|interlock|process):/.test(line.who)) return true;
    const tally = this.#tally(`${line.who} ${line.what.split('=', 1)[0]}`);
    tally.lines += 1;
    if (tally.lines <= this.#most) return true;
    tally.skipped += 1;
    tally.last = line;
    return false;
  }

  /** The lines that tell of those that were counted, once their hour is over. Call it now and then. */
  settle(monotonic: number): readonly AuditLine[] {
    if (monotonic - this.#began < this.#span) return [];
    this.#began = monotonic;
    const owed = [...this.#tallies.values()].flatMap(({ last, skipped }) => {
      if (last === null) return [];
      return [
        skipped === 1 ? last : { ...last, result: `${skipped} such lines within an hour, the last: ${last.result}` },
      ];
    });
    this.#tallies.clear();
    return owed;
  }

  #tally(name: string): Tally {
    const key = this.#tallies.size < mostKept || this.#tallies.has(name) ? name : '';
    const tally = this.#tallies.get(key) ?? { lines: 0, skipped: 0, last: null };
    this.#tallies.set(key, tally);
    return tally;
  }
}
