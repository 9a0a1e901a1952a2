import { describe, expect, it } from 'vitest';
import { createDlt645Driver } from '#edge/drivers/dlt645/driver.ts';
import { encodeFrame, framesIn, identifierBytes } from '#edge/drivers/dlt645/frame.ts';
import { createBuses } from '#edge/drivers/ports/buses.ts';
import { checkProfileShape } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import type { Opened, Step } from '../scripted-line.ts';
import { deviceOf, openDevice, startLine } from '../scripted-line.ts';

const meter = '000000000161';
const other = '000000000162';

const profileOf = (bus: object = {}) =>
  checkProfileShape({
    profile: 'y',
    name: { zh: '表', en: 'Meter' },
    kind: 'meter',
    protocol: 'dlt645',
    bus,
    values: {
      energy: { at: '00010000', scale: 0.01, unit: 'kWh' },
      voltage: { at: '02010100', length: 2, scale: 0.1, unit: 'V', phases: 3, block: '0201FF00' },
      power: { at: '02030000', length: 3, scale: 0.0001, unit: 'kW', signed: true },
    },
    test: [{ value: 'energy', hex: '42 06 12 00', is: 1206.42 }],
  });

interface Request {
  readonly address: string;
  readonly control: number;
  readonly di: string;
  readonly data: Buffer;
}

const frameOf = (request: Buffer): Request => {
  const [first] = framesIn(request);
  if (first === undefined) throw new Error(`no frame in ${request.toString('hex')}`);
  const { address, control, data } = first.frame;
  return { address, control, di: Buffer.from(data.subarray(0, 4)).reverse().toString('hex').toUpperCase(), data };
};

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const answer = (address: string, di: string, hex: string, control = 0x91) =>
  encodeFrame({ address, control, data: Buffer.concat([identifierBytes(di), bytes(hex)]) }, 2);
const refusal = (word: number, control = 0xd1) =>
  encodeFrame({ address: meter, control, data: Buffer.from([word]) }, 0);

const memory: Record<string, string> = {
  '00010000': '42 06 12 00',
  '02010100': '01 23',
  '02010200': '02 23',
  '02010300': '03 23',
  '0201FF00': '01 23 02 23 03 23',
  '02030000': '00 50 80',
};
const normal = ({ di }: Request): Step[] => [memory[di] === undefined ? refusal(0x02) : answer(meter, di, memory[di])];

const allGood = {
  energy: [1206.42, 'good', undefined],
  voltage_l1: [230.1, 'good', undefined],
  voltage_l2: [230.2, 'good', undefined],
  voltage_l3: [230.3, 'good', undefined],
  power: [-0.5, 'good', undefined],
};

interface Rig extends Opened {
  readonly asked: string[];
  script: (request: Request) => readonly Step[];
}

async function makeRig(options: { bus?: object; address?: object } = {}): Promise<Rig> {
  const asked: string[] = [];
  const stack = new AsyncDisposableStack();
  const rig: { script: Rig['script'] } = { script: normal };
  const line = stack.use(
    await startLine((raw) => {
      const request = frameOf(raw);
      asked.push(`${request.control.toString(16)} ${request.di}`.trim());
      return rig.script(request);
    }),
  );
  const profile = profileOf(options.bus);
  const clock = systemClock;
  const buses = stack.use(createBuses({ clock, reconnect: { first: 10, cap: 50 } }));
  const driver = createDlt645Driver({ clock, profiles: new Map([['x/y', profile]]), buses });
  const tcp = { host: '127.0.0.1', port: line.port, baud: 115_200 };
  const address = { tcp, meter, timeout: '80ms', lateWindow: '30ms', ...options.address };
  const opened = stack.use(await openDevice(driver, deviceOf(profile, address)));
  return Object.assign(rig, opened, { asked, [Symbol.asyncDispose]: () => stack.disposeAsync() });
}

