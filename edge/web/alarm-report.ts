import type { z } from 'zod';
import type { Alarm } from '#edge/domain/alarm.ts';
import type { Name } from '#edge/domain/place.ts';
import type { alarmReportSchema } from './rule-schemas.ts';

/*
 * Figures of ISA-18.2 section 16 and EEMUA 191: how many alarms people were given, which sources are the worst, what chatters, what
 * stands, how fast somebody saw them. Pure, and in bounded memory: alarms are fed one by one, latest raised first.
 */

export type AlarmReport = z.infer<typeof alarmReportSchema>;

/** EEMUA 191: one alarm in 10 min is what a person can manage for long, more than ten are a flood. */
export const target = 1;
export const flood = 10;
export const spanMs = 600_000;
/** So many comings within 10 min are chattering. */
const chatters = 3;
/** ISA-18.2: an alarm that stands for a day is not one that anybody acts on. */
export const standsFor = 86_400_000;
const mostTop = 10;
const mostListed = 100;
/** Spans of the curve: 10 min, an hour, or six, so that it has at most about 2,000. */
const buckets = [spanMs, 3_600_000, 21_600_000] as const;
const mostBuckets = 2_000;
/** Sources come from the configuration; what flows make up beyond that is counted, but is nobody's share. */
const mostSources = 5_000;
/** More within 10 min make no difference to anybody. */
const mostComings = 1_000;

interface SourceFigures {
  /** Of the latest. */
  readonly message: Name;
  readonly last: number;
  count: number;
  worst: number;
  /** Comings within 10 min of the earliest one so far, descending. */
  lately: number[];
}

/** `from` <= raised < `to`, ms since epoch. */
export class AlarmFigures {
  readonly #to: number;
  #from: number;
  #first: number;
  #spans: Int32Array;
  readonly #sources = new Map<string, SourceFigures>();
  readonly #byClass: Record<Alarm['class'], number> = { critical: 0, high: 0, medium: 0, low: 0 };
  readonly #waits: number[] = [];
  #shown = 0;
  #suppressed = 0;
  #comings = 0;
  #never = 0;

  constructor(from: number, to: number) {
    this.#from = from;
    this.#to = to;
    this.#first = Math.floor(from / spanMs);
    this.#spans = new Int32Array(Math.max(1, Math.ceil(to / spanMs) - this.#first));
  }

  /** There are more than can be counted: nothing raised before this time is, so the report begins there. */
  begin(from: number): void {
    const first = Math.floor(from / spanMs);
    this.#spans = this.#spans.subarray(first - this.#first);
    this.#first = first;
    this.#from = from;
  }

  add(alarm: Alarm): void {
    // Nobody was given what was hidden behind its cause.
    if (alarm.suppressedBy !== undefined) {
      this.#suppressed++;
      return;
    }
    this.#shown++;
    const span = Math.floor(alarm.raised / spanMs) - this.#first;
    this.#spans[span] = (this.#spans[span] ?? 0) + 1;
    this.#byClass[alarm.class]++;
    if (alarm.acknowledged === undefined) this.#never++;
    else this.#waits.push(Math.max(0, alarm.acknowledged.time - waitsSince(alarm)));
    this.#comings += Math.max(1, alarm.count);
    this.#addSource(alarm);
  }

  #addSource(alarm: Alarm): void {
    const { source, message, raised, came = raised, count } = alarm;
    let known = this.#sources.get(source);
    if (known === undefined) {
      if (this.#sources.size >= mostSources) return;
      known = { message, last: came, count: 0, worst: 0, lately: [] };
      this.#sources.set(source, known);
    }
    known.count += Math.max(1, count);
    for (const time of came > raised ? [came, raised] : [raised]) come(known, time);
    known.worst = Math.max(known.worst, atLeastInASpan(alarm));
  }

  /** `open`: alarms that are open now, whenever they were raised. */
  report(open: readonly Alarm[], now: number): AlarmReport {
    const sources = [...this.#sources].map(([source, figures]) => ({ source, ...figures }));
    const shelf = open.filter(({ shelved }) => shelved !== undefined);
    return {
      from: this.#from,
      to: this.#to,
      total: this.#shown + this.#suppressed,
      rate: this.#rate(),
      ...this.#curve(),
      byClass: { ...this.#byClass },
      acknowledge: { ...quantiles(this.#waits), never: this.#never },
      top: sources
        .sort((a, b) => b.count - a.count || compare(a.source, b.source))
        .slice(0, mostTop)
        .map(({ source, message, count }) => ({ source, message, count, share: count / Math.max(1, this.#comings) })),
      chattering: sources
        .filter(({ worst }) => worst >= chatters)
        .sort((a, b) => b.worst - a.worst || b.count - a.count || compare(a.source, b.source))
        .slice(0, mostListed)
        .map(({ source, message, count, worst, last }) => ({ source, message, count, worst, last })),
      standing: open
        .filter((alarm) => alarm.active && alarm.suppressedBy === undefined && now - alarm.raised > standsFor)
        .sort((a, b) => a.raised - b.raised || compare(a.id, b.id))
        .slice(0, mostListed)
        .map(({ id, source, message, raised }) => ({ id, source, message, raised })),
      shelved: shelf.length,
      shelf: shelf
        .sort((a, b) => a.raised - b.raised || compare(a.id, b.id))
        .slice(0, mostListed)
        .flatMap(({ id, source, message, shelved }) =>
          shelved === undefined ? [] : [{ id, source, message, ...shelved }],
        ),
      suppressed: this.#suppressed,
    };
  }

  #rate(): AlarmReport['rate'] {
    const spans = this.#spans;
    const share = (above: number) => spans.reduce((sum, count) => sum + (count > above ? 1 : 0), 0) / spans.length;
    const mean = this.#shown / Math.max(1, (this.#to - this.#from) / spanMs);
    const worst = spans.reduce((most, count) => Math.max(most, count), 0);
    return { target, mean, worst, over: share(target), flood: share(flood) };
  }

  #curve(): Pick<AlarmReport, 'bucket' | 'counts'> {
    const length = this.#to - this.#from;
    const bucket = buckets.find((size) => length / size <= mostBuckets) ?? buckets[2];
    const counts = new Map<number, number>();
    for (const [i, count] of this.#spans.entries()) {
      const t = Math.floor(((this.#first + i) * spanMs) / bucket) * bucket;
      counts.set(t, (counts.get(t) ?? 0) + count);
    }
    return { bucket, counts: [...counts].map(([t, count]) => ({ t, count })) };
  }
}

/** Since when a person could have seen it. */
function waitsSince({ raised, shown = raised }: Alarm): number {
  return Math.max(raised, shown);
}

/** One more coming, earlier than those before. */
function come(known: SourceFigures, time: number): void {
  while ((known.lately[0] ?? time) - time >= spanMs) known.lately.shift();
  if (known.lately.length < mostComings) known.lately.push(time);
  known.worst = Math.max(known.worst, known.lately.length);
}

/** When it came in between is not known, but some 10 min must have held so many: n things in k boxes. */
function atLeastInASpan({ raised, came = raised, count }: Alarm): number {
  return Math.ceil(count / Math.ceil((Math.max(came, raised) - raised + 1) / spanMs));
}

/** Nearest rank. */
function quantiles(waits: readonly number[]): { readonly median: number | null; readonly p90: number | null } {
  const sorted = Float64Array.from(waits).sort();
  const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? null;
  return { median: at(0.5), p90: at(0.9) };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
