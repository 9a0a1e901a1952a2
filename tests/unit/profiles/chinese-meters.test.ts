import { describe, expect, it } from 'vitest';
import type { Cjt188Address } from '#edge/profiles/cjt188-address.ts';
import { decodeCjt188 } from '#edge/profiles/decode-cjt188.ts';
import { decodeDlt645 } from '#edge/profiles/decode-dlt645.ts';
import { type Dlt645Address, parseDlt645Address } from '#edge/profiles/dlt645-address.ts';
import { expandValues, pointsOf } from '#edge/profiles/expand.ts';
import { loadProfile } from '#edge/profiles/load.ts';

const shelf = new URL('../../../device-profiles', import.meta.url).pathname;
const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const dlt = (more: Partial<Dlt645Address>): Dlt645Address => ({
  di: '00010000',
  length: 4,
  format: 'bcd',
  scale: 0.01,
  signed: false,
  ...more,
});

/** Data of a published frame: everything between the identifier and the checksum, 33H taken off. */
function dataOf(frame: string): Buffer {
  const bytes = hex(frame);
  expect(bytes.subarray(0, -2).reduce((sum, byte) => (sum + byte) & 0xff, 0)).toBe(bytes.at(-2));
  return Buffer.from(bytes.subarray(14, -2).map((byte) => (byte - 0x33) & 0xff));
}

describe('data of a DL/T 645 meter', () => {
  it('mean what the published frames say', () => {
    const energy = dataOf('68 25 04 03 02 01 00 68 91 08 33 33 34 33 75 39 45 33 8B 16');
    expect(decodeDlt645(dlt({}), energy)).toEqual({ value: 1206.42, quality: 'good' });
    const voltage = dataOf('68 61 01 00 00 00 00 68 91 06 33 34 34 35 34 43 10 16');
    expect(decodeDlt645(dlt({ length: 2, scale: 0.1 }), voltage)).toEqual({ value: 100.1, quality: 'good' });
  });

  it('have their minus in the top bit where the profile says so', () => {
    const power = dlt({ length: 3, scale: 0.0001, signed: true });
    expect(decodeDlt645(power, hex('56 34 92')).value).toBe(-12.3456);
    expect(decodeDlt645(power, hex('00 00 80')).value).toBe(0);
    expect(decodeDlt645({ ...power, signed: false }, hex('56 34 92')).value).toBe(92.3456);
  });

  it('are never a number when they are of another length', () => {
    for (const bytes of ['', '42 06 12', '42 06 12 00 00']) {
      expect(decodeDlt645(dlt({}), hex(bytes))).toMatchObject({ value: null, reason: 'configuration-error' });
    }
  });

  it('of a block hold what the meter has and nothing else', () => {
    const l2 = dlt({ length: 2, scale: 0.1, block: { di: '0201FF00', offset: 2, length: 6 } });
    expect(decodeDlt645(l2, hex('02 23 11 23 98 22'), { block: true }).value).toBe(231.1);
    // A single-phase meter answers one voltage: its L2 is not its L1.
    expect(decodeDlt645(l2, hex('02 23'), { block: true })).toMatchObject({ value: null, quality: 'bad' });
    expect(decodeDlt645(dlt({}), hex('42 06 12 00'), { block: true })).toMatchObject({ value: null, quality: 'bad' });
  });

  it('say "no value" by digits that are none, or by a pattern', () => {
    expect(decodeDlt645(dlt({}), hex('ff ff ff ff'))).toMatchObject({ value: null, reason: 'device-failure' });
    expect(decodeDlt645(dlt({ invalid: ['99999999'] }), hex('99 99 99 99'))).toMatchObject({ value: null });
    expect(decodeDlt645(dlt({}), hex('00 00 00 99'), { range: [0, 100] })).toMatchObject({ quality: 'uncertain' });
  });

  it('are names, times, texts and bits too', () => {
    expect(decodeDlt645(dlt({ format: 'digits', length: 6 }), hex('56 34 12 00 00 00')).value).toBe('000000123456');
    expect(decodeDlt645(dlt({ format: 'text', length: 4 }), hex('00 56 30 32')).value).toBe('20V');
    const time = (length: number, bytes: string) => decodeDlt645(dlt({ format: 'time', length }), hex(bytes)).value;
    expect(time(4, '07 22 11 26')).toBe('2026-11-22');
    expect(time(3, '45 30 15')).toBe('15:30:45');
    expect(time(5, '30 15 22 11 26')).toBe('2026-11-22 15:30');
    expect(time(7, '45 30 15 07 22 11 26')).toBe('2026-11-22 15:30:45');
    const bit = dlt({ format: 'bits', length: 2, bit: 12 });
    expect(decodeDlt645(bit, hex('00 10')).value).toBe(true);
    expect(decodeDlt645({ ...bit, invert: true }, hex('00 10')).value).toBe(false);
    expect(decodeDlt645(dlt({ format: 'bits', length: 2 }), hex('34 12')).value).toBe(0x1234);
  });

  it('are read by identifiers that rise from phase to phase, and by one block', async () => {
    const values = expandValues(await loadProfile(shelf, 'meter/dlt645-2007'));
    const address = (name: string) => parseDlt645Address(values.find((value) => value.name === name)?.address);
    expect(address('voltage_l3')).toMatchObject({ di: '02010300', block: { di: '0201FF00', offset: 4, length: 6 } });
    expect(address('power')).toMatchObject({ di: '02030000', block: { offset: 0, length: 12 } });
    expect(address('power_l2')).toMatchObject({ di: '02030200', block: { di: '0203FF00', offset: 6, length: 12 } });
    expect(address('power_demand_max_time')).toMatchObject({ di: '01010000', part: { offset: 3, length: 8 } });
    const single = expandValues(await loadProfile(shelf, 'meter/dlt645-2007-single'));
    expect(single.some(({ address: one }) => parseDlt645Address(one).block !== undefined)).toBe(false);
  });

  it('are written by the relay command only', async () => {
    const points = pointsOf(await loadProfile(shelf, 'meter/dlt645-2007-relay'), { fast: 1, normal: 1, slow: 1 });
    const relay = points.find(({ name }) => name === 'relay');
    expect(relay).toMatchObject({ type: 'boolean', write: { minGap: 30_000, failSafe: 'keep' } });
    expect(parseDlt645Address(relay?.address).write).toEqual({
      command: 'relay',
      on: 0x1c,
      off: 0x1a,
      expiry: 300_000,
    });
    expect(points.filter(({ write }) => write !== undefined)).toHaveLength(1);
  });
});

