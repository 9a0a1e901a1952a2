import { type DeviceId, type PointName, pointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { openStore } from '#edge/store/store.ts';

/* A day that a sensor of the demo campus has behind it: its air hangs around a limit, as air in a class room does. */

const minute = 60_000;
const device = 'air-201' as DeviceId;
const point = 'co2' as PointName;
const retention = {
  readings: 4e11,
  events: 4e11,
  audit: 4e11,
  snapshots: 4e11,
  database: 4e9,
  snapshotBytes: 1e9,
  freeSpaceFloor: 0,
};

/** How often the value rises over 1,000 ppm on that day, for two minutes each; and once it is really bad, for forty minutes. */
export const flutters = 39;

/**
 * Writes yesterday (in the time zone of the demo campus) into a data folder in which no campus runs: 900 ppm, 1,050 for two minutes every
 * half an hour, 1,600 for forty minutes near the end.
 */
export async function writeNoisyPast(folder: string): Promise<void> {
  const shanghai = 8 * 60 * minute;
  const day = 24 * 60 * minute;
  const midnight = Math.floor((systemClock.now() + shanghai) / day) * day - shanghai;
  const start = midnight - day + 30 * minute;
  const flutter = Array.from({ length: flutters }, (_, i) => [
    readingAt(start + i * 30 * minute, 1_050),
    readingAt(start + (i * 30 + 2) * minute, 900),
    // Air that says nothing for long is no longer known.
    ...[8, 14, 20, 26].map((later) => readingAt(start + (i * 30 + later) * minute, 900)),
  ]).flat();
  const bad = start + flutters * 30 * minute;
  const end = [0, 10, 20, 30].map((later) => readingAt(bad + later * minute, 1_600));
  await using store = await openStore({ folder, log: silentLog, retention });
  await store.registerPoints([
    { ref: pointRef(device, point), type: 'number', unit: '[ppm]', staleAfter: 900_000, counter: false },
  ]);
  await store.append({
    readings: [readingAt(start - minute, 900), ...flutter, ...end, readingAt(bad + 40 * minute, 600)],
  });
}

function readingAt(time: number, value: number): Reading {
  return {
    ref: pointRef(device, point),
    device,
    point,
    value,
    unit: '[ppm]',
    quality: 'good',
    sourceTime: time,
    receivedTime: time,
  };
}
