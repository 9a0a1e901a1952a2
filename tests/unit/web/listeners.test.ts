import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type RequestOptions, request } from 'node:https';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { fastify } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { ManualClock, systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { openPki, type Pki } from '#edge/runtime/pki.ts';
import { addAuthorityRoute } from '#edge/web/authority-route.ts';
import { type LineOptions, openLines } from '#edge/web/listeners.ts';

/* One application behind several lines, with real sockets. */

const soon = { timeout: 10_000 };
const day = 86_400_000;
const data = mkdtempSync(join(tmpdir(), 'lines-'));
let pki: Pki;
beforeAll(async () => {
  pki = await openPki({ data, names: [], own: null, clock: systemClock, log: silentLog });
});
afterAll(() => {
  pki?.[Symbol.dispose]();
  rmSync(data, { recursive: true, force: true });
});

async function lines(more: Partial<LineOptions> & { hosts?: readonly string[]; use?: Pki } = {}) {
  const { hosts = ['127.0.0.1'], use = pki, ...options } = more;
  const app = fastify({
    requestTimeout: 30_000,
    connectionTimeout: 60_000,
    forceCloseConnections: true,
  }).withTypeProvider<ZodTypeProvider>();
  const sockets = new WebSocketServer({ noServer: true });
  app.server.on('upgrade', (asked, socket, head) => {
    sockets.handleUpgrade(asked, socket, head, (ws) => ws.on('message', (text) => ws.send(`heard ${String(text)}`)));
  });
  app.get('/scheme', (asked) => ({ scheme: asked.protocol, host: asked.headers.host }));
  app.get('/stream', (_asked, reply) => {
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.raw.write('data: first\n\n');
  });
  addAuthorityRoute(app, use);
  const https = { hosts, port: 0, pki: use };
  const opened = await openLines(app, {
    host: '127.0.0.1',
    port: 0,
    https,
    clock: systemClock,
    log: silentLog,
    ...options,
  });
  const port = Number(new URL(opened.httpsUrl ?? 'x://y').port);
  return { ...opened, port, app, [Symbol.asyncDispose]: async () => void (await app.close()) };
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly fingerprint: string;
}

function get(port: number, path: string, options: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, path, ca: pki.authority, agent: false, timeout: 10_000, ...options },
      (response) => {
        const { socket } = response;
        const fingerprint = 'getPeerCertificate' in socket ? connectFingerprint(socket) : '';
        let body = '';
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body, headers: response.headers, fingerprint }),
        );
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

function connectFingerprint(socket: object): string {
  const ask: unknown = Reflect.get(socket, 'getPeerX509Certificate');
  const found: unknown = typeof ask === 'function' ? ask.call(socket) : undefined;
  return typeof found === 'object' && found !== null ? String(Reflect.get(found, 'fingerprint256')) : '';
}