const cjt = (more: Partial<Cjt188Address>): Cjt188Address => ({
  di: '901F',
  field: 'total',
  at: 0,
  length: 4,
  format: 'bcd',
  scale: 0.01,
  order: 'low',
  unitByte: true,
  unit: 'm3',
  ...more,
});

describe('data of a CJ/T 188 meter', () => {
  it.each([
    ['2c', 'm3', 1234.56],
    ['29', 'm3', 1.23456],
    ['29', 'L', 1234.56],
    ['05', 'kW.h', 1234.56],
    ['08', 'kW.h', 1_234_560],
    ['11', 'kW.h', 342_933.333333],
    ['0e', 'GJ', 1.23456],
    ['17', 'kW', 1234.56],
    ['35', 'm3/h', 1234.56],
  ])('in unit %s are told in %s', (unitByte, unit, value) => {
    expect(decodeCjt188(cjt({ unit }), hex(`56 34 12 00 ${unitByte}`)).value).toBeCloseTo(value, 5);
  });

  it('in a unit of another quantity, or in none that is known, are no value', () => {
    for (const unitByte of ['05', '17', '00', 'ff']) {
      const decoded = decodeCjt188(cjt({}), hex(`56 34 12 00 ${unitByte}`));
      expect(decoded).toEqual({ value: null, quality: 'bad', reason: 'configuration-error' });
    }
  });

  it('that end too early are no value', () => {
    for (let length = 0; length < 5; length++) {
      expect(decodeCjt188(cjt({}), hex('56 34 12 00 2c').subarray(0, length)).value).toBeNull();
    }
  });

  it('may come high byte first from some makers', () => {
    expect(decodeCjt188(cjt({ order: 'high' }), hex('00 12 34 56 2c')).value).toBe(1234.56);
  });

  it('are times and words of a status too', () => {
    const time = cjt({ format: 'time', length: 7, unitByte: false, unit: '' });
    expect(decodeCjt188(time, hex('45 30 15 22 11 26 20')).value).toBe('2026-11-22 15:30:45');
    expect(decodeCjt188(time, hex('45 30 15 22 11 26 ff')).value).toBeNull();
    const valve = cjt({
      format: 'status',
      length: 2,
      unitByte: false,
      bit: 0,
      width: 2,
      enum: { '0': 'open', '1': 'closed' },
    });
    expect(decodeCjt188(valve, hex('04 00')).value).toBe('open');
    expect(decodeCjt188(valve, hex('05 00')).value).toBe('closed');
    expect(decodeCjt188(valve, hex('02 00'))).toMatchObject({ value: '2', quality: 'uncertain' });
  });

  it('never are a wrong number: whatever bytes come, digits or nothing', () => {
    let state = 99;
    for (let i = 0; i < 5_000; i++) {
      const bytes = Buffer.alloc(5);
      for (let at = 0; at < 5; at++) {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        bytes[at] = state >>> 24;
      }
      const { value } = decodeCjt188(cjt({}), bytes);
      const digits = bytes.subarray(0, 4).reverse().toString('hex');
      const isReadable = /^\d+$/.test(digits) && [0x29, 0x2c].includes(bytes[4] ?? 0);
      expect(value !== null).toBe(isReadable);
    }
  });
});
