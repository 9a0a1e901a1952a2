import { useQuery } from '@tanstack/react-query';
import type { z } from 'zod';
import type * as counters from '../../../counter-schemas.ts';
import type { BusesView } from '../../../energy-schemas.ts';
import type { historySchema } from '../../../schemas.ts';
import { api, query } from '../../api.ts';

/* What the page asks the box for. */

export type Step = z.infer<typeof counters.counterStepSchema>;
type Steps = z.infer<typeof counters.counterStepsSchema>;
export type Decision = z.infer<typeof counters.counterDecisionsBody>;
type Shown = z.infer<typeof historySchema>;
export type Bus = BusesView['buses'][number];
export type BusUnit = Bus['units'][number];

/** A meter may have shown something else before it settled, ms. */
const lookBack = 15 * 60_000;
export const mostShown = 200;
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

/** What a meter showed since a while before its step; asked for when somebody looks. */
export function useShown({ id, ref, toTime, lastTime }: Step) {
  return useQuery({
    queryKey: ['counters', 'shown', id, lastTime],
    queryFn: async ({ signal }) => {
      const range = { from: toTime - lookBack, to: lastTime + 1, step: 'raw', limit: mostShown };
      const told = await api.get<Shown>(`counters/${ref}/shown${query(range)}`, signal);
      return { samples: told.samples ?? [], isMore: told.truncated };
    },
    placeholderData: (before) => before,
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
