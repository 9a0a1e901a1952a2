import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ModbusError } from '#edge/drivers/modbus/errors.ts';
import { readExchange, writeExchange } from '#edge/drivers/modbus/exchange.ts';
import { askModbus } from '#edge/drivers/modbus/line.ts';
import { mbapLink } from '#edge/drivers/modbus/mbap-link.ts';
import type { AskOptions } from '#edge/drivers/ports/bus.ts';
import { Bus } from '#edge/drivers/ports/bus.ts';
import { BusError } from '#edge/drivers/ports/bus-error.ts';
import { streamLink } from '#edge/drivers/ports/stream-link.ts';
import { tcpPort } from '#edge/drivers/ports/tcp.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import type { SimFault, SimRequest, SimServer, SimUnit } from '#edge/simulators/modbus-server.ts';
import { startModbusServer } from '#edge/simulators/modbus-server.ts';

/* The twelve things a production layer must add to modbus-serial, each against a server that misbehaves in that way. */

type Framing = 'mbap' | 'rtu';
const kinds = { mbap: mbapLink, rtu: streamLink } as const;
const host = '127.0.0.1';

interface Rig extends AsyncDisposable {
  readonly server: SimServer;
  readonly bus: Bus;
  readonly counts: Map<string, number>;
  /** Requests as the server saw them: `<unit>:<fc>:<at>`. */
  readonly seen: string[];
  readonly writes: boolean[];
  fault: ((request: SimRequest) => SimFault | null) | null;
  options(more?: Partial<AskOptions>): AskOptions;
  read(unit: number, at: number, more?: Partial<AskOptions>): Promise<number>;
}

