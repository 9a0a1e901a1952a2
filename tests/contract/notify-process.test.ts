import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NotifyInit } from '#edge/processes/context.ts';
import { newSecrets } from '#edge/processes/context.ts';
import { startCore } from '#edge/processes/core.ts';
import type { Running } from '#edge/runtime/child.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import { checkSite, type Site } from '#edge/runtime/site.ts';
import { openReader } from '#edge/store/reader.ts';
import { type Gateway, json, type Received, startGateway } from '../unit/notify/peers.ts';

/*
 * The real process beside a real core: killed while it sends, started while core is away. And what it says at the most talkative
 * level, while everything it has a secret for goes wrong.
 */

const soon = { timeout: 30_000, interval: 50 };
const name = { zh: '渠道', en: 'Channel' };
const secrets = {
  key: 'hook-key-7f3a21',
  password: 'mail-word-55d0c9',
  header: 'header-word-91bc',
  phone: '13800001111',
  mail: 'guard@school.example',
};
const folder = mkdtempSync(join(tmpdir(), 'notify-process-'));
const data = join(folder, 'data');
const boot = newSecrets();
let gateway: Gateway;
let answer: (response: ServerResponse, received: Received) => void = (response) => json(response, { errcode: 0 });
let site: Site;
const children: ChildProcess[] = [];
let logged = '';

beforeAll(async () => {
  mkdirSync(data);
  gateway = await startGateway((received, response) => answer(response, received));
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text, { mode: 0o600 });
  write('duty.url', `${gateway.url}/send?key=${secrets.key}`);
  write('mail.password', secrets.password);
  write('headers.json', JSON.stringify({ authorization: secrets.header }));
  const notify = {
    channels: [
      { id: 'duty', kind: 'wecom', name, urlFile: 'duty.url' },
      {
        id: 'mail',
        kind: 'email',
        name,
        host: '127.0.0.1',
        port: 9,
        tls: 'none',
        user: 'campus',
        passwordFile: 'mail.password',
        from: 'a@b.example',
      },
      { id: 'sms', kind: 'sms', name, url: `${gateway.url}/sms`, headersFile: 'headers.json' },
    ],
    recipients: [{ id: 'guard', name, phone: secrets.phone, email: secrets.mail }],
  };
  const mqtt = { hosts: ['127.0.0.1'], port: 0, websocketPort: null, tls: null };
  const campus = { id: '2151009901', name, timeZone: 'Asia/Shanghai' };
  site = checkSite({ site: 1, campus, zones: [{ id: 'east', name }], mqtt, https: null, notify }, folder);
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await gateway[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const runCore = (): Promise<Running> =>
  startCore({ site, data, ...boot }, { clock: systemClock, log: silentLog, onProcesses: () => {} });

async function runNotify(port: number): Promise<ChildProcess> {
  const module = join(import.meta.dirname, '../../edge/processes/notify.ts');
  const child = fork(module, [], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  children.push(child);
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (text) => {
      logged += text;
    });
  }
  const { campus, notify, mqtt } = site;
  const init: NotifyInit = {
    site: { campus, folder, mqtt: { ...mqtt, port }, ...(notify === undefined ? {} : { notify }) },
    data,
    tokens: { notify: boot.tokens.notify ?? '' },
  };
  const ready = new Promise<void>((resolve) =>
    child.on('message', (message) => void (JSON.stringify(message).includes('"ready"') && resolve())),
  );
  child.send({ kind: 'init', init, logLevel: 'debug', beatMs: 1_000 });
  await ready;
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

test('nothing is lost when the process is killed while it sends, nor when core is away, and no secret is said', async () => {
  let core = await runCore();
  const rpc = connectRpc(join(data, 'core.sock'));
  const reader = openReader(data);
  const queue = async (channel: string, recipient: string | null) => {
    const { id } = (await rpc.call('notice.test', { channel, recipient, who: 'person:lin', from: '::1' })) as {
      id: string;
    };
    return id;
  };
  const stateOf = (id: string) => reader.notices({ limit: 100 }).find((notice) => notice.id === id);
  const port = () => Number(core.info.mqtt);

  // The gateway takes the request and says nothing: the process dies in the middle of it.
  answer = () => {};
  let child = await runNotify(port());
  const first = await queue('duty', null);
  await expect.poll(() => gateway.received.length, soon).toBe(1);
  await kill(child);
  expect(stateOf(first)).toMatchObject({ state: 'queued' });
  answer = (response) => json(response, { errcode: 0, errmsg: 'ok' });
  child = await runNotify(port());
  await expect.poll(() => stateOf(first)?.state, soon).toBe('delivered');
  expect(gateway.received.length).toBe(2);

  // Core goes while a message is under way: the process goes on, and settles when core is back.
  const held: ServerResponse[] = [];
  answer = (response) => held.push(response);
  const second = await queue('duty', null);
  await expect.poll(() => held.length, soon).toBe(1);
  await core[Symbol.asyncDispose]();
  for (const response of held) json(response, { errcode: 0, errmsg: 'ok' });
  await kill(child);
  // Nobody could be told that it was delivered: better twice than never, and the process starts without core.
  answer = (response) => json(response, { errcode: 0, errmsg: 'ok' });
  child = await runNotify(1);
  await expect.poll(() => gateway.received.length, soon).toBe(4);
  expect(stateOf(second)?.state).toBe('queued');
  core = await runCore();
  await expect.poll(() => stateOf(second)?.state, soon).toBe('delivered');
  expect(gateway.received.length).toBe(4);

  // Everything with a secret goes wrong, in ways that quote what was sent.
  answer = (response, { url, body, headers }) =>
    json(response, { errcode: 93000, errmsg: `bad ${url.search} ${headers.authorization} ${body}` }, 403);
  const failing = [await queue('mail', 'guard'), await queue('sms', 'guard'), await queue('duty', null)];
  await expect.poll(() => failing.every((id) => (stateOf(id)?.attempts ?? 0) > 0), soon).toBe(true);
  const details = failing.map((id) => stateOf(id)?.detail);
  expect(details).toEqual([
    expect.stringContaining('ECONNREFUSED'),
    expect.stringContaining('HTTP 403'),
    expect.stringContaining('93000'),
  ]);
  await expect.poll(() => logged, soon).toContain('a channel for notices does not work');
  const tokens = Object.values(boot.tokens);
  for (const secret of [...Object.values(secrets), ...tokens]) {
    expect(logged, 'the log').not.toContain(secret);
    expect(JSON.stringify(details), 'the details').not.toContain(secret);
  }
  const stopped = once(child, 'exit');
  child.kill('SIGTERM');
  expect((await stopped)[0]).toBe(0);
  reader[Symbol.dispose]();
  await rpc[Symbol.asyncDispose]();
  await core[Symbol.asyncDispose]();
}, 90_000);
