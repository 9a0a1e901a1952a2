import type { PointName } from '#edge/domain/ids.ts';
import { startSnapcast } from '#edge/simulators/snapcast.ts';
import { addressOf, snapRig } from '../unit/snapcast/snap-rig.ts';
import { type DriverRig, describeDriver } from './driver-contract.ts';

async function rig(): Promise<DriverRig> {
  let server = await startSnapcast();
  const inner = await snapRig();
  const { controlPort, streamPort } = server;
  const address = addressOf(controlPort, streamPort);
  return {
    ...{ driver: inner.driver, device: inner.device(address) },
    // Ports 1 and 2 of the loopback: nobody listens there.
    nowhere: addressOf(1, 2),
    outage: {
      begin: async () => {
        await server[Symbol.asyncDispose]();
      },
      end: async () => {
        server = await startSnapcast({ controlPort, streamPort });
      },
    },
    wrong: { address: { ...address, clientss: [] }, key: 'clientss' },
    command: { point: 'clip' as PointName, value: 'evacuation', outcome: 'sent' },
    async [Symbol.asyncDispose]() {
      await inner[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describeDriver('snapcast', rig);
