import { useCallback, useMemo, useSyncExternalStore } from 'react';
import { useLive } from '../../use-live.tsx';

/** What a camera says of what it sees. */
const seen = ['motion', 'person', 'vehicle', 'intrusion', 'loitering', 'tamper', 'sound'] as const;

/** Cameras that see something now; drawn again only when others do. */
export function useActiveCameras(cameras: readonly string[]): ReadonlySet<string> {
  const live = useLive();
  const key = cameras.join(' ');
  const ids = useMemo(() => key.split(' ').filter((id) => id !== ''), [key]);
  const subscribe = useCallback(
    (listener: () => void) => {
      const ends = ids.flatMap((id) => seen.map((point) => live.readings.subscribe(`${id}/${point}`, listener)));
      return () => {
        for (const end of ends) end();
      };
    },
    [live, ids],
  );
  const isActive = (id: string) =>
    seen.some((point) => {
      const reading = live.readings.get(`${id}/${point}`);
      return reading?.value === true && reading.quality === 'good';
    });
  const active = useSyncExternalStore(subscribe, () => ids.filter(isActive).join(' '));
  return useMemo(() => new Set(active.split(' ').filter((id) => id !== '')), [active]);
}
