import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DeviceId } from '#edge/domain/ids.ts';
import { Discovery } from '#edge/drivers/onvif/discovery.ts';
import type { AskWho } from '#edge/drivers/onvif/identity.ts';
import { endpointOf } from '#edge/drivers/onvif/identity.ts';
import { openMemory } from '#edge/drivers/onvif/memory.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { startCamera } from '#edge/simulators/camera.ts';
import { announce, freeUdpPort } from './announcer.ts';
import { cameraOptions, eventually, type Scene, type SceneOptions, startScene, streaming } from './bench.ts';
import { endpointAnswer, type Front, soapAnswer, standBefore } from './front.ts';

const id = 'gate-cam' as DeviceId;
const uuid = '5f5a69c2-e0ae-504f-829b-00fcdc1b7b0e';
const mac = '';

/** What the camera says of itself, to anybody. */
const tellsEndpoint = (named: string) => (operation: string) =>
  operation === 'GetEndpointReference' ? endpointAnswer(named) : null;

interface Moved {
  readonly scene: Scene;
  readonly home: Front;
  readonly file: string;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/** A camera that was heard at home, with its endpoint, and then went silent there. */
async function lostCamera(options: SceneOptions = {}): Promise<Moved> {
  const folder = mkdtempSync(join(tmpdir(), 'moved-'));
  const file = join(folder, 'cameras.json');
  const config: Record<string, unknown> = { ...options.config };
  let home: Front | null = null;
  const scene = await startScene({
    timings: { answer: 500, pullMargin: 300, backoffCap: 400 },
    ...options,
    config,
    driver: { memory: await openMemory(file, systemClock, silentLog), ...options.driver },
    before: async (camera) => {
      home = await standBefore(camera);
      home.answer = tellsEndpoint(uuid);
      config.port = home.port;
    },
  });
  if (home === null) throw new Error('no front');
  const front: Front = home;
  await streaming(scene);
  await front[Symbol.asyncDispose]();
  await eventually(() => scene.heard.last()).toMatch(/^offline: .* refuses the connection/);
  return {
    ...{ scene, home: front, file },
    async [Symbol.asyncDispose]() {
      await scene[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

describe('a camera with another address', () => {
  test('is followed to where discovery heard it, once it has shown that it is the same, and people are told', async () => {
    await using lost = await lostCamera();
    const { scene, home } = lost;
    await using there = await standBefore(scene.camera, { host: '127.0.0.2' });
    there.answer = tellsEndpoint(uuid);
    expect(scene.driver.misses).toBe(true);
    expect(scene.driver.hear({ host: '127.0.0.2', port: there.port, endpoint: uuid, mac })).toBe(true);
    await streaming(scene);
    expect(scene.heard.last()).toMatch(
      new RegExp(`found at 127\\.0\\.0\\.2:${there.port} instead of 127\\.0\\.0\\.1:${home.port}: correct its address`),
    );
    expect(scene.heard.events.map(({ type, data }) => ({ type, data }))).toContainEqual({
      type: 'camera_moved',
      data: { from: `127.0.0.1:${home.port}`, to: `127.0.0.2:${there.port}` },
    });
    // Who it is was asked before anything that carries the password.
    expect(there.seen[0]).toMatchObject({ operation: 'GetEndpointReference', signed: false });
    // Its subscription is still there: nothing that happened meanwhile is lost.
    expect(scene.heard.count('subscribe')).toBe(1);
    scene.camera.person();
    await eventually(() => scene.heard.events.map(({ type }) => type)).toContain('person');
    expect(scene.driver.misses).toBe(false);
    expect(scene.camera.passwordTries).toBe(0);
    const kept = await openMemory(lost.file, systemClock, silentLog);
    expect(kept.of(id)).toMatchObject({ moved: { host: '127.0.0.2', port: there.port }, endpoints: [uuid] });
  });

  test.each([
    ['shows another endpoint', endpointAnswer('00000000-1111-2222-3333-444444444444')],
    ['shows none', soapAnswer('<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code></s:Fault>', 400)],
    ['is no camera', { status: 200, body: '<html>hello</html>', type: 'text/html' }],
  ])('is not believed to be at a host that %s: no password goes there', async (_, answer) => {
    await using lost = await lostCamera();
    const { scene } = lost;
    await using there = await standBefore(scene.camera, { host: '127.0.0.2' });
    there.answer = (operation) => (operation === 'GetEndpointReference' ? answer : null);
    scene.driver.hear({ host: '127.0.0.2', port: there.port, endpoint: uuid, mac });
    await eventually(() => scene.heard.count('sighting-refused')).toBe(1);
    const attempts = scene.heard.count('attempt');
    await eventually(() => scene.heard.count('attempt')).toBeGreaterThan(attempts + 2);
    expect(there.seen.map(({ operation, signed }) => ({ operation, signed }))).toEqual([
      { operation: 'GetEndpointReference', signed: false },
    ]);
    expect(scene.heard.last()).toMatch(/^offline/);
    expect(scene.heard.events.map(({ type }) => type)).not.toContain('camera_moved');
  });

  test('that tells its endpoint to nobody who is not logged in is asked by a probe to its host alone', async () => {
    const port = await freeUdpPort();
    await using discovery = new Discovery({
      ...{ clock: systemClock, log: silentLog, port, onAnnounced: () => {}, count: () => {}, nics: () => [] },
    });
    const askWho: AskWho = (host, signal) => discovery.ask(host, signal, 500);
    await using lost = await lostCamera({ driver: { askWho } });
    const { scene } = lost;
    await using there = await standBefore(scene.camera, { host: '127.0.0.3' });
    there.answer = (operation, xml) =>
      operation === 'GetEndpointReference' && !xml.includes('UsernameToken') ? { status: 401, body: '' } : null;
    await using neighbour = await announce({ host: '127.0.0.3', port, endpoint: uuid, xaddrs: 'http://127.0.0.3/' });
    scene.driver.hear({ host: '127.0.0.3', port: there.port, endpoint: uuid, mac });
    await streaming(scene);
    expect(neighbour.heard.map(({ direct }) => direct)).toContain(true);
    expect(scene.heard.count('followed')).toBe(1);
  });

  test('is not left while it answers, whatever is announced elsewhere', async () => {
    const memory = await openMemory(join(tmpdir(), `never-${randomUUID()}`, 'x'), systemClock, silentLog);
    const config: Record<string, unknown> = {};
    let home: Front | undefined;
    await using scene = await startScene({
      config,
      driver: { memory },
      before: async (camera) => {
        home = await standBefore(camera);
        home.answer = tellsEndpoint(uuid);
        config.port = home.port;
      },
    });
    await streaming(scene);
    await using trap = await standBefore(scene.camera, { host: '127.0.0.2' });
    trap.answer = tellsEndpoint(uuid);
    expect(scene.driver.hear({ host: '127.0.0.2', port: trap.port, endpoint: uuid, mac })).toBe(true);
    const pulls = scene.heard.count('pull-empty');
    await eventually(() => scene.heard.count('pull-empty')).toBeGreaterThan(pulls + 2);
    expect(trap.seen).toEqual([]);
    expect(scene.heard.last()).toMatch(/^online/);
    await home?.[Symbol.asyncDispose]();
  });

  test('is looked for there after a restart, and must show again that it is the same', async () => {
    await using lost = await lostCamera();
    const { scene, file } = lost;
    const there = await standBefore(scene.camera, { host: '127.0.0.2' });
    there.answer = tellsEndpoint(uuid);
    scene.driver.hear({ host: '127.0.0.2', port: there.port, endpoint: uuid, mac });
    await streaming(scene);
    await scene.session[Symbol.asyncDispose]();
    const config = { port: lost.home.port };
    const timings = { answer: 500, backoffCap: 400 };
    {
      const memory = await openMemory(file, systemClock, silentLog);
      const seen = there.seen.length;
      // The scene's own camera is another one, at another port: the site file's place and the remembered one decide.
      await using again = await startScene({ config, timings, driver: { memory } });
      await streaming(again);
      expect(there.seen[seen]).toMatchObject({ operation: 'GetEndpointReference', signed: false });
      expect(again.heard.last()).toMatch(/found at 127\.0\.0\.2/);
    }
    // Somebody else has the address now: he is asked who he is, and no more.
    there.answer = tellsEndpoint('00000000-1111-2222-3333-444444444444');
    const memory = await openMemory(file, systemClock, silentLog);
    const seen = there.seen.length;
    await using third = await startScene({ config, timings, driver: { memory } });
    await eventually(() => third.heard.last()).toMatch(/^offline: camera 127\.0\.0\.1:\d+ refuses the connection/);
    expect(third.heard.count('stranger')).toBe(1);
    expect(there.seen.slice(seen).map(({ operation, signed }) => [operation, signed])).toEqual([
      ['GetEndpointReference', false],
    ]);
    await there[Symbol.asyncDispose]();
  });

  test('is not followed to a host that does not show the pinned certificate', async () => {
    // Nobody listens with TLS there: what answers is plain HTTP.
    const folder = mkdtempSync(join(tmpdir(), 'moved-'));
    const memory = await openMemory(join(folder, 'cameras.json'), systemClock, silentLog);
    const camera = await startCamera(cameraOptions());
    await using there = await standBefore(camera, { host: '127.0.0.2' });
    there.answer = tellsEndpoint(uuid);
    const config = { port: there.port, tls: { fingerprint: 'AA:'.repeat(31).concat('AA') } };
    memory.change(id, { configured: `127.0.0.1:${there.port}`, endpoints: [uuid], serial: 'A' });
    await using scene = await startScene({ config, driver: { memory } });
    await eventually(() => scene.heard.last()).toMatch(/^offline/);
    scene.driver.hear({ host: '127.0.0.2', port: 80, endpoint: uuid, mac });
    await eventually(() => scene.heard.count('sighting-refused')).toBe(1);
    expect(there.seen).toEqual([]);
    await camera[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  test('that was swapped with a neighbour’s is not mistaken for it: ours is gone after', async () => {
    await using lost = await lostCamera();
    const { scene, home } = lost;
    const neighbour = await startCamera(cameraOptions());
    await using there = await standBefore(scene.camera, { host: '127.0.0.2' });
    there.answer = tellsEndpoint(uuid);
    // The neighbour has taken the old address, and has the same password.
    await using old = await standBefore(neighbour, { port: home.port });
    old.answer = tellsEndpoint('00000000-1111-2222-3333-444444444444');
    scene.driver.hear({ host: '127.0.0.2', port: there.port, endpoint: uuid, mac });
    await eventually(() => scene.heard.last()).toMatch(/^online: .*found at 127\.0\.0\.2/);
    neighbour.person();
    scene.camera.lineCrossed();
    await eventually(() => scene.heard.events.map(({ type }) => type)).toContain('line_cross');
    expect(scene.heard.events.map(({ type }) => type)).not.toContain('person');
    await neighbour[Symbol.asyncDispose]();
  });

  test('that was replaced by a new one at its place is told of, and heard', async () => {
    await using lost = await lostCamera();
    const { scene, home } = lost;
    const fresh = await startCamera(cameraOptions({ model: 'IPC-9' }));
    await using old = await standBefore(fresh, { port: home.port });
    old.answer = tellsEndpoint('00000000-1111-2222-3333-444444444444');
    await streaming(scene);
    const replaced = scene.heard.events.filter(({ type }) => type === 'camera_replaced');
    expect(replaced.map(({ data }) => data)).toEqual([
      { maker: 'Reolink', model: 'IPC-9', serial: `SIM${String(fresh.port).padStart(6, '0')}` },
    ]);
    fresh.person();
    await eventually(() => scene.heard.events.map(({ type }) => type)).toContain('person');
    await fresh[Symbol.asyncDispose]();
  });
});

test('an endpoint is the same however it is written', () => {
  expect(endpointOf(` urn:uuid:${uuid.toUpperCase()} `)).toBe(uuid);
  expect(endpointOf(`uuid:${uuid}`)).toBe(uuid);
  expect(endpointOf(uuid)).toBe(uuid);
  for (const none of ['', 'urn:uuid:', 'a b c d e f g h', 'x'.repeat(200)]) expect(endpointOf(none)).toBe('');
});
