import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { devicesOf, type ProfileShelf } from '#edge/profiles/expand.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import { findTakenPorts } from '#edge/runtime/ports.ts';
import type { RpcClient } from '#edge/runtime/rpc.ts';
import type { Site } from '#edge/runtime/site.ts';
import { portsOf } from '#edge/runtime/site-ports.ts';
import { verifyAudit } from '#edge/store/audit-chain.ts';
import { openReader } from '#edge/store/reader.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/* What this campus itself must have. */

/** Anything but silence is an answer: an unknown method, too. */
export async function isCoreThere(core: Pick<RpcClient, 'call'>): Promise<boolean> {
  try {
    await core.call('ping', {}, 5_000);
    return true;
  } catch (error) {
    return codeOf(error) !== 'RPC_AWAY' && codeOf(error) !== 'TIMEOUT';
  }
}

export function lookAtCore(isRunning: boolean): Finding {
  if (isRunning) return ok('core', 'core 在运行', 'core runs and answers');
  return warn(
    'core',
    { zh: '校园没有在此目录上运行', en: 'no campus runs on this folder' },
    {
      zh: '启动它（npm start 或 systemctl start campus-edge）',
      en: 'start it (npm start, or systemctl start campus-edge)',
    },
  );
}

/** Running: does each port answer? Stopped: is each port free? */
export async function lookAtPorts(site: Site, isRunning: boolean): Promise<Finding[]> {
  const wanted = portsOf(site).filter(({ port }) => port > 0);
  if (!isRunning) {
    const taken = await findTakenPorts(wanted);
    if (taken.length === 0) return [ok('ports', `${wanted.length} 个端口都空闲`, `${wanted.length} ports are free`)];
    return taken.map((sentence) =>
      fail(
        'ports',
        { zh: sentence, en: sentence },
        { zh: '关闭占用端口的程序，或改设置', en: 'stop that program, or set another port' },
      ),
    );
  }
  const silent: string[] = [];
  await Promise.all(
    wanted.map(async ({ host, port }) => {
      const address = host === '::' ? '::1' : host === '0.0.0.0' ? '127.0.0.1' : host;
      if (!(await canConnect(address, port))) silent.push(`${host}:${port}`);
    }),
  );
  if (silent.length === 0) return [ok('ports', `${wanted.length} 个端口都应答`, `${wanted.length} ports answer`)];
  return [
    warn(
      'ports',
      { zh: `没有应答：${silent.join('，')}`, en: `no answer at ${silent.join(', ')}` },
      { zh: '看“系统”页或日志中相应的进程', en: 'look at that process, on the page “System” or in the log' },
    ),
  ];
}

export function canConnect(host: string, port: number, timeout = 2_000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout });
    const end = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

export function lookAtProfiles(site: Site, shelf: ProfileShelf): Finding[] {
  const { devices, broken } = devicesOf(site, shelf);
  const problems = [...broken.map(({ device, message }) => `${device}: ${message}`), ...site.adoptionProblems];
  const next = {
    zh: '修正站点文件或设备档案（campus site check）',
    en: 'correct the site file or the profile (campus site check)',
  };
  const adopted = site.adopted.length;
  return [
    ok(
      'site',
      `站点文件正确：${devices.length} 个设备，其中接纳的 ${adopted} 个`,
      `the site file is good: ${devices.length} devices, ${adopted} of them adopted`,
    ),
    ...problems.map((problem) => fail('devices', { zh: problem, en: problem }, next)),
  ];
}

export function lookAtDatabase(data: string): Finding {
  try {
    using reader = openReader(data, systemClock);
    const { schema, epoch } = reader.meta();
    return ok(
      'database',
      `数据库可读，结构版本 ${schema}，编号 ${epoch}`,
      `the database can be read: schema ${schema}, epoch ${epoch}`,
    );
  } catch (error) {
    const found = { zh: `数据库：${messageOf(error)}`, en: `database: ${messageOf(error)}` };
    if (codeOf(error) === 'STORE_NOT_READY') {
      return warn('database', found, { zh: '启动一次校园', en: 'start the campus once' });
    }
    if (codeOf(error) === 'STORE_NEWER') {
      return fail('database', found, { zh: '使用更新的软件版本', en: 'run the newer version of this software' });
    }
    return fail('database', found, {
      zh: '查看磁盘；必要时从备份恢复（campus restore）',
      en: 'look at the disk; if need be restore a back-up (campus restore)',
    });
  }
}

export async function lookAtAudit(data: string): Promise<Finding> {
  const { ok: isWhole, lines, faults, head } = await verifyAudit(data, { signal: AbortSignal.timeout(60_000) });
  if (isWhole)
    return ok(
      'audit',
      `审计完整：${lines} 行，链头 ${head.slice(0, 12)}`,
      `the audit is whole: ${lines} lines, head ${head.slice(0, 12)}`,
    );
  const [first] = faults;
  return fail(
    'audit',
    { zh: `审计不完整：${first?.message ?? ''}`, en: `the audit is not whole: ${first?.message ?? ''}` },
    {
      zh: '保留现状，campus audit verify，通知审计员',
      en: 'leave all as it is, run campus audit verify, and call the auditor',
    },
  );
}

const soon = 30 * 86_400_000;

/** Certificates that pages and devices are shown. */
export function lookAtCertificates(data: string, site: Site | null): Finding[] {
  const own = site?.https?.certificate;
  const files = [
    { file: join(data, 'pki/server.pem'), renewsItself: true },
    { file: join(data, 'pki/authority.pem'), renewsItself: false },
    ...(typeof own === 'string' ? [{ file: own, renewsItself: false }] : []),
  ];
  return files.flatMap(({ file, renewsItself }) => {
    const certificate = readCertificate(file);
    if (certificate === null) return [];
    const expires = certificate.validToDate.getTime();
    const day = certificate.validToDate.toISOString().slice(0, 10);
    const left = expires - systemClock.now();
    const found = { zh: `证书 ${file} 有效至 ${day}`, en: `the certificate ${file} is good until ${day}` };
    if (left > soon || (renewsItself && left > 0)) return [ok('certificate', found.zh, found.en)];
    const next = renewsItself
      ? { zh: '启动校园，它会自动更新', en: 'start the campus: it renews it by itself' }
      : { zh: '换一张新证书', en: 'put a new certificate there' };
    return [left > 0 ? warn('certificate', found, next) : fail('certificate', found, next)];
  });
}

function readCertificate(file: string): X509Certificate | null {
  try {
    const text = readFileSync(file, 'utf8');
    const begin = text.indexOf('-----BEGIN CERTIFICATE-----');
    return begin < 0 ? null : new X509Certificate(text.slice(begin));
  } catch {
    return null; // made at the first start, or read by the campus's own user only
  }
}
