import { describe, expect, it } from 'vitest';
import { parsePaConfig } from '#edge/drivers/http-pa/config.ts';
import { startTokenPa } from '#edge/simulators/http-pa-token.ts';
import { patience, speaker, tokenAddress } from './speaker.ts';

describe('a server with tokens', () => {
  it('logs in once for all, plays, sets the volume, is seen to play and stops', async () => {
    await using server = await startTokenPa();
    await using one = await speaker(tokenAddress(server.url, { volume: { bell: 50 } }));
    expect(await one.tell('bell level=80 class=bell')).toMatchObject({ outcome: 'sent' });
    expect([server.begun, server.terminal.volume]).toEqual([['hall 1 bell.wav'], 40]);
    await expect.poll(() => one.last('proof'), patience).toBe('heard');
    expect(await one.tell('')).toMatchObject({ outcome: 'sent' });
    expect([server.terminal.task, server.logins]).toEqual([null, 1]);
  });

  it('renews a token that was forgotten, once, and goes on', async () => {
    await using server = await startTokenPa();
    await using one = await speaker(tokenAddress(server.url));
    await expect.poll(() => one.words.at(-1), patience).toContain('online');
    server.forgetTokens();
    expect(await one.tell('bell')).toMatchObject({ outcome: 'sent' });
    expect([server.begun.length, server.logins]).toEqual([1, 2]);
  });

  it('never storms: a token that is refused at once, a wrong password', async () => {
    await using server = await startTokenPa();
    server.fault = 'denied';
    await using one = await speaker(tokenAddress(server.url));
    await expect.poll(() => one.words.at(-1), patience).toContain('refuses the token that it has just given');
    for (let n = 0; n < 5; n++) expect((await one.tell('bell')).outcome).toBe('failed');
    expect([server.logins, server.requests]).toEqual([2, 2]);

    await using wrong = await startTokenPa();
    await using other = await speaker(tokenAddress(wrong.url), {}, 'another-password');
    await expect.poll(() => other.words.at(-1), patience).toContain('refuses our login');
    for (let n = 0; n < 5; n++) expect((await other.tell('bell')).outcome).toBe('failed');
    expect([wrong.logins, wrong.requests]).toEqual([1, 0]);
    expect(other.everything()).not.toContain('another-password');
  });

  it('never asks for more than six tokens in a minute', async () => {
    await using server = await startTokenPa();
    await using one = await speaker(tokenAddress(server.url));
    for (let n = 0; n < 12; n++) {
      server.forgetTokens();
      await one.tell(`bell item=n${n}`);
    }
    expect(server.logins).toBeLessThanOrEqual(6);
    await expect.poll(() => one.words.some((text) => text.includes('again and again')), patience).toBe(true);
  });

  it('renews a token before its end, and takes a sealed password', async () => {
    await using server = await startTokenPa({ seconds: 0.5 });
    const login = { kind: 'token', username: 'campus', password: 'kept-in-a-file', clearPassword: true };
    await using one = await speaker(tokenAddress(server.url, {}, { login: { ...login, lifetimeAt: '/data/seconds' } }));
    await expect.poll(() => server.logins, patience).toBeGreaterThan(2);
    expect(one.words.some((text) => text.includes('offline'))).toBe(false);
    expect(server.denied).toBe(0);
  });

  it('says nothing of the password or a token', async () => {
    await using server = await startTokenPa();
    await using one = await speaker(tokenAddress(server.url));
    await one.tell('bell');
    server.fault = 'page';
    await one.tell('siren');
    expect(one.everything()).not.toMatch(/kept-in-a-file|[0-9a-f]{24}/);
  });
});

describe('the address of a loudspeaker', () => {
  const parse = (server: object, more: object = {}) => parsePaConfig({ server, preset: 'axis', clips: {}, ...more });
  const login = { username: 'campus', passwordFile: '/p' };
  const print = Array.from({ length: 32 }, () => 'AB').join(':');

  it.for<[string, object, string]>([
    ['basic over http', { url: 'http://192.0.2.40', login: { kind: 'basic', ...login } }, 'clearPassword'],
    ['bearer over http', { url: 'http://192.0.2.40', login: { kind: 'bearer', passwordFile: '/p' } }, 'clearPassword'],
    ['a token over http', { url: 'http://192.0.2.40', login: { kind: 'token', ...login } }, 'clearPassword'],
    ['a pin without TLS', { url: 'http://192.0.2.40', fingerprint: print }, 'server.url'],
    ['a pin and an authority', { url: 'https://192.0.2.40', fingerprint: print, caFile: '/c' }, 'fingerprint'],
    ['no password', { url: 'https://192.0.2.40', login: { kind: 'digest', username: 'campus' } }, 'passwordFile'],
    [
      'two passwords',
      { url: 'https://192.0.2.40', login: { kind: 'digest', ...login, password: 'x' } },
      'passwordFile',
    ],
    ['half a pin', { url: 'https://192.0.2.40', fingerprint: 'AB:CD' }, 'server.fingerprint'],
    ['tcp with another preset', { url: 'tcp://192.0.2.40:9000' }, 'server.url'],
  ])('is refused with %s', ([, server, key]) => {
    expect(() => parse(server)).toThrow(key);
  });

  it('is taken with basic over TLS, or where the site allows it in clear', () => {
    expect(parse({ url: 'https://192.0.2.40', login: { kind: 'basic', ...login } }).server.login.kind).toBe('basic');
    const clear = { kind: 'basic', ...login, clearPassword: true };
    expect(parse({ url: 'http://192.0.2.40', login: clear }).server.login.kind).toBe('basic');
    expect(() => parse({ url: 'https://192.0.2.40' }, { volume: { bells: 3 } })).toThrow('volume');
  });
});
