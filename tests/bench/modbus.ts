import { join } from 'node:path';
import modbusSerial from 'modbus-serial';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import type { Session } from '#edge/drivers/driver.ts';
import { createModbusDriver } from '#edge/drivers/modbus/driver.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { type BenchLine, type BenchOptions, type Goal, median } from './bench-line.ts';
import { runLines } from './modbus-lines.ts';
import { runMany } from './modbus-many.ts';
import { type Measured, modbusPeers, type Peer, PeerClient } from './peers/modbus-peers.ts';
import { Script, temporaryFolder } from './rig.ts';

/** All values of the meter that change lie in this block: one request a poll. */
const block = { at: 0, length: 76 } as const;
const unit = 1;

type ReadBlock = () => Promise<unknown>;

interface Side extends AsyncDisposable {
  readonly readers: readonly ReadBlock[];
}

async function openOurs(ports: readonly number[]): Promise<Side & { readonly values: number }> {
  await using stack = new AsyncDisposableStack();
  const { profiles } = await loadProfiles(join(import.meta.dirname, '../../device-profiles'));
  const profile = profiles.get('meter/eastron-sdm630');
  if (profile === undefined) throw new Error('the profile meter/eastron-sdm630 is gone');
  const driver = stack.use(createModbusDriver({ clock: systemClock, profiles }));
  const points = pointsOf(profile, { fast: 1_000, normal: 1_000, slow: 1_000 }).filter(({ poll }) => poll !== 'once');
  const { signal } = new AbortController();
  const sink = { sample: () => {}, event: () => {}, health: () => {}, count: () => {} };
  const sessions = await Promise.all(
    ports.map(async (port, i): Promise<Session> => {
      const device: Device = {
        id: `meter-${i}` as DeviceId,
        name: { zh: '电表', en: 'Meter' },
        profile: 'meter/eastron-sdm630',
        protocol: 'modbus',
        zone: 'school' as ZoneId,
        points,
        address: { tcp: { host: '127.0.0.1', port }, unit },
      };
      return stack.use(await driver.open(device, driver.config.parse(device.address), sink, signal));
    }),
  );
  const readers = sessions.map((session) => async () => {
    const samples = await session.read(points, signal);
    const wrong = samples.find(({ quality }) => quality !== 'good');
    if (wrong !== undefined) throw new Error(`our driver read ${wrong.point} as ${wrong.quality}`);
  });
  const owned = stack.move();
  return { readers, values: points.length, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function openBare(ports: readonly number[]): Promise<Side> {
  const clients = await Promise.all(
    ports.map(async (port) => {
      const client = new modbusSerial.default();
      await client.connectTCP('127.0.0.1', { port });
      client.setID(unit);
      client.setTimeout(1_000);
      return client;
    }),
  );
  return {
    readers: clients.map((client) => () => client.readInputRegisters(block.at, block.length)),
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => new Promise<void>((resolve) => client.close(() => resolve()))));
    },
  };
}

/** Every reader asks again as soon as it is answered, for `ms`. */
async function measure({ readers }: Side, ms: number): Promise<Measured> {
  const began = performance.now();
  const used = process.cpuUsage();
  let blocks = 0;
  await Promise.all(
    readers.map(async (read) => {
      while (performance.now() - began < ms) {
        await read();
        blocks++;
      }
    }),
  );
  const { user, system } = process.cpuUsage(used);
  return { rate: (1000 * blocks) / (performance.now() - began), cpu: (user + system) / blocks };
}

interface Setting {
  readonly ports: readonly number[];
  readonly what: string;
  readonly note: string;
  readonly rounds: number;
  readonly ms: number;
  readonly peers: readonly Peer[];
}

/** Somebody who reads the same blocks. */
interface Reader {
  readonly name: string;
  readonly how: string;
  readonly measure: (ms: number) => Promise<Measured>;
}

type Goals = Readonly<Record<'rate' | 'cpu', Goal | undefined>>;

/** Of bare modbus-serial only: it runs in the same runtime, so that a ratio says something about our code. */
const bareGoals: Goals = { rate: { of: 'ratio', atLeast: 0.9 }, cpu: { of: 'ratio', atMost: 1.3 } };

