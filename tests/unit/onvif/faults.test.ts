import { describe, expect, test } from 'vitest';
import { defaultTimings } from '#edge/drivers/onvif/timings.ts';
import type { CameraFault } from '#edge/simulators/camera.ts';
import { closest, eventually, startScene, streaming } from './bench.ts';

/** What the page says meanwhile. */
const faults: readonly (readonly [CameraFault, RegExp])[] = [
  ['reboot', /offline: camera 127\.0\.0\.1:\d+ refuses the connection; next try in/],
  ['rst', /hung up in the middle of an answer; next try in/],
  ['html', /degraded: camera \S+ answers HTML instead of ONVIF \(HTTP 200\); next try in/],
  ['http503', /degraded: camera \S+ answers HTTP 503; next try in/],
  ['brokenXml', /degraded: camera \S+ sends broken XML .*; next try in/],
  ['truncated', /hung up in the middle of an answer; next try in/],
  ['empty', /answers nothing instead of ONVIF/],
  ['entities', /sent a document type definition: refused/],
  ['huge', /with more than 600000 bytes/],
  ['pullFault', /degraded: camera \S+ refuses PullMessages: Internal error 0x42; next try in/],
  ['createFault', /refuses CreatePullPointSubscription: Internal error 0x41/],
  ['forgetful', /has forgotten our event subscription/],
];

describe('an onvif camera that fails', () => {
  test.each(faults)('with %s is told of, tried again, and heard again when it heals', async (fault, said) => {
    await using scene = await startScene();
    await streaming(scene);
    const { camera, heard } = scene;
    await camera.fault(fault);
    // A subscription that lives is not created again: these two only show on a new one.
    if (fault === 'createFault') {
      await camera.fault('reboot');
      await camera.fault('createFault');
    }
    if (fault === 'forgetful' || fault === 'pullFault') camera.motion(true);
    await eventually(() => heard.healths.map(({ state, message }) => `${state}: ${message}`).join('\n')).toMatch(said);
    const attempts = heard.count('attempt');
    await eventually(() => heard.count('attempt')).toBeGreaterThan(attempts + 2);
    await camera.fault('none');
    await streaming(scene);
    const before = heard.events.length;
    camera.person();
    await eventually(() => heard.events.slice(before).map((event) => event.type)).toContain('person');
    expect(camera.passwordTries).toBe(0);
  });

  test('that hangs is given up after its time and heard again when it wakes', async () => {
    await using scene = await startScene({ timings: { answer: 150, pull: 150, pullMargin: 100 } });
    await streaming(scene);
    await scene.camera.fault('hang');
    await eventually(() => scene.heard.last()).toMatch(/offline: .* did not answer \w+ within 1 s/);
    await scene.camera.fault('none');
    await streaming(scene);
    scene.camera.lineCrossed();
    await eventually(() => scene.heard.events.map((event) => event.type)).toContain('line_cross');
    expect(scene.heard.events.find((event) => event.type === 'line_cross')).not.toHaveProperty('active');
  });

  test('with a full subscription table is left alone for the termination time, and says so', async () => {
    await using scene = await startScene({
      timings: { termination: 2_000 },
      before: (camera) => camera.fault('subscriptionsFull'),
    });
    const { camera, heard } = scene;
    await eventually(() => heard.last()).toMatch(/degraded: .* no free event subscription .*; next try in 2 s/);
    await camera.fault('none');
    await streaming(scene);
    const creates = camera.requests.filter(({ operation }) => operation === 'CreatePullPointSubscription');
    expect(creates).toHaveLength(2);
    expect(closest(creates.map(({ at }) => at))).toBeGreaterThanOrEqual(2_000);
  });

  test('whose clock is 200 days off is spoken to in its own time, and its events carry ours', async () => {
    await using scene = await startScene({ camera: { auth: 'wsse' } });
    await streaming(scene);
    const { camera, heard } = scene;
    await camera.fault('wrongClock');
    await eventually(() => heard.samples.find((s) => s.point === 'clock_skew' && Number(s.value) < -1e7)).toBeDefined();
    await streaming(scene);
    const started = Date.now();
    camera.person();
    await eventually(() => heard.events.map((event) => event.type)).toContain('person');
    const event = heard.events.find(({ type }) => type === 'person');
    expect(Math.abs((event?.time ?? 0) - started)).toBeLessThan(5_000);
    expect(event?.sourceTime).toBeLessThan(started - 199 * 86_400_000);
    expect(event?.data.clockSkew).toBeLessThan(-199 * 86_400);
    expect(camera.passwordTries).toBe(0);
  });

  test.each(['ampersand', 'missingTimes', 'offsetTimes', 'renewFault'] as const)(
    'that only writes oddly (%s) is understood',
    async (fault) => {
      await using scene = await startScene({
        timings: { termination: 1_000 },
        before: (camera) => camera.fault(fault),
      });
      const { camera, heard } = scene;
      await streaming(scene);
      camera.emit({
        topic: 'tns1:VideoSource/MotionAlarm//.',
        source: { Source: 'A & B' },
        data: { State: 'true' },
        operation: 'Changed',
      });
      await eventually(() => heard.events.filter((event) => event.type === 'motion').length).toBe(1);
      expect(heard.events[0]?.data).toMatchObject({ topic: 'tns1:VideoSource/MotionAlarm', Source: 'A & B' });
    },
  );

  test('that closes idle pulls is not asked in a storm and is not called broken', async () => {
    await using scene = await startScene({ timings: { idleClose: 100 } });
    await streaming(scene);
    const { camera, heard } = scene;
    const subscribed = heard.count('subscribe');
    await camera.fault('pullClose');
    await eventually(() => heard.count('idle-close')).toBeGreaterThan(3);
    expect(heard.count('subscribe')).toBe(subscribed);
    expect(heard.last()).toMatch(/^online/);
  });

  test('is asked at most once a second for its events, whatever it does, at the real pace', async () => {
    const real = { attemptGap: defaultTimings.attemptGap, backoffFirst: 20, backoffCap: 20 };
    // A tenth is left to a busy machine: attempts leave 1.1 s apart and are counted where they arrive.
    const second = 900;
    await using scene = await startScene({ timings: real });
    const { camera, heard } = scene;
    await streaming(scene);
    const from = camera.connections.length;
    await camera.fault('rst');
    await eventually(() => camera.connections.length - from).toBeGreaterThanOrEqual(3);
    expect(closest(camera.connections.slice(from))).toBeGreaterThanOrEqual(second);
    await camera.fault('impatient');
    await eventually(() => heard.last()).toMatch(/^online/);
    const pulls = () => camera.requests.filter(({ operation }) => operation === 'PullMessages').map(({ at }) => at);
    const seen = pulls().length;
    await eventually(() => pulls().length).toBeGreaterThanOrEqual(seen + 2);
    expect(closest(pulls().slice(seen))).toBeGreaterThanOrEqual(second);
  });

  test('that subscribes but never lets pull is asked ever more slowly', async () => {
    await using scene = await startScene({
      timings: { attemptGap: 20, backoffFirst: 40, backoffCap: 2_000 },
      before: (camera) => camera.fault('pullFault'),
    });
    const creates = () => scene.camera.requests.filter(({ operation }) => operation === 'CreatePullPointSubscription');
    await eventually(() => creates().length).toBeGreaterThanOrEqual(6);
    const [a, b] = [creates().at(-1)?.at ?? 0, creates().at(-2)?.at ?? 0];
    expect(a - b).toBeGreaterThan(300);
    // Each abandoned subscription was given back first.
    expect(scene.camera.subscriptions).toBeLessThanOrEqual(1);
  });
});
