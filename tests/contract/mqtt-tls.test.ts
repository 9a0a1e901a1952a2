import { execFile, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { generate, type Packet, parser } from 'mqtt-packet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BrokerOptions } from '#edge/bus/broker.ts';
import { ManualClock, systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { openPki, type Pki } from '#edge/runtime/pki.ts';
import { loadAuthority } from '#edge/runtime/pki-authority.ts';
import {
  ClientRegister,
  type IssuedCertificate,
  issueClientCertificate,
  revokeClientCertificates,
} from '#edge/runtime/pki-clients.ts';
import { newKeyPair, privateKeyPem, writeCertificate } from '#edge/runtime/pki-der.ts';
import { connectPacket, startTestBroker, token } from '../system/broker-harness.ts';

/* MQTT over TLS: mqtt.js and raw sockets always, Debian's mosquitto-clients where they are installed. */

const run = promisify(execFile);
const topic = 'v1/in/sensor-1/samples';
const samples = '{"s":[["temperature",21.5]]}';
const day = 86_400_000;
const soon = { timeout: 10_000 };
const data = mkdtempSync(join(tmpdir(), 'mqtt-tls-'));
let pki: Pki;
let sensor: IssuedCertificate;

beforeAll(async () => {
  pki = await openPki({ data, names: [], own: null, clock: systemClock, log: silentLog });
  sensor = await issueClientCertificate(data, 'sensor-1', systemClock);
});
afterAll(() => {
  pki?.[Symbol.dispose]();
  rmSync(data, { recursive: true, force: true });
});

type More = Partial<Pick<BrokerOptions, 'hosts' | 'limits' | 'onPublish'>>;

async function broker(clientCertificates: 'no' | 'accept' | 'require' = 'accept', more: More = {}) {
  const { hosts = ['127.0.0.1'] } = more;
  const clients = new ClientRegister({ data, clock: systemClock, log: silentLog });
  const own = await startTestBroker({ ...more, hosts, tls: { hosts, port: 0, clientCertificates, pki, clients } });
  return Object.assign(own, { tlsPort: own.broker.ports.tls ?? 0 });
}

const trust = () => ({ ca: pki.authority, rejectUnauthorized: true });
const shows = ({ cert, key }: { cert: string; key: string }) => ({ cert, key });

function mqtt(port: number, options: IClientOptions): Promise<MqttClient> {
  const to = { host: '127.0.0.1', port, protocol: 'mqtts' as const, reconnectPeriod: 0, connectTimeout: 10_000 };
  return connectAsync({ ...to, ...trust(), ...options });
}

/** A raw TLS connection that keeps what it hears. */
class RawTls implements Disposable {
  readonly socket: TLSSocket;
  readonly packets: Packet[] = [];
  closed = false;
  secure = false;
  error = '';

  constructor(port: number, options: ConnectionOptions = {}) {
    const parsing = parser();
    parsing.on('packet', (packet: Packet) => this.packets.push(packet));
    this.socket = connectTls({ host: '127.0.0.1', port, ...trust(), ...options }, () => {
      this.secure = true;
    });
    this.socket.on('data', (chunk: Buffer) => parsing.parse(chunk));
    this.socket.on('error', (error) => {
      this.error = `${'code' in error ? error.code : ''} ${error.message}`;
    });
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  send(packet: Packet): void {
    this.socket.write(generate(packet));
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

const nameIn = (text: string) => /^CN=(.+)$/m.exec(text)?.[1] ?? '';

/** A certificate for `sensor-1` that the campus did not hand out. */
async function forged(
  by: 'our authority' | 'somebody of its name' | 'the device itself',
  use: 'client' | 'server' = 'client',
) {
  const { publicKey, privateKey } = newKeyPair();
  const authority = await loadAuthority(data, systemClock);
  const issuer = {
    'our authority': { name: authority.name, key: authority.key },
    'somebody of its name': { name: nameIn(new X509Certificate(sensor.cert).issuer), key: newKeyPair().privateKey },
    'the device itself': { name: 'sensor-1', key: privateKey },
  }[by];
  const now = systemClock.now();
  const cert = writeCertificate({ name: 'sensor-1', publicKey, issuer, use, from: now - day, until: now + day });
  return { cert, key: privateKeyPem(privateKey) };
}

const login = { clientId: 'sensor-1', username: 'sensor-1', password: token('sensor-1') };

describe('a device with a certificate', () => {
  test('is who the certificate was made for, needs no password, and leaves nothing behind when it goes', async () => {
    await using own = await broker();
    const client = await mqtt(own.tlsPort, { ...shows(sensor), clientId: 'whatever' });
    await client.publishAsync(topic, samples, { qos: 1 });
    expect(own.messages).toMatchObject([{ client: 'sensor-1', topic, qos: 1 }]);
    await client.endAsync();
    await expect.poll(() => own.broker.stats(), soon).toMatchObject({ connections: 0, clients: 0, refused: {} });
  });

  test('may say its own name, and is refused under any other', async () => {
    await using own = await broker('require');
    const client = await mqtt(own.tlsPort, { ...shows(sensor), clientId: 'sensor-1', username: 'sensor-1' });
    await client.endAsync();
    const other = { ...shows(sensor), clientId: 'sensor-2', username: 'sensor-2', password: token('sensor-2') };
    await expect(mqtt(own.tlsPort, other)).rejects.toMatchObject({ code: 5 });
    expect(own.broker.stats().refused).toEqual({ 'certificate-mismatch': 1 });
    expect(own.refusals[0]?.message).toMatch(/shows the certificate of "sensor-1" and calls itself "sensor-2"/);
  });

  test('gets no more than the site file grants it', async () => {
    await using own = await broker();
    using raw = new RawTls(own.tlsPort, shows(sensor));
    raw.send({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      clientId: 'sensor-1',
      keepalive: 60,
    });
    raw.send({
      cmd: 'publish',
      topic: 'v1/command/fieldbus',
      payload: '1',
      qos: 1,
      messageId: 1,
      dup: false,
      retain: false,
    });
    await expect.poll(() => raw.closed, soon).toBe(true);
    expect(raw.packets).toMatchObject([{ cmd: 'connack', returnCode: 0 }]);
    expect(own.broker.stats().refused).toEqual({ 'topic-not-granted': 1 });
  });

  test('is refused when it is not in the site file, and cannot be one of our own processes', async () => {
    await using own = await broker();
    for (const client of ['nobody', 'web', 'fieldbus']) {
      const made = await issueClientCertificate(data, client, systemClock, 1);
      await expect(mqtt(own.tlsPort, { ...shows(made), clientId: client })).rejects.toMatchObject({ code: 5 });
    }
    expect(own.broker.stats().refused).toEqual({ 'not-in-site': 3 });
    expect(own.refusals[0]?.message).toBe(
      'the certificate of "nobody" is good, but the site file has no client of that id',
    );
  });

  test('that is revoked is cut off within seconds, and comes in no more, not with a session of before either', async () => {
    const made = await issueClientCertificate(data, 'sensor-2', systemClock);
    await using own = await broker();
    const sessions: Buffer[] = [];
    using first = new RawTls(own.tlsPort, shows(made));
    first.socket.on('session', (session) => sessions.push(session));
    first.send(connectPacket('sensor-2', { username: undefined, password: undefined }));
    await expect.poll(() => first.packets, soon).toMatchObject([{ cmd: 'connack', returnCode: 0 }]);
    // A session taken up again still says whose it is.
    using again = new RawTls(own.tlsPort, { session: sessions.at(-1) });
    again.send(connectPacket('sensor-2', { clientId: 'sensor-2:again', username: undefined, password: undefined }));
    await expect.poll(() => again.packets, soon).toMatchObject([{ cmd: 'connack', returnCode: 0 }]);
    expect(again.socket.isSessionReused()).toBe(true);

    expect(await revokeClientCertificates(data, 'sensor-2', systemClock)).toBe(1);
    await expect.poll(() => first.closed && again.closed, soon).toBe(true);
    using late = new RawTls(own.tlsPort, { session: sessions.at(-1) });
    late.send(connectPacket('sensor-2', { username: undefined, password: undefined }));
    await expect.poll(() => late.closed, soon).toBe(true);
    expect(late.packets).toMatchObject([{ cmd: 'connack', returnCode: 5 }]);
    await expect(mqtt(own.tlsPort, { ...shows(made), clientId: 'sensor-2' })).rejects.toMatchObject({ code: 5 });
    expect(own.broker.stats().refused).toEqual({ 'certificate-revoked': 4 });
    expect(own.refusals.at(-1)?.message).toMatch(
      /^the certificate of "sensor-2" that a client from .* shows was revoked$/,
    );
  });

  test('that has expired is refused', async () => {
    const past = new ManualClock(systemClock.now() - 735 * day);
    const made = await issueClientCertificate(data, 'sensor-2', past);
    await using own = await broker();
    await expect(mqtt(own.tlsPort, { ...shows(made), clientId: 'sensor-2' })).rejects.toMatchObject({ code: 5 });
    expect(own.broker.stats().refused).toEqual({ 'certificate-expired': 1 });
  });

  test.each([
    ['of an authority that only bears our name', 'somebody of its name', 'client'],
    ['that it signed itself', 'the device itself', 'client'],
    ['of our authority that is on no list', 'our authority', 'client'],
    ['made for a server', 'our authority', 'server'],
  ] as const)('%s is refused, with the right password too', async (_what, by, use) => {
    await using own = await broker();
    const made = await forged(by, use);
    await expect(mqtt(own.tlsPort, { ...shows(made), clientId: 'sensor-1' })).rejects.toMatchObject({ code: 5 });
    await expect(mqtt(own.tlsPort, { ...shows(made), ...login })).rejects.toMatchObject({ code: 5 });
    expect(own.broker.stats().refused).toEqual({ 'certificate-foreign': 2 });
  });

  test('of which it has no key gets nowhere', async () => {
    await using own = await broker();
    const { key } = await forged('our authority');
    expect(() => new RawTls(own.tlsPort, { cert: sensor.cert, key })).toThrow(/key values mismatch/);
    expect(own.broker.stats().clients).toBe(0);
  });
});

describe('a device without a certificate', () => {
  test('comes in with its password where certificates are accepted', async () => {
    await using own = await broker('accept');
    const client = await mqtt(own.tlsPort, login);
    await client.publishAsync(topic, samples, { qos: 1 });
    await client.endAsync();
    await expect(mqtt(own.tlsPort, { ...login, password: 'guess' })).rejects.toMatchObject({ code: 4 });
    expect(own.broker.stats().refused).toEqual({ 'bad-credentials': 1 });
  });

  test('is refused in words where they are required, and a certificate counts for nothing where they are not asked for', async () => {
    await using strict = await broker('require');
    await expect(mqtt(strict.tlsPort, login)).rejects.toMatchObject({ code: 5 });
    expect(strict.refusals[0]).toMatchObject({ reason: 'certificate-required' });
    await using plain = await broker('no');
    await expect(mqtt(plain.tlsPort, { ...shows(sensor), clientId: 'sensor-1' })).rejects.toMatchObject({ code: 4 });
    await (await mqtt(plain.tlsPort, login)).endAsync();
  });

  test('does not come in when it speaks TLS 1.0 or 1.1, or no TLS at all', async () => {
    await using own = await broker();
    for (const version of ['TLSv1', 'TLSv1.1'] as const) {
      // At OpenSSL's lowest security level, or the client itself would not dare.
      using old = new RawTls(own.tlsPort, { minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' });
      await expect.poll(() => old.closed, soon).toBe(true);
      expect(old.error).toMatch(/PROTOCOL_VERSION|protocol version/i);
    }
    const plain = connectTcp(own.tlsPort, '127.0.0.1');
    plain.on('error', () => {});
    plain.write(generate(connectPacket('sensor-1')));
    await expect.poll(() => plain.destroyed, soon).toBe(true);
    await expect
      .poll(() => own.broker.stats(), soon)
      .toMatchObject({ connections: 0, refused: { 'handshake-failed': 3 } });
  });

  test('may not ask for new keys in the middle of a TLS 1.2 connection', async () => {
    await using own = await broker();
    using raw = new RawTls(own.tlsPort, { maxVersion: 'TLSv1.2' });
    raw.send(connectPacket('sensor-1'));
    await expect.poll(() => raw.packets, soon).toHaveLength(1);
    const refused = new Promise<Error | null>((resolve) => {
      raw.socket.renegotiate({}, resolve);
      raw.socket.once('close', () => resolve(new Error('closed')));
    });
    expect(await refused).toBeInstanceOf(Error);
    expect(own.broker.stats().clients).toBeLessThanOrEqual(1);
  });
});

describe('what guards the broker holds on encrypted lines', () => {
  test('a first packet and a later packet that are too large are cut off by their announced length', async () => {
    await using own = await broker();
    using stranger = new RawTls(own.tlsPort);
    stranger.socket.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]));
    await expect.poll(() => stranger.closed, soon).toBe(true);
    using known = new RawTls(own.tlsPort, shows(sensor));
    known.send(connectPacket('sensor-1'));
    await expect.poll(() => known.packets, soon).toHaveLength(1);
    known.socket.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
    await expect.poll(() => known.closed, soon).toBe(true);
    expect(own.broker.stats().refused).toEqual({ 'frame-too-large': 2 });
  });

  test('one that says nothing after its handshake, and one that does not shake hands, are cut off', async () => {
    await using own = await broker('accept', { limits: { connectTimeout: 300 } });
    using silent = new RawTls(own.tlsPort);
    const half = connectTcp(own.tlsPort, '127.0.0.1');
    half.on('error', () => {});
    half.write(Buffer.from([0x16, 0x03, 0x01])); // the beginning of a ClientHello
    await expect.poll(() => silent.closed && half.destroyed, soon).toBe(true);
    const { connections, refused } = own.broker.stats();
    expect(connections).toBe(0);
    expect(refused).toEqual({ 'connect-timeout': 1, 'handshake-failed': 1 });
  });

  test('2,000 sockets that never shake hands are bounded, and go; a sensor gets in afterwards', async () => {
    const limits = {
      connectTimeout: 1_500,
      connectionsFromLoopback: 200,
      connectBurst: 1_000,
      connectsPerSecond: 1_000,
    };
    await using own = await broker('accept', { limits });
    const sockets: Socket[] = [];
    for (let n = 0; n < 2_000; n++) {
      const socket = connectTcp(own.tlsPort, '127.0.0.1');
      socket.on('error', () => {});
      socket.on('connect', () => void socket.write(Buffer.from([0x16, 0x03, 0x01])));
      sockets.push(socket);
    }
    await expect.poll(() => own.broker.stats().refused['too-many-from-address'], soon).toBe(1_800);
    expect(own.broker.stats().connections).toBeLessThanOrEqual(200);
    await expect.poll(() => own.broker.stats().connections, soon).toBe(0);
    await expect.poll(() => sockets.every((socket) => socket.destroyed), soon).toBe(true);
    expect(own.broker.stats().refused).toEqual({ 'too-many-from-address': 1_800, 'handshake-failed': 200 });
    await (await mqtt(own.tlsPort, { ...shows(sensor), clientId: 'sensor-1' })).endAsync();
  });

  test('a subscriber that does not read loses messages and is cut off; publishers do not notice', async () => {
    const limits = { outboundBytes: 16_384, outboundStall: 1_000, packetBytes: 64 * 1024 };
    await using own = await broker('accept', { limits });
    using slow = new RawTls(own.tlsPort);
    slow.send(connectPacket('wall'));
    await expect.poll(() => slow.packets, soon).toHaveLength(1);
    slow.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'v1/out/#', qos: 0 }] });
    await expect.poll(() => slow.packets, soon).toHaveLength(2);
    slow.socket.pause();
    const payload = { text: 'x'.repeat(30_000) };
    await expect
      .poll(async () => {
        for (let n = 0; n < 50; n++) await own.broker.bus.publish('v1/out/reading/sensor-1/temperature', payload);
        return own.broker.stats().refused['slow-subscriber'] ?? 0;
      }, soon)
      .toBe(1);
    expect(own.broker.stats().dropped).toBeGreaterThan(0);
    await expect.poll(() => own.broker.stats().connections, soon).toBe(0);
  });

  test('a large message comes through whole, both ways, over IPv6 as well', async () => {
    await using own = await broker('accept', { hosts: ['127.0.0.1', '::1'] });
    const wall = await mqtt(own.tlsPort, { host: '::1', clientId: 'wall', username: 'wall', password: token('wall') });
    const heard: number[] = [];
    wall.on('message', (_topic, payload) => heard.push(payload.length));
    await wall.subscribeAsync('v1/out/#', { qos: 1 });
    const client = await mqtt(own.tlsPort, { ...shows(sensor), host: '::1', clientId: 'sensor-1' });
    const text = 'y'.repeat(200_000);
    await client.publishAsync(topic, text, { qos: 1 });
    expect(own.messages[0]?.payload.length).toBe(200_000);
    await own.broker.bus.publish('v1/out/reading/sensor-1/temperature', { text }, { qos: 1 });
    await expect.poll(() => heard, soon).toEqual([200_011]);
    await client.endAsync();
    await wall.endAsync();
  });
});

