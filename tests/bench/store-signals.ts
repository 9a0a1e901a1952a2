import { statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { encodeSamples } from '#edge/bus/codec.ts';
import { samplesTopic } from '#edge/bus/topics.ts';
import type { Device, Point } from '#edge/domain/device.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import { pointRef } from '#edge/domain/ids.ts';
import type { Reading, Sample } from '#edge/domain/reading.ts';
import { createModbusDriver } from '#edge/drivers/modbus/driver.ts';
import { createIngest } from '#edge/ingest/ingest.ts';
import { describeCampus } from '#edge/processes/campus.ts';
import { profileFolder } from '#edge/processes/context.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { ManualClock, systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { loadSite, type Site } from '#edge/runtime/site.ts';
import { startModbusCampus } from '#edge/simulators/modbus.ts';
import { advanceRoom, createRoom, type Room } from '#edge/simulators/sensor-scene.ts';
import type { Store } from '#edge/store/store.ts';
import type { BenchLine } from './bench-line.ts';
import { hour, openBenchStore, start } from './store-folder.ts';

/*
 * The demo's own signals, faster than time: its meters are read through their profiles by the real driver from the
 * simulated registers, its rooms breathe as they do there, everything goes through ingest (deadband, counters) into the store.
 */

const chinaOffset = 8 * hour;
/** From eight in the morning, when the school wakes up. */
const began = start + 24 * hour;

export async function measureSignals(folder: string, hours: number): Promise<BenchLine[]> {
  const clock = new ManualClock(began);
  const site = await loadSite(join(import.meta.dirname, '../../edge/simulators/demo-site.yaml'));
  const { devices } = await describeCampus(site);
  const ingest = createIngest({ devices, clock, log: silentLog, timeZone: site.campus.timeZone });
  await using store = await openBenchStore(folder, clock);
  await store.registerPoints(devices.flatMap(registrations));
  await using meters = await openMeters(devices, clock, site.poll);
  const rooms = [createRoom('101'), createRoom('201')] as const;
  let heard = 0;
  let stored = 0;
  const readings: Reading[] = [];
  const say = (client: string, topic: string, payload: object, values: number) => {
    const accepted = ingest.accept({
      client,
      topic,
      payload: Buffer.from(JSON.stringify(payload)),
      qos: 1,
      retain: false,
    });
    readings.push(...accepted.readings, ...accepted.late);
    heard += values;
  };
  for (let second = 0; second < hours * 3_600; second += 2) {
    for (const room of rooms) advanceRoom(room, clock.now() + chinaOffset, 2_000);
    for (const { device, samples } of await meters.read(second)) {
      say('fieldbus', samplesTopic(device), encodeSamples(samples, clock.now()), samples.length);
    }
    if (second % 10 === 0) sayRooms(rooms, clock.now(), say);
    if (second % 10 === 0) stored += await flush(store, readings);
    clock.advance(2_000);
    if (second % 60 === 0) await keepHouse(store, clock.now());
  }
  stored += await flush(store, readings);
  // One idle hour, so that the last hour is sealed like the others.
  clock.advance(hour);
  await keepHouse(store, clock.now());
  return [bytesLine(folder, { heard, stored, hours })];
}

type Say = (client: string, topic: string, payload: object, values: number) => void;

function sayRooms(rooms: readonly [Room, Room], now: number, say: Say): void {
  const tenth = (value: number) => Math.round(value * 10) / 10;
  rooms.forEach(({ temperature, humidity }, i) => {
    const state = { temperature: tenth(temperature), humidity: tenth(humidity), battery: 97, linkquality: 120 };
    say('zigbee2mqtt', `zigbee2mqtt/climate-${i + 1}01`, state, 4);
  });
  const { co2, temperature, humidity, pm2_5 } = rooms[1];
  const air = {
    t: now,
    co2: Math.round(co2),
    temperature: tenth(temperature),
    humidity: tenth(humidity),
    pm2_5: Math.round(pm2_5),
  };
  say('air-201', samplesTopic('air-201' as DeviceId), air, 4);
}

async function flush(store: Store, readings: Reading[]): Promise<number> {
  const batch = readings.splice(0);
  if (batch.length > 0) await store.append({ readings: batch });
  return batch.length;
}

/** What core does about once a minute; the city acknowledges at once, so that only history stays. */
async function keepHouse(store: Store, now: number): Promise<void> {
  await store.summarise(now - 5_000);
  const { lanes } = await store.stats();
  for (const { lane, head } of lanes) if (head > 0) await store.outboxAcknowledge(lane, store.epoch, head);
  await store.maintain(now);
}

interface Meters extends AsyncDisposable {
  /** What is due at this second: fast 2 s, normal 10 s, slow 60 s, as the demo polls. */
  read(second: number): Promise<{ device: DeviceId; samples: readonly Sample[] }[]>;
}

async function openMeters(devices: readonly Device[], clock: ManualClock, poll: Site['poll']): Promise<Meters> {
  await using stack = new AsyncDisposableStack();
  const { profiles } = await loadProfiles(profileFolder);
  const campus = stack.use(await startModbusCampus({ clock, host: '127.0.0.1', tcpPort: 0, rtuPort: 0, profiles }));
  const driver = stack.use(createModbusDriver({ clock: systemClock, profiles }));
  const sink = { sample: () => {}, event: () => {}, health: () => {}, count: () => {} };
  const { signal } = new AbortController();
  const units: Readonly<Record<string, object>> = {
    'meter-main': { tcp: { host: '127.0.0.1', port: campus.tcpPort }, unit: 1 },
    'meter-canteen': { tcp: { host: '127.0.0.1', port: campus.tcpPort }, unit: 2 },
    'meter-dorm': { rtuOverTcp: { host: '127.0.0.1', port: campus.rtuPort }, unit: 1 },
  };
  const opened = devices.filter(({ id }) => units[id] !== undefined);
  const sessions = await Promise.all(
    opened.map(async (device) => ({
      device,
      session: stack.use(await driver.open(device, driver.config.parse(units[device.id]), sink, signal)),
    })),
  );
  const isDue = (point: Point, second: number) =>
    point.poll !== 'watch' && point.poll !== 'once' && second % (poll[point.poll] / 1_000) === 0;
  const owned = stack.move();
  return {
    read: (second) =>
      Promise.all(
        sessions.map(async ({ device, session }) => {
          const due = device.points.filter((point) => isDue(point, second));
          return { device: device.id, samples: due.length === 0 ? [] : await session.read(due, signal) };
        }),
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function registrations(device: Device) {
  return device.points.map((point) => ({
    ref: pointRef(device.id, point.name),
    type: point.type,
    unit: point.unit,
    staleAfter: point.staleAfter,
    counter: point.counter !== undefined,
  }));
}

function bytesLine(
  folder: string,
  { heard, stored, hours }: { heard: number; stored: number; hours: number },
): BenchLine {
  const file = join(folder, 'campus.db');
  const db = new Database(file, { readonly: true });
  const pages = db.prepare<[string], number | null>('SELECT sum(pgsize) FROM dbstat WHERE name = ?').pluck();
  const bytesOf = (table: string) => pages.get(table) ?? 0;
  const hot = db.prepare<[], number>('SELECT count(*) FROM hot').pluck().get() ?? 0;
  const blocks = bytesOf('block');
  const headers = bytesOf('hour');
  db.close();
  const sealed = stored - hot;
  return {
    bench: 'store',
    what: "bytes a stored sample, the demo's signals",
    ours: { value: (blocks + headers) / sealed, unit: 'B' },
    goal: { of: 'figure', atMost: 4 },
    note: `${hours} h of the demo's three meters, two rooms and air monitor through driver, ingest and store: ${heard} values heard, ${stored} stored after deadband, ${hot} of them still in the hot log and not counted; blocks ${blocks} B and their headers with aggregates ${headers} B in pages of the file; the whole file with the outbox's free pages has ${statSync(file).size} B`,
  };
}
