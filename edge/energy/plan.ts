import type { Device, Point } from '#edge/domain/device.ts';
import type {
  DemandPlan,
  EnergyBuilding,
  EnergyMeter,
  EnergyPlan,
  Medium,
  MeterSource,
  SubItem,
  Tariff,
} from '#edge/domain/energy.ts';
import { type PointRef, pointRef } from '#edge/domain/ids.ts';
import type { Name } from '#edge/domain/place.ts';

/*
 * What the site file says of meters (checked by runtime/site-energy.ts), put together with the points that its devices have.
 */

/** Whose consumption: one building, shares by building, or by the area or the people of some of them (of all that tell it). */
export type WrittenShares =
  | string
  | { readonly by: 'area' | 'people'; readonly of?: readonly string[] | undefined }
  | Readonly<Record<string, number>>;

export interface WrittenMeter {
  readonly id: string;
  readonly name?: Name | undefined;
  readonly medium: Medium;
  readonly under?: string | undefined;
  readonly subItem?: SubItem | undefined;
  /** Absent: as the meter above it. */
  readonly buildings?: WrittenShares | undefined;
  readonly device?: string | undefined;
  readonly points?:
    | {
        readonly energy?: string | undefined;
        readonly power?: string | undefined;
        readonly phases?: readonly string[] | undefined;
        readonly powerFactor?: string | undefined;
        readonly reactive?: string | undefined;
      }
    | undefined;
  /** `main`, `-canteen` ... */
  readonly sum?: readonly string[] | undefined;
  readonly accuracy?: number | undefined;
  readonly complete?: boolean | undefined;
}

export interface EnergySection {
  readonly meters: readonly WrittenMeter[];
  readonly buildings: readonly EnergyBuilding[];
  readonly tariffs: readonly (Omit<Tariff, 'demandPrice' | 'powerFactor'> & {
    readonly demandPrice?: number | undefined;
    readonly powerFactor?: number | undefined;
  })[];
  readonly demand: readonly (Omit<DemandPlan, 'reserve'> & { readonly reserve?: number | undefined })[];
}

export interface PlannedEnergy {
  readonly plan: EnergyPlan;
  /** A sentence each, beginning with its path in the site file: what is as if it were not there, and why. */
  readonly problems: readonly string[];
}

/** Points that are looked for where the site file names none; the first that the device has counts. */
const usualPoints: Readonly<Record<Medium, { readonly energy: readonly string[]; readonly power: readonly string[] }>> =
  {
    electricity: { energy: ['energy_import', 'energy', 'energy_total', 'energy_yield_total'], power: ['power'] },
    water: { energy: ['volume', 'volume_total', 'total'], power: ['flow'] },
    gas: { energy: ['volume', 'volume_total', 'total'], power: ['flow'] },
    heat: { energy: ['energy', 'energy_heat', 'heat', 'total'], power: ['power'] },
    cold: { energy: ['energy_cold', 'cold', 'energy', 'total'], power: ['power'] },
  };
const usualPhases = ['power_l1', 'power_l2', 'power_l3'];
const usualPowerFactor = ['power_factor', 'pf'];
const usualReactive = ['reactive_energy_import', 'reactive_energy'];

/** UCUM code -> what makes kW.h, m3, kW, m3/h or kvar.h of it. */
const kilowattHours = {
  'kW.h': 1,
  'W.h': 0.001,
  'MW.h': 1_000,
  J: 1 / 3.6e6,
  kJ: 1 / 3_600,
  MJ: 1 / 3.6,
  GJ: 1 / 0.0036,
};
const cubicMetres = { m3: 1, L: 0.001, l: 0.001 };
const kilowatts = { kW: 1, W: 0.001, MW: 1_000 };
const cubicMetresPerHour = { 'm3/h': 1, 'L/min': 0.06, 'L/h': 0.001, 'L/s': 3.6 };
const kilovarHours = { 'kV.A.h{reactive}': 1, 'V.A.h{reactive}': 0.001, 'MV.A.h{reactive}': 1_000 };

type Factors = Readonly<Record<string, number>>;
interface Found {
  readonly ref: PointRef;
  readonly factor: number;
}

/**
 * The plan of a campus. `section` absent: nothing is metered. A meter that cannot be read as it is written stays in the plan as
 * `missing`, so that what depends on it is shown as not known instead of being wrong.
 */
