import { useCallback, useMemo, useSyncExternalStore } from 'react';
import type { PointView } from '../../api.ts';
import { doubted, useLink, useLive } from '../../use-live.tsx';
import type { Judged } from './why.ts';

/* How the values of one device are: told only when that changes, however often the values do. */

/** Qualities of these points; the same object until one of them changes, however often the values do. */
export function useQualities(points: readonly PointView[]): readonly Judged[] {
  const live = useLive();
  const { state } = useLink();
  const subscribe = useCallback(
    (listener: () => void) => {
      const ends = points.map(({ id }) => live.readings.subscribe(id, listener));
      return () => {
        for (const end of ends) end();
      };
    },
    [live, points],
  );
  const judge = (): readonly Judged[] =>
    points.map(({ id }) => {
      const reading = live.readings.get(id);
      if (reading === undefined) return { ref: id, quality: 'bad', reason: 'never-read' };
      const { quality, reason } = doubted(reading, state);
      return { ref: id, quality, reason };
    });
  const text = useSyncExternalStore(subscribe, () =>
    judge()
      .map(({ ref, quality, reason }) => `${ref} ${quality} ${reason}`)
      .join('\n'),
  );
  // The text says that something has changed.
  return useMemo(judge, [text]);
}

/** When something of a device was heard last, ms since epoch; 0: never. */
export function useLastHeard(points: readonly PointView[]): number {
  const live = useLive();
  const subscribe = useCallback(
    (listener: () => void) => {
      const ends = points.map(({ id }) => live.readings.subscribe(id, listener));
      return () => {
        for (const end of ends) end();
      };
    },
    [live, points],
  );
  return useSyncExternalStore(subscribe, () =>
    Math.max(0, ...points.map(({ id }) => live.readings.get(id)?.receivedTime ?? 0)),
  );
}
