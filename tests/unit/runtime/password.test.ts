import { describe, expect, it } from 'vitest';
import {
  hashPersonPassword,
  isOutdatedHash,
  nobodysHash,
  verifyPersonPassword,
  weaknessOf,
} from '#edge/runtime/password.ts';

describe('a password of a person', () => {
  it('is recognised by its hash and no other is', async () => {
    const hash = await hashPersonPassword('Lantern-7-orchard');
    expect(hash.length).toBeLessThanOrEqual(300);
    expect(await verifyPersonPassword(hash, 'Lantern-7-orchard')).toBe(true);
    expect(await verifyPersonPassword(hash, 'Lantern-7-Orchard')).toBe(false);
    expect(await verifyPersonPassword(nobodysHash, 'Lantern-7-orchard')).toBe(false);
    expect(isOutdatedHash(hash)).toBe(false);
    expect(isOutdatedHash(hash.replace('$32768$', '$16384$'))).toBe(true);
  });

  it('is the same password whichever way its characters are composed', async () => {
    const hash = await hashPersonPassword('Caf\u00e9 am Tor 7');
    expect(await verifyPersonPassword(hash, 'Cafe\u0301 am Tor 7')).toBe(true);
  });

  it('is not looked for in a hash that is none, or that asks for a day of work', async () => {
    await expect(verifyPersonPassword('plain text', 'x')).rejects.toThrow(/not of the form/);
    const costly = nobodysHash.replace('$32768$8$3$', '$1048576$8$99$');
    await expect(verifyPersonPassword(costly, 'x')).rejects.toThrow(/more work/);
  });

  it.each([
    ['Ab1!', 'short'],
    ['x'.repeat(129), 'long'],
    ['onlysmalls', 'few-kinds'],
    ['Gatehouse-wang-1', 'has-name'],
    ['P@ssw0rd123', 'common'],
    ['Admin@123456', 'common'],
    ['Abcdefgh123456', 'repeats'],
    ['aaaaaaaaaaaaaaaaaaaa', 'repeats'],
    ['1Qaz2wsx3edc', 'common'],
    ['Poiuytrewq-9', 'repeats'],
  ])('is refused when it is %s (%s)', (password, code) => {
    expect(weaknessOf(password, ['wang', 'Gate desk'])?.code).toBe(code);
  });

  it.each(['Lantern-7-orchard', '桂花树下有三只猫Xa9', 'seven lanterns over the pond', 'vK3#mQ8!tz'])(
    'will do when it is %s',
    (password) => {
      expect(weaknessOf(password, ['wang', '王值班'])).toBeNull();
    },
  );
});
