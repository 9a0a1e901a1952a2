import { splitPointRef } from '#edge/domain/ids.ts';
import type { SiteDemand, SiteEnergy } from './site-energy.ts';
import { findBrokenTariffs, repeated } from './site-tariff-check.ts';

/* What is wrong with the energy section beyond the shape of each value: one line per mistake, its path first. */

interface Campus {
  readonly energy?: SiteEnergy | undefined;
  readonly devices: readonly { readonly id: string }[];
  readonly buildings: readonly { readonly id: string }[];
  readonly zones: readonly { readonly id: string }[];
}

type Meter = SiteEnergy['meters'][number];

/** A step of the controller and the way to the device, ms: what a staggered return needs besides the pause itself. */
const returnTime = 15_000;

/** `spaces`: every space of the campus. */
export function findBrokenEnergy(campus: Campus, spaces: ReadonlySet<string>): string[] {
  const { energy } = campus;
  if (energy === undefined) return [];
  return [
    ...repeated(
      energy.meters.map(({ id }) => id),
      (i) => `energy.meters[${i}].id`,
    ),
    ...findBrokenMeters(energy, campus),
    ...energy.buildings.flatMap(({ building }) =>
      campus.buildings.some(({ id }) => id === building) ? [] : [`energy.buildings.${building}: unknown building`],
    ),
    ...findBrokenTariffs(energy.tariffs),
    ...energy.demand.flatMap((plan, i) => findBrokenDemand(plan, `energy.demand[${i}]`, energy, campus, spaces)),
    ...findSharedLoads(energy.demand),
  ];
}

/** A tree of meters deeper than this is a mistake, or an attack. */
const deepest = 20;

interface Tree {
  readonly byId: ReadonlyMap<string, Meter>;
  /** Sums that are made of themselves. */
  readonly knotted: ReadonlySet<string>;
}

function findBrokenMeters(energy: SiteEnergy, campus: Campus): string[] {
  const tree = { byId: new Map(energy.meters.map((one) => [one.id, one])), knotted: knotsOf(energy.meters) };
  const devices = new Set(campus.devices.map(({ id }) => id));
  return energy.meters.flatMap((meter, i) => {
    const path = `energy.meters[${i}]`;
    return [
      ...findBrokenMeter(meter, path, tree, devices),
      ...findBrokenShares(meter, `${path}.buildings`, energy, campus),
      ...findBrokenSum(meter, `${path}.sum`, tree),
    ];
  });
}

function findBrokenMeter(meter: Meter, path: string, { byId }: Tree, devices: ReadonlySet<string>): string[] {
  const mistakes: string[] = [];
  if (meter.device !== undefined && !devices.has(meter.device)) {
    mistakes.push(`${path}.device: unknown device "${meter.device}"`);
  }
  if (meter.under !== undefined) {
    const above = byId.get(meter.under);
    if (above === undefined) mistakes.push(`${path}.under: unknown meter "${meter.under}"`);
    else if (above.medium !== meter.medium) {
      mistakes.push(`${path}.under: "${above.id}" counts ${above.medium} and this meter ${meter.medium}`);
    } else {
      const above = ancestors(meter.id, byId);
      if (above.includes(meter.id)) mistakes.push(`${path}.under: "${meter.id}" hangs on itself`);
      else if (above.length > deepest) mistakes.push(`${path}.under: more than ${deepest} meters are above this one`);
    }
  }
  if (meter.subItem !== undefined && meter.medium !== 'electricity') {
    mistakes.push(`${path}.subItem: only electricity has sub-items`);
  }
  return mistakes;
}

