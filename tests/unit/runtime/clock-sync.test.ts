import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ManualClock } from '#edge/runtime/clock.ts';
import { type ClockSyncOptions, createClockSync } from '#edge/runtime/clock-sync.ts';

let folder: string;
let clock: ManualClock;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'clock-sync-'));
  clock = new ManualClock(1_800_000_000_000);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program that says this. */
function program(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const sync = (options: Partial<ClockSyncOptions> = {}) =>
  createClockSync({
    clock,
    timesyncFolder: join(folder, 'timesync'),
    perl: join(folder, 'no-perl'),
    chronyc: join(folder, 'no-chronyc'),
    ntpq: join(folder, 'no-ntpq'),
    timedatectl: join(folder, 'no-timedatectl'),
    ...options,
  });

/** chrony 4.3, `chronyc -n -c tracking`. */
const tracking = (leap: string, from = 'CB00710F,203.0.113.15') =>
  `${from},2,1800000000.1,0.000001,-0.00002,0.00003,-1.2,0.001,0.02,0.03,0.001,64.2,${leap}`;

test('a box on which nothing can say is unknown, not unsynchronised', async () => {
  expect(await sync()()).toEqual({ synchronised: null, source: 'unknown' });
});

test('systemd-timesyncd has set the clock once its mark is there', async () => {
  mkdirSync(join(folder, 'timesync'));
  expect(await sync()()).toEqual({ synchronised: false, source: 'systemd-timesyncd' });
  writeFileSync(join(folder, 'timesync/synchronized'), '');
  expect(await sync()()).toEqual({ synchronised: true, source: 'systemd-timesyncd' });
});

test.each([
  ['Normal', true],
  ['Insert second', true],
  ['Not synchronised', false],
])('chrony that says %s', async (leap, synchronised) => {
  const chronyc = program('chronyc', `echo "${tracking(leap)}"`);
  expect(await sync({ chronyc })()).toEqual({ synchronised, source: 'chrony' });
});

test('a chronyc that cannot reach its daemon is passed over for the flag of the kernel', async () => {
  const chronyc = program('chronyc', 'echo "506 Cannot talk to daemon"; exit 1');
  const timedatectl = program('timedatectl', 'echo NTP=yes; echo NTPSynchronized=yes');
  expect(await sync({ chronyc, timedatectl })()).toEqual({ synchronised: true, source: 'timedatectl' });
});

test('chrony that is served over IPv6 is chrony', async () => {
  const chronyc = program('chronyc', `echo "${tracking('Normal', '3A5B0C01,2001:db8::123')}"`);
  expect(await sync({ chronyc })()).toEqual({ synchronised: true, source: 'chrony' });
});

test('chrony that has nobody but itself proves nothing, whatever it calls itself', async () => {
  // chrony 4.3 with `local stratum 8` and no server.
  const own = '7F7F0101,,8,1795398799.520045809,0.0,0.0,0.0,0.000,0.000,0.000,0.0,0.0,0.0,Normal';
  const chronyc = program('chronyc', `echo "${own}"`);
  expect(await sync({ chronyc })()).toEqual({ synchronised: null, source: 'chrony' });
});

test.each([
  ['leap=00, refid=203.0.113.15', true],
  ['leap=01, refid=GPS', true],
  ['leap=11, refid=INIT', false],
  ['leap=00, refid=127.127.1.0', null],
])('ntpd that says %s', async (line, synchronised) => {
  const ntpq = program('ntpq', `echo "${line}"`);
  expect(await sync({ ntpq })()).toEqual({ synchronised, source: 'ntpd' });
});

test.each([
  ['NTP=yes', 'NTPSynchronized=no', false, 'timedatectl'],
  ['NTP=no', 'NTPSynchronized=no', null, 'unknown'],
])('a box of which timedatectl says %s and %s', async (service, flag, synchronised, source) => {
  const timedatectl = program('timedatectl', `echo ${service}; echo ${flag}`);
  expect(await sync({ timedatectl })()).toEqual({ synchronised, source });
});

test('the kernel is believed before anybody: status and error of adjtimex, as it prints them', async () => {
  mkdirSync(join(folder, 'timesync'));
  writeFileSync(join(folder, 'timesync/synchronized'), '');
  // STA_PLL, 8 ms; and STA_PLL | STA_UNSYNC with the 16 s that the kernel says then.
  const set = program('perl', 'echo "1 8000"');
  expect(await sync({ perl: set })()).toEqual({ synchronised: true, source: 'kernel' });
  const unset = program('perl', 'echo "65 16000000"');
  // The mark is of before somebody put the clock on by hand.
  expect(await sync({ perl: unset })()).toEqual({ synchronised: false, source: 'systemd-timesyncd' });
  const chronyc = program('chronyc', `echo "${tracking('Normal')}"`);
  expect(await sync({ perl: unset, chronyc })()).toEqual({ synchronised: true, source: 'chrony' });
});

test('a kernel that says no, and nobody who would set it: nobody knows', async () => {
  const perl = program('perl', 'echo "64 16000000"');
  expect(await sync({ perl })()).toEqual({ synchronised: null, source: 'unknown' });
});

const has = (name: string) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
const noPerl = !has('perl') || process.platform !== 'linux';
if (noPerl) console.warn('clock-sync: no perl here, so the real kernel is not asked');
test.skipIf(noPerl)('the real kernel answers anybody', async () => {
  const perl = program('perl', `perl "$@" | tee ${join(folder, 'said')}`);
  await sync({ perl })();
  expect(readFileSync(join(folder, 'said'), 'utf8')).toMatch(/^\d+ \d+\n$/);
});

const noChrony = !has('chronyd') || !has('chronyc');
if (noChrony) console.warn('clock-sync: no chrony here (apt install chrony): it is not tried against the real one');
test.skipIf(noChrony)(
  'the real chrony: served by nobody, by itself, and by another over IPv6',
  { timeout: 90_000 },
  async () => {
    const port = await freePort();
    await using server = await startChrony('server', [
      'local stratum 1',
      `port ${port}`,
      'allow ::1',
      'bindaddress ::1',
    ]);
    await using client = await startChrony('client', [`server ::1 port ${port} iburst minpoll 3`, 'port 0']);
    const asked = (of: { readonly chronyc: string }) => sync({ chronyc: of.chronyc, keepMs: 0 });
    expect(await asked(server)()).toEqual({ synchronised: null, source: 'chrony' });
    expect((await asked(client)()).synchronised).toBe(false);
    await vi.waitFor(async () => expect(await asked(client)()).toEqual({ synchronised: true, source: 'chrony' }), {
      timeout: 60_000,
      interval: 500,
    });
  },
);

/** Of UDP on ::1; chrony takes no 0. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp6').bind(0, '::1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

/** A chronyd that touches no clock, with a control socket of its own. */
async function startChrony(name: string, lines: readonly string[]): Promise<AsyncDisposable & { chronyc: string }> {
  const own = join(folder, name);
  mkdirSync(own, { mode: 0o750 });
  const socket = join(own, 'c.sock');
  const files = [`bindcmdaddress ${socket}`, `pidfile ${join(own, 'pid')}`, 'cmdport 0'];
  writeFileSync(join(own, 'chrony.conf'), [...lines, ...files, ''].join('\n'));
  const user = userInfo().username;
  const child = spawn('chronyd', ['-x', '-d', '-U', '-u', user, '-f', join(own, 'chrony.conf')], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await vi.waitFor(() => expect(existsSync(socket)).toBe(true), { timeout: 20_000 });
  return {
    chronyc: program(`chronyc-${name}`, `exec chronyc -h ${socket} "$@"`),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

test('a program that hangs is not waited for', async () => {
  const chronyc = program('chronyc', 'exec sleep 60');
  const started = performance.now();
  expect(await sync({ chronyc, timeoutMs: 200 })()).toEqual({ synchronised: null, source: 'unknown' });
  expect(performance.now() - started).toBeLessThan(20_000);
});

test('an answer is kept for half a minute', async () => {
  const timesync = join(folder, 'timesync');
  mkdirSync(timesync);
  const ask = sync();
  expect((await ask()).synchronised).toBe(false);
  writeFileSync(join(timesync, 'synchronized'), '');
  clock.advance(29_999);
  expect((await ask()).synchronised).toBe(false);
  clock.advance(1);
  expect((await ask()).synchronised).toBe(true);
});
