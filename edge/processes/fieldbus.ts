import { join } from 'node:path';
import type { BusClient } from '#edge/bus/client.ts';
import type { NetworkRow } from '#edge/bus/codec.ts';
import { maxNetworkRows } from '#edge/bus/codec.ts';
import { networkTopic } from '#edge/bus/topics.ts';
import type { Device, Point } from '#edge/domain/device.ts';
import type { Driver } from '#edge/drivers/driver.ts';
import type { LearnedFacts } from '#edge/drivers/modbus/learned.ts';
import { openLearned } from '#edge/drivers/modbus/learned-file.ts';
import { createPingDriver } from '#edge/drivers/ping/driver.ts';
import { startMonitor } from '#edge/drivers/ping/monitor.ts';
import { Probes } from '#edge/drivers/ping/probes.ts';
import { targetOf } from '#edge/drivers/ping/targets.ts';
import { type Buses, createBuses } from '#edge/drivers/ports/buses.ts';
import { devicesOf, type ProfileShelf } from '#edge/profiles/expand.ts';
import { loadProfile } from '#edge/profiles/load.ts';
import type { Profile } from '#edge/profiles/profile.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, messageOf } from '#edge/runtime/errors.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import type { Site } from '#edge/runtime/site.ts';
import { processOfProtocol } from './campus.ts';
import { type EdgeInit, profileFolder } from './context.ts';
import { startDriverProcess } from './link.ts';

/** Everything on serial lines and their gateways, the switches, the screens, and whether the hosts of the campus answer. */
export async function startFieldbus(init: EdgeInit, context: ChildContext): Promise<Running> {
  const { clock, log } = context;
  const shelf = await usedProfiles(init.site);
  const probes = new Probes({ clock, log });
  await using stack = new AsyncDisposableStack();
  const learned = stack.use(await openLearned({ file: join(init.data, learnedFile), log }));
  // The lines outlive nobody: each closes with the last of its devices.
  const buses = createBuses({ clock });
  const devices = devicesHere(init.site, shelf);
  const protocols = new Set(devices.map(({ protocol }) => protocol));
  let bus: BusClient | null = null;
  const tell = async (topic: string, payload: Buffer) => {
    if (bus === null) throw new CodedError('BUS_AWAY', 'the broker is not there yet');
    await bus.publish(topic, payload, { qos: 1 });
  };
  const drivers = await driversOf(protocols, { clock, profiles: shelf.profiles, buses, learned, tell });
  const running = stack.use(
    await startDriverProcess('fieldbus', init, context, [...drivers, createPingDriver({ clock, probes })], {
      start: (joined) => {
        bus = joined;
        return watchNetwork({ init, context, shelf, probes, bus: joined });
      },
      buses: () => buses.health(),
      devices,
    }),
  );
  const owned = stack.move();
  return { info: running.info, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

interface Shared {
  readonly clock: Clock;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly buses: Buses;
  readonly learned: LearnedFacts;
  /** Devices behind gateways of MQTT are told something over the bus. */
  readonly tell: (topic: string, payload: Buffer) => Promise<void>;
}

/** Only what the devices speak: the libraries of a protocol that nobody speaks here would take memory for nothing. */
async function driversOf(protocols: ReadonlySet<string>, shared: Shared): Promise<Driver<unknown>[]> {
  const drivers: Driver<unknown>[] = [];
  if (protocols.has('modbus')) {
    const { createModbusDriver } = await import('#edge/drivers/modbus/driver.ts');
    drivers.push(createModbusDriver(shared));
  }
  if (protocols.has('dlt645')) {
    const { createDlt645Driver } = await import('#edge/drivers/dlt645/driver.ts');
    drivers.push(createDlt645Driver(shared));
  }
  if (protocols.has('cjt188')) {
    const { createCjt188Driver } = await import('#edge/drivers/cjt188/driver.ts');
    drivers.push(createCjt188Driver(shared));
  }
  if (protocols.has('snmp')) {
    const { createSnmpDriver } = await import('#edge/drivers/snmp/driver.ts');
    drivers.push(createSnmpDriver(shared));
  }
  if (protocols.has('pjlink')) {
    const { createPjlinkDriver } = await import('#edge/drivers/pjlink/driver.ts');
    drivers.push(createPjlinkDriver(shared));
  }
  if (protocols.has('fire-panel')) {
    const { createFirePanelDriver } = await import('#edge/drivers/fire-panel/driver.ts');
    drivers.push(createFirePanelDriver(shared));
  }
  if (protocols.has('wake')) {
    const { createWakeDriver } = await import('#edge/drivers/wake/driver.ts');
    drivers.push(createWakeDriver(shared));
  }
  if (protocols.has('phrases')) {
    const { createPhrasesDriver } = await import('#edge/drivers/phrases/driver.ts');
    drivers.push(createPhrasesDriver(shared));
  }
  return drivers;
}

/** Only what the site names: all profiles together are a large part of the memory of this process. */
async function usedProfiles({ devices }: Site): Promise<ProfileShelf> {
  const profiles = new Map<string, Profile>();
  const broken = new Map<string, string>();
  for (const path of new Set(devices.map(({ profile }) => profile))) {
    try {
      profiles.set(path, await loadProfile(profileFolder, path));
    } catch (error) {
      broken.set(path, messageOf(error));
    }
  }
  return { profiles, broken };
}

/** Meters of one product share their points: four hundred of them are no more than one. */
function devicesHere(site: Site, shelf: ProfileShelf): Device[] {
  const points = new Map<string, readonly Point[]>();
  return devicesOf(site, shelf).devices.flatMap((device): Device[] => {
    if (processOfProtocol(device.protocol) !== 'fieldbus') return [];
    const shared = points.get(device.profile) ?? device.points;
    points.set(device.profile, shared);
    return [{ ...device, points: shared }];
  });
}

/** In the data folder; whoever removes it makes the devices teach it all again. */
const learnedFile = 'fieldbus-learned.json';

interface Watched {
  readonly init: EdgeInit;
  readonly context: ChildContext;
  readonly shelf: ProfileShelf;
  readonly probes: Probes;
  readonly bus: BusClient;
}

/** Results are gathered for so long: one message for many hosts, ms. */
const gather = 1_000;

/** What is heard while core is away is not kept: the next round is soon. */
function watchNetwork({ init, context, shelf, probes, bus }: Watched): Disposable {
  const { site } = init;
  const { clock, log } = context;
  const hosts = site.devices.flatMap(({ id, profile, address, network }) => {
    const target = targetOf({ address, network }, shelf.profiles.get(profile)?.protocol ?? '');
    return target === null ? [] : [{ device: id, target }];
  });
  const stack = new DisposableStack();
  const rows = new Map<string, NetworkRow>();
  stack.use(
    startMonitor({
      hosts,
      period: site.network.probe,
      probes,
      clock,
      heard: (device, { host }, probed) => void rows.set(device, { device, address: host, ...probed }),
    }),
  );
  stack.use(
    new Ticker(gather, () => {
      if (rows.size === 0) return;
      const some = [...rows.values()].slice(0, maxNetworkRows);
      for (const { device } of some) rows.delete(device);
      if (!bus.connected) return;
      bus
        .publish(networkTopic('fieldbus'), some)
        .catch((error: unknown) => log.debug({ error }, 'probes not published'));
    }),
  );
  return stack.move();
}

if (import.meta.main) runChild('fieldbus', startFieldbus);
