import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { decodeBody, decodeGap, type GapMarker, type WireBody } from '#bridge/contract/bodies.ts';
import { decodeFrame, type FrameHeader } from '#bridge/contract/frame.ts';
import { isLane } from '#bridge/contract/lanes.ts';
import type { Hello } from '#bridge/contract/messages.ts';
import { WireError } from '#bridge/contract/wire-error.ts';
import { createRowWriter, type RowWriter } from './store-rows.ts';
import { schema, schemaVersion } from './store-schema.ts';

/*
 * The city's database, one writer. A frame and the watermark that says so are one transaction; the acknowledgement goes
 * out after it. Runs inside the store thread (`store-thread.ts`).
 */

/** A frame as it came, from the campus that the broker authenticated. */
export interface Arrival {
  readonly campus: string;
  /** Lane of the topic. */
  readonly lane: string;
  readonly bytes: Uint8Array;
  /** City clock, ms since epoch UTC. */
  readonly time: number;
}

/**
 * What became of a frame. `applied` and `duplicate` are acknowledged up to `seq`; `gap` asks for `seq + 1`; `unsupported`
 * is held by the edge until this city can read it; `refused` was not a frame of that campus and lane.
 */
export interface Verdict {
  readonly campus: string;
  readonly lane: string;
  readonly outcome: 'applied' | 'duplicate' | 'gap' | 'unsupported' | 'refused';
  /** The city's watermark of this lane now; 0 and 0 when it has none. */
  readonly epoch: number;
  readonly seq: number;
  readonly message: string;
}

export interface Watermark {
  readonly epoch: number;
  readonly seq: number;
  /** Of the frame at `seq`; null when there was none (a gap was jumped). */
  readonly t0: number | null;
}

export interface StoreOptions {
  /** Path of the database file. */
  readonly file: string;
  /** Also log every applied frame into `received`, which has no unique key: doubling becomes visible. For tests. */
  readonly logReceived?: boolean;
}

/** Rows of `rejected` and `gaps` kept per campus: what a campus sends wrongly must not fill the city's disk. */
const keptPerCampus = 1_000;

