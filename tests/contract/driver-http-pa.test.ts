import type { PointName } from '#edge/domain/ids.ts';
import { httpPaDriver } from '#edge/drivers/http-pa/driver.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { startHttpPa } from '#edge/simulators/http-pa.ts';
import { addressOf, paDevice, passwordFile, zoned } from '../unit/http-pa/rig.ts';
import type { DriverRig } from './driver-contract.ts';
import { describeDriver } from './driver-contract.ts';

async function rig(more?: object): Promise<DriverRig> {
  let server = await startHttpPa();
  const secret = await passwordFile();
  const { port, url } = server;
  const driver = httpPaDriver({ clock: systemClock, probeEvery: 100 });
  const address = addressOf(url, secret.file, more);
  return {
    driver,
    device: paDevice(address),
    // Port 1 of the loopback: nobody listens there.
    nowhere: addressOf('http://127.0.0.1:1', secret.file, more),
    outage: {
      begin: async () => {
        await server[Symbol.asyncDispose]();
      },
      end: async () => {
        server = await startHttpPa({ port });
      },
    },
    wrong: { address: { ...address, zonne: 'hall' }, key: 'zonne' },
    command: { point: 'clip' as PointName, value: 'bell', outcome: 'sent' },
    async [Symbol.asyncDispose]() {
      await driver[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await secret[Symbol.asyncDispose]();
    },
  };
}

describeDriver('HTTP loudspeaker (Axis media clips)', () => rig());
describeDriver('HTTP loudspeaker (zones of a server)', () => rig(zoned));
