import type { Name } from '#edge/domain/place.ts';
import type { Measured, PhaseValues, Snapshot } from './plausibility-snapshot.ts';
import { listed, shown } from './plausibility-words.ts';

/*
 * What holds in every circuit of a campus: the voltage is one that exists, the mains has 50 Hz, no phase has more watts than
 * volts times amperes, the phases sum up to the total, and the power factor is what makes watts of both. Each relation that holds
 * is evidence that the values were read as they are meant, in bits: how unlikely it would hold by chance. Tolerances are those of
 * meters at work, not of theory: values of one block are some 100 ms apart, loads with electronics have a power factor below
 * their cos phi (meters show either), meters sum apparent power as numbers or as vectors, and below their starting current
 * they show no power at all.
 */

export type RelationId =
  | 'frequency'
  | 'voltage'
  | 'voltage-alike'
  | 'phase-power'
  | 'sum'
  | 'load'
  | 'factor-range'
  | 'apparent'
  | 'reactive'
  | 'energy'
  | 'range'
  | 'garbage';

export interface Finding {
  readonly id: RelationId;
  readonly holds: boolean;
  /** Evidence when it holds. */
  readonly bits: number;
  readonly points: readonly string[];
  /** The figures that were compared. */
  /** Made only when somebody reads it: many guesses are weighed and few are told. */
  readonly says: () => Name;
}

/** Voltages there are: low voltage, the same between phases, secondaries of voltage transformers, 10 kV and its phases. */
const nominals = [
  { volts: 230, share: 0.15, bits: 6, isLine: false },
  { volts: 400, share: 0.12, bits: 4, isLine: true },
  { volts: 57.7, share: 0.1, bits: 3, isLine: false },
  { volts: 100, share: 0.1, bits: 3, isLine: true },
  { volts: 5_774, share: 0.1, bits: 3, isLine: false },
  { volts: 10_000, share: 0.1, bits: 3, isLine: true },
] as const;

/** Which of them this is; null: none. */
export function nominalOf({ value, range }: Measured): (typeof nominals)[number] | null {
  const isBelievable = range === undefined || (value >= range[0] && value <= range[1]);
  if (!isBelievable) return null;
  return nominals.find(({ volts, share }) => Math.abs(value - volts) <= volts * share) ?? null;
}

const names = (all: readonly (Measured | null)[]) => all.flatMap((one) => (one === null ? [] : [one.name]));
const present = (all: readonly (Measured | null)[]) => all.filter((one) => one !== null);

function frequencyOf({ frequency }: Snapshot): Finding[] {
  if (frequency === null) return [];
  const { name, value } = frequency;
  const holds = value >= 47.5 && value <= 52.5;
  const figure = () => shown(value, 'Hz');
  const says = () => ({ zh: `频率 ${figure()}（应约 50 Hz）`, en: `frequency ${figure()} (50 Hz expected)` });
  return [{ id: 'frequency', holds, bits: 7, points: [name], says }];
}

/** A phase without voltage beside others that have it: lost, or not connected. */
export const isMissing = ({ voltage }: PhaseValues, highest: number): boolean =>
  voltage !== null && highest > 20 && Math.abs(voltage.value) < 0.05 * highest;

export const highestVoltage = ({ phases }: Snapshot): number =>
  Math.max(0, ...present(phases.map(({ voltage }) => voltage)).map(({ value }) => value));

function voltagesOf(snapshot: Snapshot): Finding[] {
  const highest = highestVoltage(snapshot);
  const all = present(snapshot.phases.filter((phase) => !isMissing(phase, highest)).map(({ voltage }) => voltage));
  if (all.length === 0) return [];
  const classes = all.map(nominalOf);
  const figures = () => listed(all.map(({ value }) => shown(value, 'V')));
  const points = names(all);
  const bits = classes.reduce((sum, one, i) => sum + (one === null ? 0 : i === 0 ? one.bits : 2), 0);
  const found: Finding[] = [
    {
      id: 'voltage',
      holds: !classes.includes(null),
      bits,
      points,
      says: () => ({ zh: `电压 ${figures()}`, en: `voltage ${figures()}` }),
    },
  ];
  if (all.length < 2) return found;
  const mean = all.reduce((sum, { value }) => sum + value, 0) / all.length;
  const worst = Math.max(...all.map(({ value }) => Math.abs(value - mean)));
  const holds = worst <= 0.08 * Math.abs(mean);
  const says = () => ({ zh: `各相电压 ${figures()}`, en: `voltages of the phases ${figures()}` });
  return [...found, { id: 'voltage-alike', holds, bits: mean === 0 ? 0 : 4, points, says }];
}