export function energyPlanOf(section: EnergySection | undefined, devices: readonly Device[]): PlannedEnergy {
  if (section === undefined) return { plan: { meters: [], buildings: [], tariffs: [], demand: [] }, problems: [] };
  const problems: string[] = [];
  const byId = new Map<string, Device>(devices.map((device) => [device.id, device]));
  const meters = section.meters.map((meter, i) => meterOf(meter, `energy.meters[${i}]`, section, byId, problems));
  const demand = section.demand.map((plan, i) => {
    problems.push(...problemsOfLoads(plan, `energy.demand[${i}]`, byId));
    const { reserve, tiers, ...rest } = plan;
    const named = { ...rest, tiers: tiers.map((tier) => ({ ...tier, name: shortName(tier.name) })) };
    return reserve === undefined ? named : { ...named, reserve };
  });
  const tariffs = section.tariffs.map(({ demandPrice, powerFactor, name, periods, ...rest }) => ({
    ...rest,
    name: shortName(name),
    periods: periods.map((period) => ({ ...period, name: shortName(period.name) })),
    ...(demandPrice === undefined ? {} : { demandPrice }),
    ...(powerFactor === undefined ? {} : { powerFactor }),
  }));
  return { plan: { meters, buildings: section.buildings, tariffs, demand }, problems };
}

function meterOf(
  meter: WrittenMeter,
  path: string,
  section: EnergySection,
  devices: ReadonlyMap<string, Device>,
  problems: string[],
): EnergyMeter {
  const source = sourceOf(meter, path, devices, problems);
  if (source.kind === 'missing') problems.push(`${path}: ${source.why}; its amounts are not known`);
  const device = devices.get(meter.device ?? '');
  const subItem = inherited(meter, section.meters, (one) => one.subItem);
  const buildings = inherited(meter, section.meters, (one) => one.buildings);
  return {
    id: meter.id,
    name: shortName(meter.name ?? device?.name ?? { zh: meter.id, en: meter.id }),
    medium: meter.medium,
    ...(meter.under === undefined ? {} : { under: meter.under }),
    ...(subItem === undefined ? {} : { subItem }),
    buildings: buildings === undefined ? [] : sharesOf(buildings, section.buildings),
    source,
    ...(meter.accuracy === undefined ? {} : { accuracy: meter.accuracy }),
    ...(meter.complete === true ? { complete: true as const } : {}),
  };
}

/** Every report has every name several times: one that has no end must not cost all of them their memory. */
const longestName = 200;

function shortName({ zh, en }: Name): Name {
  const cut = (text: string) => (text.length > longestName ? `${text.slice(0, longestName)}…` : text);
  return { zh: cut(zh), en: cut(en) };
}

/** What a meter says itself, else what the next one above it that says it does. */
function inherited<T>(
  meter: WrittenMeter,
  meters: readonly WrittenMeter[],
  of: (meter: WrittenMeter) => T | undefined,
): T | undefined {
  const seen = new Set<string>();
  for (let at: WrittenMeter | undefined = meter; at !== undefined && !seen.has(at.id); ) {
    const said = of(at);
    if (said !== undefined) return said;
    seen.add(at.id);
    const { under }: WrittenMeter = at;
    at = meters.find(({ id }) => id === under);
  }
  return undefined;
}

type By = { readonly by: 'area' | 'people'; readonly of?: readonly string[] | undefined };

function isBy(written: Exclude<WrittenShares, string>): written is By {
  return typeof written.by === 'string';
}

/** Shares that sum to 1 at most. By area or people: of those that tell it, in proportion. */
export function sharesOf(written: WrittenShares, buildings: readonly EnergyBuilding[]): EnergyMeter['buildings'] {
  if (typeof written === 'string') return [{ building: written, share: 1 }];
  if (isBy(written)) {
    const { by, of } = written;
    const sizes = buildings.flatMap((one) => {
      const size = one[by];
      return size !== null && size > 0 && (of?.includes(one.building) ?? true)
        ? [{ building: one.building, size }]
        : [];
    });
    const all = sizes.reduce((sum, { size }) => sum + size, 0);
    return sizes.map(({ building, size }) => ({ building, share: size / all }));
  }
  return Object.entries(written).flatMap(([building, share]) =>
    typeof share === 'number' && share > 0 ? [{ building, share }] : [],
  );
}

