import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DeviceId } from '#edge/domain/ids.ts';
import { Discovery } from '#edge/drivers/onvif/discovery.ts';
import type { Announced } from '#edge/drivers/onvif/discovery-words.ts';
import { Finder, type FoundCamera } from '#edge/drivers/onvif/finder.ts';
import { openMemory } from '#edge/drivers/onvif/memory.ts';
import { isNear } from '#edge/drivers/onvif/near.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { startCamera } from '#edge/simulators/camera.ts';
import { freeUdpPort } from './announcer.ts';
import { cameraOptions, eventually, startScene, streaming } from './bench.ts';
import { endpointAnswer, type Front, standBefore } from './front.ts';

/* Whoever is on the network of the cameras can say anything by UDP, in anybody's name. */

const id = 'gate-cam' as DeviceId;
const own = '5f5a69c2-e0ae-504f-829b-00fcdc1b7b0e';
const foreign = '66666666-6666-4666-8666-666666666666';

const hello = (endpoint: string, address: string, more = '') =>
  '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">' +
  `<e:Body><d:Hello><a:EndpointReference><a:Address>urn:uuid:${endpoint}</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types>` +
  `<d:XAddrs>${address}</d:XAddrs>${more}</d:Hello></e:Body></e:Envelope>`;

async function sender(host: string): Promise<{ socket: Socket; [Symbol.dispose](): void }> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  return { socket, [Symbol.dispose]: () => void socket.close() };
}

describe('a stranger who takes the name of a camera of ours', () => {
  test('by announcing another name in its place is not followed when the camera is gone: no password goes there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'poison-'));
    const memory = await openMemory(join(folder, 'cameras.json'), systemClock, silentLog);
    const config: Record<string, unknown> = {};
    let home: Front | undefined;
    await using scene = await startScene({
      ...{ config, timings: { answer: 500, pullMargin: 300, backoffCap: 400 }, driver: { memory } },
      before: async (camera) => {
        home = await standBefore(camera);
        home.answer = (operation) => (operation === 'GetEndpointReference' ? endpointAnswer(own) : null);
        config.port = home.port;
      },
    });
    if (home === undefined) throw new Error('no front');
    await streaming(scene);
    // As if the camera itself had said so: the sender of a datagram is whoever it says it is.
    for (const endpoint of [
      foreign,
      `${foreign.slice(0, -1)}7`,
      `${foreign.slice(0, -1)}8`,
      `${foreign.slice(0, -1)}9`,
    ]) {
      scene.driver.hear({ host: '127.0.0.1', port: home.port, endpoint, mac: '0200deadbeef' });
    }
    await eventually(() => scene.heard.count('announcement-denied')).toBe(1);
    expect(memory.of(id)).toMatchObject({ endpoints: [own], mac: '' });
    // Nor is its hardware address what somebody says it is.
    scene.driver.hear({ host: '127.0.0.1', port: home.port, endpoint: own, mac: '0200deadbeef' });
    await home[Symbol.asyncDispose]();
    await eventually(() => scene.heard.last()).toMatch(/^offline/);
    await using trap = await standBefore(scene.camera, { host: '127.0.0.2' });
    trap.answer = (operation) => (operation === 'GetEndpointReference' ? endpointAnswer(foreign) : null);
    scene.driver.hear({ host: '127.0.0.2', port: trap.port, endpoint: foreign, mac: '0200deadbeef' });
    const attempts = scene.heard.count('attempt');
    await eventually(() => scene.heard.count('attempt')).toBeGreaterThan(attempts + 2);
    expect(trap.seen).toEqual([]);
    expect(memory.of(id)).toMatchObject({ moved: null, endpoints: [own], mac: '' });
    rmSync(folder, { recursive: true });
  });

  test('from another network is not gone after, even by the right name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'far-'));
    const memory = await openMemory(join(folder, 'cameras.json'), systemClock, silentLog);
    const config: Record<string, unknown> = {};
    await using scene = await startScene({
      ...{ config, timings: { answer: 300, backoffCap: 200 }, driver: { memory } },
      before: (camera) => {
        config.port = 9;
        memory.change(id, { configured: `${camera.host}:9`, endpoints: [own], serial: 'A' });
      },
    });
    await eventually(() => scene.heard.last()).toMatch(/^offline/);
    await using trap = await standBefore(scene.camera, { host: '127.0.9.9' });
    trap.answer = (operation) => (operation === 'GetEndpointReference' ? endpointAnswer(own) : null);
    expect(scene.driver.hear({ host: '127.0.9.9', port: trap.port, endpoint: own, mac: '' })).toBe(true);
    expect(scene.heard.count('sighting-far')).toBe(1);
    const attempts = scene.heard.count('attempt');
    await eventually(() => scene.heard.count('attempt')).toBeGreaterThan(attempts + 2);
    expect(trap.seen).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  test.each([
    ['10.0.3.9', '10.0.3.7', true],
    ['10.0.9.9', '10.0.3.7', false],
    ['10.0.9.9', 'gate-cam.school.example', false],
    ['169.254.169.254', '10.0.3.7', false],
    ['8.8.8.8', '10.0.3.7', false],
    ['fe80::1%eth0', '10.0.3.7', true],
    ['2001:db8::9', '[2001:db8::1]', true],
    ['2001:db8:1::9', '2001:db8::1', false],
    ['somewhere.example', '10.0.3.7', false],
    ['10.7.0.5', '10.0.3.7', true],
  ])('%s is near %s: %s', (place, home, near) => {
    expect(isNear(place, home, (host) => host === '10.7.0.5')).toBe(near);
  });
});

