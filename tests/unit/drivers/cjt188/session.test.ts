import { describe, expect, it } from 'vitest';
import { createCjt188Driver } from '#edge/drivers/cjt188/driver.ts';
import { encodeFrame, framesIn } from '#edge/drivers/cjt188/frame.ts';
import { createBuses } from '#edge/drivers/ports/buses.ts';
import { checkProfileShape } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import type { Opened, Step } from '../scripted-line.ts';
import { deviceOf, openDevice, startLine } from '../scripted-line.ts';

const meter = '78330011223344';
const other = '78330011223345';
const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');

const profileOf = (bus: object = {}) =>
  checkProfileShape({
    profile: 'y',
    name: { zh: '水表', en: 'Water meter' },
    kind: 'water',
    protocol: 'cjt188',
    bus: { type: 0x10, ...bus },
    values: {
      volume: { at: 'total', unit: 'm³' },
      closed: { at: 'status', bit: 0 },
      battery_low: { at: 'status', bit: 2 },
    },
    test: [{ value: 'volume', hex: '00 77 66 55 2C 00 77 66 55 2C 31 01 22 11 05 15 20 21 84', is: 556677 }],
  });

/** 556677.00 m3, twice; 2015-05-11 22:01:31; valve closed. */
const data = bytes('00 77 66 55 2C 00 77 66 55 2C 31 01 22 11 05 15 20 21 84');
const allGood = {
  volume: [556677, 'good', undefined],
  closed: [true, 'good', undefined],
  battery_low: [false, 'good', undefined],
};

interface Request {
  readonly address: string;
  readonly type: number;
  /** DI and SER as they came. */
  readonly head: Buffer;
}

const answer = ({ head, type }: Request, more: { address?: string; control?: number; type?: number } = {}) =>
  encodeFrame({ address: meter, control: 0x81, type, ...more, data: Buffer.concat([head, data]) }, 3);
const normal = (request: Request): Step[] => [answer(request)];

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
      const [found] = framesIn(raw);
      if (found === undefined) throw new Error(`no frame in ${raw.toString('hex')}`);
      const { address, type, data: head } = found.frame;
      asked.push(`${address} ${head.toString('hex')}`);
      return rig.script({ address, type, head });
    }),
  );
  const profile = profileOf(options.bus);
  const clock = systemClock;
  const buses = stack.use(createBuses({ clock, reconnect: { first: 10, cap: 50 } }));
  const driver = createCjt188Driver({ clock, profiles: new Map([['x/y', profile]]), buses });
  const tcp = { host: '127.0.0.1', port: line.port, baud: 115_200 };
  const address = { tcp, meter, timeout: '80ms', lateWindow: '30ms', ...options.address };
  const opened = stack.use(await openDevice(driver, deviceOf(profile, address)));
  return Object.assign(rig, opened, { asked, [Symbol.asyncDispose]: () => stack.disposeAsync() });
}

describe('reading a CJ/T 188 meter', () => {
  it('takes everything out of one answer', async () => {
    await using rig = await makeRig();
    expect(await rig.values()).toEqual(allGood);
    expect(rig.asked).toEqual([`${meter} 1f9001`]);
    expect(rig.states).toEqual(['online: answers']);
  });

  it('sends the identifier the way its maker does', async () => {
    await using rig = await makeRig({ bus: { di_order: '901F' } });
    expect(await rig.values()).toEqual(allGood);
    expect(rig.asked).toEqual([`${meter} 901f01`]);
  });

  it('asks with another serial number each time', async () => {
    await using rig = await makeRig();
    for (let i = 0; i < 3; i++) await rig.values();
    expect(rig.asked.map((one) => one.slice(-2))).toEqual(['01', '02', '03']);
  });

  it('asks whoever is there, then by the number that answered', async () => {
    await using rig = await makeRig({ address: { meter: 'AAAAAAAAAAAAAA' } });
    expect(await rig.values()).toEqual(allGood);
    expect(await rig.values()).toEqual(allGood);
    expect(rig.asked).toEqual(['AAAAAAAAAAAAAA 1f9001', `${meter} 1f9002`]);
  });

  it('asks as the kind of meter that the site says', async () => {
    await using rig = await makeRig({ address: { type: 0x11 } });
    const types: number[] = [];
    rig.script = (request) => {
      types.push(request.type);
      return normal(request);
    };
    expect(await rig.values()).toEqual(allGood);
    expect(types).toEqual([0x11]);
  });

  it('says that a meter refuses', async () => {
    await using rig = await makeRig();
    rig.script = ({ head, type }) => [
      encodeFrame({ address: meter, type, control: 0xc1, data: Buffer.from([head[2] ?? 0, 0x04, 0x00]) }, 0),
    ];
    expect((await rig.values()).volume).toEqual([null, 'bad', 'configuration-error']);
    expect(rig.states.at(-1)).toContain(`meter ${meter} refuses to read 901F (status 0400)`);
  });
});

