import { toUcum } from './units.ts';

/* What an electricity meter says, as quantities of a circuit: volts, amperes, watts, whatever its registers count in. */

/** One number in V, A, W, VA, var, Hz, W.h or 1. */
export interface Measured {
  /** Name of its point. */
  readonly name: string;
  readonly value: number;
  /** The smallest difference that it can show. */
  readonly step: number;
  /** Believable values by the profile, in the same unit. */
  readonly range?: readonly [number, number];
}

export interface PhaseValues {
  readonly voltage: Measured | null;
  readonly current: Measured | null;
  readonly power: Measured | null;
}

export interface Snapshot {
  /** Three, or one. */
  readonly phases: readonly PhaseValues[];
  /** Of a single-phase meter the power of its only phase. */
  readonly power: Measured | null;
  readonly apparent: Measured | null;
  readonly reactive: Measured | null;
  readonly factor: Measured | null;
  readonly frequency: Measured | null;
  readonly imported: Measured | null;
  readonly exported: Measured | null;
}

/** A number as a device or a hypothesis about it says it, in the unit of its point. */
export interface Value {
  readonly value: number;
  readonly step: number;
  /** A float of few decimal digits, as meters round them: hardly one in thirty is so by chance. */
  readonly isShort?: boolean;
}

export interface Quantity {
  readonly name: string;
  /** UCUM. */
  readonly unit: string;
  readonly range?: readonly [number, number];
}

type Slot =
  | 'voltage'
  | 'current'
  | 'power'
  | 'apparent'
  | 'reactive'
  | 'factor'
  | 'frequency'
  | 'imported'
  | 'exported';

/** Powers of ten to the plain unit. */
const plain: Readonly<Record<string, number>> = {
  V: 1,
  mV: 1e-3,
  kV: 1e3,
  A: 1,
  mA: 1e-3,
  W: 1,
  kW: 1e3,
  MW: 1e6,
  'V.A': 1,
  'kV.A': 1e3,
  'V.A{reactive}': 1,
  'kV.A{reactive}': 1e3,
  Hz: 1,
  'W.h': 1,
  'kW.h': 1e3,
  'MW.h': 1e6,
  '1': 1,
  '%': 1e-2,
};

/** What the points of profiles, shipped and drafted from manuals, are called. */
const words: readonly (readonly [RegExp, Slot])[] = [
  [/^(voltage|u|v)$/, 'voltage'],
  [/^(current|i)$/, 'current'],
  [/^(power|active_power|total_power|total_active_power|p)$/, 'power'],
  [/^(apparent_power|total_apparent_power|s)$/, 'apparent'],
  [/^(reactive_power|total_reactive_power|q)$/, 'reactive'],
  [/^(power_factor|total_power_factor|pf|cos_phi)$/, 'factor'],
  [/^(frequency|f|freq|hz)$/, 'frequency'],
  [/^energy_(import|total)$/, 'imported'],
  [/^energy_export$/, 'exported'],
];

const units: Readonly<Record<Slot, RegExp>> = {
  voltage: /V$/,
  current: /A$/,
  power: /W$/,
  apparent: /V\.A$/,
  reactive: /V\.A\{reactive\}$/,
  factor: /^(1|%|)$/,
  frequency: /^Hz$/,
  imported: /W\.h$/,
  exported: /W\.h$/,
};

/** Which quantity a point is, and of which phase (0: all of them or the only one); null: none of an electricity meter. */
export function slotOf({ name, unit }: Quantity): { readonly slot: Slot; readonly phase: 0 | 1 | 2 | 3 } | null {
  const [, stem = name, digit, letter] = /^(.*?)(?:_?l([123])|_?([abc]))$/.exec(name) ?? [];
  const phase = digit !== undefined ? Number(digit) : letter !== undefined ? 'abc'.indexOf(letter) + 1 : 0;
  for (const [pattern, slot] of words) {
    if (!pattern.test(stem === '' ? name : stem) || !units[slot].test(unit)) continue;
    return phase === 1 || phase === 2 || phase === 3 ? { slot, phase } : { slot, phase: 0 };
  }
  return null;
}

/** Factor from the point's unit to the plain one. */
export const toPlain = (unit: string): number => plain[unit] ?? 1;

