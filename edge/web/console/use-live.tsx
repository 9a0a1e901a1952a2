import { useQuery, useQueryClient } from '@tanstack/react-query';
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from 'react';
import {
  type AlarmView,
  api,
  type CampusView,
  type DeviceHealthView,
  type EventView,
  type OutputView,
  type PointView,
  type ProcessView,
} from './api.ts';
import type { LatestStore } from './coalesce.ts';
import { type Link, Live, type LiveReading } from './live.ts';

/* What is true now, for React. Each hook draws its component again only when what it asked for changed. */

const LiveContext = createContext<Live | null>(null);

/** Opens the stream of this session; ends it when the session does. */
export function LiveProvider({ children }: { readonly children: ReactNode }) {
  const queries = useQueryClient();
  const [live, setLive] = useState<Live | null>(null);
  useEffect(() => {
    const opened = new Live(queries);
    setLive(opened);
    return () => opened[Symbol.dispose]();
  }, [queries]);
  return live === null ? null : <LiveContext value={live}>{children}</LiveContext>;
}

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (live === null) throw new Error('outside of a session');
  return live;
}

function useKey<T>(store: LatestStore<T>, key: string): T | undefined {
  const subscribe = useCallback((listener: () => void) => store.subscribe(key, listener), [store, key]);
  return useSyncExternalStore(subscribe, () => store.get(key));
}

function useAll<T>(store: LatestStore<T>): readonly T[] {
  const subscribe = useCallback((listener: () => void) => store.subscribeAll(listener), [store]);
  const version = useSyncExternalStore(subscribe, () => store.version);
  // The version says that the content changed.
  return useMemo(() => [...store.entries()].map(([, value]) => value), [store, version]);
}

/** Whether what is shown is still told anew. */
export function useLink(): Link {
  const live = useLive();
  return useSyncExternalStore(
    useCallback((listener: () => void) => live.onLink(listener), [live]),
    () => live.link,
  );
}

/** Nothing looks fresh while nobody tells it anew. */
export function doubted(reading: LiveReading, state: Link['state']): LiveReading {
  if (reading.quality !== 'good' || state === 'live' || state === 'connecting') return reading;
  return { ...reading, quality: 'uncertain', reason: 'last-usable-value' };
}

/** The latest reading of `<device>/<point>`; undefined until it is known. */
export function useReading(ref: string): LiveReading | undefined {
  const { state } = useLink();
  const reading = useKey(useLive().readings, ref);
  return useMemo(() => (reading === undefined ? undefined : doubted(reading, state)), [reading, state]);
}

/** Who holds an output, and what lies below; undefined when it is no output (or nothing is known yet). */
export function useOutput(ref: string): OutputView | undefined {
  return useKey(useLive().outputs, ref);
}

export function useOutputs(): readonly OutputView[] {
  return useAll(useLive().outputs);
}

/** Every open alarm, in no order (suppressed and shelved ones too). */
export function useOpenAlarms(): readonly AlarmView[] {
  return useAll(useLive().alarms);
}

/** What the driver of a device says of it; undefined: it has none (an MQTT sensor) or nothing was said yet. */
export function useDeviceHealth(device: string): DeviceHealthView | undefined {
  return useKey(useLive().devices, device);
}

export function useAllDeviceHealth(): readonly DeviceHealthView[] {
  return useAll(useLive().devices);
}

export function useProcesses(): readonly ProcessView[] {
  return useAll(useLive().processes);
}

/** Calls with each event as it happens, also with those that were missed while away. */
export function useEvents(listener: (event: EventView) => void): void {
  const live = useLive();
  useEffect(() => live.onEvent(listener), [live, listener]);
}

/** The latest events, newest first, at most 300. */
export function useRecentEvents(): readonly EventView[] {
  const live = useLive();
  return useSyncExternalStore(
    useCallback((listener: () => void) => live.onEvent(listener), [live]),
    () => live.events,
  );
}

/** Names of everything: zones, buildings, devices, interlocks. undefined until it is known. */
export function useCampus(): CampusView | undefined {
  return useQuery({
    queryKey: ['campus'],
    queryFn: ({ signal }) => api.get<CampusView>('campus', signal),
    staleTime: 60_000,
  }).data;
}

/** What each point is (its name, unit, limits); its value is of when it was asked: take `useReading` for that. */
export function usePoints(): readonly PointView[] | undefined {
  return useQuery({
    queryKey: ['points'],
    queryFn: ({ signal }) => api.get<readonly PointView[]>('points', signal),
    staleTime: 60_000,
  }).data;
}