/** Volts times amperes of a phase, and how much of that may be noise; null: not both are known. */
export function productOf({ voltage, current }: PhaseValues): { readonly va: number; readonly noise: number } | null {
  if (voltage === null || current === null) return null;
  const nominal = nominalOf(voltage);
  const volts = Math.abs(voltage.value) / (nominal?.isLine === true ? Math.sqrt(3) : 1);
  return { va: volts * Math.abs(current.value), noise: volts * Math.max(0.02, 3 * current.step) };
}

/** Is enough flowing that power and power factor mean something? */
export function isLoaded(phase: PhaseValues): boolean {
  const product = productOf(phase);
  return product !== null && product.va > 8 * product.noise;
}

function phasePowersOf({ phases }: Snapshot): Finding[] {
  if (phases.length < 2) return [];
  return phases.flatMap((phase, i): Finding[] => {
    const product = productOf(phase);
    if (product === null || phase.power === null) return [];
    const { va, noise } = product;
    const watts = phase.power.value;
    const holds = Math.abs(watts) <= 1.05 * va + noise + 3 * phase.power.step + 2;
    const share = Math.abs(watts) / Math.max(va, 1e-9);
    const says = () => ({
      zh: `L${i + 1}：有功 ${shown(watts, 'W')}，电压×电流 ${shown(va, 'VA')}`,
      en: `L${i + 1}: ${shown(watts, 'W')}, volts times amperes ${shown(va, 'VA')}`,
    });
    const bits = isLoaded(phase) && share >= 0.5 ? 2 : 0;
    return [{ id: 'phase-power', holds, bits, points: names([phase.power, phase.voltage, phase.current]), says }];
  });
}

/** Some phases take power and others give it. */
export function isMixed({ phases }: Snapshot): boolean {
  const watts = present(phases.map(({ power }) => power)).map(({ value }) => value);
  const floor = 0.02 * Math.max(0, ...watts.map(Math.abs));
  return watts.some((one) => one > floor) && watts.some((one) => one < -floor);
}

function sumOf(snapshot: Snapshot): Finding[] {
  const { phases, power } = snapshot;
  const parts = present(phases.map((phase) => phase.power));
  if (phases.length < 2 || parts.length < phases.length || power === null) return [];
  const sum = parts.reduce((total, { value }) => total + value, 0);
  const size = parts.reduce((total, { value }) => total + Math.abs(value), 0);
  const steps = [...parts, power].reduce((total, { step }) => total + step, 0);
  const allowed = 0.04 * Math.max(size, Math.abs(power.value)) + 3 * steps + 10;
  const isSigned = Math.abs(sum - power.value) <= allowed;
  // Several meters sum up what flows either way.
  const isUnsigned = isMixed(snapshot) && Math.abs(size - power.value) <= allowed;
  const isTelling = parts.filter(({ value }) => Math.abs(value) > Math.max(20, 0.02 * size)).length > 1;
  const says = () => ({
    zh: `三相之和 ${shown(sum, 'W')}，总有功 ${shown(power.value, 'W')}`,
    en: `sum of the phases ${shown(sum, 'W')}, total ${shown(power.value, 'W')}`,
  });
  const bits = isSigned && isTelling ? 6 : 0;
  return [{ id: 'sum', holds: isSigned || isUnsigned, bits, points: names([...parts, power]), says }];
}

interface Load {
  /** Sum of volts times amperes, and how much of it may be noise. */
  readonly va: number;
  readonly noise: number;
  readonly watts: number;
  readonly step: number;
  readonly points: readonly string[];
  readonly isLoaded: boolean;
}

