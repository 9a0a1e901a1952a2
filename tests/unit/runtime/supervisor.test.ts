import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { type ChildSpec, type Supervisor, type SupervisorTimes, startSupervisor } from '#edge/runtime/supervisor.ts';

const module = join(import.meta.dirname, '../../fixtures/runtime/child.ts');
const times: Partial<SupervisorTimes> = {
  beat: 100,
  silence: 800,
  stop: 500,
  backoffFirst: 20,
  backoffCap: 100,
  crashLoop: 3,
};

function child(name: string, init: (recentCrashes: number) => unknown): ChildSpec {
  return { name, module, heapMb: 64, init, watchesProcesses: true };
}

function supervise(specs: readonly ChildSpec[], runFolder = mkdtempSync(join(tmpdir(), 'run-'))): Supervisor {
  return startSupervisor({ specs, runFolder, clock: systemClock, log: silentLog, logLevel: 'silent', times });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const one = (supervisor: Supervisor) => {
  const [status] = supervisor.status();
  if (status === undefined) throw new Error('there is no child');
  return status;
};

const soon = { timeout: 10_000, interval: 20 };

test('a child becomes ready, beats, and stops when asked', async () => {
  const supervisor = supervise([child('good', () => ({ behave: 'well' }))]);
  await vi.waitFor(() => expect(one(supervisor)).toMatchObject({ state: 'ready', rss: expect.any(Number) }), soon);
  const { pid } = one(supervisor);
  await supervisor[Symbol.asyncDispose]();
  expect(one(supervisor)).toMatchObject({ state: 'stopped', lastExit: 'exit 0', restarts: 0 });
  expect(isAlive(pid ?? 0)).toBe(false);
});

test('a child that ends by itself is started again and a crash loop is named', async () => {
  const crashes: number[] = [];
  await using supervisor = supervise([
    child('crashing', (recent) => {
      crashes.push(recent);
      return { behave: 'exit' };
    }),
  ]);
  await vi.waitFor(() => expect(one(supervisor)).toMatchObject({ state: 'crash-loop', lastExit: 'exit 3' }), soon);
  expect(crashes.slice(0, 3)).toEqual([0, 1, 2]);
});

test('a child whose loop is blocked is killed for its silence and started again', async () => {
  let starts = 0;
  await using supervisor = supervise([child('spinning', () => ({ behave: starts++ === 0 ? 'spin' : 'well' }))]);
  await vi.waitFor(
    () => expect(one(supervisor)).toMatchObject({ state: 'ready', restarts: 1, lastExit: 'silent for 1 s' }),
    soon,
  );
});

test('a child that ignores the request to stop is killed', async () => {
  const supervisor = supervise([child('deaf', () => ({ behave: 'deaf' }))]);
  await vi.waitFor(() => expect(one(supervisor).state).toBe('ready'), soon);
  await supervisor[Symbol.asyncDispose]();
  expect(one(supervisor)).toMatchObject({ state: 'stopped', lastExit: 'SIGKILL' });
});

test('a process of an earlier run that still spins is killed before its successor starts', async () => {
  const runFolder = mkdtempSync(join(tmpdir(), 'run-'));
  const stale = spawn(process.execPath, ['-e', 'for(;;);', module], { stdio: 'ignore' });
  writeFileSync(join(runFolder, 'good.pid'), String(stale.pid));
  const ended = new Promise((resolve) => stale.on('exit', (_, signal) => resolve(signal)));
  await using supervisor = supervise([child('good', () => ({ behave: 'well' }))], runFolder);
  expect(await ended).toBe('SIGKILL');
  await vi.waitFor(() => expect(one(supervisor).state).toBe('ready'), soon);
});

test('children end when their supervisor is killed', async () => {
  const script = `
    import { startSupervisor } from '#edge/runtime/supervisor.ts';
    import { systemClock } from '#edge/runtime/clock.ts';
    import { silentLog } from '#edge/runtime/log.ts';
    const s = startSupervisor({ specs: [{ name: 'good', module: ${JSON.stringify(module)}, heapMb: 64, init: () => ({ behave: 'well' }) }],
      runFolder: ${JSON.stringify(mkdtempSync(join(tmpdir(), 'run-')))}, clock: systemClock, log: silentLog, logLevel: 'silent',
      onReady: (name, info) => console.log(info.pid) });`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: process.cwd() });
  const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (text) => resolve(Number(text))));
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), soon);
});
