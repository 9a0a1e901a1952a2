import { describe, expect, test } from 'vitest';
import type { DeviceId, HappeningId, PointName } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import { parseVelocity } from '#edge/drivers/onvif/ptz.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { eventually, type Scene, type SceneOptions, startScene, streaming } from './bench.ts';

const points = ['ptz_preset', 'ptz_home', 'ptz_move'];
let asked = 0;

function press(scene: Scene, point: string, value: Value, life = 20_000) {
  const now = systemClock.now();
  const command: Command = {
    id: `press-${++asked}` as HappeningId,
    device: 'gate-cam' as DeviceId,
    point: point as PointName,
    value,
    priority: 8,
    issued: now,
    expires: now + life,
    until: null,
  };
  const write = scene.session.write?.(command, new AbortController().signal);
  if (write === undefined) throw new Error('takes no commands');
  return write;
}

async function ptzScene(options: SceneOptions = {}): Promise<Scene> {
  const scene = await startScene({
    points,
    ...options,
    timings: { deadMan: 300, statusEvery: 50, homeRetry: 50, factsAfter: 20, ...options.timings },
  });
  await streaming(scene);
  return scene;
}

const operations = (scene: Scene) => scene.camera.movements.map(({ operation }) => operation);
const details = (scene: Scene, operation: string) =>
  scene.camera.movements.filter((one) => one.operation === operation).map(({ detail }) => detail);

describe('moving a camera', () => {
  test.each(['wsse', 'digest'] as const)(
    'goes to a preset by its token, and proves where it looks (%s)',
    async (auth) => {
      await using scene = await ptzScene({ camera: { auth } });
      expect(await press(scene, 'ptz_preset', '2')).toMatchObject({ outcome: 'sent', value: '2' });
      await eventually(() => scene.camera.position.pan).toBeCloseTo(0.5, 2);
      await eventually(() => scene.heard.samples.findLast(({ point }) => point === 'ptz_preset')?.value).toBe('2');
      expect(await press(scene, 'ptz_move', '0 0.5 0')).toMatchObject({ outcome: 'sent' });
      expect(scene.heard.samples.findLast(({ point }) => point === 'ptz_preset')?.value).toBe('');
    },
  );

  test('takes a token that would break XML, and a name that only one preset has', async () => {
    await using scene = await ptzScene();
    expect(await press(scene, 'ptz_preset', 'P&3')).toMatchObject({ outcome: 'sent', value: 'P&3' });
    expect(await press(scene, 'ptz_preset', 'Car park')).toMatchObject({ outcome: 'sent', value: '2' });
    // Two presets are called so: nobody knows which is meant.
    expect(await press(scene, 'ptz_preset', 'Gate')).toMatchObject({
      outcome: 'refused',
      message: 'the camera has no preset "Gate": it has 1, 2, P&3',
    });
    expect(details(scene, 'GotoPreset')).toEqual(['P&3', '2']);
  });

  test('finds a preset that was made at the camera since, and does not look for one that is not there again and again', async () => {
    await using scene = await ptzScene({ timings: { factsGap: 0 } });
    expect(await press(scene, 'ptz_preset', '9')).toMatchObject({ outcome: 'refused' });
    scene.camera.addPreset({ token: '9', name: 'New', position: { pan: 0, tilt: 0.5, zoom: 0 } });
    expect(await press(scene, 'ptz_preset', '9')).toMatchObject({ outcome: 'sent', value: '9' });
    await using busy = await ptzScene({ timings: { factsGap: 60_000 } });
    for (let i = 0; i < 5; i++) await press(busy, 'ptz_preset', '77');
    expect(busy.heard.count('facts')).toBe(1);
  });

  test('ends by itself when nobody asks for it again', async () => {
    await using scene = await ptzScene();
    expect(await press(scene, 'ptz_move', '-0.5 0 0')).toMatchObject({ outcome: 'sent' });
    expect(scene.camera.isMoving).toBe(true);
    await eventually(() => operations(scene)).toContain('Stop');
    expect(scene.camera.isMoving).toBe(false);
    expect(scene.heard.count('ptz-dead-man')).toBe(1);
    // The camera was told to end it by itself, too.
    expect(details(scene, 'ContinuousMove')).toEqual(['-0.5 0 0 PT2S']);
  });

  test('goes on while it is asked for again, and the camera need not hear each time', async () => {
    await using scene = await ptzScene({ timings: { deadMan: 1_500 } });
    for (let i = 0; i < 6; i++) expect(await press(scene, 'ptz_move', '0 0 0.4')).toMatchObject({ outcome: 'sent' });
    expect(details(scene, 'ContinuousMove').length).toBeLessThanOrEqual(2);
    expect(scene.heard.count('ptz-dead-man')).toBe(0);
    expect(await press(scene, 'ptz_move', '0 0 0')).toMatchObject({ outcome: 'sent' });
    expect(scene.camera.isMoving).toBe(false);
    expect(operations(scene).at(-1)).toBe('Stop');
  });

  test('stops when the driver goes', async () => {
    const scene = await ptzScene({ timings: { deadMan: 60_000 } });
    await press(scene, 'ptz_move', '1 0 0');
    const { camera } = scene;
    await scene.session[Symbol.asyncDispose]();
    expect(operations(scene).at(-1)).toBe('Stop');
    expect(camera.isMoving).toBe(false);
    await scene[Symbol.asyncDispose]();
  });

  test('stops a moving camera before it goes to a preset', async () => {
    await using scene = await ptzScene({ timings: { deadMan: 60_000 } });
    await press(scene, 'ptz_move', '1 0 0');
    await press(scene, 'ptz_preset', '1');
    expect(operations(scene)).toEqual(['ContinuousMove', 'Stop', 'GotoPreset']);
  });

  test('copes with a camera that takes no time limit', async () => {
    await using scene = await ptzScene({ camera: { ptzQuirk: 'noTimeout' } });
    expect(await press(scene, 'ptz_move', '0.5 0 0')).toMatchObject({ outcome: 'sent' });
    expect(details(scene, 'ContinuousMove')).toEqual(['0.5 0 0']);
    await eventually(() => operations(scene)).toContain('Stop');
  });

  test('copes with a camera that has no Stop, and with one that does not say where it is', async () => {
    await using noStop = await ptzScene({ camera: { ptzQuirk: 'noStop' } });
    await press(noStop, 'ptz_move', '0.5 0 0');
    await eventually(() => details(noStop, 'ContinuousMove')).toContain('0 0 0');
    expect(noStop.camera.isMoving).toBe(false);
    await using noStatus = await ptzScene({ camera: { ptzQuirk: 'noStatus' } });
    expect(await press(noStatus, 'ptz_preset', '1')).toMatchObject({ outcome: 'sent', value: '1' });
  });

  test("goes to the camera's own home position, or says that it has none", async () => {
    await using scene = await ptzScene();
    expect(await press(scene, 'ptz_home', true)).toMatchObject({ outcome: 'sent', value: true });
    expect(operations(scene)).toEqual(['GotoHomePosition']);
    await using without = await ptzScene({ camera: { ptzQuirk: 'noHome' } });
    expect(await press(without, 'ptz_home', true)).toMatchObject({
      outcome: 'refused',
      message: expect.stringMatching(/No home position/),
    });
  });

  test.each([
    ['ptz_move', 'left', /three numbers from -1 to 1/],
    ['ptz_move', '2 0 0', /three numbers from -1 to 1/],
    ['ptz_move', true, /pan tilt zoom/],
    ['ptz_preset', '', /token of a preset/],
    ['ptz_home', false, /pressed with true/],
    ['online', true, /cannot be written/],
  ])('%s does not take %j', async (point, value, message) => {
    await using scene = await ptzScene();
    expect(await press(scene, point, value)).toMatchObject({
      outcome: 'refused',
      message: expect.stringMatching(message),
    });
    expect(operations(scene)).toEqual([]);
  });

  test('a fixed camera says that it cannot be moved', async () => {
    await using scene = await ptzScene({ camera: { ptz: false } });
    expect(await press(scene, 'ptz_preset', '1')).toMatchObject({
      outcome: 'refused',
      message: expect.stringMatching(/no PTZ/),
    });
  });

  test('a camera that is not there is not moved later', async () => {
    await using scene = await ptzScene();
    await eventually(() => scene.heard.count('facts')).toBe(1);
    await scene.camera.fault('reboot');
    await eventually(() => scene.heard.last()).toMatch(/^offline/);
    expect(await press(scene, 'ptz_preset', '1')).toMatchObject({ outcome: 'failed' });
    expect(await press(scene, 'ptz_preset', '1', -1)).toMatchObject({ outcome: 'expired' });
    await scene.camera.fault('none');
    await streaming(scene);
    expect(operations(scene)).toEqual([]);
  });

  test('a user who may not move it is told so, and is not taken for a wrong password', async () => {
    await using scene = await ptzScene({ camera: { auth: 'digest', mayNot: ['GotoPreset'] } });
    for (let i = 0; i < 3; i++) {
      expect(await press(scene, 'ptz_preset', '1')).toMatchObject({
        outcome: 'refused',
        message: expect.stringMatching(/may not do GotoPreset/),
      });
    }
    expect(scene.heard.count('held')).toBe(0);
    expect(scene.heard.last()).toMatch(/^online/);
  });
});

