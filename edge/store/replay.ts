import type { DeviceId, PointName, PointRef } from '#edge/domain/ids.ts';
import { splitPointRef } from '#edge/domain/ids.ts';
import type { Quality, Reading, Reason, Value } from '#edge/domain/reading.ts';
import { sampleSource } from './blocks.ts';
import type { Columns, Values } from './codec.ts';
import { openReadOnly, storeError } from './database.ts';
import { hourMs, hourOf, pointFinder, type StoredPoint } from './points.ts';
import { isKept, kindOf, qualityOf, reasonOf, type StoredSample } from './sample.ts';

/*
 * The past as core heard it: the samples of many points in the order of their received times, hour by hour, without an object a
 * sample. A month of 2,000 points is a hundred million samples of which few can change a verdict: `classOf` says which are looked
 * at one by one; all the others are still there to be asked for.
 */

/**
 * What kind of news a sample is to whoever replays: only where it differs from the one before is it told. `value` is null where
 * there is none; booleans are booleans.
 */
export type Classify = (value: Value | null, quality: Quality, reason: Reason | undefined) => number;

export interface ReplayPoint {
  readonly ref: PointRef;
  /** null: every sample is told. */
  readonly classOf: Classify | null;
  /** Between two numbers of one class every number is of it: then an hour whose lowest and highest are alike is not even decoded. */
  readonly isOrdered?: boolean;
}

/** One hour (or what of it lies in the window). Valid until the next one is asked for. */
export interface ReplayHour {
  readonly from: number;
  readonly to: number;
  /** Samples in it, told or not. */
  readonly samples: number;
  /** Told samples, ascending in time; of one time in the order of the points. */
  readonly count: number;
  readonly times: Float64Array;
  /** Index of the point. */
  readonly points: Int32Array;
  /** What was known of a point at a time within the hour; undefined before its first sample. */
  at(point: number, time: number): Reading | undefined;
}

export interface Damage {
  readonly ref: PointRef;
  readonly hour: number;
}

export interface Replay extends Disposable {
  /** Points of which nothing was ever stored. */
  readonly unknown: readonly PointRef[];
  /** Hours whose samples cannot be read; the rest goes on. Grows while one reads; at most 1,000. */
  readonly damaged: readonly Damage[];
  hours(from: number, to: number): Iterable<ReplayHour>;
}

const mostDamages = 1_000;
/** Older than what is known and later than this, a sample is history that core stored and did not judge (ingest), ms. */
const lateAfter = 10_000;
/** How far back the last value before the window is looked for, hours. */
const reachHours = 31 * 24;

/** Opens the database of a data folder beside whoever writes it. Throws STORE_NOT_READY, STORE_NEWER, STORE_IO, STORE_CORRUPT. */
export function openReplay(folder: string, points: readonly ReplayPoint[]): Replay {
  const db = openReadOnly(folder);
  try {
    db.pragma('cache_size = -16000');
    const damaged: Damage[] = [];
    const find = pointFinder(db);
    const stored = points.map(({ ref }) => find(ref));
    const refOf = new Map(stored.flatMap((point, i) => (point === null ? [] : [[point.id, points[i]?.ref] as const])));
    const source = sampleSource(db, (id, hour) => {
      const ref = refOf.get(id);
      if (ref !== undefined && damaged.length < mostDamages) damaged.push({ ref, hour: hour * hourMs });
    });
    const tracks = points.map((point, i) => new Track(point, stored[i] ?? null));
    return {
      unknown: points.flatMap(({ ref }, i) => (stored[i] === null ? [ref] : [])),
      damaged,
      hours: (from, to) => readHours(tracks, from, to),
      [Symbol.dispose]: () => db.close(),
    };

    function* readHours(all: readonly Track[], from: number, to: number): Iterable<ReplayHour> {
      // One short read a slice: a long one would keep the writer's log from being folded.
      db.transaction(() => {
        for (const track of all) track.begin(source, from, to);
      }).deferred();
      for (let hour = hourOf(from); hour * hourMs < to; hour++) {
        const span = { from: Math.max(from, hour * hourMs), to: Math.min(to, (hour + 1) * hourMs) };
        const isWhole = span.to - span.from === hourMs;
        db.transaction(() => {
          const headers = isWhole ? source.headers(hour) : new Map<number, never>();
          for (const track of all) track.load(source, hour, span, headers);
        }).deferred();
        yield merged(all, span.from, span.to);
      }
    }
  } catch (error) {
    db.close();
    throw storeError(error, 'the past cannot be replayed');
  }
}

type Source = ReturnType<typeof sampleSource>;
type Header = NonNullable<ReturnType<ReturnType<Source['headers']>['get']>>;

interface Span {
  readonly from: number;
  readonly to: number;
}

const none: readonly StoredSample[] = [];

