import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { diffEntries } from '#edge/flows-host/flow-diff.ts';
import { openStorage } from '#edge/flows-host/storage.ts';
import type { FlowEntry } from '#edge/flows-host/tab-files.ts';
import { openVersions, type VersionsOptions } from '#edge/flows-host/versions.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';

let root: string;
let clock: ManualClock;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'versions-'));
  clock = new ManualClock(1_800_000_000_000);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const open = (more: Partial<VersionsOptions> = {}) =>
  openVersions({ folder: join(root, 'versions'), clock, log: silentLog, ...more });
const tab = (id: string, label = id, more: object = {}): FlowEntry => ({ id, type: 'tab', label, ...more });
const node = (id: string, z: string, more: object = {}): FlowEntry => ({ id, type: 'inject', z, ...more });
const saved = (version: number, more: Partial<FlowEntry> = {}) => [
  tab('t'),
  node('n', 't', { value: version, ...more }),
];

describe('the versions of a tab', () => {
  it('keep what each save made of it: who, why, when, and what changed', async () => {
    const versions = await open();
    await versions.save({ tab: 't', label: 'a', by: 'lin', why: '', before: null, after: saved(1) });
    clock.advance(1_000);
    await versions.save({ tab: 't', label: 'b', by: 'wang', why: 'too warm', before: saved(1), after: saved(2) });
    const [one] = (await open()).list();
    expect(one).toEqual({
      tab: 't',
      label: 'b',
      versions: [
        {
          version: 1,
          time: 1_800_000_000_000,
          by: 'lin',
          why: '',
          changes: { added: 2, removed: 0, changed: 0, moved: 0 },
        },
        {
          version: 2,
          time: 1_800_000_001_000,
          by: 'wang',
          why: 'too warm',
          changes: { added: 0, removed: 0, changed: 1, moved: 0 },
        },
      ],
    });
    expect(await versions.entries('t', 1)).toEqual(saved(1));
    expect(await versions.diff('t', 1, 2)).toEqual([
      { id: 'n', type: 'inject', name: '', what: 'changed', keys: ['value'] },
    ]);
    await expect(versions.entries('t', 3)).rejects.toMatchObject({ code: 'VERSION_NOT_FOUND' });
    await expect(versions.entries('../t', 1)).rejects.toMatchObject({ code: 'VERSION_NOT_FOUND' });
  });

  it('keep what was shipped, or written by hand, before it is written over', async () => {
    const versions = await open();
    await versions.save({ tab: 't', label: 'a', by: 'lin', why: '', before: saved(1), after: saved(2) });
    await versions.save({ tab: 't', label: 'a', by: 'lin', why: '', before: saved(7), after: saved(8) });
    const [one] = versions.list();
    expect(one?.versions.map(({ version, by }) => `${version} ${by}`)).toEqual(['1 file', '2 lin', '3 file', '4 lin']);
  });

  it('of a removed tab stay', async () => {
    const versions = await open();
    await versions.save({ tab: 't', label: 'a', by: 'lin', why: '', before: saved(1), after: null });
    expect(await (await open()).entries('t', 1)).toEqual(saved(1));
  });

  it('are at most 50, the newest, and their numbers are never used twice', async () => {
    const versions = await open({ most: 5 });
    for (let i = 1; i <= 12; i++) {
      await versions.save({
        tab: 't',
        label: 'a',
        by: 'lin',
        why: '',
        before: i === 1 ? null : saved(i - 1),
        after: saved(i),
      });
    }
    const [one] = (await open({ most: 5 })).list();
    expect(one?.versions.map(({ version }) => version)).toEqual([8, 9, 10, 11, 12]);
  });

  it('take at most so many bytes together: the oldest go first, the newest of a tab last', async () => {
    const big = 'x'.repeat(2_000);
    const versions = await open({ mostBytes: 9_000 });
    for (let i = 1; i <= 4; i++) {
      for (const id of ['a', 'b']) {
        const entries = (n: number) => [tab(id), node(`${id}n`, id, { value: `${n}${big}` })];
        clock.advance(1);
        await versions.save({
          tab: id,
          label: id,
          by: 'lin',
          why: '',
          before: i === 1 ? null : entries(i - 1),
          after: entries(i),
        });
      }
    }
    expect(versions.list().map(({ tab: id, versions: kept }) => [id, kept.map(({ version }) => version)])).toEqual([
      ['a', [3, 4]],
      ['b', [3, 4]],
    ]);
  });

  it('lie in their folder whatever a tab is called, and a broken one is left out', async () => {
    const versions = await open();
    for (const id of ['../../up', '', 'x/y', '.', 'a'.repeat(200)]) {
      await versions.save({ tab: id, label: id, by: 'lin', why: '', before: null, after: [tab('q')] });
    }
    expect((await readdir(root)).sort()).toEqual(['versions']);
    const folders = await readdir(join(root, 'versions'));
    expect(folders).toHaveLength(5);
    await writeFile(join(root, 'versions', folders[0] ?? '', '1.json'), '{"tab":');
    expect((await open()).list()).toHaveLength(4);
  });
});

