import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createSlotOf, Habit } from '#edge/drivers/onvif/habit.ts';
import type { Scene } from './bench.ts';
import { closest, eventually, type SceneOptions, startScene, streaming, user } from './bench.ts';
import { type Front, standBefore } from './front.ts';

/** A scene with a box between driver and camera. */
async function startSpoiled(options: SceneOptions = {}): Promise<{ scene: Scene; front: Front } & AsyncDisposable> {
  const config: Record<string, unknown> = { ...options.config };
  let front: Front | null = null;
  const scene = await startScene({
    ...options,
    config,
    before: async (camera) => {
      front = await standBefore(camera);
      config.port = front.port;
      await options.before?.(camera);
    },
  });
  if (front === null) throw new Error('no front');
  const box: Front = front;
  return {
    ...{ scene, front: box },
    async [Symbol.asyncDispose]() {
      box.frozen = false;
      await scene[Symbol.asyncDispose]();
      await box[Symbol.asyncDispose]();
    },
  };
}

const listening = (scene: Scene) =>
  scene.heard.samples.filter(({ point }) => point === 'listening').map(({ value }) => value);

const skewOf = (scene: Scene) =>
  Number(scene.heard.samples.filter(({ point }) => point === 'clock_skew').at(-1)?.value ?? 0);

describe('the listening of an onvif camera', () => {
  const points = ['listening'];

  test('is true once a pull is answered, an empty one too, and stays so while it is quiet', async () => {
    await using scene = await startScene({ points, timings: { proof: 1_500 } });
    expect(listening(scene)).toEqual([false]);
    await streaming(scene);
    await eventually(() => scene.heard.count('pull-empty')).toBeGreaterThan(4);
    expect(listening(scene)).toEqual([false, true]);
    const [sample] = await scene.session.read(
      scene.device.points.filter(({ name }) => name === 'listening'),
      AbortSignal.timeout(1_000),
    );
    expect(sample).toMatchObject({ value: true, quality: 'good' });
  });

  test('outlives a short break of the connection, for the camera keeps what happens meanwhile', async () => {
    await using scene = await startScene({ points, timings: { proof: 10_000 } });
    await streaming(scene);
    await scene.camera.fault('rst');
    await eventually(() => scene.heard.last()).toMatch(/^offline/);
    await scene.camera.fault('none');
    await streaming(scene);
    expect(scene.heard.count('subscribe')).toBe(1);
    expect(listening(scene)).toEqual([false, true]);
  });

  test('ends when nothing proves it any more, though nobody has hung up', async () => {
    await using spoiled = await startSpoiled({ points, timings: { proof: 600, answer: 400, pullMargin: 300 } });
    const { scene, front } = spoiled;
    await streaming(scene);
    front.frozen = true;
    await eventually(() => listening(scene)).toEqual([false, true, false]);
    front.frozen = false;
    await streaming(scene);
    await eventually(() => listening(scene)).toEqual([false, true, false, true]);
  });

  test('has a gap when the camera has forgotten us, however short', async () => {
    await using scene = await startScene({ points, timings: { proof: 10_000 } });
    await streaming(scene);
    await scene.camera.fault('reboot');
    await eventually(() => scene.heard.last()).toMatch(/^offline/);
    await scene.camera.fault('none');
    await streaming(scene);
    expect(scene.heard.count('subscribe')).toBe(2);
    expect(listening(scene)).toEqual([false, true, false, true]);
  });

  test('is false, and known to be, where events are switched off', async () => {
    await using scene = await startScene({ points, config: { events: 'off' } });
    await eventually(() => scene.heard.last()).toMatch(/switched off in the site file/);
    expect(listening(scene)).toEqual([false]);
  });
});

