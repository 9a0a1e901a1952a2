import type { EnergyMeter, EnergyPlan, Medium } from '#edge/domain/energy.ts';
import type { Span } from './local-days.ts';
import { addUp, type Bucket, type Rises, type Step, steps } from './rises.ts';

/*
 * The meter tree. Every meter is a sum of real ones: `coefficients` says which and how often, so that main minus (main minus canteen)
 * is canteen, exactly, whatever virtual meters are in between.
 */

/** Id of a real (or missing) meter -> how often it counts; those that cancel out are not there. */
export type Coefficients = ReadonlyMap<string, number>;

export interface Tree {
  readonly plan: EnergyPlan;
  readonly byId: ReadonlyMap<string, EnergyMeter>;
  /** What hangs directly under a meter and counts as a part of it. */
  childrenOf(id: string): readonly EnergyMeter[];
  /** Meters that nothing counts above: together they are all that the campus consumes of a medium. */
  rootsOf(medium: Medium): readonly EnergyMeter[];
  /** A sum that is only looked at: what it sums is counted elsewhere. */
  isView(id: string): boolean;
  coefficientsOf(id: string): Coefficients;
  /** How often a child counts in what is above it: -1 where its parent, a sum, takes it off. */
  signOf(child: EnergyMeter): 1 | -1;
}

export function treeOf(plan: EnergyPlan): Tree {
  const byId = new Map(plan.meters.map((meter) => [meter.id, meter]));
  const known = new Map<string, Coefficients>();
  const views = new Set(plan.meters.filter((meter) => isView(meter, byId)).map(({ id }) => id));
  const children = new Map<string, EnergyMeter[]>();
  for (const meter of plan.meters) {
    if (meter.under === undefined || views.has(meter.id) || !byId.has(meter.under)) continue;
    const list = children.get(meter.under);
    if (list === undefined) children.set(meter.under, [meter]);
    else list.push(meter);
  }
  return {
    plan,
    byId,
    childrenOf: (id) => children.get(id) ?? [],
    rootsOf: (medium) =>
      plan.meters.filter((meter) => meter.medium === medium && isRoot(meter, byId) && !views.has(meter.id)),
    isView: (id) => views.has(id),
    coefficientsOf: (id) => coefficientsOf(id, byId, known, 0),
    signOf: (child) => signOf(child, byId),
  };
}

function isRoot({ under }: EnergyMeter, byId: ReadonlyMap<string, EnergyMeter>): boolean {
  return under === undefined || !byId.has(under);
}

/** A sum counts in the tree when all that it adds is above it (it parts that) or below it (it gathers that). */
function isView(meter: EnergyMeter, byId: ReadonlyMap<string, EnergyMeter>): boolean {
  if (meter.source.kind !== 'virtual') return false;
  return !meter.source.terms
    .filter(({ sign }) => sign > 0)
    .every((term) => isAbove(term.meter, meter.id, byId) || isAbove(meter.id, term.meter, byId));
}

function isAbove(upper: string, lower: string, byId: ReadonlyMap<string, EnergyMeter>): boolean {
  let at = byId.get(lower)?.under;
  for (let depth = 0; at !== undefined && depth < 50; depth++) {
    if (at === upper) return true;
    at = byId.get(at)?.under;
  }
  return false;
}

function signOf({ id, under }: EnergyMeter, byId: ReadonlyMap<string, EnergyMeter>): 1 | -1 {
  const above = byId.get(under ?? '');
  if (above?.source.kind !== 'virtual') return 1;
  return above.source.terms.find(({ meter }) => meter === id)?.sign ?? 1;
}

function coefficientsOf(
  id: string,
  byId: ReadonlyMap<string, EnergyMeter>,
  known: Map<string, Coefficients>,
  depth: number,
): Coefficients {
  const before = known.get(id);
  if (before !== undefined) return before;
  const source = byId.get(id)?.source;
  // The site file has no cycles; a plan from elsewhere must not hang whoever asks.
  if (source?.kind !== 'virtual' || depth > 100) return new Map([[id, 1]]);
  const sum = new Map<string, number>();
  for (const { meter, sign } of source.terms) addTo(sum, coefficientsOf(meter, byId, known, depth + 1), sign);
  known.set(id, sum);
  return sum;
}

function addTo(sum: Map<string, number>, more: Coefficients, factor: number): void {
  for (const [id, times] of more) {
    const total = (sum.get(id) ?? 0) + factor * times;
    if (total === 0) sum.delete(id);
    else sum.set(id, total);
  }
}

/** What a meter counts and no meter below it does. */
export function remainderOf(tree: Tree, meter: EnergyMeter): Coefficients {
  const rest = new Map(tree.coefficientsOf(meter.id));
  for (const child of tree.childrenOf(meter.id)) addTo(rest, tree.coefficientsOf(child.id), -tree.signOf(child));
  return rest;
}

/** Amounts over one span. */
export interface Amounts {
  readonly span: Span;
  readonly step: Step;
  readonly tree: Tree;
  of(coefficients: Coefficients): readonly Bucket[];
  ofMeter(id: string): readonly Bucket[];
}

export function amountsOf(tree: Tree, rises: Rises, span: Span, step: Step): Amounts {
  const ask = keeping((id) => {
    const isReal = tree.byId.get(id)?.source.kind === 'real';
    return isReal ? aligned(rises(id, span, step), span, step) : unknown(span, step);
  });
  const of = (coefficients: Coefficients) => {
    const terms = [...coefficients].map(([id, factor]) => ({ buckets: ask(id), factor }));
    const [first] = terms;
    return terms.length === 1 && first?.factor === 1 ? first.buckets : addUp(terms, span, step);
  };
  return { span, step, tree, of, ofMeter: keeping((id) => of(tree.coefficientsOf(id))) };
}

/** Buckets that are kept in one place: some 11 MB. */
const mostKept = 100_000;

/** What was worked out once is not again, unless there is too much of it. */
function keeping(work: (id: string) => readonly Bucket[]): (id: string) => readonly Bucket[] {
  const known = new Map<string, readonly Bucket[]>();
  let kept = 0;
  return (id) => {
    const before = known.get(id);
    if (before !== undefined) return before;
    const buckets = work(id);
    if (kept > mostKept) known.clear();
    kept = (known.size === 0 ? 0 : kept) + buckets.length;
    known.set(id, buckets);
    return buckets;
  };
}

/** Amounts over any span, each span added up once. */
export type AmountsOver = (span: Span, step: Step) => Amounts;

/** For one answer: it keeps everything that it was asked for. */
export function amountsOver(tree: Tree, rises: Rises): AmountsOver {
  const known = new Map<string, Amounts>();
  return (span, step) => {
    const key = `${span.from} ${span.to} ${step}`;
    const amounts = known.get(key) ?? amountsOf(tree, rises, span, step);
    known.set(key, amounts);
    return amounts;
  };
}

function unknown(span: Span, step: Step): readonly Bucket[] {
  return aligned([], span, step);
}

/** What a caller leaves out is not known. */
function aligned(buckets: readonly Bucket[], span: Span, step: Step): readonly Bucket[] {
  const size = steps[step];
  const from = Math.ceil(span.from / size) * size;
  const isWhole = buckets.length === Math.max(0, Math.ceil((span.to - from) / size));
  if (isWhole && buckets.every((bucket, i) => bucket.from === from + i * size)) return buckets;
  const byStart = new Map(buckets.map((bucket) => [bucket.from, bucket]));
  return addUp([], span, step).map(
    (bucket) => byStart.get(bucket.from) ?? { ...bucket, amount: null, known: 0, estimated: 0 },
  );
}
