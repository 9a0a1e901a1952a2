import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { ProcessStatus } from '#edge/domain/health.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { type ChildSpec, type Supervisor, type SupervisorTimes, startSupervisor } from '#edge/runtime/supervisor.ts';

/* Nothing that a child does may end the supervisor, because all others end with it. */

const module = join(import.meta.dirname, '../../fixtures/runtime/child.ts');
const times: Partial<SupervisorTimes> = { beat: 100, silence: 3_000, stop: 500, backoffFirst: 20, backoffCap: 100 };
const soon = { timeout: 10_000, interval: 20 };

/** One that misbehaves at its first start, and one that must not notice. */
function superviseBeside(behave: string, more: Partial<ChildSpec> = {}): Supervisor {
  let starts = 0;
  return startSupervisor({
    specs: [
      { name: 'hostile', module, heapMb: 64, init: () => ({ behave: starts++ === 0 ? behave : 'well' }), ...more },
      { name: 'good', module, heapMb: 64, init: () => ({ behave: 'well' }) },
    ],
    runFolder: mkdtempSync(join(tmpdir(), 'run-')),
    clock: systemClock,
    log: silentLog,
    logLevel: 'silent',
    times,
  });
}

function statusOf(supervisor: Supervisor, name: string): ProcessStatus {
  const found = supervisor.status().find((status) => status.name === name);
  if (found === undefined) throw new Error(`there is no child ${name}`);
  return found;
}

async function theOtherIsWell(supervisor: Supervisor): Promise<void> {
  await vi.waitFor(() => expect(statusOf(supervisor, 'good')).toMatchObject({ state: 'ready', restarts: 0 }), soon);
}

describe('a supervisor beside a child', () => {
  test.each([
    ['a line that is not JSON', 'a message that is not JSON'],
    ['a flood', 'a flood of messages'],
    ['an endless line', 'a flood of messages'],
    ['an open file', 'an open file that nobody asked for'],
  ])('that sends %s kills that child, says why, and keeps the other', async (behave, why) => {
    await using supervisor = superviseBeside(behave);
    await vi.waitFor(
      () => expect(statusOf(supervisor, 'hostile')).toMatchObject({ state: 'ready', restarts: 1, lastExit: why }),
      soon,
    );
    await theOtherIsWell(supervisor);
  });

  test.each(['messages that are none', 'words of Node'])('that sends %s takes no notice', async (behave) => {
    await using supervisor = superviseBeside(behave);
    await vi.waitFor(() => expect(statusOf(supervisor, 'hostile').state).toBe('ready'), soon);
    // Beats that came after them: they have been read.
    const seen = statusOf(supervisor, 'hostile').rss;
    await vi.waitFor(() => expect(statusOf(supervisor, 'hostile').rss).not.toBe(seen), soon);
    expect(statusOf(supervisor, 'hostile')).toMatchObject({ state: 'ready', restarts: 0 });
    await theOtherIsWell(supervisor);
  });

  test.skipIf(process.platform !== 'linux')('that fills the memory outside its heap kills it at its cap', async () => {
    await using supervisor = superviseBeside('memory outside the heap', { memoryMb: 400 });
    await vi.waitFor(
      () =>
        expect(statusOf(supervisor, 'hostile')).toMatchObject({ restarts: 1, lastExit: 'more than 400 MB of memory' }),
      soon,
    );
  });

  test('whose module is missing goes on trying, and says so', async () => {
    await using supervisor = superviseBeside('well', { module: '/nowhere/gone.ts' });
    await vi.waitFor(() => expect(statusOf(supervisor, 'hostile')).toMatchObject({ state: 'crash-loop' }), soon);
    expect(statusOf(supervisor, 'hostile').lastExit).toBe('exit 1');
    await theOtherIsWell(supervisor);
  });

  test('that the system cannot start goes on trying, and says so', async () => {
    const flags = ['x'.repeat(3_000_000)]; // over what execve takes (E2BIG)
    await using supervisor = superviseBeside('well', { nodeFlags: flags });
    await vi.waitFor(() => expect(statusOf(supervisor, 'hostile')).toMatchObject({ state: 'crash-loop' }), soon);
    expect(statusOf(supervisor, 'hostile').lastExit).toContain('cannot be started: ');
    await theOtherIsWell(supervisor);
  });

  test('works without a place for its pid files', async () => {
    const runFolder = mkdtempSync(join(tmpdir(), 'run-'));
    const specs = [{ name: 'none/such', module, heapMb: 64, init: () => ({ behave: 'well' }) }];
    await using supervisor = startSupervisor({
      specs,
      runFolder,
      clock: systemClock,
      log: silentLog,
      logLevel: 'silent',
      times,
    });
    await vi.waitFor(() => expect(statusOf(supervisor, 'none/such').state).toBe('ready'), soon);
  });
});
