import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { CodedError } from '#edge/runtime/errors.ts';
import { type OutboxLane, outboxLanes } from './batch.ts';
import type { Db } from './database.ts';
import type { LaneState } from './report.ts';

/** A row's id is lane * 2^48 + seq: each lane grows at an end of its own. */
export const laneSpan = 2 ** 48;
export const laneNumber = (lane: OutboxLane) => outboxLanes.indexOf(lane);

/** Facts of the protocol: a city restored from last night's backup may ask again for what it had acknowledged. */
const keptAcknowledged = 72 * 3_600_000;
/** How precisely the time of an acknowledgement is remembered. */
const acknowledgedStep = 10 * 60_000;
/** Who goes first when there is no room: the least urgent. */
const evictionOrder: readonly OutboxLane[] = ['agg1m', 'health', 'event', 'alarm'];
const evictionStep = 64;
const longestBody = 64 * 1024 * 1024;

interface LaneRow {
  readonly lane: number;
  readonly head: number;
  readonly min: number;
  readonly watermark: number;
  readonly bytes: number;
}

export function decodeBody(encoding: number, body: Uint8Array): unknown {
  const bytes = encoding === 1 ? zstdDecompressSync(body, { maxOutputLength: longestBody }) : body;
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
}

export function laneStates(db: Db, epoch: number): (LaneState & { bytes: number })[] {
  const rows = db.prepare<[], LaneRow>('SELECT * FROM lane ORDER BY lane').all();
  return rows.flatMap(({ lane, head, min, watermark, bytes }) => {
    const name = outboxLanes[lane];
    return name === undefined ? [] : [{ lane: name, epoch, min, head, watermark, bytes }];
  });
}

/** The lanes to the city, inside whatever transaction the caller has open. */
export class Outbox {
  readonly #db: Db;
  readonly #epoch: number;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: Db, epoch: number) {
    this.#db = db;
    this.#epoch = epoch;
    this.#statements = prepare(db);
  }

  append(lane: OutboxLane, time: number, json: string): number {
    const plain = Buffer.from(json);
    const packed =
      plain.length > 1_024 ? zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: 6 } }) : null;
    const body = packed ?? plain;
    const seq = this.#statements.advance.get(body.length, laneNumber(lane)) ?? 0;
    this.#statements.insert.run(laneNumber(lane) * laneSpan + seq, time, packed === null ? 0 : 1, body);
    return seq;
  }

  states(): (LaneState & { bytes: number })[] {
    return laneStates(this.#db, this.#epoch);
  }

  /**
   * The city has everything up to `watermark` (it may go backwards: then it lost something and will ask again). Throws
   * STORE_EPOCH for another epoch's sequence, STORE_WATERMARK for one that was never sent.
   */
  acknowledge(lane: OutboxLane, epoch: number, watermark: number): void {
    if (epoch !== this.#epoch) {
      throw new CodedError('STORE_EPOCH', `lane ${lane}: epoch ${epoch} acknowledged, this outbox is ${this.#epoch}`);
    }
    const state = this.#lane(lane);
    if (!(Number.isInteger(watermark) && watermark >= 0 && watermark <= state.head)) {
      throw new CodedError('STORE_WATERMARK', `lane ${lane}: watermark ${watermark} is not within 0..${state.head}`);
    }
    if (watermark < state.watermark) this.#statements.forgetAfter.run(state.lane, watermark);
    this.#statements.setWatermark.run(watermark, state.lane);
  }

  /** Lets go of what was acknowledged 72 h ago. Returns rows freed. */
  free(now: number): number {
    let freed = 0;
    for (const lane of outboxLanes) {
      const state = this.#lane(lane);
      const noted = this.#statements.newest.get(state.lane);
      const due = noted === undefined || now - noted.time >= acknowledgedStep;
      if (state.watermark > (noted?.watermark ?? 0) && due) {
        this.#statements.note.run(state.lane, state.watermark, now);
      }
      const old = this.#statements.oldNote.get(state.lane, now - keptAcknowledged) ?? 0;
      if (old >= state.min) freed += this.#remove(state, Math.min(old, state.watermark));
      this.#statements.forgetBefore.run(state.lane, old);
    }
    return freed;
  }

  /** Brings the bodies held below `cap` bytes. What the city has goes first; the rest leaves a gap. */
  evict(cap: number, now: number, reason: string): { freed: number; evicted: number } {
    const freed = this.freeAcknowledged(cap);
    let evicted = 0;
    for (const lane of evictionOrder) {
      const removed = this.#shrink(lane, cap, 'head', (state, upto) => this.#gap(state, upto, now, reason));
      evicted += removed;
    }
    return { freed, evicted };
  }

  /** The same, but takes only what the city has. Returns rows freed. */
  freeAcknowledged(cap: number): number {
    return evictionOrder.reduce((freed, lane) => freed + this.#shrink(lane, cap, 'watermark', () => {}), 0);
  }

  #shrink(
    lane: OutboxLane,
    cap: number,
    until: 'head' | 'watermark',
    note: (state: LaneRow, upto: number) => void,
  ): number {
    let removed = 0;
    for (;;) {
      const total = this.#statements.total.get() ?? 0;
      const state = this.#lane(lane);
      const last = state[until];
      if (total <= cap || state.min > last) return removed;
      const upto = this.#reach(state, last, total - cap);
      note(state, upto);
      removed += this.#remove(state, upto);
    }
  }

  /** The sequence up to which rows must go to win `bytes`. */
  #reach(state: LaneRow, last: number, bytes: number): number {
    const base = state.lane * laneSpan;
    let upto = state.min - 1;
    let won = 0;
    for (const row of this.#statements.sizes.all(base + state.min, base + last, evictionStep)) {
      if (won >= bytes) break;
      won += row.bytes;
      upto = row.id - base;
    }
    // A lane whose rows are all gone (they cannot be, but a loop must end) is emptied.
    return upto < state.min ? last : upto;
  }

  #gap(state: LaneRow, upto: number, now: number, reason: string): void {
    const extended = this.#statements.extendGap.run(upto, now, state.lane, state.min - 1, reason).changes;
    if (extended === 0) this.#statements.insertGap.run(state.lane, state.min, upto, now, reason);
  }

  #remove(state: LaneRow, upto: number): number {
    const base = state.lane * laneSpan;
    const bytes = this.#statements.sum.get(base + state.min, base + upto) ?? 0;
    const { changes } = this.#statements.remove.run(base + state.min, base + upto);
    this.#statements.raise.run(upto + 1, bytes, state.lane);
    return changes;
  }

  #lane(lane: OutboxLane): LaneRow {
    const row = this.#statements.lane.get(laneNumber(lane));
    if (row === undefined) throw new CodedError('STORE_CORRUPT', `the outbox has no lane ${lane}`);
    return row;
  }
}

