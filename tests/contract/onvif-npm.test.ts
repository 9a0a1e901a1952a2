import { Cam } from 'onvif';
import { describe, expect, test } from 'vitest';
import type { Camera, CameraOptions } from '#edge/simulators/camera.ts';
import { startCamera } from '#edge/simulators/camera.ts';
import { cameraOptions, user } from '../unit/onvif/bench.ts';

/*
 * Another client nobody here wrote, whole, with its own transport: npm onvif logs in to the simulated camera, moves it and hears it.
 * (The driver takes only words from it.)
 */

type Done<T> = (error: Error | null, data?: T) => void;

function ask<T>(start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, data) => (error ? reject(error) : resolve(data as T)));
  });
}

async function connect(camera: Camera, password = user.password): Promise<Cam> {
  const cam = new Cam({
    hostname: camera.host,
    port: camera.port,
    username: user.username,
    password,
    autoconnect: false,
    timeout: 15_000,
  });
  await ask<void>((done) => cam.connect((error) => done(error ?? null)));
  return cam;
}

const rig = (overrides: Partial<CameraOptions>) =>
  startCamera(cameraOptions({ topicDialect: 'hikvision', rtsp: { port: 8554 }, ...overrides }));

describe('npm onvif', () => {
  test.each(['wsse', 'digest'] as const)(
    'reads what the simulated camera is, its profiles and its streams (%s)',
    async (auth) => {
      await using camera = await rig({ auth });
      const cam = await connect(camera);
      const about = await ask<{ manufacturer?: string; model?: string }>((done) => cam.getDeviceInformation(done));
      expect(about).toMatchObject({ manufacturer: 'HIKVISION', model: 'DS-2CD2143' });
      expect(cam.media2Support).toBe(true);
      expect(cam.profiles?.map((profile) => profile.$.token)).toEqual(['Profile_1', 'Profile_2']);
      const uri = await ask<{ uri: string }>((done) =>
        cam.getStreamUri({ protocol: 'RTSP', profileToken: 'Profile_2' }, done),
      );
      expect(uri.uri).toBe('rtsp://127.0.0.1:8554/sub');
      expect(camera.passwordTries).toBe(0);
    },
  );

  test('reads its presets (two of the same name are one to it), and moves it', async () => {
    await using camera = await rig({ auth: 'wsse' });
    const cam = await connect(camera);
    const presets = await ask<Record<string, string>>((done) => cam.getPresets({ profileToken: 'Profile_1' }, done));
    expect(Object.keys(presets).sort()).toEqual(['Car park', 'Gate']);
    await ask<unknown>((done) => cam.gotoPreset({ profileToken: 'Profile_1', preset: '2' }, done));
    await expect.poll(() => camera.position.pan, { timeout: 20_000 }).toBeCloseTo(0.5, 2);
    await ask<unknown>((done) => cam.continuousMove({ profileToken: 'Profile_1', x: -1, y: 0, zoom: 0 }, done));
    expect(camera.isMoving).toBe(true);
    await ask<unknown>((done) => cam.stop({ profileToken: 'Profile_1', panTilt: true, zoom: true }, done));
    expect(camera.isMoving).toBe(false);
  });

  test('sets its clock', async () => {
    await using camera = await rig({ auth: 'wsse', clockOffset: 3_000_000, keepsTime: 'Manual' });
    const cam = await connect(camera);
    const now = new Date();
    await ask<unknown>((done) =>
      cam.setSystemDateAndTime({ dateTimeType: 'Manual', dateTime: now, daylightSavings: false }, done),
    );
    expect(Math.abs(camera.clockOffset)).toBeLessThan(5_000);
  });

  test('hears its events', async () => {
    await using camera = await rig({ auth: 'wsse' });
    const cam = await connect(camera);
    const topics: string[] = [];
    cam.on('event', (message: { topic?: { _?: string } }) => topics.push(message.topic?._ ?? ''));
    await expect.poll(() => camera.subscriptions, { timeout: 20_000 }).toBe(1);
    camera.input(1, true);
    await expect.poll(() => topics, { timeout: 20_000 }).toContain('tns1:Device/Trigger/tnshik:AlarmIn');
    cam.removeAllListeners('event');
  });
});
