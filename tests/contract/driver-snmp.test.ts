import type { Device } from '#edge/domain/device.ts';
import type { DeviceId, PointName, ZoneId } from '#edge/domain/ids.ts';
import { createSnmpDriver } from '#edge/drivers/snmp/driver.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { startSwitch } from '#edge/simulators/switch.ts';
import { type DriverRig, describeDriver } from './driver-contract.ts';

const shelf = await loadProfiles(new URL('../../device-profiles', import.meta.url).pathname);
const v3 = { user: 'campus', authPassword: 'demo-auth-password', privacyPassword: 'demo-privacy-password' };

async function rigFor(host: string, access: object): Promise<DriverRig> {
  const profile = 'switch/generic-poe-8';
  const found = shelf.profiles.get(profile);
  if (found === undefined) throw new Error(`no profile ${profile}`);
  const agent = await startSwitch({
    host,
    port: 0,
    clock: systemClock,
    ports: 8,
    community: 'demo',
    v3,
    powered: { 3: () => {} },
  });
  const address = { host, port: agent.port, timeout: '150ms', ...access };
  const device: Device = {
    id: 'switch-1' as DeviceId,
    name: { zh: '交换机', en: 'Switch' },
    profile,
    protocol: 'snmp',
    zone: 'zone-1' as ZoneId,
    points: pointsOf(found, { fast: 2_000, normal: 15_000, slow: 300_000 }),
    address,
  };
  const driver = createSnmpDriver({ clock: systemClock });
  return {
    driver,
    device,
    nowhere: { ...address, port: 1 },
    wrong: { address: { ...address, prot: 1 }, key: 'prot' },
    outage: { begin: async () => agent.deaf(true), end: async () => agent.deaf(false) },
    command: { point: 'poe_3' as PointName, value: false, outcome: 'done' },
    async [Symbol.asyncDispose]() {
      await driver[Symbol.asyncDispose]();
      await agent[Symbol.asyncDispose]();
    },
  };
}

describeDriver('snmp (v2c)', () => rigFor('127.0.0.1', { community: 'demo' }));
describeDriver('snmp (v3, IPv6)', () => rigFor('::1', { v3 }));
