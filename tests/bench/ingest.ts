import { join } from 'node:path';
import { type EdgeInit, newSecrets } from '#edge/processes/context.ts';
import { edgeProcesses } from '#edge/processes/specs.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { checkSite } from '#edge/runtime/site.ts';
import { startSupervisor } from '#edge/runtime/supervisor.ts';
import { openReader } from '#edge/store/reader.ts';
import { type BenchLine, type BenchOptions, median } from './bench-line.ts';
import { freePorts, Script, temporaryFolder, until } from './rig.ts';
import { findMosquitto, startStack } from './stack.ts';

/** Many devices that wait for each acknowledgement, as sensors do; and few bridges that send as fast as the edge lets one client (256). */
const shapes = {
  sensors: { connections: 300, window: 1 },
  bridges: { connections: 32, window: 64 },
} as const;
type Shape = keyof typeof shapes;
const password = 'only-for-this-run-of-the-bench';
const clients = Array.from({ length: shapes.sensors.connections }, (_, n) => `load-${n}`);
const both = (text: string) => ({ zh: text, en: text });

interface Core extends AsyncDisposable {
  readonly port: number;
  /** Readings of all clients that are in the database. */
  stored(): number;
}

/** The real core under the real supervisor, with one air monitor of our plain JSON for each connection. */
async function startCore(): Promise<Core> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder('ingest'));
  const [port = 0] = await freePorts(1);
  const site = checkSite(
    {
      site: 1,
      campus: { id: '2151009903', name: both('Bench school'), timeZone: 'Asia/Shanghai' },
      zones: [{ id: 'school', name: both('School') }],
      mqtt: { hosts: ['127.0.0.1'], port, websocketPort: null, tls: null },
      clients: clients.map((id) => ({ id, devices: [id] })),
      devices: clients.map((id) => ({
        id,
        name: both(id),
        profile: 'sensor/json-air',
        zone: 'school',
        address: { json: true },
      })),
    },
    folder.path,
  );
  const secrets = newSecrets();
  const tokens = { ...secrets.tokens, ...Object.fromEntries(clients.map((id) => [id, password])) };
  const data = join(folder.path, 'data');
  const init: EdgeInit = { site, data, ...secrets, tokens };
  const supervisor = stack.use(
    startSupervisor({
      specs: edgeProcesses(init).filter(({ name }) => name === 'core'),
      runFolder: join(folder.path, 'run'),
      clock: systemClock,
      log: silentLog,
      logLevel: 'silent',
    }),
  );
  await until('core is ready', 60_000, () => supervisor.status().every(({ state }) => state === 'ready'), 20);
  const reader = stack.use(openReader(data));
  const owned = stack.move();
  return {
    port,
    stored: () => clients.reduce((sum, id) => sum + countStored(reader, `${id}/co2`), 0),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function countStored(reader: ReturnType<typeof openReader>, ref: string): number {
  const most = 100_000;
  let count = 0;
  let from = 0;
  for (;;) {
    const page = reader.history(ref, from, Number.MAX_SAFE_INTEGER, 'raw', most);
    count += page?.samples.length ?? 0;
    const last = page?.samples.at(-1);
    if (page?.more !== true || last === undefined) return count;
    from = last.t + 1;
  }
}

interface Load {
  readonly perSecond: number;
  readonly acknowledged: number;
  readonly sent: number;
  readonly cores: number;
}

async function runLoad(load: Script, port: number, shape: Shape, more: object): Promise<Load> {
  const order = { port, password, ...shapes[shape], warmUp: 1_000, ms: 3_000, acknowledgedBy: 'puback', ...more };
  const answer = await load.ask(order, 120_000);
  const number = (key: string) => Number(answer[key]);
  return {
    perSecond: number('perSecond'),
    acknowledged: number('acknowledged'),
    sent: number('sent'),
    cores: number('cores'),
  };
}

interface Comparison {
  readonly ours: number;
  readonly bare: number;
  /** Median of the ratios of each pair of rounds. */
  readonly ratio: number;
  /** Of a core, that the load generator used against bare aedes: well below 1, or it was the load that was measured. */
  readonly loadCores: number;
}

interface Compared {
  readonly shapes: Readonly<Record<Shape, Comparison>>;
  readonly kept: string;
}

async function compareWithBare(load: Script, rounds: number, ms: number): Promise<Compared> {
  await using core = await startCore();
  await using aedes = new Script('bare-aedes.ts');
  const { port } = await aedes.ask({ what: 'start' });
  let acknowledged = 0;
  const compare = async (shape: Shape): Promise<Comparison> => {
    const pairs: { core: Load; bare: Load }[] = [];
    for (let round = 0; round < rounds; round++) {
      const ours = await runLoad(load, core.port, shape, { ms });
      pairs.push({ core: ours, bare: await runLoad(load, Number(port), shape, { ms }) });
      acknowledged += ours.acknowledged;
    }
    return {
      ours: median(pairs.map((pair) => pair.core.perSecond)),
      bare: median(pairs.map((pair) => pair.bare.perSecond)),
      ratio: median(pairs.map((pair) => pair.core.perSecond / pair.bare.perSecond)),
      loadCores: median(pairs.map((pair) => pair.bare.cores)),
    };
  };
  const compared = { sensors: await compare('sensors'), bridges: await compare('bridges') };
  const stored = core.stored();
  if (stored < acknowledged)
    throw new Error(`${acknowledged} readings were acknowledged and only ${stored} are stored`);
  return { shapes: compared, kept: `${acknowledged} acknowledged, ${stored} found in the database afterwards` };
}

/** The same load through Mosquitto, Node-RED and SQLite, the sender told after each commit. */
async function measureTold(load: Script, rounds: number, ms: number): Promise<Record<Shape, number>> {
  await using stack = await startStack('same', true);
  const measure = async (shape: Shape) => {
    const runs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const { perSecond } = await runLoad(load, stack.port, shape, { ms, acknowledgedBy: 'done' });
      runs.push(perSecond);
    }
    return median(runs);
  };
  return { sensors: await measure('sensors'), bridges: await measure('bridges') };
}

