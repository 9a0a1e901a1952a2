import type { Device } from '#edge/domain/device.ts';
import type { DeviceId, PointName, ZoneId } from '#edge/domain/ids.ts';
import { createModbusDriver } from '#edge/drivers/modbus/driver.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { startModbusCampus } from '#edge/simulators/modbus.ts';
import type { DriverRig } from './driver-contract.ts';
import { describeDriver } from './driver-contract.ts';

const shelf = await loadProfiles(new URL('../../device-profiles', import.meta.url).pathname);

async function rigFor(profile: string, way: 'tcp' | 'rtuOverTcp', unit: number): Promise<DriverRig> {
  const { profiles } = shelf;
  const campus = await startModbusCampus({ clock: systemClock, host: '127.0.0.1', tcpPort: 0, rtuPort: 0, profiles });
  const port = way === 'tcp' ? campus.tcpPort : campus.rtuPort;
  const found = profiles.get(profile);
  if (found === undefined) throw new Error(`no profile ${profile}`);
  const address = { [way]: { host: '127.0.0.1', port }, unit, timeout: '100ms', lateWindow: '100ms' };
  const device: Device = {
    id: 'device-1' as DeviceId,
    name: { zh: '设备', en: 'Device' },
    profile,
    protocol: 'modbus',
    zone: 'zone-1' as ZoneId,
    points: pointsOf(found, { fast: 2_000, normal: 15_000, slow: 300_000 }),
    address,
  };
  const driver = createModbusDriver({ clock: systemClock, profiles, reconnect: { first: 20, cap: 200 } });
  return {
    driver,
    device,
    // Port 1 of the loopback: nobody listens there.
    nowhere: { ...address, [way]: { host: '127.0.0.1', port: 1 } },
    wrong: { address: { ...address, [way]: { host: '127.0.0.1', prot: port } }, key: 'prot' },
    outage: {
      begin: async () => campus.control.setFault(() => ({ kind: 'dropped' })),
      end: async () => campus.control.setFault(null),
    },
    ...(profile.startsWith('relay/')
      ? { command: { point: 'relay_3' as PointName, value: false, outcome: 'done' } }
      : {}),
    async [Symbol.asyncDispose]() {
      await driver[Symbol.asyncDispose]();
      await campus[Symbol.asyncDispose]();
    },
  };
}

describeDriver('modbus (TCP meter)', () => rigFor('meter/eastron-sdm630', 'tcp', 1));
describeDriver('modbus (TCP relay)', () => rigFor('relay/waveshare-relay-8', 'tcp', 10));
describeDriver('modbus (RTU over TCP meter)', () => rigFor('meter/chint-dtsu666', 'rtuOverTcp', 1));
