import type { Step } from './data.ts';

/* A counter step in figures. Pure. */

/** So many reads in a row must agree before there is a course to accept (decision 22). */
const agreeingReads = 3;

export const isSettled = ({ agreed }: Pick<Step, 'agreed'>): boolean => agreed >= agreeingReads;

/** What the meter counted since the step, in the point's unit. */
export const countedSince = ({ to, last }: Pick<Step, 'to' | 'last'>): number => Math.max(0, last - to);

/** How far it jumped up; null: it went down. */
export const jumpOf = ({ from, to }: Pick<Step, 'from' | 'to'>): number | null => (to > from ? to - from : null);

/** What a person typed as consumption: null for nothing, undefined for what is no amount. `1,234.5` is one. */
export function amountIn(text: string): number | null | undefined {
  const plain = text.trim().replaceAll(',', '').replaceAll('，', '');
  if (plain === '') return null;
  const value = Number(plain);
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** What can still be done with a step that was decided. The API says no where the meter has moved on. */
export function againOf({ state }: Pick<Step, 'state'>): 'change' | 'accept' | null {
  if (state === 'accepted') return 'change';
  return state === 'rejected' ? 'accept' : null;
}

/** Heights of the little picture, 0 (bottom) to 1: what was, what it jumped to, what it shows now. */
export function heightsOf({ from, to, last }: Pick<Step, 'from' | 'to' | 'last'>): readonly [number, number, number] {
  const [low, high] = [Math.min(from, to, last), Math.max(from, to, last)];
  if (high === low) return [0.5, 0.5, 0.5];
  const of = (value: number) => 0.08 + (0.84 * (value - low)) / (high - low);
  // What it counted since is small beside the jump: a hint of a slope shows that it goes on.
  const now = last > to ? Math.min(0.98, Math.max(of(last), of(to) + 0.06)) : of(last);
  return [of(from), of(to), now];
}

/** Steps of one meter at about the same time are one story: a swapped meter starts all of its counters anew, ms. */
const together = 5 * 60_000;

/** What one person goes and looks at. */
export interface StepGroup {
  readonly id: string;
  /** The counter that people know the meter by: its total. */
  readonly head: Step;
  readonly others: readonly Step[];
}

const deviceOf = ({ ref }: Pick<Step, 'ref'>) => ref.slice(0, ref.indexOf('/'));

/** Newest first; within one meter the total before its parts (`energy_import` before `energy_import_peak`). */
export function groupSteps(steps: readonly Step[]): StepGroup[] {
  const groups: Step[][] = [];
  for (const step of [...steps].sort((a, b) => b.toTime - a.toTime)) {
    const same = groups.find(
      ([first]) =>
        first !== undefined && deviceOf(first) === deviceOf(step) && Math.abs(first.toTime - step.toTime) < together,
    );
    // The same counter twice is two stories.
    if (same === undefined || same.some(({ ref }) => ref === step.ref)) groups.push([step]);
    else same.push(step);
  }
  return groups.flatMap((group) => {
    const [head, ...others] = group.sort((a, b) => a.ref.length - b.ref.length || (a.ref < b.ref ? -1 : 1));
    return head === undefined ? [] : [{ id: head.id, head, others }];
  });
}
