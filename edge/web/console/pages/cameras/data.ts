import { useQuery } from '@tanstack/react-query';
import type { z } from 'zod';
import type { footageSchema } from '../../../footage-schemas.ts';
import { ApiError, api, type HistoryView, query } from '../../api.ts';
import { now } from '../../kit/ticker.ts';
import { type Ledger, type LedgerBucket, type LedgerSpan, ledgerOf } from './ledger.ts';

export type LedgerReach = 'list' | 'day' | 'month';

export interface LedgerView extends Ledger {
  readonly from: number;
  readonly to: number;
  readonly buckets: readonly LedgerBucket[];
  /** ms. */
  readonly step: number;
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const reaches = {
  list: { span: day, step: 15 * minute, name: '15min', again: 5 * minute },
  day: { span: day, step: minute, name: '1min', again: minute },
  month: { span: 30 * day, step: hour, name: '1h', again: 10 * minute },
} as const;

/** What was listened to until now: 24 h by the minute (in the list by the quarter of an hour), 30 days by the hour. */
export function useLedger(camera: string, reach: LedgerReach) {
  const { span, step, name, again } = reaches[reach];
  return useQuery({
    queryKey: ['cameras', 'ledger', camera, reach],
    queryFn: async ({ signal }): Promise<LedgerView | null> => {
      const to = now();
      const from = Math.floor((to - span) / step) * step;
      const path = `points/${camera}/listening/history${query({ from, to: Math.ceil(to), step: name })}`;
      try {
        const { buckets = [] } = await api.get<HistoryView>(path, signal);
        return { ...ledgerOf(buckets, from, to, step), from, to, buckets, step };
      } catch (error) {
        // A profile of its own may have no such point.
        if (error instanceof ApiError && error.code === 'point-not-found') return null;
        throw error;
      }
    },
    refetchInterval: again,
    staleTime: again / 2,
  });
}

type Footage = z.infer<typeof footageSchema>;

/** Where there is footage in the last 24 h. */
export function useFootageDay(camera: string, isAllowed: boolean, oldest: number | null) {
  return useQuery({
    queryKey: ['cameras', 'footage-day', camera, oldest],
    queryFn: async ({ signal }) => {
      const to = Math.ceil(now());
      const from = to - day;
      const { ranges } = await api.get<Footage>(`cameras/${camera}/footage${query({ from, to })}`, signal);
      return { from, to, spans: spansOfRanges(ranges, from, to, oldest) };
    },
    enabled: isAllowed,
    refetchInterval: minute,
    retry: 1,
  });
}

/** What lies before the oldest footage of all was not recorded yet, or was let go as it should be. */
function spansOfRanges(ranges: Footage['ranges'], from: number, to: number, oldest: number | null): LedgerSpan[] {
  const begun = Math.min(to, Math.max(from, oldest ?? ranges[0]?.from ?? to));
  const spans: LedgerSpan[] = begun > from ? [{ kind: 'before', from, to: begun }] : [];
  let at = begun;
  for (const range of ranges) {
    const begin = Math.max(from, range.from);
    if (begin > at) spans.push({ kind: 'gap', from: at, to: begin });
    const end = Math.min(to, range.to);
    if (end > begin) spans.push({ kind: 'listened', from: begin, to: end });
    at = Math.max(at, end);
  }
  if (to > at) spans.push({ kind: 'gap', from: at, to });
  return spans;
}