describe('a flood of announcements', () => {
  test('is read for a share of the time, and the others are heard all the same', async () => {
    const port = await freeUdpPort();
    const heard: Announced[] = [];
    const counts = new Map<string, number>();
    await using discovery = new Discovery({
      ...{ clock: systemClock, log: silentLog, port, nics: () => [] },
      onAnnounced: (found) => void heard.push(found),
      count: (word) => void counts.set(word, (counts.get(word) ?? 0) + 1),
    });
    await discovery.listen();
    using flooder = await sender('127.0.0.2');
    using neighbour = await sender('127.0.0.3');
    const attributes = Array.from({ length: 280 }, (_, i) => `a${i}="b"`).join(' ');
    const heavy = Buffer.from(hello(foreign, 'http://127.0.0.2/', `<x ${attributes}/>${'y'.repeat(9_000)}`));
    let isHeard = false;
    for (let round = 0; round < 40 && !isHeard; round++) {
      for (let i = 0; i < 100; i++) flooder.socket.send(heavy, port, '127.0.0.1');
      neighbour.socket.send(hello(own, 'http://127.0.0.3/'), port, '127.0.0.1');
      await new Promise<void>((resolve) => flooder.socket.send('end', port, '127.0.0.1', () => setImmediate(resolve)));
      isHeard = heard.some(({ endpoint }) => endpoint === own);
    }
    await eventually(() => heard.some(({ endpoint }) => endpoint === own)).toBe(true);
    await eventually(() => counts.get('datagram-dropped') ?? 0).toBeGreaterThan(0);
  });

  test.each([
    ['elements', '<a/>'.repeat(3_500)],
    ['attributes', `<a ${Array.from({ length: 1_800 }, (_, i) => `a${i}="b"`).join(' ')}/>`],
    ['ampersands', '&'.repeat(15_000)],
  ])('of many %s is not read at all', async (_, more) => {
    const { readAnnouncement } = await import('#edge/drivers/onvif/discovery-words.ts');
    expect(readAnnouncement(Buffer.from(hello(own, 'http://127.0.0.3/', more)))).toEqual([]);
    expect(readAnnouncement(Buffer.from(hello(own, 'http://127.0.0.3/')))).toHaveLength(1);
  });

  test('of cameras that one host has invented ends at as many as a recorder has', async () => {
    await using camera = await startCamera(cameraOptions({ host: '127.0.0.3' }));
    const port = await freeUdpPort();
    const offered: FoundCamera[] = [];
    await using finder = new Finder({
      ...{ clock: systemClock, log: silentLog, hear: () => false, misses: () => false, scan: [], port, nics: () => [] },
      offer: async (found) => void offered.push(found),
      paces: { first: 0, round: 60_000, probe: 1 },
    });
    finder.start();
    using host = await sender('127.0.0.3');
    let next = 0;
    const invent = () => {
      const uuid = `${own.slice(0, -6)}${String(next++).padStart(6, '0')}`;
      host.socket.send(hello(uuid, `http://127.0.0.3:${camera.port}/onvif/device_service`), port, '127.0.0.1');
    };
    await expect
      .poll(
        () => {
          invent();
          return finder.counts['stranger-dropped'] ?? 0;
        },
        { timeout: 40_000, interval: 30 },
      )
      .toBeGreaterThan(2);
    expect(offered.length).toBeLessThanOrEqual(64);
    expect(new Set(offered.map(({ key }) => key)).size).toBe(offered.length);
  }, 60_000);
});
