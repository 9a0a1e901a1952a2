import type { LayerDay, LedgerLineView, OccurrenceView } from './data.ts';

/* A day as people read it: slot after slot, and in each what happens then. Pure. */

export type SlotView = LayerDay['slots'][number];

export interface Stretch {
  readonly key: string;
  /** null: between slots, before the first or after the last. */
  readonly slot: SlotView | null;
  /** Seconds of the day. */
  readonly from: number;
  readonly to: number;
  readonly occurrences: readonly OccurrenceView[];
}

/** What happens just when a slot ends belongs to what begins then. */
export function stretchesOf(slots: readonly SlotView[], occurrences: readonly OccurrenceView[]): readonly Stretch[] {
  const found: Stretch[] = [];
  const sorted = [...slots].sort((a, b) => a.from - b.from || a.to - b.to);
  let at = 0;
  const loose = (from: number, to: number) => {
    const own = occurrences.filter(({ second }) => second >= from && second < to);
    if (own.length > 0) found.push({ key: `from-${from}`, slot: null, from, to, occurrences: own });
  };
  for (const [n, slot] of sorted.entries()) {
    if (slot.from > at) loose(at, slot.from);
    const next = sorted[n + 1];
    // A moment (dismissal) holds what happens until the next one begins.
    const end = Math.max(slot.to, slot.from === slot.to ? Math.min(next?.from ?? slot.from + 60, slot.from + 60) : 0);
    const own = occurrences.filter(({ second }) => second >= Math.max(at, slot.from) && second < end);
    found.push({ key: slot.id, slot, from: slot.from, to: slot.to, occurrences: own });
    at = Math.max(at, end);
  }
  loose(at, 86_400);
  return found;
}

/** What is going on at a second of the day; null: nothing has a name. */
export function slotAt(slots: readonly SlotView[], second: number): SlotView | null {
  return slots.find(({ from, to }) => second >= from && second < to) ?? null;
}

export type Fate =
  | { readonly kind: 'ledger'; readonly line: LedgerLineView }
  /** It will not be done. */
  | { readonly kind: 'silenced' }
  | { readonly kind: 'coming' }
  /** Its time is over and nobody wrote down what became of it. */
  | { readonly kind: 'nothing' };

export function fateOf(one: OccurrenceView, lines: ReadonlyMap<string, LedgerLineView>, now: number): Fate {
  const line = lines.get(one.key);
  if (line !== undefined) return { kind: 'ledger', line };
  if (one.silenced !== null) return { kind: 'silenced' };
  // The ledger is asked every few seconds.
  return one.at > now - 12_000 ? { kind: 'coming' } : { kind: 'nothing' };
}

export interface Tally {
  readonly done: number;
  readonly late: number;
  readonly skipped: number;
  readonly failed: number;
}

export function tallyOf(lines: readonly LedgerLineView[]): Tally {
  const count = (...of: readonly string[]) => lines.filter(({ outcome }) => of.includes(outcome)).length;
  return { done: count('done', 'begun'), late: count('late'), skipped: count('skipped'), failed: count('failed') };
}
