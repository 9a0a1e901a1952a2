import { join } from 'node:path';
import modbusSerial from 'modbus-serial';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import { createModbusDriver } from '#edge/drivers/modbus/driver.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import type { Block } from './peers/modbus-peers.ts';
import { serveOrders } from './rig.ts';

/*
 * Reads one block of each meter over and over, by our driver or by bare modbus-serial, as the clients of peers/ do. In a
 * process of its own: in one process the one would pay for collecting the garbage of the other.
 */

const unit = 1;

/** One for each connection. */
type Readers = readonly (() => Promise<unknown>)[];

interface Opened {
  readonly readers: Readers;
  /** Samples that each read brings; bare modbus-serial brings none. */
  readonly values: number;
}

async function openOurs(ports: readonly number[]): Promise<Opened> {
  const { profiles } = await loadProfiles(join(import.meta.dirname, '../../device-profiles'));
  const profile = profiles.get('meter/eastron-sdm630');
  if (profile === undefined) throw new Error('the profile meter/eastron-sdm630 is gone');
  const driver = createModbusDriver({ clock: systemClock, profiles });
  const points = pointsOf(profile, { fast: 1_000, normal: 1_000, slow: 1_000 }).filter(({ poll }) => poll !== 'once');
  const { signal } = new AbortController();
  const sink = { sample: () => {}, event: () => {}, health: () => {}, count: () => {} };
  const sessions = await Promise.all(
    ports.map((port, i) => {
      const device: Device = {
        id: `meter-${i}` as DeviceId,
        name: { zh: '电表', en: 'Meter' },
        profile: 'meter/eastron-sdm630',
        protocol: 'modbus',
        zone: 'school' as ZoneId,
        points,
        address: { tcp: { host: '127.0.0.1', port }, unit },
      };
      return driver.open(device, driver.config.parse(device.address), sink, signal);
    }),
  );
  const readers = sessions.map((session) => async () => {
    const samples = await session.read(points, signal);
    const wrong = samples.find(({ quality }) => quality !== 'good');
    if (wrong !== undefined) throw new Error(`our driver read ${wrong.point} as ${wrong.quality}`);
  });
  return { readers, values: points.length };
}

async function openBare(ports: readonly number[], { at, length }: Block): Promise<Opened> {
  const readers = ports.map(async (port) => {
    const client = new modbusSerial.default();
    await client.connectTCP('127.0.0.1', { port });
    client.setID(unit);
    client.setTimeout(1_000);
    return () => client.readInputRegisters(at, length);
  });
  return { readers: await Promise.all(readers), values: 0 };
}

/** CPU time of this process when it was read last: what is collected after a turn is garbage of that turn. */
let known = process.cpuUsage();

/** Every reader asks again as soon as it is answered, for `ms`. */
async function measure(readers: Readers, ms: number): Promise<object> {
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
  const { user, system } = process.cpuUsage(known);
  known = process.cpuUsage();
  return { rate: (1000 * blocks) / (performance.now() - began), cpu: (user + system) / blocks };
}

let readers: Readers = [];

/** First `{who, ports, block}`, then `{ms}` as often as wanted. */
serveOrders(async ({ who, ports, block, ms }) => {
  if (ms !== undefined) return measure(readers, Number(ms));
  if (!Array.isArray(ports)) throw new Error('there are no ports to read');
  const { at, length } = block as Block;
  const opened = who === 'ours' ? await openOurs(ports.map(Number)) : await openBare(ports.map(Number), { at, length });
  readers = opened.readers;
  return { values: opened.values };
});
