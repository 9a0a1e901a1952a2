import type { Value } from '#edge/domain/reading.ts';
import { type Decoded, noValue } from './decode.ts';

/* What the two Chinese meter protocols have in common: numbers and times as decimal digits, usually lowest byte first. */

/** `06 12 00` read lowest byte first -> `001206`; bytes that are no decimal digits -> null. */
export function digitsOf(bytes: Buffer, order: 'low' | 'high'): string | null {
  const ordered = order === 'low' ? Buffer.from(bytes).reverse() : bytes;
  const digits = ordered.toString('hex');
  return /^\d+$/.test(digits) ? digits : null;
}

/** Removes what binary multiplication adds. Twelve digits are more than any meter has. */
export function scaled(digits: string, scale: number): number {
  return Number((Number(digits) * scale).toPrecision(12));
}

/** Outside its believable range a value is uncertain, never dropped. */
export function judged(value: Value, range: readonly [number, number] | undefined): Decoded {
  const isOutside = range !== undefined && typeof value === 'number' && (value < range[0] || value > range[1]);
  return isOutside ? { value, quality: 'uncertain', reason: 'out-of-range' } : { value, quality: 'good' };
}

/** Bytes that cannot be what they should: the meter has no value there, or a broken one. */
export const noDigits = (): Decoded => noValue('device-failure');
