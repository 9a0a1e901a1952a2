import type { ValueType } from '#edge/domain/device.ts';
import type { Db } from './database.ts';
import type { RollupRule } from './rollup.ts';
import type { PointRegistration } from './wire.ts';

export const hourMs = 3_600_000;
/** Point ids lie below this: the low part of a block's key. */
export const pointSpan = 2 ** 20;
export const blockKey = (hour: number, point: number) => hour * pointSpan + point;
export const hourOf = (t: number) => Math.floor(t / hourMs);

export interface StoredPoint {
  readonly id: number;
  readonly ref: string;
  readonly type: ValueType;
  readonly unit: string;
  readonly kept: boolean;
  /** What a meter showed while its counter was not believed: told to nobody. */
  readonly raw: boolean;
  readonly rule: RollupRule;
}

interface PointRow {
  readonly id: number;
  readonly ref: string;
  readonly type: ValueType;
  readonly unit: string;
  readonly stale_after: number;
  readonly counter: number;
  readonly wrap: number | null;
  readonly kept: number;
  readonly raw: number;
}

function fromRow(row: PointRow): StoredPoint {
  const { id, ref, type, unit, wrap } = row;
  const rule = { staleAfter: row.stale_after, counter: row.counter === 1, ...(wrap === null ? {} : { wrap }) };
  return { id, ref, type, unit, kept: row.kept === 1, raw: row.raw === 1, rule };
}

export function allPoints(db: Db): Map<number, StoredPoint> {
  const rows = db.prepare<[], PointRow>('SELECT * FROM point').all();
  return new Map(rows.map((row) => [row.id, fromRow(row)]));
}

/** Looks one point up by its reference. */
export function pointFinder(db: Db): (ref: string) => StoredPoint | null {
  const find = db.prepare<[string], PointRow>('SELECT * FROM point WHERE ref = ?');
  return (ref) => {
    const row = find.get(ref);
    return row === undefined ? null : fromRow(row);
  };
}

/** Adds or changes points; their ids in the order given. A point that left the site keeps its id and its history. */
export function registerPoints(db: Db, points: readonly PointRegistration[]): number[] {
  const upsert = db
    .prepare<[string, string, string, number, number, number | null, number, number], number>(
      `INSERT INTO point (ref, type, unit, stale_after, counter, wrap, kept, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (ref) DO UPDATE SET type = excluded.type, unit = excluded.unit, stale_after = excluded.stale_after,
         counter = excluded.counter, wrap = excluded.wrap, kept = excluded.kept, raw = excluded.raw RETURNING id`,
    )
    .pluck();
  return points.map((p) => {
    const kept = Number(p.kept ?? true);
    const raw = Number(p.raw ?? false);
    const { ref, type, unit, counter, wrap = null } = p;
    return upsert.get(ref, type, unit, Math.round(p.staleAfter), Number(counter), wrap, kept, raw) ?? 0;
  });
}
