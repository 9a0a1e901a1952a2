import type { EnergyMeter, EnergyPlan } from '#edge/domain/energy.ts';
import type { MeasuredPowerFactor } from '#edge/energy/judge-day.ts';
import type { Span } from '#edge/energy/local-days.ts';
import type { QuartersIn } from '#edge/energy/priced.ts';
import {
  type Bucket,
  fromAggregates,
  type Rises,
  type Step,
  spreadLate,
  steps,
  totalOf,
  within,
} from '#edge/energy/rises.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import type { Aggregate, Reader } from '#edge/store/reader.ts';
import type { RisesPast } from './energy-past.ts';
import { joined, packed, type Series, unpacked } from './energy-series.ts';

/* What the store knows, as the room of energy asks for it. */

type Real = Extract<EnergyMeter['source'], { kind: 'real' }>;
type Counter = Real['energy'];

const day = 86_400_000;
const mostBuckets = 20_000;
/** As far as the store itself looks back for what a counter showed last: a rise never comes from further away. */
const longestSilence = 32 * day;

/**
 * Amounts of the plan's real meters. Each stretch is read once: made for one answer, and forgotten with it. A span that ends within a
 * bucket has only that part of it, so that a day so far can be compared with the same part of another. What was counted during a
 * silence is spread over it, wherever the span begins in it. A meter whose samples are damaged is not known, and hides no other.
 * `likely`: what will be asked for by the hour, so that it is read at once. `past`: what answers before this one read of days long
 * over. Throws what the reader throws (STORE_NOT_READY).
 */
export function risesOf(
  reader: Pick<Reader, 'history'>,
  plan: EnergyPlan,
  likely: Span | null = null,
  past: RisesPast | null = null,
): Rises {
  const counters = countersOf(plan);
  return createRises({ reader, past }, (id) => counters.get(id), likely);
}

/** The same of one counter. Made for one answer, too. */
export function risesOfCounter(
  reader: Pick<Reader, 'history'>,
  counter: Counter,
): (span: Span, step: Step) => readonly Bucket[] {
  const rises = createRises({ reader, past: null }, () => counter);
  return (span, step) => rises('', span, step);
}

interface From {
  readonly reader: Pick<Reader, 'history'>;
  readonly past: RisesPast | null;
}

function createRises(from: From, counterOf: (id: string) => Counter | undefined, likely: Span | null = null): Rises {
  const known = new Map<string, Series>();
  return (id, span, step) => {
    const counter = counterOf(id);
    if (counter === undefined || span.to <= span.from) return [];
    const size = steps[step];
    const first = Math.ceil(span.from / size) * size;
    const whole = Math.max(first, Math.floor(span.to / size) * size);
    const key = `${id} ${step}`;
    const wanted = { from: first, to: whole };
    const ahead = known.has(key) || step !== '1h' ? null : likely;
    const series = widened(from, counter, known.get(key), ahead === null ? wanted : around(wanted, ahead), step);
    known.set(key, series);
    const buckets = unpacked(series, wanted);
    if (whole >= span.to) return buckets;
    const part = partOf(from.reader, counter, { from: whole, to: span.to }, size);
    if (part.amount === null || buckets.at(-1)?.amount != null) return [...buckets, part];
    // It may end a silence that began long before it: then it has only its share of what was counted meanwhile.
    const silence = beforeSilence(from.reader, counter, series, step).filter((bucket) => bucket.from < whole);
    const spread = spreadLate([...silence, { ...part, to: span.to }]);
    return within(spread, span).map((bucket) => ({ ...bucket, to: bucket.from + size }));
  };
}

/** The quarters of single hours of real meters. */
export function quartersOf(
  reader: Pick<Reader, 'history'>,
  plan: EnergyPlan,
  past: RisesPast | null = null,
): QuartersIn {
  const counters = countersOf(plan);
  return (id, hour) => {
    const counter = counters.get(id);
    if (counter === undefined) return [];
    const span = { from: hour, to: hour + steps['1h'] };
    const read = () => {
      const told = aggregatesOf(reader, counter.ref, span.from, span.to, '15min');
      return fromAggregates(told, span, '15min', counter.factor);
    };
    return past === null ? read() : past.hour(`${counter.ref} ${counter.factor}`, hour, read);
  };
}

function countersOf({ meters }: EnergyPlan): ReadonlyMap<string, Counter> {
  return new Map(meters.flatMap(({ id, source }) => (source.kind === 'real' ? [[id, source.energy]] : [])));
}

/** Both, from whole hour to whole hour. */
function around(one: Span, other: Span): Span {
  const size = steps['1h'];
  return {
    from: Math.min(one.from, Math.ceil(other.from / size) * size),
    to: Math.max(one.to, Math.floor(other.to / size) * size),
  };
}

