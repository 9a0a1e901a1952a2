import type { Value } from '#edge/domain/reading.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { toNetworkOrder } from './decode.ts';
import type { RegisterFormat } from './modbus-address.ts';

const refuse = (message: string): never => {
  throw new CodedError('PROFILE_NOT_ENCODABLE', message);
};

const integers: Readonly<Record<string, readonly [bigint, bigint]>> = {
  u16: [0n, 0xffffn],
  s16: [-0x8000n, 0x7fffn],
  u32: [0n, 0xffff_ffffn],
  s32: [-0x8000_0000n, 0x7fff_ffffn],
  u64: [0n, 0xffff_ffff_ffff_ffffn],
  s64: [-0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn],
};

function encodeInteger(raw: number, as: string, bytes: Buffer): void {
  const [low, high] = integers[as] ?? refuse(`${as} is not an integer encoding`);
  const whole = BigInt(Math.round(raw));
  if (whole < low || whole > high) refuse(`${raw} does not fit ${as}`);
  const unsigned = BigInt.asUintN(bytes.length * 8, whole);
  bytes.write(unsigned.toString(16).padStart(bytes.length * 2, '0'), 'hex');
}

function encodeBcd(raw: number, bytes: Buffer): void {
  const digits = String(Math.round(raw)).padStart(bytes.length * 2, '0');
  if (!/^\d+$/.test(digits) || digits.length > bytes.length * 2)
    refuse(`${raw} does not fit ${bytes.length * 2} digits`);
  bytes.write(digits, 'hex');
}

function rawNumber(format: RegisterFormat, value: Value, factor: number): number {
  if (format.enum !== undefined) {
    const entry = Object.entries(format.enum).find(([, word]) => word === value);
    return entry === undefined
      ? refuse(`${JSON.stringify(value)} is none of ${Object.values(format.enum).join(', ')}`)
      : Number(entry[0]);
  }
  if (format.text === true && typeof value === 'string' && /^-?\d{1,15}$/.test(value)) return Number(value);
  if (typeof value !== 'number' || !Number.isFinite(value)) return refuse(`${JSON.stringify(value)} is not a number`);
  if (format.scale === 1 && format.offset === 0 && factor === 1) return value;
  return Number(((value - format.offset) / (format.scale * factor)).toPrecision(15));
}

function encodeText(value: Value, length: number, order: RegisterFormat['order']): Buffer {
  const bytes = Buffer.alloc(length * 2);
  bytes.write(String(value), 'latin1');
  return order === 'BADC' || order === 'DCBA' ? bytes.swap16() : bytes;
}

/**
 * A value -> its registers' bytes in wire order, `length` registers long: the inverse of `decodeRegisters`.
 * Throws PROFILE_NOT_ENCODABLE when the value does not fit or its profile forbids it; a single bit of a register is not writable
 * by itself.
 */
export function encodeRegisters(format: RegisterFormat, length: number, value: Value, factor = 1): Buffer {
  if (format.forbidden?.includes(value) === true) refuse(`${JSON.stringify(value)} must never be written here`);
  if (format.as === 'str') return encodeText(value, length, format.order);
  const bytes = Buffer.alloc(length * 2);
  if (format.as === 'bool') {
    if (typeof value !== 'boolean') refuse(`${JSON.stringify(value)} is not true or false`);
    if (format.bit !== undefined) refuse('one bit of a register cannot be written by itself');
    bytes.writeUInt16BE(value === true ? 1 : 0);
  } else {
    const raw = rawNumber(format, value, factor);
    if (format.as === 'f32') bytes.writeFloatBE(raw);
    else if (format.as === 'f64') bytes.writeDoubleBE(raw);
    else if (format.as === 'bcd' || format.as === 'bcd32') encodeBcd(raw, bytes);
    else encodeInteger(raw, format.as, bytes);
  }
  // Every order is its own inverse.
  return toNetworkOrder(bytes, format.order);
}
