import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually, startScene, streaming } from './bench.ts';

describe('an onvif camera that works', () => {
  test.each([
    ['wsse', 'hikvision'],
    ['digest', 'reolink'],
    ['both', 'tapo'],
    ['both', 'axis'],
  ] as const)(
    'with %s and the words of %s tells of a person, with a picture, and of the end',
    async (auth, topicDialect) => {
      await using scene = await startScene({ camera: { auth, topicDialect } });
      await streaming(scene);
      const { heard, camera } = scene;
      expect(heard.events).toEqual([]);
      const started = Date.now();
      camera.person();
      await eventually(() => heard.events.filter((event) => event.type === 'person').length).toBe(2);
      const [begin, end] = heard.events.filter((event) => event.type === 'person');
      expect(begin).toMatchObject({ active: true });
      expect(end).toMatchObject({ active: false });
      expect(Math.abs((begin?.time ?? 0) - started)).toBeLessThan(5_000);
      expect(Math.abs((begin?.sourceTime ?? 0) - started)).toBeLessThan(5_000);
      expect(begin?.data.topic).toMatch(/^tns1:/);
      expect(begin?.snapshot).toMatch(/^\d{4}-\d\d-\d\d\/[0-9a-f-]{36}\.jpg$/);
      expect(end?.snapshot).toBeUndefined();
      const picture = join(scene.folder, begin?.snapshot ?? 'none');
      await eventually(async () => (await readFile(picture).catch(() => Buffer.alloc(0))).length).toBeGreaterThan(
        10_000,
      );
      expect(camera.passwordTries).toBe(0);
    },
  );

  test('says what it knows when it is read', async () => {
    await using scene = await startScene();
    const before = await scene.session.read(scene.device.points, AbortSignal.timeout(1000));
    expect(before.every((sample) => sample.quality === 'bad' && sample.reason === 'never-read')).toBe(true);
    await streaming(scene);
    scene.camera.motion(true);
    await eventually(async () => {
      const samples = await scene.session.read(scene.device.points, AbortSignal.timeout(1000));
      return Object.fromEntries(samples.map((sample) => [sample.point, sample.value]));
    }).toEqual({ online: true, events: true, motion: true, person: false, clock_skew: expect.any(Number) });
  });

  test('gives its subscription back when it is closed', async () => {
    const scene = await startScene();
    await streaming(scene);
    expect(scene.camera.subscriptions).toBe(1);
    await scene.session[Symbol.asyncDispose]();
    expect(scene.camera.subscriptions).toBe(0);
    await scene[Symbol.asyncDispose]();
  });
});
