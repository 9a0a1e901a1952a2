/** What is wrong with an entry; the console has the words. */
export interface PlanMistake {
  /** Id of the entry. */
  readonly entry: string;
  /** Where in it, e.g. `papers[0].at`; empty: the entry as a whole. */
  readonly path: string;
  readonly code: PlanMistakeCode;
  readonly params: Readonly<Record<string, string | number>>;
  /**
   * `mistake`: the entry is left out of the plan, or this campus can never do it (site-facts.ts): neither is signed. `warning`: it holds,
   * but can hardly be meant.
   */
  readonly weight: 'mistake' | 'warning';
}

export type PlanMistakeCode =
  | 'bad-id'
  | 'reserved-id'
  | 'name-twice'
  | 'not-a-date'
  | 'ends-before'
  | 'too-long'
  | 'not-a-number'
  | 'unknown-word'
  | 'empty'
  | 'unknown-layer'
  | 'unknown-timetable'
  | 'unknown-zone'
  | 'unknown-slot'
  | 'unknown-command'
  | 'layers-circular'
  | 'zone-twice'
  | 'not-a-monday'
  | 'outside-term'
  | 'terms-overlap'
  | 'seasons-overlap'
  | 'days-overlap'
  | 'piece-twice'
  | 'slots-overlap'
  | 'past-midnight'
  | 'papers-overlap'
  /** An item that matches no day of a year. */
  | 'never'
  /** A sound without a zone. */
  | 'nowhere'
  /** What the campus does not have, or cannot do. */
  | 'unknown-output'
  | 'unknown-point'
  | 'not-writable'
  | 'wrong-value'
  | 'unknown-clip'
  | 'no-loudspeaker'
  | 'unknown-mode'
  /** An output of two circuits. */
  | 'output-twice'
  /** A plan without a term: every day is a vacation. `entry` is empty. */
  | 'no-term';

export type PlanParams = Readonly<Record<string, string | number>>;
/** Tells of a mistake of the entry that is looked at. */
export type Say = (path: string, code: PlanMistakeCode, params?: PlanParams) => void;

/** Gathers mistakes; entries with one that is more than a warning are `out`. */
export interface Findings {
  readonly all: PlanMistake[];
  readonly out: Set<string>;
  mistake(entry: string): Say;
  /** A mistake that leaves the entry in the plan: what is signed goes on with what the campus still has. */
  impossible(entry: string): Say;
  warning(entry: string): Say;
}

/** No plan is told more than that. */
const mostTold = 1_000;

export function createFindings(): Findings {
  const all: PlanMistake[] = [];
  const out = new Set<string>();
  const tell =
    (entry: string, weight: PlanMistake['weight'], how: 'out' | 'in'): Say =>
    (path, code, params = {}) => {
      if (how === 'out') out.add(entry);
      if (all.length < mostTold) all.push({ entry, path, code, params, weight });
    };
  return {
    ...{ all, out },
    mistake: (entry) => tell(entry, 'mistake', 'out'),
    impossible: (entry) => tell(entry, 'mistake', 'in'),
    warning: (entry) => tell(entry, 'warning', 'in'),
  };
}
