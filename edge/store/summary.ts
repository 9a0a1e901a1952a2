import type { Aggregate } from './batch.ts';
import type { SampleSource } from './blocks.ts';
import type { Db } from './database.ts';
import type { Outbox } from './outbox.ts';
import { blockKey, hourOf, pointSpan, type StoredPoint } from './points.ts';
import { Reissues } from './reissue.ts';
import type { Carry, RollupSample } from './rollup.ts';
import * as rollup from './rollup.ts';
import { inOrder, qualityOf, type StoredSample, toRollup } from './sample.ts';

const minute = 60_000;
/** Minutes closed by one call: a long absence is caught up over several. */
const mostMinutes = 120;

interface ArrivedSample extends StoredSample {
  readonly point: number;
}

/** Closes minutes into lane agg1m. Sits in the writer's thread, inside the caller's transaction. */
export class Summary {
  readonly #source: SampleSource;
  readonly #outbox: Outbox;
  readonly #startedAt: number;
  readonly #statements: ReturnType<typeof prepare>;
  readonly #reissues: Reissues;
  /** Counters whose past changed: what they carry is looked up anew. */
  readonly #dirty = new Set<number>();
  #upTo: number | null;
  #carries: Map<number, Carry> | null = null;

  constructor(db: Db, source: SampleSource, outbox: Outbox, startedAt: number) {
    this.#source = source;
    this.#outbox = outbox;
    this.#startedAt = startedAt;
    this.#statements = prepare(db);
    this.#reissues = new Reissues(db, source);
    this.#upTo = this.#statements.known.get() ?? null;
  }

  /** Minutes before this are closed; null before the first. */
  get upTo(): number | null {
    return this.#upTo;
  }

  /** What was kept in memory may not match the disk after a failed transaction. */
  forget(): void {
    this.#upTo = this.#statements.known.get() ?? null;
    this.#carries = null;
  }

  /**
   * One row for each whole minute before `upTo` (at most 120 a call) in which something is known; returns how many. A
   * minute in which this process did not run counts only if samples came for it afterwards: nobody watched it.
   */
  close(upTo: number, points: ReadonlyMap<number, StoredPoint>): number {
    return this.#closeMinutes(upTo, points) + this.#tellAgain(upTo, points);
  }

  /** The minutes of a counter from `from` on are told again, as history has them by then. */
  reissue(point: number, from: number, now: number): void {
    this.#dirty.add(point);
    if (this.#upTo !== null) this.#reissues.note(point, from, this.#upTo, now);
  }

  /** The same for a sample that came late, with a pause in which others may come. */
  reissueLate(point: number, from: number, now: number): void {
    this.#dirty.add(point);
    if (this.#upTo !== null) this.#reissues.noteLate(point, from, this.#upTo, now);
  }

  #tellAgain(now: number, points: ReadonlyMap<number, StoredPoint>): number {
    let written = 0;
    while (written < mostMinutes) {
      const taken = this.#reissues.take(now, points, mostMinutes - written);
      if (taken === null) break;
      const { point, minutes } = taken;
      for (const { t, rev, aggregate } of minutes) {
        const row = { ...tellable(point, aggregate), rev };
        this.#outbox.append('agg1m', t, JSON.stringify({ t, step: minute, points: [row] }));
      }
      written += minutes.length;
    }
    return written;
  }

  #closeMinutes(upTo: number, points: ReadonlyMap<number, StoredPoint>): number {
    const end = Math.floor(upTo / minute) * minute;
    const first = this.#upTo ?? this.#firstMinute(end);
    if (first === null || first >= end) return 0;
    const last = this.#skipAbsence(first, end);
    const samples = this.#samples(last.from, last.to);
    const carries = this.#carriesAt(last.from, points);
    let written = 0;
    for (let t = last.from; t < last.to; t += minute) written += this.#closeMinute(t, points, samples, carries);
    this.#statements.note.run(last.to);
    this.#upTo = last.to;
    return written;
  }