/** The whole circuit; null where not all of it is known. */
export function loadOf(snapshot: Snapshot): Load | null {
  const { phases, power } = snapshot;
  const products = phases.map(productOf);
  const parts = phases.map((phase) => phase.power);
  const watts = power?.value ?? (parts.includes(null) ? null : parts.reduce((sum, one) => sum + (one?.value ?? 0), 0));
  if (products.includes(null) || watts === null) return null;
  const va = products.reduce((sum, one) => sum + (one?.va ?? 0), 0);
  const noise = products.reduce((sum, one) => sum + (one?.noise ?? 0), 0);
  const step = power?.step ?? 0;
  const points = [...names(phases.flatMap(({ voltage, current }) => [voltage, current])), ...names([power])];
  return { va, noise, watts, step, points, isLoaded: va > 8 * noise };
}

function loadFindings(snapshot: Snapshot): Finding[] {
  const load = loadOf(snapshot);
  if (load === null) return [];
  const { va, noise, watts, step, points } = load;
  const { factor, reactive } = snapshot;
  const size = Math.abs(watts);
  const slack = noise + 3 * step + 2;
  const share = size / Math.max(va, 1e-9);
  const by = () => (factor === null ? { zh: '', en: '' } : factorWords(factor.value));
  const says = () => ({
    zh: `有功 ${shown(watts, 'W')}，电压×电流 ${shown(va, 'VA')}${by().zh}`,
    en: `power ${shown(watts, 'W')}, volts times amperes ${shown(va, 'VA')}${by().en}`,
  });
  const all = [...points, ...names([factor])];
  const finding = (holds: boolean, bits: number): Finding[] => [{ id: 'load', holds, bits, points: all, says }];
  if (size > 1.05 * va + slack) return finding(false, 0);
  if (!load.isLoaded || isMixed(snapshot)) return finding(true, 0);
  const isFactorKnown = factor !== null && Math.abs(factor.value) > 0.01 && Math.abs(factor.value) <= 1.001;
  if (isFactorKnown) {
    const pf = Math.abs(factor.value);
    const tolerance = (slack + 3 * step) / va + 2 * factor.step + 0.01;
    const holds = share <= 1.06 * pf + tolerance && share >= 0.55 * pf - tolerance;
    const fit = share / pf;
    return finding(holds, fit > 0.9 && fit < 1.06 ? 6 : fit > 0.7 ? 4 : 1);
  }
  const isReactive = reactive !== null && Math.hypot(watts, reactive.value) > 0.4 * va;
  if (share < 0.12 && !isReactive && va > 500 * snapshot.phases.length) return finding(false, 0);
  return finding(true, share >= 0.8 ? 3 : share >= 0.5 ? 2 : 0);
}

function factorWords(value: number): Name {
  const figure = shown(value, '');
  return { zh: `，功率因数 ${figure}`, en: `, power factor ${figure}` };
}

function factorsOf(snapshot: Snapshot): Finding[] {
  const { factor } = snapshot;
  if (factor === null) return [];
  const holds = Math.abs(factor.value) <= 1.0005 + factor.step;
  const figure = () => shown(factor.value, '');
  const says = () => ({ zh: `功率因数 ${figure()}（-1 到 1）`, en: `power factor ${figure()} (between -1 and 1)` });
  const bits = holds && Math.abs(factor.value) > 0.05 ? 1 : 0;
  return [{ id: 'factor-range', holds, bits, points: [factor.name], says }];
}

function complexPowersOf(snapshot: Snapshot): Finding[] {
  const load = loadOf(snapshot);
  if (load === null) return [];
  const { apparent, reactive } = snapshot;
  const { va, noise, watts } = load;
  const found: Finding[] = [];
  if (apparent !== null) {
    const slack = noise + 3 * apparent.step + 3;
    const size = Math.abs(apparent.value);
    const isLow = load.isLoaded && !isMixed(snapshot) && size < 0.5 * va - slack;
    const holds = size <= 1.05 * va + slack && size >= 0.96 * Math.abs(watts) - slack - 3 * load.step && !isLow;
    const says = () => ({
      zh: `视在 ${shown(size, 'VA')}，电压×电流 ${shown(va, 'VA')}，有功 ${shown(watts, 'W')}`,
      en: `apparent ${shown(size, 'VA')}, volts times amperes ${shown(va, 'VA')}, power ${shown(watts, 'W')}`,
    });
    const fit = size / Math.max(va, 1e-9);
    const bits = load.isLoaded ? (fit > 0.95 ? 5 : fit > 0.8 ? 3 : 1) : 0;
    found.push({ id: 'apparent', holds, bits, points: [apparent.name, ...load.points], says });
  }
  if (reactive !== null) {
    const both = Math.hypot(watts, reactive.value);
    const slack = noise + 3 * (reactive.step + load.step) + 3;
    const says = () => ({
      zh: `无功 ${shown(reactive.value, 'var')}，与有功合成 ${shown(both, 'VA')}，电压×电流 ${shown(va, 'VA')}`,
      en: `reactive ${shown(reactive.value, 'var')}, with the power ${shown(both, 'VA')}, volts times amperes ${shown(va, 'VA')}`,
    });
    const bits = load.isLoaded && both > 0.85 * va ? 4 : load.isLoaded && both > 0.6 * va ? 2 : 0;
    const holds = both <= 1.06 * va + slack;
    found.push({ id: 'reactive', holds, bits, points: [reactive.name, ...load.points], says });
  }
  return found;
}

