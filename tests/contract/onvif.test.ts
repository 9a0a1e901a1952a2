import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PointName } from '#edge/domain/ids.ts';
import { onvifDriver } from '#edge/drivers/onvif/driver.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { loadProfile } from '#edge/profiles/load.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { startCamera } from '#edge/simulators/camera.ts';
import { cameraDevice, cameraOptions, quick, user } from '../unit/onvif/bench.ts';
import type { DriverRig } from './driver-contract.ts';
import { describeDriver } from './driver-contract.ts';

const profiles = new URL('../../device-profiles', import.meta.url).pathname;
const profile = await loadProfile(profiles, 'camera/onvif-generic');

async function makeRig(host: string): Promise<DriverRig> {
  const folder = await mkdtemp(join(tmpdir(), 'onvif-contract-'));
  const camera = await startCamera(cameraOptions({ host }));
  const driver = onvifDriver({ snapshotFolder: folder, clock: systemClock, log: silentLog, timings: quick });
  const address = { host, port: camera.port, ...user };
  // What this model never tells (vehicles, sound) is not missed.
  const all = pointsOf(profile, { fast: 2_000, normal: 15_000, slow: 300_000 });
  const points = all.filter(({ optional, poll }) => optional !== true || poll === 'watch');
  return {
    driver,
    device: { ...cameraDevice(address), points },
    // Port 1 of the loopback: nobody listens there.
    nowhere: { ...address, port: 1 },
    wrong: { address: { ...address, prot: 80 }, key: 'prot' },
    command: { point: 'snapshot' as PointName, value: true, outcome: 'done' },
    outage: { begin: () => camera.fault('reboot'), end: () => camera.fault('none') },
    async [Symbol.asyncDispose]() {
      await driver[Symbol.asyncDispose]();
      await camera[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

describeDriver('onvif (IPv4)', () => makeRig('127.0.0.1'));
describeDriver('onvif (IPv6)', () => makeRig('::1'));