function findBrokenShares({ buildings }: Meter, path: string, energy: SiteEnergy, campus: Campus): string[] {
  if (buildings === undefined) return [];
  const isKnown = (id: string) => campus.buildings.some((one) => one.id === id);
  if (typeof buildings === 'string') return isKnown(buildings) ? [] : [`${path}: unknown building "${buildings}"`];
  if (isBy(buildings)) return findBrokenMeasure(buildings, path, energy, isKnown);
  const unknown = Object.keys(buildings).filter((id) => !isKnown(id));
  const sum = Object.values(buildings).reduce((all, share) => all + share, 0);
  return [
    ...unknown.map((id) => `${path}.${id}: unknown building`),
    // Thirds are written as 0.333.
    ...(sum > 1 + 1e-9 ? [`${path}: the shares sum to ${Math.round(sum * 1e6) / 1e6}, and must not be above 1`] : []),
  ];
}

type Shares = NonNullable<Meter['buildings']>;
type By = { by: 'area' | 'people'; of?: string[] | undefined };

function isBy(shares: Exclude<Shares, string>): shares is By {
  return typeof shares.by === 'string';
}

function findBrokenMeasure(
  { by, of }: By,
  path: string,
  energy: SiteEnergy,
  isKnown: (id: string) => boolean,
): string[] {
  const measured = (id: string) => (energy.buildings.find(({ building }) => building === id)?.[by] ?? null) !== null;
  if (of === undefined) {
    return energy.buildings.some((one) => one[by] !== null)
      ? []
      : [`${path}.by: no building under energy.buildings says its ${by}`];
  }
  return of.flatMap((id, i) => {
    if (!isKnown(id)) return [`${path}.of[${i}]: unknown building "${id}"`];
    return measured(id) ? [] : [`${path}.of[${i}]: energy.buildings.${id} does not say its ${by}`];
  });
}

function findBrokenSum(meter: Meter, path: string, { byId, knotted }: Tree): string[] {
  const { sum } = meter;
  if (sum === undefined) return [];
  const plain = sum.map((text) => text.replace(/^-/, ''));
  const mistakes = repeated(plain, (i) => `${path}[${i}]`);
  plain.forEach((id, i) => {
    const term = byId.get(id);
    if (term === undefined) mistakes.push(`${path}[${i}]: unknown meter "${id}"`);
    else if (term.medium !== meter.medium) {
      mistakes.push(`${path}[${i}]: "${id}" counts ${term.medium} and this meter ${meter.medium}`);
    } else if (knotted.has(id) && knotted.has(meter.id))
      mistakes.push(`${path}[${i}]: "${meter.id}" is a sum of itself`);
    else if (isCountedElsewhere(meter, sum[i] ?? '', byId)) {
      mistakes.push(
        `${path}[${i}]: "${id}" is neither above nor below "${meter.id}" and would be counted twice under "${meter.under}": leave out "under", or hang "${id}" under "${meter.id}"`,
      );
    }
  });
  return mistakes;
}

/** A sum takes a place in the tree when it parts what is above it or gathers what is below it; any other sum is only looked at. */
function isCountedElsewhere(meter: Meter, term: string, byId: ReadonlyMap<string, Meter>): boolean {
  if (meter.under === undefined || term.startsWith('-')) return false;
  return !ancestors(meter.id, byId).includes(term) && !ancestors(term, byId).includes(meter.id);
}

/** The meters above one, nearest first; ends at one that was seen before. */
function ancestors(id: string, byId: ReadonlyMap<string, Meter>): string[] {
  const path: string[] = [];
  for (
    let at = byId.get(id)?.under;
    at !== undefined && !path.includes(at) && path.length <= deepest;
    at = byId.get(at)?.under
  ) {
    path.push(at);
  }
  return path;
}

