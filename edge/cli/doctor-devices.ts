import { accessSync, constants } from 'node:fs';
import type { Site, SiteDevice } from '#edge/runtime/site.ts';
import { canConnect } from './doctor-campus.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/* Is every device there, as far as a connection can tell? Nothing is asked of it. */

const atOnce = 16;
const patience = 3_000;

interface Target {
  readonly host: string;
  readonly port: number;
}

/** Where a connection can be tried; a path of a serial port; null: nothing can be tried from here. */
export function targetOf({ address }: SiteDevice): Target | string | null {
  for (const key of ['tcp', 'rtuOverTcp'] as const) {
    const way = address[key];
    if (isRecord(way) && typeof way.host === 'string') {
      return { host: way.host, port: typeof way.port === 'number' ? way.port : 502 };
    }
  }
  const { serial, host, port } = address;
  if (isRecord(serial) && typeof serial.path === 'string') return serial.path;
  if (typeof host !== 'string') return null;
  return { host: host.replace(/^\[|\]$/g, ''), port: typeof port === 'number' ? port : 80 };
}

function isRecord(input: unknown): input is Record<string, unknown> {
  return typeof input === 'object' && input !== null;
}

/** One line for all that are there, one for each that is not. */
export async function lookAtDevices(site: Site): Promise<Finding[]> {
  const findings: Finding[] = [];
  const queue = [...site.devices];
  let reached = 0;
  let untried = 0;
  const work = async (): Promise<void> => {
    for (let device = queue.shift(); device !== undefined; device = queue.shift()) {
      const target = targetOf(device);
      if (target === null) untried++;
      else if (await isThere(target)) reached++;
      else findings.push(missing(device, target));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const zh = `${reached} 个设备可达；${untried} 个（MQTT、广播）不能这样试，看它们的读数`;
  const en = `${reached} devices can be reached; ${untried} (MQTT, loudspeakers) cannot be tried this way: see their readings`;
  return [ok('devices', zh, en), ...findings.sort((a, b) => a.found.en.localeCompare(b.found.en))];
}

async function isThere(target: Target | string): Promise<boolean> {
  if (typeof target !== 'string') return canConnect(target.host, target.port, patience);
  try {
    accessSync(target, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function missing({ id, name }: SiteDevice, target: Target | string): Finding {
  if (typeof target === 'string') {
    return fail(
      'devices',
      { zh: `${id} ${name.zh}：串口 ${target} 打不开`, en: `${id}: the serial port ${target} cannot be opened` },
      {
        zh: '检查转换器；把服务用户加入 dialout 组',
        en: 'check the adapter, and that the user is in the group dialout',
      },
    );
  }
  const where = `${target.host}:${target.port}`;
  return fail(
    'devices',
    { zh: `${id} ${name.zh}：${where} 连不上`, en: `${id}: no connection to ${where}` },
    {
      zh: '检查供电、网线和地址；campus device try 可读一次',
      en: 'check power, cable and address; campus device try reads it once',
    },
  );
}

export async function lookAtCity(site: Site): Promise<Finding[]> {
  const { city } = site;
  if (city === undefined) return [ok('city', '未设置市级平台', 'this campus reports to no city')];
  const where = `${city.host}:${city.port}`;
  if (await canConnect(city.host, city.port, patience))
    return [ok('city', `市级平台 ${where} 可达`, `the city at ${where} can be reached`)];
  return [
    warn(
      'city',
      { zh: `市级平台 ${where} 连不上`, en: `no connection to the city at ${where}` },
      {
        zh: '数据会保存在本地，恢复后补传；检查专线和防火墙',
        en: 'what is owed to it is kept and sent later; check the line and the firewall',
      },
    ),
  ];
}