test('a new server certificate is taken over for the next connection, without closing the ones that are there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mqtt-renew-'));
  const clock = new ManualClock(systemClock.now() - 370 * day);
  const old = await openPki({ data: folder, names: [], own: null, clock, log: silentLog });
  const before = old.server.fingerprint;
  const clients = new ClientRegister({ data: folder, clock, log: silentLog });
  const hosts = ['127.0.0.1'];
  await using own = await startTestBroker({ tls: { hosts, port: 0, clientCertificates: 'accept', pki: old, clients } });
  const port = own.broker.ports.tls ?? 0;
  using first = new RawTls(port, { ca: old.authority });
  first.send(connectPacket('sensor-1'));
  await expect.poll(() => first.packets, soon).toHaveLength(1);
  expect(first.socket.getPeerCertificate().fingerprint256).toBe(before);
  clock.advance(369 * day); // 28 days before its end
  await old.look();
  using second = new RawTls(port, { ca: old.authority });
  await expect.poll(() => second.secure, soon).toBe(true);
  expect(second.socket.getPeerCertificate().fingerprint256).toBe(old.server.fingerprint);
  expect(old.server.fingerprint).not.toBe(before);
  first.send({ cmd: 'pingreq' });
  await expect.poll(() => first.packets, soon).toHaveLength(2);
  old[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

const names = ['mosquitto_pub', 'mosquitto_sub'];
const isMissing = names.some((name) => spawnSync(name, ['--help'], { timeout: 10_000 }).error !== undefined);
if (isMissing) console.warn('SKIPPED: mosquitto over TLS: install the Debian package mosquitto-clients to run it');

describe.skipIf(isMissing)('mosquitto-clients', () => {
  test('publish with a certificate alone, with a password alone, and are told when a certificate is not ours', async () => {
    await using own = await broker('accept', { hosts: ['127.0.0.1', '::1'] });
    const file = (name: string, text: string) => {
      writeFileSync(join(data, name), text, { mode: 0o600 });
      return join(data, name);
    };
    const ca = file('ca.crt', pki.authority);
    const certificate = ['--cert', file('sensor.crt', sensor.cert), '--key', file('sensor.key', sensor.key)];
    const fake = await forged('somebody of its name');
    const message = ['-p', String(own.tlsPort), '--cafile', ca, '-t', topic, '-q', '1', '-m', samples];
    await run('mosquitto_pub', ['-h', 'localhost', ...message, ...certificate], { timeout: 20_000 });
    await run('mosquitto_pub', ['-h', '::1', ...message, ...certificate, '--tls-version', 'tlsv1.2'], {
      timeout: 20_000,
    });
    await run('mosquitto_pub', ['-h', '127.0.0.1', ...message, '-u', 'sensor-1', '-P', token('sensor-1')], {
      timeout: 20_000,
    });
    expect(own.messages.map(({ client }) => client)).toEqual(['sensor-1', 'sensor-1', 'sensor-1']);
    const refused = run(
      'mosquitto_pub',
      ['-h', '127.0.0.1', ...message, '--cert', file('fake.crt', fake.cert), '--key', file('fake.key', fake.key)],
      { timeout: 20_000 },
    );
    await expect(refused).rejects.toMatchObject({ stderr: expect.stringMatching(/not authorised/i) });
  });

  test('mosquitto_sub hears with its certificate, and trusts nobody but our authority', async () => {
    await using own = await broker('require');
    await own.broker.bus.publish('v1/out/reading/sensor-1/temperature', { value: 21.5 }, { retain: true });
    const wall = await issueClientCertificate(data, 'wall', systemClock);
    for (const [name, text] of Object.entries({
      'ca.crt': pki.authority,
      'wall.crt': wall.cert,
      'wall.key': wall.key,
      'other.crt': (await forged('the device itself')).cert,
    }))
      writeFileSync(join(data, name), text, { mode: 0o600 });
    const as = [
      '--cert',
      join(data, 'wall.crt'),
      '--key',
      join(data, 'wall.key'),
      '-t',
      'v1/out/#',
      '-C',
      '1',
      '-W',
      '10',
    ];
    const to = ['-h', '127.0.0.1', '-p', String(own.tlsPort)];
    const heard = await run('mosquitto_sub', [...to, '--cafile', join(data, 'ca.crt'), ...as], { timeout: 20_000 });
    expect(heard.stdout).toBe('{"value":21.5}\n');
    const wary = run('mosquitto_sub', [...to, '--cafile', join(data, 'other.crt'), ...as], { timeout: 20_000 });
    await expect(wary).rejects.toMatchObject({ stderr: expect.stringMatching(/certificate verify failed|TLS|error/i) });
  });
});