function prepare(db: Db) {
  return {
    lane: db.prepare<[number], LaneRow>('SELECT * FROM lane WHERE lane = ?'),
    advance: db
      .prepare<[number, number], number>(
        'UPDATE lane SET head = head + 1, bytes = bytes + ? WHERE lane = ? RETURNING head',
      )
      .pluck(),
    insert: db.prepare<[number, number, number, Uint8Array]>('INSERT INTO outbox VALUES (?, ?, ?, ?)'),
    setWatermark: db.prepare<[number, number]>('UPDATE lane SET watermark = ? WHERE lane = ?'),
    newest: db.prepare<[number], { watermark: number; time: number }>(
      'SELECT watermark, time FROM acknowledged WHERE lane = ? ORDER BY watermark DESC LIMIT 1',
    ),
    note: db.prepare<[number, number, number]>('INSERT OR REPLACE INTO acknowledged VALUES (?, ?, ?)'),
    oldNote: db
      .prepare<[number, number], number>('SELECT max(watermark) FROM acknowledged WHERE lane = ? AND time <= ?')
      .pluck(),
    forgetAfter: db.prepare<[number, number]>('DELETE FROM acknowledged WHERE lane = ? AND watermark > ?'),
    forgetBefore: db.prepare<[number, number]>('DELETE FROM acknowledged WHERE lane = ? AND watermark < ?'),
    total: db.prepare<[], number>('SELECT sum(bytes) FROM lane').pluck(),
    sizes: db.prepare<[number, number, number], { id: number; bytes: number }>(
      'SELECT id, length(body) AS bytes FROM outbox WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?',
    ),
    sum: db.prepare<[number, number], number>('SELECT sum(length(body)) FROM outbox WHERE id BETWEEN ? AND ?').pluck(),
    remove: db.prepare<[number, number]>('DELETE FROM outbox WHERE id BETWEEN ? AND ?'),
    raise: db.prepare<[number, number, number]>('UPDATE lane SET min = ?, bytes = bytes - ? WHERE lane = ?'),
    extendGap: db.prepare<[number, number, number, number, string]>(
      'UPDATE gap SET last = ?, time = ? WHERE lane = ? AND last = ? AND reason = ?',
    ),
    insertGap: db.prepare<[number, number, number, number, string]>(
      'INSERT INTO gap (lane, first, last, time, reason) VALUES (?, ?, ?, ?, ?)',
    ),
  };
}
