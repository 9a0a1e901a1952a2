import { describe, expect, test } from 'vitest';
import { ManualClock } from '#edge/runtime/clock.ts';
import { createDlt645Meter, type Dlt645Options } from '#edge/simulators/meter-dlt645.ts';
import { fixedFace, hex, spaced } from './bench.ts';

/* Bytes in, bytes out: frames published in forums and manuals, their checksums recomputed. */

const noon = Date.parse('2026-11-23T12:00:00+08:00');
const meter = (options: Partial<Dlt645Options> = {}) =>
  createDlt645Meter({
    clock: new ManualClock(noon),
    address: '000000000161',
    model: 'DTS100',
    face: fixedFace({}),
    ...options,
  });
const ask = (one: ReturnType<typeof meter>, request: string) => spaced(one.hear(hex(request)));

describe('published frames', () => {
  test.each([
    [
      'import, total: 1206.42 kWh',
      '000102030425',
      { energies: [120_642] },
      '68 25 04 03 02 01 00 68 11 04 33 33 34 33 E1 16',
      '68 25 04 03 02 01 00 68 91 08 33 33 34 33 75 39 45 33 8B 16',
    ],
    [
      'import, total: 0.26 kWh',
      '000000000161',
      { energies: [26] },
      '68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16',
      '68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16',
    ],
    [
      'voltage of phase A: 100.1 V',
      '000000000161',
      { voltage: [100.1, 0, 0] },
      '68 61 01 00 00 00 00 68 11 04 33 34 34 35 17 16',
      '68 61 01 00 00 00 00 68 91 06 33 34 34 35 34 43 10 16',
    ],
    [
      'voltage of phase A: 229.8 V',
      '000000000001',
      { voltage: [229.8, 0, 0] },
      '68 01 00 00 00 00 00 68 11 04 33 34 34 35 B6 16',
      '68 01 00 00 00 00 00 68 91 06 33 34 34 35 CB 55 58 16',
    ],
  ])('%s', (_, address, shown, request, answer) => {
    expect(ask(meter({ address, face: fixedFace(shown) }), request)).toBe(answer);
  });

  test('the address is asked of whoever is there', () => {
    expect(ask(meter(), '68 AA AA AA AA AA AA 68 13 00 DF 16')).toBe(
      '68 61 01 00 00 00 00 68 93 06 94 34 33 33 33 33 5F 16',
    );
  });
});

/** A request built here, byte by byte, not by the code under test. */
function request(address: string, control: number, data: number[]): Buffer {
  const wire = [...hex(address)].reverse();
  const head = [0x68, ...wire, 0x68, control, data.length, ...data.map((byte) => (byte + 0x33) % 256)];
  return Buffer.from([...head, head.reduce((sum, byte) => sum + byte, 0) % 256, 0x16]);
}
/** Data of the answer without its offset. */
function dataOf(answer: Buffer | null): string {
  if (answer === null) return 'silence';
  return Buffer.from([...answer.subarray(10, -2)].map((byte) => byte - 0x33)).toString('hex');
}
const read = (one: ReturnType<typeof meter>, di: string, address = '000000000161') =>
  one.hear(request(address, 0x11, [...hex(di)].reverse()));

describe('what it keeps', () => {
  const face = fixedFace({
    energies: [1_000_000, 80_000, 270_000, 380_000, 270_000],
    voltage: [229.8, 230.1, 231.2],
    current: [1.5, 2.25, 0],
    power: [330, 500, -20],
    powerFactor: -0.95,
    frequency: 50.02,
    serial: '202611230007',
  });
  test.each([
    ['total and 尖峰平谷', '0001FF00', '00000001' + '00000800' + '00002700' + '00003800' + '00002700'],
    ['one tariff', '00010200', '00002700'],
    ['export', '00020000', '00000000'],
    ['the three voltages', '0201FF00', '982201231223'],
    ['the three currents', '0202FF00', '001500502200000000'],
    ['power, total first', '0203FF00', '008100003300005000000280'],
    ['power of phase C, which flows back', '02030300', '000280'],
    ['power factor, negative', '02060000', '5089'],
    ['frequency', '02800002', '0250'],
    ['date and weekday: a Monday', '04000101', '01231126'],
    ['time', '04000102', '000012'],
    ['its address', '04000401', '610100000000'],
    ['the number on its case', '04000402', '070023112620'],
    ['status word 3: the relay is closed', '04000503', '0000'],
  ])('%s', (_, di, data) => {
    const answer = read(meter({ face }), di);
    expect(answer?.[8]).toBe(0x91);
    expect(dataOf(answer)).toBe(Buffer.from([...hex(di)].reverse()).toString('hex') + data);
  });

  test('what it does not have it refuses: no such data', () => {
    for (const one of [read(meter(), '02FF0100'), read(meter({ lacks: (di) => di === '0201FF00' }), '0201FF00')]) {
      expect([one?.[8], dataOf(one)]).toEqual([0xd1, '02']);
    }
  });
});

