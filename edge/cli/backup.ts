import { existsSync } from 'node:fs';
import { copyFile, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type CopyDatabase, copyByCore, makeBackup } from '#edge/runtime/backup.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { lockDataFolder } from '#edge/runtime/data-lock.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import { restoreBackup } from '#edge/runtime/restore.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import { openReader } from '#edge/store/reader.ts';
import { type Command, dataOption, type Given, jsonOption } from './command.ts';
import { localCaller } from './core.ts';

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const seconds = (since: number): string => `${((systemClock.monotonic() - since) / 1000).toFixed(1)} s`;

export const backupCommands: readonly Command[] = [
  {
    name: 'backup',
    usage: 'FILE.tar.gz --data FOLDER [--site FILE] [--pictures]',
    about: {
      zh: '备份整个校园：数据库、密钥、密码、平面图、站点文件、流程；运行中或停止时都可以',
      en: 'back up the whole campus (database, keys, passwords, plans, site file, flows), running or not',
    },
    more: [
      {
        zh: '备份里有全部密码和密钥：存放处要与数据目录一样严。',
        en: 'The file holds every password and key: keep it as safe as the data folder.',
      },
    ],
    options: {
      data: dataOption,
      site: {
        type: 'string',
        value: 'FILE',
        about: { zh: '站点文件（默认上次启动所用）', en: 'the site file; default: the one last started with' },
      },
      pictures: { type: 'boolean', about: { zh: '包括摄像机图片', en: 'with the pictures of cameras' } },
      json: jsonOption,
    },
    run: runBackup,
  },
  {
    name: 'restore',
    usage: 'FILE.tar.gz --data FOLDER [--force]',
    about: { zh: '把备份恢复到一个空目录', en: 'restore a back-up onto an empty folder' },
    more: [
      {
        zh: '先核对每个文件的大小与散列，全部正确才放到位；否则目录保持原样。恢复后对市级平台另起编号。',
        en: 'Every size and hash is proved before anything is put in place. Afterwards the campus counts anew towards the city.',
      },
    ],
    options: {
      data: dataOption,
      force: {
        type: 'boolean',
        about: { zh: '目录非空时把原目录移到一旁（不删除）', en: 'move what is in the folder aside (never deleted)' },
      },
      json: jsonOption,
    },
    run: runRestore,
  },
];

async function runBackup(given: Given): Promise<undefined> {
  const data = given.data();
  const file = resolve(given.one('FILE.tar.gz'));
  if (!existsSync(data)) throw new CodedError('DATA_FOLDER', `there is no folder ${data}`);
  const site = given.text('site');
  const started = systemClock.monotonic();
  await using core = connectRpc(join(data, 'core.sock'));
  const isRunning = await answers(core);
  // Stopped: nobody may start on the folder while it is copied.
  using _ = isRunning ? null : lockDataFolder(data);
  const made = await makeBackup({
    data,
    file,
    siteFile: site === undefined ? null : resolve(site),
    copyDatabase: isRunning ? copyByCore(core) : copyStopped(data),
    pictures: given.has('pictures'),
    clock: systemClock,
  });
  if (isRunning) {
    const line = { ...localCaller(), what: 'backup.make', why: '', result: `${made.files} files, ${made.bytes} bytes` };
    await core.call('audit', line);
  }
  if (given.has('json')) return void given.print(JSON.stringify(made));
  given.say({
    zh: `${file}：${made.files} 个文件，${megabytes(made.bytes)}，用时 ${seconds(started)}`,
    en: `${file}: ${made.files} files, ${megabytes(made.bytes)}, in ${seconds(started)}`,
  });
  if (made.keys.length > 0) {
    const keys = made.keys.map((path) => path.replace(/^data\//, '')).join(', ');
    given.say({
      zh: `内含密钥 ${keys}：拿到本文件的人可解开摄像机密码和两步验证`,
      en: `it holds the keys ${keys}: whoever has this file can open the passwords of cameras and second factors`,
    });
  }
  if (made.campus === null) {
    given.say({
      zh: '注意：没有找到站点文件（用 --site 指定）',
      en: 'note: no site file was found for it (name it with --site)',
    });
  }
  for (const path of made.elsewhere)
    given.say({ zh: `注意：不在备份内：${path}`, en: `note: not in the back-up: ${path}` });
}

/** An unknown method is answered too: somebody is there. */
async function answers(core: {
  call(method: string, params: object, timeout?: number): Promise<unknown>;
}): Promise<boolean> {
  try {
    await core.call('ping', {}, 5_000);
  } catch (error) {
    return codeOf(error) !== 'RPC_AWAY';
  }
  return true;
}

/** With nobody writing, file and log together are the database. */
function copyStopped(data: string): CopyDatabase {
  return async (file) => {
    const head = await readFile(join(data, 'audit-head'), 'utf8').catch(() => null);
    await copyFile(join(data, 'campus.db'), file);
    if (existsSync(join(data, 'campus.db-wal'))) await copyFile(join(data, 'campus.db-wal'), `${file}-wal`);
    return { head };
  };
}

async function runRestore(given: Given): Promise<undefined> {
  const data = given.data();
  const started = systemClock.monotonic();
  const { manifest, bytes, siteFile, aside } = await restoreBackup({
    file: resolve(given.one('FILE.tar.gz')),
    data,
    force: given.has('force'),
    check: requireKnownSchema,
    clock: systemClock,
  });
  if (given.has('json')) return void given.print(JSON.stringify({ time: manifest.time, bytes, siteFile, aside }));
  const { files, campus, auditHead } = manifest;
  given.say({
    zh: `${data}：恢复了 ${campus?.zh ?? '校园'} 的 ${files.length} 个文件，${megabytes(bytes)}，用时 ${seconds(started)}`,
    en: `${data}: ${files.length} files of ${campus?.en ?? 'the campus'} are restored, ${megabytes(bytes)}, in ${seconds(started)}`,
  });
  if (aside !== null) given.say({ zh: `原目录在 ${aside}`, en: `what was there is in ${aside}` });
  if (auditHead !== null) {
    given.say({
      zh: `审计链到此为止：${auditHead}；启动后会记一行“backup.restored”`,
      en: `the audit reaches to ${auditHead}; the first start adds the line "backup.restored"`,
    });
  }
  const site = siteFile ?? 'my-site.yaml';
  given.print(`npm start -- --site ${site} --data ${data}`);
}

/** Older is brought up to date by core's first start; newer is not for this software. */
function requireKnownSchema(folder: string): void {
  using reader = openReader(folder, systemClock);
  try {
    reader.meta();
  } catch (error) {
    if (codeOf(error) !== 'STORE_NOT_READY') throw error;
  }
}
