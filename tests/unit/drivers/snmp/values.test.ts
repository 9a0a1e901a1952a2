import fc from 'fast-check';
import snmp, { type Varbind } from 'net-snmp';
import { describe, expect, test } from 'vitest';
import type { PointName } from '#edge/domain/ids.ts';
import { parseSnmpConfig } from '#edge/drivers/snmp/config.ts';
import { decodeVarbind, encodeInteger } from '#edge/drivers/snmp/decode.ts';
import { type Cell, locate, planAsks } from '#edge/drivers/snmp/planner.ts';
import { Rates } from '#edge/drivers/snmp/rates.ts';
import type { SnmpAddress } from '#edge/profiles/snmp-address.ts';

const { ObjectType } = snmp;
const plain: SnmpAddress = { oid: '1.2.3', row: null, type: 'number', scale: 1, offset: 0, rate: false };
const said = (type: number, value: unknown): Varbind => ({ oid: '1.2.3', type, value });
const name = 'traffic' as PointName;

test.each([
  [plain, said(ObjectType.Integer, -7), { value: -7, quality: 'good' }],
  [{ ...plain, scale: 0.01 }, said(ObjectType.TimeTicks, 12_345), { value: 123.45, quality: 'good' }],
  [plain, said(ObjectType.OctetString, Buffer.from('21.5')), { value: 21.5, quality: 'good' }],
  [
    plain,
    said(ObjectType.OctetString, Buffer.from('n/a')),
    { value: null, quality: 'bad', reason: 'communication-error' },
  ],
  [
    plain,
    said(ObjectType.OctetString, Buffer.alloc(0)),
    { value: null, quality: 'bad', reason: 'communication-error' },
  ],
  [
    { ...plain, type: 'text' as const },
    said(ObjectType.OctetString, Buffer.from('三号口\0')),
    { value: '三号口', quality: 'good' },
  ],
  [
    { ...plain, type: 'text' as const },
    said(ObjectType.OctetString, Buffer.from([0, 0x1b, 0xff])),
    { value: '001bff', quality: 'good' },
  ],
  [
    { ...plain, type: 'text' as const },
    said(ObjectType.OctetString, Buffer.alloc(9_000, 65)),
    { value: 'A'.repeat(256), quality: 'good' },
  ],
  [
    { ...plain, type: 'text' as const, map: { 1: 'up' } },
    said(ObjectType.Integer, 1),
    { value: 'up', quality: 'good' },
  ],
  [
    { ...plain, type: 'text' as const, map: { 1: 'up' } },
    said(ObjectType.Integer, 9),
    { value: '9', quality: 'uncertain', reason: 'out-of-range' },
  ],
  [
    { ...plain, type: 'boolean' as const, map: { 1: true, 2: false } },
    said(ObjectType.Integer, 3),
    { value: null, quality: 'bad', reason: 'communication-error' },
  ],
  [
    { ...plain, type: 'boolean' as const, map: { 1: true } },
    said(ObjectType.OctetString, Buffer.from('constructor')),
    { value: null, quality: 'bad', reason: 'communication-error' },
  ],
])('what an agent says becomes a value of its type, or none (%#)', (address, varbind, expected) => {
  expect(decodeVarbind(address, varbind)).toEqual(expected);
});

test('what is written is the number that means it, or nothing', () => {
  const words: SnmpAddress = { ...plain, type: 'boolean', map: { 1: true, 2: false } };
  expect([encodeInteger(words, false), encodeInteger(words, 'off')]).toEqual([2, null]);
  expect([encodeInteger({ ...plain, scale: 0.1 }, 1.5), encodeInteger(plain, 1.5), encodeInteger(plain, 5e9)]).toEqual([
    15,
    null,
    null,
  ]);
});

