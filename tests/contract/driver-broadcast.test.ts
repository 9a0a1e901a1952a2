import type { PointName } from '#edge/domain/ids.ts';
import { pointsOf } from '#edge/profiles/expand.ts';
import { loadProfile } from '#edge/profiles/load.ts';
import { startSpeaker } from '#edge/simulators/speaker.ts';
import { demoDriver, speakerDevice } from '../unit/broadcast/speakers.ts';
import type { DriverRig } from './driver-contract.ts';
import { describeDriver } from './driver-contract.ts';

const folder = new URL('../../device-profiles', import.meta.url).pathname;
const profile = await loadProfile(folder, 'speaker/rtp-speaker');

/** Sound is one-way, but a host says when nobody listens on a port: that is the outage that can be known. */
async function rig(host: string): Promise<DriverRig> {
  let speaker = await startSpeaker({ host, port: 0, name: 'contract' });
  const demo = await demoDriver(200);
  const { port } = speaker;
  const address = { rtp: { host, port } };
  return {
    driver: demo.driver,
    device: { ...speakerDevice(address), points: pointsOf(profile, { fast: 2_000, normal: 15_000, slow: 300_000 }) },
    // Port 1 of the loopback: nobody listens there.
    nowhere: { rtp: { host, port: 1 } },
    outage: {
      begin: async () => {
        await speaker[Symbol.asyncDispose]();
      },
      end: async () => {
        speaker = await startSpeaker({ host, port, name: 'back' });
      },
    },
    wrong: { address: { rtp: { host, prot: port } }, key: 'prot' },
    command: { point: 'clip' as PointName, value: 'evacuation', outcome: 'sent' },
    async [Symbol.asyncDispose]() {
      await demo[Symbol.asyncDispose]();
      await speaker[Symbol.asyncDispose]();
    },
  };
}

describeDriver('broadcast (IPv4)', () => rig('127.0.0.1'));
describeDriver('broadcast (IPv6)', () => rig('::1'));
