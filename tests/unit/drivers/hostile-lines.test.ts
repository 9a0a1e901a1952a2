import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { readExchange as readDlt645 } from '#edge/drivers/dlt645/exchange.ts';
import { readExchange } from '#edge/drivers/modbus/exchange.ts';
import { askModbus } from '#edge/drivers/modbus/line.ts';
import { mbapLink } from '#edge/drivers/modbus/mbap-link.ts';
import { Bus } from '#edge/drivers/ports/bus.ts';
import { BusError } from '#edge/drivers/ports/bus-error.ts';
import type { LinkKind, Question } from '#edge/drivers/ports/link.ts';
import type { BytePort } from '#edge/drivers/ports/port.ts';
import { streamLink } from '#edge/drivers/ports/stream-link.ts';
import { tcpPort } from '#edge/drivers/ports/tcp.ts';
import { systemClock } from '#edge/runtime/clock.ts';

/* Lines that are never quiet, gateways with one bad unit, servers that hang up: they cost little, and others nothing. */

const host = '127.0.0.1';
const never = new AbortController().signal;
const answerOf = Buffer.from('0103020007f986', 'hex');

function openStream() {
  let hear: (bytes: Buffer) => void = () => {};
  const port: BytePort = {
    write: () => {},
    listen: ({ data }) => {
      hear = data;
    },
    [Symbol.asyncDispose]: async () => {},
  };
  const link = streamLink.open(port, systemClock, {
    count: () => {},
    late: () => {},
    unsettled: () => {},
    second: () => {},
  });
  return { link, hear: (bytes: Buffer) => hear(bytes) };
}

/** What is slow to look through: beginnings of frames, and nothing else. */
const noise = Buffer.alloc(16, 0x68);

describe('a line that is never quiet', () => {
  it('is looked at now and then only, however many questions were not answered there', async () => {
    const { link, hear } = openStream();
    await using _ = link;
    let looks = 0;
    const counting = (question: Question): Question => ({
      ...question,
      find: (bytes) => {
        looks++;
        return question.find(bytes);
      },
    });
    const meters = Array.from({ length: 64 }, (_unused, i) => String(i).padStart(12, '0'));
    for (const meter of meters) {
      const { question } = readDlt645({ meter, preamble: 4 }, '00010000', 4);
      await link.exchange(counting(question), 1).catch(() => {});
    }
    const open = link.exchange(counting(readExchange(1, 'holding', 0, 1).rtu), 20_000);
    looks = 0;
    // As much as 115,200 baud bring in three minutes, at once.
    for (let i = 0; i < 125_000; i++) hear(noise);
    expect(looks).toBeLessThan(125_000);
    hear(answerOf);
    expect((await open).frame).toEqual(answerOf);
  });

  it('does not hide an answer, wherever it lies in the noise', async () => {
    for (const before of [0, 10, 299, 301, 900, 5_000]) {
      const { link, hear } = openStream();
      await using _ = link;
      const open = link.exchange(readExchange(1, 'holding', 0, 1).rtu, 20_000);
      for (let at = 0; at < before; at += 7) hear(Buffer.alloc(Math.min(7, before - at), 0x55));
      hear(answerOf.subarray(0, 4));
      hear(answerOf.subarray(4));
      hear(Buffer.alloc(20, 0x55));
      expect((await open).frame).toEqual(answerOf);
    }
  });

  it('and brings no answer ends the question in its time', async () => {
    const { link, hear } = openStream();
    await using _ = link;
    const open = link.exchange(readExchange(1, 'holding', 0, 1).rtu, 60).catch((error: unknown) => error);
    const timer = setInterval(() => hear(noise), 1);
    expect(await open).toMatchObject({ outcome: 'crc' });
    clearInterval(timer);
  });
});

afterEach(async () => {
  for (const one of servers.splice(0)) await one();
});
const servers: (() => Promise<void>)[] = [];

async function serve(onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
    onSocket(socket);
  }).listen(0, host);
  await once(server, 'listening');
  servers.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

const busTo = (port: number, kind: LinkKind, reconnect: { first: number; cap: number }) =>
  new Bus({ source: tcpPort({ host, port }), kind, clock: systemClock, reconnect });

const read = (bus: Bus, unit: number) =>
  askModbus(bus, readExchange(unit, 'holding', 0, 1), {
    urgency: 'read',
    timeout: 5_000,
    lateWindow: 10,
    pause: 0,
    device: `meter-${unit}`,
    signal: never,
    count: () => {},
  }).then(
    (data) => data.readUInt16BE(0),
    (error: unknown) => (error instanceof BusError ? error.outcome : String(error)),
  );

describe('a gateway with one unit whose answers are of another', () => {
  it('is asked for that one ever more rarely, and gives the others all the time', async () => {
    let connections = 0;
    const port = await serve((socket) => {
      connections++;
      socket.on('data', (request: Buffer) => {
        const answer = Buffer.from([...request.subarray(0, 4), 0, 5, request[6] ?? 0, 3, 2, 0, 7]);
        if (answer[6] === 5) answer[6] = 6;
        socket.write(answer);
      });
    });
    await using bus = busTo(port, mbapLink, { first: 300, cap: 2_000 });
    expect(await read(bus, 5)).toBe('garbage');
    // The connection is made anew after a pause, as long as nothing good came over one.
    await expect.poll(() => read(bus, 1), { timeout: 20_000 }).toBe(7);
    expect(await read(bus, 5)).toBe('garbage');
    expect(await read(bus, 1)).toBe(7);
    const before = connections;
    for (let i = 0; i < 40; i++) {
      const said = await read(bus, 5);
      expect(['garbage', 'held']).toContain(said);
      expect(await read(bus, 1)).toBe(7);
    }
    expect(connections - before).toBeLessThan(5);
    expect(bus.health().units.find(({ unit }) => unit === '5')?.state).toBe('quarantined');
  });
});

describe('a server that resets every connection', () => {
  it.each([
    ['mbap', mbapLink],
    ['rtu', streamLink],
  ] as const)('is not called more often than agreed, and nothing is left of it: %s', async (_, kind) => {
    let connections = 0;
    const port = await serve((socket) => {
      connections++;
      socket.resetAndDestroy();
    });
    await using bus = busTo(port, kind, { first: 10, cap: 80 });
    const end = performance.now() + 600;
    let asked = 0;
    const outcomes = new Set<unknown>();
    while (performance.now() < end) {
      outcomes.add(await read(bus, 1 + (asked++ % 200)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect([...outcomes]).toEqual(['closed']);
    expect(asked).toBeGreaterThan(connections);
    expect(connections).toBeLessThan(40);
  });
});
