import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Blame } from '#edge/flows-host/blame.ts';
import { CrashNote, readCrashNote } from '#edge/flows-host/crash-note.ts';
import type { Source } from '#edge/flows-host/meter.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'note-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const source: Source = { tab: 't1', node: 'n1', type: 'function', name: '统计 count' };

describe('the note of who runs', () => {
  it('is there while the node runs, and wiped in the next turn', async () => {
    using note = new CrashNote(folder, silentLog);
    expect(readCrashNote(folder)).toBeNull();
    note.run(source);
    expect(readCrashNote(folder)).toEqual(source);
    note.run(null);
    expect(readCrashNote(folder)).toEqual(source);
    await turn();
    await turn();
    expect(readCrashNote(folder)).toBeNull();
  });

  it('survives a process that is killed in an endless loop, and says nothing of one that ended in order', () => {
    const run = (code: string) =>
      spawnSync(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `
        import { CrashNote } from ${JSON.stringify(join(import.meta.dirname, '../../../edge/flows-host/crash-note.ts'))};
        const note = new CrashNote(${JSON.stringify(folder)}, { warn() {} });
        note.run(${JSON.stringify(source)});
        ${code}`,
        ],
        { timeout: 4_000, killSignal: 'SIGKILL' },
      );
    expect(run('(async () => { while (true) await null; })()').signal).toBe('SIGKILL');
    expect(readCrashNote(folder)).toEqual(source);
    expect(run('note[Symbol.dispose]()').status).toBe(0);
    expect(readCrashNote(folder)).toBeNull();
  }, 15_000);

  it.each(['', '[', '["t1"]', '{"tab":"t1"}', 'nonsense', '[1,2,3,4]'])('that says %j says nothing', async (text) => {
    await writeFile(join(folder, 'running'), text);
    expect(readCrashNote(folder)).toBeNull();
  });
});

describe('the blame', () => {
  const clock = new ManualClock(1_800_000_000_000);
  const end = (ended: Source | null) => Blame.open(folder, ended, clock, silentLog);

  it('disables a tab that ended the process twice within an hour, and not one that did so once', async () => {
    expect((await end(source)).disabled).toEqual(new Set());
    clock.advance(60_000);
    expect((await end({ ...source, tab: 't2' })).disabled).toEqual(new Set());
    expect((await end(source)).disabled).toEqual(new Set(['t1']));
    clock.advance(24 * 3_600_000);
    const blame = await end(null);
    expect(blame.disabled).toEqual(new Set(['t1']));
    expect(blame.all).toMatchObject([{ tab: 't1', node: 'n1', name: '统计 count' }]);
    await blame.forgive(['t1']);
    expect((await end(null)).all).toEqual([]);
  });

  it('forgets one end after an hour', async () => {
    await end(source);
    clock.advance(3_600_001);
    expect((await end(source)).disabled).toEqual(new Set());
  });

  it('begins anew where its file is broken', async () => {
    await writeFile(join(folder, 'blamed.json'), '[{"tab":1}]');
    expect((await end(null)).all).toEqual([]);
  });
});
