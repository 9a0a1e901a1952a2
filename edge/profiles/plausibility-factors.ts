import { type Evidence, loadOf, weigh } from './plausibility-relations.ts';
import { type Group, pointsOfGroup, type Snapshot, scaled } from './plausibility-snapshot.ts';

/* By which factors a snapshot would have to be multiplied to be a circuit: a decimal place, kW for W, a current transformer. */

export interface Adjustment {
  readonly group: Group;
  /** The true value is the shown one times this. */
  readonly factor: number;
}

export interface Explanation {
  readonly adjustments: readonly Adjustment[];
  readonly snapshot: Snapshot;
  readonly evidence: Evidence;
  /** Evidence less what the adjustments cost: the simplest explanation wins. */
  readonly score: number;
}

/** Primary amperes of transformers to 5 A and to 1 A (IEC 61869-2 preferred values, and what switchboards have). */
const primaries = [
  50, 75, 100, 150, 200, 250, 300, 400, 500, 600, 750, 800, 1_000, 1_200, 1_250, 1_500, 1_600, 2_000, 2_500, 3_000,
  4_000,
];
export const currentRatios: readonly number[] = [...new Set(primaries.map((one) => one / 5))].sort((a, b) => a - b);
/** 6, 10, 20, 35 kV to 100 V. */
export const voltageRatios: readonly number[] = [60, 100, 200, 350];
const decimals: readonly number[] = [0.1, 10, 0.01, 100, 0.001, 1_000];

const costOf = ({ group, factor }: Adjustment): number => {
  const isDecimal = decimals.includes(factor);
  const rare: Readonly<Partial<Record<Group, number>>> = {
    'power-total': 1,
    'power-phases': 1,
    apparent: 2,
    reactive: 2,
    factor: 1,
  };
  return (isDecimal ? 4 : 5.5) + (rare[group] ?? 0);
};

export const unadjusted = (snapshot: Snapshot): Explanation => {
  const evidence = weigh(snapshot);
  return { adjustments: [], snapshot, evidence, score: evidence.score };
};

function adjust(before: Explanation, adjustment: Adjustment): Explanation {
  const snapshot = scaled(before.snapshot, adjustment.group, adjustment.factor);
  const evidence = weigh(snapshot);
  const adjustments = [...before.adjustments, adjustment];
  const cost = adjustments.reduce((sum, one) => sum + costOf(one), 0);
  return { adjustments, snapshot, evidence, score: evidence.score - cost };
}

const isBroken = ({ evidence }: Explanation, id: string) =>
  evidence.findings.some((finding) => finding.id === id && !finding.holds);

/** Frequency and voltage have one right size each, whatever flows: they are put right before anything is compared with them. */
function anchored(start: Explanation): Explanation {
  let now = start;
  for (const group of ['frequency', 'voltage'] as const) {
    if (!isBroken(now, group)) continue;
    const fits = decimals
      .map((factor) => adjust(now, { group, factor }))
      .filter((one) => !isBroken(one, group))
      .sort((a, b) => b.score - a.score);
    now = fits[0] ?? now;
  }
  return now;
}

const groups: readonly Group[] = [
  'current',
  'power',
  'all-powers',
  'power-total',
  'power-phases',
  'factor',
  'apparent',
  'reactive',
];

/** Factors that make sense of a group. A current transformer that is left out makes current or power too small, never too large. */
function factorsFor(group: Group): readonly number[] {
  const isRatio = group === 'current' || group === 'power' || group === 'all-powers';
  if (!isRatio) return decimals;
  const twice = currentRatios.filter((ratio) => !decimals.includes(ratio));
  return [...decimals, ...twice, ...twice.map((ratio) => 1 / ratio)];
}

/** Two groups that are the same points of this device are one. */
function distinctGroups(snapshot: Snapshot): Group[] {
  const seen = new Set<string>();
  return groups.filter((group) => {
    const key = pointsOfGroup(snapshot, group).sort().join(' ');
    if (key === '' || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** An explanation that leaves what was wrong merely unseen (nothing flows any more) explains nothing. */
function isEarned(before: Explanation, after: Explanation): boolean {
  if (after.evidence.broken >= before.evidence.broken) return false;
  const [was, is] = [loadOf(before.snapshot), loadOf(after.snapshot)];
  const isStillLoaded = was === null || !was.isLoaded || is?.isLoaded === true;
  const gained = after.evidence.bits - before.evidence.bits;
  return isStillLoaded && gained >= 1;
}

/** One more factor, each way it could be. */
function oneMore(start: Explanation): Explanation[] {
  const taken = new Set(start.adjustments.map(({ group }) => group));
  const found = distinctGroups(start.snapshot)
    .filter((group) => !taken.has(group))
    .flatMap((group) => factorsFor(group).map((factor) => adjust(start, { group, factor })));
  const byVoltage = taken.has('voltage')
    ? []
    : voltageRatios.map((factor) => adjust(start, { group: 'voltage', factor }));
  return [...found, ...byVoltage].filter((one) => isEarned(start, one));
}

const mostKept = 12;
const mostFollowed = 3;

/**
 * What would make a circuit of it, the likeliest first; empty: nothing does. A snapshot that is one already explains itself.
 * At most `most` factors beside those of frequency and voltage.
 */
export function explain(snapshot: Snapshot, most: 1 | 2 = 2): readonly Explanation[] {
  const start = anchored(unadjusted(snapshot));
  if (start.evidence.broken === 0) return [start];
  const first = oneMore(start).sort((a, b) => b.score - a.score);
  const whole = first.filter(({ evidence }) => evidence.broken === 0);
  if (whole.length > 0 || most === 1) return whole.slice(0, mostKept);
  return first
    .slice(0, mostFollowed)
    .flatMap(oneMore)
    .filter(({ evidence }) => evidence.broken === 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, mostKept);
}
