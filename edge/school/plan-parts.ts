import type { SchoolEntry, SchoolPart } from '#edge/domain/school.ts';

/** An entry with its id. */
export type Named<Entry> = Entry & { readonly id: string };

type Of<Part extends SchoolPart> = Extract<SchoolEntry, { readonly part: Part }>;

function isPart<Part extends SchoolPart>(entry: SchoolEntry, part: Part): entry is Of<Part> {
  return entry.part === part;
}

/** The entries of a part, in the order of their ids. */
export function partsOf<Part extends SchoolPart>(
  entries: ReadonlyMap<string, SchoolEntry>,
  part: Part,
): ReadonlyMap<string, Of<Part>> {
  const found: [string, Of<Part>][] = [];
  for (const [id, entry] of entries) if (isPart(entry, part)) found.push([id, entry]);
  return new Map(found.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

export function named<Entry>(entries: ReadonlyMap<string, Entry>): Named<Entry>[] {
  return [...entries].map(([id, entry]) => ({ ...entry, id }));
}
