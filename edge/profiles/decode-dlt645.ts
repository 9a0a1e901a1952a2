import { type Decoded, noValue } from './decode.ts';
import { digitsOf, judged, noDigits, scaled } from './decode-bcd.ts';
import type { Dlt645Address } from './dlt645-address.ts';

/**
 * Data of an answer -> value and quality. `data` is everything behind the identifier, as it came over the wire with 33H taken
 * off; `block` says that it answers `address.block` and not the value's own identifier. Data of another length than the profile
 * says are a configuration error, never a number. Never throws for what a meter can send.
 */
export function decodeDlt645(
  address: Dlt645Address,
  data: Buffer,
  options: { readonly range?: readonly [number, number] | undefined; readonly block?: boolean } = {},
): Decoded {
  const bytes = options.block === true ? fromBlock(address, data) : fromOwn(address, data);
  if (bytes === null) return noValue('configuration-error');
  const printed = Buffer.from(bytes).reverse().toString('hex').toUpperCase();
  if (address.invalid?.includes(printed) === true) return noValue('device-failure');
  switch (address.format) {
    case 'bcd':
      return decodeNumber(address, bytes, options.range);
    case 'digits': {
      const digits = digitsOf(bytes, 'low');
      return digits === null ? noDigits() : { value: digits, quality: 'good' };
    }
    case 'text':
      return decodeText(bytes);
    case 'bits':
      return decodeBits(address, bytes);
    case 'time':
      return decodeTime(bytes);
  }
}

function fromOwn({ length, part }: Dlt645Address, data: Buffer): Buffer | null {
  if (data.length !== (part?.length ?? length)) return null;
  return data.subarray(part?.offset ?? 0, (part?.offset ?? 0) + length);
}

/** A single-phase meter answers a block with the values it has; what is behind them it has not. */
function fromBlock({ length, block }: Dlt645Address, data: Buffer): Buffer | null {
  if (block === undefined || data.length < block.offset + length) return null;
  return data.subarray(block.offset, block.offset + length);
}

function decodeNumber(address: Dlt645Address, bytes: Buffer, range: readonly [number, number] | undefined): Decoded {
  const plain = Buffer.from(bytes);
  const top = plain.at(-1) ?? 0;
  const isNegative = address.signed && (top & 0x80) !== 0;
  if (isNegative) plain[plain.length - 1] = top & 0x7f;
  const digits = digitsOf(plain, 'low');
  if (digits === null) return noDigits();
  const value = scaled(digits, address.scale);
  // Not -0.
  return judged(isNegative && value !== 0 ? -value : value, range);
}

/** ASCII travels like everything else, last letter first; meters fill with 00 or FF. */
function decodeText(bytes: Buffer): Decoded {
  const text = Buffer.from(bytes)
    .reverse()
    .toString('latin1')
    .replaceAll(/[\0\xff]/g, '')
    .trim();
  return { value: text, quality: 'good' };
}

function decodeBits({ bit, invert, length }: Dlt645Address, bytes: Buffer): Decoded {
  if (bit === undefined) return { value: bytes.readUIntLE(0, Math.min(length, 6)), quality: 'good' };
  const isSet = ((bytes[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
  return { value: isSet !== (invert === true), quality: 'good' };
}

/** Which two digits of each are what, by length: hhmmss, YYMMDDWW, YYMMDDhhmm, YYMMDDhhmmss, YYMMDDWWhhmmss. */
const layouts: Readonly<Record<number, string>> = {
  3: 'hms',
  4: 'YMDW',
  5: 'YMDhm',
  6: 'YMDhms',
  7: 'YMDWhms',
};

function decodeTime(bytes: Buffer): Decoded {
  const layout = layouts[bytes.length];
  const digits = digitsOf(bytes, 'low');
  if (layout === undefined || digits === null) return noDigits();
  const parts = new Map([...layout].map((letter, i) => [letter, digits.slice(2 * i, 2 * i + 2)]));
  const date = ['Y', 'M', 'D'].flatMap((letter) => parts.get(letter) ?? []);
  const time = ['h', 'm', 's'].flatMap((letter) => parts.get(letter) ?? []);
  const words = [...(date.length === 0 ? [] : [`20${date.join('-')}`]), ...(time.length === 0 ? [] : [time.join(':')])];
  return { value: words.join(' '), quality: 'good' };
}
