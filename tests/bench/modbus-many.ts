import { readFile } from 'node:fs/promises';
import { connectAsync } from 'mqtt';
import type { BenchLine, BenchOptions } from './bench-line.ts';
import { cpuTimeOf, Script, temporaryFolder, until } from './rig.ts';

/* A large campus: the fieldbus process itself, with a broker and the devices outside. */

/** The one product on our shelf with just so many values that are polled, in three blocks. */
const product = 'inverter/huawei-sun2000';
const values = 20;

const gateways = 50;
const devices = 400;
const seconds = 10;
/** As the supervisor starts it (processes/specs.ts). */
const flags = ['--max-old-space-size=192', '--max-semi-space-size=2'];

function siteOf(broker: number, ports: readonly number[]): object {
  const poll = `${seconds}s`;
  return {
    site: 1,
    campus: { id: '3133012345', name: { zh: '学校', en: 'School' }, timeZone: 'Asia/Shanghai' },
    mqtt: { hosts: ['127.0.0.1'], port: broker },
    poll: { fast: poll, normal: poll, slow: poll },
    zones: [{ id: 'school', name: { zh: '学校', en: 'School' } }],
    devices: Array.from({ length: devices }, (_, i) => ({
      id: `device-${i}`,
      name: { zh: `设备 ${i}`, en: `Device ${i}` },
      zone: 'school',
      profile: product,
      address: { tcp: { host: '127.0.0.1', port: ports[i % gateways] }, unit: 1 + Math.floor(i / gateways) },
    })),
  };
}

/** MB: all that is resident, and of it what no other process has. */
async function memoryOf(pid: number): Promise<{ rss: number; own: number }> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const size = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024;
  return { rss: size('Rss'), own: size('Private_Clean') + size('Private_Dirty') };
}

/** The first start of all compiles everything, and what it needs for that it keeps until it ends: any later one finds it done. */
async function compileOnce(site: object, data: string): Promise<void> {
  await using fieldbus = new Script('modbus-fieldbus.ts', [...flags]);
  await fieldbus.ask({ site, data });
}

export async function runMany({ quick, say }: BenchOptions): Promise<BenchLine[]> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder('many'));
  const broker = stack.use(new Script('bare-aedes.ts'));
  const meters = stack.use(new Script('modbus-units.ts'));
  const { port } = await broker.ask({});
  const { ports } = await meters.ask({ count: gateways, think: 20, units: devices / gateways, product });
  if (!Array.isArray(ports)) throw new Error('the devices did not start');
  const listener = await connectAsync({ host: '127.0.0.1', port: Number(port), reconnectPeriod: 0 });
  stack.defer(() => listener.endAsync(true));
  const heard = new Map<string, number>();
  let samples = 0;
  listener.on('message', (topic, payload) => {
    const { s } = JSON.parse(payload.toString()) as { s: unknown[] };
    samples += s.length;
    heard.set(topic, s.length);
  });
  await listener.subscribeAsync('v1/in/+/samples');
  const site = siteOf(Number(port), ports.map(Number));
  say(`  ${devices} devices ...`);
  await compileOnce(site, folder.path);
  heard.clear();
  const fieldbus = stack.use(new Script('modbus-fieldbus.ts', [...flags]));
  await fieldbus.ask({ site, data: folder.path });
  await until('every device says something', 60_000, () => heard.size === devices, 100);
  await new Promise((resolve) => setTimeout(resolve, 1_000 * seconds));
  const before = { cpu: await cpuTimeOf(fieldbus.pid), at: performance.now(), samples };
  if (before.cpu === null) return [];
  await new Promise((resolve) => setTimeout(resolve, 1_000 * seconds * (quick ? 1 : 3)));
  const elapsed = performance.now() - before.at;
  const share = (100 * ((await cpuTimeOf(fieldbus.pid)) ?? 0) - 100 * before.cpu) / elapsed;
  const rate = (1000 * (samples - before.samples)) / elapsed;
  const { rss, own } = await memoryOf(fieldbus.pid);
  const what = `${devices} devices x ${values} values each ${seconds} s`;
  return [
    {
      bench: 'modbus',
      what: `CPU of fieldbus, ${what}`,
      ours: { value: share, unit: '% of a core' },
      goal: { of: 'figure', atMost: 25 },
      note: `the fieldbus process with ${devices} of ${product} on ${gateways} gateways of 20 ms, each device polled every ${seconds} s in three blocks, published over MQTT: ${rate.toFixed(0)} samples/s`,
    },
    {
      bench: 'modbus',
      what: `memory of fieldbus, ${what}`,
      ours: { value: own, unit: 'MB' },
      goal: { of: 'figure', atMost: 120 },
      note: 'pages that no other process has: what this process adds to what a box needs',
    },
    {
      bench: 'modbus',
      what: `resident with Node's own pages, ${what}`,
      ours: { value: rss, unit: 'MB' },
      note: `as ps shows it: some 50 MB of it are the program file of Node, which all our processes share; the first start of all, which compiles everything, keeps some 25 MB more`,
    },
  ];
}
