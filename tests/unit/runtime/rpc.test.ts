import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CodedError } from '#edge/runtime/errors.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { connectRpc, startRpcServer } from '#edge/runtime/rpc.ts';

const methods = {
  echo: async (params: unknown) => ({ params }),
  refuse: async () => {
    throw new CodedError('NO_SUCH_ALARM', 'there is no alarm 7');
  },
  never: () => new Promise<never>(() => {}),
};

function socketPath(): string {
  return join(mkdtempSync(join(tmpdir(), 'rpc-')), 'core.sock');
}

test('calls are answered, errors keep their code, and the socket is private', async () => {
  const path = socketPath();
  await using _server = await startRpcServer({ path, methods, log: silentLog });
  await using client = connectRpc(path);
  const answers = await Promise.all([1, 2, 3].map((n) => client.call('echo', { n })));
  expect(answers).toEqual([1, 2, 3].map((n) => ({ params: { n } })));
  await expect(client.call('refuse', {})).rejects.toMatchObject({ code: 'NO_SUCH_ALARM' });
  await expect(client.call('toString', {})).rejects.toMatchObject({ code: 'RPC_UNKNOWN_METHOD' });
  await expect(client.call('never', {}, 30)).rejects.toMatchObject({ code: 'TIMEOUT' });
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('a call fails at once while core is away and works again after its return', async () => {
  const path = socketPath();
  await using client = connectRpc(path);
  await expect(client.call('echo', {})).rejects.toMatchObject({ code: 'RPC_AWAY' });
  const first = await startRpcServer({ path, methods, log: silentLog });
  await client.call('echo', {});
  const waiting = expect(client.call('never', {})).rejects.toMatchObject({ code: 'RPC_AWAY' });
  await first[Symbol.asyncDispose]();
  await waiting;
  writeFileSync(path, 'left by a killed process');
  await using _second = await startRpcServer({ path, methods, log: silentLog });
  expect(await client.call('echo', { again: true })).toEqual({ params: { again: true } });
});

test('a line that is no call is answered with an error and a line without end closes the connection', async () => {
  const path = socketPath();
  await using _server = await startRpcServer({ path, methods, log: silentLog });
  const talk = (text: string) =>
    new Promise<string>((resolve) => {
      const socket = createConnection(path);
      let heard = '';
      socket.on('data', (chunk) => {
        heard += chunk;
        socket.end();
      });
      socket.on('close', () => resolve(heard));
      socket.on('error', () => {});
      socket.write(text);
    });
  expect(await talk('{"id":1}\n')).toContain('RPC_FAILED');
  expect(await talk('x'.repeat(1_100_000))).toBe('');
});