describe('the life of an onvif camera', () => {
  test('is told by its states, which are counted, and by sentences that tell them apart', async () => {
    await using scene = await startScene({ before: (camera) => camera.fault('reboot') });
    const { camera, heard } = scene;
    await eventually(() => heard.last()).toMatch(/^offline: .* refuses the connection; next try in [^(]*$/);
    await camera.fault('html');
    await eventually(() => heard.last()).toMatch(/^degraded: .* \(it answers, but is not logged in to\)$/);
    await camera.fault('createFault');
    await eventually(() => heard.last()).toMatch(/^degraded: .* \(logged in, but no events\)$/);
    await camera.fault('none');
    await streaming(scene);
    camera.changePassword('another');
    camera.motion(true);
    await eventually(() => heard.last()).toMatch(/^held: /);
    for (const state of ['unreachable', 'reachable', 'up', 'streaming', 'auth-failed']) {
      expect(heard.count(`to-${state}`), state).toBeGreaterThanOrEqual(1);
    }
    expect(camera.passwordTries).toBeLessThanOrEqual(2);
  });

  test('through a boot (refused, HTML, HTTP 503, SOAP faults) takes few attempts and ends in events', async () => {
    await using scene = await startScene({ timings: { attemptGap: 50, backoffFirst: 100, backoffCap: 400 } });
    const { camera, heard } = scene;
    await streaming(scene);
    const attempts = heard.count('attempt');
    const started = performance.now();
    for (const fault of ['reboot', 'html', 'http503', 'createFault'] as const) {
      const tried = heard.count('attempt');
      await camera.fault(fault);
      await eventually(() => heard.count('attempt')).toBeGreaterThan(tried + 1);
    }
    await camera.fault('none');
    await streaming(scene);
    const seconds = (performance.now() - started) / 1000;
    // Never faster than the gap, whatever each of them answered.
    expect(heard.count('attempt') - attempts).toBeLessThanOrEqual(4 + seconds / 0.05);
    expect(
      closest(camera.requests.filter(({ operation }) => operation === 'GetSystemDateAndTime').map(({ at }) => at)),
    ).toBeGreaterThan(40);
    expect(camera.passwordTries).toBe(0);
  });

  test('with a camera that lost its power (half-open TCP) is noticed by silence, tried at its pace, and goes on', async () => {
    await using spoiled = await startSpoiled({ timings: { answer: 300, pull: 200, pullMargin: 200, attemptGap: 100 } });
    const { scene, front } = spoiled;
    await streaming(scene);
    front.frozen = true;
    const from = front.seen.length;
    await eventually(() => scene.heard.last()).toMatch(/offline: .* did not answer \w+ within 1 s/);
    await eventually(() => front.seen.length - from).toBeGreaterThan(3);
    const starts = front.seen.slice(from + 1).map(({ at }) => at);
    expect(closest(starts)).toBeGreaterThan(90);
    front.frozen = false;
    await streaming(scene);
    scene.camera.person();
    await eventually(() => scene.heard.events.map(({ type }) => type)).toContain('person');
    expect(scene.camera.passwordTries).toBe(0);
  });

  test('with a server that ends every wait by itself (Tapo after 10 s) goes on with one subscription', async () => {
    await using spoiled = await startSpoiled({ timings: { pull: 1_500, idleClose: 80 } });
    const { scene, front } = spoiled;
    await streaming(scene);
    const attempts = scene.heard.count('attempt');
    front.patience = 150;
    await eventually(() => scene.heard.count('idle-close')).toBeGreaterThan(3);
    // What happens just when the camera hangs up went into a connection that nobody reads: it is told again.
    await eventually(() => {
      scene.camera.lineCrossed();
      return scene.heard.events.map(({ type }) => type);
    }).toContain('line_cross');
    expect(scene.heard.count('subscribe')).toBe(1);
    expect(scene.heard.count('attempt')).toBe(attempts);
    expect(scene.heard.last()).toMatch(/^online/);
  });

  test.each([3 * 3_600_000, -200 * 86_400_000])(
    'survives that the camera’s clock jumps by %d ms under a token: one refusal, no hold',
    async (jump) => {
      await using scene = await startScene({ camera: { auth: 'wsse' } });
      const { camera, heard } = scene;
      await streaming(scene);
      const attempts = heard.count('attempt');
      camera.setClock(jump);
      await eventually(() => skewOf(scene)).toBeCloseTo(jump / 1000, -1);
      await streaming(scene);
      camera.person();
      await eventually(() => heard.events.map(({ type }) => type)).toContain('person');
      expect(heard.count('held')).toBe(0);
      expect(heard.count('password-refused')).toBeLessThanOrEqual(2);
      expect(heard.count('attempt') - attempts).toBeLessThanOrEqual(2);
      expect(camera.requests.filter(({ judgement }) => judgement === 'wrong')).toEqual([]);
    },
  );

  test('reads the camera’s clock while it streams, before a token is refused for it', async () => {
    await using scene = await startScene({ camera: { auth: 'wsse' }, timings: { clockEvery: 200 } });
    const { camera, heard } = scene;
    await streaming(scene);
    camera.setClock(30_000);
    await eventually(() => skewOf(scene)).toBeCloseTo(30, -1);
    expect(heard.count('attempt')).toBe(1);
    expect(heard.count('password-refused')).toBe(0);
  });

  test('goes on when the password is rotated at the camera and then in its file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'onvif-rotated-'));
    const passwordFile = join(folder, 'gate');
    await writeFile(passwordFile, `${user.password}\n`, { mode: 0o600 });
    await using scene = await startScene({ config: { password: undefined, passwordFile } });
    const { camera, heard } = scene;
    await streaming(scene);
    camera.changePassword('rotated-9');
    camera.motion(true);
    await eventually(() => heard.last()).toMatch(/^held/);
    expect(camera.passwordTries).toBeLessThanOrEqual(2);
    await writeFile(passwordFile, 'rotated-9\n');
    await streaming(scene);
    expect(camera.passwordTries).toBeLessThanOrEqual(2);
    await rm(folder, { recursive: true });
  });
});

