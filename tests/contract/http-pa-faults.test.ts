import { describe, expect, it } from 'vitest';
import { startTcpPa, startTokenPa, type TokenPaFault } from '#edge/simulators/http-pa-token.ts';
import { patience, speaker, tokenAddress } from '../unit/http-pa/speaker.ts';
import { certificate, hasOpenssl } from '../unit/onvif/certificate.ts';

const tcpAddress = (url: string) => () => ({
  server: { url, timeout: 500 },
  preset: 'tcp-play',
  clips: { bell: '3', siren: '7' },
});

describe('a server that fails while it is told to play', () => {
  it.for<TokenPaFault>(['cut', 'half', 'error', 'slow'])('plays once what was said again: %s', async (fault) => {
    await using server = await startTokenPa();
    await using one = await speaker(tokenAddress(server.url, {}, { timeout: 400 }));
    server.next.push(fault);
    expect((await one.tell('siren loop')).outcome).toBe('failed');
    await expect.poll(() => one.last('proof'), patience).toBe('heard');
    expect(server.begun).toEqual(['hall 1 siren.wav']);
    expect(server.terminal.task).not.toBeNull();
  });

  it('plays once through a whole row of them', async () => {
    await using server = await startTokenPa();
    await using one = await speaker(tokenAddress(server.url, {}, { timeout: 400 }));
    server.next.push('error', 'cut', 'half', 'slow');
    await one.tell('siren loop');
    await expect
      .poll(() => [one.last('proof'), server.next.length], { ...patience, timeout: 20_000 })
      .toEqual(['heard', 0]);
    expect(server.begun).toEqual(['hall 1 siren.wav']);
  });

  it.for<[TokenPaFault, string]>([
    ['page', 'form'],
    ['huge', 'too long'],
    ['moved', '192.0.2.66: not followed'],
    ['denied', 'token'],
    ['mute', 'in time'],
  ])('is not believed: %s', async ([fault, words]) => {
    await using server = await startTokenPa();
    await using one = await speaker(tokenAddress(server.url));
    await expect.poll(() => one.words.at(-1), patience).toContain('online');
    server.fault = fault;
    const begun = performance.now();
    const { outcome, message } = await one.tell('bell');
    expect(performance.now() - begun).toBeLessThan(5_000);
    expect([outcome, message]).toEqual(['failed', expect.stringContaining(words)]);
    expect(one.last('proof')).not.toBe('heard');
    expect(one.everything()).not.toContain('token=x');
    server.fault = null;
  });

  it.for<['muted' | 'busy' | 'offline', string]>([
    ['muted', 'muted'],
    ['busy', 'busy'],
    ['offline', 'offline'],
  ])('is named within 5 s when its terminal is %s', async ([what, words]) => {
    await using server = await startTokenPa();
    await using one = await speaker(tokenAddress(server.url), { probeEvery: 2_000 });
    if (what === 'offline') server.fault = 'offline';
    else server.terminal[what] = true;
    const begun = performance.now();
    await one.tell('bell');
    await expect
      .poll(() => [one.last('proof'), one.last('evidence')], patience)
      .toEqual(['none', expect.stringContaining(words)]);
    expect(performance.now() - begun).toBeLessThan(5_000);
    server.fault = null;
    Object.assign(server.terminal, { muted: false, busy: false });
    await expect.poll(() => one.last('proof'), patience).not.toBe('none');
  });

  it('begins a siren again, as another job, when its server has lost it', async () => {
    await using server = await startTokenPa();
    await using one = await speaker(tokenAddress(server.url));
    await one.tell('siren loop');
    await expect.poll(() => one.last('proof'), patience).toBe('heard');
    server.terminal.task = null;
    await expect.poll(() => server.begun.length, patience).toBe(2);
    expect(server.terminal.task).not.toBeNull();
  });
});

describe('a loudspeaker that takes lines over TCP', () => {
  it('plays a number, is seen to play, and stops', async () => {
    await using server = await startTcpPa();
    await using one = await speaker(tcpAddress(server.url));
    expect(await one.tell('bell level=70')).toMatchObject({ outcome: 'sent' });
    await expect.poll(() => one.last('proof'), patience).toBe('heard');
    await one.tell('');
    expect(server.lines).toEqual(['play 3 70', 'stop']);
  });

  it('plays once when the connection was cut after the line', async () => {
    await using server = await startTcpPa();
    await using one = await speaker(tcpAddress(server.url));
    server.fault = 'cut';
    expect(await one.tell('siren loop')).toMatchObject({
      outcome: 'failed',
      message: expect.stringContaining('hung up'),
    });
    await expect.poll(() => one.last('proof'), patience).toBe('heard');
    expect(server.lines).toEqual(['play 7 100']);
  });

  it.for<['half' | 'deaf' | 'garbage', string]>([
    ['half', 'hung up'],
    ['deaf', 'in time'],
    ['garbage', 'ERR 5'],
  ])('is not believed: %s', async ([fault, words]) => {
    await using server = await startTcpPa();
    await using one = await speaker(tcpAddress(server.url));
    server.fault = fault;
    expect(await one.tell('bell')).toMatchObject({ outcome: 'failed', message: expect.stringContaining(words) });
    expect(one.last('proof') ?? 'none').not.toBe('heard');
    server.fault = null;
  });

  it('is named when it is muted', async () => {
    await using server = await startTcpPa();
    server.muted = true;
    await using one = await speaker(tcpAddress(server.url));
    await one.tell('bell');
    await expect.poll(() => [one.last('proof'), one.last('evidence')], patience).toEqual(['none', 'it is muted']);
  });
});

describe.skipIf(!hasOpenssl)('a server with a certificate of its own', () => {
  it('is not spoken to, and told what to set; with its fingerprint it plays', async () => {
    const { key, cert, fingerprint } = certificate();
    await using server = await startTokenPa({ tls: { key, cert } });
    await using stranger = await speaker(tokenAddress(server.url));
    await expect.poll(() => stranger.words.at(-1), patience).toContain('address.server.fingerprint');
    expect((await stranger.tell('bell')).outcome).toBe('failed');
    expect([server.logins, server.requests]).toEqual([0, 0]);

    await using friend = await speaker(tokenAddress(server.url, {}, { fingerprint }));
    expect(await friend.tell('bell')).toMatchObject({ outcome: 'sent' });
    expect(server.begun.length).toBe(1);
  });

  it('is not spoken to with another certificate than the pinned one: it gets no password', async () => {
    const [mine, other] = [certificate(), certificate()];
    await using server = await startTokenPa({ tls: { key: other.key, cert: other.cert } });
    await using one = await speaker(tokenAddress(server.url, {}, { fingerprint: mine.fingerprint }));
    await expect.poll(() => one.words.at(-1), patience).toContain('is not the one of address.server.fingerprint');
    expect([server.logins, server.requests]).toEqual([0, 0]);
  });
});