/** What these values are as a circuit; null: it is no electricity meter. `energy_import` wins over `energy_total`. */
export function snapshotOf(
  quantities: readonly Quantity[],
  valueNamed: (name: string) => Value | null,
): Snapshot | null {
  const found = new Map<string, Measured>();
  let phases = 1;
  let isMeter = false;
  for (const quantity of quantities) {
    const where = slotOf(quantity);
    if (where === null) continue;
    if (where.phase > 1) phases = 3;
    if (where.slot === 'power' || where.slot === 'voltage') isMeter = true;
    const key = `${where.slot}${where.phase}`;
    const measured = measuredOf(quantity, valueNamed(quantity.name));
    if (measured === null || found.has(key)) continue;
    found.set(key, measured);
  }
  if (!isMeter) return null;
  const get = (slot: Slot, phase = 0) => found.get(`${slot}${phase}`) ?? null;
  const only = phases === 1;
  return {
    phases: Array.from({ length: phases }, (_, i) => ({
      voltage: get('voltage', i + 1) ?? (only ? get('voltage') : null),
      current: get('current', i + 1) ?? (only ? get('current') : null),
      power: get('power', i + 1) ?? (only ? get('power') : null),
    })),
    power: get('power'),
    apparent: get('apparent'),
    reactive: get('reactive'),
    factor: get('factor'),
    frequency: get('frequency'),
    imported: get('imported'),
    exported: get('exported'),
  };
}

function measuredOf({ name, unit, range }: Quantity, value: Value | null): Measured | null {
  if (value === null || !Number.isFinite(value.value)) return null;
  const factor = toPlain(unit);
  return {
    name,
    value: value.value * factor,
    step: value.step * factor,
    ...(range === undefined ? {} : { range: [range[0] * factor, range[1] * factor] }),
  };
}

/** What can be wrong by a factor, all at once. */
export type Group =
  | 'voltage'
  | 'current'
  | 'power'
  | 'power-total'
  | 'power-phases'
  | 'all-powers'
  | 'apparent'
  | 'reactive'
  | 'factor'
  | 'frequency';

const scaleOne = (measured: Measured | null, factor: number): Measured | null => {
  if (measured === null) return null;
  const { range: _, ...rest } = measured;
  return { ...rest, value: measured.value * factor, step: measured.step * factor };
};

/** The same as it would be if a group were so many times larger. What the profile believes of it does not hold then. */
export function scaled(snapshot: Snapshot, group: Group, factor: number): Snapshot {
  const phases = (keys: readonly (keyof PhaseValues)[]) =>
    snapshot.phases.map((phase) => ({
      voltage: keys.includes('voltage') ? scaleOne(phase.voltage, factor) : phase.voltage,
      current: keys.includes('current') ? scaleOne(phase.current, factor) : phase.current,
      power: keys.includes('power') ? scaleOne(phase.power, factor) : phase.power,
    }));
  const by = (key: 'power' | 'apparent' | 'reactive' | 'factor' | 'frequency') => scaleOne(snapshot[key], factor);
  switch (group) {
    case 'voltage':
    case 'current':
      return { ...snapshot, phases: phases([group]) };
    case 'power':
      return { ...snapshot, phases: phases(['power']), power: by('power') };
    case 'power-total':
      return { ...snapshot, power: by('power') };
    case 'power-phases':
      return { ...snapshot, phases: phases(['power']) };
    case 'all-powers':
      return {
        ...snapshot,
        phases: phases(['power']),
        power: by('power'),
        apparent: by('apparent'),
        reactive: by('reactive'),
      };
    default:
      return { ...snapshot, [group]: by(group) };
  }
}

/** Names of the points of a group that this device has. */
export function pointsOfGroup(snapshot: Snapshot, group: Group): string[] {
  const { phases, power, apparent, reactive } = snapshot;
  const ofPhases = (key: keyof PhaseValues) => phases.map((phase) => phase[key]);
  const all: Readonly<Record<Group, readonly (Measured | null)[]>> = {
    voltage: ofPhases('voltage'),
    current: ofPhases('current'),
    power: [...ofPhases('power'), power],
    'power-total': [power],
    'power-phases': ofPhases('power'),
    'all-powers': [...ofPhases('power'), power, apparent, reactive],
    apparent: [apparent],
    reactive: [reactive],
    factor: [snapshot.factor],
    frequency: [snapshot.frequency],
  };
  return [...new Set(all[group].flatMap((one) => (one === null ? [] : [one.name])))];
}

/** UCUM of what a profile author writes; '' where the profile says nothing. */
export const unitOf = (unit: string | undefined): string => (unit === undefined ? '1' : toUcum(unit));
