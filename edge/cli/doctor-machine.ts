import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '#edge/runtime/clock.ts';
import { createClockSync } from '#edge/runtime/clock-sync.ts';
import { codeOf } from '#edge/runtime/errors.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/* What the box itself must have. */

const run = promisify(execFile);

/** What the launcher takes (run.mjs): below it type stripping is missing, above it serialport breaks. */
export function lookAtNode(version = process.versions.node): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isGood = (major === 24 && minor >= 11) || major === 25 || (major === 26 && minor < 4);
  if (isGood) return ok('node', `Node ${version}`, `Node ${version}`);
  return fail(
    'node',
    { zh: `Node ${version} 不在支持范围`, en: `Node ${version} is not one that this software runs on` },
    { zh: '安装 Node 24 LTS（24.11 以上）', en: 'install Node 24 LTS, 24.11 or later' },
  );
}

export async function lookAtClock(): Promise<Finding> {
  const { synchronised, source } = await createClockSync({ clock: systemClock })();
  if (synchronised === true) return ok('clock', `时钟已同步（${source}）`, `the clock is synchronised (${source})`);
  const next = {
    zh: '启用 systemd-timesyncd 或 chrony，并指向校内或上级时间服务器',
    en: 'run systemd-timesyncd or chrony, with a time server of the school or above it',
  };
  if (synchronised === null) {
    return warn(
      'clock',
      { zh: '没有程序能说明时钟是否同步', en: 'nothing here can tell whether the clock is set' },
      next,
    );
  }
  return warn('clock', { zh: `时钟未同步（${source}）`, en: `the clock is not synchronised (${source})` }, next);
}

const mb = (bytes: number): number => Math.round(bytes / 1e6);

/** Free space against the floor at which history is let go, and against what the database and the pictures may still take. */
export function lookAtDisk(
  folder: string,
  limits: { readonly floor: number; readonly wanted: number } | null,
): Finding {
  const { bavail, bsize } = statfsSync(nearest(folder));
  const free = bavail * bsize;
  const floor = limits?.floor ?? 5e8;
  const found = { zh: `${folder} 剩余 ${mb(free)} MB`, en: `${mb(free)} MB are free at ${folder}` };
  if (free < floor) {
    return fail('disk', found, {
      zh: `低于下限 ${mb(floor)} MB，正在删旧数据：清理磁盘或换更大的盘`,
      en: `below the floor of ${mb(floor)} MB history is let go: make room, or take a larger disk`,
    });
  }
  const wanted = limits?.wanted ?? 0;
  if (free - floor < wanted) {
    return warn('disk', found, {
      zh: `按保留设置还会写入约 ${mb(wanted)} MB：缩短 retention 或换更大的盘`,
      en: `retention may still take ${mb(wanted)} MB: shorten it, or take a larger disk`,
    });
  }
  return ok('disk', found.zh, found.en);
}

function nearest(folder: string): string {
  try {
    statSync(folder);
    return folder;
  } catch {
    const above = dirname(folder);
    return above === folder ? folder : nearest(above);
  }
}

/** eMMC tells its wear in steps of 10 % (JEDEC eMMC 5.0, DEVICE_LIFE_TIME_EST; 0x0b is beyond its life). */
export function lookAtFlash(blocks = '/sys/block'): Finding[] {
  const names = listed(blocks).filter((name) => /^mmcblk\d+$/.test(name));
  return names.flatMap((name) => {
    const text = readText(join(blocks, name, 'device/life_time'));
    if (text === null) return [];
    const worst = Math.max(
      ...text
        .trim()
        .split(/\s+/)
        .map((part) => Number.parseInt(part, 16) || 0),
    );
    if (worst === 0) return [];
    const used = Math.min(100, worst * 10);
    const found = { zh: `${name} 寿命已用约 ${used}%`, en: `${name} has used about ${used} % of its life` };
    if (worst <= 8) return [ok('flash', found.zh, found.en)];
    return [warn('flash', found, { zh: '备份后更换存储', en: 'make a back-up and replace it' })];
  });
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** Below 5 it gets no security fixes: it is used for nothing that comes over a network (media/ffmpeg-find.ts judges the same way). */
const oldestFfmpeg = 5;

export async function lookAtFfmpeg(program = 'ffmpeg'): Promise<Finding> {
  try {
    const { stdout } = await run(program, ['-version'], { timeout: 5_000 });
    const version = /^ffmpeg version (\S+)/.exec(stdout)?.[1] ?? '?';
    const major = /^n?(\d{1,3})\.\d/.exec(version)?.[1];
    // Builds from git say no number, but the year of their sources; 5.0 is of January 2022.
    const year = /Copyright \(c\) \d{4}-(\d{4})/.exec(stdout)?.[1];
    if (major === undefined ? Number(year) >= 2022 : Number(major) >= oldestFfmpeg) {
      return ok('ffmpeg', `ffmpeg ${version}`, `ffmpeg ${version}`);
    }
    const found = {
      zh: `ffmpeg ${version} 太旧，不用于网络摄像机`,
      en: `ffmpeg ${version} is too old to be shown a network of cameras`,
    };
    return warn('ffmpeg', found, { zh: '安装 5 以上版本', en: 'install version 5 or later' });
  } catch (error) {
    const found =
      codeOf(error) === 'ENOENT'
        ? { zh: '没有 ffmpeg：只有演示的摄像机有视频', en: 'there is no ffmpeg: only cameras of the demo have video' }
        : { zh: 'ffmpeg 不能运行', en: 'ffmpeg does not run' };
    return warn('ffmpeg', found, {
      zh: '视频功能需要它：apt install ffmpeg',
      en: 'video needs it: apt install ffmpeg',
    });
  }
}

/** The data folder and the secrets in it are this user's alone. */
export function lookAtFolder(data: string): Finding[] {
  let mode: number;
  try {
    mode = statSync(data).mode;
  } catch (error) {
    return [
      fail(
        'data',
        { zh: `数据目录 ${data}：${codeOf(error)}`, en: `the data folder ${data}: ${codeOf(error)}` },
        {
          zh: '用 --data 指定正确的目录；首次启动会建立它',
          en: 'name the right one with --data; the first start makes it',
        },
      ),
    ];
  }
  const open = [data, ...listed(data).map((name) => join(data, name))].filter(
    (path) => path === data || isSecret(path),
  );
  const loose = open.filter((path) => (statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o077);
  if (loose.length === 0 && (mode & 0o077) === 0) return [ok('data', `数据目录 ${data}`, `data folder ${data}`)];
  return [
    fail(
      'data',
      { zh: `其他用户能读：${loose.join('，')}`, en: `others may read: ${loose.join(', ')}` },
      { zh: `chmod -R go-rwx ${data}`, en: `chmod -R go-rwx ${data}` },
    ),
  ];
}

const isSecret = (path: string): boolean => /\/(keys|pki|credentials\.json|admin-token|city-password)$/.test(path);