function sourceOf(
  { sum, device: id, medium, points = {} }: WrittenMeter,
  path: string,
  devices: ReadonlyMap<string, Device>,
  problems: string[],
): MeterSource {
  if (sum !== undefined) return { kind: 'virtual', terms: sum.map(termOf) };
  const device = devices.get(id ?? '');
  if (device === undefined) return { kind: 'missing', why: `the device "${id ?? ''}" is not there` };
  const isVolume = medium === 'water' || medium === 'gas';
  const look = (named: string | undefined, usual: readonly string[], factors: Factors, what: string) => {
    const found = findPoint(device, named, usual, factors);
    if (typeof found !== 'string') return found;
    if (named !== undefined) problems.push(`${path}.points.${what}: ${found}`);
    return null;
  };
  const energy = findPoint(device, points.energy, usualPoints[medium].energy, isVolume ? cubicMetres : kilowattHours);
  if (typeof energy === 'string') return { kind: 'missing', why: energy };
  const phases = (points.phases ?? usualPhases).map((name) =>
    look(points.phases === undefined ? undefined : name, [name], kilowatts, 'phases'),
  );
  const known = phases.filter((phase) => phase !== null);
  const powerFactor = look(points.powerFactor, usualPowerFactor, { '1': 1 }, 'powerFactor');
  const reactive = look(points.reactive, usualReactive, kilovarHours, 'reactive');
  return {
    kind: 'real',
    device: device.id,
    energy,
    power: look(points.power, usualPoints[medium].power, isVolume ? cubicMetresPerHour : kilowatts, 'power'),
    ...(medium === 'electricity' && known.length >= 2 && known.length === phases.length ? { phases: known } : {}),
    ...(powerFactor === null ? {} : { powerFactor: powerFactor.ref }),
    ...(reactive === null ? {} : { reactive }),
  };
}

/** `-canteen` is canteen, taken off. */
export function termOf(text: string): { readonly meter: string; readonly sign: 1 | -1 } {
  return text.startsWith('-') ? { meter: text.slice(1), sign: -1 } : { meter: text, sign: 1 };
}

/** The point, or a sentence about why not. */
function findPoint(
  device: Device,
  named: string | undefined,
  usual: readonly string[],
  factors: Factors,
): Found | string {
  const names = named === undefined ? usual : [named];
  const point = names
    .map((name) => device.points.find((one) => one.name === name))
    .find((one): one is Point => one !== undefined);
  if (point === undefined) {
    return `${device.id} has no point ${names.map((name) => `"${name}"`).join(' or ')}: say which it is with "points"`;
  }
  const factor = Object.hasOwn(factors, point.unit) ? factors[point.unit] : undefined;
  if (point.type !== 'number' || factor === undefined) {
    return `${device.id}/${point.name} is in "${point.unit}", which is none of ${Object.keys(factors).join(', ')}`;
  }
  return { ref: pointRef(device.id, point.name), factor };
}

/** Loads that will never be shed as they are written. */
function problemsOfLoads(
  plan: Pick<DemandPlan, 'tiers' | 'protected'>,
  path: string,
  devices: ReadonlyMap<string, Device>,
): string[] {
  return plan.tiers.flatMap((tier, t) =>
    tier.loads.flatMap(({ output, value }, l) => {
      const [device, point] = outputOf(output, devices);
      const why = (() => {
        if (point === undefined || device === undefined) return `there is no point "${output}"`;
        if (point.write === undefined) return `"${output}" cannot be written`;
        if (typeof value !== (point.type === 'text' ? 'string' : point.type)) return `${output} is a ${point.type}`;
        if (plan.protected.zones.includes(device.zone)) return `it is in the zone "${device.zone}", which is protected`;
        if (device.space !== undefined && plan.protected.spaces.includes(device.space)) {
          return `it is in the space "${device.space}", which is protected`;
        }
        return null;
      })();
      return why === null ? [] : [`${path}.tiers[${t}].loads[${l}]: ${why}; it is never shed`];
    }),
  );
}

function outputOf(output: PointRef, devices: ReadonlyMap<string, Device>): [Device | undefined, Point | undefined] {
  const [id = '', name = ''] = output.split('/');
  const device = devices.get(id);
  return [device, device?.points.find((point) => point.name === name)];
}
