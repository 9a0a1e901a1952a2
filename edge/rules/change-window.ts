/*
 * The lowest value of a sliding window, at the cost of one comparison a value: a queue in which values rise from the oldest to the
 * newest, because whatever is higher than a later value can never be the lowest again. A value is in force until the next one, so a
 * point that says nothing for an hour still has the value it had.
 */

export interface Span {
  readonly value: number;
  /** Monotonic ms until which it was in force (or something lower after it); Infinity: it still is. */
  until: number;
}

/** Most spans of one point. Beyond, neighbours become one that keeps the lower value for the time of both: 16 B each, 4 KB a point. */
export const maxSpans = 256;

/** A new value is in force from `time` on. */
export function pushValue(spans: Span[], value: number, time: number): void {
  const newest = spans.at(-1);
  if (newest !== undefined && newest.until === Number.POSITIVE_INFINITY) {
    if (newest.value === value) return;
    newest.until = time;
  }
  for (let last = spans.at(-1); last !== undefined && last.value >= value; last = spans.at(-1)) spans.pop();
  spans.push({ value, until: Number.POSITIVE_INFINITY });
  if (spans.length > maxSpans) joinNeighbours(spans);
}

/** The value cannot be used from `time` on. */
export function closeWindow(spans: readonly Span[], time: number): void {
  const newest = spans.at(-1);
  if (newest !== undefined && newest.until === Number.POSITIVE_INFINITY) newest.until = time;
}

/** Forgets what was in force only before the window. */
export function slideWindow(spans: Span[], time: number, within: number): void {
  let gone = 0;
  for (const span of spans) {
    if (span.until + within > time) break;
    gone++;
  }
  if (gone > 0) spans.splice(0, gone);
}

function joinNeighbours(spans: Span[]): void {
  // The newest stays as it is: it is the value now.
  const newest = spans.pop();
  let kept = 0;
  for (let i = 0; i < spans.length; i += 2) {
    const low = spans[i];
    const next = spans[i + 1];
    if (low === undefined) break;
    if (next !== undefined) low.until = next.until;
    spans[kept++] = low;
  }
  spans.length = kept;
  if (newest !== undefined) spans.push(newest);
}