/** For each rival one line for the blocks a second, one for what a block costs. */
async function compare({ ports, what, note, rounds, ms, peers }: Setting): Promise<BenchLine[]> {
  await using stack = new AsyncDisposableStack();
  const ours = stack.use(await openOurs(ports));
  const bare = stack.use(await openBare(ports));
  const own: Reader = { name: 'ours', how: '', measure: (time) => measure(ours, time) };
  const how = 'bare modbus-serial in the same process, which gives the registers';
  const rivals: Reader[] = [{ name: 'bare modbus-serial', how, measure: (time) => measure(bare, time) }];
  for (const peer of peers) {
    if ('missing' in peer.command) continue;
    const client = stack.use(await PeerClient.start(peer.command, block, ports));
    rivals.push({ name: peer.name, how: `${peer.how}, gives the registers`, measure: (time) => client.measure(time) });
  }
  const taken = await takeTurns([own, ...rivals], rounds, ms);
  const detail = `${note}; ${block.length} registers a block, each unit on a connection of its own with one request in flight; ours plans the read, checks the answer and decodes it into ${ours.values} samples with quality; all values but the energy change with every answer; median of ${rounds} paired rounds of ${ms / 1000} s`;
  return [
    ...rivals.flatMap((rival) => linesOf(rival, taken, what, detail)),
    ...peers.flatMap(({ name, command }): BenchLine[] =>
      'missing' in command
        ? [{ bench: 'modbus', what: `blocks read, ${what}, against ${name}`, ours: null, note: command.missing }]
        : [],
    ),
  ];
}

type Round = ReadonlyMap<string, Measured>;

/** One after the other, another one first in each round, so that none has the quiet moments for itself. */
async function takeTurns(readers: readonly Reader[], rounds: number, ms: number): Promise<Round[]> {
  for (const reader of readers) await reader.measure(ms);
  const taken: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    const first = round % readers.length;
    const measured = new Map<string, Measured>();
    for (const reader of [...readers.slice(first), ...readers.slice(0, first)]) {
      measured.set(reader.name, await reader.measure(ms));
    }
    taken.push(measured);
  }
  return taken;
}

function linesOf({ name, how }: Reader, rounds: readonly Round[], what: string, detail: string): BenchLine[] {
  const goals = name === 'bare modbus-serial' ? bareGoals : { rate: undefined, cpu: undefined };
  const line = (key: 'rate' | 'cpu', label: string, unit: string, note: string): BenchLine => {
    const of = (round: Round, reader: string) => round.get(reader)?.[key] ?? Number.NaN;
    const value = median(rounds.map((round) => of(round, 'ours')));
    const other = value / median(rounds.map((round) => of(round, 'ours') / of(round, name)));
    const goal = goals[key];
    return {
      bench: 'modbus',
      what: `${label}, ${what}`,
      ours: { value, unit },
      other: { value: other, unit, name },
      ...(goal === undefined ? {} : { goal }),
      note,
    };
  };
  return [
    line('rate', 'blocks read', '/s', `against ${how}; ${detail}`),
    line('cpu', 'CPU a block', 'us', `against ${name}: user and system time of the process, in the same rounds`),
  ];
}

async function startMeters(meters: Script, order: object): Promise<number[]> {
  const { ports } = await meters.ask(order);
  if (!Array.isArray(ports)) throw new Error('the meters did not start');
  return ports.map(Number);
}

export async function run(options: BenchOptions): Promise<BenchLine[]> {
  const { quick, say } = options;
  await using folder = await temporaryFolder('modbus-peers');
  const peers = modbusPeers(folder.path);
  for (const { name, command } of peers) if ('missing' in command) say(`  SKIPPED ${name}: ${command.missing}`);
  const timing = { rounds: quick ? 4 : 8, ms: quick ? 500 : 1_000, peers };
  await using meters = new Script('modbus-units.ts');
  const near = await startMeters(meters, { count: 8, think: 0 });
  const far = await startMeters(meters, { count: 50, think: 20 });
  const note = 'Modbus TCP to simulated meters in a process of their own';
  return [
    ...(await compare({ ports: near.slice(0, 1), what: '1 unit in sequence', note, ...timing })),
    ...(await compare({ ports: near, what: '8 units at once', note, ...timing })),
    ...(await compare({ ports: far, what: '50 gateways', note: `${note}, which take 20 ms for an answer`, ...timing })),
    ...(await runLines(options)),
    ...(await runMany(options)),
  ];
}
