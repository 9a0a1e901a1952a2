import { isUtf8 } from 'node:buffer';
import snmp, { type Varbind } from 'net-snmp';
import type { Sample, Value } from '#edge/domain/reading.ts';
import type { SnmpAddress } from '#edge/profiles/snmp-address.ts';

/** A sample without its name. */
export type Decoded = Pick<Sample, 'value' | 'quality' | 'reason'>;

const { ObjectType } = snmp;
const absent: ReadonlySet<number> = new Set([
  ObjectType.NoSuchObject,
  ObjectType.NoSuchInstance,
  ObjectType.EndOfMibView,
]);
const maxText = 256;

export const noValue = (reason: NonNullable<Sample['reason']>): Decoded => ({ value: null, quality: 'bad', reason });

/** The agent says that it has no such thing. */
export function isAbsent({ type }: Varbind): boolean {
  return absent.has(type);
}

/** A counter as it stands, and where it wraps; null for anything that is no number. */
export function countOf({ type, value }: Varbind): { readonly count: bigint; readonly wraps: boolean } | null {
  if (type === ObjectType.Counter64) {
    // A number of 8 bytes, without the zeros in front (and perhaps one more for the sign).
    if (!Buffer.isBuffer(value) || value.length === 0 || value.length > 9) return null;
    return { count: BigInt.asUintN(64, BigInt(`0x${value.toString('hex')}`)), wraps: false };
  }
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) return null;
  return { count: BigInt(value), wraps: type === ObjectType.Counter };
}

/** What the agent said -> a value of the point's type. A rate is not decoded here. */
export function decodeVarbind(address: SnmpAddress, varbind: Varbind): Decoded {
  const plain = plainOf(varbind);
  if (plain === null) return noValue('communication-error');
  if (address.map !== undefined) {
    const key = String(plain);
    const meaning = Object.hasOwn(address.map, key) ? address.map[key] : undefined;
    if (meaning !== undefined) return { value: meaning, quality: 'good' };
    // A word that the profile does not know: people must see what the device said, if the point can carry it.
    return address.type === 'text'
      ? { value: key.slice(0, maxText), quality: 'uncertain', reason: 'out-of-range' }
      : noValue('communication-error');
  }
  if (address.type === 'text') return { value: String(plain).slice(0, maxText), quality: 'good' };
  const number = typeof plain === 'number' ? plain : plain.trim() === '' ? Number.NaN : Number(plain);
  return Number.isFinite(number) ? { value: scaled(number, address), quality: 'good' } : noValue('communication-error');
}

/** Twelve digits are more than any switch has; the rest is what binary multiplication adds. */
export function scaled(raw: number, { scale, offset }: Pick<SnmpAddress, 'scale' | 'offset'>): number {
  if (scale === 1 && offset === 0) return raw;
  return Number((raw * scale + offset).toPrecision(12));
}

/** The number that means this value; null when none does, or it is not a whole number of 32 bits. */
export function encodeInteger(address: SnmpAddress, value: Value): number | null {
  const raw =
    address.map === undefined
      ? typeof value === 'number'
        ? (value - address.offset) / address.scale
        : Number.NaN
      : Number(Object.entries(address.map).find(([, meaning]) => meaning === value)?.[0] ?? Number.NaN);
  const whole = Math.round(raw);
  return Math.abs(whole - raw) < 1e-6 && Math.abs(whole) <= 0x7fff_ffff ? whole : null;
}

function plainOf(varbind: Varbind): number | string | null {
  const { type, value } = varbind;
  if (type === ObjectType.Counter64) return Number(countOf(varbind)?.count ?? Number.NaN);
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return value;
  if (!Buffer.isBuffer(value)) return null;
  // A name is text; an address or a bit field is not.
  const text = isUtf8(value) ? value.toString('utf8').replace(/\0+$/, '') : '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what has these is not text
  return text === '' || /[\u0000-\u0008\u000e-\u001f\u007f]/.test(text) ? value.toString('hex') : text;
}
