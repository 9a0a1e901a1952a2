import { useQuery } from '@tanstack/react-query';
import type { NowView } from '../system-schemas.ts';
import { api } from './api.ts';
import { setServerTime } from './kit/ticker.ts';

/** Clock, day, mode and bridge as the box sees them, asked every 15 s; sets the page's clock by the box's. */
export function useNow(): NowView | undefined {
  return useQuery({
    queryKey: ['now'],
    queryFn: async ({ signal }) => {
      const view = await api.get<NowView>('now', signal);
      setServerTime(view.time);
      return view;
    },
    refetchInterval: 15_000,
  }).data;
}
