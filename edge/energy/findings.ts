import { type EnergyFinding, type FindingKind, findingKinds } from '#edge/domain/energy.ts';

/*
 * What looks odd, without flapping: a finding begins when it was so several times in a row, stands while it is neither clearly so nor
 * clearly not so, and ends when it was clearly not so twice. What cannot be judged changes nothing, for a week.
 */

/** What one look at one meter said. One look covers a stretch of time; the same stretch is never counted twice. */
export interface Verdict extends Omit<EnergyFinding, 'from'> {
  /** Beginning of the stretch that was looked at; `to` is its end. */
  readonly from: number;
  /** `between`: less than what begins a finding, more than what ends it. */
  readonly says: 'yes' | 'between' | 'no' | 'unknown';
}

export interface FindingState {
  readonly finding: EnergyFinding;
  readonly stands: boolean;
  /** How often in a row it was so (before it stands) or was not (while it stands). */
  readonly count: number;
  /** End of the last stretch that said anything. */
  readonly heard: number;
  /** End of the last stretch that was looked at. */
  readonly seen: number;
}

/** By `<kind>:<meter>`. Plain JSON: kept over a restart as it is. */
export type FindingMemory = Readonly<Record<string, FindingState>>;

export interface FindingStep {
  readonly memory: FindingMemory;
  /** Those that stand, dearest first; what has no price after them. */
  readonly findings: readonly EnergyFinding[];
  readonly began: readonly EnergyFinding[];
  readonly ended: readonly EnergyFinding[];
}

const dayMs = 86_400_000;
/** What nobody could judge for so long is dropped. */
const forgetAfter = 7 * dayMs;
const endsAfter = 2;
/** Looks in a row, one a day, until it is told. */
const beginsAfter: Readonly<Record<FindingKind, number>> = {
  leak: 2,
  'high-night': 2,
  'high-day': 1,
  'low-day': 1,
  unaccounted: 2,
  imbalance: 2,
  'power-factor': 3,
  'over-demand': 1,
};

export function findingKey({ kind, meter }: Pick<EnergyFinding, 'kind' | 'meter'>): string {
  return `${kind}:${meter}`;
}

/** `meters`: those of the plan; what is remembered of others is dropped. */
export function stepFindings(
  before: FindingMemory,
  verdicts: readonly Verdict[],
  now: number,
  meters: ReadonlySet<string>,
): FindingStep {
  const memory = new Map(Object.entries(before).filter(([, { finding }]) => meters.has(finding.meter)));
  for (const verdict of verdicts) {
    const key = findingKey(verdict);
    const next = weigh(memory.get(key), verdict);
    if (next === null) memory.delete(key);
    else memory.set(key, next);
  }
  for (const [key, { heard }] of memory) if (now - heard > forgetAfter) memory.delete(key);
  const stood = standing(Object.values(before));
  const stands = standing([...memory.values()]);
  return {
    memory: Object.fromEntries(memory),
    findings: [...stands.values()].sort(dearestFirst),
    began: [...stands].filter(([key]) => !stood.has(key)).map(([, finding]) => finding),
    ended: [...stood].filter(([key]) => !stands.has(key)).map(([, finding]) => finding),
  };
}

function standing(states: readonly FindingState[]): ReadonlyMap<string, EnergyFinding> {
  return new Map(states.filter(({ stands }) => stands).map(({ finding }) => [findingKey(finding), finding]));
}

/** null: nothing to remember. */
function weigh(state: FindingState | undefined, verdict: Verdict): FindingState | null {
  if (state !== undefined && verdict.to <= state.seen) return seenAgain(state, verdict);
  const { says, ...found } = verdict;
  if (state === undefined || !state.stands) {
    if (says === 'unknown') return state === undefined ? null : { ...state, seen: verdict.to };
    if (says !== 'yes') return null;
    const count = (state?.count ?? 0) + 1;
    const finding = { ...found, from: state?.finding.from ?? verdict.from };
    const stands = count >= beginsAfter[verdict.kind];
    return { finding, stands, count: stands ? 0 : count, heard: verdict.to, seen: verdict.to };
  }
  if (says === 'unknown') return { ...state, seen: verdict.to };
  const times = { heard: verdict.to, seen: verdict.to };
  if (says === 'no') {
    const count = state.count + 1;
    return count >= endsAfter ? null : { ...state, ...times, count };
  }
  return { ...state, ...times, count: 0, finding: { ...found, from: state.finding.from } };
}

/** The same stretch once more: samples came late, or somebody decided about a counter. What began with it ends where it was not so. */
function seenAgain(state: FindingState, { says, from, to }: Verdict): FindingState | null {
  return says === 'no' && to === state.seen && from === state.finding.from ? null : state;
}

function dearestFirst(a: EnergyFinding, b: EnergyFinding): number {
  const byCost = (b.costPerDay ?? -1) - (a.costPerDay ?? -1);
  return byCost || findingKinds.indexOf(a.kind) - findingKinds.indexOf(b.kind) || (a.meter < b.meter ? -1 : 1);
}