/** Sums that cannot be worked out one after the other, because they are made of each other. */
function knotsOf(meters: readonly Meter[]): ReadonlySet<string> {
  const terms = new Map(meters.map(({ id, sum = [] }) => [id, sum.map((text) => text.replace(/^-/, ''))]));
  const left = new Set(terms.keys());
  const users = new Map<string, string[]>();
  const needs = new Map<string, number>();
  for (const [id, of] of terms) {
    const known = [...new Set(of)].filter((term) => left.has(term));
    needs.set(id, known.length);
    for (const term of known) {
      const list = users.get(term);
      if (list === undefined) users.set(term, [id]);
      else list.push(id);
    }
  }
  const ready = [...left].filter((id) => needs.get(id) === 0);
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    left.delete(id);
    for (const user of users.get(id) ?? []) {
      const rest = (needs.get(user) ?? 0) - 1;
      needs.set(user, rest);
      if (rest === 0) ready.push(user);
    }
  }
  // What only uses a knot is none.
  const isUsed = (id: string) => (users.get(id) ?? []).some((user) => left.has(user));
  for (let size = -1; size !== left.size; ) {
    size = left.size;
    for (const id of left) if (!isUsed(id)) left.delete(id);
  }
  return left;
}

function findBrokenDemand(
  plan: SiteDemand,
  path: string,
  energy: SiteEnergy,
  campus: Campus,
  spaces: ReadonlySet<string>,
): string[] {
  const mistakes: string[] = [];
  const meter = energy.meters.find(({ id }) => id === plan.meter);
  if (meter === undefined) mistakes.push(`${path}.meter: unknown meter "${plan.meter}"`);
  else if (meter.medium !== 'electricity') mistakes.push(`${path}.meter: "${plan.meter}" counts ${meter.medium}`);
  else if (meter.sum !== undefined)
    mistakes.push(`${path}.meter: "${plan.meter}" is a sum, and a limit needs a real meter`);
  if (plan.reserve !== undefined && plan.reserve >= plan.limit)
    mistakes.push(`${path}.reserve: leaves nothing of the limit`);
  plan.protected.zones.forEach((zone, i) => {
    if (!campus.zones.some(({ id }) => id === zone))
      mistakes.push(`${path}.protected.zones[${i}]: unknown zone "${zone}"`);
  });
  plan.protected.spaces.forEach((space, i) => {
    if (!spaces.has(space)) mistakes.push(`${path}.protected.spaces[${i}]: unknown space "${space}"`);
  });
  mistakes.push(
    ...repeated(
      plan.tiers.map(({ id }) => id),
      (i) => `${path}.tiers[${i}].id`,
    ),
  );
  const loads = plan.tiers.reduce((count, tier) => count + tier.loads.length, 0);
  plan.tiers.forEach((tier, t) => {
    tier.loads.forEach((load, l) => {
      mistakes.push(...findBrokenLoad(load, `${path}.tiers[${t}].loads[${l}]`, plan, loads, campus));
    });
  });
  return mistakes;
}

type Load = SiteDemand['tiers'][number]['loads'][number];

function findBrokenLoad(load: Load, path: string, plan: SiteDemand, loads: number, { devices }: Campus): string[] {
  const mistakes: string[] = [];
  const device = splitPointRef(load.output)?.device;
  if (!devices.some(({ id }) => id === device)) mistakes.push(`${path}.output: unknown device "${device ?? ''}"`);
  if (plan.protected.outputs.includes(load.output)) mistakes.push(`${path}.output: "${load.output}" is protected`);
  const least = load.minOff + loads * (plan.stagger + returnTime);
  if (load.maxOff < least) {
    mistakes.push(
      `${path}.maxOff: must be at least ${Math.ceil(least / 60_000)}min: minOff, and time for ${loads} loads to come back one after the other`,
    );
  }
  return mistakes;
}

/** Two controllers that hold one output would each undo the other. */
function findSharedLoads(demand: readonly SiteDemand[]): string[] {
  const seen = new Set<string>();
  return demand.flatMap((plan, i) =>
    plan.tiers.flatMap((tier, t) =>
      tier.loads.flatMap(({ output }, l) => {
        if (seen.has(output))
          return [`energy.demand[${i}].tiers[${t}].loads[${l}].output: "${output}" is shed elsewhere already`];
        seen.add(output);
        return [];
      }),
    ),
  );
}
