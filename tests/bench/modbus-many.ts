import { readFile } from 'node:fs/promises';
import { connectAsync } from 'mqtt';
import type { BenchLine, BenchOptions } from './bench-line.ts';
import { cpuTimeOf, Script, temporaryFolder, until } from './rig.ts';

/* A large campus: the fieldbus process itself, with a broker and the meters outside. */

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
      id: `meter-${i}`,
      name: { zh: `电表 ${i}`, en: `Meter ${i}` },
      zone: 'school',
      profile: 'meter/eastron-sdm630',
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

export async function runMany({ quick, say }: BenchOptions): Promise<BenchLine[]> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder('many'));
  const broker = stack.use(new Script('bare-aedes.ts'));
  const meters = stack.use(new Script('modbus-units.ts'));
  const { port } = await broker.ask({});
  const { ports } = await meters.ask({ count: gateways, think: 20, units: devices / gateways });
  if (!Array.isArray(ports)) throw new Error('the meters did not start');
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
  const fieldbus = stack.use(new Script('modbus-fieldbus.ts', [...flags]));
  await fieldbus.ask({ site: siteOf(Number(port), ports.map(Number)), data: folder.path });
  say(`  ${devices} devices ...`);
  await until('every device says something', 60_000, () => heard.size === devices, 100);
  await new Promise((resolve) => setTimeout(resolve, 1_000 * seconds));
  const before = { cpu: await cpuTimeOf(fieldbus.pid), at: performance.now(), samples };
  if (before.cpu === null) return [];
  await new Promise((resolve) => setTimeout(resolve, 1_000 * seconds * (quick ? 1 : 3)));
  const elapsed = performance.now() - before.at;
  const share = (100 * ((await cpuTimeOf(fieldbus.pid)) ?? 0) - 100 * before.cpu) / elapsed;
  const rate = (1000 * (samples - before.samples)) / elapsed;
  const { rss, own } = await memoryOf(fieldbus.pid);
  const what = `${devices} devices each ${seconds} s`;
  const note = `the fieldbus process with ${devices} SDM630 (17 values) on ${gateways} gateways of 20 ms, each polled every ${seconds} s, published over MQTT: ${rate.toFixed(0)} samples/s`;
  return [
    {
      bench: 'modbus',
      what: `CPU of fieldbus, ${what}`,
      ours: { value: share, unit: '% of a core' },
      goal: { of: 'figure', atMost: 25 },
      note,
    },
    {
      bench: 'modbus',
      what: `memory of fieldbus, ${what}`,
      ours: { value: own, unit: 'MB' },
      goal: { of: 'figure', atMost: 120 },
      note: `pages that no other process has; with those that all our processes share (Node itself) ${rss.toFixed(0)} MB are resident`,
    },
  ];
}
