import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import type { z } from 'zod';
import type { incidentListSchema } from '../../../incident-schemas.ts';
import { api } from '../../api.ts';
import { toneOfState } from '../../kit/badges.tsx';
import { useRight } from '../../session.tsx';
import type { CameraView } from '../../use-cameras.ts';
import { useDeviceHealth, useLive, useReading } from '../../use-live.tsx';

/* What is known of a camera from here: whether it is heard and recorded, and whether something happens before it that nobody took. */

export type CameraState = 'recording' | 'watching' | 'unheard';

/** Not heard: it does not answer, or tells no events. */
export function useCameraState(id: string, recording: CameraView['recording']): CameraState {
  const health = useDeviceHealth(id);
  const listening = useReading(`${id}/listening`);
  if (health !== undefined && toneOfState(health.state) === 'bad') return 'unheard';
  if (listening !== undefined && (listening.quality === 'bad' || listening.value !== true)) return 'unheard';
  return recording?.state === 'recording' ? 'recording' : 'watching';
}

type Incidents = z.infer<typeof incidentListSchema>;

const openKey = ['map', 'incidents'] as const;
/** Should a word of the stream get lost, ms. */
const again = 30_000;
/** The list is asked for anew no more often than this, ms. */
const calm = 1_000;

/** Devices of incidents that nobody has taken yet. */
export function useUnclaimed(): ReadonlySet<string> {
  const mayKnow = useRight('incidents');
  const live = useLive();
  const queries = useQueryClient();
  const { data } = useQuery({
    queryKey: openKey,
    queryFn: ({ signal }) => api.get<Incidents>('incidents?state=new&state=escalated&limit=100', signal),
    enabled: mayKnow,
    refetchInterval: again,
  });
  useEffect(() => {
    if (!mayKnow) return;
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const stop = live.onIncident(() => {
      waiting ??= setTimeout(() => {
        waiting = undefined;
        void queries.invalidateQueries({ queryKey: openKey });
      }, calm);
    });
    return () => {
      stop();
      clearTimeout(waiting);
    };
  }, [mayKnow, live, queries]);
  return useMemo(() => new Set(data?.incidents.flatMap(({ devices }) => devices)), [data]);
}
