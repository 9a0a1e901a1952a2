import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DeviceId, type PointName, pointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { openStore } from '#edge/store/store.ts';

/* A store that remembers what the meters of a small school counted, so that the answers are known beforehand. */

export const hour = 3_600_000;
export const day = 24 * hour;
export const quarter = 900_000;
/** Monday, 2026-11-02, 00:00 in Shanghai. */
export const monday = Date.UTC(2026, 10, 1, 16);

const retention = {
  readings: 4e11,
  events: 4e11,
  audit: 4e11,
  snapshots: 4e11,
  database: 4e9,
  snapshotBytes: 1e9,
  freeSpaceFloor: 0,
};

/** One point: what it shows at a time; null: it is not heard. */
export interface Told {
  readonly device: string;
  readonly point: string;
  readonly unit: string;
  readonly counter?: boolean;
  /** ms between two samples; default a quarter of an hour. */
  readonly every?: number;
  readonly valueAt: (time: number) => number | null;
}

/**
 * A counter of what a power draws, added up by the quarter of an hour. What it shows at a time includes the stretch that begins then, as
 * if it had been read at its very end: so a bucket holds what was drawn in it. Give times in order.
 */
export function counterOf(
  device: string,
  point: string,
  unit: string,
  kilowattsAt: (time: number) => number,
  every = quarter,
): Told {
  let at = Number.NaN;
  let count = 1_000;
  return {
    ...{ device, point, unit, every },
    counter: true,
    valueAt: (time) => {
      if (Number.isNaN(at)) at = time;
      for (; at < time + every; at += quarter) count += (kilowattsAt(at) * quarter) / hour;
      return count;
    },
  };
}

/** What a power draws between two quarters of an hour, kW.h. */
export function truthOf(kilowattsAt: (time: number) => number, from: number, to: number): number {
  let sum = 0;
  for (let at = from; at < to; at += quarter) sum += (kilowattsAt(at) * quarter) / hour;
  return sum;
}

/** A folder with a database in which each point has its samples, from a whole hour on. Remove it when done. */
export async function fillEnergy(told: readonly Told[], from: number, to: number) {
  const folder = mkdtempSync(join(tmpdir(), 'energy-'));
  const clock = new ManualClock(to);
  {
    await using store = await openStore({ folder, log: silentLog, clock, retention });
    const points = told.map((one) => ({ ...one, ref: pointRef(one.device as DeviceId, one.point as PointName) }));
    await store.registerPoints(
      points.map(({ ref, unit, counter = false, every = quarter }) => ({
        ref,
        type: 'number' as const,
        unit,
        staleAfter: 3 * every,
        counter,
      })),
    );
    const turn = 100 * hour;
    for (let start = from; start <= to; start += turn) {
      const readings: Reading[] = [];
      for (let time = start; time <= to && time < start + turn; time += quarter) {
        const due = points.filter(({ every = quarter }) => (time - from) % every === 0);
        readings.push(...due.map((point) => readingOf(point, time)));
      }
      await store.append({ readings });
    }
    clock.advance(day);
    while ((await store.maintain(clock.now())).folded.rows > 0) {}
  }
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

function readingOf(
  { device, point, unit, valueAt, ref }: Told & { readonly ref: Reading['ref'] },
  time: number,
): Reading {
  const value = valueAt(time);
  const head = {
    ref,
    device: device as DeviceId,
    point: point as PointName,
    value,
    unit,
    sourceTime: time,
    receivedTime: time,
  };
  return value === null ? { ...head, quality: 'bad', reason: 'no-communication' } : { ...head, quality: 'good' };
}

const dayMinute = (time: number) => ((((time - monday) % day) + day) % day) / 60_000;
export const isSchoolDay = (time: number) =>
  Math.floor(((((time - monday) % (7 * day)) + 7 * day) % (7 * day)) / day) < 5;

/** kW (m3/h) beside the base, from 08:00 to 18:00 on school days. */
const busy: Readonly<Record<string, number>> = {
  'meter-teaching': 12,
  'meter-canteen': 8,
  'meter-dorm': 6,
  'meter-ac': 5,
  'meter-motive': 4,
  'meter-lights': 1,
  'meter-data': 2,
  'water-main': 1.2,
  'water-dorm': 0.5,
};

/** What a meter of the demo campus is to have counted; the main one counts 1 % more than those under it. */
export function demoPower(device: string): (time: number) => number {
  const one = (name: string) => (time: number) => {
    const isBusy = isSchoolDay(time) && dayMinute(time) >= 480 && dayMinute(time) < 1_080;
    return (name.startsWith('water') ? 0 : 0.5) + (isBusy ? (busy[name] ?? 0) : 0);
  };
  if (device !== 'meter-main') return one(device);
  const subs = Object.keys(busy)
    .filter((name) => name.startsWith('meter'))
    .map(one);
  return (time) => subs.reduce((sum, sub) => sum + sub(time), 0) * 1.01;
}

/** Every meter of the demo campus; those that nobody asks for quarters of are read by the hour. */
export function demoMeters(): readonly Told[] {
  const subs = Object.keys(busy).map((device) => {
    const [point, unit] = device.startsWith('water')
      ? (['volume', 'm3'] as const)
      : (['energy_import', 'kW.h'] as const);
    return counterOf(device, point, unit, demoPower(device), hour);
  });
  return [counterOf('meter-main', 'energy_import', 'kW.h', demoPower('meter-main')), ...subs];
}
