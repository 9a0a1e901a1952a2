import { useMemo } from 'react';
import { goTo, hashOf, useAddress } from '../../address.ts';
import { now, useTicking } from '../../kit/ticker.ts';
import { type Window, windowOf } from './range.ts';

/* What is looked at of a value's past, as the address says it. */

export const mostCompared = 3;
/** How often a range that ends now is asked for again, ms: short ranges sooner. */
const paces = [
  [2 * 3_600_000, 15_000],
  [Number.POSITIVE_INFINITY, 60_000],
] as const;

export interface View {
  readonly window: Window;
  readonly isTable: boolean;
  readonly withWeek: boolean;
  readonly asCounter: boolean;
  readonly others: readonly string[];
  readonly change: (parts: Readonly<Record<string, string>>) => void;
}

/** The view that the address of this page names; one that ends now goes on with the time. */
export function useView(path: string): View {
  const { query: asked } = useAddress();
  const text = asked.toString();
  const first = windowOf(asked, now());
  const pace = paces.find(([span]) => first.to - first.from < span)?.[1] ?? 60_000;
  const tick = useTicking((at) => (first.isLive ? Math.floor(at / pace) * pace : 0));
  return useMemo(() => {
    const parsed = new URLSearchParams(text);
    return {
      window: windowOf(parsed, tick === 0 ? now() : tick + pace),
      isTable: parsed.get('view') === 'table',
      withWeek: parsed.get('week') === '1',
      asCounter: parsed.get('as') === 'counter',
      others: (parsed.get('with') ?? '')
        .split(',')
        .filter((ref) => ref.includes('/'))
        .slice(0, mostCompared),
      change: (parts) => goTo(hashOf(path, { ...Object.fromEntries(parsed), ...parts }), 'replace'),
    };
  }, [text, tick, pace, path]);
}