describe('reading a DL/T 645 meter', () => {
  it('asks for a block where it holds several wanted values, and for a single value by itself', async () => {
    await using rig = await makeRig();
    expect(await rig.values()).toEqual(allGood);
    expect(rig.asked).toEqual(['11 0201FF00', '11 00010000', '11 02030000']);
    rig.asked.length = 0;
    expect(await rig.values(['voltage_l2'])).toEqual({ voltage_l2: [230.2, 'good', undefined] });
    expect(rig.asked).toEqual(['11 02010200']);
    expect(rig.states).toEqual(['online: answers']);
  });

  it('learns that a meter has no blocks', async () => {
    await using rig = await makeRig();
    rig.script = (request) => (request.di === '0201FF00' ? [refusal(0x01)] : normal(request));
    expect(await rig.values()).toEqual(allGood);
    rig.asked.length = 0;
    expect(await rig.values()).toEqual(allGood);
    // The same answer within a second may be a copy: some are asked for twice.
    expect([...new Set(rig.asked)].sort()).toEqual(
      ['00010000', '02010100', '02010200', '02010300', '02030000'].map((di) => `11 ${di}`),
    );
    expect(rig.counts).toContain('split');
  });

  it('never asks for a block where the profile says that there are none', async () => {
    await using rig = await makeRig({ bus: { block: false } });
    expect(await rig.values()).toEqual(allGood);
    expect(rig.asked).toHaveLength(5);
  });

  it('takes of a shorter block what is there', async () => {
    await using rig = await makeRig();
    rig.script = (request) => (request.di === '0201FF00' ? [answer(meter, '0201FF00', '01 23')] : normal(request));
    expect(await rig.values()).toMatchObject({
      voltage_l1: [230.1, 'good', undefined],
      voltage_l2: [null, 'bad', 'configuration-error'],
    });
  });

  it('puts aside a value that the meter does not have, and says why', async () => {
    await using rig = await makeRig();
    rig.script = (request) => (request.di === '02030000' ? [refusal(0x02)] : normal(request));
    expect((await rig.values()).power).toEqual([null, 'bad', 'configuration-error']);
    expect(rig.states.at(-1)).toBe(
      'degraded: 1 values: meter 000000000161 refuses to read 02030000: error 02 (it has no such data)',
    );
    rig.asked.length = 0;
    expect((await rig.values()).power).toEqual([null, 'bad', 'configuration-error']);
    expect(rig.asked).not.toContain('11 02030000');
  });

  it('calls another error of the meter a failure of it, and asks again at the next poll', async () => {
    await using rig = await makeRig();
    rig.script = () => [refusal(0x01)];
    expect(await rig.values(['energy'])).toEqual({ energy: [null, 'bad', 'device-failure'] });
    rig.script = normal;
    expect(await rig.values(['energy'])).toEqual({ energy: allGood.energy });
  });

  it('gathers an answer that comes in several frames', async () => {
    await using rig = await makeRig();
    rig.script = ({ control, di, data }) => {
      if (control === 0x11) return [answer(meter, di, '01 23', 0xb1)];
      const sequence = data[4] ?? 0;
      const control2 = sequence === 1 ? 0xb2 : 0x92;
      return [answer(meter, di, sequence === 1 ? `02 23 01` : `03 23 02`, control2)];
    };
    expect(await rig.values(['voltage_l1', 'voltage_l2', 'voltage_l3'])).toMatchObject({
      voltage_l1: allGood.voltage_l1,
      voltage_l3: allGood.voltage_l3,
    });
    expect(rig.asked).toEqual(['11 0201FF00', '12 0201FF00', '12 0201FF00']);
  });

  it('does not follow a meter that never ends', async () => {
    await using rig = await makeRig();
    rig.script = ({ control, di, data }) =>
      control === 0x11
        ? [answer(meter, di, '01 23', 0xb1)]
        : [answer(meter, di, `01 23 ${(data[4] ?? 0).toString(16).padStart(2, '0')}`, 0xb2)];
    expect(await rig.values(['energy'])).toEqual({ energy: [null, 'bad', 'configuration-error'] });
    expect(rig.asked.length).toBeLessThan(100);
  });

  it('asks the only meter of a line for its number, and again after it was away', async () => {
    await using rig = await makeRig({ address: { meter: 'AAAAAAAAAAAA' } });
    let number = meter;
    const identify = (request: Request): Step[] =>
      request.control === 0x13
        ? [encodeFrame({ address: number, control: 0x93, data: Buffer.from(number, 'hex').reverse() }, 4)]
        : [request.address === number ? answer(number, request.di, memory[request.di] ?? '') : bytes('')];
    rig.script = identify;
    expect(await rig.values(['energy'])).toEqual({ energy: allGood.energy });
    expect(await rig.values(['power'])).toEqual({ power: allGood.power });
    expect(rig.asked).toEqual(['13', '11 00010000', '11 02030000']);
    number = other;
    await rig.values(['energy']);
    await expect.poll(() => rig.values(['energy']), { timeout: 5_000 }).toEqual({ energy: allGood.energy });
  });

  it('learns that a meter says nothing instead of refusing, and loses no other value by it', async () => {
    await using rig = await makeRig();
    rig.script = (request) => (request.di === '00010000' ? [] : normal(request));
    const first = await rig.values();
    expect(first.voltage_l1).toEqual(allGood.voltage_l1);
    expect(first.energy).toEqual([null, 'bad', 'no-communication']);
    // From now on it is asked for last, and at last put aside.
    await expect
      .poll(async () => rig.values(), { timeout: 10_000 })
      .toEqual({ ...allGood, energy: [null, 'bad', 'configuration-error'] });
    rig.asked.length = 0;
    expect(await rig.values()).toMatchObject({ power: allGood.power });
    expect(rig.asked).not.toContain('11 00010000');
    expect(rig.states.at(-1)).toMatch(/^degraded: 1 values: .*did not answer within .* \(read 00010000\)/);
  });

  it('that is given up half way says nothing of the rest, and begins with it the next time', async () => {
    await using rig = await makeRig({ bus: { block: false } });
    const ending = new AbortController();
    rig.script = (request) => {
      if (rig.asked.length === 2) ending.abort();
      return normal(request);
    };
    const samples = await rig.session.read(rig.points, ending.signal);
    expect(samples.map(({ point, quality }) => [point, quality])).toEqual([
      ['energy', 'good'],
      ['voltage_l1', 'good'],
    ]);
    rig.asked.length = 0;
    rig.script = normal;
    expect(await rig.values()).toEqual(allGood);
    expect(rig.asked.slice(0, 3)).toEqual(['11 02010200', '11 02010300', '11 02030000']);
  });

  it('says when the data of a value have another length than its profile says', async () => {
    await using rig = await makeRig();
    rig.script = ({ di }) => [answer(meter, di, '42 06 12')];
    expect(await rig.values(['energy'])).toEqual({ energy: [null, 'bad', 'configuration-error'] });
    expect(rig.states.at(-1)).toContain('answers 3 bytes to 00010000, its profile says 4');
  });
});