describe('one application', () => {
  test('answers on plain HTTP and on HTTPS, over IPv4, IPv6 and by name, and knows which is which', async () => {
    await using own = await lines({ hosts: ['127.0.0.1', '::1'] });
    expect(await (await fetch(`${own.url}/scheme`)).json()).toMatchObject({ scheme: 'http' });
    for (const host of ['127.0.0.1', '::1', 'localhost']) {
      const { status, body, fingerprint } = await get(own.port, '/scheme', { host });
      expect([status, JSON.parse(body).scheme, fingerprint]).toEqual([200, 'https', pki.pages.fingerprint]);
    }
  });

  test('offers the authority to install on both, and what it offers is what verifies the connection', async () => {
    await using own = await lines();
    const offered = await fetch(`${own.url}/ca.crt`);
    expect(offered.headers.get('content-type')).toBe('application/x-x509-ca-cert');
    expect(offered.headers.get('content-disposition')).toBe('attachment; filename="campus-ca.crt"');
    const ca = await offered.text();
    expect((await get(own.port, '/ca.crt', { ca })).body).toBe(ca);
    await expect(get(own.port, '/ca.crt', { ca: undefined })).rejects.toMatchObject({
      code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO_VERIFY/),
    });
  });

  test('streams and speaks WebSocket on the encrypted line, and closes with both open', async () => {
    const own = await lines();
    const ws = new WebSocket(`wss://127.0.0.1:${own.port}/any`, { ca: pki.authority });
    await once(ws, 'open');
    ws.send('hello');
    expect(String((await once(ws, 'message'))[0])).toBe('heard hello');
    const streaming = connectTls({ host: '127.0.0.1', port: own.port, ca: pki.authority });
    let heard = '';
    streaming.on('data', (chunk) => {
      heard += chunk;
    });
    streaming.on('error', () => {});
    streaming.write('GET /stream HTTP/1.1\r\nhost: x\r\n\r\n');
    await expect.poll(() => heard, soon).toContain('data: first');
    const gone = [once(ws, 'close'), once(streaming, 'close')];
    ws.on('error', () => {});
    await own.app.close();
    await Promise.all(gone);
    await expect(get(own.port, '/scheme')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('the encrypted line', () => {
  test('speaks TLS 1.2 and 1.3 with forward secrecy, HTTP/1.1 only, and nothing older', async () => {
    await using own = await lines();
    const speak = async (options: object) => {
      const socket = connectTls({ host: '127.0.0.1', port: own.port, ca: pki.authority, ...options });
      await once(socket, 'secureConnect');
      const found = { protocol: socket.getProtocol(), cipher: socket.getCipher().name, alpn: socket.alpnProtocol };
      socket.destroy();
      return found;
    };
    const offer = { ALPNProtocols: ['h2', 'http/1.1'] };
    expect(await speak(offer)).toMatchObject({ protocol: 'TLSv1.3', alpn: 'http/1.1' });
    expect(await speak({ maxVersion: 'TLSv1.2' })).toMatchObject({
      protocol: 'TLSv1.2',
      cipher: expect.stringMatching(/^ECDHE-ECDSA-.*GCM/),
    });
    for (const old of ['TLSv1', 'TLSv1.1']) {
      await expect(speak({ minVersion: old, maxVersion: old, ciphers: 'ALL:@SECLEVEL=0' })).rejects.toThrow();
    }
    await expect(speak({ maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:AES256-SHA' })).rejects.toThrow();
  });

  test('takes over a renewed certificate without a restart, and keeps connections that are open', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lines-renew-'));
    const clock = new ManualClock(systemClock.now() - 370 * day);
    using old = await openPki({ data: folder, names: [], own: null, clock, log: silentLog });
    await using own = await lines({ use: old });
    const first = await get(own.port, '/scheme', { ca: old.authority });
    expect(first.fingerprint).toBe(old.pages.fingerprint);
    clock.advance(369 * day);
    await old.look();
    const second = await get(own.port, '/scheme', { ca: old.authority });
    expect(second.fingerprint).toBe(old.pages.fingerprint);
    expect(second.fingerprint).not.toBe(first.fingerprint);
    rmSync(folder, { recursive: true, force: true });
  });

  test("tells browsers to insist on it only with the site's own certificate", async () => {
    await using ours = await lines();
    expect((await get(ours.port, '/scheme')).headers['strict-transport-security']).toBeUndefined();
    // Any certificate that the site brought will do; this one happens to be from another campus's authority.
    const folder = mkdtempSync(join(tmpdir(), 'lines-own-'));
    using other = await openPki({ data: folder, names: [], own: null, clock: systemClock, log: silentLog });
    const own = { certificate: join(folder, 'site.crt'), key: join(folder, 'site.key') };
    writeFileSync(own.certificate, other.server.cert);
    writeFileSync(own.key, other.server.key);
    using site = await openPki({ data, names: [], own, clock: systemClock, log: silentLog });
    await using theirs = await lines({ use: site });
    const answer = await get(theirs.port, '/scheme', { ca: other.authority });
    expect(answer.headers['strict-transport-security']).toBe('max-age=15552000');
    expect(answer.fingerprint).toBe(other.server.fingerprint);
    expect((await fetch(`${theirs.url}/scheme`)).headers.has('strict-transport-security')).toBe(false);
    rmSync(folder, { recursive: true, force: true });
  });

  test('is not troubled by what is not TLS, or is not HTTP behind TLS', async () => {
    await using own = await lines();
    const plain = connectTcp(own.port, '127.0.0.1');
    plain.on('error', () => {});
    plain.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await expect.poll(() => plain.destroyed, soon).toBe(true);
    const odd = connectTls({ host: '127.0.0.1', port: own.port, ca: pki.authority });
    let heard = '';
    odd.on('data', (chunk) => {
      heard += chunk;
    });
    odd.on('error', () => {});
    odd.write('\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0\r\n\r\n');
    await expect.poll(() => odd.destroyed, soon).toBe(true);
    expect(heard).toMatch(/^HTTP\/1\.1 400/);
    expect((await get(own.port, '/scheme')).status).toBe(200);
  });

  test('2,000 sockets that never finish a handshake are bounded and go; people get in afterwards, and meanwhile on plain HTTP', async () => {
    const limits = {
      connectTimeout: 1_500,
      connectionsFromLoopback: 200,
      connectBurst: 1_000,
      connectsPerSecond: 1_000,
    };
    await using own = await lines({ limits });
    const sockets: Socket[] = Array.from({ length: 2_000 }, () => {
      const socket = connectTcp(own.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(Buffer.from([0x16, 0x03, 0x01]));
      return socket;
    });
    await expect.poll(() => sockets.filter(({ destroyed }) => destroyed).length, soon).toBeGreaterThanOrEqual(1_800);
    expect((await fetch(`${own.url}/scheme`)).status).toBe(200);
    await expect.poll(() => sockets.every(({ destroyed }) => destroyed), soon).toBe(true);
    expect((await get(own.port, '/scheme')).status).toBe(200);
  });

  test('is understood by OpenSSL, which finds nothing wrong with the chain', async () => {
    if (spawnSync('openssl', ['version'], { timeout: 10_000 }).error !== undefined) {
      console.warn('SKIPPED: openssl s_client: install the Debian package openssl to run it');
      return;
    }
    await using own = await lines();
    const ca = join(data, 'ca.crt');
    writeFileSync(ca, pki.authority);
    const said = await new Promise<string>((resolve, reject) => {
      const args = [
        's_client',
        '-connect',
        `127.0.0.1:${own.port}`,
        '-CAfile',
        ca,
        '-verify_ip',
        '127.0.0.1',
        '-x509_strict',
      ];
      execFile('openssl', [...args, '-verify_return_error'], { timeout: 15_000 }, (error, out) =>
        error ? reject(error) : resolve(out),
      ).stdin?.end();
    });
    expect(said).toContain('Verify return code: 0 (ok)');
  });
});

describe('a line that cannot be opened', () => {
  test('is named with what to set, and nothing stays open', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const https = { hosts: ['127.0.0.1'], port, pki };
    await expect(lines({ https })).rejects.toMatchObject({
      code: 'HTTPS_PORT_TAKEN',
      message: expect.stringMatching(/set https\.port in the site file/),
    });
    await expect(lines({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'HTTP_PORT_TAKEN' });
    const nowhere = { hosts: ['198.51.100.1'], port: 0, pki };
    await expect(lines({ https: nowhere })).rejects.toMatchObject({ code: 'HTTPS_ADDRESS' });
    taken.close();
  });

  test('that this machine lacks is left out where another one works', async () => {
    await using own = await lines({ hosts: ['127.0.0.1', '198.51.100.1'] });
    expect((await get(own.port, '/scheme')).status).toBe(200);
  });
});