export class CityStore implements Disposable {
  readonly #db: Database.Database;
  readonly #rows: RowWriter;
  readonly #logReceived: boolean;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(options: StoreOptions) {
    mkdirSync(dirname(options.file), { recursive: true });
    this.#db = new Database(options.file);
    this.#db.pragma('journal_mode = WAL');
    // An acknowledged frame must survive a power cut: the edge may have freed it.
    this.#db.pragma('synchronous = FULL');
    this.#db.pragma('busy_timeout = 5000');
    this.#db.exec(schema);
    this.#db.pragma(`user_version = ${schemaVersion}`);
    this.#rows = createRowWriter(this.#db);
    this.#logReceived = options.logReceived ?? false;
    this.#statements = prepare(this.#db);
  }

  /**
   * Applies frames in the order given, in one transaction. Throws when the database cannot commit: then nothing was
   * applied and nothing may be acknowledged. `beforeCommit` sees the verdicts inside the transaction.
   */
  apply(arrivals: readonly Arrival[], beforeCommit?: (verdicts: readonly Verdict[]) => void): readonly Verdict[] {
    return this.#db.transaction(() => {
      const verdicts = arrivals.map((arrival) => this.#applyOne(arrival));
      beforeCommit?.(verdicts);
      return verdicts;
    })();
  }

  /** Opens or refreshes a session: notes what the edge holds and answers the watermarks of the lanes it named. */
  hello(campus: string, hello: Hello, time: number): Readonly<Record<string, Watermark>> {
    return this.#db.transaction(() => {
      this.#statements.seen.run(campus, time, hello.time - time, hello.session);
      const answer: Record<string, Watermark> = {};
      for (const [lane, held] of Object.entries(hello.lanes)) {
        if (!isLane(lane)) continue;
        const known = this.#watermark(campus, lane);
        const wm = known === null || known.epoch < held.epoch ? { epoch: held.epoch, seq: 0, t0: null } : known;
        answer[lane] = wm;
        this.#statements.held.run(campus, lane, held.epoch, held.head, held.min);
      }
      return answer;
    })();
  }

  /** Deletes what is older than `before`, at most about `limit` rows of each kind; answers how many went. */
  prune(before: number, limit: number): number {
    return this.#rows.prune(before, limit);
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }

  #watermark(campus: string, lane: string): Watermark | null {
    const row = this.#statements.watermark.get(campus, lane);
    return row === undefined || row.epoch === 0 ? null : row;
  }

  #applyOne(arrival: Arrival): Verdict {
    const { campus, lane } = arrival;
    const known = this.#watermark(campus, lane) ?? { epoch: 0, seq: 0, t0: null };
    const verdict = (outcome: Verdict['outcome'], wm: Watermark, message = ''): Verdict => {
      return { campus, lane, outcome, epoch: wm.epoch, seq: wm.seq, message };
    };
    // Before anything is written: a lane name is the campus's to choose, rows for it are not.
    if (!isLane(lane)) return verdict('unsupported', known, `lane "${lane}" is not known here`);
    let header: FrameHeader;
    let body: Buffer;
    try {
      ({ header, body } = decodeFrame(Buffer.from(arrival.bytes)));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return verdict(error.code === 'WIRE_VERSION' ? 'unsupported' : 'refused', known, error.message);
    }
    if (header.c !== campus || header.l !== lane) {
      return verdict('refused', known, 'frame header: c or l is not that of the topic');
    }
    this.#statements.seen.run(campus, arrival.time, header.off ?? null, null);
    const wm = this.#openEpoch(header, known, arrival.time);
    if (header.e < wm.epoch || header.s <= wm.seq) return verdict('duplicate', wm);
    const from = this.#jump(header, wm, arrival.time);
    if (header.s > from.seq + 1) return verdict('gap', from);
    return this.#applyNext(arrival, header, body, from, verdict);
  }

  /** A larger epoch starts at 0: the edge's outbox was created again. What of the old one never came is unknown: say so. */
  #openEpoch(header: FrameHeader, known: Watermark, time: number): Watermark {
    if (header.e <= known.epoch) return known;
    const wm = { epoch: header.e, seq: 0, t0: null };
    if (known.epoch > 0) {
      this.#gap(
        header.c,
        header.l,
        known.epoch,
        known.seq + 1,
        null,
        'new-epoch',
        'the outbox was created again',
        time,
      );
    }
    this.#advance(header.c, header.l, wm);
    return wm;
  }

  /** Below `min` nothing will ever come: a visible gap, and the watermark jumps over it. */
  #jump(header: FrameHeader, wm: Watermark, time: number): Watermark {
    if (header.min <= wm.seq + 1) return wm;
    const jumped = { epoch: wm.epoch, seq: header.min - 1, t0: null };
    this.#gap(header.c, header.l, wm.epoch, wm.seq + 1, jumped.seq, 'evicted', 'the edge no longer holds it', time);
    this.#advance(header.c, header.l, jumped);
    return jumped;
  }

  #applyNext(
    arrival: Arrival,
    header: FrameHeader,
    body: Buffer,
    wm: Watermark,
    verdict: (outcome: Verdict['outcome'], wm: Watermark, message?: string) => Verdict,
  ): Verdict {
    const { campus, lane, time } = arrival;
    let last = header.s;
    let message = '';
    try {
      const content: WireBody | GapMarker =
        header.ct === 'gap' ? decodeGap(body) : decodeBody(header.l, header.ct, body);
      if ('lane' in content) {
        this.#rows.write(campus, content, header, time);
      } else {
        last = Math.max(last, content.to);
        this.#gap(campus, lane, header.e, header.s, last, content.reason, content.message, time);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      // A newer edge: it keeps the frame, a newer city will read it.
      if (error.code === 'WIRE_CONTENT_TYPE') return verdict('unsupported', wm, error.message);
      // Sending it again would not help: kept as it came, and visible.
      message = error.message;
      this.#statements.reject.run(campus, lane, header.e, header.s, message, arrival.bytes, time);
      this.#statements.trimRejected.run(campus, campus, keptPerCampus);
      this.#gap(campus, lane, header.e, header.s, header.s, 'malformed', message, time);
    }
    const next = { epoch: header.e, seq: last, t0: last === header.s ? header.t0 : null };
    this.#advance(campus, lane, next);
    if (this.#logReceived) this.#statements.received.run(campus, lane, header.e, header.s, header.ct, body.toString());
    return verdict('applied', next, message);
  }

  #advance(campus: string, lane: string, { epoch, seq, t0 }: Watermark): void {
    this.#statements.advance.run(campus, lane, epoch, seq, t0);
  }

  #gap(
    campus: string,
    lane: string,
    epoch: number,
    first: number,
    last: number | null,
    reason: string,
    message: string,
    time: number,
  ): void {
    this.#statements.gap.run(campus, lane, epoch, first, last, reason, message, time);
    this.#statements.trimGaps.run(campus, campus, keptPerCampus);
  }
}

function prepare(db: Database.Database) {
  return {
    watermark: db.prepare<[string, string], Watermark>(
      'SELECT epoch, seq, t0 FROM watermarks WHERE campus = ? AND lane = ?',
    ),
    advance: db.prepare<[string, string, number, number, number | null]>(
      `INSERT INTO watermarks (campus, lane, epoch, seq, t0) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq, t0 = excluded.t0`,
    ),
    held: db.prepare<[string, string, number, number, number]>(
      `INSERT INTO watermarks (campus, lane, epoch, seq, heldEpoch, head, oldest) VALUES (?, ?, 0, 0, ?, ?, ?)
       ON CONFLICT DO UPDATE SET heldEpoch = excluded.heldEpoch, head = excluded.head, oldest = excluded.oldest`,
    ),
    seen: db.prepare<[string, number, number | null, string | null]>(
      `INSERT INTO campuses (campus, lastSeen, clockOffset, session) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET lastSeen = max(lastSeen, excluded.lastSeen),
         clockOffset = coalesce(excluded.clockOffset, clockOffset), session = coalesce(excluded.session, session)`,
    ),
    gap: db.prepare<[string, string, number, number, number | null, string, string, number]>(
      'INSERT INTO gaps (campus, lane, epoch, first, last, reason, message, time) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    ),
    trimGaps: db.prepare<[string, string, number]>(
      `DELETE FROM gaps WHERE campus = ? AND id <= (
         SELECT id FROM gaps WHERE campus = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`,
    ),
    reject: db.prepare<[string, string, number, number, string, Uint8Array, number]>(
      'INSERT INTO rejected (campus, lane, epoch, seq, message, frame, time) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    trimRejected: db.prepare<[string, string, number]>(
      `DELETE FROM rejected WHERE campus = ? AND id <= (
         SELECT id FROM rejected WHERE campus = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`,
    ),
    received: db.prepare<[string, string, number, number, string, string]>(
      'INSERT INTO received (campus, lane, epoch, seq, ct, body) VALUES (?, ?, ?, ?, ?, ?)',
    ),
  };
}
