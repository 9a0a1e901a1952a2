import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { loadSite } from '#edge/runtime/site.ts';
import { type Command, dataOption, type Given, type OptionSpec, usage } from './command.ts';
import { unitText } from './service-unit.ts';

/* The campus as a systemd service. */

const run = promisify(execFile);
const name = 'campus-edge.service';
const unitFile = `/etc/systemd/system/${name}`;
const patience = 120_000;
const root = resolve(import.meta.dirname, '../..');

const siteOption: OptionSpec = { type: 'string', value: 'FILE', about: { zh: '站点文件', en: 'the site file' } };

export const serviceCommands: readonly Command[] = [
  {
    name: 'service install',
    usage: '--site FILE --data FOLDER [--user NAME] [--print]',
    about: {
      zh: '安装为 systemd 服务：专用用户、最小权限、看门狗（须 root）',
      en: 'install as a systemd service: own user, least rights, watchdog (needs root)',
    },
    more: [
      {
        zh: '看门狗靠 systemd-notify 报告：监督进程的主循环停转 60 秒即被重启；各子进程由监督进程自己看护。',
        en: 'The watchdog is fed through systemd-notify: a supervisor whose loop stands still for 60 s is started again; it watches the other processes itself.',
      },
    ],
    options: {
      data: dataOption,
      site: siteOption,
      user: {
        type: 'string',
        value: 'NAME',
        about: { zh: '服务用户（默认 campus-edge）', en: 'its user; default campus-edge' },
      },
      print: { type: 'boolean', about: { zh: '只打印单元文件', en: 'print the unit and install nothing' } },
    },
    run: install,
  },
  {
    name: 'service uninstall',
    usage: '',
    about: { zh: '停止并移除服务；数据保留', en: 'stop and remove the service; data stays' },
    run: async (given) => {
      given.none();
      requireRoot();
      await systemctl(['disable', '--now', name]).catch((error: unknown) => {
        if (existsSync(unitFile)) throw error; // else there is nothing to stop
      });
      await rm(unitFile, { force: true });
      await systemctl(['daemon-reload']);
      given.say({ zh: `${name} 已移除`, en: `${name} is removed` });
    },
  },
  {
    name: 'service status',
    usage: '',
    about: { zh: '服务是否在运行', en: 'whether the service runs' },
    run: async (given) => {
      given.none();
      if (!existsSync(unitFile)) {
        given.say({ zh: '未安装', en: 'not installed' });
        return 1;
      }
      const wanted = ['ActiveState', 'SubState', 'NRestarts', 'ActiveEnterTimestamp', 'MemoryCurrent', 'MainPID'];
      const shown = await systemctl(['show', name, `--property=${wanted.join(',')}`]);
      given.print(shown.trimEnd());
      return /^ActiveState=active$/m.test(shown) ? 0 : 1;
    },
  },
];

async function install(given: Given): Promise<undefined> {
  given.none();
  const siteFile = resolve(given.need('site', 'FILE'));
  const data = given.data();
  const user = given.text('user') ?? 'campus-edge';
  if (!/^[a-z_][a-z0-9_-]{0,30}$/.test(user)) throw usage(`"${user}" is not a name of a user`);
  const site = await loadSite(siteFile);
  const text = unitText({ site, siteFile, data, root, node: process.execPath, user });
  if (given.has('print')) return void given.print(text.trimEnd());
  requireRoot();
  const complaints = await verifyUnit(text);
  if (complaints !== null) throw new CodedError('UNIT_WRONG', `systemd does not take the unit:\n${complaints}`);
  // The service may not write below the program: its pages are built before it starts.
  await run(process.execPath, [join(root, 'edge/web/console/build-now.ts')], { timeout: patience });
  const { uid, gid } = await ensureUser(user, data);
  await mkdir(data, { recursive: true, mode: 0o700 });
  await chown(data, uid, gid);
  await writeFile(unitFile, text, { mode: 0o644 });
  await systemctl(['daemon-reload']);
  await systemctl(['enable', '--now', name]);
  given.say({
    zh: `${name} 已安装并启动；日志：journalctl -u ${name}`,
    en: `${name} is installed and started; its log: journalctl -u ${name}`,
  });
}

function requireRoot(): void {
  if (process.getuid?.() !== 0)
    throw new CodedError('NOT_ROOT', 'only root can do this: sudo, or --print to see the unit');
}

async function systemctl(args: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run('systemctl', [...args], { timeout: patience });
    return stdout;
  } catch (error) {
    const why = codeOf(error) === 'ENOENT' ? 'there is no systemd on this machine' : messageOf(error);
    throw new CodedError('SYSTEMD', `systemctl ${args.join(' ')}: ${why}`, { cause: error });
  }
}

/** What `systemd-analyze verify` says against a unit; null when nothing, or where there is no such program. */
export async function verifyUnit(text: string): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), 'campus-unit-'));
  try {
    const file = join(folder, name);
    await writeFile(file, text);
    await run('systemd-analyze', ['verify', '--man=no', file], { timeout: patience });
    return null;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    return messageOf(error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function ensureUser(user: string, home: string): Promise<{ uid: number; gid: number }> {
  const known = await idsOf(user);
  if (known !== null) return known;
  const args = [
    '--system',
    '--user-group',
    '--home-dir',
    home,
    '--no-create-home',
    '--shell',
    '/usr/sbin/nologin',
    user,
  ];
  await run('useradd', args, { timeout: patience });
  const made = await idsOf(user);
  if (made === null) throw new CodedError('NO_USER', `the user "${user}" could not be made`);
  return made;
}

async function idsOf(user: string): Promise<{ uid: number; gid: number } | null> {
  try {
    const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, user], { timeout: patience })));
    return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
  } catch {
    return null; // there is no such user
  }
}
