import type { Device } from '#edge/domain/device.ts';
import type { Ways } from '#edge/rules/alarm-causes.ts';
import type { Site } from '#edge/runtime/site.ts';
import type { Campus } from '../campus.ts';
import { bridgeOf } from './sensors.ts';
import { bridgeSource } from './watch.ts';

/** How the devices of this campus hang together. Asked for every open alarm whenever one changes: looked up once. */
export function createWays(
  site: { readonly devices: readonly Pick<Site['devices'][number], 'id' | 'uplink'>[] },
  campus: Pick<Campus, 'devices' | 'processOf'>,
): Ways {
  const uplinks = new Map<string, string>();
  for (const { id, uplink } of site.devices) if (uplink !== undefined) uplinks.set(id, uplink.device);
  const processes = new Map<string, string>();
  const bridges = new Map<string, string>();
  for (const device of campus.devices) {
    const process = campus.processOf(device.id);
    if (process !== undefined) processes.set(device.id, process);
    const bridge = bridgeSourceOf(device);
    if (bridge !== null) bridges.set(device.id, bridge);
  }
  return {
    processOf: (device) => processes.get(device),
    uplinkOf: (device) => uplinks.get(device),
    bridgeOf: (device) => bridges.get(device),
  };
}

function bridgeSourceOf(device: Device): string | null {
  const bridge = device.protocol === 'mqtt' ? bridgeOf(device) : null;
  return bridge === null ? null : bridgeSource(bridge);
}