/** More than any meter of a campus has counted, W.h. */
const mostEnergy = 1e13;

function energiesOf({ imported, exported }: Snapshot): Finding[] {
  return present([imported, exported]).map(({ name, value }) => {
    const figure = () => shown(value / 1000, 'kWh');
    const says = () => ({ zh: `电能 ${figure()}`, en: `energy ${figure()}` });
    const holds = value >= 0 && value < mostEnergy;
    return { id: 'energy', holds, bits: value > 0 ? 1 : 0, points: [name], says };
  });
}

/** No meter shows a billionth of its unit: such numbers are others, read as a float. */
const smallest = 1e-9;

function wholeOf(snapshot: Snapshot): Finding[] {
  const { phases, power, apparent, reactive, factor, frequency, imported, exported } = snapshot;
  const all = present([
    ...phases.flatMap((phase) => [phase.voltage, phase.current, phase.power]),
    ...(phases.length > 1 ? [power] : []),
    apparent,
    reactive,
    factor,
    frequency,
    imported,
    exported,
  ]);
  const tiny = all.filter(({ value }) => value !== 0 && Math.abs(value) < smallest);
  const outside = all.filter(({ value, range }) => range !== undefined && (value < range[0] || value > range[1]));
  const finding = (id: 'garbage' | 'range', wrong: readonly Measured[], zh: string, en: string): Finding[] => {
    if (wrong.length === 0) return [];
    const figures = () => listed(wrong.slice(0, 4).map(({ name, value }) => `${name} ${shown(value, '')}`));
    const says = () => ({ zh: `${zh}：${figures()}`, en: `${en}: ${figures()}` });
    return [{ id, holds: false, bits: 0, points: names(wrong), says }];
  };
  return [
    ...finding('garbage', tiny, '没有仪表会显示这样的数', 'numbers that no meter shows'),
    ...finding('range', outside, '超出档案的可信范围', 'outside what the profile believes'),
  ];
}

/** Everything that can be compared in a snapshot. */
export function relationsOf(snapshot: Snapshot): readonly Finding[] {
  return [
    ...frequencyOf(snapshot),
    ...voltagesOf(snapshot),
    ...phasePowersOf(snapshot),
    ...sumOf(snapshot),
    ...loadFindings(snapshot),
    ...factorsOf(snapshot),
    ...complexPowersOf(snapshot),
    ...energiesOf(snapshot),
    ...wholeOf(snapshot),
  ];
}

export interface Evidence {
  readonly findings: readonly Finding[];
  /** What holds. */
  readonly bits: number;
  /** How many relations do not. */
  readonly broken: number;
  /** Bits less what is broken: to compare two readings of the same device. */
  readonly score: number;
}

const perBroken = 6;
const isOfEach = (id: RelationId) => id === 'range' || id === 'garbage';

export function weigh(snapshot: Snapshot): Evidence {
  const findings = relationsOf(snapshot);
  const bits = findings.reduce((sum, one) => sum + (one.holds ? one.bits : 0), 0);
  const wrong = findings.filter(({ holds }) => !holds);
  // Each value that cannot be speaks for itself.
  const weight = wrong.reduce((sum, { id, points }) => sum + (isOfEach(id) ? Math.min(3, points.length) : 1), 0);
  return { findings, bits, broken: wrong.length, score: bits - perBroken * weight };
}
