import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeCampus } from '#edge/processes/campus.ts';
import { createWays } from '#edge/processes/core/ways.ts';
import { loadSite } from '#edge/runtime/site.ts';

test('the demo campus hangs together as its file says: processes, bridges and uplinks', async () => {
  const site = await loadSite(join(import.meta.dirname, '../../../edge/simulators/demo-site.yaml'));
  const campus = await describeCampus(site);
  const devices = site.devices.map((device) => ({
    ...device,
    uplink: device.id === 'camera-gate' ? { device: 'switch-1', port: 3 } : undefined,
  }));
  const ways = createWays({ devices } as never, campus);
  expect(ways.processOf('camera-gate')).toBe('camera');
  expect(ways.processOf('smoke-101')).toBeUndefined();
  expect(ways.uplinkOf?.('camera-gate')).toBe('switch-1');
  expect(ways.uplinkOf?.('meter-main')).toBeUndefined();
  expect(ways.bridgeOf?.('smoke-101')).toBe('bridge:zigbee2mqtt');
  expect(ways.bridgeOf?.('camera-gate')).toBeUndefined();
});
