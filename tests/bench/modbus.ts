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

/** Blocks a second: every reader asks again as soon as it is answered, for `ms`. */
async function measure({ readers }: Side, ms: number): Promise<number> {
  const began = performance.now();
  let blocks = 0;
  await Promise.all(
    readers.map(async (read) => {
      while (performance.now() - began < ms) {
        await read();
        blocks++;
      }
    }),
  );
  return (1000 * blocks) / (performance.now() - began);
}

async function compare(ports: readonly number[], rounds: number, ms: number): Promise<BenchLine> {
  await using ours = await openOurs(ports);
  await using bare = await openBare(ports);
  for (const side of [ours, bare]) await measure(side, ms / 2);
  const pairs: { ours: number; bare: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    pairs.push({ ours: await measure(ours, ms), bare: await measure(bare, ms) });
  }
  const ratio = median(pairs.map((pair) => pair.ours / pair.bare));
  const value = median(pairs.map((pair) => pair.ours));
  return {
    bench: 'modbus',
    what: ports.length === 1 ? 'blocks read, 1 unit in sequence' : `blocks read, ${ports.length} units at once`,
    ours: { value, unit: '/s' },
    other: { value: value / ratio, unit: '/s', name: 'bare modbus-serial' },
    goal: { of: 'ratio', atLeast: 0.8 },
    note: `Modbus TCP to simulated meters in a process of their own, ${block.length} registers a block, each unit on a connection of its own, one request in flight on each; ours plans the read, checks the answer, and decodes it into ${ours.values} samples with quality, bare gives the registers; median of ${rounds} paired rounds of ${ms / 1000} s`,
  };
}

export async function run({ quick }: BenchOptions): Promise<BenchLine[]> {
  await using meters = new Script('modbus-units.ts');
  const { ports } = await meters.ask({ count: 8 });
  if (!Array.isArray(ports)) throw new Error('the meters did not start');
  const numbers = ports.map(Number);
  const rounds = quick ? 3 : 5;
  const ms = quick ? 500 : 1_000;
  return [await compare(numbers.slice(0, 1), rounds, ms), await compare(numbers, rounds, ms)];
}