function widened(from: From, counter: Counter, known: Series | undefined, span: Span, step: Step): Series {
  if (known !== undefined && known.from <= span.from && known.to >= span.to) return known;
  const wanted = { from: Math.min(span.from, known?.from ?? span.from), to: Math.max(span.to, known?.to ?? span.to) };
  const key = `${counter.ref} ${counter.factor} ${step}`;
  const remembered = from.past?.find(key, wanted) ?? null;
  const series =
    remembered === null
      ? seriesOf(from.reader, counter, wanted, step)
      : joined(remembered, seriesOf(from.reader, counter, { from: remembered.to, to: wanted.to }, step));
  from.past?.keep(key, series);
  return series;
}

/** The span, and as much before it as a silence takes that reaches into it. */
function seriesOf(reader: Pick<Reader, 'history'>, counter: Counter, span: Span, step: Step): Series {
  const { from, to } = span;
  const size = steps[step];
  if (to <= from) return packed(span, from, size, []);
  const near = Math.floor((from - day) / size) * size;
  const told = aggregatesOf(reader, counter.ref, near, to, step);
  const heard = told.find(({ delta, goodSeconds }) => delta !== null || goodSeconds > 0);
  // Whatever is heard first may carry what was counted in a silence that is longer than a day.
  const isSilent = heard !== undefined && heard.t >= from;
  const first = isSilent ? Math.max(0, near - longestSilence) : near;
  const before = isSilent ? aggregatesOf(reader, counter.ref, first, near, step) : [];
  const buckets = fromAggregates([...before, ...told], { from: first, to }, step, counter.factor);
  return packed(span, first, size, buckets);
}

/** All its buckets, and those of the silence before them up to what was heard last. */
function beforeSilence(reader: Pick<Reader, 'history'>, counter: Counter, series: Series, step: Step): Bucket[] {
  const buckets = unpacked(series, { from: series.first, to: series.to });
  if (buckets.some(({ amount }) => amount !== null)) return buckets;
  const span = { from: Math.max(0, series.first - longestSilence), to: series.first };
  const told = aggregatesOf(reader, counter.ref, span.from, span.to, step);
  return [...fromAggregates(told, span, step, counter.factor), ...buckets];
}

/** The beginning of a bucket, by the minute. */
function partOf(reader: Pick<Reader, 'history'>, counter: Counter, { from, to }: Span, size: number): Bucket {
  const told = aggregatesOf(reader, counter.ref, from, to, '1min').filter(({ t }) => t < to);
  const goodMs = told.reduce((sum, { goodSeconds }) => sum + goodSeconds * 1_000, 0);
  const rises = told.flatMap(({ delta }) => delta ?? []);
  const rise = rises.reduce((sum, delta) => sum + delta, 0) * counter.factor;
  const amount = rises.length > 0 || goodMs > 0 ? rise : null;
  return { from, to: from + size, amount, known: Math.min(size, goodMs), estimated: 0 };
}

function aggregatesOf(
  reader: Pick<Reader, 'history'>,
  ref: string,
  from: number,
  to: number,
  step: Step | '1min',
): readonly Aggregate[] {
  if (to <= from) return [];
  try {
    const told = reader.history(ref, from, to, step, mostBuckets)?.buckets ?? [];
    // The store answers the bucket that begins before `to` as a whole, and one more where the clock is in it.
    return told.filter(({ t }) => t < to);
  } catch (error) {
    if (codeOf(error) === 'STORE_BAD_BLOCK') return [];
    throw error;
  }
}

/** Mean of a gauge over the span, by how long each value stood; null: never known. */
export function meanOf(reader: Pick<Reader, 'history'>, ref: string, { from, to }: Span): number | null {
  let sum = 0;
  let seconds = 0;
  for (const { mean, goodSeconds } of aggregatesOf(reader, ref, from, to, '1h')) {
    if (mean === null) continue;
    sum += mean * goodSeconds;
    seconds += goodSeconds;
  }
  return seconds > 0 ? sum / seconds : null;
}

/** What does not come from counters of energy; null: not known. */
export interface Measured {
  /** Mean active power of each phase, kW. */
  phases(meter: string, span: Span): readonly (number | null)[] | null;
  powerFactor(meter: string, span: Span): MeasuredPowerFactor | null;
}

export function measuredOf(
  reader: Pick<Reader, 'history'>,
  plan: EnergyPlan,
  rises: Rises,
  past: RisesPast | null = null,
): Measured {
  const real = new Map(plan.meters.flatMap(({ id, source }) => (source.kind === 'real' ? [[id, source]] : [])));
  const reactive = createRises({ reader, past }, (id) => real.get(id)?.reactive);
  return {
    phases: (id, span) => {
      const phases = real.get(id)?.phases;
      if (phases === undefined) return null;
      return phases.map(({ ref, factor }) => {
        const mean = meanOf(reader, ref, span);
        return mean === null ? null : mean * factor;
      });
    },
    powerFactor: (id, span): MeasuredPowerFactor | null => {
      const active = totalOf(rises(id, span, '1h')).value;
      const wattless = totalOf(reactive(id, span, '1h')).value;
      if (active !== null && wattless !== null && active > 0) return { active, reactive: wattless };
      const ref = real.get(id)?.powerFactor;
      const mean = ref === undefined ? null : meanOf(reader, ref, span);
      return mean === null ? null : { mean };
    },
  };
}
