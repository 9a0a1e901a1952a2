import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { printable, printableJson } from '#edge/cli/scan-text.ts';
import { type SimServer, type SimUnit, startModbusServer } from '#edge/simulators/modbus-server.ts';
import { campus, host, meterUnit } from './try-rig.ts';

/* `campus profile try` and `campus scan` at ports where no honest meter is. */

const strangers: Readonly<Record<string, (socket: Socket) => void>> = {
  'sends without end': (socket) => {
    const noise = Buffer.alloc(65_536, 0x68);
    const pour = () => {
      while (!socket.destroyed && socket.write(noise));
    };
    socket.on('drain', pour).on('data', () => {});
    pour();
  },
  'sends a byte now and then': (socket) => {
    const timer = setInterval(() => socket.write(Buffer.from([0x68])), 40);
    socket.on('close', () => clearInterval(timer)).on('data', () => {});
  },
  'sends back what is sent': (socket) => void socket.pipe(socket),
};

const controls = '\u001b]0;title\u0007\u009b31m\nworks';

/** A SunSpec device whose name plate is meant for the terminal. */
const plate: SimUnit = {
  read: (_table, at, count) => {
    const image = Buffer.alloc(2 * 80);
    image.write('SunS', 0, 'latin1');
    image.writeUInt16BE(1, 4);
    image.writeUInt16BE(66, 6);
    image.write(controls, 8, 'latin1');
    image.write(controls, 40, 'latin1');
    image.writeUInt16BE(0xffff, 2 * 70);
    const from = 2 * (at - 40_000);
    return from < 0 || from + 2 * count > image.length ? 2 : image.subarray(from, from + 2 * count);
  },
  write: () => 1,
};

const ports = new Map<string, number>();
const stack = new AsyncDisposableStack();
let devices: SimServer;
beforeAll(async () => {
  for (const [name, onSocket] of Object.entries(strangers)) {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      onSocket(socket);
    }).listen(0, host);
    await once(server, 'listening');
    stack.defer(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    ports.set(name, (server.address() as AddressInfo).port);
  }
  const units = new Map([
    [1, plate],
    [2, meterUnit('meter/eastron-sdm630')],
  ]);
  devices = stack.use(await startModbusServer({ host, port: 0, framing: 'mbap', units }));
});
afterAll(() => stack.disposeAsync());

const isPlain = (text: string) => !/[^\P{Cc}\n]/u.test(text);

describe.concurrent('a host that is no meter', () => {
  it.each(Object.keys(strangers))(
    'and %s is scanned to an end, and named for what it is',
    async (name) => {
      const { code, out, err } = await campus('scan', `tcp://${host}:${ports.get(name)}`, '--units', '1-4');
      expect(code).toBe(1);
      expect(err).toContain('though nobody was asked');
      expect(out).toBe('');
    },
    90_000,
  );

  it.each(Object.keys(strangers))(
    'and %s is tried to an end',
    async (name) => {
      const { code, out } = await campus(
        'profile',
        'try',
        'meter/eastron-sdm630',
        `tcp://${host}:${ports.get(name)}/1`,
      );
      expect(code).toBe(1);
      expect(out).toContain('does not work');
    },
    90_000,
  );
});

describe('what a device says of itself', () => {
  it('does nothing to the terminal', async () => {
    const { out } = await campus('scan', `tcp://${host}:${devices.port}`, '--units', '1-2');
    expect(out).toContain('SunSpec');
    expect(out).toContain('title');
    expect(isPlain(out)).toBe(true);
    const { out: json } = await campus('scan', `tcp://${host}:${devices.port}`, '--units', '1-2', '--json');
    expect(isPlain(json)).toBe(true);
    expect(JSON.parse(json).found[0].sunspec.manufacturer).toBe(controls);
  }, 90_000);

  it('is one line, in letters', () => {
    expect(printable(controls)).toBe('\u{fffd}]0;title\u{fffd}\u{fffd}31m; works');
    expect(printable('表 A\u202e1')).toBe('表 A\u{fffd}1');
    expect(JSON.parse(printableJson({ controls }))).toEqual({ controls });
  });

  it.each([
    [`tcp://${host}/8`, '--units'],
    [`tcp://${host}:99999`, 'port 99999'],
    [`tcp://[::1%25nope;]:502`, 'no address'],
  ])('is not asked where the address is no host: %s', async (address, words) => {
    const { code, err } = await campus('scan', address);
    expect(code).toBe(2);
    expect(err).toContain(words);
  });

  it('is asked of a unit with a number, not of one in another notation', async () => {
    const { code, err } = await campus('profile', 'try', 'meter/eastron-sdm630', `tcp://${host}:${devices.port}/1e2`);
    expect(code).toBe(2);
    expect(err).toContain('unit "1e2"');
  });
});
