import type { Alarm } from '#edge/domain/alarm.ts';
import { type PointRef, splitPointRef } from '#edge/domain/ids.ts';
import type { Hold } from '#edge/domain/output.ts';
import type { Reading } from '#edge/domain/reading.ts';
import type { Db } from './database.ts';
import { allPoints } from './points.ts';
import { plainValue, qualityOf, reasonOf, type StoredSample, timesOf } from './sample.ts';
import type { Restored } from './wire.ts';

interface LatestRow extends StoredSample {
  readonly point: number;
}

/** Everything core needs to go on where it stopped. Rows were written by this room: reading them back is the parse. */
export function restore(db: Db, epoch: number): Restored {
  const bodies = (sql: string) => db.prepare<[], string>(sql).pluck().all();
  const state = db.prepare<[], { name: string; body: string }>('SELECT * FROM state').all();
  return {
    latest: latestReadings(db),
    alarms: bodies('SELECT body FROM alarm WHERE open = 1 ORDER BY raised').map((body) => JSON.parse(body) as Alarm),
    holds: bodies('SELECT body FROM hold ORDER BY ref').flatMap((body) => JSON.parse(body) as Hold[]),
    state: Object.fromEntries(state.map(({ name, body }) => [name, JSON.parse(body) as unknown])),
    epoch,
  };
}

function latestReadings(db: Db): Reading[] {
  const newest = new Map<number, LatestRow>();
  const keep = (row: LatestRow) => {
    const known = newest.get(row.point);
    if (known === undefined || row.t >= known.t) newest.set(row.point, row);
  };
  for (const row of db.prepare<[], LatestRow>('SELECT point, t, d, code, value FROM latest').iterate()) keep(row);
  for (const row of db.prepare<[], LatestRow>('SELECT point, t, d, code, value FROM hot ORDER BY id').iterate()) {
    keep(row);
  }
  const readings: Reading[] = [];
  for (const point of allPoints(db).values()) {
    const sample = newest.get(point.id);
    const parts = splitPointRef(point.ref);
    if (sample === undefined || parts === null) continue;
    const reason = reasonOf(sample.code);
    readings.push({
      ref: point.ref as PointRef,
      ...parts,
      value: plainValue(sample),
      unit: point.unit,
      quality: qualityOf(sample.code),
      ...(reason === undefined ? {} : { reason }),
      ...timesOf(sample),
    });
  }
  return readings;
}