describe('on a bad line a DL/T 645 value', () => {
  const voltage = ['voltage_l1'];
  const right = { voltage_l1: allGood.voltage_l1 };
  const good = answer(meter, '02010100', '01 23');
  /** Right in everything but the one thing. */
  const notOurs: Record<string, Buffer> = {
    'of another meter': answer(other, '02010100', '99 09'),
    'to another identifier': answer(meter, '02010200', '99 09'),
    'that is the echo of the question': encodeFrame(
      { address: meter, control: 0x11, data: identifierBytes('02010100') },
      4,
    ),
    'of another function': answer(meter, '02010100', '99 09', 0x94),
    'cut short': good.subarray(0, -3),
    'with a wrong checksum': Buffer.concat([good.subarray(0, -2), bytes('00 16')]),
    'that is noise': bytes('68 68 16 FE 00 FF 68 61 01 00 00 00 00 68 91'),
  };

  it.each(Object.entries(notOurs))('is not taken from an answer %s', async (_, wrong) => {
    await using rig = await makeRig();
    rig.script = () => [wrong];
    const [[value, quality] = []] = Object.values(await rig.values(voltage));
    expect([value, quality]).toEqual([null, 'bad']);
  });

  it.each(Object.entries(notOurs))('is had when it comes after an answer %s', async (_, wrong) => {
    await using rig = await makeRig();
    rig.script = () => [wrong, 5, good];
    expect(await rig.values(voltage)).toEqual(right);
  });

  it('is had in pieces, and behind a preamble of any length', async () => {
    await using rig = await makeRig();
    rig.script = () => [Buffer.alloc(11, 0xfe), 5, good.subarray(0, 5), 5, good.subarray(5)];
    expect(await rig.values(voltage)).toEqual(right);
  });

  it('is never an older answer that came late or twice', async () => {
    await using rig = await makeRig({ address: { lateWindow: '300ms' } });
    const number = (n: number) =>
      n
        .toString()
        .padStart(4, '0')
        .replace(/(..)(..)/, '$2 $1');
    let asked = 0;
    let seen = 0;
    rig.script = ({ di }) => {
      const mine = answer(meter, di, number(++asked));
      // Twice at once, twice with the copy in the middle of the next question, and too late.
      if (asked % 7 === 1) return [mine, mine];
      if (asked % 7 === 3) return [mine, 3, mine];
      if (asked % 7 === 5) return [95, mine];
      return [2, mine];
    };
    for (let i = 0; i < 40; i++) {
      const before = asked;
      const [[value, quality] = []] = Object.values(await rig.values(voltage));
      if (quality !== 'good') continue;
      seen++;
      expect(Math.round(Number(value) * 10)).toBeGreaterThan(before);
    }
    expect(seen).toBeGreaterThan(15);
  }, 20_000);

  it('is bad while the meter is silent, and good again when it is back', async () => {
    await using rig = await makeRig();
    expect(await rig.values()).toEqual(allGood);
    rig.script = () => [];
    rig.asked.length = 0;
    expect(Object.values(await rig.values()).map(([, , reason]) => reason)).toEqual(Array(5).fill('no-communication'));
    // One second chance, and nothing of the rest.
    expect(rig.asked).toEqual(['11 0201FF00', '11 0201FF00']);
    await rig.values();
    expect(rig.states.at(-1)).toMatch(/^offline: meter 000000000161 at 127\.0\.0\.1:\d+: /);
    rig.script = normal;
    await expect.poll(() => rig.values(), { timeout: 5_000 }).toEqual(allGood);
    expect(rig.states.at(-1)).toBe('online: answers');
  });

  it('is only uncertain when another meter has the number too and answers after it', async () => {
    await using rig = await makeRig();
    rig.script = ({ di }) => [good, 10, answer(meter, di, '99 09')];
    // Told apart once the second answer was heard, right behind the first.
    await expect
      .poll(() => rig.values(voltage), { timeout: 5_000 })
      .toEqual({ voltage_l1: [expect.any(Number), 'uncertain', 'not-accurate'] });
    expect(rig.states.at(-1)).toContain('two meters answer to this number');
  });

  it('is had over a new connection when the old one is reset', async () => {
    await using rig = await makeRig();
    expect(await rig.values(voltage)).toEqual(right);
    rig.script = () => ['reset'];
    expect((await rig.values(voltage)).voltage_l1?.[1]).toBe('bad');
    rig.script = normal;
    await expect.poll(() => rig.values(voltage), { timeout: 5_000 }).toEqual(right);
  });
});

