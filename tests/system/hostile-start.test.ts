import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { freePorts } from './free-ports.ts';

/* How the supervisor is started and stopped by people in a hurry. A broken site file is enough: then only web starts. */

const soon = { timeout: 45_000, interval: 50 };
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

function room() {
  const folder = mkdtempSync(join(tmpdir(), 'start-'));
  const site = join(folder, 'site.yaml');
  writeFileSync(site, 'site: 1\n');
  return { site, data: join(folder, 'data') };
}

function start(site: string, data: string, port: number) {
  const main = join(import.meta.dirname, '../../edge/main.ts');
  const child = spawn(process.execPath, [main, '--site', site, '--data', data, '--http-port', String(port)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  const said = { out: '', err: '' };
  child.stdout.on('data', (text) => {
    said.out += text;
  });
  child.stderr.on('data', (text) => {
    said.err += text;
  });
  return { child, said };
}

const isUp = (port: number) =>
  vi.waitFor(async () => expect((await fetch(`http://127.0.0.1:${port}/healthz`)).ok).toBeDefined(), soon);

test('a second supervisor on a data folder names the first, ends, and harms nothing', async () => {
  const [port = 0, other = 0] = await freePorts(2);
  const { site, data } = room();
  const first = start(site, data, port);
  await isUp(port);
  const web = readFileSync(join(data, 'run/web.pid'), 'utf8');
  const second = start(site, data, other);
  const [code] = await once(second.child, 'exit');
  expect(code).toBe(1);
  expect(second.said.err.trim()).toBe(
    `the data folder ${data} is in use by process ${first.child.pid}: stop that one first, or choose another folder with --data`,
  );
  expect(readFileSync(join(data, 'run/web.pid'), 'utf8')).toBe(web);
  await isUp(port);
  expect(statSync(data).mode & 0o777).toBe(0o700);
  expect(statSync(join(data, 'admin-token')).mode & 0o777).toBe(0o600);

  first.child.kill('SIGINT');
  first.child.kill('SIGINT'); // npm passes on what the terminal has sent already
  expect((await once(first.child, 'exit'))[0]).toBe(0);
  expect(existsSync(join(data, 'supervisor.lock'))).toBe(false);
  expect(first.said.err).not.toMatch(/\n\s+at /);
});

test('a campus goes on when nobody reads what it says any more', async () => {
  const [port = 0] = await freePorts(1);
  const { site, data } = room();
  const { child } = start(site, data, port);
  child.stdout?.destroy();
  child.stderr?.destroy();
  await isUp(port);
  expect(child.exitCode).toBeNull();
  child.kill('SIGTERM');
  expect((await once(child, 'exit'))[0]).toBe(0);
});

test('a supervisor that is told to stop while it starts stops, and leaves nothing running', async () => {
  const [port = 0] = await freePorts(1);
  const { site, data } = room();
  const { child } = start(site, data, port);
  await vi.waitFor(() => expect(existsSync(join(data, 'run/web.pid'))).toBe(true), soon);
  const web = Number(readFileSync(join(data, 'run/web.pid'), 'utf8'));
  child.kill('SIGTERM');
  await once(child, 'exit');
  await vi.waitFor(() => expect(existsSync(`/proc/${web}`)).toBe(false), soon);
});

test('a data folder that cannot be one is named in one sentence', async () => {
  const { site } = room();
  const { child, said } = start(site, join(site, 'data'), 1);
  expect((await once(child, 'exit'))[0]).toBe(1);
  expect(said.err).toMatch(/^cannot use the data folder .*site\.yaml\/data: ENOTDIR[^\n]*--data\n$/);
});
