import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { paths } from '#edge/processes/context.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import { verifyAudit } from '#edge/store/audit-chain.ts';
import { openReader } from '#edge/store/reader.ts';
import { type RunningCampus, startCampus } from './campus.ts';

/* A campus that works is backed up, and goes on from the back-up on another machine. */

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'backup-'));
const demo = join(root, 'edge/simulators/demo-site.yaml');
const archive = join(folder, 'campus.tar.gz');
const fresh = join(folder, 'fresh');
const soon = { timeout: 30_000, interval: 100 };
const ref = 'meter-main/power';
let campus: RunningCampus;

function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'edge/cli/main.ts'), ...args], { timeout: 60_000 }, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, out, err });
    });
  });
}

function historyOf(data: string, until: number) {
  using reader = openReader(data);
  return reader.history(ref, 0, until, 'raw', 100_000)?.samples ?? [];
}

const person = {
  name: '王值班',
  role: 'security',
  zones: ['gate'],
  password: null,
  totp: null,
  recovery: [],
  oidc: null,
  disabled: false,
  expired: false,
  passwordTime: 0,
  created: 0,
};

beforeAll(async () => {
  campus = await startCampus({ city: false, only: ['fieldbus'] });
  await vi.waitFor(() => expect(campus.status('core').state).toBe('ready'), soon);
  await using rpc = connectRpc(paths.socket(campus.data));
  const by = { who: 'person:admin', from: '127.0.0.1', why: '' };
  await rpc.call('document.put', { kind: 'person', id: 'wang', rev: 0, body: person, ...by });
  await vi.waitFor(() => expect(historyOf(campus.data, systemClock.now() + 60_000).length).toBeGreaterThan(2), soon);
}, 60_000);
afterAll(async () => {
  await campus?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test('a running campus is backed up without stopping, to a file that only its owner may read', async () => {
  const { code, out, err } = await run('backup', archive, '--data', campus.data, '--site', demo, '--lang', 'en');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  console.info(out.trim());
  expect(statSync(archive).mode & 0o077).toBe(0);
  expect(campus.status('core')).toMatchObject({ state: 'ready', restarts: 0 });
  const again = await run('backup', archive, '--data', campus.data, '--site', demo);
  expect(again).toMatchObject({ code: 1, err: expect.stringContaining('exists already') });
}, 60_000);

test('restored to a fresh folder it has the same people, the same history up to the copy, and a whole audit', async () => {
  const asked = systemClock.now();
  const { code, out, err } = await run('restore', archive, '--data', fresh, '--lang', 'en');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  console.info(out.trim());
  const site = join(fresh, 'site/edge/simulators/demo-site.yaml');
  expect(out).toContain(`--site ${site} --data ${fresh}`);
  expect(readFileSync(site, 'utf8')).toBe(readFileSync(demo, 'utf8'));
  expect(existsSync(join(fresh, 'site/edge/simulators/clips/evacuation.wav'))).toBe(true);
  expect(existsSync(join(fresh, 'site/flows'))).toBe(true);
  expect(existsSync(join(fresh, 'site/edge/simulators/rules/fire.yaml'))).toBe(true);
  expect(await run('site', 'check', site)).toMatchObject({ code: 0 });

  const kept = historyOf(fresh, asked);
  const original = historyOf(campus.data, asked);
  expect(kept.length).toBeGreaterThan(2);
  expect(original.slice(0, kept.length)).toEqual(kept);
  expect(await verifyAudit(fresh)).toMatchObject({ ok: true, faults: [] });
  expect(readFileSync(join(fresh, 'credentials.json'), 'utf8')).toBe(
    readFileSync(join(campus.data, 'credentials.json'), 'utf8'),
  );
  for (const name of ['supervisor.lock', 'core.sock', 'run', 'logs']) expect(existsSync(join(fresh, name))).toBe(false);
}, 60_000);

test('it starts from there, counts anew towards the city, and says in the audit that it was restored', async () => {
  const epochOf = (data: string) => {
    using reader = openReader(data);
    return reader.meta().epoch;
  };
  const before = epochOf(fresh);
  const began = systemClock.monotonic();
  await using second = await startCampus({ city: false, only: ['fieldbus'], data: fresh });
  await vi.waitFor(() => expect(second.status('core').state).toBe('ready'), soon);
  console.info(`started from the back-up in ${Math.round(systemClock.monotonic() - began)} ms`);
  await vi.waitFor(() => expect(existsSync(join(fresh, 'restored.json'))).toBe(false), soon);
  expect(epochOf(fresh)).toBeGreaterThan(before);
  using reader = openReader(fresh);
  expect(reader.document('person', 'wang')?.body).toMatchObject({ name: '王值班', zones: ['gate'] });
  expect(reader.newestAudit(50)).toContainEqual(
    expect.objectContaining({ who: 'process:core', what: 'backup.restored' }),
  );
  for (const { min, watermark } of Object.values(reader.outboxState())) {
    expect({ min, watermark }).toEqual({ min: 1, watermark: 0 });
  }
  const kept = historyOf(fresh, systemClock.now()).length;
  await vi.waitFor(() => expect(historyOf(fresh, systemClock.now() + 60_000).length).toBeGreaterThan(kept), soon);
  expect(await verifyAudit(fresh)).toMatchObject({ ok: true });
}, 60_000);

test('it is not restored over what is there, unless that is moved aside; a damaged one changes nothing', async () => {
  const refused = await run('restore', archive, '--data', fresh);
  expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('is not empty') });
  const busy = await run('restore', archive, '--data', campus.data, '--force');
  expect(busy).toMatchObject({ code: 1, err: expect.stringContaining('a campus runs on') });
  const forced = await run('restore', archive, '--data', fresh, '--force', '--json');
  const { aside } = JSON.parse(forced.out);
  expect(forced.code).toBe(0);
  expect(existsSync(join(aside, 'campus.db'))).toBe(true);
  expect(existsSync(join(fresh, 'restored.json'))).toBe(true);
}, 60_000);

test('a stopped campus is backed up too', async () => {
  const stopped = join(folder, 'stopped.tar.gz');
  const made = await run('backup', stopped, '--data', fresh, '--json', '--site', demo);
  expect({ code: made.code, err: made.err }).toEqual({ code: 0, err: '' });
  const target = join(folder, 'third');
  expect((await run('restore', stopped, '--data', target, '--json')).code).toBe(0);
  expect(historyOf(target, systemClock.now()).length).toBe(historyOf(fresh, systemClock.now()).length);
  expect(await run('audit', 'verify', '--data', target, '--lang', 'en')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^whole: \d+ lines, head [0-9a-f]{64}\n$/),
  });
}, 60_000);
