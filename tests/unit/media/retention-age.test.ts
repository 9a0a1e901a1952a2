import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAge } from '#edge/media/retention-age.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';

const now = Date.UTC(2026, 10, 22);
const day = 86_400_000;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'age-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (clock: ManualClock, synchronised: boolean | null) =>
  createAge({ file: join(folder, 'age.json'), clock, log: silentLog, synchronised: async () => synchronised });

/** So many minutes of the worker that asks once a minute. What it is told at last. */
async function pass(clock: ManualClock, age: () => Promise<number>, minutes: number): Promise<number> {
  let said = 0;
  for (let i = 0; i < minutes; i++) {
    clock.advance(60_000);
    said = await age();
  }
  return said;
}

test('time that passes is believed, whoever sets the clock', async () => {
  for (const synchronised of [true, false, null]) {
    const clock = new ManualClock(now);
    const age = open(clock, synchronised);
    expect(await age()).toBe(now);
    expect(await pass(clock, age, 90)).toBe(clock.now());
    rmSync(join(folder, 'age.json'));
  }
});

test('a clock that nobody vouches for makes nothing old by being years ahead, not over restarts either', async () => {
  const clock = new ManualClock(now);
  await pass(clock, open(clock, null), 20);
  clock.step(5 * 365 * day);
  const age = open(clock, null);
  expect(await pass(clock, age, 1)).toBeLessThan(now + day);
  expect(await pass(clock, age, 200)).toBeLessThan(now + day);
  expect(await pass(clock, open(clock, false), 200)).toBeLessThan(now + day);
  // Right again, and vouched for: it goes on from there.
  clock.step(-5 * 365 * day);
  expect(await pass(clock, open(clock, true), 30)).toBe(clock.now());
});

test('a step while it runs is believed when whoever sets the clock has stood by it for a while', async () => {
  const clock = new ManualClock(now);
  const age = open(clock, true);
  await pass(clock, age, 20);
  clock.step(400 * day);
  expect(await pass(clock, age, 8)).toBeLessThan(now + day);
  clock.step(-400 * day);
  expect(await pass(clock, age, 30)).toBe(clock.now());
  clock.step(400 * day);
  expect(await pass(clock, age, 30)).toBe(clock.now());
});
