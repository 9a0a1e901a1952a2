import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Header, list } from 'tar';
import { afterAll, describe, expect, test } from 'vitest';
import { makeBackup } from '#edge/runtime/backup.ts';
import { isInnerPath, manifestName } from '#edge/runtime/backup-manifest.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { restoreBackup } from '#edge/runtime/restore.ts';

const folder = mkdtempSync(join(tmpdir(), 'backup-unit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const clock = new ManualClock(Date.UTC(2026, 2, 1));
let count = 0;

/** A folder of its own to restore into; beside it nothing may appear. */
function place(): { data: string; parent: string } {
  const parent = join(folder, `place-${count++}`);
  mkdirSync(parent);
  return { data: join(parent, 'data'), parent };
}

type Entry = { path: string; body?: string; type?: 'File' | 'SymbolicLink' | 'Link' | 'Directory'; linkpath?: string };

function archive(entries: readonly Entry[]): string {
  const blocks = entries.flatMap(({ path, body = '', type = 'File', linkpath }) => {
    const head = Buffer.alloc(512);
    const size = Buffer.byteLength(body);
    new Header({ path, size, type, mode: 0o644, ...(linkpath === undefined ? {} : { linkpath }) }).encode(head);
    const padded = Buffer.alloc(Math.ceil(size / 512) * 512);
    padded.write(body);
    return [head, padded];
  });
  const file = join(folder, `archive-${count++}.tar.gz`);
  writeFileSync(file, gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)])));
  return file;
}

function manifest(files: readonly { path: string; body: string }[], more: object = {}): Entry {
  const body = JSON.stringify({
    manifest: 1,
    time: 1,
    software: { version: '0.1.0', node: 'v24' },
    campus: null,
    schema: null,
    auditHead: null,
    siteFile: null,
    elsewhere: [],
    pictures: false,
    files: files.map(({ path, body: text }) => ({
      path,
      bytes: Buffer.byteLength(text),
      sha256: createHash('sha256').update(text).digest('hex'),
    })),
    ...more,
  });
  return { path: manifestName, body };
}

const restore = (file: string, data: string, force = false) =>
  restoreBackup({ file, data, force, check: () => {}, clock });

const good = { path: 'data/credentials.json', body: '{"a":1}' };

describe('a back-up that is not as we make them is refused whole', () => {
  const climbing = '../../escaped';
  test.each<[string, readonly Entry[], RegExp]>([
    ['without a manifest', [good], /does not begin with manifest\.json/],
    ['with a manifest that is none', [{ path: manifestName, body: '{' }, good], /is not one of ours/],
    ['of a newer make', [manifest([good], { manifest: 2 }), good], /is not one of ours/],
    ['with a changed file', [manifest([good]), { ...good, body: '{"a":2}' }], /its hash differs/],
    ['with a longer file', [manifest([good]), { ...good, body: '{"a":1} ' }], /has 8 bytes and not 7/],
    ['with a file missing', [manifest([good, { path: 'data/x', body: 'x' }]), good], /"data\/x" is missing/],
    ['with a file too many', [manifest([good]), good, { path: 'data/more', body: 'x' }], /not in the manifest/],
    ['with a file twice', [manifest([good]), good, good], /not in the manifest/],
    ['with a file named twice', [manifest([good, good]), good], /names "data\/credentials\.json" twice/],
    ['that climbs', [manifest([{ path: climbing, body: 'x' }]), { path: climbing, body: 'x' }], /not a path inside/],
    ['with an absolute path', [manifest([good]), { path: '/etc/cron.d/x', body: 'x' }], /not in the manifest/],
    ['with a symlink', [manifest([good]), { path: 'data/x', type: 'SymbolicLink', linkpath: '/etc' }], /SymbolicLink/],
    ['with a hard link', [manifest([good]), { path: 'data/x', type: 'Link', linkpath: '/etc/passwd' }], /is a Link/],
    ['with a folder', [manifest([good]), { path: 'data/x/', type: 'Directory' }], /is a Directory/],
    ['outside data and site', [manifest([{ path: 'bin/sh', body: 'x' }])], /not a path inside/],
  ])('%s', async (_, entries, sentence) => {
    const { data, parent } = place();
    await expect(restore(archive(entries), data)).rejects.toThrow(sentence);
    expect(readdirSync(parent)).toEqual([]);
    expect(existsSync(join(folder, 'escaped'))).toBe(false);
  });

  test('cut short, or not an archive at all', async () => {
    const { data, parent } = place();
    const whole = archive([manifest([good]), good]);
    const cut = `${whole}.cut`;
    writeFileSync(cut, readFileSync(whole).subarray(0, 150));
    await expect(restore(cut, data)).rejects.toMatchObject({ code: 'RESTORE_REFUSED' });
    writeFileSync(cut, 'not an archive');
    await expect(restore(cut, data)).rejects.toMatchObject({ code: 'RESTORE_REFUSED' });
    expect(readdirSync(parent)).toEqual([]);
  });

  test('larger than the disk', async () => {
    const huge = manifest([good]);
    const body = (huge.body ?? '').replace('"bytes":7', '"bytes":9000000000000000');
    const { data } = place();
    await expect(restore(archive([{ ...huge, body }, good]), data)).rejects.toMatchObject({ code: 'RESTORE_SPACE' });
  });
});

