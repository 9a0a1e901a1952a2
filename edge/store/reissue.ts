import type { SampleSource } from './blocks.ts';
import type { Db } from './database.ts';
import { fixedBuckets, PointHistory } from './history.ts';
import { laneNumber } from './outbox.ts';
import type { StoredPoint } from './points.ts';
import type { Carry, RollupSample } from './rollup.ts';

const minute = 60_000;
/** Late samples gather for so long before their minutes are told again, and those of a point no more often than this, ms. */
const lateAfter = 5_000;
const latePause = 10 * 60_000;

/**
 * Rows that wait for the city, at most, while minutes are told again: the outbox has a cap, and what was true all the time must not be
 * forced out by what comes again. Two weeks of minutes.
 */
const mostWaiting = 20_000;

/** One minute of one point as it is now. */
export interface Reissued {
  readonly t: number;
  readonly rev: number;
  readonly aggregate: ReturnType<PointHistory['aggregates']>[number];
}

/**
 * Minutes that were told to the city and are not true any more: a step was accepted, a backlog came late. They are told again
 * with a larger `rev`, as history has them, a portion at a time. Sits in the writer's thread, inside the caller's transaction.
 */
export class Reissues {
  readonly #source: SampleSource;
  readonly #statements: ReturnType<typeof prepare>;
  /** When the late samples of a point were last told, ms. At most one entry a counter. */
  readonly #lateAt = new Map<number, number>();

  constructor(db: Db, source: SampleSource) {
    this.#source = source;
    this.#statements = prepare(db);
  }

  /** The minutes from `from` on that are closed (before `upTo`). */
  note(point: number, from: number, upTo: number, due: number): void {
    if (from >= upTo) return;
    const rev = this.#statements.nextRev.get() ?? 1;
    this.#statements.note.run(point, Math.floor(from / minute) * minute, upTo, rev, due);
  }

  noteLate(point: number, from: number, upTo: number, now: number): void {
    const told = this.#lateAt.get(point);
    // A clock that was set back must not keep it waiting.
    const pause = told !== undefined && told <= now ? told + latePause : 0;
    this.note(point, from, upTo, Math.max(now + lateAfter, pause));
  }

  /**
   * At most `most` minutes of one point that are due; null: none is, or the city is so far behind that they wait. What is answered is
   * noted as told.
   */
  take(
    now: number,
    points: ReadonlyMap<number, StoredPoint>,
    most: number,
  ): { readonly point: StoredPoint; readonly minutes: readonly Reissued[] } | null {
    const due = this.#statements.due.get(now);
    if (due === undefined || (this.#statements.waiting.get(laneNumber('agg1m')) ?? 0) > mostWaiting) return null;
    const point = points.get(due.point);
    if (point === undefined || !point.kept || point.raw) {
      this.#statements.remove.run(due.point);
      return this.take(now, points, most);
    }
    const history = new PointHistory(this.#source, point, due.last);
    const found = history.aggregates(fixedBuckets(minute, 0, due.last), due.first, due.last, most);
    const end = found.at(-1);
    if (found.length < most || end === undefined) {
      this.#statements.remove.run(due.point);
      this.#lateAt.set(due.point, now);
    } else this.#statements.proceed.run(end.t + minute, due.point);
    return { point, minutes: found.map((aggregate) => ({ t: aggregate.t, rev: due.rev, aggregate })) };
  }

  /** What history knows of a point before `from`. */
  carryAt(point: StoredPoint, from: number): Carry {
    const { tail, lastGood } = new PointHistory(this.#source, point, from).carryAt(from);
    return { tail: tail satisfies RollupSample | null, lastGood };
  }
}

function prepare(db: Db) {
  return {
    nextRev: db
      .prepare<[], number>(
        `INSERT INTO meta VALUES ('revision', 1) ON CONFLICT (key) DO UPDATE SET value = value + 1 RETURNING value`,
      )
      .pluck(),
    note: db.prepare<[number, number, number, number, number]>(
      `INSERT INTO reissue VALUES (?, ?, ?, ?, ?) ON CONFLICT (point) DO UPDATE SET
         first = min(first, excluded.first), last = max(last, excluded.last), rev = excluded.rev,
         due = min(due, excluded.due)`,
    ),
    due: db.prepare<[number], { point: number; first: number; last: number; rev: number }>(
      'SELECT point, first, last, rev FROM reissue WHERE due <= ? ORDER BY due LIMIT 1',
    ),
    waiting: db.prepare<[number], number>('SELECT head - watermark FROM lane WHERE lane = ?').pluck(),
    proceed: db.prepare<[number, number]>('UPDATE reissue SET first = ? WHERE point = ?'),
    remove: db.prepare<[number]>('DELETE FROM reissue WHERE point = ?'),
  };
}
