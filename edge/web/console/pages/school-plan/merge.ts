import type { SchoolEntry } from '#edge/domain/school.ts';

/* Two people changed one entry: what each changed, put together field by field. Pure. */

export interface Merge {
  /** Changed by both, and not to the same: somebody has to choose. */
  readonly conflicts: readonly string[];
  readonly theirs: readonly string[];
  readonly mine: readonly string[];
}

export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [known(a), known(b)];
  const other = new Map(right);
  return left.length === right.length && left.every(([key, value]) => other.has(key) && isSame(value, other.get(key)));
}

function known(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, one]) => one !== undefined);
}

function fieldOf(body: SchoolEntry, field: string): unknown {
  return Object.entries(body).find(([key]) => key === field)?.[1];
}

/** `base`: what both began with. */
export function mergeOf(base: SchoolEntry, mine: SchoolEntry, theirs: SchoolEntry): Merge {
  const fields = [...new Set([base, mine, theirs].flatMap((one) => Object.keys(one)))].filter((one) => one !== 'part');
  const changed = (before: SchoolEntry, after: SchoolEntry) =>
    fields.filter((field) => !isSame(fieldOf(before, field), fieldOf(after, field)));
  const [my, their] = [changed(base, mine), changed(base, theirs)];
  const differ = changed(mine, theirs);
  return {
    conflicts: my.filter((field) => their.includes(field) && differ.includes(field)),
    theirs: their.filter((field) => !my.includes(field)),
    mine: my.filter((field) => !their.includes(field)),
  };
}

/** Theirs, with what only I changed, and of what both changed what is not given to them. */
export function merged<E extends SchoolEntry>(base: E, mine: E, theirs: E, toThem: ReadonlySet<string>): E {
  const { conflicts, mine: my } = mergeOf(base, mine, theirs);
  const taken = new Set([...my, ...conflicts.filter((field) => !toThem.has(field))]);
  const result: Record<string, unknown> = { ...theirs };
  for (const field of taken) {
    const value = fieldOf(mine, field);
    if (value === undefined) delete result[field];
    else result[field] = value;
  }
  // Of the same part as all three.
  return result as unknown as E;
}