/** The sender gets no word: rows a second from the first publish until the last of `messages` is in the table. */
async function measureUntold(load: Script, durability: 'same' | 'default', messages: number): Promise<number> {
  await using stack = await startStack(durability, false);
  const send = async (count: number) => {
    const before = stack.rows();
    const began = performance.now();
    const { sent } = await runLoad(load, stack.port, 'bridges', { warmUp: 0, ms: 60_000, messages: count });
    await until('every row is in the table', 120_000, () => stack.rows() - before >= sent);
    return (1000 * sent) / (performance.now() - began);
  };
  // Warm: the first messages compile what the others run.
  await send(messages / 10);
  return await send(messages);
}

const shapeWords: Readonly<Record<Shape, string>> = {
  sensors: '300 sensors, each waits for its PUBACK',
  bridges: '32 bridges, 64 in flight each',
};
const stackName = 'Mosquitto + Node-RED + SQLite';
const flowWords =
  'Mosquitto (unlimited queues, TCP_NODELAY) -> Node-RED mqtt in (QoS 1) -> function -> one INSERT and commit a message through better-sqlite3';

function against(
  what: string,
  ours: number,
  other: { value: number; name: string },
  note?: string,
  atLeast?: number,
): BenchLine {
  return {
    bench: 'ingest',
    what: `readings committed, ${what}`,
    ours: { value: ours, unit: '/s' },
    other: { ...other, unit: '/s' },
    ...(atLeast === undefined ? {} : { goal: { of: 'ratio', atLeast } }),
    ...(note === undefined ? {} : { note }),
  };
}

export async function run({ quick, say }: BenchOptions): Promise<BenchLine[]> {
  const rounds = quick ? 1 : 3;
  const ms = quick ? 2_500 : 3_000;
  await using load = new Script('mqtt-load.ts');
  const { shapes: compared, kept } = await compareWithBare(load, rounds, ms);
  const both: readonly Shape[] = ['sensors', 'bridges'];
  const loadWords = `the real core (store, rules, retained republication) in a process of its own, one reading a message, QoS 1; bare aedes with TCP_NODELAY, no subscriber; median of ${rounds} paired rounds of ${ms / 1000} s`;
  const lines = both.map((shape) => {
    const { ours, ratio, loadCores } = compared[shape];
    const note = `${loadWords}; the load generator used ${loadCores.toFixed(2)} of a core against bare aedes; ${kept}`;
    return against(shapeWords[shape], ours, { value: ours / ratio, name: 'bare aedes' }, note, 0.5);
  });
  if (findMosquitto() === null) {
    say('  SKIPPED: no mosquitto on this machine (Debian: apt-get install mosquitto)');
    const note = 'SKIPPED: no mosquitto on this machine (Debian: apt-get install mosquitto)';
    return [...lines, { bench: 'ingest', what: `readings committed, against ${stackName}`, ours: null, note }];
  }
  say(`  ${stackName} ...`);
  const told = await measureTold(load, quick ? 1 : 2, ms);
  for (const shape of both) {
    const note = `${flowWords} (WAL, synchronous=NORMAL: as durable as ours) -> mqtt out, by which the sender learns of the commit, because Mosquitto's own PUBACK comes before it; the same load`;
    lines.push(against(shapeWords[shape], compared[shape].ours, { value: told[shape], name: stackName }, note, 5));
  }
  if (quick) return lines;
  const { ours } = compared.bridges;
  const untold = await measureUntold(load, 'same', 40_000);
  const untoldNote =
    'without mqtt out: rows a second from the first publish until the last row is in the table; what Node-RED has in flight is lost if it dies, and the sender never knows';
  lines.push(against('their sender not told', ours, { value: untold, name: stackName }, untoldNote));
  const byDefault = await measureUntold(load, 'default', 2_000);
  const defaultNote = 'sender not told either, SQLite with its defaults (rollback journal, synchronous=FULL)';
  lines.push(against('their SQLite as it comes', ours, { value: byDefault, name: stackName }, defaultNote));
  return lines;
}
