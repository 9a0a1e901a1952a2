import type { BusClient } from '#edge/bus/client.ts';
import type { NetworkRow } from '#edge/bus/codec.ts';
import { maxNetworkRows } from '#edge/bus/codec.ts';
import { networkTopic } from '#edge/bus/topics.ts';
import { createCjt188Driver } from '#edge/drivers/cjt188/driver.ts';
import { createDlt645Driver } from '#edge/drivers/dlt645/driver.ts';
import { createModbusDriver } from '#edge/drivers/modbus/driver.ts';
import { createPingDriver } from '#edge/drivers/ping/driver.ts';
import { startMonitor } from '#edge/drivers/ping/monitor.ts';
import { Probes } from '#edge/drivers/ping/probes.ts';
import { targetOf } from '#edge/drivers/ping/targets.ts';
import { createBuses } from '#edge/drivers/ports/buses.ts';
import { createSnmpDriver } from '#edge/drivers/snmp/driver.ts';
import type { ProfileShelf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { type ChildContext, type Running, runChild } from '#edge/runtime/child.ts';
import { Ticker } from '#edge/runtime/lifecycle.ts';
import { type EdgeInit, profileFolder } from './context.ts';
import { startDriverProcess } from './link.ts';

/** Everything on serial lines and their gateways, the switches, and whether the hosts of the campus answer. */
export async function startFieldbus(init: EdgeInit, context: ChildContext): Promise<Running> {
  const { clock, log } = context;
  const shelf = await loadProfiles(profileFolder);
  const probes = new Probes({ clock, log });
  const buses = createBuses({ clock });
  const drivers = [
    createModbusDriver({ clock, profiles: shelf.profiles, buses }),
    createDlt645Driver({ clock, profiles: shelf.profiles, buses }),
    createCjt188Driver({ clock, profiles: shelf.profiles, buses }),
    createSnmpDriver({ clock }),
    createPingDriver({ clock, probes }),
  ];
  // The lines outlive nobody: each closes with the last of its devices.
  const beside = (bus: BusClient) => watchNetwork({ init, context, shelf, probes, bus });
  return startDriverProcess('fieldbus', init, context, drivers, beside, () => buses.health());
}

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
