import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../../api.ts';
import type { Body } from './read-body.ts';
import { longPatience, type RehearsalView } from './rules-api.ts';

export interface RehearsalWish {
  readonly rule: string;
  /** A draft, or the number of a saved version. */
  readonly of: Body | number;
  readonly from: number;
  readonly to: number;
  readonly against: 'active' | null;
}

/** Starts a rehearsal and follows it to its end. */
export function useRehearsal() {
  const [id, setId] = useState<string | null>(null);
  const begin = useMutation({
    mutationFn: ({ of, ...wish }: RehearsalWish) => {
      const what = typeof of === 'number' ? { version: of } : { body: of };
      return api.post<RehearsalView>('rehearsals', { ...wish, ...what }, { patience: longPatience });
    },
    onSuccess: (view) => setId(view.id),
  });
  const followed = useQuery({
    queryKey: ['rehearsals', id],
    queryFn: ({ signal }) => api.get<RehearsalView>(`rehearsals/${id}`, signal),
    enabled: id !== null,
    refetchInterval: ({ state }) => (state.data === undefined || state.data.state === 'running' ? 500 : false),
    staleTime: Number.POSITIVE_INFINITY,
    retry: 1,
  });
  return {
    view: id === null ? undefined : followed.data,
    error: begin.error ?? followed.error,
    isStarting: begin.isPending || (id !== null && followed.isPending),
    start: (wish: RehearsalWish) => {
      setId(null);
      begin.mutate(wish);
    },
    stop: async () => {
      if (id !== null) await api.delete(`rehearsals/${id}`).catch(() => {});
      setId(null);
    },
  };
}