describe('on a bad line a CJ/T 188 value', () => {
  const volume = ['volume'];
  const right = { volume: allGood.volume };
  const notOurs: Record<string, (request: Request) => Buffer> = {
    'of another meter': (request) => answer(request, { address: other }),
    'of another kind of meter': (request) => answer(request, { type: 0x20 }),
    'to another identifier': (request) =>
      answer({ ...request, head: bytes(`D1 20 ${request.head.toString('hex').slice(4)}`) }),
    'with another serial number': (request) => answer({ ...request, head: Buffer.from([0x1f, 0x90, 0x77]) }),
    'of another function': (request) => answer(request, { control: 0x84 }),
    'that is the echo of the question': (request) => answer(request, { control: 0x01 }),
    'cut short': (request) => answer(request).subarray(0, -4),
    'with a wrong checksum': (request) => Buffer.concat([answer(request).subarray(0, -2), bytes('00 16')]),
    'that is noise': () => bytes('68 10 68 68 16 FE 00 FF 68 10 44 33 22 11 00 33 78 81'),
  };

  it.each(Object.entries(notOurs))(
    'is not taken from an answer %s, but from the right one after it',
    async (_, wrong) => {
      await using rig = await makeRig();
      rig.script = (request) => [wrong(request)];
      const [[value, quality] = []] = Object.values(await rig.values(volume));
      expect([value, quality]).toEqual([null, 'bad']);
      rig.script = (request) => [wrong(request), 5, answer(request)];
      await expect.poll(() => rig.values(volume), { timeout: 5_000 }).toEqual(right);
    },
  );

  it('is bad while the meter is silent, and good again when it is back', async () => {
    await using rig = await makeRig();
    expect(await rig.values()).toEqual(allGood);
    rig.script = () => [];
    await rig.values();
    expect((await rig.values()).volume).toEqual([null, 'bad', 'no-communication']);
    expect(rig.states.at(-1)).toMatch(/^offline: meter 78330011223344 at 127\.0\.0\.1:\d+: /);
    rig.script = normal;
    await expect.poll(() => rig.values(), { timeout: 5_000 }).toEqual(allGood);
    expect(rig.states.at(-1)).toBe('online: answers');
  });
});

describe('the address of a CJ/T 188 meter', () => {
  it('names the key that is wrong, and may leave out leading zeros', () => {
    const buses = createBuses({ clock: systemClock });
    const { config } = createCjt188Driver({ clock: systemClock, profiles: new Map(), buses });
    const tcp = { host: '127.0.0.1', port: 9001 };
    expect(() => config.parse({ tcp, meter: 123 })).toThrow(/address\.meter: .*quotes/);
    expect(() => config.parse({ tcp, meter: '123456789012345' })).toThrow('address.meter');
    expect(() => config.parse({ tcp, meter: '1', typ: 0x10 })).toThrow('typ');
    expect(config.parse({ tcp, meter: '11223344' })).toMatchObject({ meter: '00000011223344' });
  });
});
