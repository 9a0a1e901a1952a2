import type { Span } from '#edge/energy/local-days.ts';
import type { Bucket } from '#edge/energy/rises.ts';
import { packed, type Series, unpacked, upTo } from './energy-series.ts';

/*
 * What the thread that adds up remembers between two answers of days that are long over: a page about a month asks for the same hours
 * as the one about its last week. For ten minutes only, because samples may come late, and not past a decision about a counter.
 */

/** What is younger is read anew each time, ms. */
const youngest = 2 * 86_400_000;
const keepMs = 10 * 60_000;
/** Of all counters together: some 10 MB. */
const mostBuckets = 400_000;
/** What a series costs besides, in buckets. */
const overhead = 20;
const quarter = 900_000;

export class RisesPast {
  readonly #known = new Map<string, Series & { readonly until: number }>();
  #buckets = 0;
  #edition = '';
  #now = 0;

  /** Before each answer. `edition` changes with what people decide about counters. */
  begin(now: number, edition: string): void {
    // A clock that was put back: nobody knows how old all this is.
    if (edition !== this.#edition || now < this.#now) this.#forget();
    this.#edition = edition;
    this.#now = now;
  }

  /** What is known from the beginning of the span on, or from before it, up to its end or less; null: nothing. */
  find(key: string, { from, to }: Span): Series | null {
    const known = this.#known.get(key);
    if (known === undefined || known.until <= this.#now || known.from > from || known.to <= from) return null;
    return known.to <= to ? known : upTo(known, to);
  }

  /** Up to what was heard last of the days that are over: what a silence leaves open is not known yet. */
  keep(key: string, series: Series): void {
    const { from, first, size, amounts } = series;
    const before = this.#known.get(key);
    const oldest = this.#now - youngest;
    let to = Math.min(series.to, Math.floor((oldest - first) / size) * size + first);
    while (to > from && Number.isNaN(amounts[(to - first) / size - 1] ?? Number.NaN)) to -= size;
    const isFresh = before !== undefined && before.until > this.#now;
    if (to <= from || (isFresh && before.from <= from && before.to >= to)) return;
    // What it is made of may be as old as what was known before.
    this.#put(key, upTo(series, to), isFresh ? before.until : this.#now + keepMs);
  }

  /** The quarters of one hour, read where they are not known. */
  hour(counter: string, hour: number, read: () => readonly Bucket[]): readonly Bucket[] {
    if (hour + 4 * quarter > this.#now - youngest) return read();
    const key = `${counter} ${hour}`;
    const known = this.#known.get(key);
    const span = { from: hour, to: hour + 4 * quarter };
    if (known !== undefined && known.until > this.#now) return unpacked(known, span);
    const buckets = read();
    this.#put(key, packed(span, hour, quarter, buckets), this.#now + keepMs);
    return buckets;
  }

  #put(key: string, series: Series, until: number): void {
    this.#drop(key);
    const size = series.amounts.length + overhead;
    if (this.#buckets + size > mostBuckets) this.#dropOld();
    if (this.#buckets + size > mostBuckets) return;
    this.#buckets += size;
    this.#known.set(key, { ...series, until });
  }

  #dropOld(): void {
    for (const [key, { until }] of this.#known) if (until <= this.#now) this.#drop(key);
  }

  #drop(key: string): void {
    const known = this.#known.get(key);
    if (known === undefined) return;
    this.#buckets -= known.amounts.length + overhead;
    this.#known.delete(key);
  }

  #forget(): void {
    this.#known.clear();
    this.#buckets = 0;
  }
}
