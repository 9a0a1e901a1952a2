import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseOnvifConfig } from '#edge/drivers/onvif/config.ts';
import { eventually, startScene, streaming, user } from './bench.ts';

describe('the password of an onvif camera', () => {
  test.each(['wsse', 'digest', 'both'] as const)('when wrong is tried at most twice (%s), then held', async (auth) => {
    await using scene = await startScene({
      camera: { auth },
      config: { password: 'not-it' },
      timings: { held: 1_500 },
    });
    const { camera, heard } = scene;
    await eventually(() => heard.last()).toMatch(/held: .* refuses the user name or password.*; held, next try in 2 s/);
    const tried = camera.passwordTries;
    expect(tried).toBeGreaterThanOrEqual(1);
    expect(tried).toBeLessThanOrEqual(2);
    const requests = camera.requests.length;
    const motion = (await scene.session.read(scene.device.points, AbortSignal.timeout(1000))).find(
      (s) => s.point === 'motion',
    );
    expect(motion).toMatchObject({ value: null, quality: 'bad', reason: 'held' });
    // Nothing at all is asked until the hold is over.
    await eventually(() => camera.requests.length).toBeGreaterThan(requests);
    const [last, next] = [camera.requests[requests - 1]?.at ?? 0, camera.requests[requests]?.at ?? 0];
    expect(next - last).toBeGreaterThan(1_000);
  });

  test('is held after one try when the camera counts down', async () => {
    await using scene = await startScene({
      camera: { auth: 'wsse', digest: { lockAfter: 3 } },
      config: { password: 'not-it' },
    });
    await eventually(() => scene.heard.last()).toMatch(
      /held: .* refuses the user name or password and counts tries: .* 2 attempt\(s\)/,
    );
    expect(scene.camera.passwordTries).toBe(1);
  });

  test.each(['wsse', 'digest'] as const)(
    'that is changed at the camera while it streams costs at most two tries (%s)',
    async (auth) => {
      await using scene = await startScene({ camera: { auth } });
      await streaming(scene);
      scene.camera.changePassword('new-one');
      scene.camera.motion(true);
      await eventually(() => scene.heard.last()).toMatch(/^held/);
      expect(scene.camera.passwordTries).toBeGreaterThanOrEqual(1);
      expect(scene.camera.passwordTries).toBeLessThanOrEqual(2);
    },
  );

  test('is read from its file, and read again when the file changes during a hold', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'onvif-password-'));
    const passwordFile = join(folder, 'gate');
    await writeFile(passwordFile, 'old-one\n', { mode: 0o600 });
    {
      await using scene = await startScene({ config: { password: undefined, passwordFile } });
      await eventually(() => scene.heard.last()).toMatch(/^held/);
      await writeFile(passwordFile, `${user.password}\n`);
      await streaming(scene);
      expect(scene.camera.passwordTries).toBeLessThanOrEqual(2);
    }
    await chmod(passwordFile, 0o644);
    await using open = await startScene({ config: { password: undefined, passwordFile } });
    await eventually(() => open.heard.last()).toMatch(
      /misconfigured: password file .* must be readable by its owner only/,
    );
    await rm(folder, { recursive: true });
  });

  test.each(['wsse', 'digest'] as const)('may be Chinese, and the name may hold XML and quotes (%s)', async (auth) => {
    const odd = { username: 'a<&"b', password: '蓝天8号' };
    // The simulated digest parser splits at quotes, as most cameras do: there the name stays plain.
    const pair = auth === 'digest' ? { ...odd, username: 'gate' } : odd;
    await using scene = await startScene({ camera: { auth, ...pair }, config: pair });
    await streaming(scene);
    expect(scene.camera.passwordTries).toBe(0);
  });

  test.each([
    [{ algorithms: ['MD5'], qop: 'auth' }],
    [{ algorithms: ['SHA-256'], qop: 'auth' }],
    [{ algorithms: ['MD5', 'SHA-256'], qop: 'auth, auth-int' }],
    [{ algorithms: ['MD5'], qop: 'auth,auth-int' }],
    [{ algorithms: ['MD5'], qop: 'none' }],
    [{ nonceLife: 0, saysStale: true }],
    [{ nonceLife: 300, saysStale: true }],
    [{ nonceLife: 300, saysStale: false }],
  ] as const)('answers the digest challenge %o', async (digest) => {
    const broken = 'nonceLife' in digest && digest.nonceLife === 0;
    await using scene = await startScene({ camera: { auth: 'digest', digest }, timings: { pull: 150 } });
    if (broken) {
      await eventually(() => scene.heard.last()).toMatch(/refuses/);
      expect(scene.camera.passwordTries).toBe(0);
      return;
    }
    await streaming(scene);
    await eventually(() => scene.heard.count('pull-empty') + scene.heard.count('pull')).toBeGreaterThan(3);
    expect(scene.heard.healths.filter(({ state }) => state === 'held')).toEqual([]);
    expect(scene.camera.passwordTries).toBe(0);
    // What goes on all day must not be asked twice each time; what is asked once an hour is (see Call.optional).
    const pulls = scene.camera.requests.filter(({ operation }) => operation === 'PullMessages');
    expect(pulls.filter(({ judgement }) => judgement === 'anonymous').length).toBeLessThanOrEqual(1);
  });
});

describe('the address of an onvif camera', () => {
  test.each([
    [{ host: '10.0.0.1', username: 'a' }, /exactly one of password and passwordFile/],
    [{ host: '10.0.0.1', username: 'a', password: 'b', passwordFile: '/c' }, /exactly one/],
    [{ host: 'http://10.0.0.1', username: 'a', password: 'b' }, /host: must be a host name or an IP address/],
    [{ host: '10.0.0.1', port: 0, username: 'a', password: 'b' }, /port: /],
    [{ host: '10.0.0.1', username: 'a', password: 'b', retries: 3 }, /retries/],
    [{ host: '10.0.0.1', username: 'a', password: 'b', tls: { fingerprint: 'abc' } }, /tls\.fingerprint/],
  ])('is refused with the key that is wrong: %o', (address, message) => {
    expect(() => parseOnvifConfig(address)).toThrow(message);
  });
});
