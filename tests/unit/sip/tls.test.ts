import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startSipSpeaker } from '#edge/simulators/sip-speaker.ts';
import { order, patience, startRig } from './rig.ts';

const hasOpenssl = spawnSync('openssl', ['version'], { timeout: 10_000 }).status === 0;
if (!hasOpenssl) console.warn('SKIPPED: openssl is not installed, so SIP over TLS was not tried');

async function identity() {
  const folder = await mkdtemp(join(tmpdir(), 'sip-tls-'));
  const subject = ['-subj', '/CN=hall', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'k',
    '-out',
    'c',
  ];
  spawnSync('openssl', [...args, ...subject], { cwd: folder, timeout: 20_000 });
  const [key, cert] = await Promise.all([readFile(join(folder, 'k'), 'utf8'), readFile(join(folder, 'c'), 'utf8')]);
  const { fingerprint256 } = new X509Certificate(cert);
  const caFile = join(folder, 'c');
  return {
    key,
    cert,
    caFile,
    fingerprint: fingerprint256,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

describe.skipIf(!hasOpenssl)('a page over TLS', () => {
  it.each(['fingerprint', 'caFile'] as const)('plays where the certificate is trusted by its %s', async (by) => {
    await using own = await identity();
    await using speaker = await startSipSpeaker({ host: '127.0.0.1', transport: 'tls', identity: own });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri, transport: 'tls', tls: { [by]: own[by] } });
    expect(await session.write(order('tones'))).toMatchObject({ outcome: 'sent' });
    await expect.poll(() => speaker.heard().packets, patience).toBeGreaterThan(10);
  });

  it.each([
    ['another certificate', { fingerprint: 'ab'.repeat(32) }, 'not the one that was agreed on'],
    ['a certificate that nobody vouches for', {}, 'self-signed'],
  ])('says nothing to %s', async (_what, tls, words) => {
    await using own = await identity();
    await using speaker = await startSipSpeaker({ host: '127.0.0.1', transport: 'tls', identity: own });
    await using rig = await startRig();
    await using session = await rig.open({ call: speaker.uri, transport: 'tls', tls });
    await expect.poll(() => session.heard.states.at(-1)?.message, patience).toContain(words);
    expect(await session.write(order('tones'))).toMatchObject({ outcome: 'failed' });
    expect(speaker.heard().requests).toEqual([]);
  });
});
