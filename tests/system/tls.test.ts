import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TLSSocket } from 'node:tls';
import { connectAsync } from 'mqtt';
import { describe, expect, test, vi } from 'vitest';
import { paths } from '#edge/processes/context.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { loadAuthority } from '#edge/runtime/pki-authority.ts';
import { issueClientCertificate, revokeClientCertificates } from '#edge/runtime/pki-clients.ts';
import { newKeyPair, privateKeyPem, writeCertificate } from '#edge/runtime/pki-der.ts';
import { connectRpc } from '#edge/runtime/rpc.ts';
import { checkSite, type Site } from '#edge/runtime/site.ts';
import { startCampus } from './campus.ts';
import { freePorts } from './free-ports.ts';

/* The encrypted lines of a whole campus: real processes, as people and devices on a network see them. */

const soon = { timeout: 45_000, interval: 100 };

interface Seen {
  readonly status: number;
  readonly body: string;
  readonly fingerprint: string;
}

function see(host: string, port: number, path: string, ca: string, token?: string): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const asked = request({ host, port, path, ca, headers, agent: false, timeout: 10_000 }, (response) => {
      const socket = response.socket as TLSSocket;
      const fingerprint = socket.getPeerX509Certificate()?.fingerprint256 ?? '';
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, fingerprint }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

test.each(['127.0.0.1', '::1'] as const)(
  'a campus on %s serves its pages and its broker encrypted, under one authority, and forwards its audit',
  async (host) => {
    const folder = mkdtempSync(join(tmpdir(), 'collector-'));
    const collector = await startCollector(folder, host);
    const change = (site: Site): Site => ({
      ...site,
      syslog: { host, port: collector.port, tls: true, ca: collector.ca },
    });
    await using campus = await startCampus({ host, only: ['web'], simulators: false, city: false, change });
    await vi.waitFor(async () => expect((await fetch(`${campus.url}/healthz`)).status).toBe(200), soon);
    const ca = await (await fetch(`${campus.url}/ca.crt`)).text();
    const { pem } = await loadAuthority(campus.data, systemClock);
    expect(ca).toBe(pem);
    const https = campus.site.https?.port ?? 0;
    const page = await see(host, https, '/healthz', ca);
    expect(page.status).toBe(200);
    expect((await see(host, https, '/api/v1/system', ca)).status).toBe(401);
    const token = readFileSync(join(campus.data, 'admin-token'), 'utf8').trim();
    expect((await see(host, https, '/api/v1/points', ca, token)).status).toBe(200);

    // A sensor that has its certificate and no password, added while the campus runs.
    const mqtts = { host, port: campus.site.mqtt.tls?.port ?? 0, protocol: 'mqtts' as const, ca, reconnectPeriod: 0 };
    const [client] = campus.site.clients.filter(({ devices }) => devices.length > 0);
    if (client === undefined) throw new Error('the demo has no client that speaks for a device');
    const made = await issueClientCertificate(campus.data, client.id, systemClock);
    const sensor = await connectAsync({ ...mqtts, cert: made.cert, key: made.key, clientId: client.id });
    const gone = new Promise<void>((resolve) => void sensor.on('close', () => resolve()));
    await sensor.publishAsync(`v1/in/${client.devices[0]}/samples`, '{"s":[["nothing",1]]}', { qos: 1 });
    expect(await revokeClientCertificates(campus.data, client.id, systemClock)).toBe(1);
    await gone;
    await expect(connectAsync({ ...mqtts, cert: made.cert, key: made.key, clientId: client.id })).rejects.toMatchObject(
      { code: 5 },
    );
    const password = { username: client.id, password: campus.passwords[client.id] ?? '' };
    await (await connectAsync({ ...mqtts, ...password, clientId: client.id })).endAsync();

    await using rpc = connectRpc(paths.socket(campus.data));
    const line = { who: 'person:lin', from: host, what: 'plan.print map', why: 'for the wall', result: 'done' };
    await rpc.call('audit', line);
    await expect
      .poll(() => collector.heard(), soon)
      .toMatch(
        /\[audit@32473 seq="\d+" campus="\d{10}" who="person:lin".* what="plan.print map".* hash="[0-9a-f]{64}"\]/,
      );
    await collector.stop();
    rmSync(folder, { recursive: true, force: true });
  },
  120_000,
);

async function startCollector(folder: string, host: string) {
  const [port = 0] = await freePorts(1, host);
  const authority = await loadAuthority(folder, systemClock);
  const { publicKey, privateKey } = newKeyPair();
  const now = systemClock.now();
  const issuer = { name: authority.name, key: authority.key };
  const cert = writeCertificate({
    name: 'collector',
    publicKey,
    issuer,
    use: 'server',
    names: [host],
    from: now - 3_600_000,
    until: now + 86_400_000,
  });
  const ca = join(folder, 'ca.crt');
  writeFileSync(ca, authority.pem);
  let heard = '';
  const server = createServer({ cert, key: privateKeyPem(privateKey) }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      heard += chunk;
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
  return { port, ca, heard: () => heard, stop: () => new Promise((resolve) => server.close(resolve)) };
}

describe('a site file', () => {
  const good = {
    site: 1,
    campus: { id: '2151009901', name: { zh: '青禾', en: 'Qinghe' }, timeZone: 'Asia/Shanghai' },
    zones: [{ id: 'z', name: { zh: '东', en: 'East' } }],
  };
  const check = (more: object) => checkSite({ ...good, ...more }, '/');

  test('has both encrypted lines on this machine unless it says otherwise', () => {
    expect(check({})).toMatchObject({
      https: { hosts: ['127.0.0.1', '::1'], port: 8443, names: [] },
      mqtt: { tls: { port: 8883, clientCertificates: 'accept' } },
      syslog: null,
    });
    expect(check({ https: null, mqtt: { tls: null } })).toMatchObject({ https: null, mqtt: { tls: null } });
  });

  test.each(['0.0.0.0', '::', '192.0.2.7', 'campus.example.cn'])('may not have plain HTTP on %s', (host) => {
    expect(() => check({ http: { host, port: 8080 } })).toThrow(
      'http.host: must be an address of this machine only (127.0.0.1, ::1 or localhost), because http is not encrypted: use https.hosts for a network',
    );
  });

  test('may have it on every address of this machine alone', () => {
    for (const host of ['127.0.0.1', '127.0.0.2', '::1', 'localhost'])
      expect(check({ http: { host, port: 1 } }).http.host).toBe(host);
  });

  test('names certificate and key together, and names that are names', () => {
    expect(() => check({ https: { certificate: 'a.pem' } })).toThrow('https: certificate and key go together');
    expect(() => check({ https: { names: ['a b'] } })).toThrow('https.names[0]: must be a DNS name or an IP address');
    expect(() => check({ mqtt: { tls: { clientCertificates: 'maybe' } } })).toThrow('mqtt.tls.clientCertificates');
    expect(() => check({ syslog: { host: 'log.example.cn', prot: 1 } })).toThrow('syslog');
    expect(check({ syslog: { host: 'log.example.cn' } }).syslog).toEqual({
      host: 'log.example.cn',
      port: 6514,
      tls: true,
    });
  });
});