describe('the address of a DL/T 645 meter', () => {
  const parse = (address: unknown) => () => {
    const buses = createBuses({ clock: systemClock });
    return createDlt645Driver({ clock: systemClock, profiles: new Map(), buses }).config.parse(address);
  };
  const tcp = { host: '127.0.0.1', port: 9001 };

  it('names the key that is wrong', () => {
    expect(parse({ tcp, meter: 123 })).toThrow(/address\.meter: .*quotes/);
    expect(parse({ tcp, meter: '12345678901234' })).toThrow('address.meter');
    expect(parse({ tcp: { host: 'h' }, meter: '1' })).toThrow('address.tcp.port');
    expect(parse({ serial: { path: '/dev/ttyS0', baud: 1 }, meter: '1' })).toThrow('address.serial.baud');
    expect(parse({ tcp, meter: '1', password: '12345' })).toThrow('address.password');
    expect(parse({ tcp, serial: { path: '/dev/ttyS0' }, meter: '1' })).toThrow('exactly one of serial and tcp');
  });

  it('may leave out leading zeros, the level of the password and the operator', () => {
    expect(parse({ tcp, meter: '161', password: '123456' })()).toMatchObject({
      meter,
      password: '02123456',
      operator: '00000000',
    });
  });

  it('may not be "whoever is there" beside another meter of the line', async () => {
    const profile = profileOf();
    await using buses = createBuses({ clock: systemClock });
    const driver = createDlt645Driver({ clock: systemClock, profiles: new Map([['x/y', profile]]), buses });
    const at = (number: string) => ({ tcp, meter: number });
    await using first = await openDevice(driver, deviceOf(profile, at('161'), 'first'));
    expect(first.points).toHaveLength(5);
    await expect(openDevice(driver, deviceOf(profile, at('AAAAAAAAAAAA'), 'second'))).rejects.toThrow(
      /address\.meter: .*first is there too/,
    );
  });
});
