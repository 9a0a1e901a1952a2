import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { CodedError } from '#edge/runtime/errors.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { connectRpc, startRpcServer } from '#edge/runtime/rpc.ts';
import { methodKeyFile } from '#edge/runtime/rpc-keys.ts';

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
  const key = readFileSync(methodKeyFile(path, 'echo'), 'utf8').trim();
  const shown = `{"key":"${key}"}\n`;
  expect(await talk(`${shown}{"id":1}\n`)).toContain('RPC_FAILED');
  expect(await talk(`${shown}${'x'.repeat(1_100_000)}`)).toBe('');
  const call = '{"id":1,"method":"echo","params":{}}\n';
  for (const wrong of [
    '',
    '{"key":"guess"}\n',
    '{"key":""}\n',
    '{"key":["x"]}\n',
    '{}\n',
    'null\n',
    '{"__proto__":{}}\n',
  ]) {
    expect(await talk(`${wrong}${call}`), wrong).toBe('');
  }
  expect(await talk(`${shown}${call}`)).toContain('"result"');
});

test('the key of one method opens that method and no other, and is for this user alone', async () => {
  const path = socketPath();
  await using _server = await startRpcServer({ path, methods, log: silentLog });
  await using client = connectRpc(path, 'echo');
  expect(await client.call('echo', { n: 1 })).toEqual({ params: { n: 1 } });
  await expect(client.call('refuse', {})).rejects.toMatchObject({ code: 'RPC_NOT_GRANTED' });
  expect(statSync(`${path}.keys`).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(`${path}.keys`))
    expect(statSync(`${path}.keys/${name}`).mode & 0o777, name).toBe(0o600);
});

test('connections that never show a key end by themselves and cannot use up the places of ours', async () => {
  const path = socketPath();
  await using _server = await startRpcServer({ path, methods, log: silentLog });
  await using client = connectRpc(path);
  await client.call('echo', {});
  const idle = Array.from({ length: 200 }, () => createConnection(path).on('error', () => {}));
  await vi.waitFor(() => expect(idle.every((socket) => socket.destroyed)).toBe(true), { timeout: 9_000, interval: 50 });
  expect(await client.call('echo', { still: 'here' })).toEqual({ params: { still: 'here' } });
});
