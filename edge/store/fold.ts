import { type HourColumns, type SampleSource, toColumns } from './blocks.ts';
import { encodeBlock } from './codec.ts';
import type { Db } from './database.ts';
import { blockKey, hourMs, hourOf, pointSpan, type StoredPoint } from './points.ts';
import { measure, type RollupRule } from './rollup.ts';
import { inOrder, qualityOf, type StoredSample, toRollup } from './sample.ts';

/*
 * Sealing: the hot log is folded into one block per point and hour, every few minutes and not once an hour, so that the log
 * that every history read scans stays short. The running hour's block is written again with each fold; a late sample opens
 * its old block the same way. Nothing is lost or doubled if the process dies in between: the rows leave the log only after
 * all blocks are committed, and folding the same row twice changes nothing (one sample per time, the later arrival wins).
 */
interface HotRow extends StoredSample {
  readonly id: number;
  readonly point: number;
}

const unknownRule: RollupRule = { staleAfter: 0, counter: false };
const readStep = 4_000;
const removeStep = 10_000;
/** Rows of one pass: bounds its memory to some 40 MB. */
const passRows = 250_000;

export interface FoldResult {
  rows: number;
  blocks: number;
  /** Samples of hours whose raw data retention had already dropped. */
  tooLate: number;
}

export class Folder {
  readonly #source: SampleSource;
  readonly #points: ReadonlyMap<number, StoredPoint>;
  readonly #statements: ReturnType<typeof prepare>;

  constructor(db: Db, source: SampleSource, points: ReadonlyMap<number, StoredPoint>) {
    this.#source = source;
    this.#points = points;
    this.#statements = prepare(db);
  }

  /**
   * Folds the rows with id <= `upto`. Each `yield` is a turn of at most about `slice` ms in a transaction of its own, made
   * by `inTransaction`; commits fit in between.
   */
  *run(upto: number, slice: Slice): Generator<void, FoldResult> {
    const result: FoldResult = { rows: 0, blocks: 0, tooLate: 0 };
    for (let after = 0; after < upto; ) {
      const groups = new Map<number, StoredSample[]>();
      const passStart = after;
      let rows = 0;
      while (after < upto && rows < passRows) {
        const read = this.#read(after, upto, groups);
        if (read === null) break;
        after = read.last;
        rows += read.rows;
        yield;
      }
      if (after === passStart) break;
      yield* this.#writeAll(groups, slice, result);
      yield* this.#removeAll(after, slice);
      result.rows += rows;
    }
    return result;
  }

  /** The same for a database that is full: the rows go first, so that the blocks find room; one transaction (the caller's). */
  squeeze(limit: number): FoldResult {
    const result: FoldResult = { rows: 0, blocks: 0, tooLate: 0 };
    const groups = new Map<number, StoredSample[]>();
    let after = 0;
    while (result.rows < limit) {
      const read = this.#read(after, Number.MAX_SAFE_INTEGER, groups);
      if (read === null) break;
      after = read.last;
      result.rows += read.rows;
    }
    this.#statements.remove.run(after);
    for (const [key, samples] of sorted(groups)) this.#write(key, samples, result);
    return result;
  }

