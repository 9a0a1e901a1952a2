import { useQuery } from '@tanstack/react-query';
import type { z } from 'zod';
import type * as counters from '../../../counter-schemas.ts';
import type { BusesView } from '../../../energy-schemas.ts';
import { api, query } from '../../api.ts';

/* What the page asks the box for. */

export type Step = z.infer<typeof counters.counterStepSchema>;
type Steps = z.infer<typeof counters.counterStepsSchema>;
export type Bus = BusesView['buses'][number];
export type BusUnit = Bus['units'][number];

/** Meters go on counting while people decide. */
const again = 10_000;

/** Steps that wait for a person, newest first. */
export function useOpenSteps() {
  return useQuery({
    queryKey: ['counters', 'open'],
    queryFn: async ({ signal }) =>
      (await api.get<Steps>(`counters${query({ state: 'open', limit: 500 })}`, signal)).steps,
    refetchInterval: again,
  });
}

/** Steps of every state, newest first. */
export function useSteps(ref: string, limit: number) {
  return useQuery({
    queryKey: ['counters', 'all', ref, limit],
    queryFn: async ({ signal }) => (await api.get<Steps>(`counters${query({ ref, limit })}`, signal)).steps,
    refetchInterval: again,
    placeholderData: (before) => before,
  });
}

/** Shared lines; what did not change is not drawn again. */
export function useBuses() {
  return useQuery({
    queryKey: ['buses'],
    queryFn: async ({ signal }) => (await api.get<BusesView>('buses', signal)).buses,
    refetchInterval: again,
  });
}
