import { loadProfiles } from '#edge/profiles/load.ts';
import { type Command, type Given, inLanguage, jsonOption, usage } from './command.ts';
import { profileFolder } from './profile.ts';
import { parsePlace } from './profile-try-address.ts';
import type { ScanFound } from './scan.ts';
import { printable, printableJson } from './scan-text.ts';

/* `campus scan`: who is on a line. */

export const scanCommands: readonly Command[] = [
  {
    name: 'scan',
    usage: 'ADDRESS [--units 1-247] [--timeout MS] [--bare] [--json]',
    about: {
      zh: '查找线路上的设备：Modbus 从站、DL/T 645 和 CJ/T 188 表，以及适合的设备档案；只读不写',
      en: 'find who is on a line: Modbus units, DL/T 645 and CJ/T 188 meters, and the profiles that fit; it only asks',
    },
    more: [
      {
        zh: 'ADDRESS 如 tcp://10.0.3.7:502、rtu+tcp://10.0.3.7:4001、serial:///dev/ttyUSB0?baud=9600、dlt645+tcp://10.0.3.7:4001。串口未写波特率时，Modbus 用 9600 8N1，表计用 2400 8E1。',
        en: 'ADDRESS is such as tcp://10.0.3.7:502, rtu+tcp://10.0.3.7:4001, serial:///dev/ttyUSB0?baud=9600 or dlt645+tcp://10.0.3.7:4001. On a serial port without a speed Modbus is asked at 9600 8N1, meters at 2400 8E1.',
      },
      {
        zh: '线路须空闲：与正在运行的校园同时占用一条总线会互相干扰。Ctrl-C 结束并保留已找到的。',
        en: 'The line must be free: a campus that polls it at the same time is disturbed. Ctrl-C ends it with what was found.',
      },
    ],
    options: {
      units: { type: 'string', value: '1-247', about: { zh: 'Modbus 从站地址范围', en: 'the Modbus units to ask' } },
      timeout: { type: 'string', value: 'MS', about: { zh: '每次等待多少毫秒', en: 'how long to wait for each, ms' } },
      bare: { type: 'boolean', about: { zh: '不识别型号', en: 'do not ask them what they are' } },
      json: jsonOption,
    },
    run: runScan,
  },
];

/** Throws USAGE. */
function unitsIn(text: string): number[] {
  const [, from, to] = /^(\d{1,3})(?:-(\d{1,3}))?$/.exec(text) ?? [];
  const [first, last] = [Number(from ?? 0), Number(to ?? from ?? 0)];
  if (first < 1 || last > 247 || last < first) throw usage(`--units "${text}" is not such as 1-32, within 1-247`);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

async function runScan(given: Given): Promise<number> {
  const place = parsePlace(given.one('ADDRESS'));
  // Not passed over: whoever writes 10.0.0.0/8 does not mean one host and all its units.
  if (place.unit !== '') {
    throw usage(`"/${place.unit}": a scan asks one host or port for everybody; which Modbus units, --units says`);
  }
  const units = unitsIn(given.text('units') ?? '1-247');
  const timeout = given.text('timeout') === undefined ? null : Number(given.text('timeout'));
  if (timeout !== null && !(timeout >= 20 && timeout <= 10_000)) throw usage('--timeout must be 20 to 10000');
  const { profiles } = await loadProfiles(profileFolder);
  // The drivers and their libraries only for whoever scans: every command starts sooner.
  const { scan } = await import('./scan.ts');
  const ending = new AbortController();
  const interrupt = () => ending.abort();
  process.once('SIGINT', interrupt);
  const all: ScanFound[] = [];
  const identify = given.has('bare') ? 'nothing more' : 'what they are';
  const found = (one: ScanFound) => {
    all.push(one);
    if (!given.has('json')) print(given, one);
  };
  const count = await scan({
    place,
    units,
    timeout,
    profiles,
    identify,
    signal: ending.signal,
    found,
    progress: reporter(given),
  });
  process.off('SIGINT', interrupt);
  const isWhole = !ending.signal.aborted;
  if (given.has('json')) given.print(printableJson({ isWhole, found: all }));
  else if (isWhole) given.say({ zh: `找到 ${count} 个`, en: `${count} found` });
  else given.say({ zh: `提前结束：已找到 ${count} 个`, en: `ended early: ${count} found so far` });
  return count > 0 && isWhole ? 0 : 1;
}

const every = 32;

/** On standard error, so that what is printed is what was found. */
function reporter(given: Given): (what: string, done: number, of: number) => void {
  return (what, done, of) => {
    if (done % every !== 0) return;
    const words =
      of > 0
        ? { zh: `${what}：已问 ${done} / ${of}`, en: `${what}: asked ${done} of ${of}` }
        : { zh: `${what}：已问 ${done} 次`, en: `${what}: asked ${done} times` };
    for (const line of inLanguage(words, given.terminal.language)) given.terminal.err(line);
  };
}

const byWords = {
  plate: { zh: '铭牌相符', en: 'its name plate says so' },
  sunspec: { zh: 'SunSpec', en: 'SunSpec' },
  kind: { zh: '同类仪表', en: 'a meter of that kind' },
  values: { zh: '各量相符', en: 'its values fit together' },
} as const;

function print(given: Given, one: ScanFound): void {
  const { protocol, unit, meter, state, isAnybody, fits, sunspec, address } = one;
  const who = unit === undefined ? (meter ?? '') : `unit ${unit}`;
  if (state === 'collision') {
    given.say({
      zh: `${protocol} ${who}：有字节但没有有效帧，可能有两个以上设备使用同一地址`,
      en: `${protocol} ${who}: bytes, but no valid frame: two or more devices answer at once`,
    });
    return;
  }
  const anybody = isAnybody === true ? { zh: '（应答任何地址）', en: ' (it answers to any unit)' } : { zh: '', en: '' };
  given.say({ zh: `${protocol} ${who}${anybody.zh}  ${address}`, en: `${protocol} ${who}${anybody.en}  ${address}` });
  if (sunspec !== null) {
    const { manufacturer, model, serial, models } = sunspec;
    given.print(printable(`    SunSpec: ${manufacturer} ${model} ${serial} (models ${models.join(', ')})`));
  }
  for (const { path, by } of fits)
    given.say({ zh: `    ${path}（${byWords[by].zh}）`, en: `    ${path} (${byWords[by].en})` });
}
