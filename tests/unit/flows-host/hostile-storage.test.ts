import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStorage } from '#edge/flows-host/storage.ts';
import { openVersions } from '#edge/flows-host/versions.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';

/* What somebody with the right to deploy could send: no name of a tab leads to another place, and nothing of it is lost. */

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'flows-hostile-'));
  for (const name of ['flows', 'state', 'outside']) mkdirSync(join(root, name));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const open = async () => {
  const versions = await openVersions({ folder: join(root, 'state/versions'), clock: systemClock, log: silentLog });
  const storage = openStorage({
    flowsFolder: join(root, 'flows'),
    stateFolder: join(root, 'state'),
    log: silentLog,
    versions,
  });
  await storage.getFlows();
  return { versions, storage };
};

/** Every file below, from there. */
function files(folder: string, under = ''): string[] {
  return readdirSync(join(folder, under), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(folder, join(under, entry.name)) : [join(under, entry.name)],
  );
}

const names = [
  '../../outside/x',
  '..',
  '/etc/passwd',
  'a\0b',
  'con',
  '.',
  'energy/../../x',
  '%2e%2e%2fx',
  '节能: ../x',
  '\u202ex',
  ' ',
  '🔥',
];

test.each(names)('a tab called %j, with that as its id and folder too, stays in the folders of flows', async (name) => {
  const { storage, versions } = await open();
  const env = [{ name: 'CAMPUS_FOLDER', value: name }];
  const flows = [
    { id: name, type: 'tab', label: name, env },
    { id: `${name}-node`, type: 'comment', z: name, name },
  ];
  await storage.saveFlows(flows, { username: name, why: name });
  await storage.saveFlows([{ ...flows[0], label: 'other' }, flows[1]], { username: 'lin' });
  expect(files(join(root, 'outside'))).toEqual([]);
  for (const file of files(join(root, 'flows')))
    expect(file).toMatch(/^(energy|comfort|notify|other)\/[\p{L}\p{N}_-]+\.json$/u);
  for (const file of files(join(root, 'state/versions'))) expect(file).toMatch(/^[A-Za-z0-9_-]{1,64}\/\d+\.json$/);
  expect(readdirSync(root).sort()).toEqual(['flows', 'outside', 'state']);
  // And they are found again.
  const again = await open();
  expect(again.versions.list().map(({ tab }) => tab)).toEqual(versions.list().map(({ tab }) => tab));
  expect(again.versions.list()[0]?.versions).toHaveLength(2);
  expect(await again.storage.getFlows()).toHaveLength(2);
});

test('a tab whose id is longer than its versions could be found by is refused, and what is there stays', async () => {
  const { storage, versions } = await open();
  await storage.saveFlows([{ id: 'a', type: 'tab', label: 'a' }], { username: 'lin' });
  const long = 'x'.repeat(201);
  const saving = storage.saveFlows([{ id: long, type: 'tab', label: 'b' }], { username: 'lin' });
  await expect(saving).rejects.toThrow(/id: must be at most 200 characters/);
  expect(files(join(root, 'flows'))).toEqual(['other/a.json']);
  expect(versions.list().map(({ tab }) => tab)).toEqual(['a']);
});

test.each([
  ['a label that is no text', { id: 'a', type: 'tab', label: 7 }],
  ['variables that are no list', { id: 'a', type: 'tab', label: 'a', env: 'x' }],
  ['a variable that is none', { id: 'a', type: 'tab', label: 'a', env: [null] }],
  ['a subflow without a name', { id: 'a', type: 'subflow', name: null }],
  ['a place that is no text', { id: 'n', type: 'comment', z: { toString: 1 } }],
])('%s is refused in words or taken, and neither breaks what is there', async (_, entry) => {
  const { storage } = await open();
  const good = { id: 'good', type: 'tab', label: 'good' };
  await storage.saveFlows([good], { username: 'lin' });
  const outcome = await storage.saveFlows([good, entry], { username: 'lin' }).then(
    () => 'taken',
    (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : ''),
  );
  expect(outcome).not.toMatch(/TypeError/);
  const again = await open();
  expect((await again.storage.getFlows()).some(({ id }) => id === 'good')).toBe(true);
});

test('a link in the place of a file of a tab or a version is replaced, never followed', async () => {
  const outside = join(root, 'outside/secret.json');
  writeFileSync(outside, 'untouched');
  mkdirSync(join(root, 'flows/other'));
  symlinkSync(outside, join(root, 'flows/other/a.json'));
  mkdirSync(join(root, 'state/versions/a'), { recursive: true });
  symlinkSync(outside, join(root, 'state/versions/a/1.json'));
  const { storage } = await open();
  await storage.saveFlows([{ id: 'a', type: 'tab', label: 'a' }], { username: 'lin' });
  expect(readFileSync(outside, 'utf8')).toBe('untouched');
  expect(lstatSync(join(root, 'state/versions/a/1.json')).isSymbolicLink()).toBe(false);
  expect(existsSync(outside)).toBe(true);
});
