import { CodedError } from '#edge/runtime/errors.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';

/*
 * Columns of float64, exact. Most meters speak in decimals: 230.1 is 2301 tenths, and tenths differ little from one sample
 * to the next. A meter that sends float32 (SDM630 and its kin) delivers 230.10000610351562: tenths again, once rounded to
 * float32. What is neither (a computed value, -0, infinity) goes as the XOR with its predecessor, byte plane by byte
 * plane, where slowly changing values leave zeros for deflate.
 */
const most = 9;
const float32Base = 16;
const rawFloat32 = 32;
const rawFloat64 = 33;
/** Differences of two such numbers, doubled by zigzag, stay below 2^53. */
const largest = 2 ** 50;

export function encodeNumbers(values: readonly number[], writer: ByteWriter): void {
  const asDecimals = scale(values, (v) => v);
  const single = values.every((v) => Object.is(Math.fround(v), v));
  const asFloat32 = asDecimals === null && single ? scale(values, Math.fround) : null;
  if (asDecimals !== null) encodeScaled(asDecimals.digits, asDecimals.scaled, writer);
  else if (asFloat32 !== null) encodeScaled(float32Base + asFloat32.digits, asFloat32.scaled, writer);
  else {
    writer.byte(single ? rawFloat32 : rawFloat64);
    writer.bytes(toPlanes(single ? new Float32Array(values) : new Float64Array(values)));
  }
}

/** The first `count` of what is returned, which is `room` where that is large enough. */
export function decodeNumbers(reader: ByteReader, count: number, room: Float64Array): Float32Array | Float64Array {
  if (count === 0) return room;
  const mode = reader.byte();
  if (mode <= most) return decodeScaled(reader, count, mode, room);
  if (mode >= float32Base && mode <= float32Base + most) {
    return Float32Array.from(decodeScaled(reader, count, mode - float32Base, room));
  }
  if (mode === rawFloat32) return fromPlanes(reader.bytes(count * 4), new Float32Array(count));
  if (mode === rawFloat64) return fromPlanes(reader.bytes(count * 8), new Float64Array(count));
  throw new CodedError('STORE_BAD_BLOCK', `unknown number encoding ${mode}`);
}

/** All values as whole numbers of 10^-digits, for the least digits that give every one of them back; null if none do. */
function scale(values: readonly number[], round: (v: number) => number): { digits: number; scaled: number[] } | null {
  for (let digits = 0; digits <= most; digits++) {
    const power = 10 ** digits;
    const scaled: number[] = [];
    for (const value of values) {
      const whole = Math.round(value * power);
      if (!(Math.abs(whole) <= largest)) return null;
      if (!Object.is(round(whole / power), value)) break;
      scaled.push(whole);
    }
    if (scaled.length === values.length) return { digits, scaled };
  }
  return null;
}

function encodeScaled(mode: number, scaled: readonly number[], writer: ByteWriter): void {
  writer.byte(mode);
  let before = 0;
  for (const value of scaled) {
    writer.signed(value - before);
    before = value;
  }
}

function decodeScaled(reader: ByteReader, count: number, digits: number, room: Float64Array): Float64Array {
  if (count > reader.left) throw new CodedError('STORE_BAD_BLOCK', `${count} numbers in ${reader.left} bytes`);
  const values = count <= room.length ? room : new Float64Array(count);
  reader.column(values, 0, count);
  const power = 10 ** digits;
  let whole = 0;
  for (let i = 0; i < count; i++) {
    whole += values[i] ?? 0;
    values[i] = whole / power;
  }
  return values;
}

type Floats = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

function toPlanes(values: Floats): Uint8Array {
  const width = values.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(values.buffer);
  const out = new Uint8Array(bytes.length);
  for (let i = 0; i < values.length; i++) {
    for (let b = 0; b < width; b++) {
      const before = i === 0 ? 0 : (bytes[(i - 1) * width + b] ?? 0);
      out[b * values.length + i] = (bytes[i * width + b] ?? 0) ^ before;
    }
  }
  return out;
}

function fromPlanes(planes: Uint8Array, into: Floats): Floats {
  const width = into.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(into.buffer);
  for (let i = 0; i < into.length; i++) {
    for (let b = 0; b < width; b++) {
      const before = i === 0 ? 0 : (bytes[(i - 1) * width + b] ?? 0);
      bytes[i * width + b] = (planes[b * into.length + i] ?? 0) ^ before;
    }
  }
  return into;
}
