import { type Columns, decodeBlock, decodeColumns } from './codec.ts';
import type { Db } from './database.ts';
import { blockKey, pointSpan } from './points.ts';
import { meanOf, type Part } from './rollup.ts';
import { type StoredSample, toRollup } from './sample.ts';

interface HourRow {
  readonly count: number;
  readonly good_ms: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly first_good: number | null;
  readonly last: number | null;
  readonly delta: number | null;
  readonly first_t: number;
  readonly tail_t: number;
  readonly tail_code: number;
  readonly tail_value: number | string | null;
}

export type HourColumns = readonly (number | string | null)[];

/** A part as the columns of its header, without the key. */
export function toColumns(part: Part, tail: StoredSample): HourColumns {
  const { count, goodMs, min, max, firstGood, last, delta, firstT } = part;
  return [count, goodMs, min, max, meanOf(part), firstGood, last, delta, firstT, tail.t, tail.code, tail.value];
}

function toPart(row: HourRow): Part {
  const tail = toRollup({ t: row.tail_t, d: 0, value: row.tail_value, code: row.tail_code });
  return {
    count: row.count,
    goodMs: row.good_ms,
    weighted: (row.mean ?? 0) * row.good_ms,
    min: row.min,
    max: row.max,
    firstT: row.first_t,
    firstGood: row.first_good,
    last: row.last,
    delta: row.delta,
    tail,
  };
}

/** What is in the database of a point's samples, hot and sealed. Statements are prepared once per connection. */
export interface SampleSource {
  /** Rows of the hot log before `to`, in order of arrival. A scan, of a log that is kept short. */
  hot(point: number, to: number): StoredSample[];
  header(point: number, hour: number): Part | null;
  /** Of every point, with the code of its last sample. */
  headers(hour: number): ReadonlyMap<number, { readonly part: Part; readonly tailCode: number }>;
  block(point: number, hour: number): StoredSample[];
  /** The same, undecoded into samples; null where there is none. */
  columns(point: number, hour: number): Columns | null;
  /** The newest header of the point before `hour`, at most `reach` hours back. */
  headerBefore(point: number, hour: number, reach: number): { hour: number; part: Part } | null;
  /** The first hour from `hour` on in which any point has a header. */
  nextHour(hour: number): number | null;
}

/** `damaged` decides what a block that cannot be decoded means: it throws, or it counts and the hour has no samples. */
export function sampleSource(db: Db, damaged: (point: number, hour: number, cause: unknown) => void): SampleSource {
  const hot = db.prepare<[number, number], StoredSample>(
    'SELECT t, d, code, value FROM hot WHERE point = ? AND t < ? ORDER BY id',
  );
  const header = db.prepare<[number], HourRow>('SELECT * FROM hour WHERE id = ?');
  const headersOf = db.prepare<[number, number], HourRow & { id: number }>(
    'SELECT * FROM hour WHERE id >= ? AND id < ?',
  );
  const block = db.prepare<[number], Uint8Array>('SELECT data FROM block WHERE id = ?').pluck();
  const before = db.prepare<[number, number, number], HourRow & { id: number }>(
    `SELECT * FROM hour WHERE id < ? AND id >= ? AND (id & ${pointSpan - 1}) = ? ORDER BY id DESC LIMIT 1`,
  );
  const next = db.prepare<[number], number>('SELECT id FROM hour WHERE id >= ? ORDER BY id LIMIT 1').pluck();
  const getHeader = (point: number, hour: number) => {
    const row = header.get(blockKey(hour, point));
    return row === undefined ? null : toPart(row);
  };
  const read = <T>(point: number, hour: number, decode: (data: Uint8Array) => T): T | null => {
    const data = block.get(blockKey(hour, point));
    if (data === undefined) return null;
    try {
      return decode(data);
    } catch (cause) {
      damaged(point, hour, cause);
      return null;
    }
  };
  return {
    hot: (point, to) => hot.all(point, to),
    header: getHeader,
    headers: (hour) => {
      const rows = headersOf.all(blockKey(hour, 0), blockKey(hour + 1, 0));
      return new Map(rows.map((row) => [row.id % pointSpan, { part: toPart(row), tailCode: row.tail_code }]));
    },
    block: (point, hour) => read(point, hour, decodeBlock) ?? [],
    columns: (point, hour) => read(point, hour, decodeColumns),
    headerBefore: (point, hour, reach) => {
      // Most points have the hour before; only what is rarer is worth a scan over everybody's headers.
      for (let back = 1; back <= Math.min(reach, 24); back++) {
        const part = getHeader(point, hour - back);
        if (part !== null) return { hour: hour - back, part };
      }
      if (reach <= 24) return null;
      const row = before.get(blockKey(hour - 24, 0), blockKey(hour - reach, 0), point);
      return row === undefined ? null : { hour: Math.floor(row.id / pointSpan), part: toPart(row) };
    },
    nextHour: (hour) => {
      const id = next.get(blockKey(hour, 0));
      return id === undefined ? null : Math.floor(id / pointSpan);
    },
  };
}
