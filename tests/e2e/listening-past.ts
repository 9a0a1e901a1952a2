import { type DeviceId, type PointName, pointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { openStore } from '#edge/store/store.ts';

/* Six hours that a camera has behind it: told of events all the time, but for some minutes in which it said nothing. */

const minute = 60_000;
const point = 'listening' as PointName;
const retention = {
  readings: 4e11,
  events: 4e11,
  audit: 4e11,
  snapshots: 4e11,
  database: 4e9,
  snapshotBytes: 1e9,
  freeSpaceFloor: 0,
};

/** Minutes before now. */
export const past = { begin: 360, silentFrom: 240, silentTo: 200 } as const;

/** Writes them into a data folder in which no campus runs. */
export async function writeListeningPast(folder: string, device: DeviceId): Promise<void> {
  const now = Math.floor(systemClock.now() / minute) * minute;
  const readingAt = (ago: number): Reading => {
    const time = now - ago * minute;
    const value = ago > past.silentFrom || ago <= past.silentTo;
    const base = { ref: pointRef(device, point), device, point, value, unit: '', sourceTime: time, receivedTime: time };
    return { ...base, quality: 'good' };
  };
  // Unchanged it is told once in ten minutes.
  const times = Array.from({ length: past.begin / 10 }, (_, i) => past.begin - i * 10);
  await using store = await openStore({ folder, log: silentLog, retention });
  await store.registerPoints([
    { ref: pointRef(device, point), type: 'boolean', unit: '', staleAfter: 900_000, counter: false },
  ]);
  await store.append({ readings: times.map(readingAt) });
}
