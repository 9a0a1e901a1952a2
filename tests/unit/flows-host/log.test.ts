import { expect, test } from 'vitest';
import { logHandler } from '#edge/flows-host/settings.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { type Log, silentLog } from '#edge/runtime/log.ts';

test('a flow that logs without end gets some lines into the log, and what is missing is counted', () => {
  let now = 0;
  const clock: Clock = { now: () => now, monotonic: () => now };
  const lines: object[] = [];
  const log: Log = { ...silentLog, warn: (fields) => void lines.push(fields), child: () => log };
  const write = logHandler(log, clock)();
  for (let i = 0; i < 10_000; i++) {
    now = i; // 1,000 lines a second
    write({ level: 30, msg: `line ${i}`, id: 'n1' });
  }
  expect(lines.length).toBeGreaterThan(100);
  expect(lines.length).toBeLessThan(160);
  const told = lines.reduce((sum, line) => sum + ('notLogged' in line ? Number(line.notLogged) : 0), lines.length);
  expect(told).toBeGreaterThan(9_500);
  expect(lines.at(-1)).toMatchObject({ node: 'n1', notLogged: expect.any(Number) });
});
