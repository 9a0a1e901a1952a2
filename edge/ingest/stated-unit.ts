import { isKnownUnit, toUcum } from '#edge/profiles/units.ts';

/*
 * Units as devices state them. A value is converted only where the device itself says that it speaks another unit
 * (Home Assistant's unit_of_measurement, Tasmota's TempUnit), never by guessing from its size.
 */

interface Scale {
  /** Units convert only within a dimension. */
  readonly dimension: string;
  /** base = value * factor + offset */
  readonly factor: number;
  readonly offset: number;
}

const linear = (dimension: string, factor: number, offset = 0): Scale => ({ dimension, factor, offset });

/** By UCUM code; `%` and `%{RH}` are one dimension because most devices write relative humidity as %. */
const scales: Readonly<Record<string, Scale>> = {
  Cel: linear('temperature', 1),
  K: linear('temperature', 1, -273.15),
  '[degF]': linear('temperature', 5 / 9, -160 / 9),
  '%': linear('ratio', 1),
  '%{RH}': linear('ratio', 1),
  '[ppm]': linear('fraction', 1),
  '[ppb]': linear('fraction', 1e-3),
  'ug/m3': linear('density', 1),
  'mg/m3': linear('density', 1e3),
  W: linear('power', 1),
  kW: linear('power', 1e3),
  MW: linear('power', 1e6),
  'W.h': linear('energy', 1),
  'kW.h': linear('energy', 1e3),
  'MW.h': linear('energy', 1e6),
  mV: linear('voltage', 1e-3),
  V: linear('voltage', 1),
  kV: linear('voltage', 1e3),
  mA: linear('current', 1e-3),
  A: linear('current', 1),
  Pa: linear('pressure', 1),
  hPa: linear('pressure', 1e2),
  kPa: linear('pressure', 1e3),
  bar: linear('pressure', 1e5),
  'mm[Hg]': linear('pressure', 133.322),
  "[in_i'Hg]": linear('pressure', 3386.39),
  '[psi]': linear('pressure', 6894.76),
  L: linear('volume', 1),
  m3: linear('volume', 1e3),
  mm: linear('length', 1e-3),
  cm: linear('length', 1e-2),
  m: linear('length', 1),
  'm/s': linear('speed', 1),
  'km/h': linear('speed', 1 / 3.6),
  ms: linear('time', 1e-3),
  s: linear('time', 1),
  min: linear('time', 60),
  h: linear('time', 3600),
  d: linear('time', 86_400),
};

/** What devices write and profiles do not. */
const stated: Readonly<Record<string, string>> = {
  '°F': '[degF]',
  F: '[degF]',
  mbar: 'hPa',
  mmHg: 'mm[Hg]',
  inHg: "[in_i'Hg]",
  psi: '[psi]',
  cm: 'cm',
  'km/h': 'km/h',
  'ug/m3': 'ug/m3',
  'ug/m³': 'ug/m3',
  lux: 'lx',
  m3: 'm3',
};

/** Units that people of a campus read in another one. */
const preferred: Readonly<Record<string, string>> = {
  '[degF]': 'Cel',
  K: 'Cel',
  'mm[Hg]': 'hPa',
  "[in_i'Hg]": 'hPa',
  '[psi]': 'hPa',
  cm: 'm',
  'km/h': 'm/s',
};

/** UCUM code of a unit as a device writes it; null when nobody knows it. */
export function ucumOf(unit: string): string | null {
  const text = unit.trim().replace('℃', '°C').replace('℉', '°F').replace('μ', 'µ');
  if (Object.hasOwn(stated, text)) return stated[text] ?? null;
  return isKnownUnit(text) ? toUcum(text) : null;
}

/** The unit in which a point discovered with this UCUM code is kept. */
export function keptUnit(ucum: string): string {
  return Object.hasOwn(preferred, ucum) ? (preferred[ucum] ?? ucum) : ucum;
}

/** A function from one UCUM unit to another; null when they measure different things. */
export function converter(from: string, to: string): ((value: number) => number) | null {
  if (from === to) return (value) => value;
  const source = Object.hasOwn(scales, from) ? scales[from] : undefined;
  const target = Object.hasOwn(scales, to) ? scales[to] : undefined;
  if (source === undefined || target === undefined || source.dimension !== target.dimension) return null;
  return (value) => round((value * source.factor + source.offset - target.offset) / target.factor);
}

/** Binary noise of the conversion (19.99999999999997) is not a measurement. */
function round(value: number): number {
  return Number(value.toPrecision(12));
}