  #read(after: number, upto: number, groups: Map<number, StoredSample[]>): { last: number; rows: number } | null {
    const rows = this.#statements.read.all(after, upto, readStep);
    for (const { point, t, d, code, value } of rows) {
      const key = blockKey(hourOf(t), point);
      const sample = { t, d, code, value };
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [sample]);
      else group.push(sample);
    }
    const last = rows.at(-1);
    return last === undefined ? null : { last: last.id, rows: rows.length };
  }

  *#writeAll(groups: Map<number, StoredSample[]>, slice: Slice, result: FoldResult): Generator<void> {
    const waiting = sorted(groups);
    for (let at = 0; at < waiting.length; ) {
      slice.transaction(() => {
        const turn = slice.turn();
        do {
          const [key, samples] = waiting[at++] ?? [0, []];
          this.#write(key, samples, result);
        } while (at < waiting.length && !turn.over());
      });
      yield;
    }
  }

  *#removeAll(upto: number, slice: Slice): Generator<void> {
    for (let done = false; !done; ) {
      slice.transaction(() => {
        const step = this.#statements.nth.get(upto, removeStep - 1);
        this.#statements.remove.run(step ?? upto);
        done = step === undefined;
      });
      yield;
    }
  }

  #write(key: number, arrived: readonly StoredSample[], result: FoldResult): void {
    const point = key % pointSpan;
    const hour = Math.floor(key / pointSpan);
    const known = this.#source.block(point, hour);
    if (known.length === 0 && this.#source.header(point, hour) !== null && !this.#hasBlock(key)) {
      result.tooLate += arrived.length;
      return;
    }
    const samples = inOrder([...known, ...arrived]);
    const tail = samples.at(-1);
    if (tail === undefined) return;
    const rule = this.#points.get(point)?.rule ?? unknownRule;
    const part = measure(samples.map(toRollup), (hour + 1) * hourMs, rule);
    this.#statements.header.run(key, ...toColumns(part, tail));
    this.#statements.block.run(key, encodeBlock(samples));
    this.keepLatest(point, tail);
    this.#keepGood(point, samples);
    result.blocks += 1;
  }

  /** A damaged block is there, but has no samples: it is replaced, not taken for one that retention dropped. */
  #hasBlock(key: number): boolean {
    return this.#statements.hasBlock.get(key) !== undefined;
  }

  /** Remembers a sample as the point's newest, if it is. */
  keepLatest(point: number, sample: StoredSample): void {
    const { t, d, code, value } = sample;
    const good = qualityOf(code) === 'good';
    this.#statements.latest.run(point, t, d, code, value, good ? t : null, good ? value : null);
  }

  #keepGood(point: number, samples: readonly StoredSample[]): void {
    const good = samples.findLast((sample) => qualityOf(sample.code) === 'good');
    if (good !== undefined) this.#statements.latestGood.run(good.t, good.value, point, good.t);
  }
}

/** Bounds background work: a transaction maker, and a clock for one turn. */
export interface Slice {
  transaction(work: () => void): void;
  turn(): { over(): boolean };
}

function sorted(groups: Map<number, StoredSample[]>): [number, StoredSample[]][] {
  return [...groups].sort((a, b) => a[0] - b[0]);
}

function prepare(db: Db) {
  return {
    read: db.prepare<[number, number, number], HotRow>(
      'SELECT id, point, t, d, code, value FROM hot WHERE id > ? AND id <= ? ORDER BY id LIMIT ?',
    ),
    nth: db.prepare<[number, number], number>('SELECT id FROM hot WHERE id <= ? ORDER BY id LIMIT 1 OFFSET ?').pluck(),
    remove: db.prepare<[number]>('DELETE FROM hot WHERE id <= ?'),
    header: db.prepare<[number, ...HourColumns]>(
      'INSERT OR REPLACE INTO hour VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    ),
    hasBlock: db.prepare<[number], number>('SELECT 1 FROM block WHERE id = ?').pluck(),
    block: db.prepare<[number, Uint8Array]>('INSERT OR REPLACE INTO block VALUES (?, ?)'),
    latest: db.prepare<[number, number, number, number, number | string | null, number | null, number | string | null]>(
      `INSERT INTO latest VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (point) DO UPDATE SET
         t = excluded.t, d = excluded.d, code = excluded.code, value = excluded.value,
         good_t = coalesce(excluded.good_t, good_t),
         good_value = CASE WHEN excluded.good_t IS NULL THEN good_value ELSE excluded.good_value END
       WHERE excluded.t >= latest.t`,
    ),
    latestGood: db.prepare<[number, number | string | null, number, number]>(
      'UPDATE latest SET good_t = ?, good_value = ? WHERE point = ? AND coalesce(good_t, -1) < ?',
    ),
  };
}
