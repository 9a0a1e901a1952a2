import { describe, expect, test } from 'vitest';
import type { CameraFacts } from '#edge/domain/camera.ts';
import type { MediaProfile } from '#edge/drivers/onvif/streams.ts';
import { chooseRoles, streamAddress } from '#edge/drivers/onvif/streams.ts';
import type { CameraProfile } from '#edge/simulators/camera-media.ts';
import { eventually, type SceneOptions, startScene, user } from './bench.ts';

function profile(token: string, width: number | null, more: Partial<MediaProfile> = {}): MediaProfile {
  const height = width === null ? null : Math.round((width * 9) / 16);
  return { token, codec: 'h264', width, height, frameRate: 25, source: 'V1', hasVideo: true, hasPtz: false, ...more };
}

function roles(...profiles: MediaProfile[]) {
  const { main, sub } = chooseRoles(profiles);
  return [main?.token, sub?.token];
}

describe('which stream is for what', () => {
  test('the largest is recorded, the smallest that is worth looking at is for walls, in any order', () => {
    expect(roles(profile('s', 640), profile('m', 2560), profile('x', 1280))).toEqual(['m', 's']);
    expect(roles(profile('m', 1920), profile('tiny', 176), profile('s', 352))).toEqual(['m', 's']);
    expect(roles(profile('m', 1920), profile('tiny', 176))).toEqual(['m', undefined]);
  });

  test('two of the same size are one', () => {
    expect(roles(profile('a', 1920), profile('b', 1920))).toEqual(['a', undefined]);
    expect(roles(profile('a', 1920, { frameRate: 12 }), profile('b', 1920))).toEqual(['b', undefined]);
  });

  test('of two small ones of the same size the wall takes the one that browsers show', () => {
    const sub265 = profile('h265', 640, { codec: 'h265' });
    expect(roles(profile('m', 1920, { codec: 'h265' }), sub265, profile('h264', 640))).toEqual(['m', 'h264']);
  });

  test('pictures in a row (JPEG) are taken only where there is nothing else', () => {
    const jpeg = profile('jpeg', 3840, { codec: 'other' });
    expect(roles(jpeg, profile('m', 1280))).toEqual(['m', undefined]);
    expect(roles(jpeg)).toEqual(['jpeg', undefined]);
  });

  test('of a device with several video sources only the first is this camera', () => {
    expect(roles(profile('a1', 1280), profile('b1', 3840, { source: 'V2' }), profile('a2', 640))).toEqual(['a1', 'a2']);
  });

  test('profiles without sizes are taken in their order, and those without video are none', () => {
    expect(roles(profile('audio', null, { hasVideo: false }), profile('a', null), profile('b', null))).toEqual([
      'a',
      'b',
    ]);
    expect(roles()).toEqual([undefined, undefined]);
  });
});

describe('the address of a stream', () => {
  const at = (uri: string, host = '10.0.3.7', password = 'lan-tian-88') => streamAddress(uri, { host, password });

  test.each([
    [
      'rtsp://192.168.1.64:554/Streaming/Channels/101?transportmode=unicast',
      'rtsp://10.0.3.7:554/Streaming/Channels/101?transportmode=unicast',
    ],
    ['rtsp://192.168.1.64/h264', 'rtsp://10.0.3.7/h264'],
    ['rtsp://192.168.1.64', 'rtsp://10.0.3.7/'],
    ['RTSPS://cam.local:322/x', 'rtsps://10.0.3.7:322/x'],
    ['rtsp://[fe80::1]:8554/main', 'rtsp://10.0.3.7:8554/main'],
    ['rtsp://admin:p@ss:w/rong@192.168.1.64:554/x', null],
    ['rtsp://admin:p@ss@192.168.1.64:554/x', 'rtsp://10.0.3.7:554/x'],
    ['rtsp:///live', 'rtsp://10.0.3.7/live'],
    ['rtsp://h/a b@c', 'rtsp://10.0.3.7/a%20b%40c'],
    ['rtsp://h/user=admin&password=lan-tian-88&channel=1', 'rtsp://10.0.3.7/user=admin&password={password}&channel=1'],
    ['http://192.168.1.64/video', null],
    ['file:///etc/passwd', null],
    ['rtsp://h:99999/x', null],
    ['', null],
    [`rtsp://h/${'x'.repeat(2000)}`, null],
  ])('%s becomes %s', (uri, expected) => {
    expect(at(uri)).toBe(expected);
  });

  test('of a camera with an IPv6 address has it in brackets', () => {
    expect(at('rtsp://192.168.1.64/x', 'fd00::7')).toBe('rtsp://[fd00::7]/x');
  });
});

const telling = (told: CameraFacts[]) => ({ onFacts: (facts: CameraFacts) => void told.push(facts) });

async function factsOf(options: SceneOptions): Promise<CameraFacts> {
  const told: CameraFacts[] = [];
  await using _scene = await startScene({ ...options, driver: telling(told) });
  await eventually(() => told.length).toBeGreaterThan(0);
  const [first] = told;
  if (first === undefined) throw new Error('no facts');
  return first;
}

const profiles = (encoding: CameraProfile['encoding']) => [
  { token: 'main', name: 'a', encoding, width: 2560, height: 1440, frameRate: 20 },
  { token: 'sub', name: 'b', encoding: 'H264' as const, width: 640, height: 360, frameRate: 10 },
];

