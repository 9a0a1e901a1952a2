import type { Span } from '#edge/energy/local-days.ts';
import type { Bucket } from '#edge/energy/rises.ts';

/*
 * What the thread that adds up remembers between two answers of days that are long over: a page about a month asks for the same hours
 * as the one about its last week. For ten minutes only, because samples may come late, and not past a decision about a counter.
 */

interface Series extends Span {
  readonly buckets: readonly Bucket[];
}

/** What is younger is read anew each time, ms. */
const youngest = 2 * 86_400_000;
const keepMs = 10 * 60_000;
/** Of all counters together: some 40 MB. */
const mostBuckets = 400_000;

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
    return known.to <= to ? known : { ...known, to, buckets: known.buckets.filter((bucket) => bucket.from < to) };
  }

  /** Up to what was heard last of the days that are over: what a silence leaves open is not known yet. */
  keep(key: string, { from, buckets }: Series, size: number): void {
    const before = this.#known.get(key);
    const oldest = this.#now - youngest;
    let end = buckets.length;
    while (end > 0 && ((buckets[end - 1]?.to ?? 0) > oldest || buckets[end - 1]?.amount === null)) end--;
    const isFresh = before !== undefined && before.until > this.#now;
    if (end === 0 || (isFresh && before.from <= from && before.to >= from + end * size)) return;
    if (this.#buckets + end > mostBuckets) this.#forget();
    this.#buckets += end - (this.#known.get(key)?.buckets.length ?? 0);
    // What it is made of may be as old as what was known before.
    const until = isFresh ? before.until : this.#now + keepMs;
    this.#known.set(key, { from, to: from + end * size, buckets: buckets.slice(0, end), until });
  }

  #forget(): void {
    this.#known.clear();
    this.#buckets = 0;
  }
}
