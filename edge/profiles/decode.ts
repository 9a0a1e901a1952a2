import type { Quality, Reason, Sample, Value } from '#edge/domain/reading.ts';
import type { RegisterFormat } from './modbus-address.ts';

/** A sample without its name. */
export type Decoded = Pick<Sample, 'value' | 'quality' | 'reason'>;

export const noValue = (reason: Reason): Decoded => ({ value: null, quality: 'bad', reason });

/** Brings the bytes of a value, as they came over the wire, into network order (ABCD). */
export function toNetworkOrder(bytes: Buffer, order: RegisterFormat['order']): Buffer {
  const ordered = Buffer.from(bytes);
  if (order === 'DCBA') return ordered.reverse();
  if (order === 'CDAB') return ordered.reverse().swap16();
  if (order === 'BADC') return ordered.swap16();
  return ordered;
}

/** Text keeps the order of its words: only the two letters of a register may be swapped. */
function decodeText(bytes: Buffer, order: RegisterFormat['order']): Decoded {
  const swapped = order === 'BADC' || order === 'DCBA' ? Buffer.from(bytes).swap16() : bytes;
  const text = swapped.toString('latin1').split('\0', 1)[0]?.trim() ?? '';
  return { value: text, quality: 'good' };
}

function decodeBcd(bytes: Buffer): number {
  const digits = bytes.toString('hex');
  return /^\d+$/.test(digits) ? Number(digits) : Number.NaN;
}

const powersOfTen = [1, 10, 100, 1_000, 10_000];

/** The shortest decimal that is the same float32: the meter's display says 230.2, not 230.1999969482422. */
export function shortestFloat32(value: number): number {
  if (!Number.isFinite(value)) return value;
  // Most values of a meter have few decimals, and rounding costs a tenth of writing digits down and reading them again.
  for (const power of powersOfTen) {
    const raw = value * power;
    if (raw >= 1e7 || raw <= -1e7) break;
    const short = Math.round(raw) / power;
    if (Math.fround(short) === value) return short === 0 ? 0 : short;
  }
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

function toNumber(bytes: Buffer, as: Exclude<RegisterFormat['as'], 'str' | 'bool'>): number {
  switch (as) {
    case 'u16':
      return bytes.readUInt16BE();
    case 's16':
    case 'sunssf':
      return bytes.readInt16BE();
    case 'u32':
      return bytes.readUInt32BE();
    case 's32':
      return bytes.readInt32BE();
    case 'u64':
      return Number(bytes.readBigUInt64BE());
    case 's64':
      return Number(bytes.readBigInt64BE());
    case 'f32':
      return shortestFloat32(bytes.readFloatBE());
    case 'f64':
      return bytes.readDoubleBE();
    case 'bcd':
    case 'bcd32':
      return decodeBcd(bytes);
  }
}

/** Removes what binary multiplication adds: 2302 * 0.1 is 230.2. Twelve digits are more than any meter has. */
function scaled(raw: number, { scale, offset }: RegisterFormat, factor: number): number {
  if (scale === 1 && offset === 0 && factor === 1) return raw;
  return Number((raw * scale * factor + offset).toPrecision(12));
}

/** Numbers that are names keep all their digits: 64 bits do not fit a number, and BCD may begin with zeros. */
function decodeName(ordered: Buffer, as: RegisterFormat['as']): Decoded {
  const digits = ordered.toString('hex');
  if (as === 'bcd' || as === 'bcd32')
    return /^\d+$/.test(digits) ? { value: digits, quality: 'good' } : noValue('device-failure');
  const unsigned = BigInt(`0x${digits}`);
  const isSigned = as === 's16' || as === 's32' || as === 's64';
  const exact = isSigned ? BigInt.asIntN(ordered.length * 8, unsigned) : unsigned;
  return { value: exact.toString(), quality: 'good' };
}

/** Beyond 1 a power factor over four quadrants leads: 1.05 is 0.95, -1.2 is -0.8 (Schneider iEM3000 and PM5000 manuals). */
function unfoldPowerFactor(value: number): number {
  const size = Math.abs(value);
  return size <= 1 ? value : Number((Math.sign(value) * (2 - size)).toPrecision(6));
}

function decodeFlag(ordered: Buffer, bit: number | undefined): Decoded {
  const word = ordered.readUIntBE(0, ordered.length);
  return { value: bit === undefined ? word !== 0 : Math.floor(word / 2 ** bit) % 2 === 1, quality: 'good' };
}

function isInvalid(format: RegisterFormat, ordered: Buffer): boolean {
  return format.invalid.length > 0 && format.invalid.includes(BigInt(`0x${ordered.toString('hex')}`).toString());
}

/**
 * Raw register bytes, in wire order -> value and quality; `factor` is the product of what the value is scaled from. Never throws
 * for what a device can send; throws RangeError only when there are fewer bytes than the format needs (a bug of the caller).
 */
export function decodeRegisters(
  format: RegisterFormat,
  bytes: Buffer,
  range?: readonly [number, number],
  factor = 1,
): Decoded {
  if (format.as === 'str') return decodeText(bytes, format.order);
  const ordered = toNetworkOrder(bytes, format.order);
  if (isInvalid(format, ordered)) return noValue('device-failure');
  if (format.as === 'bool') return decodeFlag(ordered, format.bit);
  if (format.text === true) return decodeName(ordered, format.as);
  const raw = toNumber(ordered, format.as);
  if (!Number.isFinite(raw)) return noValue('device-failure');
  if (format.enum !== undefined) {
    const word = Object.hasOwn(format.enum, String(raw)) ? format.enum[String(raw)] : undefined;
    return word === undefined ? outOfRange(String(raw)) : { value: word, quality: 'good' };
  }
  const value = scaled(raw, format, factor);
  if (format.pf4q !== true) return judgeRange(value, range);
  return Math.abs(value) > 2 ? outOfRange(value) : judgeRange(unfoldPowerFactor(value), range);
}

/** SunSpec allows exponents from -10 to 10; 0x8000 says that there is none. */
const largestExponent = 10;

/** What a register that scales others says: the power of ten of a `sunssf`, a number otherwise. null: it says nothing usable. */
export function decodeFactor(format: RegisterFormat, bytes: Buffer): number | null {
  const { value } = decodeRegisters(format, bytes);
  if (typeof value !== 'number') return null;
  if (format.as !== 'sunssf') return value;
  return Math.abs(value) <= largestExponent ? Number(`1e${value}`) : null;
}

const outOfRange = (value: Value): Decoded => ({
  value,
  quality: 'uncertain' satisfies Quality,
  reason: 'out-of-range',
});

/** Outside its believable range a value is uncertain, never dropped: the person must see what the device said. */
function judgeRange(value: number, range: readonly [number, number] | undefined): Decoded {
  if (range !== undefined && (value < range[0] || value > range[1])) return outOfRange(value);
  return { value, quality: 'good' };
}

/** The n-th bit of a coil or discrete answer: first coil = lowest bit of the first byte. */
export function decodeBit(bytes: Buffer, index: number): Decoded {
  return { value: ((bytes[index >> 3] ?? 0) & (1 << (index & 7))) !== 0, quality: 'good' };
}
