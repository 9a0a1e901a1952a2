import type { Device } from '#edge/domain/device.ts';
import type { ProcessName } from '#edge/domain/health.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import { type BrokenDevice, devicesOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import type { Site } from '#edge/runtime/site.ts';
import { profileFolder } from './context.ts';

/** Which process talks to devices of a protocol; sensors on MQTT talk to core itself. */
const processByProtocol: Readonly<Record<string, ProcessName>> = {
  modbus: 'fieldbus',
  dlt645: 'fieldbus',
  cjt188: 'fieldbus',
  onvif: 'camera',
  broadcast: 'broadcast',
  sip: 'broadcast',
  'http-pa': 'broadcast',
  line: 'broadcast',
  snapcast: 'broadcast',
  snmp: 'fieldbus',
  ping: 'fieldbus',
  pjlink: 'fieldbus',
  'fire-panel': 'fieldbus',
  wake: 'fieldbus',
  phrases: 'fieldbus',
};

export function processOfProtocol(protocol: string): ProcessName | undefined {
  return Object.hasOwn(processByProtocol, protocol) ? processByProtocol[protocol] : undefined;
}

/** The driver processes, i.e. those that own devices. */
export const driverProcesses = ['fieldbus', 'camera', 'broadcast'] as const satisfies readonly ProcessName[];

export interface Campus {
  readonly devices: readonly Device[];
  readonly broken: readonly BrokenDevice[];
  processOf(device: DeviceId): ProcessName | undefined;
  devicesOfProcess(process: ProcessName): readonly Device[];
}

/** The site's devices with their profiles. A broken profile leaves out its devices and is named in `broken`. */
export async function describeCampus(site: Site): Promise<Campus> {
  const { devices, broken } = devicesOf(site, await loadProfiles(profileFolder));
  const processes = new Map(devices.map((device) => [device.id, processByProtocol[device.protocol]]));
  return {
    devices,
    broken,
    processOf: (device) => processes.get(device),
    devicesOfProcess: (process) => devices.filter((device) => processes.get(device.id) === process),
  };
}
