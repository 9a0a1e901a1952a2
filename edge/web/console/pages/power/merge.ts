import type { PowerBody } from './shapes.ts';

/* Two people changed one entry: what each changed, put together field by field. Pure. */

export type Field = Exclude<keyof PowerBody, 'part'>;

export const fields = [
  ...(['name', 'kind', 'layer', 'outputs', 'on', 'off', 'slots', 'weekly', 'days', 'months'] as const),
  ...(['occupancy', 'prepare', 'setback', 'minimumOn', 'minimumOff'] as const),
] as const satisfies readonly Field[];

export interface Merge {
  /** Changed by both, and not to the same: somebody has to choose. */
  readonly conflicts: readonly Field[];
  /** Changed by the other alone. */
  readonly theirs: readonly Field[];
  /** Changed by oneself alone. */
  readonly mine: readonly Field[];
}

export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [left, right] = [entriesOf(a), entriesOf(b)];
  if (Array.isArray(a) !== Array.isArray(b) || left.length !== right.length) return false;
  const known = new Map(right);
  return left.every(([key, value]) => known.has(key) && isSame(value, known.get(key)));
}

function entriesOf(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, one]) => one !== undefined);
}

/** Fields in which two of them differ. */
export function changed(before: PowerBody, after: PowerBody): readonly Field[] {
  return fields.filter((field) => !isSame(before[field], after[field]));
}

/** `base`: what both began with. */
export function mergeOf(base: PowerBody, mine: PowerBody, theirs: PowerBody): Merge {
  const my = changed(base, mine);
  const their = changed(base, theirs);
  const differ = new Set(changed(mine, theirs));
  return {
    conflicts: my.filter((field) => their.includes(field) && differ.has(field)),
    theirs: their.filter((field) => !my.includes(field)),
    mine: my.filter((field) => !their.includes(field)),
  };
}

/** What both changed, with the choice of who is right where they differ. */
export function merged(
  base: PowerBody,
  mine: PowerBody,
  theirs: PowerBody,
  choices: Readonly<Partial<Record<Field, 'mine' | 'theirs'>>>,
): PowerBody {
  const { conflicts, mine: my } = mergeOf(base, mine, theirs);
  const taken = [...my, ...conflicts.filter((field) => choices[field] !== 'theirs')];
  return { ...theirs, ...Object.fromEntries(taken.map((field) => [field, mine[field]])) };
}
