import { isSlug } from '#edge/domain/ids.ts';

/** A slug that reads like the name and that no device has. */
export function freeId(name: string, taken: ReadonlySet<string>, otherwise = 'sensor'): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replaceAll(/^[-_]+|[-_]+$/g, '')
    .slice(0, 58);
  const id = isSlug(plain) ? plain : otherwise;
  if (!taken.has(id)) return id;
  let n = 2;
  while (taken.has(`${id}-${n}`)) n++;
  return `${id}-${n}`;
}
