import { join } from 'node:path';
import modbusSerial from 'modbus-serial';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import type { Session } from '#edge/drivers/driver.ts';
import { createModbusDriver } from '#edge/drivers/modbus/driver.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { type BenchLine, type BenchOptions, median } from './bench-line.ts';
import { runLines } from './modbus-lines.ts';
import { runMany } from './modbus-many.ts';
import { Script } from './rig.ts';

/** All 20 values of the meter lie in this block: one request a poll. */
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

interface Measured {
  /** Blocks a second. */
  readonly rate: number;
  /** CPU time of this process for one block, us. */
  readonly cpu: number;
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
}

/** One line for the blocks a second, one for what a block costs. */
async function compare({ ports, what, note, rounds, ms }: Setting): Promise<BenchLine[]> {
  await using ours = await openOurs(ports);
  await using bare = await openBare(ports);
  for (const side of [ours, bare]) await measure(side, ms);
  const pairs: { ours: Measured; bare: Measured }[] = [];
  for (let round = 0; round < rounds; round++) {
    pairs.push({ ours: await measure(ours, ms), bare: await measure(bare, ms) });
  }
  const of = (pick: (measured: Measured) => number) => {
    const ratio = median(pairs.map((pair) => pick(pair.ours) / pick(pair.bare)));
    const value = median(pairs.map((pair) => pick(pair.ours)));
    return { ours: value, other: value / ratio };
  };
  const rate = of((measured) => measured.rate);
  const cpu = of((measured) => measured.cpu);
  const name = 'bare modbus-serial';
  const how = `${note}; ${block.length} registers a block, each unit on a connection of its own, one request in flight on each; ours plans the read, checks the answer, and decodes it into ${ours.values} samples with quality, bare gives the registers; all values but the energy change with every answer; median of ${rounds} paired rounds of ${ms / 1000} s`;
  return [
    {
      bench: 'modbus',
      what: `blocks read, ${what}`,
      ours: { value: rate.ours, unit: '/s' },
      other: { value: rate.other, unit: '/s', name },
      goal: { of: 'ratio', atLeast: 0.9 },
      note: how,
    },
    {
      bench: 'modbus',
      what: `CPU a block, ${what}`,
      ours: { value: cpu.ours, unit: 'us' },
      other: { value: cpu.other, unit: 'us', name },
      goal: { of: 'ratio', atMost: 1.3 },
      note: 'process.cpuUsage of the same rounds: user and system time of all threads',
    },
  ];
}

async function startMeters(meters: Script, order: object): Promise<number[]> {
  const { ports } = await meters.ask(order);
  if (!Array.isArray(ports)) throw new Error('the meters did not start');
  return ports.map(Number);
}

export async function run(options: BenchOptions): Promise<BenchLine[]> {
  const { quick } = options;
  const timing = { rounds: quick ? 3 : 5, ms: quick ? 500 : 1_000 };
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
