/* Where there is footage: ranges of time, in order and apart from each other. Pure; ms since epoch, `to` exclusive. */

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Between two files a moment may lie that no picture stands for: it is no gap. */
export const seam = 1_500;

/** One list of several: what any of them has. */
export function union(lists: readonly (readonly Range[])[]): Range[] {
  const all = lists.flat().toSorted((a, b) => a.from - b.from);
  const joined: Range[] = [];
  for (const { from, to } of all) {
    const last = joined.at(-1);
    if (last !== undefined && from - last.to < seam) {
      joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, to) };
    } else if (to > from) joined.push({ from, to });
  }
  return joined;
}

export function covers(ranges: readonly Range[], time: number): boolean {
  return ranges.some(({ from, to }) => time >= from && time < to);
}

/** Where it goes on after a moment that nothing covers; null: it does not. */
export function nextStart(ranges: readonly Range[], time: number): number | null {
  return ranges.find(({ from }) => from >= time)?.from ?? null;
}

/** What lies within [from, to), cut to it. */
export function within(ranges: readonly Range[], { from, to }: Range): Range[] {
  return ranges
    .filter((range) => range.from < to && range.to > from)
    .map((range) => ({ from: Math.max(from, range.from), to: Math.min(to, range.to) }));
}

/** What lies between them in [from, to). */
export function gapsBetween(ranges: readonly Range[], { from, to }: Range): Range[] {
  const gaps: Range[] = [];
  let at = from;
  for (const range of within(ranges, { from, to })) {
    if (range.from - at >= seam) gaps.push({ from: at, to: range.from });
    at = Math.max(at, range.to);
  }
  if (to - at >= seam) gaps.push({ from: at, to });
  return gaps;
}

/** The newer answer of [from, to) in the place of what an older one said of it. */
export function replaced(known: readonly Range[], fresh: readonly Range[], { from, to }: Range): Range[] {
  const before = within(known, { from: Number.NEGATIVE_INFINITY, to: from });
  const after = within(known, { from: to, to: Number.POSITIVE_INFINITY });
  return union([before, within(fresh, { from, to }), after]);
}
