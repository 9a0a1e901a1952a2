import type { CounterRead } from './counter.ts';

/** Believed reads that are remembered of a counter: what comes late must fit between them. */
const most = 256;

/** The believed course of one counter, thinner the older it is. */
export interface CounterPast {
  add(value: number, at: number): void;
  /** The believed reads around a time; null where nothing is remembered. */
  around(at: number): { readonly before: CounterRead | null; readonly after: CounterRead | null };
  clear(): void;
}

export function createCounterPast(): CounterPast {
  let reads: { readonly value: number; readonly at: number; readonly heard: null }[] = [];

  const indexAfter = (at: number): number => {
    let i = reads.length;
    while (i > 0 && (reads[i - 1]?.at ?? 0) > at) i--;
    return i;
  };
  return {
    add(value, at) {
      reads.splice(indexAfter(at), 0, { value, at, heard: null });
      if (reads.length > most) reads = reads.filter((_, i) => i >= most / 2 || i % 2 === 0);
    },
    around(at) {
      const i = indexAfter(at);
      return { before: reads[i - 1] ?? null, after: reads[i] ?? null };
    },
    clear() {
      reads = [];
    },
  };
}
