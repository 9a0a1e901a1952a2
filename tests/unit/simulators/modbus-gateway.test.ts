import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type SimServerOptions, type SimUnit, startModbusServer } from '#edge/simulators/modbus-server.ts';

/* The gateway of the overload figures (9600 8N1, FIFO, nothing dropped), in small: what a client may expect of it. */

const registers: SimUnit = { read: (_, at, count) => Buffer.alloc(2 * count, at), write: () => 0 };
const gateway = (options: Partial<SimServerOptions> = {}) =>
  startModbusServer({
    host: '127.0.0.1',
    port: 0,
    framing: 'mbap',
    units: new Map([[1, registers]]),
    line: { baud: 9_600 },
    ...options,
  });

async function client(port: number) {
  const socket = connect(port, '127.0.0.1');
  const heard: { tid: number; unit: number; fc: number; at: number }[] = [];
  let rest = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 6 && rest.length >= 6 + rest.readUInt16BE(4)) {
      heard.push({ tid: rest.readUInt16BE(0), unit: rest[6] ?? 0, fc: rest[7] ?? 0, at: rest[8] ?? 0 });
      rest = rest.subarray(6 + rest.readUInt16BE(4));
    }
  });
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return {
    heard,
    ask(tid: number, unit: number, count: number) {
      socket.write(Buffer.from([tid >> 8, tid & 0xff, 0, 0, 0, 6, unit, 3, 0, 7, 0, count]));
    },
    async [Symbol.asyncDispose]() {
      socket.destroy();
    },
  };
}

describe('a gateway with a line behind it', () => {
  test('takes the time that bytes, silences and the unit take: 60 registers at 9600 in 155.8 ms', async () => {
    await using one = await gateway({ think: 10 });
    await using asking = await client(one.port);
    for (let tid = 1; tid <= 3; tid++) asking.ask(tid, 1, 60);
    await expect.poll(() => asking.heard.length, { timeout: 5_000 }).toBe(3);
    expect(asking.heard.map(({ tid }) => tid)).toEqual([1, 2, 3]);
    expect((one.wire?.busy ?? 0) / 3).toBeCloseTo(155.8, 0);
  });

  test('serves those who have given up before those who wait', async () => {
    await using one = await gateway();
    {
      await using gone = await client(one.port);
      for (let tid = 1; tid <= 4; tid++) gone.ask(tid, 1, 60);
      await expect.poll(() => one.wire?.waiting, { interval: 5 }).toBe(3);
    }
    await using waiting = await client(one.port);
    waiting.ask(9, 1, 10);
    await expect.poll(() => waiting.heard.length, { timeout: 5_000 }).toBe(1);
    expect(one.stats.requests).toBe(5);
  });

  test('keeps the line for a unit that is silent, then says nothing, or exception 0B', async () => {
    for (const silence of ['nothing', '0x0B'] as const) {
      await using one = await gateway({ line: { baud: 115_200, patience: 60, silence } });
      await using asking = await client(one.port);
      asking.ask(1, 2, 10);
      asking.ask(2, 1, 10);
      const told = silence === '0x0B' ? [[1, 0x83, 0x0b]] : [];
      await expect.poll(() => asking.heard.map(({ tid, fc, at }) => [tid, fc, at])).toEqual([...told, [2, 3, 20]]);
      expect(one.wire?.busy).toBeGreaterThan(60);
    }
  });

  test('an answer later than its patience comes all the same, when the line has gone on', async () => {
    await using one = await gateway({
      line: { baud: 115_200, patience: 20 },
      fault: ({ n }) => (n === 1 ? { kind: 'late', ms: 80 } : null),
    });
    await using asking = await client(one.port);
    asking.ask(1, 1, 2);
    asking.ask(2, 1, 2);
    await expect.poll(() => asking.heard.map(({ tid }) => tid)).toEqual([2, 1]);
  });
});
