import type { Alarm } from '#edge/domain/alarm.ts';
import { type CounterStep, rawRefOf } from '#edge/domain/counter.ts';
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
  const good = newestGood(db);
  const state = db.prepare<[], { name: string; body: string }>('SELECT * FROM state').all();
  return {
    latest: latestReadings(db),
    alarms: bodies('SELECT body FROM alarm WHERE open = 1 ORDER BY raised').map((body) => JSON.parse(body) as Alarm),
    holds: bodies('SELECT body FROM hold ORDER BY ref').flatMap((body) => JSON.parse(body) as Hold[]),
    good: [...good].flatMap(([ref, last]) => (splitPointRef(ref) === null ? [] : [{ ref, ...last }])),
    counterSteps: heldSteps(db, good),
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

interface Good {
  readonly time: number;
  readonly value: number;
}

/** The newest good number of every counter and of every raw course, by ref. */
function newestGood(db: Db): Map<string, Good> {
  const points = new Map([...allPoints(db)].filter(([, { rule, raw }]) => rule.counter || raw));
  const newest = new Map<string, Good>();
  const keep = (point: number, time: number | null, value: number | string | null) => {
    const ref = points.get(point)?.ref;
    if (ref === undefined || time === null || typeof value !== 'number') return;
    if (time >= (newest.get(ref)?.time ?? Number.NEGATIVE_INFINITY)) newest.set(ref, { time, value });
  };
  const folded = db.prepare<[], { point: number; t: number | null; value: number | string | null }>(
    'SELECT point, good_t AS t, good_value AS value FROM latest',
  );
  for (const { point, t, value } of folded.iterate()) keep(point, t, value);
  for (const row of db.prepare<[], LatestRow>('SELECT point, t, d, code, value FROM hot ORDER BY id').iterate()) {
    if (qualityOf(row.code) === 'good') keep(row.point, row.t, row.value);
  }
  return newest;
}

/** Steps that still hold a counter, with the last that its meter showed: a step is written less often than its course moves. */
function heldSteps(db: Db, good: ReadonlyMap<string, Good>): CounterStep[] {
  const rows = db
    .prepare<[], string>(
      `SELECT body FROM counter_step AS s WHERE state = 'open'
         OR (state = 'rejected' AND time = (SELECT max(time) FROM counter_step WHERE ref = s.ref)) ORDER BY time`,
    )
    .pluck()
    .all();
  return rows.map((body) => {
    const step = JSON.parse(body) as CounterStep;
    const shown = good.get(rawRefOf(step.ref));
    const isNewer = shown !== undefined && shown.time > step.lastTime;
    return isNewer ? { ...step, last: shown.value, lastTime: shown.time } : step;
  });
}
