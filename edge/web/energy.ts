import { setImmediate } from 'node:timers/promises';
import type { Device, Point } from '#edge/domain/device.ts';
import type { EnergyMeter, EnergyPlan } from '#edge/domain/energy.ts';
import { type PointRef, pointRef } from '#edge/domain/ids.ts';
import type { Span } from '#edge/energy/local-days.ts';
import { stepFrom, totalOf, within } from '#edge/energy/rises.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import type { Aggregate, Reader, Step } from '#edge/store/reader.ts';
import { risesOfCounter } from './energy-rises.ts';
import type { LocalTime } from './local-time.ts';
import type { EnergyView } from './place-schemas.ts';

type MeterView = EnergyView['meters'][number];

const hour = 3_600_000;
const week = 7 * 24 * hour;
/** How long the figures count, ms. */
const keepMs = 30_000;
/** Until when the campus sleeps, ms after midnight. */
const nightEnd = 5 * hour;

/** To kW.h and kW. */
const energyUnits: Readonly<Record<string, number>> = { 'kW.h': 1, 'W.h': 0.001, 'MW.h': 1_000 };
const powerUnits: Readonly<Record<string, number>> = { kW: 1, W: 0.001, MW: 1_000 };

interface Meter {
  readonly device: Device;
  readonly energy: PointRef;
  readonly toKilowattHours: number;
  readonly power: { readonly ref: PointRef; readonly toKilowatts: number } | null;
}

/**
 * Meters of electricity. With a plan: its own first, main meters before those under them, as people look at them; then whatever else
 * is a device of the kind `meter` with a counter of the energy taken in.
 */
export function findMeters(
  devices: readonly Device[],
  plan: Pick<EnergyPlan, 'meters'> | null = null,
): readonly Meter[] {
  const byId = new Map<string, Device>(devices.map((device) => [device.id, device]));
  const planned = plan === null ? [] : treeOrder(plan).flatMap((meter) => plannedMeter(meter, byId));
  const taken = new Set<string>(planned.map(({ device }) => device.id));
  return [...planned, ...metersByKind(devices.filter(({ id }) => !taken.has(id)))];
}

function plannedMeter({ medium, source }: EnergyMeter, devices: ReadonlyMap<string, Device>): Meter[] {
  const device = source.kind === 'real' ? devices.get(source.device) : undefined;
  if (medium !== 'electricity' || source.kind !== 'real' || device === undefined) return [];
  const { energy, power } = source;
  return [
    {
      device,
      energy: energy.ref,
      toKilowattHours: energy.factor,
      power: power === null ? null : { ref: power.ref, toKilowatts: power.factor },
    },
  ];
}

/** By how deep they hang, in the order of the site file. */
function treeOrder({ meters }: Pick<EnergyPlan, 'meters'>): readonly EnergyMeter[] {
  const byId = new Map(meters.map((meter) => [meter.id, meter]));
  const depthOf = ({ under }: EnergyMeter): number => {
    let depth = 0;
    for (let at = byId.get(under ?? ''); at !== undefined && depth < 50; depth++) at = byId.get(at.under ?? '');
    return depth;
  };
  return meters
    .map((meter) => ({ meter, depth: depthOf(meter) }))
    .sort((a, b) => a.depth - b.depth)
    .map(({ meter }) => meter);
}

function metersByKind(devices: readonly Device[]): readonly Meter[] {
  return devices.flatMap((device) => {
    if (!device.profile.startsWith('meter/')) return [];
    const energy = device.points.find(({ name }) => name === 'energy_import');
    const factor = energyUnits[energy?.unit ?? ''];
    if (energy?.counter === undefined || factor === undefined) return [];
    return [{ device, energy: refOf(device, energy), toKilowattHours: factor, power: powerOf(device) }];
  });
}

function powerOf(device: Device): Meter['power'] {
  const power = device.points.find(({ name }) => name === 'power');
  const factor = powerUnits[power?.unit ?? ''];
  return power === undefined || factor === undefined ? null : { ref: refOf(device, power), toKilowatts: factor };
}

const refOf = (device: Device, point: Point) => pointRef(device.id, point.name);

