import type { Batch } from '#edge/store/batch.ts';

/* Several desks act in one turn, and what they want on disk is on disk together or not at all: a kill between two halves must not lose one. */

export class Together {
  readonly #commit: (batch: Batch) => void;
  #parts: Batch[] | null = null;

  constructor(commit: (batch: Batch) => void) {
    this.#commit = commit;
  }

  /** At once, or with all that is said within the same `within`. */
  readonly commit = (batch: Batch): void => {
    if (this.#parts === null) this.#commit(batch);
    else this.#parts.push(batch);
  };

  /** What was acted upon is written even when the rest of the turn throws. */
  readonly within = <T>(work: () => T): T => {
    if (this.#parts !== null) return work();
    const parts: Batch[] = [];
    this.#parts = parts;
    try {
      return work();
    } finally {
      this.#parts = null;
      if (parts.length > 0) this.#commit(merged(parts));
    }
  };
}

/** Later ones after earlier ones: of rows that are written whole the last counts. */
function merged(parts: readonly Batch[]): Batch {
  const whole: Record<string, unknown> = {};
  for (const part of parts)
    for (const [name, value] of Object.entries(part)) {
      const before = whole[name];
      if (Array.isArray(value)) whole[name] = [...(Array.isArray(before) ? before : []), ...value];
      else whole[name] = typeof value === 'object' && value !== null ? { ...(before as object), ...value } : value;
    }
  return whole;
}