describe('what an onvif camera writes', () => {
  test('may be invalid UTF-8 and hold bare ampersands: the event is told all the same', async () => {
    await using spoiled = await startSpoiled();
    const { scene, front } = spoiled;
    await streaming(scene);
    front.rewrite = (operation, body) => {
      if (operation !== 'PullMessages') return body;
      const text = body
        .toString('latin1')
        .replace('>VideoSource<', '>VideoSource<')
        .replaceAll('GATE', 'G\xe9\xff & T');
      return Buffer.from(text, 'latin1');
    };
    scene.camera.emit({
      topic: 'tns1:VideoSource/MotionAlarm',
      source: { Source: 'GATE' },
      data: { State: 'true' },
      operation: 'Changed',
    });
    await eventually(() => scene.heard.events.filter(({ type }) => type === 'motion').length).toBe(1);
    expect(scene.heard.events.find(({ type }) => type === 'motion')?.data.Source).toMatch(/^G.+ & T$/);
    expect(scene.heard.count('broken-xml')).toBe(0);
  });

  test('in one answer is bounded: a huge one costs that answer, not the camera', async () => {
    await using spoiled = await startSpoiled();
    const { scene, front } = spoiled;
    await streaming(scene);
    front.rewrite = (operation, body) =>
      operation === 'PullMessages' ? Buffer.concat([body, Buffer.alloc(1_200_000, ' ')]) : body;
    await eventually(() => scene.heard.last()).toMatch(/with more than 600000 bytes; next try/);
    front.rewrite = (_, body) => body;
    await streaming(scene);
    expect(scene.heard.count('too-large')).toBeGreaterThanOrEqual(1);
  });
});

describe('a state that a camera does not end', () => {
  const emit = (scene: Scene) =>
    scene.camera.emit({
      topic: 'tns1:VideoSource/MotionAlarm',
      source: { Source: 'x' },
      data: { State: 'true' },
      operation: 'Changed',
    });
  const motions = (scene: Scene) =>
    scene.heard.events.filter(({ type }) => type === 'motion').map(({ active, data }) => [active, data.note]);

  test('is ended after its time, and says that the driver did it', async () => {
    await using scene = await startScene({ timings: { stuck: 300 } });
    await streaming(scene);
    emit(scene);
    await eventually(() => motions(scene)).toEqual([
      [true, undefined],
      [false, 'expired'],
    ]);
  });

  test('is left alone where the site file says so', async () => {
    await using scene = await startScene({ timings: { stuck: 200 }, config: { stuckAfter: '0s' } });
    await streaming(scene);
    emit(scene);
    await eventually(() => motions(scene)).toEqual([[true, undefined]]);
    const pulls = scene.heard.count('pull-empty');
    await eventually(() => scene.heard.count('pull-empty')).toBeGreaterThan(pulls + 2);
    expect(motions(scene)).toEqual([[true, undefined]]);
  });
});