describe('the difference of two versions', () => {
  it('tells what was added, removed, changed, and what only lies elsewhere', () => {
    const before = [tab('t'), node('a', 't', { x: 1, y: 1 }), node('b', 't', { name: 'old', x: 1 }), node('c', 't')];
    const after = [tab('t'), node('a', 't', { x: 9, y: 1 }), node('b', 't', { name: 'new', x: 2 }), node('d', 't')];
    expect(diffEntries(before, after).map(({ id, what, keys }) => [id, what, ...keys])).toEqual([
      ['a', 'moved', 'x'],
      ['b', 'changed', 'name', 'x'],
      ['d', 'added'],
      ['c', 'removed'],
    ]);
  });
});

describe('the storage of flows', () => {
  const storageOf = async (off: ReadonlySet<string> = new Set()) => {
    const versions = await open();
    const options = { flowsFolder: join(root, 'flows'), stateFolder: join(root, 'state'), log: silentLog };
    return { versions, storage: openStorage({ ...options, versions, disabled: () => off }) };
  };

  it('keeps the earlier state of each tab that a deploy changes, removes or writes anew, and of no other', async () => {
    const { storage, versions } = await storageOf();
    await storage.saveFlows([tab('t', 'comfort/a'), tab('u', 'comfort/b')], { username: 'lin' });
    await storage.saveFlows([tab('t', 'comfort/a', { info: 'x' }), tab('u', 'comfort/b')], {
      username: 'wang',
      why: 'w',
    });
    await storage.saveFlows([tab('u', 'comfort/b')], { username: 'wang' });
    expect(versions.list().map((one) => [one.tab, one.versions.map(({ by, why }) => `${by} ${why}`)])).toEqual([
      ['t', ['lin ', 'wang w']],
      ['u', ['lin ']],
    ]);
    expect(storage.tabs().map(({ id, file }) => [id, file])).toEqual([['u', 'comfort/b.json']]);
  });

  it('gives a tab that ended the process to Node-RED as disabled, and leaves its file alone until somebody changes it', async () => {
    const flows = [tab('t', 'comfort/a', { locked: true }), node('n', 't')];
    await (await storageOf()).storage.saveFlows(flows);
    const { storage, versions } = await storageOf(new Set(['t']));
    const given = await storage.getFlows();
    expect(given[0]).toMatchObject({ id: 't', disabled: true });
    const count = versions.list()[0]?.versions.length;
    await storage.saveFlows([...given, tab('u', 'comfort/b')]);
    expect(storage.tabs().find(({ id }) => id === 't')).toMatchObject({ disabled: false });
    expect(versions.list().find((one) => one.tab === 't')?.versions).toHaveLength(count ?? 0);
    const unlocked = [tab('t', 'comfort/a', { locked: false, disabled: false }), node('n', 't', { name: 'mended' })];
    await storage.saveFlows([...unlocked, tab('u', 'comfort/b')]);
    expect(versions.list().find((one) => one.tab === 't')?.versions).toHaveLength((count ?? 0) + 1);
  });

  it('reads node types under the names of earlier releases', async () => {
    const { storage } = await storageOf();
    await storage.saveFlows([tab('t', 'comfort/a'), node('n', 't', { type: 'campus request', seconds: '60' })]);
    expect((await storage.getFlows())[1]).toMatchObject({ type: 'campus hold', seconds: '60' });
  });
});
