import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Me } from '#edge/web/people-schemas.ts';
import { freePorts } from './free-ports.ts';

/*
 * The first start of a campus as a person sees it: the terminal shows a link, the link makes the administrator, and he is
 * still signed in when processes die and when everything starts again.
 */

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'first-start-'));
const data = join(folder, 'data');
const password = 'Willow-42-harbour';
const soon = { timeout: 60_000, interval: 100 };
let url = '';
let site = '';
let running: Running | null = null;

interface Running {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  said(): string;
}

beforeAll(async () => {
  const [mqtt = 0, http = 0] = await freePorts(2);
  url = `http://127.0.0.1:${http}`;
  site = join(folder, 'site.yaml');
  writeFileSync(
    site,
    `site: 1
campus: {id: "2151009901", name: {zh: 青禾, en: Qinghe}, timeZone: Asia/Shanghai}
zones: [{id: gate, name: {zh: 校门, en: Gate}}]
mqtt: {hosts: [127.0.0.1], port: ${mqtt}, websocketPort: null}
http: {host: 127.0.0.1, port: ${http}}
https: null
flows: {enabled: false}
people: {idle: {security: 12h}}
`,
  );
});
afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

function start(): Running {
  const child = spawn(process.execPath, [join(root, 'edge/main.ts'), '--site', site, '--data', data], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += String(chunk);
    });
  }
  running = { child, said: () => text };
  return running;
}

async function stop(): Promise<void> {
  if (running === null || running.child.exitCode !== null) return;
  const exited = once(running.child, 'exit');
  running.child.kill('SIGTERM');
  await exited;
  running = null;
}

const links = (text: string): string[] =>
  [...text.matchAll(/#\/setup\/([A-Z2-7]{10})\b/g)].map(([, code = '']) => code);

async function ask(
  path: string,
  { cookie = '', csrf = '', body }: { cookie?: string; csrf?: string; body?: object } = {},
) {
  const headers = { cookie, 'x-csrf-token': csrf, 'content-type': 'application/json' };
  const init = body === undefined ? { headers: { cookie } } : { method: 'POST', headers, body: JSON.stringify(body) };
  return fetch(`${url}/api/v1/${path}`, { ...init, signal: AbortSignal.timeout(10_000) });
}

async function kill(name: string): Promise<void> {
  process.kill(Number(readFileSync(join(data, 'run', `${name}.pid`), 'utf8')), 'SIGKILL');
}

test('the link of the terminal makes the administrator, once, and his session outlives web, core and the whole campus', async () => {
  const first = start();
  await vi.waitFor(() => expect(links(first.said())).toHaveLength(1), soon);
  const [code = ''] = links(first.said());
  expect(first.said()).toContain(`${url}/#/setup/${code}`);
  await vi.waitFor(async () => expect(await (await ask('me')).json()).toEqual({ state: 'setup' }), soon);
  const who = { id: 'lin', name: '林', password };
  for (let i = 0; i < 5; i++) expect((await ask('setup', { body: { ...who, code: 'AAAAAAAAAA' } })).status).toBe(403);
  await vi.waitFor(() => expect(links(first.said())).toHaveLength(2), soon);
  expect((await ask('setup', { body: { ...who, code } })).status).toBe(403);
  const made = await ask('setup', { body: { ...who, code: links(first.said())[1] ?? '' } });
  expect(made.status).toBe(200);
  const me = (await made.json()) as Me;
  const csrf = me.state === 'signed-in' ? me.csrf : '';
  const cookie = made.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const isSignedIn = async () => expect(await (await ask('me', { cookie })).json()).toMatchObject({ id: 'lin', csrf });
  await isSignedIn();
  expect(statSync(join(data, 'keys', 'seal.key')).mode & 0o777).toBe(0o600);

  await kill('web');
  await vi.waitFor(isSignedIn, soon);
  await kill('core');
  await vi.waitFor(async () => expect((await ask('people', { cookie })).status).toBe(200), soon);
  await vi.waitFor(async () => {
    const body = { id: 'zhou', name: '周', role: 'security', zones: ['gate'], password: 'Marble-Gate-9!' };
    expect([201, 409]).toContain((await ask('people', { cookie, csrf, body })).status);
  }, soon);

  await stop();
  const second = start();
  await vi.waitFor(isSignedIn, soon);
  await vi.waitFor(() => expect(second.said()).toMatch(new RegExp(`${url}\\s`)), soon);
  expect(links(second.said())).toEqual([]);
  const signIn = await ask('login', { body: { id: 'zhou', password: 'Marble-Gate-9!' } });
  expect(await signIn.json()).toMatchObject({
    id: 'zhou',
    mustChangePassword: true,
    idle: 12 * 3_600_000,
    zones: ['gate'],
  });
}, 240_000);