/** Register n of unit u reads as 1000 * u + n, plus the number of the request so that no two answers are equal. */
async function makeRig(framing: Framing, think = 0): Promise<Rig> {
  const writes: boolean[] = [];
  const unit = (id: number): SimUnit => ({
    read: (_table, at, count) => {
      const image = Buffer.alloc(2 * count);
      for (let i = 0; i < count; i++) image.writeUInt16BE((1000 * id + at + i) & 0xffff, 2 * i);
      if (count > 1) image.writeUInt16BE(server.stats.requests & 0xffff, 2 * (count - 1));
      return image;
    },
    write: (at, values) => {
      if (!Buffer.isBuffer(values)) writes[at] = values[0] === true;
      return 0;
    },
  });
  const seen: string[] = [];
  const rig: { fault: Rig['fault'] } = { fault: null };
  const server = await startModbusServer({
    host,
    port: 0,
    framing,
    think,
    units: new Map([1, 2, 3, 4, 5].map((id) => [id, unit(id)])),
    fault: (request) => {
      seen.push(`${request.unit}:${request.fc}:${request.at}`);
      return rig.fault?.(request) ?? null;
    },
  });
  const source = tcpPort({ host, port: server.port });
  const bus = new Bus({ source, kind: kinds[framing], clock: systemClock, reconnect: { first: 20, cap: 100 } });
  const counts = new Map<string, number>();
  const options = (more: Partial<AskOptions> = {}): AskOptions => ({
    urgency: 'read',
    timeout: 120,
    lateWindow: 250,
    pause: 0,
    device: 'meter',
    signal: new AbortController().signal,
    count: (word) => counts.set(word, (counts.get(word) ?? 0) + 1),
    ...more,
  });
  return Object.assign(rig, {
    server,
    bus,
    counts,
    seen,
    writes,
    options,
    read: async (id: number, at: number, more: Partial<AskOptions> = {}) =>
      (await askModbus(bus, readExchange(id, 'holding', at, 2), options(more))).readUInt16BE(0),
    async [Symbol.asyncDispose]() {
      await bus[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  });
}

const once = (fault: SimFault, when: (request: SimRequest) => boolean = () => true) => {
  let done = false;
  return (request: SimRequest) => {
    if (done || !when(request)) return null;
    done = true;
    return fault;
  };
};
const outcomeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'answered',
    (error: unknown) => {
      expect(error).toBeInstanceOf(Error);
      return error instanceof ModbusError || error instanceof BusError ? error.outcome : String(error);
    },
  );

describe.each(['mbap', 'rtu'] as const)('a %s line', (framing) => {
  it('1: asks one after another, first come first served, writes ahead of reads', async () => {
    await using rig = await makeRig(framing, 15);
    const reads = [1, 2, 3].map((unit) => rig.read(unit, 10 * unit));
    const write = askModbus(rig.bus, writeExchange(4, 5, 7, [true]), rig.options({ urgency: 'write' }));
    expect(await Promise.all(reads)).toEqual([1010, 2020, 3030]);
    await write;
    expect(rig.seen).toEqual(['1:3:10', '4:5:7', '2:3:20', '3:3:30']);
    expect(rig.writes[7]).toBe(true);
  });

  it('5: after a late answer the next one is still right, and other units go on', async () => {
    await using rig = await makeRig(framing);
    await rig.read(1, 0);
    rig.fault = once({ kind: 'late', ms: 180 });
    expect(await outcomeOf(rig.read(1, 100))).toBe('timeout');
    const started = performance.now();
    const next = rig.read(1, 200).then((value) => ({ value, after: performance.now() - started }));
    const other = await rig.read(2, 5).then((value) => ({ value, after: performance.now() - started }));
    expect(other.value).toBe(2005);
    expect((await next).value).toBe(1200);
    // RTU cannot tell answers apart, so the unit waits; Modbus TCP numbers them, so nobody waits.
    if (framing === 'rtu') expect((await next).after).toBeGreaterThan(200);
    if (framing === 'rtu') expect((await next).after).toBeGreaterThan(other.after);
    await expect.poll(() => rig.counts.get('late')).toBe(1);
  });

  it('4: a doubled answer never answers another request', async () => {
    await using rig = await makeRig(framing);
    await rig.read(1, 0);
    for (const ms of [0, 1, 3]) {
      rig.fault = once({ kind: 'doubled', ms });
      for (let i = 0; i < 12; i++) expect(await rig.read(1, 100 * i)).toBe(1000 + 100 * i);
    }
  });

  it("4: another unit's answer is not taken", async () => {
    await using rig = await makeRig(framing);
    await rig.read(1, 0);
    rig.fault = once({ kind: 'stranger' });
    expect(await outcomeOf(rig.read(1, 0))).not.toBe('answered');
    expect(await rig.read(1, 7)).toBe(1007);
  });

  it('takes an answer that comes in two pieces', async () => {
    await using rig = await makeRig(framing);
    rig.fault = once({ kind: 'split', ms: 20 });
    expect(await rig.read(3, 9)).toBe(3009);
  });

  it('7: a dropped answer is a timeout within its time, with a real Error', async () => {
    await using rig = await makeRig(framing);
    rig.fault = once({ kind: 'dropped' });
    const started = performance.now();
    await expect(rig.read(1, 0)).rejects.toMatchObject({ name: 'BusError', code: 'BUS_TIMEOUT' });
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it.each(['reset', 'close'] as const)(
    '7, 9: a %s rejects what waits, and the next request connects anew',
    async (kind) => {
      await using rig = await makeRig(framing);
      await rig.read(1, 0);
      rig.fault = once({ kind });
      const started = performance.now();
      const waiting = rig.read(1, 1, { timeout: 5_000 });
      expect(await outcomeOf(waiting)).toBe('closed');
      expect(performance.now() - started).toBeLessThan(2_500);
      expect(await rig.read(1, 2)).toBe(1002);
      expect(rig.server.stats.connections).toBe(2);
      await expect.poll(() => rig.server.stats.open).toBe(1);
    },
  );

  it('7: closing the line rejects everything that waits in it', async () => {
    await using rig = await makeRig(framing);
    rig.fault = () => ({ kind: 'dropped' });
    const all = [1, 2, 3].map((unit) => rig.read(unit, 0, { timeout: 5_000 }));
    const settled = Promise.allSettled(all);
    await expect.poll(() => rig.server.stats.requests).toBe(1);
    await rig.bus[Symbol.asyncDispose]();
    expect((await settled).map((result) => result.status)).toEqual(['rejected', 'rejected', 'rejected']);
  });

  it('12: an exception is an error with its number, and gateway exceptions say so', async () => {
    await using rig = await makeRig(framing);
    rig.fault = once({ kind: 'exception', code: 2 });
    await expect(rig.read(1, 0)).rejects.toMatchObject({ outcome: 'exception', exception: 2 });
    rig.fault = once({ kind: 'exception', code: 11 });
    await expect(rig.read(1, 0)).rejects.toThrow(/exception 11 \(gateway target does not respond\)/);
  });

  it('a silent unit costs the others little', async () => {
    await using rig = await makeRig(framing);
    rig.fault = ({ unit }) => (unit === 5 ? { kind: 'dropped' } : null);
    for (let i = 0; i < 2; i++) expect(await outcomeOf(rig.read(5, 0))).toBe('timeout');
    // From now on it is asked in half a second, then ever more rarely; in between it is turned away at once.
    expect(await outcomeOf(rig.read(5, 0))).toBe('held');
    expect(await rig.read(1, 3)).toBe(1003);
    await expect.poll(() => outcomeOf(rig.read(5, 0)), { interval: 20, timeout: 5_000 }).toBe('timeout');
    expect(await outcomeOf(rig.read(5, 0))).toBe('held');
    rig.fault = null;
    await expect.poll(() => outcomeOf(rig.read(5, 0)), { interval: 20, timeout: 10_000 }).toBe('answered');
    expect(await rig.read(5, 1)).toBe(5001);
  });
});

describe('an RTU line', () => {
  it('3, resync: skips noise before an answer', async () => {
    await using rig = await makeRig('rtu');
    rig.fault = () => ({ kind: 'noise' });
    for (let i = 0; i < 5; i++) expect(await rig.read(2, i)).toBe(2000 + i);
  });

  it('4: a doubled answer whose copy comes before a late one is not believed', async () => {
    await using rig = await makeRig('rtu');
    await rig.read(1, 0);
    rig.fault = ({ at, n }) => {
      if (at === 100) return { kind: 'doubled', ms: 10 };
      // The copy arrives while this is open, and the true answer only after any patience with it.
      return at === 200 && n === 3 ? { kind: 'late', ms: 105 } : null;
    };
    expect(await rig.read(1, 100)).toBe(1100);
    expect(await rig.read(1, 200)).toBe(1200);
    expect(rig.counts.get('doubted')).toBe(1);
    for (let i = 0; i < 5; i++) expect(await rig.read(1, 300 + i)).toBe(1300 + i);
  });

  it('4: takes no answer with a broken check sum', async () => {
    await using rig = await makeRig('rtu');
    rig.fault = once({ kind: 'crc' });
    expect(await outcomeOf(rig.read(1, 0, { timeout: 1_000 }))).toBe('crc');
    expect(await rig.read(1, 4)).toBe(1004);
  });

  it('4: takes only the echo of its own write', async () => {
    await using rig = await makeRig('rtu');
    const echo = writeExchange(1, 5, 0, [true]).rtu.request;
    rig.fault = once({ kind: 'raw', bytes: echo });
    expect(await outcomeOf(askModbus(rig.bus, writeExchange(1, 5, 5, [false]), rig.options()))).not.toBe('answered');
  });

  it('10: a broadcast reaches every unit and waits for nobody', async () => {
    await using rig = await makeRig('rtu');
    const started = performance.now();
    await askModbus(rig.bus, writeExchange(0, 5, 3, [true]), rig.options({ urgency: 'write', timeout: 5_000 }));
    expect(performance.now() - started).toBeLessThan(2_500);
    await expect.poll(() => rig.writes[3]).toBe(true);
    expect(await rig.read(1, 1)).toBe(1001);
  });
});

describe('an MBAP line', () => {
  it('2: numbers its transactions with 16 bits, from a random start', async () => {
    const numbers: number[] = [];
    for (let i = 0; i < 6; i++) {
      const server = createServer((socket) => {
        socket.once('data', (bytes) => {
          numbers.push(bytes.readUInt16BE(0));
          socket.destroy();
        });
      });
      await new Promise<void>((resolve) => {
        server.listen(0, host, () => resolve());
      });
      const source = tcpPort({ host, port: (server.address() as AddressInfo).port });
      await using rig = await makeRig('mbap');
      await using bus = new Bus({ source, kind: mbapLink, clock: systemClock });
      expect(await outcomeOf(askModbus(bus, readExchange(1, 'input', 0, 2), rig.options()))).toBe('closed');
      server.close();
    }
    expect(new Set(numbers).size).toBeGreaterThan(3);
    expect(Math.max(...numbers)).toBeGreaterThan(255);
  });

  it('2: an answer 300 requests late is known and dropped', async () => {
    await using rig = await makeRig('mbap');
    rig.fault = once({ kind: 'late', ms: 500 });
    expect(await outcomeOf(rig.read(1, 500, { timeout: 30 }))).toBe('timeout');
    for (let i = 0; i < 300; i++) expect(await rig.read(1, i)).toBe(1000 + i);
    await expect.poll(() => rig.counts.get('late'), { timeout: 5_000 }).toBe(1);
    expect(await rig.read(1, 1)).toBe(1001);
    expect(rig.server.stats.connections).toBe(1);
  });

  it.each([
    ['garbage', { kind: 'garbage' }],
    ['an unknown transaction', { kind: 'raw', bytes: Buffer.from('424200000007010304000a000b', 'hex') }],
    ['protocol 7', { kind: 'raw', bytes: Buffer.from('000100070007010304000a000b', 'hex') }],
    ['length 9000', { kind: 'raw', bytes: Buffer.from('000100002328010304', 'hex') }],
  ] as const)('6: %s drops the connection at once, and all that follows is right', async (_name, fault) => {
    await using rig = await makeRig('mbap');
    await rig.read(1, 0);
    rig.fault = once(fault);
    expect(await outcomeOf(rig.read(1, 1, { timeout: 5_000 }))).toBe('garbage');
    for (let i = 0; i < 12; i++) expect(await rig.read(1, i)).toBe(1000 + i);
    expect(rig.server.stats.connections).toBe(2);
  });
});

describe('connecting', () => {
  it('7, 9: refuses at once while it backs off, and makes a new socket each time', async () => {
    await using rig = await makeRig('mbap');
    const source = tcpPort({ host, port: 1 });
    await using bus = new Bus({
      source,
      kind: mbapLink,
      clock: systemClock,
      reconnect: { first: 60_000, cap: 60_000 },
    });
    await expect(askModbus(bus, readExchange(1, 'input', 0, 2), rig.options())).rejects.toThrow(
      /127\.0\.0\.1:1.*ECONNREFUSED/,
    );
    const started = performance.now();
    await expect(askModbus(bus, readExchange(1, 'input', 0, 2), rig.options())).rejects.toThrow(/next try in \d+ s/);
    expect(performance.now() - started).toBeLessThan(500);
  });

  it('speaks to an IPv6 address, with or without brackets, as one line', async () => {
    const bare = tcpPort({ host: '::1', port: 502 });
    const long = tcpPort({ host: '[0:0:0:0:0:0:0:1]', port: 502 });
    expect(bare.key).toBe(long.key);
    expect(bare.label).toBe('[::1]:502');
    const units = new Map([[1, { read: () => Buffer.from('0007', 'hex'), write: () => 1 }]]);
    await using server = await startModbusServer({ host: '::1', port: 0, framing: 'mbap', units });
    await using rig = await makeRig('mbap');
    const source = tcpPort({ host: '[::1]', port: server.port });
    await using bus = new Bus({ source, kind: mbapLink, clock: systemClock });
    expect((await askModbus(bus, readExchange(1, 'input', 0, 1), rig.options())).readUInt16BE()).toBe(7);
  });
});

describe('11: limits', () => {
  it.each([
    ['126 registers', () => readExchange(1, 'holding', 0, 126)],
    ['2001 coils', () => readExchange(1, 'coil', 0, 2001)],
    ['124 registers written', () => writeExchange(1, 16, 0, Buffer.alloc(248))],
    ['1969 coils written', () => writeExchange(1, 15, 0, new Array<boolean>(1969).fill(true))],
    ['addresses beyond 65535', () => readExchange(1, 'input', 65_535, 2)],
    ['unit 256', () => readExchange(256, 'input', 0, 1)],
  ])('%s are not sent', (_name, make) => {
    expect(make).toThrow(ModbusError);
    expect(make).toThrow(expect.objectContaining({ code: 'MODBUS_LIMIT' }));
  });

  it('the largest requests are exactly as long as the standard says', () => {
    expect(readExchange(1, 'holding', 0, 125).rtu.length).toBe(255);
    expect(readExchange(1, 'coil', 0, 2000).rtu.length).toBe(255);
    expect(writeExchange(1, 16, 0, Buffer.alloc(246)).rtu.request.length).toBe(255);
    expect(readExchange(17, 'holding', 0x6b, 3).rtu.request.toString('hex')).toBe('1103006b00037687');
    expect(writeExchange(1, 5, 3, [true]).rtu.request.subarray(0, 6).toString('hex')).toBe('01050003ff00');
    expect(writeExchange(1, 15, 0, [true, false, true]).rtu.request.subarray(0, 8).toString('hex')).toBe(
      '010f000000030105',
    );
  });
});
