import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Discovery, ownNics } from '#edge/drivers/onvif/discovery.ts';
import type { Announced } from '#edge/drivers/onvif/discovery-words.ts';
import { doorOf, readAnnouncement } from '#edge/drivers/onvif/discovery-words.ts';
import { Finder, type FinderOptions, type FoundCamera } from '#edge/drivers/onvif/finder.ts';
import { addressesOf } from '#edge/runtime/address-range.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { startCamera } from '#edge/simulators/camera.ts';
import { announce, freeUdpPort } from './announcer.ts';
import { cameraOptions, eventually } from './bench.ts';

const hasNamespaces =
  spawnSync('unshare', ['-rn', 'ip', 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1'], { timeout: 10_000 })
    .status === 0;
if (!hasNamespaces) console.warn('SKIPPED: no network namespace can be made here, so no link was probed by IPv6');

const endpoint = '5f5a69c2-e0ae-504f-829b-00fcdc1b7b0e';
const loopback = [{ name: 'lo', family: 4, address: '127.0.0.1' }] as const;
const quickly = {
  ...{ first: 0, round: 150, missing: 50, firstScan: 0, scan: 200, missingScan: 50, again: 60_000, bye: 50, probe: 60 },
  knock: 1_000,
};

function finderOptions(port: number, more: Partial<FinderOptions> = {}) {
  const offered: FoundCamera[] = [];
  const options: FinderOptions = {
    clock: systemClock,
    log: silentLog,
    hear: () => false,
    misses: () => false,
    offer: async (found) => void offered.push(found),
    scan: [],
    nics: () => loopback,
    port,
    paces: quickly,
    ...more,
  };
  return { offered, options };
}

describe('a camera that nobody has adopted', () => {
  test('is found by a probe, proves that it speaks ONVIF, and is offered once with maker, model and address', async () => {
    await using camera = await startCamera(cameraOptions({ host: '127.0.0.3' }));
    const port = await freeUdpPort();
    const xaddrs = `http://192.0.2.7:81/onvif/device_service http://127.0.0.3:${camera.port}/onvif/device_service`;
    await using neighbour = await announce({ host: '127.0.0.3', port, endpoint, xaddrs });
    const { offered, options } = finderOptions(port);
    await using finder = new Finder(options);
    finder.start();
    await eventually(() => offered.length).toBe(1);
    expect(offered[0]).toMatchObject({
      key: `onvif/${endpoint}`,
      ...{ host: '127.0.0.3', port: camera.port, path: '/onvif/device_service', tls: false, fingerprint: null },
      ...{ maker: 'Lan Tian', model: 'LT-8', how: 'probe', endpoint },
    });
    await eventually(() => neighbour.heard.length).toBeGreaterThan(6);
    expect(offered).toHaveLength(1);
    // Both kinds of types are asked for; no password went anywhere.
    expect(neighbour.heard.some(({ message }) => message.includes('dn:NetworkVideoTransmitter'))).toBe(true);
    expect(neighbour.heard.some(({ message }) => message.includes('tds:Device'))).toBe(true);
    expect(camera.requests.map(({ operation }) => operation)).toEqual(['GetSystemDateAndTime']);
    expect(camera.requests.every(({ judgement }) => judgement === 'public')).toBe(true);
  });

  test('is heard when it says Hello, and offered anew after its Bye', async () => {
    await using camera = await startCamera(cameraOptions({ host: '127.0.0.3' }));
    const port = await freeUdpPort();
    const xaddrs = `http://127.0.0.3:${camera.port}/onvif/device_service`;
    await using neighbour = await announce({ host: '127.0.0.3', port, endpoint, xaddrs, hearsGroup: false });
    const { offered, options } = finderOptions(port);
    await using finder = new Finder(options);
    finder.start();
    await eventually(() => {
      neighbour.hello();
      return offered.map(({ how }) => how);
    }).toContain('hello');
    expect(offered).toHaveLength(1);
    await eventually(() => {
      neighbour.bye();
      neighbour.hello();
      return offered.length;
    }).toBeGreaterThan(1);
  });

  test.each([
    ['answers another question than ours', { liesAboutProbe: true }, 'answer-to-nobody'],
    ['is a printer', { types: 'wsdp:Device', scopes: 'ldap:///office' }, 'probe'],
    ['names a place where nobody speaks ONVIF', { xaddrs: 'http://127.0.0.3:1/x' }, 'stranger-refused'],
  ])('is not offered when it %s', async (_, odd, counted) => {
    const port = await freeUdpPort();
    const xaddrs = 'http://127.0.0.3:1/onvif/device_service';
    await using neighbour = await announce({ host: '127.0.0.3', port, endpoint, xaddrs, ...odd });
    const { offered, options } = finderOptions(port);
    await using finder = new Finder(options);
    finder.start();
    await eventually(() => neighbour.heard.length).toBeGreaterThan(3);
    await eventually(() => finder.counts[counted] ?? 0).toBeGreaterThan(0);
    expect(offered).toEqual([]);
  });

  test('of ours is told to the driver and not offered', async () => {
    const port = await freeUdpPort();
    const xaddrs = 'http://127.0.0.3:1/onvif/device_service';
    await using _ = await announce({ host: '127.0.0.3', port, endpoint, xaddrs });
    const heard: unknown[] = [];
    const { offered, options } = finderOptions(port, {
      hear: (sighting) => {
        heard.push(sighting);
        return true;
      },
    });
    await using finder = new Finder(options);
    finder.start();
    await eventually(() => heard.length).toBeGreaterThan(1);
    expect(heard[0]).toEqual({ host: '127.0.0.3', port: 1, endpoint, mac: '02005e100001' });
    expect(offered).toEqual([]);
  });

  test('is offered again in the next round when core was away', async () => {
    await using camera = await startCamera(cameraOptions({ host: '127.0.0.3' }));
    const port = await freeUdpPort();
    const xaddrs = `http://127.0.0.3:${camera.port}/onvif/device_service`;
    await using _ = await announce({ host: '127.0.0.3', port, endpoint, xaddrs });
    let tries = 0;
    const { options } = finderOptions(port, {
      offer: async () => {
        tries += 1;
        if (tries === 1) throw new Error('core is away');
      },
    });
    await using finder = new Finder(options);
    finder.start();
    await eventually(() => finder.counts.offered ?? 0).toBe(1);
    expect(tries).toBe(2);
  });

  test('in a range of the site file is found by knocking, at a pace, and asked who it is', async () => {
    await using camera = await startCamera(cameraOptions({ host: '127.0.0.3' }));
    const plain = createServer((_, response) => response.end('<html>printer</html>'));
    await new Promise<void>((resolve) => plain.listen(camera.port, '127.0.0.4', resolve));
    const port = await freeUdpPort();
    await using _ = await announce({
      host: '127.0.0.3',
      port,
      endpoint,
      xaddrs: 'http://127.0.0.3/',
      hearsGroup: false,
    });
    const { offered, options } = finderOptions(port, {
      scan: ['127.0.0.2-127.0.0.5', '127.0.0.5'],
      scanPorts: [camera.port],
      nics: () => [],
    });
    await using finder = new Finder(options);
    finder.start();
    await eventually(() => offered.length).toBe(1);
    expect(offered[0]).toMatchObject({ key: `onvif/${endpoint}`, host: '127.0.0.3', port: camera.port, how: 'scan' });
    expect(offered[0]?.model).toBe('LT-8');
    await eventually(() => finder.counts.knock ?? 0).toBeGreaterThanOrEqual(8);
    expect(offered).toHaveLength(1);
    expect(camera.passwordTries).toBe(0);
    plain.close();
  });
});

describe('discovery', () => {
  test.skipIf(!hasNamespaces)('asks every link by IPv4 and by IPv6', () => {
    const link =
      'ip link add v0 type veth peer name v1 && ip link set v0 addrgenmode none up && ip link set v1 addrgenmode none up';
    const addresses = 'ip addr add 10.9.8.1/24 dev v0 && ip -6 addr add fe80::9/64 dev v0 nodad';
    const script = join(import.meta.dirname, 'discovery-link.ts');
    const shell = `${link} && ${addresses} && exec "$0" "$1"`;
    const done = spawnSync('unshare', ['-rn', 'sh', '-c', shell, process.execPath, script], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    const said = JSON.parse(done.stdout || JSON.stringify(done.stderr));
    expect(said).toMatchObject({ heard: { 4: 3, 6: 3 }, nics: [4, 6] });
    expect(said.counts).not.toContain('not-a-member');
  });

  test('asked of one host believes that host only', async () => {
    const port = await freeUdpPort();
    await using _ = await announce({ host: '127.0.0.3', port, endpoint, xaddrs: 'http://127.0.0.3/' });
    await using discovery = new Discovery({
      ...{ clock: systemClock, log: silentLog, port, onAnnounced: () => {}, count: () => {}, nics: () => [] },
    });
    const { signal } = new AbortController();
    expect(await discovery.ask('127.0.0.3', signal)).toMatchObject({ endpoint, model: 'LT-8' });
    expect(await discovery.ask('127.0.0.4', signal, 100)).toBeNull();
    expect(await discovery.ask('camera.invalid', signal, 100)).toBeNull();
  });

  test('drops a flood and what is too large, and counts it', async () => {
    const port = await freeUdpPort();
    const counts = new Map<string, number>();
    const announced: Announced[] = [];
    await using discovery = new Discovery({
      ...{ clock: systemClock, log: silentLog, port, nics: () => loopback },
      onAnnounced: (found) => announced.push(found),
      count: (word) => counts.set(word, (counts.get(word) ?? 0) + 1),
    });
    await discovery.listen();
    const stranger = createSocket('udp4');
    await eventually(() => {
      stranger.send(Buffer.alloc(20_000, 'x'), port, '127.0.0.1');
      return counts.get('datagram-dropped') ?? 0;
    }).toBeGreaterThan(0);
    await eventually(() => {
      for (let i = 0; i < 300; i++) stranger.send('<x/>', port, '127.0.0.1');
      return counts.get('datagram-dropped') ?? 0;
    }).toBeGreaterThan(100);
    expect(announced).toEqual([]);
    stranger.close();
  });

  test('leaves loopback alone and names the interface of a link-local address', () => {
    const nics = ownNics();
    expect(nics.every(({ address }) => !address.startsWith('127.') && address !== '::1')).toBe(true);
    expect(nics.filter(({ family }) => family === 6).every(({ address, name }) => address.endsWith(`%${name}`))).toBe(
      true,
    );
  });
});

describe('what is announced', () => {
  test.each([
    ['not xml at all'],
    ['<s:Envelope><s:Body/></s:Envelope>'],
    ['<!DOCTYPE x [<!ENTITY a "b">]><s:Envelope/>'],
    [`<s:Envelope><s:Body>${'<a>'.repeat(500)}</s:Body></s:Envelope>`],
  ])('is nothing when it is %s', (xml) => {
    expect(readAnnouncement(Buffer.from(xml))).toEqual([]);
  });

  test.each([
    [['http://192.0.2.9/a', 'https://10.0.0.5/b', 'http://10.0.0.5:8000/c'], '10.0.0.5', 8000, '/c', false],
    [['https://10.0.0.5/b'], '10.0.0.5', 443, '/b', true],
    [['http://192.0.2.9:8899/'], '10.0.0.5', 8899, '/onvif/device_service', false],
    [['http://[fe80::1]:85/x', 'http://10.0.0.5/y'], 'fe80::1%eth0', 85, '/x', false],
  ] as const)('leads to the sender: %o from %s', (addresses, sender, port, path, tls) => {
    const urls = addresses.map((address) => new URL(address));
    expect(doorOf(urls, sender)).toEqual({ host: sender, port, path, tls });
  });

  test('leads nowhere without an address', () => {
    expect(doorOf([], '10.0.0.5')).toBeNull();
  });
});

describe('a range of addresses', () => {
  test.each([
    ['10.0.3.0/30', ['10.0.3.1', '10.0.3.2']],
    ['10.0.3.7/32', ['10.0.3.7']],
    ['10.0.3.254 - 10.0.4.1', ['10.0.3.254', '10.0.3.255', '10.0.4.0', '10.0.4.1']],
    ['10.0.3.9', ['10.0.3.9']],
  ])('%s is %o', (range, addresses) => {
    expect(addressesOf(range)).toEqual(addresses);
  });

  test.each([
    '10.0.0.0/8',
    '10.0.0.0/21',
    'fe80::/64',
    '10.0.0.9-10.0.0.1',
    '10.0.0',
    '239.0.0.0/24',
    '0.0.0.0/24',
    '',
  ])('%s is none', (range) => {
    expect(addressesOf(range)).toBeNull();
  });

  test('may hold 1,024 addresses', () => {
    expect(addressesOf('10.0.0.0/22')).toHaveLength(1022);
    expect(addressesOf('10.0.0.0-10.0.3.255')).toHaveLength(1024);
  });
});