describe('a rate', () => {
  const rate: SnmpAddress = { ...plain, rate: true, scale: 0.008 };
  const wide = (count: bigint): Varbind => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(count);
    return said(ObjectType.Counter64, bytes);
  };

  test('is what the counter rose by in a second, from the second reading on', () => {
    const rates = new Rates();
    expect(rates.take(name, rate, wide(0n), 0)).toMatchObject({ value: null, reason: 'never-read' });
    expect(rates.take(name, rate, wide(1_000_000n), 1_000)).toEqual({ value: 8_000, quality: 'good' });
    // Too soon after the last one: the agent has not counted anew.
    expect(rates.take(name, rate, wide(1_000_000n), 1_100)).toEqual({ value: 8_000, quality: 'good' });
  });

  test('knows that 32 bits wrap, and how long that can be known', () => {
    const rates = new Rates();
    rates.take(name, rate, said(ObjectType.Counter, 4_294_967_000), 0);
    expect(rates.take(name, rate, said(ObjectType.Counter, 704), 1_000)).toEqual({ value: 8, quality: 'good' });
    expect(rates.take(name, rate, said(ObjectType.Counter, 3), 200_000).value).toBeNull();
  });

  test('does not take a counter of 64 bits that fell for a flood', () => {
    const rates = new Rates();
    rates.take(name, rate, wide(5_000n), 0);
    expect(rates.take(name, rate, wide(10n), 1_000).value).toBeNull();
    expect(rates.take(name, rate, wide(1_010n), 2_000).value).toBe(8);
    rates.reset();
    expect(rates.take(name, rate, wide(2_010n), 3_000).value).toBeNull();
  });
});

describe('the plan of a read', () => {
  const cell = (column: string, index: number): Cell => ({ oid: `${column}.${index}`, row: { column, index } });

  test('asks eight ports of four columns in one GETBULK, scalars by name', () => {
    const columns = ['1.2', '1.3', '1.4', '1.5'].flatMap((column) =>
      Array.from({ length: 8 }, (_, i) => cell(column, i + 1)),
    );
    const asks = planAsks([...columns, { oid: '1.9.0', row: null }]);
    expect(asks.map(({ kind, cells }) => `${kind} ${cells.length}`)).toEqual(['get 1', 'bulk 32']);
    expect(asks[1]).toMatchObject({ after: ['1.2.0', '1.3.0', '1.4.0', '1.5.0'], rows: 8 });
  });

  test('asks for everything once, never for more than fits, whatever is wanted', () => {
    const wanted = fc.uniqueArray(fc.tuple(fc.constantFrom('1.2', '1.3', '1.4'), fc.integer({ min: 0, max: 70 })), {
      selector: ([column, index]) => `${column}.${index}`,
      maxLength: 150,
    });
    fc.assert(
      fc.property(wanted, fc.integer({ min: 1, max: 40 }), (cells, most) => {
        const asks = planAsks(
          cells.map(([column, index]) => cell(column, index)),
          most,
        );
        const asked = asks.flatMap((ask) => ask.cells.map(({ oid }) => oid));
        expect(asked.toSorted()).toEqual(cells.map(([column, index]) => `${column}.${index}`).toSorted());
        for (const ask of asks) {
          expect(ask.cells.length).toBeLessThanOrEqual(most);
          // A GETBULK is answered by exactly its cells, if the agent has them all.
          if (ask.kind === 'bulk') expect(ask.cells.length).toBe(ask.after.length * ask.rows);
        }
      }),
    );
  });

  test('finds rows where the site says that they begin', () => {
    const config = parseSnmpConfig({ host: 'a', community: 'b', interfaces: { first: 49_153 }, poe: { group: 2 } });
    expect(locate({ oid: '1.5', row: { of: 'interface', number: 3 } }, config).oid).toBe('1.5.49155');
    expect(locate({ oid: '1.5', row: { of: 'poe', number: 3 } }, config).oid).toBe('1.5.2.3');
  });
});

test.each([
  [{ host: 'a' }, 'address.community'],
  [
    { host: 'a', community: 'b', v3: { user: 'c', authPassword: '12345678', privacyPassword: '12345678' } },
    'address.community',
  ],
  [{ host: 'a', v3: { user: 'c', authPassword: 'short', privacyPassword: '12345678' } }, 'address.v3.authPassword'],
  [{ host: 'a', v3: { user: 'c', authPassword: '12345678' } }, 'address.v3.privacyPasswordFile'],
  [{ host: 'a b', community: 'c' }, 'address.host'],
  [{ host: 'a', community: 'c', version: 1 }, 'address.(file)'],
])('a mistake in an address is named (%#)', (address, key) => {
  expect(() => parseSnmpConfig(address)).toThrow(key.replace('.(file)', ''));
});
