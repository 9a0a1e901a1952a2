import type { RuleDecision } from '#edge/domain/rule.ts';

export interface JournalGateOptions {
  /** Lines of one instance in a span before they are only counted. */
  readonly perInstance?: number;
  /** Lines of all together in a span. */
  readonly inAll?: number;
  /** ms, monotonic. */
  readonly span?: number;
}

interface Tally {
  lines: number;
  /** Left out of the journal since the last line, and the newest of them. */
  skipped: number;
  last: RuleDecision | null;
}

/**
 * Keeps a rule that chatters from filling the disk: beyond so many lines of an instance in a minute they are counted, and one
 * line says at the end of that minute how many there were and how it stood last. What was decided is acted on all the same.
 */
export class JournalGate {
  readonly #perInstance: number;
  readonly #inAll: number;
  readonly #span: number;
  readonly #tallies = new Map<string, Tally>();
  #began = Number.NEGATIVE_INFINITY;
  #lines = 0;
  /** Lines that were counted instead of kept. */
  skipped = 0;

  constructor({ perInstance = 20, inAll = 3_000, span = 60_000 }: JournalGateOptions = {}) {
    this.#perInstance = perInstance;
    this.#inAll = inAll;
    this.#span = span;
  }

  /** What of these goes into the journal, what the minute before still owes ahead of it. */
  admit(decisions: readonly RuleDecision[], monotonic: number): readonly RuleDecision[] {
    const owed = this.settle(monotonic);
    if (decisions.length === 0) return owed;
    const kept = decisions.filter((decision) => this.#take(decision));
    return owed.length === 0 ? kept : [...owed, ...kept];
  }

  /** The lines that tell of those that were counted, once their minute is over. Call it about once a second. */
  settle(monotonic: number): readonly RuleDecision[] {
    if (monotonic - this.#began < this.#span) return [];
    this.#began = monotonic;
    this.#lines = 0;
    const owed = [...this.#tallies.values()].flatMap(({ last, skipped }) =>
      last === null
        ? []
        : [skipped === 1 ? last : { ...last, why: `${skipped} decisions within a minute, the last: ${last.why}` }],
    );
    this.#tallies.clear();
    return owed;
  }

  #take(decision: RuleDecision): boolean {
    const key = `${decision.shadow ? 'shadow ' : ''}${decision.instance}`;
    const tally = this.#tallies.get(key) ?? { lines: 0, skipped: 0, last: null };
    this.#tallies.set(key, tally);
    if (tally.lines < this.#perInstance && this.#lines < this.#inAll) {
      tally.lines += 1;
      this.#lines += 1;
      return true;
    }
    tally.skipped += 1;
    tally.last = decision;
    this.skipped += 1;
    return false;
  }
}
