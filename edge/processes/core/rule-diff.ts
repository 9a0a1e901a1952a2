/* What changed from one version of a rule to the next, in words for the audit and for whoever must approve it. */

const valueLength = 60;
const most = 40;

/** `when.test.above 800 -> 900; then[1] added {...}`; `says the same` when nothing did. */
export function describeBodies(before: unknown, after: unknown): string {
  const words = differences(before, after, '');
  if (words.length === 0) return 'says the same';
  const rest = words.length > most ? [`and ${words.length - most} more`] : [];
  return [...words.slice(0, most), ...rest].join('; ');
}

function differences(before: unknown, after: unknown, path: string): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, i) => differences(before[i], after[i], `${path}[${i}]`)).flat();
  }
  if (isMap(before) && isMap(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => differences(before[key], after[key], path === '' ? key : `${path}.${key}`));
  }
  const where = path === '' ? 'it' : path;
  if (before === undefined) return [`${where} added ${show(after)}`];
  if (after === undefined) return [`${where} removed, was ${show(before)}`];
  return [`${where} ${show(before)} -> ${show(after)}`];
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length <= valueLength ? text : `${text.slice(0, valueLength - 3)}...`;
}
