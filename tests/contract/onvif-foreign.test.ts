import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CameraFacts } from '#edge/domain/camera.ts';
import { onvifDriver } from '#edge/drivers/onvif/driver.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import type { CameraOptions } from '#edge/simulators/camera.ts';
import { startCamera } from '#edge/simulators/camera.ts';
import { atNames, cameraDevice, cameraOptions, eventually, quick, recorder, user } from '../unit/onvif/bench.ts';
import {
  addresses,
  emptyOptionals,
  type ForeignStyle,
  faultsAs,
  loose,
  numberedPrefixes,
  soap11,
  startForeign,
  withoutPrefixes,
  withoutType,
} from './onvif-foreign-proxy.ts';

/** A camera of another make, and the driver that has never seen it. */
async function meet(style: ForeignStyle, overrides: Partial<CameraOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'onvif-foreign-'));
  const camera = await startCamera(cameraOptions({ rtsp: { port: 8554 }, ...overrides }));
  const foreign = await startForeign(camera, style);
  const told: CameraFacts[] = [];
  const driver = onvifDriver({
    snapshotFolder: folder,
    clock: systemClock,
    log: silentLog,
    timings: { ...quick, answer: 5_000, pullMargin: 5_000, factsAfter: 20 },
    onFacts: (facts) => void told.push(facts),
  });
  const { sink, heard } = recorder();
  const address = { host: foreign.host, port: foreign.port, ...user };
  const device = cameraDevice(address, [...atNames, 'relay_1', 'input_1']);
  const session = await driver.open(device, driver.config.parse(address), sink, new AbortController().signal);
  return {
    camera,
    heard,
    told,
    session,
    async [Symbol.asyncDispose]() {
      await driver[Symbol.asyncDispose]();
      await foreign[Symbol.asyncDispose]();
      await camera[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const patience = { timeout: 20_000 };

async function expectAtHome(scene: Awaited<ReturnType<typeof meet>>): Promise<CameraFacts> {
  const { camera, heard, told } = scene;
  await eventually(() => heard.last(), patience).toMatch(/^online/);
  await eventually(() => told.length, patience).toBeGreaterThan(0);
  camera.person();
  await eventually(() => heard.events.map(({ type, active }) => [type, active]), patience).toContainEqual([
    'person',
    true,
  ]);
  const [facts] = told;
  if (facts === undefined) throw new Error('no facts');
  return facts;
}

const usual = [
  ['main', 'rtsp://127.0.0.1:8554/main'],
  ['sub', 'rtsp://127.0.0.1:8554/sub'],
];
const streamsOf = (facts: CameraFacts) => facts.streams.map(({ role, uri }) => [role, uri]);

describe('an ONVIF server that nobody here has seen', () => {
  test.each([
    ['numbers its prefixes', { rewrite: numberedPrefixes }],
    ['uses no prefixes at all', { rewrite: withoutPrefixes }],
    ['answers in SOAP 1.1', { rewrite: soap11 }],
    ['writes loosely, with a byte order mark, comments and CDATA', { rewrite: loose }],
    ['says no content type', { rewrite: withoutType }],
    ['answers in chunks', { transport: 'chunked' }],
    ['answers in HTTP/1.0, without a length', { transport: 'http10' }],
    ['is slow', { transport: 'slow' }],
    ['gives addresses without a host', { rewrite: addresses('') }],
    ['gives addresses of another host, port and scheme', { rewrite: addresses('https://192.168.1.64:8443') }],
    ['says HTTP 200 with every fault', { rewrite: faultsAs(200) }],
    ['says HTTP 500 with every fault', { rewrite: faultsAs(500) }],
    ['serves everything at any address', { oneAddress: true }],
  ] satisfies [string, ForeignStyle][])('that %s is understood', async (_name, style) => {
    await using scene = await meet(style, { auth: 'wsse' });
    const facts = await expectAtHome(scene);
    expect(streamsOf(facts)).toEqual(usual);
    expect(facts.ptz?.presets.map(({ token }) => token)).toEqual(['1', '2', 'P&3']);
    expect(facts.relays).toHaveLength(2);
    expect(scene.camera.passwordTries).toBe(0);
  });

  test('that leaves empty what is optional is understood', async () => {
    await using scene = await meet({ rewrite: emptyOptionals });
    const facts = await expectAtHome(scene);
    expect(streamsOf(facts)).toEqual(usual);
    expect(facts.streams.map(({ frameRate }) => frameRate)).toEqual([null, null]);
    expect(facts.ptz?.presets).toHaveLength(3);
    expect(facts).toMatchObject({ serial: '', relays: ['RelayOutput_1', 'RelayOutput_2'] });
  });

  const optional = [
    'GetServices',
    'GetNodes',
    'GetPresets',
    'GetDigitalInputs',
    'GetRelayOutputs',
    'GetEndpointReference',
  ];
  test.each(['html404', 'empty405', 'empty500', 'fault500', 'hangUp'] as const)(
    'that answers %s to what it does not know is asked for the rest',
    async (how) => {
      await using scene = await meet({ missing: { operations: optional, how } });
      const facts = await expectAtHome(scene);
      expect(streamsOf(facts)).toEqual(usual);
      expect(facts).toMatchObject({ ptz: { presets: [], home: true }, inputs: [], relays: [] });
    },
  );

  test('that lists no services in any way has its media service tried at the same address', async () => {
    const missing = { operations: ['GetServices', 'GetCapabilities'], how: 'fault500' } as const;
    await using scene = await meet({ missing, oneAddress: true }, { media2: 'no', auth: 'wsse' });
    const facts = await expectAtHome(scene);
    expect(streamsOf(facts)).toEqual(usual);
  });

  test('that has no Media1 is asked by Media2 alone', async () => {
    const rewrite: ForeignStyle['rewrite'] = (answer) => ({
      ...answer,
      body: answer.body.replace(
        /<tds:Service><tds:Namespace>http:\/\/www\.onvif\.org\/ver10\/media.*?<\/tds:Service>/s,
        '',
      ),
    });
    await using scene = await meet({ rewrite });
    expect(streamsOf(await expectAtHome(scene))).toEqual(usual);
  });

  test('that answers nonsense about its streams is still heard', async () => {
    const rewrite: ForeignStyle['rewrite'] = (answer) => ({
      ...answer,
      body:
        answer.operation === 'GetStreamUri'
          ? answer.body.replace(/rtsp:[^<]*/, 'http://127.0.0.1/video.mjpg')
          : answer.body,
    });
    await using scene = await meet({ rewrite });
    expect(streamsOf(await expectAtHome(scene))).toEqual([]);
  });

  test('that grows without end, or bombs with entities, hurts only its own facts', async () => {
    const bomb: ForeignStyle['rewrite'] = (answer) => {
      if (answer.operation === 'GetPresets') return { ...answer, body: `<!DOCTYPE x [<!ENTITY a "b">]>${answer.body}` };
      if (answer.operation === 'GetDigitalInputs')
        return { ...answer, body: answer.body.replace('</', `<!--${'x'.repeat(2_000_000)}--></`) };
      return answer;
    };
    await using scene = await meet({ rewrite: bomb });
    const facts = await expectAtHome(scene);
    expect(facts).toMatchObject({ ptz: { presets: [] }, inputs: [] });
    expect(facts.relays).toHaveLength(2);
  });
});