test('what this software cannot use is not put in place', async () => {
  const { data, parent } = place();
  const db = { path: 'data/campus.db', body: 'a database of the future' };
  const check = () => {
    throw new Error('schema 99');
  };
  const file = archive([manifest([db]), db]);
  await expect(restoreBackup({ file, data, force: false, check, clock })).rejects.toThrow(/schema 99/);
  expect(readdirSync(parent)).toEqual([]);
});

test('paths that climb, hide or leave the two folders are not inside', () => {
  for (const path of ['data', '/data/x', 'data/../x', 'data//x', 'data/./x', 'data/a\\b', 'data/a\nb', 'etc/x', '']) {
    expect(isInnerPath(path), path).toBe(false);
  }
  expect(isInnerPath('data/flows/credentials.json')).toBe(true);
});

test('a back-up holds what is the campus and leaves out what is the machine, and follows no link', async () => {
  const data = join(folder, 'source');
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(data, path)), { recursive: true });
    writeFileSync(join(data, path), text);
  };
  for (const path of ['devices.json', 'keys/seal.key', 'plans/a.png', 'flows/x.json', 'clips/a.wav']) write(path, path);
  for (const path of ['supervisor.lock', 'campus.lock', 'logs/core.log', 'run/core.pid', 'backups/old.tar.gz']) {
    write(path, path);
  }
  write('snapshots/2026-03-01/a.jpg', 'picture');
  symlinkSync('/etc', join(data, 'elsewhere'));
  const copyDatabase = () => Promise.reject(new Error('there is no database to copy'));
  for (const pictures of [false, true]) {
    const file = join(folder, `made-${pictures}.tar.gz`);
    await makeBackup({ data, file, siteFile: null, copyDatabase, pictures, clock });
    const target = place();
    await restore(file, target.data);
    const found = readdirSync(target.data, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(target.data.length + 1));
    const kept = ['clips/a.wav', 'devices.json', 'flows/x.json', 'keys/seal.key', 'plans/a.png'];
    expect(found.sort()).toEqual([...kept, ...(pictures ? ['snapshots/2026-03-01/a.jpg'] : [])].sort());
  }
  expect(readdirSync(data).filter((name) => name.startsWith('.backup'))).toEqual([]);
});

test('a database that cannot be copied leaves nothing behind', async () => {
  const data = join(folder, 'unlucky');
  mkdirSync(data);
  writeFileSync(join(data, 'campus.db'), 'x');
  const file = join(data, 'backups', 'x.tar.gz');
  const copyDatabase = () => Promise.reject(new Error('disk on fire'));
  await expect(makeBackup({ data, file, siteFile: null, copyDatabase, pictures: false, clock })).rejects.toThrow(
    /could not be made: disk on fire/,
  );
  expect(readdirSync(data)).toEqual(['campus.db']);
});

describe('voices of people', () => {
  test('are not taken along: recordings stay on the box, clips go', async () => {
    const { data } = place();
    for (const name of ['recordings', 'clips']) {
      mkdirSync(join(data, name), { recursive: true });
      writeFileSync(join(data, name, 'one.wav'), name);
    }
    const file = join(folder, `voices-${count++}.tar.gz`);
    await makeBackup({
      data,
      file,
      siteFile: null,
      copyDatabase: async () => ({ head: null }),
      pictures: false,
      clock,
    });
    const names: string[] = [];
    await list({ file, onReadEntry: ({ path }) => void names.push(path) });
    expect(names.filter((name) => name.endsWith('.wav'))).toEqual(['data/clips/one.wav']);
  });
});
