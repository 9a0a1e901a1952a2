import type { Device } from '#edge/domain/device.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import { parseSensorAddress } from '#edge/ingest/addresses.ts';
import type { Ingest } from '#edge/ingest/ingest.ts';
import { onlinePath } from '#edge/ingest/point-address.ts';
import type { DeviceEntry, Slot } from '#edge/ingest/registry.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import type { Watch } from './watch.ts';

/** A device that announces itself does so when it connects; after so long without it, it is not there, ms. */
const announceWithin = 600_000;
/** Fewer sensors than this may fall silent together by chance. */
const fewest = 3;

export interface SensorsOptions {
  readonly campus: { readonly devices: readonly Device[] };
  readonly ingest: Pick<Ingest, 'registry'>;
  readonly watch: Pick<Watch, 'hearSensor' | 'hearBridge'>;
  readonly clock: Clock;
}

/** Looks at every sensor that speaks MQTT itself, and tells `watch` which are silent. Call it about once a second. */
export function createListener({ campus, ingest, watch, clock }: SensorsOptions): () => void {
  const sensors = campus.devices.filter(({ protocol }) => protocol === 'mqtt');
  /** Since when a sensor has no points at all, monotonic ms. */
  const emptySince = new Map<DeviceId, number>();
  const bridges = sensorsByBridge(sensors);
  const verdicts = new Map<DeviceId, keyof typeof sentences | null>();
  /** All silent at once is the bridge, and its alarm alone. */
  const hearBridge = (bridge: string, ids: readonly DeviceId[]) => {
    const isAll = (wanted: keyof typeof sentences) => ids.every((id) => verdicts.get(id) === wanted);
    const isDown = isAll('silent');
    const isHeard = ids.some((id) => verdicts.get(id) === 'heard');
    watch.hearBridge(bridge, ids.length, isDown ? 'silent' : isHeard ? 'heard' : null);
    if (isDown) for (const id of ids) verdicts.delete(id);
  };
  return () => {
    const now = clock.monotonic();
    for (const { id } of sensors) {
      const entry = ingest.registry.find(id);
      if (entry === undefined) continue;
      const speaking = [...entry.slots.values()].filter(({ address }) => address?.at !== onlinePath);
      if (speaking.length > 0) emptySince.delete(id);
      else if (!emptySince.has(id)) emptySince.set(id, now);
      const isEmpty = now - (emptySince.get(id) ?? now) >= announceWithin;
      const verdict = speaking.length > 0 ? judge(entry, speaking, now) : isEmpty ? 'empty' : null;
      verdicts.set(id, verdict);
    }
    for (const [bridge, ids] of bridges) hearBridge(bridge, ids);
    for (const [id, verdict] of verdicts)
      if (verdict !== null) watch.hearSensor(id, verdict !== 'heard', sentences[verdict]);
  };
}

/** Sensors by the bridge they speak through, where there are enough of them to tell the one from the others. */
function sensorsByBridge(sensors: readonly Device[]): ReadonlyMap<string, readonly DeviceId[]> {
  const all = new Map<string, DeviceId[]>();
  for (const device of sensors) {
    const bridge = bridgeOf(device);
    if (bridge !== null) all.set(bridge, [...(all.get(bridge) ?? []), device.id]);
  }
  return new Map([...all].filter(([, ids]) => ids.length >= fewest));
}

/** The bridge that a sensor speaks through, as its topics begin; null: it speaks for itself. */
export function bridgeOf(device: Device): string | null {
  try {
    const address = parseSensorAddress(device);
    return address.convention === 'zigbee2mqtt' ? address.base : null;
  } catch {
    return null; // ingest names it as broken
  }
}

const sentences = {
  heard: 'it is heard',
  silent: 'nothing was heard from it for too long',
  never: 'it has never been heard under the address that the site file gives',
  empty: 'it has announced nothing, or has taken back what it had announced',
} as const;

/** A point that reports by itself; the others (buttons) are silent by nature. */
const isRegular = ({ point }: Slot) => point.staleAfter > 0;

/** null: nothing can be said yet, e.g. when all that is known is from before a restart. */
function judge({ online }: DeviceEntry, all: readonly Slot[], monotonic: number): 'heard' | 'silent' | 'never' | null {
  if (online === false) return 'silent';
  const regular = all.filter(isRegular);
  const judged = regular.length > 0 ? regular : all;
  if (judged.some(isHeard)) return 'heard';
  if (judged.some(({ reading }) => reading.quality !== 'bad')) return null;
  if (judged.some(({ reading }) => reading.reason === 'no-communication')) return 'silent';
  // Two of its own periods: it is not there, or its name in the site file is wrong.
  return regular.some(({ heardAt, point }) => monotonic - heardAt > 2 * point.staleAfter) ? 'never' : null;
}

/** It speaks, if only nonsense. */
function isHeard({ reading: { quality, reason } }: Slot): boolean {
  if (quality === 'bad') return reason === 'device-failure' || reason === 'communication-error';
  return reason !== 'last-usable-value';
}