test('a storm of forty edges a second at four cameras is capped and counted, and starves no other camera', async () => {
  await using stack = new AsyncDisposableStack();
  // Five cameras and their drivers in one busy process: a late answer is the machine's, and no reason to begin anew.
  const timings = { answer: 15_000, pullMargin: 15_000 };
  const storming = await Promise.all([1, 2, 3, 4].map(async () => stack.use(await startScene({ timings }))));
  const calm = stack.use(await startScene({ timings }));
  await Promise.all([...storming, calm].map((scene) => streaming(scene)));
  let sent = 0;
  const storm = setInterval(() => {
    sent += 1;
    for (const { camera } of storming) {
      const source = { Source: String(sent % 30) };
      const data = { State: sent % 60 < 30 ? 'true' : 'false' };
      camera.emit({ topic: 'tns1:VideoSource/MotionAlarm', source, data, operation: 'Changed' });
    }
  }, 25);
  try {
    await eventually(() => sent).toBeGreaterThan(20);
    calm.camera.lineCrossed();
    await eventually(() => calm.heard.events.map(({ type }) => type)).toContain('line_cross');
    await eventually(() => sent, { timeout: 20_000 }).toBeGreaterThan(80);
  } finally {
    clearInterval(storm);
  }
  for (const { heard } of storming) {
    const seconds = 25 + 80 / 40;
    expect(heard.events.length).toBeLessThanOrEqual(10 * seconds);
    expect(heard.count('coalesced') + heard.count('storm-dropped')).toBeGreaterThan(0);
    expect(heard.count('attempt')).toBe(1);
  }
});

describe('what a camera is used to', () => {
  const day = 86_400_000;
  const hour = 3_600_000;
  /** A Monday, 00:00 in Shanghai. */
  const monday = Date.UTC(2026, 2, 1, 16);
  const slotOf = createSlotOf('Asia/Shanghai');
  const isWeekend = (time: number) => [6, 0].includes(new Date(time + 8 * hour).getUTCDay());
  const isSchool = (time: number) => {
    const at = ((time + 8 * hour) % day) / hour;
    return at >= 7 && at < 18 && !isWeekend(time);
  };

  function live(habit: Habit, from: number, to: number, speaks: (time: number) => boolean): number {
    let worst = 0;
    for (let time = from; time < to; time += hour / 6) {
      habit.tick(time);
      worst = Math.max(worst, habit.silence);
      if (speaks(time)) habit.speak();
    }
    return worst;
  }

  test('is learnt in a week, and three silent hours of a school day are said; nights and weekends are not', () => {
    const habit = new Habit(slotOf, [], monday);
    expect(live(habit, monday, monday + 14 * day, isSchool)).toBe(0);
    // Two more weeks, then it is deaf from Wednesday 09:00.
    const again = new Habit(slotOf, habit.kept, monday + 14 * day);
    const deaf = monday + 16 * day + 9 * hour;
    expect(live(again, monday + 14 * day, deaf + 2 * hour, (time) => time < deaf && isSchool(time))).toBe(0);
    expect(live(again, deaf + 2 * hour, deaf + 5 * hour, () => false)).toBeGreaterThanOrEqual(3);
    again.speak();
    expect(again.silence).toBe(0);
  });

  test('says nothing of hours that were not listened to, nor after a step of the clock', () => {
    const habit = new Habit(slotOf, [], monday);
    live(habit, monday, monday + 14 * day, isSchool);
    let time = monday + 14 * day + 8 * hour;
    let worst = 0;
    for (; time < monday + 14 * day + 17 * hour; time += hour / 6) {
      habit.tick(time);
      if (time % hour === 0) habit.miss();
      worst = Math.max(worst, habit.silence);
    }
    expect(worst).toBe(0);
    habit.tick(time + 400 * day);
    expect(habit.silence).toBe(0);
  });

  test('of another size than ours is begun anew', () => {
    expect(new Habit(slotOf, [1, 2, 3], monday).kept).toHaveLength(96);
  });
});
