import type { FlowEntry } from './tab-files.ts';

/** Node types that had another name in flow files of earlier releases. */
const renamed: Readonly<Record<string, string>> = { 'campus request': 'campus hold' };

/** Entries under the names of today; the same list when nothing is to be changed. The file follows at its next deploy. */
export function migrateEntries(entries: readonly FlowEntry[]): readonly FlowEntry[] {
  if (!entries.some(({ type }) => Object.hasOwn(renamed, type))) return entries;
  return entries.map((entry) => {
    const type = Object.hasOwn(renamed, entry.type) ? renamed[entry.type] : undefined;
    return type === undefined ? entry : { ...entry, type };
  });
}