describe('what a camera says of itself', () => {
  test.each(['wsse', 'digest', 'both'] as const)(
    'is told with its streams, presets and contacts (%s)',
    async (auth) => {
      const facts = await factsOf({
        camera: { auth, topicDialect: 'hikvision', model: 'DS-2DE4425', serial: 'S-77', rtsp: { port: 8554 } },
      });
      expect(facts).toMatchObject({
        device: 'gate-cam',
        maker: 'HIKVISION',
        model: 'DS-2DE4425',
        firmware: 'V5.7.3',
        serial: 'S-77',
        endpoint: expect.stringMatching(/^urn:uuid:[0-9a-f-]{36}$/),
        inputs: ['AlarmIn_1', 'AlarmIn_2'],
        relays: ['RelayOutput_1', 'RelayOutput_2'],
      });
      expect(facts.streams).toEqual([
        {
          role: 'main',
          profile: 'Profile_1',
          codec: 'h264',
          width: 1280,
          height: 720,
          frameRate: 25,
          uri: 'rtsp://127.0.0.1:8554/main',
        },
        {
          role: 'sub',
          profile: 'Profile_2',
          codec: 'h264',
          width: 640,
          height: 360,
          frameRate: 25,
          uri: 'rtsp://127.0.0.1:8554/sub',
        },
      ]);
      expect(facts.ptz?.home).toBe(true);
      expect(facts.ptz?.presets).toEqual([
        { token: '1', name: 'Gate' },
        { token: '2', name: 'Car park' },
        { token: 'P&3', name: 'Gate' },
      ]);
    },
  );

  test('is read from an H.265 camera by Media2, the only way it can say so', async () => {
    const { streams } = await factsOf({ camera: { profiles: profiles('H265') } });
    expect(streams.map(({ role, codec, width }) => [role, codec, width])).toEqual([
      ['main', 'h265', 2560],
      ['sub', 'h264', 640],
    ]);
  });

  test('is read by Media1 from one that offers Media2 and cannot speak it, and from one that has none', async () => {
    for (const media2 of ['broken', 'no'] as const) {
      const { streams } = await factsOf({ camera: { media2, profiles: profiles('H264') } });
      expect(streams.map(({ role, profile: token }) => [role, token])).toEqual([
        ['main', 'main'],
        ['sub', 'sub'],
      ]);
    }
  });

  test('is read from one that knows no GetServices, and has its relays in the device service', async () => {
    const facts = await factsOf({ camera: { lists: 'capabilities', topicDialect: 'tapo' } });
    expect(facts.streams).toHaveLength(2);
    expect(facts.ptz?.presets).toHaveLength(3);
    expect(facts.inputs).toEqual([]);
    expect(facts.relays).toHaveLength(2);
  });

  test('of a fixed camera without contacts has none of them', async () => {
    const facts = await factsOf({ camera: { ptz: false, inputs: 0, relays: [] } });
    expect(facts).toMatchObject({ ptz: null, inputs: [], relays: [] });
  });

  test('names only addresses at the configured host, without a password, whatever the camera claims', async () => {
    const uri = `rtsp://${user.username}:${user.password}@192.168.1.64:554/live`;
    const [main] = profiles('H264');
    if (main === undefined) throw new Error('no profile');
    const { streams } = await factsOf({ camera: { claims: 'http://192.168.1.64', profiles: [{ ...main, uri }] } });
    expect(streams.map((stream) => stream.uri)).toEqual(['rtsp://127.0.0.1:554/live']);
  });

  test.each(['wsse', 'digest', 'both'] as const)(
    'is told as far as its user may know it: a right that is missing is no wrong password (%s)',
    async (auth) => {
      const told: CameraFacts[] = [];
      const mayNot = ['GetRelayOutputs', 'GetDigitalInputs', 'GetPresets', 'GetEndpointReference'];
      await using scene = await startScene({ camera: { auth, mayNot }, driver: telling(told) });
      await eventually(() => told.length).toBeGreaterThan(0);
      expect(told[0]).toMatchObject({ ptz: { presets: [] }, inputs: [], relays: [] });
      expect(told[0]?.streams).toHaveLength(2);
      const before = scene.heard.count('pull') + scene.heard.count('pull-empty');
      await eventually(() => scene.heard.count('pull') + scene.heard.count('pull-empty')).toBeGreaterThan(before + 1);
      expect(scene.heard.last()).toMatch(/^online/);
      expect(scene.heard.count('held')).toBe(0);
    },
  );

  test('is read again when the camera is back, and is told anew', async () => {
    const told: CameraFacts[] = [];
    await using scene = await startScene({ driver: telling(told), timings: { factsGap: 100 } });
    await eventually(() => told.length).toBe(1);
    await scene.camera.fault('reboot');
    await eventually(() => scene.heard.last()).toMatch(/^offline/);
    await scene.camera.fault('none');
    await eventually(() => told.length).toBeGreaterThan(1);
  });

  test('is told even when it refuses its events, and what is wrong with it stays said', async () => {
    const told: CameraFacts[] = [];
    await using scene = await startScene({
      before: (camera) => camera.fault('createFault'),
      driver: telling(told),
      timings: { factsGap: 100, factsAfter: 20 },
    });
    await eventually(() => told.length).toBeGreaterThan(0);
    expect(told[0]?.streams).toHaveLength(2);
    expect(scene.heard.last()).toMatch(/^degraded: camera .* refuses CreatePullPointSubscription/);
    expect(scene.heard.healths.every(({ message }) => message !== '')).toBe(true);
  });

  test('is read every hour', async () => {
    const told: CameraFacts[] = [];
    const timings = { factsGap: 50, factsEvery: 200, factsAfter: 10 };
    await using _scene = await startScene({ driver: telling(told), timings });
    await eventually(() => told.length).toBeGreaterThanOrEqual(3);
  });
});
