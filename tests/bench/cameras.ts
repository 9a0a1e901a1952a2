import { readFile } from 'node:fs/promises';
import { connectAsync } from 'mqtt';
import type { BenchLine, BenchOptions } from './bench-line.ts';
import { cpuTimeOf, Script, temporaryFolder, until } from './rig.ts';

/* A campus with many cameras: the camera process itself, with a broker and the cameras outside. */

const cameras = 64;
const second = 1_000;
/** As the supervisor starts it (processes/specs.ts). */
const flags = ['--max-old-space-size=192', '--max-semi-space-size=2'];

function siteOf(broker: number, ports: readonly number[], snapshotPort: number): object {
  return {
    site: 1,
    campus: { id: '3133012345', name: { zh: '学校', en: 'School' }, timeZone: 'Asia/Shanghai' },
    mqtt: { hosts: ['127.0.0.1'], port: broker },
    zones: [{ id: 'school', name: { zh: '学校', en: 'School' } }],
    devices: ports.map((port, i) => ({
      id: `camera-${i}`,
      name: { zh: `摄像机 ${i}`, en: `Camera ${i}` },
      zone: 'school',
      profile: 'camera/onvif-generic',
      address: { host: '127.0.0.1', port, snapshotPort, username: 'campus', password: 'bench-64' },
    })),
  };
}

/** MB that are resident. */
async function residentOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Rss:\s+(\d+) kB/m.exec(text)?.[1]) / 1024;
}

export async function run({ quick, say }: BenchOptions): Promise<BenchLine[]> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder('cameras'));
  const broker = stack.use(new Script('bare-aedes.ts'));
  const simulated = stack.use(new Script('cameras-simulated.ts'));
  const { port } = await broker.ask({});
  const { ports, picturePort } = await simulated.ask({ count: cameras });
  if (!Array.isArray(ports)) throw new Error('the cameras did not start');
  const listener = await connectAsync({ host: '127.0.0.1', port: Number(port), reconnectPeriod: 0 });
  stack.defer(() => listener.endAsync(true));
  const heard = new Set<string>();
  let events = 0;
  listener.on('message', (topic) => {
    heard.add(topic);
    events += 1;
  });
  await listener.subscribeAsync('v1/in/+/event');
  const process = stack.use(new Script('cameras-process.ts', [...flags]));
  await process.ask({ site: siteOf(Number(port), ports.map(Number), Number(picturePort)), data: folder.path });
  await simulated.ask({ every: second });
  say(`  ${cameras} cameras ...`);
  await until('every camera tells something', 90_000, () => heard.size === cameras, 100);
  // What a camera is asked once, after the log-in, is not what it costs in a day.
  await new Promise((resolve) => setTimeout(resolve, 10 * second));
  const before = { cpu: await cpuTimeOf(process.pid), at: performance.now(), events };
  const start = await simulated.ask({});
  if (before.cpu === null) return [];
  await new Promise((resolve) => setTimeout(resolve, second * (quick ? 15 : 60)));
  const elapsed = performance.now() - before.at;
  const share = (100 * ((await cpuTimeOf(process.pid)) ?? 0) - 100 * before.cpu) / elapsed;
  const end = await simulated.ask({});
  const said = Number(end.told) - Number(start.told);
  const taken = Number(end.pictures) - Number(start.pictures);
  const got = events - before.events;
  const rate = (1000 * got) / elapsed;
  const what = `${cameras} cameras, an event a second each`;
  const note = `the camera process with ${cameras} simulated cameras (digest and tokens, four makers' words), published over MQTT: ${rate.toFixed(0)} events/s of ${((1000 * said) / elapsed).toFixed(0)} told, ${((1000 * taken) / elapsed).toFixed(0)} pictures/s of 80 KB`;
  return [
    {
      bench: 'cameras',
      what: `CPU of camera, ${what}`,
      ours: { value: share, unit: '% of a core' },
      goal: { of: 'figure', atMost: 25 },
      note,
    },
    {
      bench: 'cameras',
      what: `memory of camera, ${what}`,
      ours: { value: await residentOf(process.pid), unit: 'MB' },
      goal: { of: 'figure', atMost: 200 },
      note: 'all that is resident, Node itself and pages that processes share included',
    },
    {
      bench: 'cameras',
      what: 'events that arrived of those told',
      ours: { value: (100 * got) / said, unit: '%' },
      goal: { of: 'figure', atLeast: 95 },
      note: 'what is on its way at the begin and at the end of the measurement is the rest',
    },
  ];
}
