import type { PointName } from '#edge/domain/ids.ts';
import { startSipSpeaker } from '#edge/simulators/sip-speaker.ts';
import { sipDevice, startRig } from '../unit/sip/rig.ts';
import type { DriverRig } from './driver-contract.ts';
import { describeDriver } from './driver-contract.ts';

async function rig(host: string, transport: 'udp' | 'tcp'): Promise<DriverRig> {
  let speaker = await startSipSpeaker({ host, transport });
  const inner = await startRig();
  const { port, uri } = speaker;
  const at = host.includes(':') ? `[${host}]` : host;
  return {
    driver: inner.driver,
    device: sipDevice({ call: uri, transport }),
    // Port 1 of the loopback: nobody listens there.
    nowhere: { call: `sip:hall@${at}:1`, transport },
    outage: {
      begin: async () => {
        await speaker[Symbol.asyncDispose]();
      },
      end: async () => {
        speaker = await startSipSpeaker({ host, port, transport });
      },
    },
    wrong: { address: { call: uri, trasport: 'udp' }, key: 'trasport' },
    command: { point: 'clip' as PointName, value: 'evacuation', outcome: 'sent' },
    async [Symbol.asyncDispose]() {
      await inner[Symbol.asyncDispose]();
      await speaker[Symbol.asyncDispose]();
    },
  };
}

describeDriver('SIP (UDP, IPv4)', () => rig('127.0.0.1', 'udp'));
describeDriver('SIP (UDP, IPv6)', () => rig('::1', 'udp'));
describeDriver('SIP (TCP, IPv4)', () => rig('127.0.0.1', 'tcp'));