test('long data comes in follow-up frames, each of which may be asked for twice', () => {
  const face = fixedFace({ energies: [123_456], settled: (month) => [month, 0, 0, 0, 0] });
  const one = meter({ face, longest: 104 });
  const first = read(one, '0001FFFF');
  expect([first?.[8], first?.[9]]).toEqual([0xb1, 104]);
  const more = (seq: number) => one.hear(request('000000000161', 0x12, [0xff, 0xff, 0x01, 0x00, seq]));
  expect(more(2)?.[8]).toBe(0xd2);
  const [second, again, third] = [more(1), more(1), more(2)];
  expect([second?.[8], third?.[8]]).toEqual([0xb2, 0x92]);
  expect(spaced(again)).toBe(spaced(second));
  const whole = dataOf(first).slice(8) + dataOf(second).slice(8, -2) + dataOf(third).slice(8, -2);
  expect(whole).toHaveLength(2 * 13 * 5 * 4);
  expect(whole.slice(0, 8)).toBe('56341200');
  expect(whole.slice(40, 48)).toBe('01000000');
  expect([dataOf(second).slice(-2), dataOf(third).slice(-2)]).toEqual(['01', '02']);
});

describe('addresses', () => {
  test('abbreviated ones are for reading, and answered with the whole one', () => {
    const answer = meter().hear(request('aaaaaaaa0161', 0x11, [0, 0, 1, 0]));
    expect(spaced(answer?.subarray(1, 7) ?? null)).toBe('61 01 00 00 00 00');
    expect(meter().hear(request('aaaaaaaa0162', 0x11, [0, 0, 1, 0]))).toBeNull();
    expect(meter().hear(request('aaaaaaaaaaaa', 0x1c, Array(16).fill(0)))).toBeNull();
  });
  test('everybody sets the clock and freezes without a word', () => {
    let frozen = 0;
    const one = meter({ face: fixedFace({ freeze: () => frozen++ }) });
    expect(one.hear(request('999999999999', 0x08, [0x30, 0x01, 0x12, 0x23, 0x11, 0x26]))).toBeNull();
    expect(dataOf(read(one, '04000102')).slice(8)).toBe('300112');
    expect(one.hear(request('999999999999', 0x16, [0x99, 0x99, 0x99, 0x99]))).toBeNull();
    expect(one.hear(request('000000000161', 0x16, [0x99, 0x99, 0x99, 0x99]))?.[8]).toBe(0x96);
    expect(frozen).toBe(2);
    // An hour is more than a broadcast may move it by.
    one.hear(request('999999999999', 0x08, [0, 0, 0x13, 0x23, 0x11, 0x26]));
    expect(dataOf(read(one, '04000102')).slice(8)).toBe('300112');
  });
});

describe('the relay', () => {
  const later = [0x00, 0x05, 0x12, 0x23, 0x11, 0x26];
  const order = (what: number, { password = [0x02, 0x56, 0x34, 0x12], until = later } = {}) =>
    request('000000000161', 0x1c, [...password, 0x01, 0x00, 0x00, 0x00, what, 0x00, ...until]);
  const locked = { address: '000000000161', password: '123456' };
  const wrong = { password: [0x02, 0x11, 0x11, 0x11] };

  test('opens, and closes at once or when somebody presses the button', () => {
    const one = meter(locked);
    expect(one.hear(order(0x1a))?.[8]).toBe(0x9c);
    expect([one.relay(), dataOf(read(one, '04000503')).slice(8)]).toEqual(['open', '1000']);
    one.pressButton();
    expect(one.relay()).toBe('open');
    one.hear(order(0x1b));
    expect(one.relay()).toBe('may-close');
    one.pressButton();
    expect(one.relay()).toBe('closed');
    one.hear(order(0x1a));
    one.hear(order(0x1c));
    expect(one.relay()).toBe('closed');
  });

  test('refuses what is too late, and to cut power that must stay', () => {
    const one = meter(locked);
    const late = one.hear(order(0x1a, { until: [0, 59, 11, 23, 11, 26].map((n) => Number.parseInt(String(n), 16)) }));
    expect([late?.[8], dataOf(late)]).toEqual([0xdc, '01']);
    one.hear(order(0x3a));
    expect(one.hear(order(0x1a))?.[8]).toBe(0xdc);
    one.hear(order(0x3b));
    expect(one.hear(order(0x1a))?.[8]).toBe(0x9c);
  });

  test('three wrong passwords lock it for a day, for the right one too', () => {
    const clock = new ManualClock(noon);
    const one = meter({ ...locked, clock });
    for (let i = 0; i < 3; i++) expect(dataOf(one.hear(order(0x1a, wrong)))).toBe('04');
    expect(one.isLocked()).toBe(true);
    expect(dataOf(one.hear(order(0x1a)))).toBe('04');
    expect(one.relay()).toBe('closed');
    clock.advance(24 * 3_600_000);
    const tomorrow = [0x00, 0x05, 0x12, 0x24, 0x11, 0x26];
    expect(one.hear(order(0x1a, { until: tomorrow }))?.[8]).toBe(0x9c);
  });
});
