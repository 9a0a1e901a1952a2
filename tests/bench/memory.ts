import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { setClientPassword } from '#edge/bus/access.ts';
import { samplesTopic } from '#edge/bus/topics.ts';
import { newSecrets, paths, profileFolder } from '#edge/processes/context.ts';
import { edgeProcesses } from '#edge/processes/specs.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { checkSite } from '#edge/runtime/site.ts';
import { startCamera } from '#edge/simulators/camera.ts';
import { startModbusCampus } from '#edge/simulators/modbus.ts';
import { sensorClients, startSensors } from '#edge/simulators/sensors.ts';
import { startSpeaker } from '#edge/simulators/speaker.ts';
import type { BenchLine, BenchOptions } from './bench-line.ts';
import { endProcess, freePorts, temporaryFolder, until } from './rig.ts';

/*
 * The demo campus as `edge/main.ts` runs it, with simulators and a city outside: what a box in a school needs for the edge.
 * Read from /proc. VmRSS counts the pages that processes share (Node's own code) in each of them; the total counts them once.
 */

const host = '127.0.0.1';
const root = join(import.meta.dirname, '../..');
const megabyte = 1024 * 1024;

interface Usage {
  readonly name: string;
  readonly rss: number;
  /** Of it, pages that no other process has. */
  readonly own: number;
}

/** The demo's devices, each where its simulator listens now. */
async function startDevices(stack: AsyncDisposableStack): Promise<Record<string, object>> {
  const clock = systemClock;
  const { profiles } = await loadProfiles(profileFolder);
  const meters = stack.use(await startModbusCampus({ clock, host, tcpPort: 0, rtuPort: 0, profiles }));
  const login = { gate: 'demo-camera-gate-5', playground: 'demo-camera-playground-7' };
  const camera = async (password: string, auth: 'digest' | 'wsse', topicDialect: 'reolink' | 'tapo') => {
    const [port = 0] = await freePorts(1);
    const about = { username: 'campus', password, auth, topicDialect, model: 'BENCH', name: 'BENCH' };
    stack.use(await startCamera({ host, port, clock, ...about }));
    return { host, port, username: 'campus', password };
  };
  const speaker = async (name: string) => {
    const { port } = stack.use(await startSpeaker({ host, port: 0, name, clock }));
    return { rtp: { host, port }, codec: 'PCMA' };
  };
  const tcp = { host, port: meters.tcpPort };
  return {
    'meter-main': { tcp, unit: 1 },
    'meter-canteen': { tcp, unit: 2 },
    'meter-dorm': { rtuOverTcp: { host, port: meters.rtuPort }, unit: 1 },
    'relay-1': { tcp, unit: 10 },
    'camera-gate': await camera(login.gate, 'digest', 'reolink'),
    'camera-playground': await camera(login.playground, 'wsse', 'tapo'),
    'speaker-teaching': await speaker('speaker-teaching'),
    'speaker-playground': await speaker('speaker-playground'),
    'speaker-gate': await speaker('speaker-gate'),
  };
}

interface DemoFile {
  campus: { id: string; name: object };
  mqtt: object;
  http: object;
  flows: object;
  https: object;
  city: object;
  clips: Record<string, { file: string }>;
  devices: { id: string; address: object }[];
}

/** The demo's site file with free ports and the simulators' addresses. */
async function siteFile(stack: AsyncDisposableStack): Promise<DemoFile> {
  const folder = join(root, 'edge/simulators');
  const demo: DemoFile = parseYaml(await readFile(join(folder, 'demo-site.yaml'), 'utf8'));
  const addresses = await startDevices(stack);
  const [mqtt = 0, websocket = 0, http = 0, flows = 0, city = 0, mqtts = 0, https = 0] = await freePorts(7);
  return {
    ...demo,
    mqtt: { hosts: [host], port: mqtt, websocketPort: websocket, tls: { port: mqtts } },
    http: { host, port: http },
    https: { hosts: [host], port: https },
    flows: { port: flows, folder: join(root, 'flows') },
    city: { host, port: city, shard: 55 },
    clips: Object.fromEntries(
      Object.entries(demo.clips).map(([name, c]) => [name, { ...c, file: join(folder, c.file) }]),
    ),
    devices: demo.devices.map((device) => ({ ...device, address: addresses[device.id] ?? device.address })),
  };
}

