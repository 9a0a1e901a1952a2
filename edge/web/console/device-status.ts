import { useMemo } from 'react';
import { byUrgency, needsAction } from './alarm-groups.ts';
import type { AlarmView } from './api.ts';
import { headlineOf } from './headline.ts';
import type { AlarmClass } from './kit/badges.tsx';
import { toneOfState } from './kit/badges.tsx';
import { useTicking } from './kit/ticker.ts';
import {
  useAllDeviceHealth,
  useCampus,
  useDeviceHealth,
  useLink,
  useLive,
  useOpenAlarms,
  usePoints,
  useReading,
} from './use-live.tsx';

/** How a device is, in one word: the class of its worst alarm, or whether its values may be used. */
export type DeviceStatus = AlarmClass | 'bad' | 'uncertain' | 'good';

/** Worst open alarm of each device. */
export function useWorstAlarms(): ReadonlyMap<string, AlarmView> {
  const alarms = useOpenAlarms();
  return useMemo(() => {
    const worst = new Map<string, AlarmView>();
    for (const alarm of alarms.filter(needsAction).sort(byUrgency).reverse()) {
      const device = alarm.device ?? alarm.ref?.split('/')[0];
      if (device !== undefined) worst.set(device, alarm);
    }
    return worst;
  }, [alarms]);
}

/**
 * Of a device: its alarm first, then what its driver says, then the value that stands for it (`ref`). Whatever is not told
 * anew is uncertain.
 */
export function useDeviceStatus(device: string, ref: string | undefined, alarm: AlarmView | undefined): DeviceStatus {
  const health = useDeviceHealth(device);
  const reading = useReading(ref ?? '');
  const { state } = useLink();
  if (alarm !== undefined) return alarm.class;
  const tone = health === undefined ? 'good' : toneOfState(health.state);
  if (tone === 'bad') return 'bad';
  if (state === 'lost' || state === 'core-away' || tone === 'wait') return 'uncertain';
  if (reading !== undefined && reading.quality !== 'good') return reading.quality;
  return 'good';
}

/** Devices that are not well, by id: their driver says so, or (of a sensor that has none) nothing usable is heard of them. */
export function useIllDevices(): readonly string[] {
  const live = useLive();
  const health = useAllDeviceHealth();
  const devices = useCampus()?.devices;
  const points = usePoints();
  const headlines = useMemo(() => {
    const byDevice = Map.groupBy(points ?? [], (point) => point.device);
    return new Map([...byDevice].map(([id, own]) => [id, headlineOf(own)?.id ?? '']));
  }, [points]);
  const states = useMemo(() => new Map(health.map(({ device, state }) => [device, state])), [health]);
  const ill = useTicking(() =>
    (devices ?? [])
      .filter(({ id }) => {
        const state = states.get(id);
        if (state !== undefined) return toneOfState(state) !== 'good';
        return live.readings.get(headlines.get(id) ?? '')?.quality === 'bad';
      })
      .map(({ id }) => id)
      .join(' '),
  );
  return useMemo(() => ill.split(' ').filter((id) => id !== ''), [ill]);
}
