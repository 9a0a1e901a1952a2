import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { type ChildSpec, type Supervisor, startSupervisor } from '#edge/runtime/supervisor.ts';

const module = join(import.meta.dirname, '../../fixtures/runtime/child.ts');
const soon = { timeout: 15_000, interval: 20 };

function supervise(specs: readonly ChildSpec[], reloadPause: number): Supervisor {
  return startSupervisor({
    specs,
    runFolder: mkdtempSync(join(tmpdir(), 'run-')),
    clock: systemClock,
    log: silentLog,
    logLevel: 'silent',
    times: { beat: 100, stop: 500, backoffFirst: 20, backoffCap: 100, reloadPause },
  });
}

/** Counts its starts: each has an init of its own. */
function counted(name: string, behave = 'well', more: Partial<ChildSpec> = {}) {
  const starts: number[] = [];
  const spec: ChildSpec = {
    name,
    module,
    heapMb: 64,
    ...more,
    init: () => {
      starts.push(systemClock.monotonic());
      return { behave: behave !== 'well' && starts.length > 1 ? 'well' : behave };
    },
  };
  return { spec, starts };
}

test('who may ask has processes started again with a new init, one after another, and no crash is counted', async () => {
  const first = counted('first');
  const second = counted('second', 'deaf');
  const third = counted('third');
  const core = counted('core', 'asks for others', { mayReload: true });
  await using supervisor = supervise([first.spec, second.spec, third.spec, core.spec], 50);
  await vi.waitFor(() => expect([first.starts.length, second.starts.length]).toEqual([2, 2]), soon);
  await vi.waitFor(() => expect(supervisor.status().map(({ state }) => state)).toEqual(Array(4).fill('ready')), soon);
  expect(second.starts[1]).toBeGreaterThan(first.starts[1] ?? Number.NaN);
  expect([third.starts.length, core.starts.length]).toEqual([1, 1]);
  expect(supervisor.status().map(({ restarts }) => restarts)).toEqual([0, 0, 0, 0]);
});

test('nobody else is heard', async () => {
  const first = counted('first');
  const stranger = counted('stranger', 'asks for others');
  const core = counted('core', 'exit', { mayReload: true });
  await using supervisor = supervise([first.spec, stranger.spec, core.spec], 50);
  // By the time that core has died and is back, the stranger has long asked.
  await vi.waitFor(() => expect(supervisor.status()[2]).toMatchObject({ state: 'ready', restarts: 1 }), soon);
  await vi.waitFor(() => expect(supervisor.status()[1]?.state).toBe('ready'), soon);
  expect(first.starts).toHaveLength(1);
});

test('whoever asks without end is heard once per pause', async () => {
  const first = counted('first');
  const core: ChildSpec = {
    name: 'core',
    module,
    heapMb: 64,
    mayReload: true,
    init: () => ({ behave: 'asks without end' }),
  };
  await using supervisor = supervise([first.spec, core], 1_000);
  await vi.waitFor(() => expect(first.starts.length).toBe(4), soon);
  const [, second = 0, third = 0, fourth = 0] = first.starts;
  expect(Math.min(third - second, fourth - third)).toBeGreaterThanOrEqual(990);
  expect(supervisor.status()[1]?.restarts).toBe(0);
});
