import { useQuery } from '@tanstack/react-query';
import type { AlarmView } from '../../api.ts';
import { api, query } from '../../api.ts';
import type { NamePair } from '../../kit/words.ts';

/* As web/patrol-routes.ts tells them. */

export interface CheckIn {
  readonly id: string;
  readonly time: number;
  readonly who: string;
  /** '' for a card. */
  readonly name: string;
  readonly way: 'qr' | 'card' | 'desk';
  readonly note: string;
}

export interface PlaceDay {
  readonly id: string;
  readonly name: NamePair;
  readonly zone: string;
  readonly required: number;
  readonly done: number;
  /** Newest first. */
  readonly checkIns: readonly CheckIn[];
}

interface Day {
  /** ISO date on this campus. */
  readonly date: string;
  readonly from: number;
  readonly to: number;
  readonly places: readonly PlaceDay[];
}

export interface KeyPlace {
  readonly id: string;
  readonly cameras: readonly string[];
  readonly panic: readonly string[];
  readonly faults: readonly AlarmView[];
}

/** Rounds go on while somebody looks, ms. */
const again = 20_000;

export function usePatrolDay(date: string) {
  return useQuery({
    queryKey: ['patrols', 'day', date],
    queryFn: ({ signal }) => api.get<Day>(`patrols/day${query({ date })}`, signal),
    refetchInterval: again,
    placeholderData: (before) => before,
  });
}

export function useKeyPlaces() {
  return useQuery({
    queryKey: ['patrols', 'places'],
    queryFn: ({ signal }) => api.get<readonly KeyPlace[]>('key-places', signal),
    refetchInterval: again,
  });
}
