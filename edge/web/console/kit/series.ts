/* A curve before it is drawn: where it has gaps, where it is in doubt. Pure. */

export interface ChartPoint {
  /** ms since epoch. */
  readonly t: number;
  /** null: nothing is known of this moment. */
  readonly value: number | null;
  readonly min?: number | null;
  readonly max?: number | null;
  readonly quality?: 'good' | 'uncertain' | 'bad';
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Stretches in which values are not good: from the first that is not to the next that is. */
export function doubtfulSpans(points: readonly ChartPoint[], to: number): Span[] {
  const spans: Span[] = [];
  let from: number | null = null;
  for (const { t, quality = 'good' } of points) {
    if (quality !== 'good') from ??= t;
    else if (from !== null) {
      spans.push({ from, to: t });
      from = null;
    }
  }
  if (from !== null) spans.push({ from, to });
  return spans;
}

/** What the zone's clock is ahead of UTC, ms, told by where its midnight lies. */
export function zoneOffset(midnight: number): number {
  const day = 86_400_000;
  const past = ((midnight % day) + day) % day;
  if (past === 0) return 0;
  const ahead = day - past;
  return ahead > 14 * 3_600_000 ? ahead - day : ahead;
}
