import { useCallback, useSyncExternalStore } from 'react';
import type { AlarmView, CampusView, PointView } from '../../api.ts';
import type { DeviceStatus } from '../../device-status.ts';
import { toneOfState } from '../../kit/badges.tsx';
import type { Sign } from '../../kit/icons.tsx';
import { stateWords } from '../../kit/state-words.ts';
import type { Language } from '../../kit/words.ts';
import { useLive } from '../../use-live.tsx';

export type Device = CampusView['devices'][number];

/** A device with what the map needs to know of it. */
export interface Thing {
  readonly device: Device;
  /** The point that stands for it. */
  readonly headline: PointView | undefined;
  readonly alarm: AlarmView | undefined;
}

export const signs: Readonly<Record<DeviceStatus, Sign>> = {
  critical: 'octagon',
  high: 'triangle',
  medium: 'hollow',
  low: 'square',
  bad: 'cross',
  uncertain: 'doubt',
  good: 'dot',
};

const worstFirst: readonly DeviceStatus[] = ['critical', 'high', 'medium', 'low', 'bad', 'uncertain', 'good'];

/** `危急`, `不可用`; what a glyph's shape and colour say, in a word. */
export function statusText(status: DeviceStatus, language: Language): string {
  const words = stateWords[language];
  if (status === 'good' || status === 'bad' || status === 'uncertain') return words[status];
  return words[`class:${status}`];
}

/** Whether somebody has to look at it still. */
export function isUnseen(alarm: AlarmView | undefined): boolean {
  return alarm !== undefined && alarm.state !== 'acknowledged';
}

/** The worst of several devices; drawn again only when it becomes another. The same judgement as `useDeviceStatus`. */
export function useWorstStatus(things: readonly Thing[]): DeviceStatus {
  const live = useLive();
  const subscribe = useCallback(
    (listener: () => void) => {
      const ends = [
        live.onLink(listener),
        ...things.flatMap(({ device, headline }) => [
          live.devices.subscribe(device.id, listener),
          live.readings.subscribe(headline?.id ?? '', listener),
        ]),
      ];
      return () => {
        for (const end of ends) end();
      };
    },
    [live, things],
  );
  return useSyncExternalStore(subscribe, () => {
    const isAway = live.link.state === 'lost' || live.link.state === 'core-away';
    const statuses = new Set(
      things.map(({ device, headline, alarm }): DeviceStatus => {
        if (alarm !== undefined) return alarm.class;
        const state = live.devices.get(device.id)?.state;
        const tone = state === undefined ? 'good' : toneOfState(state);
        if (tone === 'bad') return 'bad';
        if (isAway || tone === 'wait') return 'uncertain';
        return live.readings.get(headline?.id ?? '')?.quality ?? 'good';
      }),
    );
    return worstFirst.find((status) => statuses.has(status)) ?? 'good';
  });
}
