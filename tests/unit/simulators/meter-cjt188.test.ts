import { describe, expect, test } from 'vitest';
import { ManualClock } from '#edge/runtime/clock.ts';
import { type Cjt188Options, createCjt188Meter } from '#edge/simulators/meter-cjt188.ts';
import { hex, spaced } from './bench.ts';

/* Bytes in, bytes out: published frames, their checksums recomputed. */

const meter = (options: Partial<Cjt188Options> = {}) =>
  createCjt188Meter({
    clock: new ManualClock(Date.parse('2015-05-11T22:01:31+08:00')),
    type: 0x10,
    address: '78330011223344',
    face: { volume: () => 55_667_700, settled: () => 55_667_700 },
    ...options,
  });
const ask = (one: ReturnType<typeof meter>, request: string) => spaced(one.hear(hex(request)));

describe('published frames', () => {
  test('cold water: 556677.00 m3 (the copies of this answer end with 08, where the sum is 13)', () => {
    const one = meter();
    one.setStatus({ raw: [0x21, 0x84] });
    expect(ask(one, '68 10 44 33 22 11 00 33 78 01 03 1F 90 00 80 16')).toBe(
      '68 10 44 33 22 11 00 33 78 81 16 1F 90 00 00 77 66 55 2C 00 77 66 55 2C 31 01 22 11 05 15 20 21 84 13 16',
    );
  });

  test('heat, of a maker who puts the unit first and the identifier high byte first: 0.02 MWh, 25.35 and 25.66 Cel', () => {
    const one = meter({
      clock: new ManualClock(Date.parse('2015-07-10T12:00:53+08:00')),
      type: 0x20,
      address: '00000040314132',
      diOrder: '901F',
      unitAt: 'before',
      heatUnit: 'MWh',
      face: {
        volume: () => 1034,
        settled: () => 0,
        heat: () => ({ energy: 2, settled: 2, power: 0, flow: 0, supply: 2535, return: 2566, hours: 0 }),
      },
    });
    expect(ask(one, '68 20 32 41 31 40 00 00 00 01 03 90 1F 01 20 16')).toBe(
      '68 20 32 41 31 40 00 00 00 81 2E 90 1F 01 08 02 00 00 00 08 02 00 00 00 17 00 00 00 00 35 00 00 00 00 ' +
        '2C 34 10 00 00 35 25 00 66 25 00 00 00 00 53 00 12 10 07 15 20 00 00 31 16',
    );
  });

  test('the valve opens and closes', () => {
    const one = meter({ address: '78331505900569', hasValve: true });
    expect(ask(one, '68 10 69 05 90 05 15 33 78 04 04 A0 17 01 99 94 16')).toBe(
      '68 10 69 05 90 05 15 33 78 84 05 A0 17 01 01 00 7D 16',
    );
    expect(one.valve()).toBe('closed');
    expect(ask(one, '68 10 69 05 90 05 15 33 78 04 04 A0 17 01 55 50 16')).toBe(
      '68 10 69 05 90 05 15 33 78 84 05 A0 17 01 00 00 7C 16',
    );
    expect(one.valve()).toBe('open');
  });
});

function request(type: number, address: string, control: number, data: number[]): Buffer {
  const head = [0x68, type, ...[...hex(address)].reverse(), control, data.length, ...data];
  return Buffer.from([...head, head.reduce((sum, byte) => sum + byte, 0) % 256, 0x16]);
}

describe('what it answers', () => {
  test('the order of the identifier it was made with, or as it was asked', () => {
    const orders = [
      [0x90, 0x1f, 1],
      [0x1f, 0x90, 1],
    ];
    const controls = (diOrder: '901F' | '1F90' | 'any') =>
      orders.map((data) => meter({ diOrder }).hear(request(0x10, '78330011223344', 1, data))?.[9]);
    expect(controls('any')).toEqual([0x81, 0x81]);
    expect(controls('901F')).toEqual([0x81, 0xc1]);
    expect(controls('1F90')).toEqual([0xc1, 0x81]);
  });

  test('its address, to AA in place of type and address, but no order to a valve', () => {
    const answer = meter().hear(request(0xaa, 'aaaaaaaaaaaaaa', 3, [0x81, 0x0a, 7]));
    expect(spaced(answer?.subarray(1, -2) ?? null)).toBe('10 44 33 22 11 00 33 78 83 03 81 0A 07');
    const valve = meter({ hasValve: true });
    expect(valve.hear(request(0x10, 'aaaaaaaaaaaaaa', 4, [0xa0, 0x17, 0, 0x99]))).toBeNull();
  });

  test('a gas meter is a water meter of another type; another type or address is not for it', () => {
    const gas = meter({ type: 0x30 });
    expect(gas.hear(request(0x30, '78330011223344', 1, [0x1f, 0x90, 0]))?.[1]).toBe(0x30);
    expect(gas.hear(request(0x10, '78330011223344', 1, [0x1f, 0x90, 0]))).toBeNull();
    expect(gas.hear(request(0x30, '78330011223345', 1, [0x1f, 0x90, 0]))).toBeNull();
  });

  test('a valve that is stuck, a battery that is low, a valve that is not there', () => {
    const one = meter({ hasValve: true });
    one.setStatus({ valve: 'stuck', battery: 'low' });
    const answer = one.hear(request(0x10, '78330011223344', 4, [0xa0, 0x17, 0, 0x99]));
    expect([answer?.[14], one.valve()]).toEqual([0b111, 'open']);
    expect(
      meter()
        .hear(request(0x10, '78330011223344', 4, [0xa0, 0x17, 9, 0x99]))
        ?.subarray(9, 12),
    ).toEqual(Buffer.from([0xc4, 3, 9]));
  });
});
