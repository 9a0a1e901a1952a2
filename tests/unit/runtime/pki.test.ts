import { execFileSync, fork, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ManualClock, systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { openPki, type Pki, type PkiOptions } from '#edge/runtime/pki.ts';
import { loadAuthority } from '#edge/runtime/pki-authority.ts';
import {
  ClientRegister,
  issueClientCertificate,
  listClientCertificates,
  revokeClientCertificates,
} from '#edge/runtime/pki-clients.ts';
import { newKeyPair, privateKeyPem, writeCertificate } from '#edge/runtime/pki-der.ts';
import { pkiPaths, withLock } from '#edge/runtime/pki-files.ts';
import { isUsableName, wantedNames } from '#edge/runtime/pki-names.ts';
import { loadOwnCertificate } from '#edge/runtime/pki-own.ts';

/* The campus's own authority on real files; what it writes is judged by OpenSSL. */

const day = 86_400_000;
const now = systemClock.now();
const folder = mkdtempSync(join(tmpdir(), 'pki-'));
const room = () => mkdtempSync(join(folder, 'room-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function open(data: string, more: Partial<PkiOptions> = {}): Promise<Pki> {
  return openPki({ data, names: [], own: null, clock: systemClock, log: silentLog, ...more });
}

/** Remembers what was logged. */
function noting() {
  const said: { level: string; message: string; problem?: unknown }[] = [];
  const at = (level: string) => (fields: object, message: string) =>
    void said.push({ level, message, ...('problem' in fields ? { problem: fields.problem } : {}) });
  return {
    said,
    log: Object.assign(Object.create(silentLog), { info: at('info'), warn: at('warn'), error: at('error') }),
  };
}

describe('the authority', () => {
  test('is made once, by whichever of four processes comes first, and its key is for nobody else to read', async () => {
    const data = room();
    const program = join(data, 'open.ts');
    const module = (name: string) => JSON.stringify(join(import.meta.dirname, '../../../edge/runtime', name));
    writeFileSync(
      program,
      `import { openPki } from ${module('pki.ts')};
import { systemClock } from ${module('clock.ts')};
import { silentLog } from ${module('log.ts')};
using pki = await openPki({ data: ${JSON.stringify(data)}, names: [], own: null, clock: systemClock, log: silentLog });
process.send?.([pki.authority, pki.server.fingerprint].join());
process.disconnect();
`,
    );
    const children = Array.from({ length: 4 }, () => fork(program, { execArgv: [] }));
    const answers = await Promise.all(children.map(async (child) => String((await once(child, 'message'))[0])));
    expect(new Set(answers).size).toBe(1);
    const { folder: pki, authority, server } = pkiPaths(data);
    expect(statSync(pki).mode & 0o777).toBe(0o700);
    for (const file of [authority, server]) expect(statSync(file).mode & 0o777).toBe(0o600);
    await expect.poll(() => readdirSync(pki).sort(), { timeout: 5_000 }).toEqual(['authority.pem', 'server.pem']);
  });

  test('stays the same over restarts, lasts ten years, and signs nothing but what is directly below it', async () => {
    const data = room();
    const first = await loadAuthority(data, systemClock);
    const again = await loadAuthority(data, systemClock);
    expect(again.pem).toBe(first.pem);
    const { certificate } = first;
    expect(certificate.ca).toBe(true);
    expect(Math.round((certificate.validToDate.getTime() - now) / day)).toBe(3_650);
    expect(certificate.subject).toMatch(/CN=Campus Edge CA [0-9a-f]{16}/);
    const other = await loadAuthority(room(), systemClock);
    expect(other.name).not.toBe(first.name);
  });

  test('that is damaged is not silently made anew: every device would be locked out', async () => {
    const data = room();
    await loadAuthority(data, systemClock);
    const { authority } = pkiPaths(data);
    writeFileSync(authority, readFileSync(authority, 'utf8').slice(0, 300));
    await expect(open(data)).rejects.toMatchObject({ code: 'PKI_BROKEN', message: expect.stringContaining(authority) });
  });

  test('and what it signs pass the strictest check of OpenSSL', async () => {
    if (spawnSync('openssl', ['version'], { timeout: 10_000 }).error !== undefined) {
      console.warn('SKIPPED: certificates under openssl verify: install the Debian package openssl to run it');
      return;
    }
    const data = room();
    using pki = await open(data, { names: ['campus.example.cn', 'fd00::12', '10.1.2.3'] });
    const client = await issueClientCertificate(data, 'sensor-1', systemClock);
    const ca = join(data, 'ca.crt');
    writeFileSync(ca, pki.authority);
    const verify = (text: string, purpose: string, ...more: string[]) => {
      const file = join(data, `${purpose}.crt`);
      writeFileSync(file, text);
      const args = ['verify', '-x509_strict', '-CAfile', ca, '-purpose', purpose, ...more, file];
      return spawnSync('openssl', args, { encoding: 'utf8', timeout: 10_000 }).stdout.trim().endsWith('OK');
    };
    expect(verify(pki.server.cert, 'sslserver', '-verify_hostname', 'campus.example.cn')).toBe(true);
    for (const address of ['10.1.2.3', 'fd00::12', '::1', '127.0.0.1']) {
      expect([address, verify(pki.server.cert, 'sslserver', '-verify_ip', address)]).toEqual([address, true]);
    }
    expect(verify(pki.server.cert, 'sslserver', '-verify_hostname', 'elsewhere.example.cn')).toBe(false);
    expect(verify(client.cert, 'sslclient')).toBe(true);
    expect(verify(client.cert, 'sslserver')).toBe(false);
    expect(verify(pki.server.cert, 'sslclient')).toBe(false);
    const text = execFileSync('openssl', ['asn1parse', '-in', ca], { encoding: 'utf8', timeout: 10_000 });
    expect(text).toContain('ecdsa-with-SHA256');
  });
});

describe('the server certificate', () => {
  test('bears the names of this machine and of the site, not wildcard addresses nor what is no name', () => {
    const { needed } = wantedNames(['Campus.Example.CN', '::', '0.0.0.0', 'not a name', 'fe80::1%eth0']);
    expect(needed).toEqual(expect.arrayContaining(['localhost', '127.0.0.1', '::1', 'campus.example.cn']));
    expect(needed).not.toEqual(expect.arrayContaining(['::']));
    expect(needed.every(isUsableName)).toBe(true);
    if (isUsableName(hostname())) expect(needed).toContain(hostname().toLowerCase());
    for (const bad of ['', 'a..b', '-a', 'a b', 'x'.repeat(64), `${'a.'.repeat(130)}a`, '校园', '*.*.a'])
      expect([bad, isUsableName(bad)]).toEqual([bad, false]);
  });

  test('lasts 397 days and is made anew 30 days before its end, once, for all who look', async () => {
    const data = room();
    const clock = new ManualClock(now);
    using one = await open(data, { clock });
    using two = await open(data, { clock });
    const { fingerprint, expires } = one.server;
    expect(two.server.fingerprint).toBe(fingerprint);
    expect(Math.round((expires - now) / day)).toBe(397);
    clock.advance(366 * day);
    await one.look();
    expect(one.server.fingerprint).toBe(fingerprint);
    let told = 0;
    one.onChange(() => {
      told += 1;
    });
    clock.advance(2 * day);
    await Promise.all([one.look(), two.look()]);
    expect(one.server.fingerprint).not.toBe(fingerprint);
    expect(two.server.fingerprint).toBe(one.server.fingerprint);
    expect(told).toBe(1);
    await one.look();
    expect(told).toBe(1);
  });

  test('is made anew for a new name, and kept when a name goes or the file is as it was', async () => {
    const data = room();
    const first = await fingerprintOf(data, ['a.example.cn']);
    expect(await fingerprintOf(data, ['a.example.cn'])).toBe(first);
    expect(await fingerprintOf(data, [])).toBe(first);
    const second = await fingerprintOf(data, ['b.example.cn']);
    expect(second).not.toBe(first);
  });

  test('is made anew when its file is damaged or was signed by another authority', async () => {
    const data = room();
    const first = await fingerprintOf(data, []);
    writeFileSync(pkiPaths(data).server, 'nothing of use');
    const second = await fingerprintOf(data, []);
    expect(second).not.toBe(first);
    const other = room();
    await fingerprintOf(other, []);
    writeFileSync(pkiPaths(data).server, readFileSync(pkiPaths(other).server));
    using third = await open(data);
    expect(new X509Certificate(third.server.cert).verify(new X509Certificate(third.authority).publicKey)).toBe(true);
  });

  test('is not made over and over in the last month of its authority', async () => {
    const data = room();
    const clock = new ManualClock(now);
    await loadAuthority(data, clock);
    clock.advance(3_640 * day);
    using pki = await open(data, { clock });
    const { fingerprint, expires } = pki.server;
    await pki.look();
    expect(pki.server.fingerprint).toBe(fingerprint);
    expect(Math.round((expires - clock.now()) / day)).toBe(10);
  });
});

async function fingerprintOf(data: string, names: readonly string[]): Promise<string> {
  using pki = await open(data, { names });
  return pki.server.fingerprint;
}

describe("the site's own certificate", () => {
  /** A pair of files as a school's authority would hand them over. */
  async function brought(from = now - day, until = now + 90 * day) {
    const data = room();
    const authority = await loadAuthority(room(), systemClock);
    const { publicKey, privateKey } = newKeyPair();
    const issuer = { name: authority.name, key: authority.key };
    const cert = writeCertificate({
      name: 'campus.example.cn',
      publicKey,
      issuer,
      use: 'server',
      names: ['campus.example.cn'],
      from,
      until,
    });
    const own = { certificate: join(data, 'site.crt'), key: join(data, 'site.key') };
    writeFileSync(own.certificate, cert + authority.pem);
    writeFileSync(own.key, privateKeyPem(privateKey));
    return { data, own, fingerprint: new X509Certificate(cert).fingerprint256 };
  }

  test('is shown on the pages, while devices see what their authority signed', async () => {
    const { data, own, fingerprint } = await brought();
    using pki = await open(data, { own });
    expect(pki.pages).toMatchObject({ fingerprint, subject: 'campus.example.cn', selfSigned: false });
    expect(pki.server.selfSigned).toBe(true);
  });

  test.each([
    [
      'is missing',
      ({ certificate }: Files) => rmSync(certificate),
      'CERTIFICATE_UNREADABLE',
      /cannot read https\.certificate .*ENOENT/,
    ],
    [
      'is no certificate',
      ({ certificate }: Files) => writeFileSync(certificate, 'hello'),
      'CERTIFICATE_INVALID',
      /holds no certificate/,
    ],
    [
      'has no key in its key file',
      ({ key }: Files) => writeFileSync(key, 'hello'),
      'CERTIFICATE_KEY',
      /holds no private key/,
    ],
    [
      'has the key of another',
      ({ key }: Files) => writeFileSync(key, privateKeyPem(newKeyPair().privateKey)),
      'CERTIFICATE_KEY',
      /belongs to another certificate/,
    ],
    [
      'has a key with a pass phrase',
      ({ key }: Files) => writeFileSync(key, sealedKey()),
      'CERTIFICATE_KEY',
      /has a pass phrase/,
    ],
    [
      'is far too large',
      ({ certificate }: Files) => writeFileSync(certificate, 'x'.repeat(300_000)),
      'CERTIFICATE_UNREADABLE',
      /more than 200000 bytes/,
    ],
  ] as const)(
    'that %s is refused in words, and the pages have that of the campus',
    async (_what, spoil, code, words) => {
      const { data, own } = await brought();
      spoil(own);
      await expect(loadOwnCertificate(own, now)).rejects.toMatchObject({ code, message: expect.stringMatching(words) });
      const { said, log } = noting();
      using pki = await open(data, { own, log });
      expect(pki.pages).toEqual(pki.server);
      await pki.look();
      const told = said.filter(({ level }) => level === 'error');
      expect(told).toEqual([
        { level: 'error', message: "the site's own certificate is not used", problem: expect.stringMatching(words) },
      ]);
    },
  );

  test('that has expired, or is not good yet, is refused with its date', async () => {
    const past = await brought(now - 90 * day, now - day);
    await expect(loadOwnCertificate(past.own, now)).rejects.toMatchObject({
      code: 'CERTIFICATE_EXPIRED',
      message: expect.stringMatching(/expired on \d{4}-\d\d-\d\d/),
    });
    const coming = await brought(now + day, now + 90 * day);
    await expect(loadOwnCertificate(coming.own, now)).rejects.toMatchObject({
      code: 'CERTIFICATE_NOT_YET',
      message: expect.stringContaining('is the clock right?'),
    });
    const clock = new ManualClock(now);
    using pki = await open(coming.data, { own: coming.own, clock });
    expect(pki.pages.selfSigned).toBe(true);
    clock.advance(2 * day);
    await pki.look();
    expect(pki.pages.fingerprint).toBe(coming.fingerprint);
  });

  test('is taken over when its files change; a bad one leaves the one before until that ends', async () => {
    const { data, own, fingerprint } = await brought();
    const { said, log } = noting();
    const clock = new ManualClock(now);
    using pki = await open(data, { own, clock, log });
    const next = await brought(now - day, now + 200 * day);
    writeFileSync(own.certificate, readFileSync(next.own.certificate));
    utimesSync(own.certificate, 1, 1);
    await pki.look(); // half of it is there
    expect(pki.pages.fingerprint).toBe(fingerprint);
    writeFileSync(own.key, readFileSync(next.own.key));
    await pki.look();
    expect(pki.pages.fingerprint).toBe(next.fingerprint);
    expect(said.map(({ message }) => message)).toEqual([
      "the site's own certificate is not used",
      "the site's own certificate is good again",
      'another certificate is shown from now on',
    ]);
    clock.advance(201 * day);
    await pki.look();
    expect(pki.pages).toEqual(pki.server);
  });
});

interface Files {
  readonly certificate: string;
  readonly key: string;
}

function sealedKey(): string {
  const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'geheim' } as const;
  return String(newKeyPair().privateKey.export(options));
}

describe('certificates of devices', () => {
  test('are made for two years, kept on a list without their key, and taken back', async () => {
    const data = room();
    const made = await issueClientCertificate(data, 'sensor-1', systemClock);
    const certificate = new X509Certificate(made.cert);
    expect(certificate.subject).toBe('O=Campus Edge\nCN=sensor-1');
    expect(certificate.fingerprint256).toBe(made.fingerprint);
    expect(Math.round((made.expires - now) / day)).toBe(730);
    expect(readFileSync(pkiPaths(data).clients, 'utf8')).not.toContain('PRIVATE');
    const register = new ClientRegister({ data, clock: systemClock, log: silentLog });
    await register.refresh();
    expect(register.stateOf(made.fingerprint)).toBe('good');
    expect(register.find(made.fingerprint)?.client).toBe('sensor-1');
    const second = await issueClientCertificate(data, 'sensor-1', systemClock, 30);
    expect(await revokeClientCertificates(data, 'sensor-1', systemClock)).toBe(2);
    expect(await revokeClientCertificates(data, 'sensor-1', systemClock)).toBe(0);
    await register.refresh();
    expect([made, second].map(({ fingerprint }) => register.stateOf(fingerprint))).toEqual(['revoked', 'revoked']);
    expect(register.stateOf('AA')).toBe('unknown');
  });

  test('that are made at the same time are all on the list', async () => {
    const data = room();
    const names = Array.from({ length: 20 }, (_, n) => `sensor-${n}`);
    await Promise.all(names.map((name) => issueClientCertificate(data, name, systemClock)));
    expect((await listClientCertificates(data)).map(({ client }) => client).sort()).toEqual([...names].sort());
  });

  test('expire, do not outlive their authority, and leave the list a month later', async () => {
    const data = room();
    const clock = new ManualClock(now);
    const made = await issueClientCertificate(data, 'sensor-1', clock, 10);
    const register = new ClientRegister({ data, clock, log: silentLog });
    await register.refresh();
    clock.advance(11 * day);
    expect(register.stateOf(made.fingerprint)).toBe('expired');
    clock.advance(3_600 * day);
    const late = await issueClientCertificate(data, 'sensor-2', clock);
    expect(Math.round((late.expires - clock.now()) / day)).toBe(39);
    expect((await listClientCertificates(data)).map(({ client }) => client)).toEqual(['sensor-2']);
  });

  test('are refused for what is no client, and for a nonsensical time', async () => {
    const data = room();
    for (const name of ['', 'A B', '../x', 'x'.repeat(64), 'a\nCN=b']) {
      await expect(issueClientCertificate(data, name, systemClock)).rejects.toMatchObject({
        code: 'PKI_CLIENT_INVALID',
      });
    }
    for (const days of [0, -1, 1.5, 4_000, Number.NaN]) {
      await expect(issueClientCertificate(data, 'a', systemClock, days)).rejects.toMatchObject({
        code: 'PKI_CLIENT_INVALID',
      });
    }
  });

  test('a broken list is named, and keeps those in that were in', async () => {
    const data = room();
    const made = await issueClientCertificate(data, 'sensor-1', systemClock);
    const { said, log } = noting();
    const register = new ClientRegister({ data, clock: systemClock, log });
    await register.refresh();
    writeFileSync(pkiPaths(data).clients, '{"version": 1, "certificates": [{}]}');
    await register.refresh();
    expect(register.stateOf(made.fingerprint)).toBe('good');
    expect(said.filter(({ level }) => level === 'error')).toHaveLength(1);
    await expect(issueClientCertificate(data, 'sensor-2', systemClock)).rejects.toMatchObject({
      code: 'PKI_LIST_BROKEN',
      message: expect.stringContaining(pkiPaths(data).clients),
    });
  });
});

test('a lock that a dead process left is taken over, and one that is held is waited for', async () => {
  const file = join(room(), 'lock');
  const order: string[] = [];
  const held = Promise.withResolvers<void>();
  const first = withLock(file, async () => {
    order.push('first');
    await held.promise;
  });
  const second = withLock(file, async () => void order.push('second'));
  await expect.poll(() => order).toEqual(['first']);
  held.resolve();
  await Promise.all([first, second]);
  expect(order).toEqual(['first', 'second']);
  writeFileSync(file, 'nobody');
  await withLock(file, async () => void order.push('third'), 3);
  expect(order.at(-1)).toBe('third');
});
