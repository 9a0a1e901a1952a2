import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { readExchange } from '#edge/drivers/modbus/exchange.ts';
import { askModbus } from '#edge/drivers/modbus/line.ts';
import type { AskOptions } from '#edge/drivers/ports/bus.ts';
import { Bus } from '#edge/drivers/ports/bus.ts';
import { BusError } from '#edge/drivers/ports/bus-error.ts';
import { streamLink } from '#edge/drivers/ports/stream-link.ts';
import { tcpPort } from '#edge/drivers/ports/tcp.ts';
import { systemClock } from '#edge/runtime/clock.ts';

/* Answers on a line without numbers that come after their time: what they teach, and what must not be taken for one. */

const host = '127.0.0.1';

interface Peer extends AsyncDisposable {
  readonly port: number;
  /** When each request came, ms of performance.now(), and its unit. */
  readonly asked: { readonly unit: number; readonly at: number }[];
  /** Called for the n-th request, from 1. */
  answer: (n: number, say: (word: number, after?: number) => void) => void;
}

function crc(bytes: Buffer): number {
  let value = 0xffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let i = 0; i < 8; i++) value = (value & 1) === 1 ? (value >>> 1) ^ 0xa001 : value >>> 1;
  }
  return value;
}

/** One register of the unit that was asked. */
function frameOf(request: Buffer, word: number): Buffer {
  const body = Buffer.from([request[0] ?? 0, 3, 2, word >> 8, word & 0xff]);
  const sum = crc(body);
  return Buffer.concat([body, Buffer.from([sum & 0xff, sum >>> 8])]);
}

async function startPeer(answer: Peer['answer']): Promise<Peer> {
  const sockets = new Set<Socket>();
  const asked: Peer['asked'] = [];
  const rig = { answer };
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (request: Buffer) => {
      asked.push({ unit: request[0] ?? 0, at: performance.now() });
      rig.answer(asked.length, (word, after = 0) => {
        const frame = frameOf(request, word);
        if (after === 0) socket.write(frame);
        else setTimeout(() => socket.destroyed || socket.write(frame), after);
      });
    });
  });
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  return Object.assign(rig, {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  });
}

async function open(answer: Peer['answer'], timing: { timeout: number; lateWindow: number }) {
  const stack = new AsyncDisposableStack();
  const peer = stack.use(await startPeer(answer));
  const source = tcpPort({ host, port: peer.port });
  const bus = stack.use(new Bus({ source, kind: streamLink, clock: systemClock }));
  const counts: string[] = [];
  const options: AskOptions = {
    urgency: 'read',
    ...timing,
    pause: 0,
    signal: new AbortController().signal,
    count: (word) => counts.push(word),
    device: 'meter',
  };
  const read = (unit = 1) =>
    askModbus(bus, readExchange(unit, 'holding', 0, 1), options).then(
      (bytes) => bytes.readUInt16BE(0),
      (error: unknown) => (error instanceof BusError ? error.outcome : String(error)),
    );
  return { peer, bus, counts, read, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe('a question that was asked twice because a copy came', () => {
  it('leaves the unit alone until the other answer can no longer come', async () => {
    await using line = await open(
      (n, say) => {
        if (n === 1) say(100);
        // A copy of the first answer; the true one is 140 ms late.
        if (n === 2) {
          say(100);
          say(200, 140);
        }
        // The same question once more: answered at once.
        if (n === 3) say(300);
        if (n === 4) say(400, 100);
      },
      { timeout: 120, lateWindow: 50 },
    );
    // The first answer of a unit is listened after, for a second device.
    expect(await line.read()).toBe(100);
    expect(await line.read()).toBe(300);
    expect(await line.read()).toBe(400);
    const [, , again, next] = line.peer.asked;
    expect((next?.at ?? 0) - (again?.at ?? 0)).toBeGreaterThanOrEqual(150);
  });
});

describe('a copy of a fresh answer', () => {
  it('is no late answer to an older question, and the next silence holds the unit no longer for it', async () => {
    await using line = await open(
      (n, say) => {
        // 1: unit 1, 2: unit 1 silent, 3: unit 1 at once and a copy 30 ms later, while unit 2 is asked, which takes longer.
        if (n === 1) say(100);
        if (n === 3) {
          say(300);
          say(300, 30);
        }
        if (n === 4) say(400, 180);
        if (n === 6) say(600);
      },
      { timeout: 250, lateWindow: 500 },
    );
    expect(await line.read()).toBe(100);
    expect(await line.read()).toBe('timeout');
    expect(await line.read()).toBe(300);
    expect(await line.read(2)).toBe(400);
    expect(line.counts).not.toContain('late');
    // Silent again: held for the late window of 500 ms, not for one and a half times the time since the first silence.
    expect(await line.read()).toBe('timeout');
    const silence = performance.now();
    expect(await line.read()).toBe(600);
    expect(performance.now() - silence).toBeLessThan(720);
  });

  it('does not hide a true late answer, which teaches how long to hold a unit back', async () => {
    await using line = await open(
      (n, say) => {
        if (n === 1) say(100);
        if (n === 2) say(200, 250 + 300);
        // While unit 2 is asked the late answer of unit 1 comes.
        if (n === 3) say(300, 180);
        if (n === 5) say(500);
      },
      { timeout: 250, lateWindow: 30 },
    );
    expect(await line.read()).toBe(100);
    expect(await line.read()).toBe('timeout');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await line.read(2)).toBe(300);
    expect(line.counts).toContain('late');
    expect(await line.read()).toBe('timeout');
    const silence = performance.now();
    expect(await line.read()).toBe(500);
    expect(performance.now() - silence).toBeGreaterThan(300);
  });
});

describe('an answer that comes when the same question is asked again', () => {
  it('seconds late is not believed: the true one follows it, and the question is asked once more', async () => {
    await using line = await open(
      (n, say) => {
        if (n === 1) say(100);
        // 2: longer than any hold. It comes while the third waits for its own answer.
        if (n === 2) say(200, 250 + 30 + 60);
        if (n === 3) say(300, 75);
        if (n === 4) say(400);
      },
      { timeout: 250, lateWindow: 30 },
    );
    expect(await line.read()).toBe(100);
    expect(await line.read()).toBe('timeout');
    expect(await line.read()).toBe(400);
    expect(line.counts).toContain('late');
    expect(line.peer.asked).toHaveLength(4);
  });

  it('and is its own is believed a moment later, without asking twice', async () => {
    await using line = await open(
      (n, say) => {
        if (n !== 2) say(n * 100);
      },
      { timeout: 250, lateWindow: 30 },
    );
    expect(await line.read()).toBe(100);
    expect(await line.read()).toBe('timeout');
    expect(await line.read()).toBe(300);
    expect(await line.read()).toBe(400);
    expect(line.peer.asked).toHaveLength(4);
  });
});
