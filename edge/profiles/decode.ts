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

/** The shortest decimal that is the same float32: the meter's display says 230.2, not 230.1999969482422. */
export function shortestFloat32(value: number): number {
  if (!Number.isFinite(value)) return value;
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
function scaled(raw: number, { scale, offset }: RegisterFormat): number {
  if (scale === 1 && offset === 0) return raw;
  return Number((raw * scale + offset).toPrecision(12));
}

/**
 * Raw register bytes, in wire order -> value and quality. Never throws for what a device can send; throws RangeError only
 * when there are fewer bytes than the format needs (a bug of the caller).
 */
export function decodeRegisters(format: RegisterFormat, bytes: Buffer, range?: readonly [number, number]): Decoded {
  if (format.as === 'str') return decodeText(bytes, format.order);
  const ordered = toNetworkOrder(bytes, format.order);
  if (format.invalid.length > 0) {
    const pattern = BigInt(`0x${ordered.toString('hex')}`).toString();
    if (format.invalid.includes(pattern)) return noValue('device-failure');
  }
  if (format.as === 'bool') {
    const word = ordered.readUInt16BE();
    return { value: format.bit === undefined ? word !== 0 : (word & (1 << format.bit)) !== 0, quality: 'good' };
  }
  const raw = toNumber(ordered, format.as);
  if (!Number.isFinite(raw)) return noValue('device-failure');
  if (format.enum !== undefined) {
    const word = Object.hasOwn(format.enum, String(raw)) ? format.enum[String(raw)] : undefined;
    return word === undefined ? outOfRange(String(raw)) : { value: word, quality: 'good' };
  }
  return judgeRange(scaled(raw, format), range);
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
