import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { readExchange } from '#edge/drivers/modbus/exchange.ts';
import { mbapLink } from '#edge/drivers/modbus/mbap-link.ts';
import { answerTimer } from '#edge/drivers/ports/answer-timer.ts';
import { streamLink } from '#edge/drivers/ports/stream-link.ts';
import { tcpPort } from '#edge/drivers/ports/tcp.ts';
import { systemClock } from '#edge/runtime/clock.ts';

const host = '127.0.0.1';
const never = new AbortController().signal;

/** Nothing runs meanwhile, as while a process is stopped or its machine is busy. */
function standStill(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('waiting for an answer', () => {
  it.each([
    ['mbap', mbapLink, 'tcp', Buffer.from('000000000005' + '0103020007', 'hex')],
    ['rtu', streamLink, 'rtu', Buffer.from('0103020007f986', 'hex')],
  ] as const)(
    'hears what came in time, though the process stood still until long after it: %s',
    async (_, kind, body, answer) => {
      await using stack = new AsyncDisposableStack();
      const server = createServer((socket) => {
        stack.defer(() => void socket.destroy());
        socket.on('data', (request: Buffer) => {
          socket.write(body === 'tcp' ? Buffer.concat([request.subarray(0, 2), answer.subarray(2)]) : answer);
          standStill(300);
        });
      }).listen(0, host);
      await once(server, 'listening');
      stack.defer(() => void server.close());
      const port = await tcpPort({ host, port: (server.address() as AddressInfo).port }).open(20_000, never);
      const link = stack.use(
        kind.open(port, systemClock, { count: () => {}, late: () => {}, unsettled: () => {}, second: () => {} }),
      );
      const { frame } = await link.exchange(readExchange(1, 'holding', 0, 1)[body], 100);
      expect(frame.subarray(0, 5)).toEqual(Buffer.from('0103020007', 'hex'));
    },
  );

  it('ends in its time, and not at all when it is called off', async () => {
    const called: string[] = [];
    const began = performance.now();
    const off = answerTimer(systemClock, 20, () => called.push('off'));
    await new Promise<void>((resolve) => {
      answerTimer(systemClock, 60, () => {
        called.push('on');
        resolve();
      });
      off.cancel();
    });
    expect(performance.now() - began).toBeGreaterThanOrEqual(59);
    const late = answerTimer(systemClock, 5, () => called.push('late'));
    standStill(40);
    late.cancel();
    await new Promise<void>((resolve) => void answerTimer(systemClock, 100, resolve));
    expect(called).toEqual(['on']);
  });
});