/** One point's samples of an hour, by the time at which they were heard. */
class Track {
  readonly #point: ReplayPoint;
  readonly #stored: StoredPoint | null;
  readonly #names: { readonly device: DeviceId; readonly point: PointName };
  #hot: readonly StoredSample[] = [];
  /** Heard after the hour in which they lie. */
  #spilled: StoredSample[] = [];
  /** The newest before the hour. */
  #last: StoredSample | null = null;
  #class: number | null = null;
  heard = new Float64Array(0);
  #other = new Float64Array(0);
  #codes = new Uint16Array(0);
  #values: (number | string | null)[] | Float64Array = new Float64Array(0);
  /** An hour that could tell nothing: decoded only if somebody asks what was known. */
  #passed: { readonly load: () => void; readonly tail: Header } | null = null;
  count = 0;
  /** Indices of the told ones. */
  told = new Int32Array(0);
  toldCount = 0;

  constructor(point: ReplayPoint, stored: StoredPoint | null) {
    this.#point = point;
    this.#stored = stored;
    this.#names = splitPointRef(point.ref) ?? { device: '' as DeviceId, point: '' as PointName };
  }

  begin(source: Source, from: number, to: number): void {
    this.#spilled = [];
    this.#last = null;
    this.#class = null;
    if (this.#stored === null) return;
    const { id } = this.#stored;
    this.#hot = source.hot(id, to);
    const hour = hourOf(from);
    const before = [...source.block(id, hour), ...this.#hot].filter((sample) => heardAt(sample) < from);
    if (before.length === 0) {
      const header = source.headerBefore(id, hour, reachHours);
      if (header !== null) before.push(...source.block(id, header.hour).filter((sample) => heardAt(sample) < from));
    }
    for (const sample of before) {
      if (this.#last === null || heardAt(sample) >= heardAt(this.#last)) this.#last = sample;
    }
    if (this.#last !== null) this.#class = this.#classOf(this.#last.value, this.#last.code);
  }

  load(source: Source, hour: number, { from, to }: Span, headers: ReturnType<Source['headers']>): void {
    this.#keepLast();
    this.count = 0;
    this.toldCount = 0;
    this.#passed = null;
    if (this.#stored === null) return;
    const hot = this.#hot.length === 0 ? none : this.#hot.filter(({ t }) => hourOf(t) === hour);
    const header = headers.get(this.#stored.id);
    if (header !== undefined && hot.length === 0 && this.#spilled.length === 0 && this.#isOneClass(header, to)) {
      this.count = header.part.count;
      this.#passed = { load: () => this.#decode(source, hour, from, to, none), tail: header };
      return;
    }
    this.#decode(source, hour, from, to, hot);
  }

  #decode(source: Source, hour: number, from: number, to: number, hot: readonly StoredSample[]): void {
    if (this.#stored === null) return;
    this.toldCount = 0;
    const columns = source.columns(this.#stored.id, hour);
    if (hot.length === 0 && this.#spilled.length === 0 && columns !== null && this.#copy(columns, from, to)) return;
    const sealed = columns === null ? [] : source.block(this.#stored.id, hour);
    this.#take([...this.#spilled, ...sealed, ...hot], from, to);
  }

  /**
   * Whether every sample of an hour is of the class that the point already has: good from its first sample on without a moment's
   * break, and from the lowest to the highest on the same side of everything.
   */
  #isOneClass({ part, tailCode }: Header, to: number): boolean {
    const { min, max, goodMs, firstT } = part;
    if (this.#class === null || min === null || max === null || goodMs !== to - (firstT ?? to)) return false;
    if (min !== max && this.#point.isOrdered !== true) return false;
    return this.#classOf(min, tailCode) === this.#class && this.#classOf(max, tailCode) === this.#class;
  }

  /** The usual case, without an object a sample: ascending, heard within the hour. False where it is not so. */
  #copy({ count, times, distances, codes, values }: Columns, from: number, to: number): boolean {
    this.#room(count, values);
    let at = 0;
    let i = 0;
    let newest = this.#last === null ? Number.NEGATIVE_INFINITY : sourceOf(this.#last);
    let before = Number.NEGATIVE_INFINITY;
    for (const { code, end } of codes) {
      const kept = isKept(qualityOf(code), reasonOf(code));
      for (; i < end; i++) {
        const t = times[i] ?? 0;
        const other = t + (distances[i] ?? 0);
        const heard = kept ? t : other;
        const source = kept ? other : t;
        if (heard < before || heard >= (hourOf(t) + 1) * hourMs) return false;
        before = heard;
        if (heard < from || heard >= to || (!kept && heard - source > lateAfter && source < newest)) continue;
        newest = Math.max(newest, source);
        this.#put(at++, heard, source, code, values[i] ?? null);
      }
    }
    this.count = at;
    this.#tell();
    return true;
  }

  #take(samples: readonly StoredSample[], from: number, to: number): void {
    this.#spilled = samples.filter((sample) => heardAt(sample) >= to);
    const inside = samples.filter((sample) => heardAt(sample) >= from && heardAt(sample) < to);
    inside.sort((a, b) => heardAt(a) - heardAt(b) || a.t - b.t);
    this.#room(inside.length, []);
    let newest = this.#last === null ? Number.NEGATIVE_INFINITY : sourceOf(this.#last);
    let at = 0;
    for (const sample of inside) {
      const [heard, source] = [heardAt(sample), sourceOf(sample)];
      if (heard === sample.t + sample.d && heard - source > lateAfter && source < newest) continue;
      newest = Math.max(newest, source);
      this.#put(at++, heard, source, sample.code, sample.value);
    }
    this.count = at;
    this.#tell();
  }

  #room(count: number, values: Values): void {
    if (this.heard.length < count) {
      const size = Math.max(64, 2 ** Math.ceil(Math.log2(count)));
      this.heard = new Float64Array(size);
      this.#other = new Float64Array(size);
      this.#codes = new Uint16Array(size);
      this.told = new Int32Array(size);
    }
    const isTyped = values instanceof Float64Array || values instanceof Float32Array;
    if (!isTyped) this.#values = new Array<number | string | null>(count).fill(null);
    else if (!(this.#values instanceof Float64Array) || this.#values.length < count) {
      this.#values = new Float64Array(this.heard.length);
    }
  }

  #put(at: number, heard: number, source: number, code: number, value: number | string | null): void {
    this.heard[at] = heard;
    this.#other[at] = source;
    this.#codes[at] = code;
    if (this.#values instanceof Float64Array) this.#values[at] = typeof value === 'number' ? value : Number.NaN;
    else this.#values[at] = value;
  }

  #tell(): void {
    const { classOf } = this.#point;
    let known = this.#class;
    for (let i = 0; i < this.count; i++) {
      const kind = classOf === null ? null : this.#classOf(this.#values[i] ?? null, this.#codes[i] ?? 0);
      if (kind !== null && kind === known) continue;
      known = kind;
      this.told[this.toldCount++] = i;
    }
    this.#class = known;
  }

  #classOf(value: number | string | null, code: number): number | null {
    return this.#point.classOf?.(plain(value, code), qualityOf(code), reasonOf(code)) ?? null;
  }

  /** Before the next hour takes the columns. */
  #keepLast(): void {
    const tail = this.#passed?.tail.part.tail;
    if (this.#passed !== null && tail) {
      const { tailCode } = this.#passed.tail;
      this.#last = { t: tail.t, d: 0, code: tailCode, value: tail.value };
      return;
    }
    const i = this.count - 1;
    if (i < 0) return;
    const [heard, source, code] = [this.heard[i] ?? 0, this.#other[i] ?? 0, this.#codes[i] ?? 0];
    const kept = isKept(qualityOf(code), reasonOf(code));
    const t = kept ? heard : source;
    this.#last = { t, d: (kept ? source : heard) - t, code, value: this.#values[i] ?? null };
  }

  at(time: number): Reading | undefined {
    if (this.#passed !== null) {
      const { load } = this.#passed;
      this.#passed = null;
      load();
    }
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.heard[middle] ?? 0) <= time) low = middle + 1;
      else high = middle;
    }
    const i = low - 1;
    if (i >= 0) {
      return this.#reading(this.heard[i] ?? 0, this.#other[i] ?? 0, this.#codes[i] ?? 0, this.#values[i] ?? null);
    }
    const last = this.#last;
    return last === null ? undefined : this.#reading(heardAt(last), sourceOf(last), last.code, last.value);
  }

  #reading(receivedTime: number, sourceTime: number, code: number, value: number | string | null): Reading {
    const reason = reasonOf(code);
    return {
      ref: this.#point.ref,
      ...this.#names,
      value: plain(value, code),
      unit: this.#stored?.unit ?? '',
      quality: qualityOf(code),
      ...(reason === undefined ? {} : { reason }),
      sourceTime,
      receivedTime,
    };
  }
}

function plain(value: number | string | null, code: number): Value | null {
  const kind = kindOf(code);
  if (kind === 'none') return null;
  return kind === 'boolean' ? value === 1 : value;
}

function heardAt({ t, d, code }: StoredSample): number {
  return isKept(qualityOf(code), reasonOf(code)) ? t : t + d;
}

function sourceOf({ t, d, code }: StoredSample): number {
  return isKept(qualityOf(code), reasonOf(code)) ? t + d : t;
}

function merged(tracks: readonly Track[], from: number, to: number): ReplayHour {
  let [count, samples] = [0, 0];
  for (const track of tracks) {
    count += track.toldCount;
    samples += track.count;
  }
  const keys = new Float64Array(count);
  const entryTimes = new Float64Array(count);
  const entryPoints = new Int32Array(count);
  let n = 0;
  tracks.forEach((track, point) => {
    for (let i = 0; i < track.toldCount; i++) {
      entryTimes[n] = track.heard[track.told[i] ?? 0] ?? 0;
      entryPoints[n] = point;
      // Within an hour a ms and an entry's number fit a double's 53 bits: one numeric sort, and ties keep their order.
      keys[n] = ((entryTimes[n] ?? 0) - from) * 2 ** 30 + n;
      n++;
    }
  });
  keys.sort();
  const times = new Float64Array(count);
  const points = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const entry = (keys[i] ?? 0) % 2 ** 30;
    times[i] = entryTimes[entry] ?? 0;
    points[i] = entryPoints[entry] ?? 0;
  }
  return { from, to, samples, count, times, points, at: (point, time) => tracks[point]?.at(time) };
}
