import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { DeviceId } from '#edge/domain/ids.ts';
import { startMonitor } from '#edge/drivers/ping/monitor.ts';
import { Probes } from '#edge/drivers/ping/probes.ts';
import { targetOf } from '#edge/drivers/ping/targets.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ping-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program that says what a `ping` said once, and notes how it was called. */
function program(name: string, words: string, code = 0): string {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\necho "$@" >> ${file}.calls\ncat <<'END'\n${words}\nEND\nexit ${code}\n`);
  chmodSync(file, 0o755);
  return file;
}
const probesWith = (...programs: string[]) => new Probes({ clock: systemClock, log: silentLog, programs });
const somewhere = { host: '127.0.0.1', port: 1 };

describe('the words of ping', () => {
  test.each([
    [
      'iputils',
      '--- 10.0.0.9 ping statistics ---\n3 packets transmitted, 3 received, 0% packet loss, time 2003ms\nrtt min/avg/max/mdev = 0.031/0.044/0.055/0.009 ms',
      0,
      { reachable: true, latency: 0.04, loss: 0 },
    ],
    [
      'iputils-lossy',
      '3 packets transmitted, 1 received, +2 errors, 66.6667% packet loss, time 2020ms\nrtt min/avg/max/mdev = 12.3/12.4/12.5/0.0 ms',
      0,
      { reachable: true, latency: 12.4, loss: 0.67 },
    ],
    [
      'busybox',
      '--- 10.0.0.9 ping statistics ---\n3 packets transmitted, 2 packets received, 33% packet loss\nround-trip min/avg/max = 0.088/0.123/0.170 ms',
      0,
      { reachable: true, latency: 0.12, loss: 0.33 },
    ],
    [
      'dead',
      '3 packets transmitted, 0 received, 100% packet loss, time 2050ms',
      1,
      { reachable: false, latency: null, loss: 1 },
    ],
    ['unknown', 'ping: camera-9: Name or service not known', 2, { reachable: false, latency: null, loss: 1 }],
    // One such host must not turn the probes of all others to TCP.
    [
      'broadcast',
      'ping: Do you want to ping broadcast? Then -b. If not, check your local firewall rules',
      2,
      { reachable: false, latency: null, loss: 1 },
    ],
  ])('of %s are understood', async (name, words, code, expected) => {
    await using probes = probesWith(program(name, words, code));
    expect(await probes.probe({ host: '10.0.0.9', port: 80 })).toMatchObject({ ...expected, way: 'icmp' });
  });

  test.each([
    ['refused', 'ping: socktype: SOCK_RAW\nping: socket: Operation not permitted', 2],
    ['usage', 'ping: illegal option -- w\nusage: ping [-AaDdfnoQqRrv]', 64],
  ])('that it cannot do its work here (%s) turn all probes to TCP', async (name, words, code) => {
    await using probes = probesWith(program(name, words, code));
    expect(await probes.probe(somewhere)).toMatchObject({ reachable: true, way: 'tcp' });
    expect(probes.way).toBe('tcp');
  });

  test('a host is never an option: it stands behind --', async () => {
    const file = program('options', '3 packets transmitted, 3 received, 0% packet loss');
    await using probes = probesWith(file);
    await probes.probe({ host: 'fe80::1%eth0', port: 80 });
    expect(readFileSync(`${file}.calls`, 'utf8').trim()).toBe(
      '-q -c 3 -i 0.3 -W 1 -w 3 -- fe80::1%eth0'.replace(' -- ', ' -6 -- '),
    );
  });
});

describe('over TCP', () => {
  test('refused is an answer, and so is a connection; silence is none', async () => {
    const server = createServer((socket) => socket.on('error', () => {}));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await using probes = probesWith();
    expect(await probes.probe({ host: '127.0.0.1', port })).toMatchObject({ reachable: true, loss: 0, way: 'tcp' });
    await new Promise((resolve) => server.close(resolve));
    const refused = await probes.probe({ host: '::1', port });
    expect(refused).toMatchObject({ reachable: true, loss: 0 });
    expect(refused.latency).toBeGreaterThanOrEqual(0);
    expect(await probes.probe({ host: 'nobody.invalid', port })).toMatchObject({
      reachable: false,
      loss: 1,
      latency: null,
    });
  });

  test('devices behind one address are one host', async () => {
    await using probes = probesWith();
    const [a, b] = [probes.probe(somewhere), probes.probe({ ...somewhere })];
    expect(a).toBe(b);
    expect(probes.latest(somewhere)).toBeNull();
    expect(probes.latest(somewhere)).toEqual(probes.latest({ ...somewhere }));
    expect(await a).toEqual(probes.latest(somewhere));
  });

  test('ends at once when it is told to, with whoever waits', async () => {
    const probes = probesWith();
    const waiting = Array.from({ length: 60 }, (_, i) => probes.probe({ host: `127.0.0.${i + 1}`, port: 1 }));
    const began = performance.now();
    await probes[Symbol.asyncDispose]();
    await Promise.all(waiting);
    expect(performance.now() - began).toBeLessThan(3_000);
  });
});

test('the monitor goes round all hosts again and again', async () => {
  await using probes = probesWith();
  const heard = new Map<string, number>();
  const hosts = Array.from({ length: 10 }, (_, i) => ({
    device: `d${i}` as DeviceId,
    target: { host: `127.0.1.${i}`, port: 1 },
  }));
  using _ = startMonitor({
    hosts,
    period: 1_000,
    probes,
    clock: systemClock,
    heard: (device) => void heard.set(device, (heard.get(device) ?? 0) + 1),
  });
  await vi.waitFor(
    () => expect(Math.min(...hosts.map(({ device }) => heard.get(device) ?? 0))).toBeGreaterThan(1),
    20_000,
  );
});

test.each([
  [{ host: '10.0.0.1', port: 8_000 }, 'onvif', undefined, { host: '10.0.0.1', port: 8_000 }],
  // A gateway may take one connection only, and that is the driver's.
  [{ tcp: { host: '10.0.0.1', port: 502 } }, 'modbus', undefined, { host: '10.0.0.1', port: 80 }],
  [{ rtuOverTcp: { host: '[::1]', port: 502 } }, 'modbus', undefined, { host: '::1', port: 80 }],
  [{ rtp: { host: '10.0.0.1', port: 5_004 } }, 'broadcast', undefined, { host: '10.0.0.1', port: 80 }],
  [{ serial: { path: '/dev/ttyS0' } }, 'modbus', undefined, null],
  [{ zigbee2mqtt: 'x' }, 'mqtt', { host: '10.0.0.7', probe: true }, { host: '10.0.0.7', port: 80 }],
  [{ host: '10.0.0.1' }, 'onvif', { probe: false }, null],
  [{ host: '-f' }, 'onvif', undefined, null],
])('where a device is on the network (%#)', (address, protocol, network, expected) => {
  expect(targetOf({ address, ...(network === undefined ? {} : { network }) }, protocol)).toEqual(expected);
});

test.each(['239.1.2.3', '224.0.0.1', '255.255.255.255', '0.0.0.0', '[ff02::1]', 'ff05::7%eth0', '::'])(
  'who speaks to %s is not probed there: nobody in particular answers',
  (host) => {
    expect(targetOf({ address: { rtp: { host, port: 5004 } } }, 'broadcast')).toBeNull();
    const network = { host: '10.0.0.9', probe: true };
    expect(targetOf({ address: { rtp: { host, port: 5004 } }, network }, 'broadcast')).toMatchObject({
      host: '10.0.0.9',
    });
  },
);
