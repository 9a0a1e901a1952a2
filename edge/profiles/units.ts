import { CodedError } from '#edge/runtime/errors.ts';

interface Unit {
  /** UCUM code; `1` for a pure number. */
  readonly ucum: string;
  /** A change smaller than this is noise for most campus devices, in this unit. A profile may say otherwise. */
  readonly deadband: number;
}

/*
 * Long because it is a table: what profile authors write -> UCUM (https://ucum.org/ucum, case-sensitive codes).
 * UCUM has no var; reactive power is a V.A with an annotation, as the UCUM guide recommends.
 */
const friendly: Readonly<Record<string, Unit>> = {
  '': { ucum: '1', deadband: 0 },
  '1': { ucum: '1', deadband: 0 },
  '%': { ucum: '%', deadband: 0.5 },
  '%RH': { ucum: '%{RH}', deadband: 0.5 },
  ppm: { ucum: '[ppm]', deadband: 10 },
  ppb: { ucum: '[ppb]', deadband: 5 },
  V: { ucum: 'V', deadband: 0.2 },
  mV: { ucum: 'mV', deadband: 1 },
  kV: { ucum: 'kV', deadband: 0.01 },
  A: { ucum: 'A', deadband: 0.02 },
  mA: { ucum: 'mA', deadband: 1 },
  W: { ucum: 'W', deadband: 5 },
  kW: { ucum: 'kW', deadband: 0.01 },
  MW: { ucum: 'MW', deadband: 0.001 },
  VA: { ucum: 'V.A', deadband: 5 },
  kVA: { ucum: 'kV.A', deadband: 0.01 },
  var: { ucum: 'V.A{reactive}', deadband: 5 },
  kvar: { ucum: 'kV.A{reactive}', deadband: 0.01 },
  Wh: { ucum: 'W.h', deadband: 0 },
  kWh: { ucum: 'kW.h', deadband: 0 },
  MWh: { ucum: 'MW.h', deadband: 0 },
  varh: { ucum: 'V.A.h{reactive}', deadband: 0 },
  kvarh: { ucum: 'kV.A.h{reactive}', deadband: 0 },
  kVAh: { ucum: 'kV.A.h', deadband: 0 },
  MJ: { ucum: 'MJ', deadband: 0 },
  GJ: { ucum: 'GJ', deadband: 0 },
  Hz: { ucum: 'Hz', deadband: 0.02 },
  '°C': { ucum: 'Cel', deadband: 0.1 },
  C: { ucum: 'Cel', deadband: 0.1 },
  K: { ucum: 'K', deadband: 0.1 },
  lx: { ucum: 'lx', deadband: 5 },
  'µg/m³': { ucum: 'ug/m3', deadband: 1 },
  'mg/m³': { ucum: 'mg/m3', deadband: 0.01 },
  Pa: { ucum: 'Pa', deadband: 1 },
  hPa: { ucum: 'hPa', deadband: 0.1 },
  kPa: { ucum: 'kPa', deadband: 0.1 },
  bar: { ucum: 'bar', deadband: 0.01 },
  'm³': { ucum: 'm3', deadband: 0 },
  'm³/h': { ucum: 'm3/h', deadband: 0.01 },
  'L/h': { ucum: 'L/h', deadband: 1 },
  L: { ucum: 'L', deadband: 0 },
  'L/min': { ucum: 'L/min', deadband: 0.1 },
  'kbit/s': { ucum: 'kbit/s', deadband: 10 },
  'Mbit/s': { ucum: 'Mbit/s', deadband: 0.1 },
  m: { ucum: 'm', deadband: 0.01 },
  mm: { ucum: 'mm', deadband: 1 },
  'm/s': { ucum: 'm/s', deadband: 0.1 },
  '°': { ucum: 'deg', deadband: 1 },
  dB: { ucum: 'dB', deadband: 1 },
  'dB(A)': { ucum: 'dB[SPL]', deadband: 1 },
  dBm: { ucum: 'dB{1mW}', deadband: 2 },
  ms: { ucum: 'ms', deadband: 0 },
  s: { ucum: 's', deadband: 0 },
  min: { ucum: 'min', deadband: 0 },
  h: { ucum: 'h', deadband: 0 },
  d: { ucum: 'd', deadband: 0 },
};

const byUcum = new Map<string, Unit>(Object.values(friendly).map((unit) => [unit.ucum, unit]));

/** Every way a unit may be written in a profile: friendly forms first, then UCUM codes. */
export const knownUnits: readonly string[] = [...new Set([...Object.keys(friendly), ...byUcum.keys()])];

function find(unit: string): Unit | undefined {
  // U+2103 and U+03BC look like the letters people mean.
  const plain = unit.replace('℃', '°C').replace('μ', 'µ');
  return Object.hasOwn(friendly, plain) ? friendly[plain] : byUcum.get(plain);
}

export function isKnownUnit(unit: string): boolean {
  return find(unit) !== undefined;
}

/** `kWh` -> `kW.h`; a UCUM code is returned as it is. Throws PROFILE_UNIT for anything else. */
export function toUcum(unit: string): string {
  const found = find(unit);
  if (found === undefined) throw new CodedError('PROFILE_UNIT', `unknown unit "${unit}"`);
  return found.ucum;
}

/** The change worth storing when a profile says nothing, in that unit. 0 for counters and pure numbers. */
export function defaultDeadband(ucum: string): number {
  return byUcum.get(ucum)?.deadband ?? 0;
}

/** `{quantity, perHour}` of a rate such as `120kW` for a counter in kW.h: the rise in the counter's unit per hour. */
export function ratePerHour(rate: string, counterUnit: string): number {
  const [, amount = '', unit = ''] = /^([\d.]+)\s*(.+)$/.exec(rate) ?? [];
  const perHour: Readonly<Record<string, string>> = {
    W: 'W.h',
    kW: 'kW.h',
    MW: 'MW.h',
    'm3/h': 'm3',
    'L/h': 'L',
    kvar: 'kV.A.h{reactive}',
  };
  const factor: Readonly<Record<string, number>> = {
    'W.h': 1,
    'kW.h': 1e3,
    'MW.h': 1e6,
    MJ: 1e6 / 3_600,
    GJ: 1e9 / 3_600,
  };
  const from = perHour[unit] ?? perHour[find(unit)?.ucum ?? ''];
  if (from !== undefined && amount !== '') {
    if (from === counterUnit) return Number(amount);
    const scale = (factor[from] ?? Number.NaN) / (factor[counterUnit] ?? Number.NaN);
    if (!Number.isNaN(scale)) return Number(amount) * scale;
  }
  throw new CodedError('PROFILE_UNIT', `"${rate}" is not a rate of a counter in ${counterUnit}`);
}