describe('a camera with a home in the site file', () => {
  const homeOf = (preset?: string) => () => ({ after: 150, ...(preset === undefined ? {} : { preset }) });

  test('goes back to its preset when nobody has moved it for a while', async () => {
    await using scene = await ptzScene({ driver: { homeOf: homeOf('1') } });
    await eventually(() => details(scene, 'GotoPreset')).toEqual(['1']);
    await press(scene, 'ptz_preset', '2');
    await eventually(() => details(scene, 'GotoPreset')).toEqual(['1', '2', '1']);
    expect(await press(scene, 'ptz_home', true)).toMatchObject({ outcome: 'sent', value: true });
    expect(details(scene, 'GotoPreset')).toEqual(['1', '2', '1', '1']);
  });

  test('and to its own home position where no preset is named', async () => {
    await using scene = await ptzScene({ driver: { homeOf: homeOf() } });
    await press(scene, 'ptz_move', '1 0 0');
    await eventually(() => operations(scene)).toContain('GotoHomePosition');
    await eventually(() => scene.heard.count('ptz-home')).toBeGreaterThan(0);
  });

  test('tries again when it was not to be had', async () => {
    await using scene = await ptzScene({ driver: { homeOf: () => ({ after: 400, preset: '1' }) } });
    await eventually(() => scene.heard.count('facts')).toBe(1);
    await scene.camera.fault('http503');
    await eventually(() => scene.heard.count('ptz-home-failed')).toBeGreaterThan(0);
    await scene.camera.fault('none');
    await eventually(() => details(scene, 'GotoPreset')).toContain('1');
  });
});

test.each([
  ['0 0 0', { pan: 0, tilt: 0, zoom: 0 }],
  [' -1  +0.5 .25 ', { pan: -1, tilt: 0.5, zoom: 0.25 }],
  ['1 2 3', null],
  ['0 0', null],
  ['0 0 0 0', null],
  ['1e-1 0 0', null],
  ['NaN 0 0', null],
])('the movement "%s" is %j', (text, expected) => {
  expect(parseVelocity(text)).toEqual(expected);
});
