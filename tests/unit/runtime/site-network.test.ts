import { expect, test } from 'vitest';
import { checkSite } from '#edge/runtime/site.ts';
import { repairTimesOf, upstreamOf } from '#edge/runtime/site-network.ts';

const device = (id: string, more: object = {}) => ({
  id,
  name: { zh: id, en: id },
  profile: 'camera/onvif-generic',
  zone: 'gate',
  address: {},
  ...more,
});
const site = (devices: readonly object[], more: object = {}) => ({
  site: 1,
  campus: { id: '2151009901', name: { zh: '校', en: 'School' }, timeZone: 'Asia/Shanghai' },
  zones: [{ id: 'gate', name: { zh: '门', en: 'Gate' } }],
  devices,
  ...more,
});

test('a device says on which port of which switch it hangs and what carries its power', () => {
  const { devices } = checkSite(
    site([
      device('switch-1'),
      device('camera-1', { uplink: { device: 'switch-1', port: 3 }, power: 'switch-1/outlet', noPowerCycle: true }),
    ]),
    '.',
  );
  expect(devices[1]).toMatchObject({ uplink: { device: 'switch-1', port: 3 }, power: 'switch-1/outlet' });
});

test.each([
  [[device('a', { uplink: { device: 'b', port: 1 } })], {}, 'devices[0].uplink.device: unknown device "b"'],
  [[device('a', { power: 'b/c' })], {}, 'devices[0].power: unknown device "b"'],
  [[device('a', { power: 'a/c' })], {}, 'devices[0].power: "a" cannot switch its own power back on'],
  [[device('a', { uplink: { device: 'a', port: 1 } })], {}, 'devices[0].uplink.device: "a" hangs on itself'],
  [[device('a', { uplink: { device: 'b', port: 0 } })], {}, 'devices[0].uplink.port'],
  [[], { network: { uplink: { device: 'x', port: 1 } } }, 'network.uplink.device: unknown device "x"'],
  [[], { repair: { off: '10min' } }, 'repair.off: must be between 1s and 5min'],
])('a mistake in the wires is named with its path (%#)', (devices, more, words) => {
  expect(() => checkSite(site(devices, more), '.')).toThrow(words);
});

test('the path of switches ends, whatever the file says', () => {
  const up: Record<string, string> = { a: 'b', b: 'c', c: 'b' };
  expect(upstreamOf('a', (id) => up[id])).toEqual(['b', 'c']);
});

test('times of a protocol stand before those for all, and both before what is usual', () => {
  const { repair } = checkSite(site([], { repair: { boot: '40s', protocols: { onvif: { off: '20s' } } } }), '.');
  expect(repairTimesOf(repair, 'onvif')).toEqual({
    after: 30_000,
    reconnect: 60_000,
    restart: 60_000,
    off: 20_000,
    boot: 40_000,
  });
  expect(repairTimesOf(repair, 'constructor').off).toBe(10_000);
});