  /**
   * The minute that runs now, as far as it went, so that the city need not wait for a campus that has just started. It
   * comes again, whole, when it is closed, and then replaces this. Nothing is noted; returns rows written (0 or 1).
   */
  preview(now: number, points: ReadonlyMap<number, StoredPoint>): number {
    const t = Math.floor(now / minute) * minute;
    if ((this.#upTo ?? this.#firstMinute(t) ?? t) !== t) return 0;
    const carries = new Map(this.#carriesAt(t, points));
    return this.#closeMinute(t, points, this.#samples(t, now), carries, now);
  }

  #firstMinute(end: number): number | null {
    const t = this.#statements.oldestHot.get(end - mostMinutes * minute) ?? null;
    return t === null ? null : Math.floor(t / minute) * minute;
  }

  /** The stretch to close now. What nobody watched, and nobody sent later, is jumped over. */
  #skipAbsence(first: number, end: number): { from: number; to: number } {
    let from = first;
    const started = Math.floor(this.#startedAt / minute) * minute;
    if (from < started) {
      const heard = this.#statements.oldestHot.get(from) ?? this.#startedAt;
      const sealed = this.#statements.oldestSealed.get(from, blockKey(hourOf(from), 0), from) ?? this.#startedAt;
      from = Math.max(from, Math.min(started, Math.floor(Math.min(heard, sealed) / minute) * minute));
    }
    return { from, to: Math.min(end, from + mostMinutes * minute) };
  }

  #closeMinute(
    t: number,
    points: ReadonlyMap<number, StoredPoint>,
    samples: ReadonlyMap<number, RollupSample[]>,
    carries: Map<number, Carry>,
    end = t + minute,
  ): number {
    const rows: object[] = [];
    let heard = 0;
    for (const point of points.values()) {
      if (point.type === 'text' || !point.kept || point.raw) continue;
      const all = samples.get(point.id) ?? [];
      const inside = all.slice(rollup.lowerBound(all, t), rollup.lowerBound(all, end));
      const carry = carries.get(point.id) ?? rollup.nothingCarried;
      const part = rollup.enter(rollup.measure(inside, end, point.rule), t, end, carry, point.rule);
      carries.set(point.id, rollup.leave(part, carry));
      if (part.count === 0 && part.goodMs === 0) continue;
      heard += part.count;
      rows.push(summaryRow(point, part));
    }
    const unwatched = end <= this.#startedAt && heard === 0;
    if (rows.length === 0 || unwatched) return 0;
    this.#outbox.append('agg1m', t, JSON.stringify({ t, step: minute, points: rows }));
    return 1;
  }

  #samples(from: number, to: number): Map<number, RollupSample[]> {
    const arrived = new Map<number, StoredSample[]>();
    const add = (sample: ArrivedSample) => {
      const list = arrived.get(sample.point);
      if (list === undefined) arrived.set(sample.point, [sample]);
      else list.push(sample);
    };
    // Folding waits for the minutes to be closed, so that blocks have something to say only after a long backlog.
    for (const key of this.#statements.sealed.all(blockKey(hourOf(from), 0), blockKey(hourOf(to) + 1, 0), from)) {
      const point = key % pointSpan;
      const block = this.#source.block(point, Math.floor(key / pointSpan));
      for (const sample of block) if (sample.t >= from && sample.t < to) add({ ...sample, point });
    }
    for (const sample of this.#statements.hot.iterate(from, to)) add(sample);
    return new Map([...arrived].map(([point, list]) => [point, inOrder(list).map(toRollup)]));
  }

  /**
   * What each point carries into `from`. A late sample of a closed minute counts as the value held since, but a counter
   * rises from the last value that was reported: what a late sample adds is in the next minute's rise, not nowhere.
   */
  #carriesAt(from: number, points: ReadonlyMap<number, StoredPoint>): Map<number, Carry> {
    const carries = this.#carries ?? this.#firstCarries(from, points);
    const newest = new Map<number, RollupSample>();
    for (const sample of this.#statements.hot.iterate(0, from)) {
      const known = newest.get(sample.point) ?? carries.get(sample.point)?.tail ?? null;
      if (known === null || sample.t >= known.t) newest.set(sample.point, toRollup(sample));
    }
    for (const [point, tail] of newest) {
      carries.set(point, { tail, lastGood: carries.get(point)?.lastGood ?? null });
    }
    for (const id of this.#dirty) {
      const point = points.get(id);
      if (point !== undefined) carries.set(id, this.#reissues.carryAt(point, from));
    }
    this.#dirty.clear();
    this.#carries = carries;
    return carries;
  }

  #firstCarries(from: number, points: ReadonlyMap<number, StoredPoint>): Map<number, Carry> {
    const carries = new Map<number, Carry>();
    const goodAt = new Map<number, number>();
    for (const row of this.#statements.latest.iterate(from)) {
      carries.set(row.point, { tail: toRollup(row), lastGood: typeof row.good === 'number' ? row.good : null });
      goodAt.set(row.point, row.goodT ?? -1);
    }
    for (const sample of this.#statements.hot.iterate(0, from)) {
      if (qualityOf(sample.code) !== 'good' || typeof sample.value !== 'number') continue;
      if (sample.t < (goodAt.get(sample.point) ?? -1)) continue;
      goodAt.set(sample.point, sample.t);
      carries.set(sample.point, { tail: carries.get(sample.point)?.tail ?? null, lastGood: sample.value });
    }
    for (const id of carries.keys()) if (!points.has(id)) carries.delete(id);
    // Folded beyond what the city knows: a long backlog, and a clock that was set back.
    for (const id of this.#statements.latestAfter.all(from)) {
      const point = points.get(id);
      if (point !== undefined) carries.set(id, this.#reissues.carryAt(point, from));
    }
    return carries;
  }
}

/** Nine digits are more than any meter has, and spare the wire the noise of the division. */
const rounded = (value: number | null) => (value === null ? null : Number(value.toPrecision(9)));

function summaryRow(point: StoredPoint, part: rollup.Part): object {
  return tellable(point, rollup.toAggregate(0, part));
}

function tellable(point: StoredPoint, aggregate: Aggregate): object {
  const { t: _, mean, delta, ...rest } = aggregate;
  return { ref: point.ref, unit: point.unit, ...rest, mean: rounded(mean), delta: rounded(delta) };
}

function prepare(db: Db) {
  return {
    known: db.prepare<[], number>("SELECT value FROM meta WHERE key = 'summarised'").pluck(),
    note: db.prepare<[number]>("INSERT OR REPLACE INTO meta VALUES ('summarised', ?)"),
    oldestHot: db.prepare<[number], number | null>('SELECT min(t) FROM hot WHERE t >= ?').pluck(),
    oldestSealed: db
      .prepare<[number, number, number], number | null>(
        'SELECT min(max(first_t, ?)) FROM hour WHERE id >= ? AND tail_t >= ?',
      )
      .pluck(),
    sealed: db
      .prepare<[number, number, number], number>('SELECT id FROM hour WHERE id >= ? AND id < ? AND tail_t >= ?')
      .pluck(),
    hot: db.prepare<[number, number], ArrivedSample>(
      'SELECT point, t, d, code, value FROM hot WHERE t >= ? AND t < ? ORDER BY id',
    ),
    latestAfter: db.prepare<[number], number>('SELECT point FROM latest WHERE t >= ?').pluck(),
    latest: db.prepare<
      [number],
      ArrivedSample & { readonly goodT: number | null; readonly good: number | string | null }
    >('SELECT point, t, d, code, value, good_t AS goodT, good_value AS good FROM latest WHERE t < ?'),
  };
}
