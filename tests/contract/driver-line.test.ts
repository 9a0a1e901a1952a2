import { describe } from 'vitest';
import type { PointName } from '#edge/domain/ids.ts';
import { hasAplay, lineRig } from '../unit/line/line-rig.ts';
import { type DriverRig, describeDriver } from './driver-contract.ts';

/** ALSA itself, with its `file` plugin as the card: it is unplugged by taking it out of the configuration. */
async function rig(): Promise<DriverRig> {
  const line = await lineRig(200);
  const { driver, device, address, card } = line;
  return {
    ...{ driver, device },
    nowhere: { ...address, device: 'no-such-card' },
    outage: { begin: card.gone, end: card.present },
    wrong: { address: { ...address, devise: 'hall' }, key: 'devise' },
    command: { point: 'clip' as PointName, value: 'evacuation', outcome: 'sent' },
    [Symbol.asyncDispose]: () => line[Symbol.asyncDispose](),
  };
}

describe.skipIf(!hasAplay)('over ALSA', () => {
  describeDriver('line', rig);
});
