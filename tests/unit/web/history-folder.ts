import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DeviceId, type PointName, pointRef } from '#edge/domain/ids.ts';
import type { Reading } from '#edge/domain/reading.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { openReader, type Reader } from '#edge/store/reader.ts';
import { openStore, type Store } from '#edge/store/store.ts';

const retention = {
  readings: 4e11,
  events: 4e11,
  audit: 4e11,
  snapshots: 4e11,
  database: 4e9,
  snapshotBytes: 1e9,
  freeSpaceFloor: 0,
};

export interface HistoryFolder extends AsyncDisposable {
  readonly store: Store;
  readonly reader: Reader;
  readonly clock: ManualClock;
  /** Points of `meter-main`: a value for every time, in the order of time. */
  fill(points: Readonly<Record<string, Series>>, from: number, to: number, every: number): Promise<void>;
}

export interface Series {
  readonly unit: string;
  readonly counter?: boolean;
  readonly valueAt: (t: number) => number | null;
}

/** A real store whose clock stands at `now`, and what it remembers of one meter. */
export async function openHistory(now: number): Promise<HistoryFolder> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'history-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const clock = new ManualClock(now);
  const store = stack.use(await openStore({ folder, log: silentLog, clock, retention }));
  const reader = stack.use(openReader(folder, clock));
  const owned = stack.move();
  return {
    store,
    reader,
    clock,
    async fill(points, from, to, every) {
      const series = Object.entries(points).map(([name, one]) => ({ ...one, point: name as PointName }));
      await store.registerPoints(
        series.map(({ point, unit, counter = false }) => ({
          ref: pointRef(device, point),
          type: 'number' as const,
          unit,
          staleAfter: 900_000,
          counter,
        })),
      );
      for (let start = from; start < to; start += 1_000 * every) {
        const times = Array.from({ length: 1_000 }, (_, i) => start + i * every).filter((t) => t < to);
        await store.append({ readings: times.flatMap((t) => series.map((one) => readingOf(one, t))) });
      }
      // The hot log is sealed a while after it was written.
      clock.advance(day);
      while ((await store.maintain(clock.now())).folded.rows > 0) {}
      clock.advance(-day);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const day = 86_400_000;
const device = 'meter-main' as DeviceId;

function readingOf({ point, unit, valueAt }: Series & { readonly point: PointName }, t: number): Reading {
  const value = valueAt(t);
  const head = { ref: pointRef(device, point), device, point, value, unit, sourceTime: t, receivedTime: t };
  return value === null ? { ...head, quality: 'bad', reason: 'no-communication' } : { ...head, quality: 'good' };
}