function startNode(stack: AsyncDisposableStack, module: string, args: readonly string[]): number {
  const execArgv = ['--disable-warning=ExperimentalWarning'];
  const child = fork(join(root, module), [...args], { execArgv, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  stack.defer(() => endProcess(child, 'SIGTERM'));
  return child.pid ?? 0;
}

async function usageOf(name: string, pid: number): Promise<Usage> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kilobytes = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]);
  return { name, rss: kilobytes('Rss') * 1024, own: (kilobytes('Private_Clean') + kilobytes('Private_Dirty')) * 1024 };
}

export async function run({ quick, say }: BenchOptions): Promise<BenchLine[]> {
  if (!existsSync('/proc/self/smaps_rollup')) {
    return [{ bench: 'memory', what: 'resident memory', ours: null, note: 'SKIPPED: this system has no /proc' }];
  }
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder('memory'));
  const data = join(folder.path, 'data');
  await mkdir(data);
  const file = await siteFile(stack);
  const siteName = join(folder.path, 'site.json');
  await writeFile(siteName, JSON.stringify(file));
  const site = checkSite(file, folder.path);
  const password = 'only-for-this-run-of-the-bench';
  await startCity(stack, folder.path, site, password);
  await writeFile(paths.cityPassword(data), password, { mode: 0o600 });
  for (const id of sensorClients) await setClientPassword(data, id, password);
  const supervisor = startNode(stack, 'edge/main.ts', ['--site', siteName, '--data', data, '--log-level', 'error']);
  const specs = edgeProcesses({ site, data, ...newSecrets() });
  const pidFile = (name: string) => join(data, 'run', `${name}.pid`);
  await until('every process runs', 60_000, () => specs.every(({ name }) => existsSync(pidFile(name))), 50);
  const passwords = new Map(sensorClients.map((id) => [id, password]));
  const sensors = stack.use(await startSensors({ host, port: site.mqtt.port, passwords, samplesTopic }));
  await until('every sensor is connected', 60_000, () => sensors.connected().length === sensorClients.length, 50);
  const seconds = quick ? 10 : 20;
  say(`  the campus runs for ${seconds} s ...`);
  await new Promise((resolve) => setTimeout(resolve, 1_000 * seconds));
  const usages = [await usageOf('supervisor', supervisor)];
  for (const { name } of specs) usages.push(await usageOf(name, Number(await readFile(pidFile(name), 'utf8'))));
  return linesOf(usages, new Map(specs.map(({ name, heapMb }) => [name, heapMb])), seconds);
}

async function startCity(
  stack: AsyncDisposableStack,
  folder: string,
  { campus, city }: ReturnType<typeof checkSite>,
  password: string,
): Promise<void> {
  const data = join(folder, 'city');
  await mkdir(data);
  await writeFile(join(data, 'campuses.json'), JSON.stringify([{ id: campus.id, name: campus.name, password }]));
  const [http = 0] = await freePorts(1);
  const args = ['--data', data, '--mqtt-port', String(city?.port ?? 0), '--http-port', String(http)];
  startNode(stack, 'cloud-bridge/city/main.ts', args);
}

function linesOf(usages: readonly Usage[], caps: ReadonlyMap<string, number>, seconds: number): BenchLine[] {
  const summed = usages.reduce((total, { rss }) => total + rss, 0) / megabyte;
  const shared = Math.max(...usages.map(({ rss, own }) => rss - own));
  const taken = (usages.reduce((total, { own }) => total + own, 0) + shared) / megabyte;
  const each = usages.map(({ name, rss }): BenchLine => {
    const cap = caps.get(name);
    const other = cap === undefined ? {} : { other: { value: cap, unit: 'MB', name: 'its heap cap' } };
    return { bench: 'memory', what: `resident, ${name}`, ours: { value: rss / megabyte, unit: 'MB' }, ...other };
  });
  return [
    ...each,
    {
      bench: 'memory',
      what: 'resident, the whole edge',
      ours: { value: taken, unit: 'MB' },
      goal: { of: 'figure', atMost: 1_000 },
      note: `the demo's site under edge/main.ts, ${seconds} s after every sensor had connected, simulators and city not counted; private pages of all processes and the shared ones once (the sum of VmRSS, which counts shared pages in each, is ${summed.toFixed(0)} MB); a heap cap bounds V8's heap, not buffers and code`,
    },
  ];
}
