import { describe, expect, test } from 'vitest';
import type { DeviceId, HappeningId, PointName } from '#edge/domain/ids.ts';
import type { Command } from '#edge/domain/output.ts';
import type { Value } from '#edge/domain/reading.ts';
import { readSpan } from '#edge/drivers/onvif/device-io.ts';
import { portIndex } from '#edge/drivers/onvif/device-io-states.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import type { CameraDialect } from '#edge/simulators/camera-dialects.ts';
import { eventually, type Scene, type SceneOptions, startScene, streaming } from './bench.ts';

const points = ['relay_1', 'relay_2', 'relay_1_pulse', 'relay_2_pulse', 'relay_3', 'input_1', 'input_2'];
let asked = 0;

function write(scene: Scene, point: string, value: Value) {
  const now = systemClock.now();
  const command: Command = {
    id: `write-${++asked}` as HappeningId,
    device: 'gate-cam' as DeviceId,
    point: point as PointName,
    value,
    priority: 8,
    issued: now,
    expires: now + 20_000,
    until: null,
  };
  const writing = scene.session.write?.(command, new AbortController().signal);
  if (writing === undefined) throw new Error('takes no commands');
  return writing;
}

async function ioScene(options: SceneOptions = {}): Promise<Scene> {
  const scene = await startScene({ points, ...options, timings: { factsAfter: 20, ...options.timings } });
  await streaming(scene);
  await eventually(() => scene.heard.count('facts')).toBeGreaterThan(0);
  return scene;
}

const lastValue = (scene: Scene, point: string) =>
  scene.heard.samples.findLast((sample) => sample.point === point)?.value;

describe('a relay of a camera', () => {
  test.each(['hikvision', 'tapo', 'reolink', 'axis'] as const)(
    'is switched, and its event proves it (%s)',
    async (topicDialect) => {
      await using scene = await ioScene({ camera: { topicDialect } });
      await eventually(() => lastValue(scene, 'relay_1')).toBe(false);
      expect(await write(scene, 'relay_1', true)).toMatchObject({ outcome: 'done', value: true });
      expect(scene.camera.relay(1)).toBe(true);
      expect(lastValue(scene, 'relay_1')).toBe(true);
      expect(await write(scene, 'relay_1', true)).toMatchObject({ outcome: 'done', value: true });
      expect(await write(scene, 'relay_1', false)).toMatchObject({ outcome: 'done', value: false });
      expect(scene.camera.relay(1)).toBe(false);
    },
  );

  test('that never speaks of itself is switched without proof', async () => {
    await using scene = await ioScene({ camera: { muteRelays: true } });
    expect(await write(scene, 'relay_1', true)).toMatchObject({ outcome: 'sent', value: true });
    expect(scene.camera.relay(1)).toBe(true);
    expect(lastValue(scene, 'relay_1')).toBeUndefined();
  });

  test('that falls back by itself is pressed, not held', async () => {
    await using scene = await ioScene();
    expect(await write(scene, 'relay_2', true)).toMatchObject({
      outcome: 'refused',
      message:
        'relay RelayOutput_2 of the camera is monostable and falls back by itself after 1 s: press relay_2_pulse, or set it to bistable on the camera',
    });
    expect(await write(scene, 'relay_2_pulse', true)).toMatchObject({ outcome: 'done', value: true });
    await eventually(() => scene.camera.relay(2)).toBe(false);
    await eventually(() => lastValue(scene, 'relay_2')).toBe(false);
    expect(await write(scene, 'relay_1_pulse', true)).toMatchObject({
      outcome: 'refused',
      message: expect.stringMatching(/is bistable and stays: use relay_1/),
    });
  });

  test.each([
    ['relay_3', true, /has 2 relays, not 3/],
    ['relay_1', 'on', /takes true or false/],
    ['relay_2_pulse', false, /pressed with true/],
    ['input_1', true, /cannot be written/],
  ])('%s does not take %j', async (point, value, message) => {
    await using scene = await ioScene();
    expect(await write(scene, point, value)).toMatchObject({
      outcome: 'refused',
      message: expect.stringMatching(message),
    });
  });
});

describe('a digital input of a camera', () => {
  test.each(['hikvision', 'tapo', 'reolink', 'axis'] satisfies CameraDialect[])(
    'is told as its point and as an event, in the words of its maker (%s)',
    async (topicDialect) => {
      await using scene = await ioScene({ camera: { topicDialect } });
      await eventually(() => lastValue(scene, 'input_1')).toBe(false);
      scene.camera.input(2, true);
      await eventually(() => lastValue(scene, 'input_2')).toBe(true);
      expect(lastValue(scene, 'input_1')).toBe(false);
      await eventually(() => scene.heard.events.map(({ type, active }) => [type, active])).toContainEqual([
        'digital_input',
        true,
      ]);
      scene.camera.input(2, false);
      await eventually(() => lastValue(scene, 'input_2')).toBe(false);
    },
  );

  test('is unknown while the camera is away', async () => {
    await using scene = await ioScene();
    await eventually(() => lastValue(scene, 'input_1')).toBe(false);
    await scene.camera.fault('reboot');
    const last = () => scene.heard.samples.findLast(({ point }) => point === 'input_1');
    await eventually(() => last()?.quality).toBe('bad');
    await scene.camera.fault('none');
    await eventually(() => last()?.value).toBe(false);
  });
});

test.each([
  [['AlarmIn_1', 'AlarmIn_2'], 'AlarmIn_2', false, 2],
  [['AlarmIn_1', 'AlarmIn_2'], 'alarmin_1', false, 1],
  [['DigitInput_1', 'DigitInput_2'], '2', false, 2],
  [['only'], 'something else', false, 1],
  [['only'], 'port7', false, 1],
  [['a', 'b'], 'c', false, null],
  [[], 'AlarmIn_3', false, 3],
  [[], '0', true, 1],
  [[], 'AlarmIn_77', false, null],
  [[], '', false, 1],
])('of the contacts %j an event about %j is about number %j', (tokens, token, fromZero, expected) => {
  expect(portIndex(tokens, token, fromZero)).toBe(expected);
});

test.each([
  ['PT5S', 5_000],
  ['PT0.5S', 500],
  ['PT1M', 60_000],
  ['PT0S', null],
  ['5', null],
])('the span %s is %j ms', (text, expected) => {
  expect(readSpan(text)).toBe(expected);
});
