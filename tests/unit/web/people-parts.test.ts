import { Secret, TOTP } from 'otpauth';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '#edge/runtime/clock.ts';
import { CodedError } from '#edge/runtime/errors.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { Attempts, longestPause } from '#edge/web/people/attempts.ts';
import { isCommonPassword } from '#edge/web/people/common-passwords.ts';
import { neighbourhood } from '#edge/web/people/locks.ts';
import { Notes } from '#edge/web/people/notes.ts';
import { PasswordDesk } from '#edge/web/people/password-desk.ts';
import { accountIdOf } from '#edge/web/people/people.ts';
import { cheapHash } from './people-room.ts';

describe('attempts', () => {
  test('lock from the fifth wrong one on, twice as long each time, up to half an hour, and are forgotten after an hour', () => {
    const clock = new ManualClock(1_800_000_000_000);
    const attempts = new Attempts(clock);
    const pauses = Array.from({ length: 14 }, () => {
      const pause = attempts.fail('wang');
      clock.advance(pause);
      return pause / 1000;
    });
    expect(pauses).toEqual([0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1_800, 1_800, 1_800, 1_800]);
    expect(attempts.pause('wang')).toBe(0);
    clock.advance(3_600_001);
    expect(attempts.fail('wang')).toBe(0);
  });

  test('do not lock for longer than ever when the clock is set back', () => {
    const clock = new ManualClock(1_800_000_000_000);
    const attempts = new Attempts(clock);
    for (let i = 0; i < 5; i++) attempts.fail('wang');
    clock.step(-86_400_000);
    expect(attempts.pause('wang')).toBe(longestPause);
  });

  test('are of ten thousand names at most, and a flood of names does not free those that are locked', () => {
    const attempts = new Attempts(new ManualClock(1_800_000_000_000));
    for (let i = 0; i < 5; i++) attempts.fail('locked');
    for (let i = 0; i < 20_000; i++) attempts.fail(`made-up-${i}`);
    expect(attempts.forgotten).toBe(10_001);
    expect(attempts.pause('locked')).toBeGreaterThan(0);
  });
});

test('neighbours in one /64 of IPv6 are one address', () => {
  const known = {
    '192.168.3.4': '192.168.3.4',
    '::ffff:192.168.3.4': '::ffff:192.168.3.4',
    '2001:db8:1:2:3:4:5:6': '2001:db8:1:2::/64',
    '2001:db8:1:2::9': '2001:db8:1:2::/64',
    '2001:db8::9': '2001:db8:0:0::/64',
    '::1': '0:0:0:0::/64',
    'fe80::1%eth0': 'fe80:0:0:0::/64',
  };
  for (const [address, kept] of Object.entries(known)) expect(neighbourhood(address), address).toBe(kept);
});

test('common passwords are known by whatever they are dressed in', () => {
  for (const password of [
    'A123456',
    'Woaini1314',
    'woaini_1314',
    'Zhang@123456',
    'Admin@2026',
    'ABC123abc123',
    '1qaz@WSX',
    '5201314',
    'Xuexiao#2025',
    'Qwer!1234',
  ]) {
    expect(isCommonPassword(password), password).toBe(true);
  }
  for (const password of ['Lantern-7-orchard', '桂花树下有三只猫Xa9', 'vK3#mQ8!tz']) {
    expect(isCommonPassword(password), password).toBe(false);
  }
});

test('codes of the second factor are those of RFC 6238, appendix B (SHA-1, here with eight digits)', () => {
  const secret = Secret.fromUTF8('12345678901234567890');
  const vectors: readonly [number, string][] = [
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ];
  for (const [seconds, code] of vectors) {
    expect(new TOTP({ secret, digits: 8 }).generate({ timestamp: seconds * 1000 })).toBe(code);
  }
});

