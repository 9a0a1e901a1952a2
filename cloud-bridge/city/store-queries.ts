import Database from 'better-sqlite3';

/*
 * What the city's API reads, on a read-only connection of its own thread: a scan must not hold the broker's loop nor the
 * writer. Every query is bounded. Times are ms since epoch UTC.
 */

export interface LaneStatus {
  readonly lane: string;
  readonly epoch: number;
  /** Committed up to here. */
  readonly watermark: number;
  /** Newest at the edge, as its last hello said. */
  readonly head: number;
  /** Not here yet, as far as the last hello tells. */
  readonly backlog: number;
  readonly gaps: number;
  /** Sequences that will never come; gaps whose size nobody knows are not in it. */
  readonly missing: number;
}

export interface CampusStatus {
  readonly campus: string;
  /** null: never heard. */
  readonly lastSeen: number | null;
  /** Campus clock minus city clock, ms. */
  readonly clockOffset: number | null;
  readonly points: number;
  readonly openAlarms: number;
  readonly lanes: readonly LaneStatus[];
}

export interface SummaryRow {
  readonly t: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly last: number | null;
  readonly count: number;
  readonly goodSeconds: number;
  readonly delta: number | null;
  /** Its time cannot be trusted. */
  readonly doubtful: boolean;
}

export interface PointSummaries {
  readonly ref: string;
  readonly unit: string;
  readonly rows: readonly SummaryRow[];
}

export interface SummaryQuery {
  readonly campus: string;
  /** Inclusive and exclusive. */
  readonly from: number;
  readonly to: number;
  /** null: every point. */
  readonly ref: string | null;
}

export interface Summaries {
  readonly points: readonly PointSummaries[];
  /** There was more than `maxSummaryRows`: ask for a shorter time or one point. */
  readonly truncated: boolean;
}

export interface GapRow {
  readonly id: number;
  readonly lane: string;
  readonly epoch: number;
  readonly first: number;
  readonly last: number | null;
  readonly reason: string;
  readonly message: string;
  readonly time: number;
}

export const maxSummaryRows = 20_000;
export const maxListRows = 500;

export class CityReader implements Disposable {
  readonly #db: Database.Database;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(file: string) {
    this.#db = new Database(file, { readonly: true, fileMustExist: true });
    this.#db.pragma('busy_timeout = 5000');
    this.#statements = prepare(this.#db);
  }

  /** Every campus of the list, also those that never said a word. */
  campuses(ids: readonly string[]): readonly CampusStatus[] {
    return ids.map((campus) => {
      const seen = this.#statements.campus.get(campus);
      return {
        campus,
        lastSeen: seen?.lastSeen ?? null,
        clockOffset: seen?.clockOffset ?? null,
        points: this.#statements.points.get(campus)?.n ?? 0,
        openAlarms: this.#statements.openAlarms.get(campus)?.n ?? 0,
        lanes: this.#statements.lanes.all(campus, campus).map((lane) => ({ ...lane, backlog: backlogOf(lane) })),
      };
    });
  }

  summaries({ campus, from, to, ref }: SummaryQuery): Summaries {
    const points: PointSummaries[] = [];
    let left = maxSummaryRows;
    let truncated = false;
    for (const point of this.#statements.pointsOf.all({ campus, ref })) {
      const rows = this.#statements.summaries.all(point.id, from, to, left + 1);
      if (rows.length > left) {
        truncated = true;
        rows.length = left;
      }
      left -= rows.length;
      if (rows.length > 0) {
        const shaped = rows.map((row) => ({ ...row, doubtful: row.doubtful === 1 }));
        points.push({ ref: point.ref, unit: point.unit, rows: shaped });
      }
      if (truncated) break;
    }
    return { points, truncated };
  }

  /** Open ones first, then the newest; each in the contract's shape. */
  alarms(campus: string): readonly unknown[] {
    return this.#statements.alarms.all(campus, maxListRows).map((row) => JSON.parse(row.body));
  }

  /** The newest events first. */
  events(campus: string, before: number): readonly unknown[] {
    return this.#statements.events.all(campus, before, maxListRows).map(({ active, data, ...event }) => ({
      ...event,
      ...(active === null ? {} : { active: active === 1 }),
      data: JSON.parse(data),
    }));
  }

  /** The newest gaps first. */
  gaps(campus: string): readonly GapRow[] {
    return this.#statements.gaps.all(campus, maxListRows);
  }

  /** The latest word of each process, in the contract's shape. */
  health(campus: string): readonly unknown[] {
    return this.#statements.health.all(campus, maxListRows).map((row) => JSON.parse(row.body));
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}

type LaneRow = Omit<LaneStatus, 'backlog'> & { readonly heldEpoch: number; readonly oldest: number };

function backlogOf(lane: LaneRow): number {
  if (lane.heldEpoch < lane.epoch) return 0;
  const from = lane.heldEpoch === lane.epoch ? lane.watermark : 0;
  return Math.max(0, lane.head - Math.max(from, lane.oldest - 1));
}

type StoredSummary = Omit<SummaryRow, 'doubtful'> & { readonly doubtful: number };
interface StoredEvent {
  readonly id: string;
  readonly time: number;
  readonly type: string;
  readonly device: string | null;
  readonly zone: string | null;
  readonly active: number | null;
  readonly data: string;
}

function prepare(db: Database.Database) {
  return {
    campus: db.prepare<[string], { lastSeen: number; clockOffset: number | null }>(
      'SELECT lastSeen, clockOffset FROM campuses WHERE campus = ?',
    ),
    points: db.prepare<[string], { n: number }>('SELECT count(*) AS n FROM points WHERE campus = ?'),
    openAlarms: db.prepare<[string], { n: number }>(
      `SELECT count(*) AS n FROM alarms WHERE campus = ? AND state <> 'normal'`,
    ),
    lanes: db.prepare<[string, string], LaneRow>(
      `SELECT w.lane, w.epoch, w.seq AS watermark, w.head, w.heldEpoch, w.oldest,
              count(g.id) AS gaps, coalesce(sum(g.last - g.first + 1), 0) AS missing
       FROM watermarks w LEFT JOIN gaps g ON g.campus = ? AND g.lane = w.lane
       WHERE w.campus = ? GROUP BY w.lane ORDER BY w.lane`,
    ),
    pointsOf: db.prepare<{ campus: string; ref: string | null }, { id: number; ref: string; unit: string }>(
      'SELECT id, ref, unit FROM points WHERE campus = @campus AND (@ref IS NULL OR ref = @ref) ORDER BY ref',
    ),
    summaries: db.prepare<[number, number, number, number], StoredSummary>(
      `SELECT t, min, max, mean, last, count, goodSeconds, delta, doubtful FROM summaries
       WHERE point = ? AND t >= ? AND t < ? ORDER BY t LIMIT ?`,
    ),
    alarms: db.prepare<[string, number], { body: string }>(
      `SELECT body FROM alarms WHERE campus = ? ORDER BY state = 'normal', raised DESC LIMIT ?`,
    ),
    events: db.prepare<[string, number, number], StoredEvent>(
      `SELECT id, time, type, device, zone, active, data FROM events WHERE campus = ? AND time < ?
       ORDER BY time DESC LIMIT ?`,
    ),
    gaps: db.prepare<[string, number], GapRow>(
      `SELECT id, lane, epoch, first, last, reason, message, time FROM gaps WHERE campus = ? ORDER BY id DESC LIMIT ?`,
    ),
    health: db.prepare<[string, number], { body: string }>(
      'SELECT body FROM health WHERE campus = ? ORDER BY process LIMIT ?',
    ),
  };
}
