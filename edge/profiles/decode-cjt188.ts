import type { Cjt188Address } from './cjt188-address.ts';
import { type Decoded, noValue } from './decode.ts';
import { digitsOf, judged, noDigits, scaled } from './decode-bcd.ts';

/*
 * Units a meter says in a byte behind the number: CJ/T 188-2004, table of unit codes. To the base unit of its quantity:
 * J, W, m3, m3/h.
 */
const units: Readonly<
  Record<number, { readonly of: 'energy' | 'power' | 'volume' | 'flow'; readonly factor: number }>
> = {
  1: { of: 'energy', factor: 1 },
  2: { of: 'energy', factor: 3_600 },
  5: { of: 'energy', factor: 3.6e6 },
  8: { of: 'energy', factor: 3.6e9 },
  10: { of: 'energy', factor: 3.6e11 },
  11: { of: 'energy', factor: 1e3 },
  14: { of: 'energy', factor: 1e6 },
  17: { of: 'energy', factor: 1e9 },
  19: { of: 'energy', factor: 1e11 },
  20: { of: 'power', factor: 1 },
  23: { of: 'power', factor: 1e3 },
  26: { of: 'power', factor: 1e6 },
  41: { of: 'volume', factor: 1e-3 },
  44: { of: 'volume', factor: 1 },
  50: { of: 'flow', factor: 1e-3 },
  53: { of: 'flow', factor: 1 },
};

/** What a point may want them in (UCUM). */
const wanted: Readonly<Record<string, { readonly of: string; readonly factor: number }>> = {
  J: { of: 'energy', factor: 1 },
  kJ: { of: 'energy', factor: 1e3 },
  MJ: { of: 'energy', factor: 1e6 },
  GJ: { of: 'energy', factor: 1e9 },
  'W.h': { of: 'energy', factor: 3_600 },
  'kW.h': { of: 'energy', factor: 3.6e6 },
  'MW.h': { of: 'energy', factor: 3.6e9 },
  W: { of: 'power', factor: 1 },
  kW: { of: 'power', factor: 1e3 },
  MW: { of: 'power', factor: 1e6 },
  L: { of: 'volume', factor: 1e-3 },
  m3: { of: 'volume', factor: 1 },
  'L/h': { of: 'flow', factor: 1e-3 },
  'm3/h': { of: 'flow', factor: 1 },
};

/** Units (UCUM) that a value with a unit byte can be had in. */
export const cjt188Units: readonly string[] = Object.keys(wanted);

/**
 * Data of an answer, behind DI and SER, as on the wire -> value and quality. A value that the answer is too short for, or whose
 * unit byte is another quantity, is a configuration error, never a number. Never throws for what a meter can send.
 */
export function decodeCjt188(address: Cjt188Address, data: Buffer, range?: readonly [number, number]): Decoded {
  const { at, length, unitByte } = address;
  if (data.length < at + length + (unitByte === true ? 1 : 0)) return noValue('configuration-error');
  const bytes = data.subarray(at, at + length);
  if (address.format === 'status') return decodeStatus(address, bytes);
  const digits = digitsOf(bytes, address.order);
  if (digits === null) return noDigits();
  if (address.format === 'time') return decodeTime(digits);
  if (unitByte !== true) return judged(scaled(digits, address.scale), range);
  const factor = factorOf(data[at + length] ?? 0, address.unit);
  return factor === null ? noValue('configuration-error') : judged(scaled(digits, address.scale * factor), range);
}

/** From what the meter counts in to what the point is in; null: they are not the same quantity. */
function factorOf(code: number, unit: string): number | null {
  const from = units[code];
  const to = wanted[unit];
  return from === undefined || to === undefined || from.of !== to.of ? null : from.factor / to.factor;
}

function decodeStatus({ bit = 0, width = 1, enum: words }: Cjt188Address, bytes: Buffer): Decoded {
  const raw = (bytes.readUIntLE(0, Math.min(bytes.length, 6)) >>> bit) & (2 ** width - 1);
  if (words === undefined) return { value: raw !== 0, quality: 'good' };
  const word = Object.hasOwn(words, String(raw)) ? words[String(raw)] : undefined;
  return word === undefined
    ? { value: String(raw), quality: 'uncertain', reason: 'out-of-range' }
    : { value: word, quality: 'good' };
}

/** CC YY MM DD hh mm ss, once it is turned round. */
function decodeTime(digits: string): Decoded {
  const [, date, month, day, hour, minute, second] = /^(\d{4})(..)(..)(..)(..)(..)$/.exec(digits) ?? [];
  if (second === undefined) return noDigits();
  return { value: `${date}-${month}-${day} ${hour}:${minute}:${second}`, quality: 'good' };
}