test('the password desk works on two at once, lets sixteen wait, and turns the next away with a time', async () => {
  const desk = new PasswordDesk();
  const hash = cheapHash('right');
  const answers = await Promise.allSettled(Array.from({ length: 30 }, () => desk.verify(hash, 'right')));
  const away = answers.filter(({ status }) => status === 'rejected');
  expect(away).toHaveLength(12);
  expect(away[0]).toMatchObject({ reason: { code: 'TOO_MANY_REQUESTS', retryAfter: 3 } });
  expect(await desk.verify(hash, 'right')).toBe(true);
  expect(await desk.verify(hash, 'wrong')).toBe(false);
  expect(await desk.verify(null, '')).toBe(false);
});

describe('notes', () => {
  const note = { who: 'nobody', from: '10.0.0.9', what: 'sign-in', why: '', result: 'refused' };

  test('are written when something begins, then once a minute with how often, and wait for a core that is away', async () => {
    const clock = new ManualClock(1_800_000_000_000);
    const written: string[] = [];
    let isAway = false;
    const rpc = {
      call: async (_: string, params: object) => {
        if (isAway) throw new CodedError('RPC_AWAY', 'core is away');
        written.push(String((params as typeof note).result));
      },
    };
    await using notes = new Notes({ rpc, clock, log: silentLog });
    for (let i = 0; i < 10; i++) notes.count(note);
    expect(written).toEqual(['refused']);
    await notes.flush();
    expect(written).toHaveLength(1);
    clock.advance(60_000);
    await notes.flush();
    expect(written.at(-1)).toBe('refused (9 times)');
    isAway = true;
    notes.count(note);
    notes.count(note);
    clock.advance(60_000);
    await notes.flush();
    isAway = false;
    clock.advance(60_000);
    await notes.flush();
    expect(written.at(-1)).toBe('refused (2 times)');
    await expect(notes.write(note)).resolves.toBeUndefined();
  });

  test('of more kinds than anybody reads are told together', async () => {
    const written: { from: string; result: string }[] = [];
    const rpc = { call: async (_: string, params: object) => void written.push(params as (typeof written)[number]) };
    const clock = new ManualClock(0);
    {
      await using notes = new Notes({ rpc, clock, log: silentLog });
      for (let i = 0; i < 2_000; i++) notes.count({ ...note, from: `10.0.${i >> 8}.${i & 255}` });
    }
    expect(written).toHaveLength(201);
    expect(written.at(-1)).toMatchObject({ from: 'many addresses', result: 'refused (1800 times)' });
  });

  test('of strangers without end fill no audit, and leave room for what people are refused', async () => {
    const written: (typeof note)[] = [];
    const rpc = { call: async (_: string, params: object) => void written.push(params as typeof note) };
    const clock = new ManualClock(0);
    await using notes = new Notes({ rpc, clock, log: silentLog });
    for (let minute = 0; minute < 24 * 60; minute++) {
      for (let i = 0; i < 50; i++) notes.count({ ...note, from: `2001:db8:${minute.toString(16)}:${i}::1` });
      clock.advance(61_000);
      await notes.flush();
    }
    expect(written.length).toBeLessThan(20_000);
    expect(written).toContainEqual(expect.objectContaining({ from: 'many addresses' }));
    notes.count({ ...note, who: 'person:lin', what: 'POST /api/v1/people' });
    expect(written.at(-1)).toMatchObject({ who: 'person:lin' });
    for (let i = 0; i < 100; i++) notes.count({ ...note, who: 'person:lin', from: `2001:db8::${i}` });
    expect(written.filter(({ who, what }) => who === 'person:lin' && what === 'sign-in')).toHaveLength(1);
  });
});

test('an account that an identity provider brings has an id that fits, and is nobody else', () => {
  expect(accountIdOf('Zhou.Min@City', () => false)).toBe('zhou-min-city');
  expect(accountIdOf('周敏', () => false)).toBe('oidc');
  expect(accountIdOf('../../x', () => false)).toBe('x');
  expect(accountIdOf('lin', (id) => id === 'lin')).toMatch(/^lin-[0-9a-f]{6}$/);
  expect(accountIdOf('a'.repeat(300), () => false)).toHaveLength(40);
});
