import { useCallback, useRef, useSyncExternalStore } from 'react';
import type { DeviceHealthView, PointView } from '../../api.ts';
import type { Live, LiveReading } from '../../live.ts';
import { useLive, usePoints } from '../../use-live.tsx';

/* How every device is, worked out at most once a second: thousands of readings a second must not draw the tree again. */

export interface Trouble {
  readonly bad: number;
  readonly uncertain: number;
  /** `offline`, `misconfigured` ...; null when its driver is content, or when it has none. */
  readonly state: string | null;
  /** Of the first bad value; of the first doubtful one when none is bad. */
  readonly reason: string | null;
}

export type Troubles = ReadonlyMap<string, Trouble>;

const none: Trouble = { bad: 0, uncertain: 0, state: null, reason: null };
const content: ReadonlySet<string> = new Set(['online', 'starting']);
/** Least pause between two countings, ms. */
const pause = 1_000;

/** Devices that are not named have no trouble. */
export function troublesOf(
  points: readonly Pick<PointView, 'id' | 'device'>[],
  readingOf: (ref: string) => Pick<LiveReading, 'quality' | 'reason'> | undefined,
  health: Iterable<Pick<DeviceHealthView, 'device' | 'state'>>,
): Troubles {
  const found = new Map<string, { -readonly [K in keyof Trouble]: Trouble[K] }>();
  const of = (device: string) => {
    const known = found.get(device) ?? { ...none };
    found.set(device, known);
    return known;
  };
  for (const { id, device } of points) {
    const { quality, reason } = readingOf(id) ?? { quality: 'good', reason: null };
    if (quality === 'good') continue;
    const trouble = of(device);
    if (trouble.reason === null || (quality === 'bad' && trouble.bad === 0)) trouble.reason = reason;
    trouble[quality]++;
  }
  for (const { device, state } of health) if (!content.has(state)) of(device).state = state;
  return found;
}

export function isSame(before: Troubles, after: Troubles): boolean {
  if (before.size !== after.size) return false;
  return [...after].every(([device, { bad, uncertain, state, reason }]) => {
    const was = before.get(device);
    return (
      was !== undefined &&
      was.bad === bad &&
      was.uncertain === uncertain &&
      was.state === state &&
      was.reason === reason
    );
  });
}

function count(live: Live, points: readonly PointView[]): Troubles {
  return troublesOf(
    points,
    (ref) => live.readings.get(ref),
    [...live.devices.entries()].map(([, health]) => health),
  );
}

/** How every device is; the same object until something has changed. */
export function useTroubles(): Troubles {
  const live = useLive();
  const points = usePoints();
  const latest = useRef<{ points: unknown; version: number; troubles: Troubles }>({
    points: null,
    version: -1,
    troubles: new Map(),
  });
  const look = useCallback(() => {
    const { current } = latest;
    const version = live.readings.version + live.devices.version;
    if (points === undefined || (current.points === points && current.version === version)) return current.troubles;
    const troubles = count(live, points);
    const kept = isSame(current.troubles, troubles) ? current.troubles : troubles;
    latest.current = { points, version, troubles: kept };
    return kept;
  }, [live, points]);
  const subscribe = useCallback(
    (listener: () => void) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const soon = () => {
        timer ??= setTimeout(() => {
          timer = undefined;
          listener();
        }, pause);
      };
      const unsubscribe = [live.readings.subscribeAll(soon), live.devices.subscribeAll(soon)];
      return () => {
        clearTimeout(timer);
        for (const end of unsubscribe) end();
      };
    },
    [live],
  );
  return useSyncExternalStore(subscribe, look);
}

export function troubleOf(troubles: Troubles, device: string): Trouble {
  return troubles.get(device) ?? none;
}

/** Of several devices: how many are in trouble at all, and how many values are bad and doubtful. */
export function rollUp(
  troubles: Troubles,
  devices: readonly string[],
): { readonly devices: number; readonly bad: number; readonly uncertain: number } {
  let [ill, bad, uncertain] = [0, 0, 0];
  for (const device of devices) {
    const trouble = troubles.get(device);
    if (trouble === undefined) continue;
    ill++;
    bad += trouble.bad;
    uncertain += trouble.uncertain;
  }
  return { devices: ill, bad, uncertain };
}

/** The worse, the larger: offline before bad before doubtful. */
export function gravity({ bad, uncertain, state }: Trouble): number {
  return (state === null ? 0 : 1_000_000) + bad * 1_000 + uncertain;
}
