import { expect, test } from 'vitest';
import type { Device } from '#edge/domain/device.ts';
import type { DeviceId, ZoneId } from '#edge/domain/ids.ts';
import { createPingDriver } from '#edge/drivers/ping/driver.ts';
import { Probes } from '#edge/drivers/ping/probes.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { loadProfiles } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { createLog } from '#edge/runtime/log.ts';
import { type DriverRig, describeDriver } from './driver-contract.ts';

const shelf = await loadProfiles(new URL('../../device-profiles', import.meta.url).pathname);
const log = createLog('test', 'silent');

async function rigFor(host: string, programs?: readonly string[]): Promise<DriverRig> {
  const found = shelf.profiles.get('network/host');
  if (found === undefined) throw new Error('no profile network/host');
  const driver = createPingDriver({
    clock: systemClock,
    probes: new Probes({ clock: systemClock, log, ...(programs === undefined ? {} : { programs }) }),
  });
  const device: Device = {
    id: 'router' as DeviceId,
    name: { zh: '路由器', en: 'Router' },
    profile: 'network/host',
    protocol: 'ping',
    zone: 'zone-1' as ZoneId,
    points: pointsOf(found, { fast: 2_000, normal: 15_000, slow: 300_000 }),
    address: { host },
  };
  return {
    driver,
    device,
    // Nobody there is a good value here (`reachable` is false), so no `nowhere`.
    wrong: { address: { host, prot: 1 }, key: 'prot' },
    [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
  };
}

describeDriver('ping (as this machine can)', () => rigFor('127.0.0.1'));
describeDriver('ping (over TCP, IPv6)', () => rigFor('[::1]', []));

const peer = ['/usr/bin/ping', '/bin/ping'];
const probes = new Probes({ clock: systemClock, log, programs: peer });
if (probes.way === 'tcp')
  console.warn("SKIPPED: there is no ping here (apt install iputils-ping); the peer's words are not proved");

test.skipIf(probes.way === 'tcp')('the system’s own ping is understood, for both families and for nobody', async () => {
  await using owned = probes;
  for (const host of ['127.0.0.1', '::1']) {
    expect(await owned.probe({ host, port: 1 })).toMatchObject({ reachable: true, loss: 0, way: 'icmp' });
  }
  expect(await owned.probe({ host: 'nobody.invalid', port: 1 })).toMatchObject({
    reachable: false,
    loss: 1,
    way: 'icmp',
  });
});
