import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
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
    chronyc: join(folder, 'no-chronyc'),
    timedatectl: join(folder, 'no-timedatectl'),
    ...options,
  });

/** chrony 4.3, `chronyc -c tracking`. */
const tracking = (leap: string) =>
  `CB00710F,203.0.113.15,2,1800000000.1,0.000001,-0.00002,0.00003,-1.2,0.001,0.02,0.03,0.001,64.2,${leap}`;

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
  const timedatectl = program('timedatectl', 'echo yes');
  expect(await sync({ chronyc, timedatectl })()).toEqual({ synchronised: true, source: 'timedatectl' });
});

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
