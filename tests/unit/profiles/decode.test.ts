import { describe, expect, it } from 'vitest';
import { decodeBit, decodeRegisters, shortestFloat32, toNetworkOrder } from '#edge/profiles/decode.ts';
import { encodeRegisters } from '#edge/profiles/encode.ts';
import type { RegisterFormat } from '#edge/profiles/modbus-address.ts';

const format = (as: RegisterFormat['as'], more: Partial<RegisterFormat> = {}): RegisterFormat => ({
  as,
  order: 'ABCD',
  scale: 1,
  offset: 0,
  invalid: [],
  ...more,
});
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const orders = ['ABCD', 'CDAB', 'BADC', 'DCBA'] as const;

/** A small generator with a seed: a failure can be run again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('decoding registers', () => {
  it.each([
    ['ABCD', '01 02 03 04'],
    ['CDAB', '03 04 01 02'],
    ['BADC', '02 01 04 03'],
    ['DCBA', '04 03 02 01'],
  ] as const)('reads 0x01020304 sent as %s', (order, bytes) => {
    expect(decodeRegisters(format('u32', { order }), hex(bytes)).value).toBe(0x01020304);
  });

  it.each([
    ['ABCD', '01 02 03 04 05 06 07 08'],
    ['CDAB', '07 08 05 06 03 04 01 02'],
    ['BADC', '02 01 04 03 06 05 08 07'],
    ['DCBA', '08 07 06 05 04 03 02 01'],
  ] as const)('reads 64 bits sent as %s', (order, bytes) => {
    expect(toNetworkOrder(hex(bytes), order).toString('hex')).toBe('0102030405060708');
  });

  it('shows a float32 as the display does', () => {
    expect(decodeRegisters(format('f32'), hex('43 66 33 33')).value).toBe(230.2);
    expect(decodeRegisters(format('u16', { scale: 0.1 }), hex('08 fe')).value).toBe(230.2);
  });

  it.each([
    ['f32', '7f c0 00 00'],
    ['f32', 'ff 80 00 00'],
    ['f64', '7f f0 00 00 00 00 00 00'],
    ['bcd', '12 3f'],
  ] as const)('calls a %s that is no number a device failure (%s)', (as, bytes) => {
    expect(decodeRegisters(format(as), hex(bytes))).toEqual({ value: null, quality: 'bad', reason: 'device-failure' });
  });

  it('calls the pattern for "no value" a device failure, in wire order', () => {
    const invalid = [BigInt('0x8000000000000000').toString()];
    const s64 = format('s64', { invalid, order: 'DCBA' });
    expect(decodeRegisters(s64, hex('00 00 00 00 00 00 00 80')).reason).toBe('device-failure');
    expect(decodeRegisters(format('s16', { invalid: ['32767'] }), hex('7f ff')).quality).toBe('bad');
    expect(decodeRegisters(format('s16', { invalid: ['32767'] }), hex('7f fe')).value).toBe(32766);
  });

  it('keeps a value outside its range, as uncertain', () => {
    const decoded = decodeRegisters(format('u16'), hex('01 90'), [0, 300]);
    expect(decoded).toEqual({ value: 400, quality: 'uncertain', reason: 'out-of-range' });
  });

  it('reads words of an enum, and an unknown one as uncertain', () => {
    const mode = format('u16', { enum: { '1': 'heat', '2': 'cool' } });
    expect(decodeRegisters(mode, hex('00 02'))).toEqual({ value: 'cool', quality: 'good' });
    expect(decodeRegisters(mode, hex('00 07'))).toEqual({ value: '7', quality: 'uncertain', reason: 'out-of-range' });
  });

  it('reads text, bits and coils', () => {
    expect(decodeRegisters(format('str'), hex('41 42 43 00')).value).toBe('ABC');
    expect(decodeRegisters(format('str', { order: 'BADC' }), hex('42 41 00 43')).value).toBe('ABC');
    expect(decodeRegisters(format('bool', { bit: 3 }), hex('00 08')).value).toBe(true);
    expect(decodeBit(hex('00 02'), 9).value).toBe(true);
  });

  it('gives back whatever was encoded, in every encoding and order', () => {
    const next = random(20_261_122);
    const bits = { u16: 16, s16: 16, u32: 32, s32: 32, u64: 53, s64: 53, bcd: 13, bcd32: 26 } as const;
    let cases = 0;
    for (const [as, width] of Object.entries(bits) as [keyof typeof bits, number][]) {
      for (const order of orders) {
        for (let i = 0; i < 200; i++) {
          const unsigned = Math.floor(next() * 2 ** width);
          const value = as.startsWith('s') ? unsigned - 2 ** (width - 1) : unsigned;
          const length = { u16: 1, s16: 1, bcd: 1, u32: 2, s32: 2, bcd32: 2, u64: 4, s64: 4 }[as];
          expect(
            decodeRegisters(format(as, { order }), encodeRegisters(format(as, { order }), length, value)).value,
          ).toBe(value);
          cases++;
        }
      }
    }
    expect(cases).toBe(8 * 4 * 200);
  });

  it('never invents a float: any 32 bits decode to a number that is the same float32', () => {
    const next = random(7);
    for (let i = 0; i < 20_000; i++) {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(Math.floor(next() * 2 ** 32));
      const exact = bytes.readFloatBE();
      const { value, quality } = decodeRegisters(format('f32'), bytes);
      if (Number.isFinite(exact)) expect(Math.fround(Number(value))).toBe(exact);
      else expect(quality).toBe('bad');
    }
    expect(shortestFloat32(Math.fround(0.1))).toBe(0.1);
  });

  it('refuses to encode what does not fit', () => {
    expect(() => encodeRegisters(format('u16'), 1, 65_536)).toThrow('does not fit');
    expect(() => encodeRegisters(format('u16'), 1, -1)).toThrow('does not fit');
    expect(() => encodeRegisters(format('s16', { scale: 0.01 }), 1, 400)).toThrow('does not fit');
    expect(() => encodeRegisters(format('u16', { enum: { '1': 'heat' } }), 1, 'boil')).toThrow('none of heat');
    expect(() => encodeRegisters(format('u16'), 1, Number.NaN)).toThrow('not a number');
    expect(encodeRegisters(format('s16', { scale: 0.01 }), 1, 21.5).toString('hex')).toBe('0866');
  });
});
