import type { EnergyMeter, EnergyPlan } from '#edge/domain/energy.ts';
import type { MeasuredPowerFactor } from '#edge/energy/judge-day.ts';
import type { Span } from '#edge/energy/local-days.ts';
import { type Bucket, fromAggregates, type Rises, type Step, steps, totalOf } from '#edge/energy/rises.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import type { Aggregate, Reader } from '#edge/store/reader.ts';

/* What the store knows, as the room of energy asks for it. */

type Real = Extract<EnergyMeter['source'], { kind: 'real' }>;
type Counter = Real['energy'];

const day = 86_400_000;
const mostBuckets = 20_000;

interface Series extends Span {
  readonly buckets: readonly Bucket[];
}

/**
 * Amounts of the plan's real meters. Each stretch is read once: made for one answer, and forgotten with it. A span that ends within a
 * bucket has only that part of it, so that a day so far can be compared with the same part of another. A meter whose samples are
 * damaged is not known, and hides no other. `likely`: what will be asked for by the hour, so that it is read at once. Throws what the
 * reader throws (STORE_NOT_READY).
 */
export function risesOf(reader: Pick<Reader, 'history'>, plan: EnergyPlan, likely: Span | null = null): Rises {
  const counters = new Map(
    plan.meters.flatMap(({ id, source }) => (source.kind === 'real' ? [[id, source.energy]] : [])),
  );
  return createRises(reader, (id) => counters.get(id), likely);
}

function createRises(
  reader: Pick<Reader, 'history'>,
  counterOf: (id: string) => Counter | undefined,
  likely: Span | null = null,
): Rises {
  const known = new Map<string, Series>();
  return (id, { from, to }, step) => {
    const counter = counterOf(id);
    if (counter === undefined || to <= from) return [];
    const size = steps[step];
    const first = Math.ceil(from / size) * size;
    const whole = Math.max(first, Math.floor(to / size) * size);
    const key = `${id} ${step}`;
    const wanted = { from: first, to: whole };
    const ahead = known.has(key) || step !== '1h' ? null : likely;
    const series = widened(reader, counter, known.get(key), ahead === null ? wanted : around(wanted, ahead), step);
    known.set(key, series);
    const start = (first - series.from) / size;
    const buckets = series.buckets.slice(start, start + (whole - first) / size);
    return whole < to ? [...buckets, partOf(reader, counter, { from: whole, to }, size)] : buckets;
  };
}

/** Both, from whole hour to whole hour. */
function around(one: Span, other: Span): Span {
  const size = steps['1h'];
  return {
    from: Math.min(one.from, Math.ceil(other.from / size) * size),
    to: Math.max(one.to, Math.floor(other.to / size) * size),
  };
}

function widened(
  reader: Pick<Reader, 'history'>,
  counter: Counter,
  known: Series | undefined,
  span: Span,
  step: Step,
): Series {
  if (known !== undefined && known.from <= span.from && known.to >= span.to) return known;
  const from = Math.min(span.from, known?.from ?? span.from);
  const to = Math.max(span.to, known?.to ?? span.to);
  const told = aggregatesOf(reader, counter.ref, from - day, to, step);
  return { from, to, buckets: fromAggregates(told, { from, to }, step, counter.factor) };
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

export function measuredOf(reader: Pick<Reader, 'history'>, plan: EnergyPlan, rises: Rises): Measured {
  const real = new Map(plan.meters.flatMap(({ id, source }) => (source.kind === 'real' ? [[id, source]] : [])));
  const reactive = createRises(reader, (id) => real.get(id)?.reactive);
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
