import { type QueryClient, useQuery } from '@tanstack/react-query';
import type { z } from 'zod';
import type * as shapes from '../../../emergency-schemas.ts';
import { api } from '../../api.ts';

/* What the API says of emergencies. All of it lies below the key `emergency`, so that one change makes all of it asked anew. */

export type EmergenciesView = z.infer<typeof shapes.emergenciesView>;
export type EmergencyView = z.infer<typeof shapes.emergencyView>;
export type PastView = EmergenciesView['past'][number];
export type PlanView = EmergenciesView['plans'][number];
export type WarningView = EmergenciesView['warnings'][number];
export type RollView = z.infer<typeof shapes.rollCall>;
export type RollState = RollView['state'];
export type Kind = EmergencyView['kind'];

/** The stream says when something changes; this is for what it did not bring, ms. */
const whileOpen = 3_000;
const otherwise = 10_000;

export function useEmergencies() {
  return useQuery({
    queryKey: ['emergency', 'all'],
    queryFn: ({ signal }) => api.get<EmergenciesView>('emergencies', signal),
    refetchInterval: ({ state }) => ((state.data?.open.length ?? 0) > 0 ? whileOpen : otherwise),
  });
}

export function useEmergency(id: string) {
  return useQuery({
    queryKey: ['emergency', 'one', id],
    queryFn: ({ signal }) => api.get<EmergencyView>(`emergencies/${id}`, signal),
    refetchInterval: ({ state }) => (state.data?.cleared === null ? whileOpen : false),
  });
}

export function askAnew(queries: QueryClient): Promise<void> {
  return queries.invalidateQueries({ queryKey: ['emergency'] });
}

/** Rooms by what is known of them. */
export function countRoll(roll: readonly RollView[]): Readonly<Record<RollState, number>> {
  const counts = { unknown: 0, all: 0, missing: 0, help: 0 };
  for (const { state } of roll) counts[state]++;
  return counts;
}

const urgency: readonly RollState[] = ['help', 'missing', 'unknown', 'all'];

/** Who needs something first, then who has said nothing. */
export function byNeed(roll: readonly RollView[]): readonly RollView[] {
  return roll.toSorted((a, b) => urgency.indexOf(a.state) - urgency.indexOf(b.state));
}
