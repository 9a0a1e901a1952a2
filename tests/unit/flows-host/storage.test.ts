import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Deployment, openStorage } from '#edge/flows-host/storage.ts';
import { silentLog } from '#edge/runtime/log.ts';

let root: string;
let deployments: Deployment[];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'flows-'));
  deployments = [];
});
afterEach(() => rm(root, { recursive: true, force: true }));

const open = () =>
  openStorage({
    flowsFolder: join(root, 'flows'),
    stateFolder: join(root, 'state'),
    log: silentLog,
    onDeploy: (deployment) => deployments.push(deployment),
  });
const tab = (id: string, label: string, more: object = {}) => ({ id, type: 'tab', label, ...more });
const node = (id: string, z: string, more: object = {}) => ({ id, type: 'inject', z, wires: [], ...more });
const files = async () =>
  (await readdir(join(root, 'flows'), { recursive: true })).filter((name) => name.endsWith('.json')).sort();

describe('the storage of flows', () => {
  it('keeps one file per tab, in the folder that its label names, and reads back what it wrote', async () => {
    const flows = [
      tab('t1', 'comfort/Empty room'),
      tab('t2', '节能: 夜间断电'),
      tab('t3', 'Door bell', { env: [{ name: 'CAMPUS_FOLDER', value: 'notify', type: 'str' }] }),
      tab('t4', 'scratch'),
      { id: 's1', type: 'subflow', name: 'Average' },
      node('a', 't1'),
      node('b', 's1'),
      node('c', 't2'),
      { id: 'g', type: 'mqtt-broker', broker: 'x' },
    ];
    const storage = open();
    expect(await storage.getFlows()).toEqual([]);
    await storage.saveFlows(flows, { username: 'wang' });
    expect(await files()).toEqual([
      'comfort/empty-room.json',
      'energy/夜间断电.json',
      'global-config.json',
      'notify/door-bell.json',
      'other/scratch.json',
      'other/subflow-average.json',
    ]);
    const again = await open().getFlows();
    expect(new Set(again)).toEqual(new Set(flows));
    // The order of the tabs is the order in which people put them.
    expect(again.slice(0, 4).map((entry) => entry.id)).toEqual(['t1', 't2', 't3', 't4']);
    expect(deployments).toMatchObject([{ user: 'wang', removed: [] }]);
  });

  it('does not touch the files of tabs that did not change, whatever their formatting', async () => {
    await mkdir(join(root, 'flows/comfort'), { recursive: true });
    const byHand = join(root, 'flows/comfort/a.json');
    await writeFile(byHand, JSON.stringify([tab('t1', 'comfort/a'), node('n1', 't1')], null, 8));
    const before = await stat(byHand);
    const storage = open();
    const flows = await storage.getFlows();
    await storage.saveFlows([...flows, tab('t2', 'comfort/b')]);
    await storage.saveFlows([...flows, tab('t2', 'comfort/b'), node('n2', 't2')]);
    expect(await stat(byHand)).toMatchObject({ mtimeMs: before.mtimeMs, ino: before.ino });
    expect(deployments.map((deployment) => deployment.written)).toEqual([['comfort/b.json'], ['comfort/b.json']]);
  });

  it('moves the file of a renamed tab and removes that of a deleted one', async () => {
    const storage = open();
    await storage.saveFlows([tab('t1', 'comfort/a'), tab('t2', 'comfort/b')]);
    await storage.saveFlows([tab('t1', 'energy/a2')]);
    expect(await files()).toEqual(['energy/a2.json']);
    expect(deployments[1]).toMatchObject({
      written: ['energy/a2.json'],
      removed: ['comfort/a.json', 'comfort/b.json'],
    });
  });

  it('keeps tabs of one name apart, and their files stay when the first one goes', async () => {
    const storage = open();
    await storage.saveFlows([tab('aaaa1111', 'notify/x'), tab('bbbb2222', 'notify/x')]);
    expect(await files()).toEqual(['notify/x-bbbb2222.json', 'notify/x.json']);
    await storage.saveFlows([tab('bbbb2222', 'notify/x')]);
    expect(await files()).toEqual(['notify/x-bbbb2222.json']);
  });

  it.each([
    '../../../etc/passwd',
    'comfort/../../x',
    '/etc/cron.d/x',
    'C:\\windows\\x',
    '..',
    '\u0000',
    '',
    '.'.repeat(300),
    '名'.repeat(300),
  ])('never leaves its folder for a tab named %j', async (label) => {
    const storage = open();
    await storage.saveFlows([tab('../../up', label), node('n', '../../up')]);
    const [file, ...more] = await files();
    expect(more).toEqual([]);
    expect(file).toMatch(/^(energy|comfort|notify|other)\/[\p{L}\p{N}_-]+\.json$/u);
    expect(await open().getFlows()).toHaveLength(2);
    expect(await readdir(root)).toEqual(['flows', 'state']);
  });

  it('leaves a file that it cannot read as it is, starts without it, and never writes over it', async () => {
    await mkdir(join(root, 'flows/comfort'), { recursive: true });
    await writeFile(join(root, 'flows/comfort/a.json'), '[{"id":"t1","type":"tab","label":"comfort/a"');
    const storage = open();
    expect(await storage.getFlows()).toEqual([]);
    await storage.saveFlows([tab('t9', 'comfort/a')]);
    expect(await files()).toEqual(['comfort/a-t9.json', 'comfort/a.json']);
    expect(await readFile(join(root, 'flows/comfort/a.json'), 'utf8')).toBe(
      '[{"id":"t1","type":"tab","label":"comfort/a"',
    );
  });

  it('takes the first of two files that hold the same tab', async () => {
    await mkdir(join(root, 'flows/comfort'), { recursive: true });
    for (const name of ['a', 'copy']) {
      await writeFile(join(root, `flows/comfort/${name}.json`), JSON.stringify([tab('t1', `comfort/${name}`)]));
    }
    expect(await open().getFlows()).toEqual([tab('t1', 'comfort/a')]);
  });

  it('refuses a deploy that changes or deletes a locked tab, and takes one that unlocks it', async () => {
    const storage = open();
    await storage.saveFlows([tab('t1', 'comfort/a', { locked: true }), node('n', 't1')]);
    const changed = [tab('t1', 'comfort/a', { locked: true }), node('n', 't1', { name: 'new' })];
    await expect(storage.saveFlows(changed)).rejects.toMatchObject({ code: 'tab_locked', status: 403 });
    await expect(storage.saveFlows([])).rejects.toMatchObject({ code: 'tab_locked' });
    await storage.saveFlows([tab('t1', 'comfort/a', { locked: false }), node('n', 't1')]);
    expect(deployments).toHaveLength(2);
  });

  it.each([
    [[tab('t1', 'a'), { id: 'x', type: 'exec', z: 't1' }], 'type_not_allowed', 'node x: "exec" nodes are not allowed'],
    ['hello', 'FLOWS_INVALID', 'flows: must be a list'],
    [[null], 'FLOWS_INVALID', 'flows[0]: must be a node'],
    [[{ id: 7, type: 'tab' }], 'FLOWS_INVALID', 'flows[0].id: must be a text'],
    [[tab('t1', 'a'), tab('t1', 'b')], 'FLOWS_INVALID', 'flows[1].id: "t1" is there twice'],
  ])('refuses to save %j', async (flows, code, message) => {
    const refused = open().saveFlows(flows);
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('keeps credentials out of the flows folder and readable to its own user only', async () => {
    const storage = open();
    await storage.saveCredentials({ $: 'abc' });
    expect(await open().getCredentials()).toEqual({ $: 'abc' });
    expect((await stat(join(root, 'state/credentials.json'))).mode & 0o777).toBe(0o600);
    expect(await open().getSettings()).toEqual({});
  });

  it('orders deploys that come at once', async () => {
    const storage = open();
    await Promise.all([
      storage.saveFlows([tab('t1', 'comfort/one')]),
      storage.saveFlows([tab('t1', 'comfort/two')]),
      storage.saveFlows([tab('t1', 'comfort/three')]),
    ]);
    expect(await files()).toEqual(['comfort/three.json']);
  });
});

it('goes on from what is on the disk after a deploy that failed in the middle', async () => {
  const storage = open();
  await storage.saveFlows([tab('t1', 'comfort/a')]);
  // A file where the folder of the second tab must be made.
  await writeFile(join(root, 'flows/energy'), 'in the way');
  const flows = [tab('t1', 'comfort/a', { info: 'new' }), tab('t2', 'energy/b'), tab('t3', 'notify/c')];
  await expect(storage.saveFlows(flows)).rejects.toThrow('energy');
  await rm(join(root, 'flows/energy'));
  await storage.saveFlows(flows);
  expect(await files()).toEqual(['comfort/a.json', 'energy/b.json', 'notify/c.json']);
  expect(await open().getFlows()).toEqual(flows);
});

it('takes a file into which people have put two tabs and a broker apart at the next deploy, and loses nothing', async () => {
  await mkdir(join(root, 'flows/comfort'), { recursive: true });
  const mixed = [
    tab('t1', 'comfort/a'),
    node('n1', 't1'),
    tab('t2', 'notify/b'),
    node('n2', 't2'),
    { id: 'g', type: 'mqtt-broker' },
  ];
  await writeFile(join(root, 'flows/comfort/a.json'), JSON.stringify(mixed));
  const storage = open();
  const flows = await storage.getFlows();
  expect(new Set(flows)).toEqual(new Set(mixed));
  await storage.saveFlows(flows);
  expect(await files()).toEqual(['comfort/a.json', 'global-config.json', 'notify/b.json']);
  expect(new Set(await open().getFlows())).toEqual(new Set(mixed));
});

it('keeps two tabs apart that change names with each other', async () => {
  const storage = open();
  await storage.saveFlows([tab('t1', 'comfort/a'), tab('t2', 'comfort/b')]);
  await storage.saveFlows([tab('t1', 'comfort/b'), tab('t2', 'comfort/a')]);
  expect(await files()).toEqual(['comfort/a.json', 'comfort/b.json']);
  expect(await open().getFlows()).toEqual([tab('t1', 'comfort/b'), tab('t2', 'comfort/a')]);
});
