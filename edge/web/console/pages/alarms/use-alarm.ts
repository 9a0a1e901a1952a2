import { useQuery } from '@tanstack/react-query';
import { type AlarmView, api } from '../../api.ts';

/** One alarm: as it stands now when it is open, else as it is written. `open` is all that is open. */
export function useAlarm(id: string, open: readonly AlarmView[]) {
  const live = open.find((alarm) => alarm.id === id);
  const written = useQuery({
    queryKey: ['alarm', id],
    queryFn: ({ signal }) => api.get<AlarmView>(`alarms/${encodeURIComponent(id)}`, signal),
    enabled: live === undefined,
    retry: false,
  });
  return { alarm: live ?? written.data, error: live === undefined ? written.error : null, retry: written.refetch };
}
