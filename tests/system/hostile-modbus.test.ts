import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { describe, expect, test } from 'vitest';
import { readExchange } from '#edge/drivers/modbus/exchange.ts';
import { askModbus } from '#edge/drivers/modbus/line.ts';
import { mbapLink } from '#edge/drivers/modbus/mbap-link.ts';
import { Bus } from '#edge/drivers/ports/bus.ts';
import { BusError } from '#edge/drivers/ports/bus-error.ts';
import { streamLink } from '#edge/drivers/ports/stream-link.ts';
import { tcpPort } from '#edge/drivers/ports/tcp.ts';
import { systemClock } from '#edge/runtime/clock.ts';

/* What answers on a meter's port is not always a meter. Each read ends in its time, with a reason, and others go on. */

async function serve(onSocket: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const strangers: Readonly<Record<string, (socket: Socket) => void>> = {
  'a web server': (socket) => socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n<html>')),
  'one that sends a byte at a time and never ends': (socket) => {
    const timer = setInterval(() => socket.write(Buffer.from([0])), 20);
    socket.on('close', () => clearInterval(timer));
  },
  'one that never reads nor writes': (socket) => void socket.pause(),
  'one that sends noise as fast as it can': (socket) => {
    const noise = Buffer.alloc(65_536, Buffer.from('01030400050006', 'hex'));
    const pour = (): void => {
      while (!socket.destroyed && socket.write(noise));
    };
    socket.on('drain', pour).on('close', () => socket.removeAllListeners());
    pour();
  },
};

describe.each(['mbap', 'rtu'] as const)('a %s line', (framing) => {
  test.each(Object.entries(strangers))('to %s', async (_what, onSocket) => {
    using server = await serve(onSocket);
    const source = tcpPort({ host: '127.0.0.1', port: server.port });
    const kind = framing === 'rtu' ? streamLink : mbapLink;
    await using bus = new Bus({ source, kind, clock: systemClock, reconnect: { first: 20, cap: 100 } });
    const lateness = monitorEventLoopDelay({ resolution: 5 });
    lateness.enable();
    for (let i = 0; i < 5; i++) {
      const began = systemClock.monotonic();
      const read = askModbus(bus, readExchange(1, 'holding', 0, 2), {
        urgency: 'read',
        timeout: 150,
        lateWindow: 50,
        pause: 0,
        device: 'meter',
        signal: new AbortController().signal,
        count: () => {},
      });
      await expect(read).rejects.toBeInstanceOf(BusError);
      expect(systemClock.monotonic() - began).toBeLessThan(3_000);
    }
    lateness.disable();
    expect(lateness.max / 1e6, 'ms that the event loop was late').toBeLessThan(1_000);
  });
});