export interface EnergyOptions {
  readonly reader: Pick<Reader, 'history'>;
  readonly devices: readonly Device[];
  /** Absent: the site file has no section `energy`. */
  readonly plan?: Pick<EnergyPlan, 'meters'>;
  readonly localTime: LocalTime;
  readonly clock: Clock;
}

/**
 * What every meter says of today, kept for 30 s: consoles ask all the time. Read from buckets, so that a day costs what its
 * hours cost; others have their turn between two meters. Rejects with what the reader throws (STORE_NOT_READY).
 */
export function createEnergyToday(options: EnergyOptions): () => Promise<readonly MeterView[]> {
  const { devices, plan, clock } = options;
  const meters = findMeters(devices, plan);
  let known: { readonly at: number; readonly views: Promise<readonly MeterView[]> } | null = null;
  const readAll = async (): Promise<readonly MeterView[]> => {
    const views: MeterView[] = [];
    for (const meter of meters) {
      views.push(readMeter(meter, options));
      await setImmediate();
    }
    return views;
  };
  return () => {
    const at = clock.monotonic();
    if (known !== null && at - known.at < keepMs) return known.views;
    const views = readAll();
    known = { at, views };
    views.catch(() => {
      // What failed is not kept: whoever asks next tries again.
      if (known?.views === views) known = null;
    });
    return views;
  };
}

function readMeter(meter: Meter, options: EnergyOptions): MeterView {
  const { localTime, clock } = options;
  const now = clock.now();
  const midnight = localTime.dayStart(now);
  // What was counted while nobody heard the meter belongs to the days of that silence, not to the hour in which it was heard again.
  const risesIn = risesOfCounter(options.reader, { ref: meter.energy, factor: meter.toKilowattHours });
  const countedIn = (span: Span) => totalOf(within(risesIn(span, stepFrom(midnight)), span)).value;
  const today = risesIn({ from: midnight, to: now }, stepFrom(midnight));
  const hours = Array.from({ length: Math.floor((now - midnight) / hour) + 1 }, (_, i) => {
    const t = midnight + i * hour;
    return { t, energy: totalOf(within(today, { from: t, to: t + hour })).value };
  });
  const weekAgo = localTime.dayStart(midnight - week + 12 * hour);
  return {
    ref: meter.energy,
    deviceName: meter.device.name,
    zone: meter.device.zone,
    today: sum(hours.map(({ energy }) => energy)),
    weekAgo: countedIn({ from: weekAgo, to: weekAgo + (now - midnight) }),
    nightBase: nightBase(meter, options, hours, midnight, now),
    hours,
  };
}

/** From the power if the meter tells it, else from the energy of the whole hours of the night so far. */
function nightBase(
  { power }: Meter,
  options: EnergyOptions,
  hours: MeterView['hours'],
  midnight: number,
  now: number,
): number | null {
  const end = Math.min(now, midnight + nightEnd);
  if (power !== null) {
    const buckets = bucketsOf(options, power.ref, midnight, end, '1h');
    const seconds = sum(buckets.map(({ mean, goodSeconds }) => (mean === null ? 0 : goodSeconds))) ?? 0;
    const weighted = sum(buckets.map(({ mean, goodSeconds }) => (mean === null ? null : mean * goodSeconds)));
    if (weighted !== null && seconds > 0) return (weighted / seconds) * power.toKilowatts;
  }
  const whole = hours.filter(({ t, energy }) => t + hour <= end && energy !== null);
  const energy = sum(whole.map((one) => one.energy));
  return energy === null ? null : energy / whole.length;
}

/** Nothing where the point was never heard, or where its samples are damaged: one meter must not hide all others. */
function bucketsOf(
  { reader, localTime }: EnergyOptions,
  ref: PointRef,
  from: number,
  to: number,
  step: Exclude<Step, 'raw'>,
): readonly Aggregate[] {
  if (to <= from) return [];
  try {
    return reader.history(ref, from, to, step, 1_000, { utcOffset: localTime.offsetAt(from) })?.buckets ?? [];
  } catch (error) {
    if (codeOf(error) === 'STORE_BAD_BLOCK') return [];
    throw error;
  }
}

/** Of what is known; null when nothing is. */
function sum(numbers: readonly (number | null)[]): number | null {
  const known = numbers.filter((number) => number !== null);
  return known.length === 0 ? null : known.reduce((total, number) => total + number, 0);
}
