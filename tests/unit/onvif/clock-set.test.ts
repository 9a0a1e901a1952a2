import { describe, expect, test } from 'vitest';
import { eventually, type SceneOptions, startScene, streaming } from './bench.ts';

async function clockScene(options: SceneOptions) {
  const scene = await startScene({ ...options, timings: { factsAfter: 20, ...options.timings } });
  await streaming(scene);
  await eventually(() => scene.heard.count('facts')).toBeGreaterThan(0);
  return scene;
}

const hand = { keepsTime: 'Manual', clockOffset: -47_000 } as const;

describe('the clock of a camera', () => {
  test.each(['wsse', 'digest'] as const)(
    'that is set by hand and wrong is put right, where the site says so (%s)',
    async (auth) => {
      await using scene = await clockScene({ camera: { ...hand, auth }, driver: { setClocks: true } });
      expect(Math.abs(scene.camera.clockOffset)).toBeLessThan(3_000);
      expect(scene.heard.count('clock-set')).toBe(1);
      await eventually(() => scene.heard.samples.findLast(({ point }) => point === 'clock_skew')?.value).toSatisfy(
        (skew) => Math.abs(Number(skew)) <= 2,
      );
      expect(scene.heard.last()).toMatch(/^online: events are flowing \([^)]*\)$/);
    },
  );

  test('is left alone where the site does not say so, and told', async () => {
    await using scene = await clockScene({ camera: hand });
    expect(scene.camera.clockOffset).toBe(-47_000);
    await eventually(() => scene.heard.last()).toMatch(
      /its clock is 4[678] s behind and is set by hand \(setClocks is off\)/,
    );
  });

  test('that is set by hand and right enough is not touched', async () => {
    await using scene = await clockScene({
      camera: { keepsTime: 'Manual', clockOffset: 3_000 },
      driver: { setClocks: true },
    });
    expect(scene.camera.clockOffset).toBe(3_000);
    expect(scene.heard.last()).not.toMatch(/clock/);
  });

  test('that keeps time by NTP is never set; far off, it is told', async () => {
    await using scene = await clockScene({
      camera: { clockOffset: 95_000, auth: 'wsse' },
      driver: { setClocks: true },
    });
    expect(scene.camera.clockOffset).toBe(95_000);
    await eventually(() => scene.heard.last()).toMatch(/its clock is 9[3456] s ahead though it keeps time by NTP/);
  });

  test('20 s off by NTP is within what the overlay may be', async () => {
    await using scene = await clockScene({ camera: { clockOffset: 20_000 } });
    expect(scene.heard.last()).not.toMatch(/clock is/);
  });

  test('whose user may not set it is told as wrong, and the camera is not held', async () => {
    const camera = { ...hand, mayNot: ['SetSystemDateAndTime'] };
    await using scene = await clockScene({ camera, driver: { setClocks: true } });
    await eventually(() => scene.heard.last()).toMatch(
      /its clock was 4[678] s behind and could not be set: the camera refuses/,
    );
    expect(scene.heard.count('held')).toBe(0);
  });

  test('that jumps while it is spoken to is spoken to in its new time', async () => {
    const timings = { factsGap: 50, factsEvery: 100, factsAfter: 10 };
    await using scene = await clockScene({ camera: { auth: 'wsse' }, timings });
    scene.camera.setClock(3 * 3_600_000);
    await eventually(() => scene.heard.samples.findLast(({ point }) => point === 'clock_skew')?.value).toSatisfy(
      (skew) => Math.abs(Number(skew) - 10_800) <= 2,
    );
    await streaming(scene);
    expect(scene.heard.count('held')).toBe(0);
    expect(scene.camera.passwordTries).toBe(0);
  });
});
