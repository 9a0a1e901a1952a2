import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadProfiles } from '#edge/profiles/load.ts';
import { mergeAdopted, readAdopted } from '#edge/runtime/adopted.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import { readRunNote } from '#edge/runtime/run-note.ts';
import { loadSite, type Site } from '#edge/runtime/site.ts';
import { movePorts } from '#edge/runtime/site-ports.ts';
import { type Command, dataOption, type Given, inLanguage, jsonOption } from './command.ts';
import {
  isCoreThere,
  lookAtAudit,
  lookAtCertificates,
  lookAtCore,
  lookAtDatabase,
  lookAtPorts,
  lookAtProfiles,
} from './doctor-campus.ts';
import { lookAtCity, lookAtDevices } from './doctor-devices.ts';
import { lookAtClock, lookAtDisk, lookAtFfmpeg, lookAtFlash, lookAtFolder, lookAtNode } from './doctor-machine.ts';
import { type Finding, fail, guarded, warn } from './finding.ts';
import { profileFolder } from './profile.ts';

export const doctorCommands: readonly Command[] = [
  {
    name: 'doctor',
    usage: '[--data FOLDER] [--site FILE] [--json]',
    about: {
      zh: '检查本机和校园：端口、磁盘、时钟、证书、数据库、审计、每个设备；并说明怎么办',
      en: 'look at the box and the campus (ports, disk, clock, certificates, database, audit, each device), and say what to do',
    },
    more: [
      {
        zh: '校园运行与否都可用；有“失败”时退出码为 1。',
        en: 'Works with the campus running or not; ends with 1 when something fails.',
      },
    ],
    options: {
      data: dataOption,
      site: {
        type: 'string',
        value: 'FILE',
        about: { zh: '站点文件（默认上次启动所用）', en: 'the site file; default: the one last started with' },
      },
      json: jsonOption,
    },
    run: async (given) => {
      given.none();
      const findings = await examine(given);
      if (given.has('json')) given.print(JSON.stringify(findings));
      else for (const finding of findings) printFinding(given, finding);
      const failed = findings.filter(({ state }) => state === 'fail').length;
      const warned = findings.filter(({ state }) => state === 'warn').length;
      if (!given.has('json')) {
        given.say({ zh: `失败 ${failed}，注意 ${warned}`, en: `${failed} failed, ${warned} to look at` });
      }
      return failed === 0 ? 0 : 1;
    },
  },
];

async function examine(given: Given): Promise<Finding[]> {
  const named = given.text('data');
  const data = named === undefined ? null : resolve(named);
  const note = data === null ? null : readRunNote(data);
  const siteFile = given.text('site') ?? note?.site;
  const { site, findings } = await readSite(siteFile, data);
  const placed = site === null || note === null ? site : movePorts(site, note);
  const groups = await Promise.all([
    guarded('machine', () => lookAtMachine(data, placed)),
    data === null ? [] : lookAtData(data, placed),
    placed === null ? [] : guarded('devices', () => lookAtDevices(placed)),
    placed === null ? [] : guarded('city', () => lookAtCity(placed)),
  ]);
  return [...findings, ...groups.flat()];
}

async function readSite(
  file: string | undefined,
  data: string | null,
): Promise<{ site: Site | null; findings: Finding[] }> {
  if (file === undefined) {
    const next = {
      zh: '用 --site 或 --data 指定',
      en: 'name it with --site, or with --data the folder of a campus that was started',
    };
    return { site: null, findings: [warn('site', { zh: '不知道站点文件', en: 'the site file is not known' }, next)] };
  }
  try {
    const own = await loadSite(resolve(file));
    const site = data === null ? own : mergeAdopted(own, readAdopted(data));
    return { site, findings: lookAtProfiles(site, await loadProfiles(profileFolder)) };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const found = { zh: error.message, en: error.message };
    return {
      site: null,
      findings: [fail('site', found, { zh: '按所列行修正站点文件', en: 'correct the lines it names' })],
    };
  }
}

async function lookAtMachine(data: string | null, site: Site | null): Promise<readonly Finding[]> {
  const retention = site?.retention;
  const limits =
    retention === undefined
      ? null
      : {
          floor: retention.freeSpaceFloor,
          wanted: Math.max(0, retention.database - databaseBytes(data)) + retention.snapshotBytes,
        };
  return [
    lookAtNode(),
    await lookAtClock(),
    ...(data === null ? [] : [lookAtDisk(data, limits)]),
    ...lookAtFlash(),
    await lookAtFfmpeg(),
  ];
}

function databaseBytes(data: string | null): number {
  return data === null ? 0 : (statSync(join(data, 'campus.db'), { throwIfNoEntry: false })?.size ?? 0);
}

async function lookAtData(data: string, site: Site | null): Promise<readonly Finding[]> {
  const folder = lookAtFolder(data);
  if (!existsSync(data)) return [...folder, ...(site === null ? [] : await lookAtPorts(site, false))];
  await using core = connectRpc(join(data, 'core.sock'));
  const isRunning = await isCoreThere(core);
  return [
    ...folder,
    lookAtCore(isRunning),
    ...(site === null ? [] : await guarded('ports', () => lookAtPorts(site, isRunning))),
    ...lookAtCertificates(data, site),
    lookAtDatabase(data),
    ...(await guarded('audit', async () => [await lookAtAudit(data)])),
  ];
}

const signs = { ok: '[ ok ]', warn: '[warn]', fail: '[FAIL]' } as const;

function printFinding(given: Given, { check, state, found, next }: Finding): void {
  const language = given.terminal.language;
  const [first = '', ...rest] = inLanguage(found, language);
  given.print(`${signs[state]} ${check.padEnd(12)} ${first}`);
  const margin = ''.padEnd(20);
  for (const line of rest) given.print(`${margin}${line}`);
  for (const line of next === null ? [] : inLanguage(next, language)) given.print(`${margin}-> ${line}`);
}
