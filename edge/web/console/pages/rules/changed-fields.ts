import type { Body } from './read-body.ts';

export interface ChangedField {
  /** `then[0].message.zh` */
  readonly path: string;
  /** As the file has it; null: it is not there. */
  readonly before: string | null;
  readonly after: string | null;
}

/** Every value that two bodies do not have in common, in the order of the file. */
export function changedFields(before: Body | null, after: Body | null): readonly ChangedField[] {
  const [old, now] = [leavesOf(before), leavesOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .map((path) => ({ path, before: old.get(path) ?? null, after: now.get(path) ?? null }))
    .filter((field) => field.before !== field.after);
}

function leavesOf(body: Body | null): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const look = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) {
      if (path !== '') found.set(path, typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
    } else if (Array.isArray(value)) {
      for (const [i, one] of value.entries()) look(one, `${path}[${i}]`);
    } else {
      for (const [key, one] of Object.entries(value)) look(one, path === '' ? key : `${path}.${key}`);
    }
  };
  look(body ?? {}, '');
  return found;
}
