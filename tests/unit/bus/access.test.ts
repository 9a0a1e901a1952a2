import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAccess, listClients, loadCredentials, removeClient, setClientPassword } from '#edge/bus/access.ts';
import { Admission, neighbourOf } from '#edge/bus/admission.ts';
import { defaultLimits } from '#edge/bus/limits.ts';
import { hashPassword, PasswordChecker, verifyPassword } from '#edge/bus/passwords.ts';
import { ManualClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'access-'));
});
afterEach(() => rm(folder, { recursive: true }));

function access(clock = new ManualClock(0)) {
  const made = createAccess({
    dataFolder: folder,
    internal: new Map([['web', 'web-token']]),
    grants: (client) => (client === 'stranger' ? null : { publish: [], subscribe: [] }),
    clock,
    log: silentLog,
  });
  const login = async (user: string | undefined, password: string | undefined, address = '10.0.3.7') => {
    const result = await made.authenticate(user, password === undefined ? undefined : Buffer.from(password), address);
    return result.ok ? 'ok' : result.reason;
  };
  return { clock, login };
}

describe('credentials file', () => {
  test('holds hashes only, readable by nobody else, and leaves no temporary file', async () => {
    await setClientPassword(folder, 'sensor-2', 'a-good-password');
    await setClientPassword(folder, 'sensor-1', 'another-password');
    const file = join(folder, 'credentials.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).not.toContain('password');
    expect(await readdir(folder)).toEqual(['credentials.json']);
    expect(await listClients(folder)).toEqual(['sensor-1', 'sensor-2']);
    expect(await removeClient(folder, 'sensor-1')).toBe(true);
    expect(await removeClient(folder, 'sensor-1')).toBe(false);
    expect([...(await loadCredentials(folder)).keys()]).toEqual(['sensor-2']);
  });

  test('clients that are added at the same time are all kept', async () => {
    const ids = Array.from({ length: 6 }, (_, i) => `sensor-${i}`);
    await Promise.all(ids.map((id) => setClientPassword(folder, id, 'a-good-password')));
    expect(await listClients(folder)).toEqual(ids);
  });

  test('bad names, short passwords and broken files are said clearly', async () => {
    await expect(setClientPassword(folder, 'Sensor 1', 'a-good-password')).rejects.toMatchObject({
      code: 'BUS_CLIENT_INVALID',
    });
    await expect(setClientPassword(folder, 'sensor-1', 'short')).rejects.toThrow(
      'the password of "sensor-1" must have 8 to 256 characters',
    );
    await writeFile(join(folder, 'credentials.json'), '{"version":1,"clients":{"a":"plain"}}');
    await expect(loadCredentials(folder)).rejects.toThrow(/credentials\.json: .*is not a hash[\s\S]*clients\.a/);
  });
});

describe('login', () => {
  test('takes the right password, our own tokens, and nothing else', async () => {
    await setClientPassword(folder, 'sensor-1', 'a-good-password');
    await setClientPassword(folder, 'stranger', 'a-good-password');
    await setClientPassword(folder, 'web', 'a-good-password');
    const { login } = access();
    expect(await login('sensor-1', 'a-good-password')).toBe('ok');
    expect(await login('sensor-1', 'a-bad-password')).toBe('bad-credentials');
    expect(await login('sensor-9', 'a-good-password')).toBe('bad-credentials');
    expect(await login('../../x', 'a-good-password')).toBe('bad-credentials');
    expect(await login('stranger', 'a-good-password')).toBe('not-in-site');
    expect(await login('web', 'web-token')).toBe('ok');
    // The file cannot give away the name of one of our processes.
    expect(await login('web', 'a-good-password')).toBe('bad-credentials');
    expect(await login(undefined, 'x')).toBe('no-credentials');
    expect(await login('sensor-1', undefined)).toBe('no-credentials');
  });

  test('clients that all come at once after a start are let in, the first and the last', async () => {
    const names = Array.from({ length: 8 }, (_, i) => `sensor-${i}`);
    for (const name of names) await setClientPassword(folder, name, 'a-good-password');
    const { login } = access();
    expect(await Promise.all(names.map((name) => login(name, 'a-good-password')))).toEqual(names.map(() => 'ok'));
  });

  test('a changed file counts within a second, without a restart; a broken one leaves the last good one', async () => {
    const { clock, login } = access();
    expect(await login('sensor-1', 'a-good-password')).toBe('bad-credentials');
    await setClientPassword(folder, 'sensor-1', 'a-good-password');
    clock.advance(1_000);
    expect(await login('sensor-1', 'a-good-password')).toBe('ok');
    await setClientPassword(folder, 'sensor-1', 'a-new-password');
    clock.advance(1_000);
    expect(await login('sensor-1', 'a-new-password')).toBe('ok');
    await writeFile(join(folder, 'credentials.json'), 'broken');
    clock.advance(1_000);
    expect(await login('sensor-1', 'a-new-password')).toBe('ok');
    await rm(join(folder, 'credentials.json'));
    clock.advance(1_000);
    expect(await login('sensor-1', 'a-new-password')).toBe('bad-credentials');
  });

  test('guessing is held off, for that name and address only, and longer each time', async () => {
    await setClientPassword(folder, 'sensor-1', 'a-good-password');
    const { clock, login } = access();
    for (let i = 0; i < 3; i++) expect(await login('sensor-1', `guess-${i}`)).toBe('bad-credentials');
    expect(await login('sensor-1', 'a-good-password')).toBe('too-many-attempts');
    expect(await login('sensor-1', 'a-good-password', '10.0.3.8')).toBe('ok');
    clock.advance(1_001);
    expect(await login('sensor-1', 'guess-4')).toBe('bad-credentials');
    clock.advance(1_001);
    expect(await login('sensor-1', 'a-good-password')).toBe('too-many-attempts');
    clock.advance(1_000);
    expect(await login('sensor-1', 'a-good-password')).toBe('ok');
    expect(await login('sensor-1', 'guess-5')).toBe('bad-credentials');
  });
});

describe('password checker', () => {
  test('a password that was right is not hashed again; the queue is bounded', async () => {
    const hash = await hashPassword('a-good-password');
    expect(await verifyPassword(hash, Buffer.from('a-good-password'))).toBe(true);
    const checker = new PasswordChecker();
    expect(await checker.check(hash, Buffer.from('a-good-password'))).toBe(true);
    const began = performance.now();
    for (let i = 0; i < 1_000; i++) expect(await checker.check(hash, Buffer.from('a-good-password'))).toBe(true);
    const cached = (performance.now() - began) / 1_000;
    console.log(`access: a login of a known client costs ${(cached * 1000).toFixed(0)} us`);
    expect(cached).toBeLessThan(5);
    const guesses = await Promise.all(
      Array.from({ length: 70 }, (_, i) => checker.check(hash, Buffer.from(`guess-${i}`))),
    );
    expect(guesses.filter((verdict) => verdict === 'busy')).toHaveLength(4);
    expect(guesses).not.toContain(true);
  });

  test('nobody passes for an unknown client', async () => {
    const checker = new PasswordChecker();
    expect(await checker.check(null, Buffer.from(''))).toBe(false);
  });
});

describe('admission', () => {
  test('an IPv6 /64 is one neighbour, a mapped IPv4 address is that address', () => {
    expect(neighbourOf('2001:db8:1:2:aaaa::1')).toBe(neighbourOf('2001:db8:1:2:bbbb::9'));
    expect(neighbourOf('2001:db8::1')).not.toBe(neighbourOf('2001:db8:0:1::1'));
    expect(neighbourOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
    expect(neighbourOf('::ffff:10.0.3.7')).toBe('10.0.3.7');
  });

  test('connections are bounded in number, per address and in rate, and what is released counts again', () => {
    const clock = new ManualClock(0);
    const limits = {
      ...defaultLimits,
      connections: 5,
      connectionsPerAddress: 2,
      connectBurst: 3,
      connectsPerSecond: 1,
    };
    const admission = new Admission(limits, clock);
    expect([1, 2, 3].map(() => admission.admit('10.0.0.1'))).toEqual([null, null, 'too-many-from-address']);
    admission.release('10.0.0.1');
    expect(admission.admit('10.0.0.1')).toBeNull();
    admission.release('10.0.0.1');
    expect(admission.admit('10.0.0.1')).toBe('connecting-too-fast');
    clock.advance(1_000);
    expect(admission.admit('10.0.0.1')).toBeNull();
    expect(['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5'].map((address) => admission.admit(address))).toEqual([
      null,
      null,
      null,
      'too-many-connections',
    ]);
    expect(admission.connections).toBe(5);
  });
});
