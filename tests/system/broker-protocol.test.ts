import { createServer } from 'node:net';
import { generate, type Packet, parser } from 'mqtt-packet';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { setClientPassword } from '#edge/bus/access.ts';
import { connectPacket, RawClient, startTestBroker } from './broker-harness.ts';

const samples = '{"s":[["t",1]]}';
const topic = 'v1/in/sensor-1/samples';

async function loggedIn(port: number, client: string, extra: object = {}, host = '127.0.0.1'): Promise<RawClient> {
  const raw = new RawClient(port, host);
  raw.connect(client, extra);
  await expect.poll(() => raw.all('connack'), { timeout: 5_000 }).toMatchObject([{ returnCode: 0 }]);
  return raw;
}

/** A promise and the functions that settle it. */
function settle(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  return Promise.withResolvers<void>();
}

describe('a QoS 1 acknowledgement means committed', () => {
  test('PUBACK comes after the commit and not before', async () => {
    const commit = settle();
    let asked = 0;
    const onPublish = () => {
      asked += 1;
      return commit.promise;
    };
    await using own = await startTestBroker({ onPublish });
    using client = await loggedIn(own.port, 'sensor-1');
    client.publish(topic, samples, 1, 5);
    await expect.poll(() => asked).toBe(1);
    client.send({ cmd: 'pingreq' }); // answered: the connection is alive, and the acknowledgement is still withheld
    await expect.poll(() => client.all('pingresp')).toHaveLength(1);
    expect(client.all('puback')).toEqual([]);
    expect(own.broker.stats().inFlight).toBe(1);
    commit.resolve();
    await expect.poll(() => client.all('puback')).toMatchObject([{ messageId: 5 }]);
    expect(own.broker.stats().inFlight).toBe(0);
  });

  test('many are in flight, and are acknowledged in the order of arrival whatever the order of the commits', async () => {
    const commits: ReturnType<typeof settle>[] = [];
    await using own = await startTestBroker({
      onPublish: () => {
        const commit = settle();
        commits.push(commit);
        return commit.promise;
      },
    });
    using client = await loggedIn(own.port, 'sensor-1');
    for (let id = 1; id <= 20; id++) client.publish(topic, samples, 1, id);
    await expect.poll(() => commits.length).toBe(20);
    for (const commit of commits.slice(1).reverse()) commit.resolve();
    client.send({ cmd: 'pingreq' });
    await expect.poll(() => client.all('pingresp')).toHaveLength(1);
    expect(client.all('puback')).toEqual([]);
    commits[0]?.resolve();
    await expect
      .poll(() => client.all('puback').map(({ messageId }) => messageId))
      .toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  test('a commit that fails closes the connection without an acknowledgement, and the next client is served', async () => {
    let fail = true;
    await using own = await startTestBroker({
      onPublish: () => (fail ? Promise.reject(new Error('disk full')) : Promise.resolve()),
    });
    using client = await loggedIn(own.port, 'sensor-1');
    client.publish(topic, samples, 1, 5);
    await expect.poll(() => client.closed).toBe(true);
    expect(client.all('puback')).toEqual([]);
    fail = false;
    using again = await loggedIn(own.port, 'sensor-1');
    again.publish(topic, samples, 1, 5);
    await expect.poll(() => again.all('puback')).toHaveLength(1);
  });

  test('an exception in the commit ends the connection, not the process', async () => {
    await using own = await startTestBroker({
      onPublish: () => {
        throw new Error('a bug');
      },
    });
    using client = await loggedIn(own.port, 'sensor-1');
    client.publish(topic, samples, 0);
    await expect.poll(() => client.closed).toBe(true);
    using other = await loggedIn(own.port, 'wall');
    expect(other.closed).toBe(false);
  });

  test('a commit that never ends is given up after its time', async () => {
    await using own = await startTestBroker({
      limits: { commitTimeout: 300 },
      onPublish: () => new Promise(() => {}),
    });
    using client = await loggedIn(own.port, 'sensor-1');
    client.publish(topic, samples, 1, 5);
    await expect.poll(() => client.closed, { timeout: 5_000 }).toBe(true);
    expect(own.broker.stats().refused['commit-timeout']).toBe(1);
  });

  test('DISCONNECT right behind a publish still finds it committed, forwarded and acknowledged', async () => {
    await using own = await startTestBroker({ onPublish: () => new Promise((resolve) => setTimeout(resolve, 30)) });
    using listener = await loggedIn(own.port, 'wall');
    listener.subscribe('zigbee2mqtt/#');
    await expect.poll(() => listener.all('suback')).toHaveLength(1);
    using client = await loggedIn(own.port, 'bridge');
    client.socket.end(Buffer.concat([publishBytes('zigbee2mqtt/a', 1, 3), generate({ cmd: 'disconnect' })]));
    await expect.poll(() => client.all('puback')).toMatchObject([{ messageId: 3 }]);
    await expect.poll(() => listener.all('publish')).toMatchObject([{ topic: 'zigbee2mqtt/a' }]);
  });

  test('QoS 2 is committed once before PUBREC, a repeated packet is not committed again', async () => {
    await using own = await startTestBroker();
    using client = await loggedIn(own.port, 'sensor-1');
    client.publish(topic, samples, 2, 9);
    await expect.poll(() => client.all('pubrec')).toMatchObject([{ messageId: 9 }]);
    client.send({ cmd: 'publish', topic, payload: samples, qos: 2, dup: true, retain: false, messageId: 9 });
    await expect.poll(() => client.all('pubrec')).toHaveLength(2);
    client.send({ cmd: 'pubrel', messageId: 9 });
    await expect.poll(() => client.all('pubcomp')).toHaveLength(1);
    expect(own.messages).toHaveLength(1);
    client.publish(topic, samples, 2, 9);
    await expect.poll(() => own.messages.length).toBe(2);
  });

  test('a QoS 2 publish reaches a QoS 1 subscriber as QoS 1', async () => {
    await using own = await startTestBroker();
    using listener = await loggedIn(own.port, 'wall');
    listener.subscribe('zigbee2mqtt/+', 1);
    await expect.poll(() => listener.all('suback')).toHaveLength(1);
    using client = await loggedIn(own.port, 'bridge');
    client.publish('zigbee2mqtt/a', 'x', 2, 1);
    await expect.poll(() => listener.all('publish')).toMatchObject([{ qos: 1 }]);
  });
});

function publishBytes(on: string, qos: 0 | 1, messageId: number): Buffer {
  return generate({ cmd: 'publish', topic: on, payload: 'x', qos, dup: false, retain: false, messageId });
}

describe('who may do what', () => {
  test('no credentials, a wrong password and a client outside the site file are told and logged', async () => {
    await using own = await startTestBroker();
    await setClientPassword(own.dataFolder, 'stray', 'a-good-password');
    using nameless = new RawClient(own.port);
    nameless.connect('sensor-1', { username: undefined, password: undefined });
    await expect.poll(() => nameless.all('connack')).toMatchObject([{ returnCode: 4 }]);
    using wrong = new RawClient(own.port);
    wrong.connect('sensor-1', { password: Buffer.from('guess') });
    await expect.poll(() => wrong.all('connack')).toMatchObject([{ returnCode: 4 }]);
    using stray = new RawClient(own.port);
    stray.connect('stray', { password: Buffer.from('a-good-password') });
    await expect.poll(() => stray.all('connack')).toMatchObject([{ returnCode: 5 }]);
    await expect.poll(() => nameless.closed && wrong.closed && stray.closed).toBe(true);
    expect(own.refusals.map(({ reason, message }) => `${reason}: ${message}`)).toEqual([
      'no-credentials: a client from 127.0.0.1 gave no user name or no password',
      'bad-credentials: wrong user name or password for "sensor-1" from 127.0.0.1',
      'not-in-site: the password of "stray" is right, but the site file has no client of that id',
    ]);
  });

  test('a publish on a foreign topic is answered, not committed, and ends that connection only', async () => {
    await using own = await startTestBroker();
    using other = await loggedIn(own.port, 'sensor-2');
    for (const foreign of ['v1/in/sensor-2/samples', 'v1/command/fieldbus', 'v1/out/reading/a/b', 'tele/x', '$SYS/x']) {
      using client = await loggedIn(own.port, 'sensor-1');
      client.subscribe('v1/answer/sensor-1');
      await expect.poll(() => client.all('suback')).toHaveLength(1);
      client.publish(foreign, samples, 1, 5);
      await expect.poll(() => client.closed).toBe(true);
      expect(client.all('puback')).toEqual([]);
      const [answer] = client.all('publish');
      expect(JSON.parse(answer?.cmd === 'publish' ? answer.payload.toString() : '{}')).toEqual({
        error: 'topic-not-granted',
        message: `sensor-1 may not publish on "${foreign}": the site file grants it no such topic`,
        topic: foreign,
      });
    }
    expect(own.messages).toEqual([]);
    expect(own.broker.stats().refused['topic-not-granted']).toBe(5);
    expect(other.closed).toBe(false);
  });

  test('what is not granted cannot be subscribed, $SYS least of all', async () => {
    await using own = await startTestBroker();
    using client = await loggedIn(own.port, 'wall');
    const filters = [
      '$SYS/#',
      '#',
      '+/#',
      'v1/#',
      'v1/in/#',
      'v1/command/+',
      'v1/answer/web',
      '$share/g/v1/out/#',
      'v1/out/#',
    ];
    for (const [i, filter] of filters.entries()) client.subscribe(filter, 1, i + 1);
    await expect.poll(() => client.all('suback').length).toBe(filters.length);
    const granted = client.all('suback').map((packet) => (packet.cmd === 'suback' ? packet.granted[0] : null));
    expect(granted).toEqual([128, 128, 128, 128, 128, 128, 128, 128, 1]);
    await own.broker.bus.publish('v1/command/fieldbus', { id: 1 });
    await own.broker.bus.publish('v1/out/reading/a/b', { value: 1 });
    await expect.poll(() => client.all('publish')).toMatchObject([{ topic: 'v1/out/reading/a/b' }]);
  });

  test('a refused filter beside a granted one is not kept in a session either', async () => {
    await using own = await startTestBroker();
    const session = { clientId: 'wall:screen', clean: false };
    {
      using client = await loggedIn(own.port, 'wall', session);
      const subscriptions = [
        { topic: 'v1/command/#', qos: 1 as const },
        { topic: 'v1/out/#', qos: 1 as const },
      ];
      client.send({ cmd: 'subscribe', messageId: 1, subscriptions });
      await expect.poll(() => client.all('suback')).toMatchObject([{ granted: [128, 1] }]);
    }
    await expect.poll(() => own.broker.stats().clients).toBe(0);
    await own.broker.bus.publish('v1/command/fieldbus', { secret: 1 }, { qos: 1 });
    await own.broker.bus.publish('v1/out/event/motion', { n: 1 }, { qos: 1 });
    using client = await loggedIn(own.port, 'wall', session);
    await expect.poll(() => client.all('publish').length).toBe(1);
    expect(client.all('publish')).toMatchObject([{ topic: 'v1/out/event/motion' }]);
  });

  test('a client id of somebody else throws nobody out', async () => {
    await using own = await startTestBroker();
    using victim = await loggedIn(own.port, 'sensor-1');
    using thief = await loggedIn(own.port, 'sensor-2', { clientId: 'sensor-1' });
    thief.publish('v1/in/sensor-2/samples', samples, 1, 1);
    await expect.poll(() => thief.all('puback')).toHaveLength(1);
    expect(victim.closed).toBe(false);
    expect(own.messages).toMatchObject([{ client: 'sensor-2' }]);
    using twin = await loggedIn(own.port, 'sensor-1');
    await expect.poll(() => victim.closed).toBe(true);
    expect(twin.closed).toBe(false);
  });

  test('a last will goes where its client may publish, and nowhere else', async () => {
    await using own = await startTestBroker();
    const will = { topic: 'v1/out/health/fieldbus', payload: Buffer.from('{"state":"stopped"}'), qos: 1, retain: true };
    using wrong = new RawClient(own.port);
    wrong.connect('sensor-1', { will });
    await expect.poll(() => wrong.all('connack')).toMatchObject([{ returnCode: 5 }]);
    using listener = await loggedIn(own.port, 'wall');
    listener.subscribe('v1/out/health/#');
    const process = await loggedIn(own.port, 'fieldbus', { will });
    process.socket.destroy();
    await expect.poll(() => listener.all('publish')).toMatchObject([{ topic: 'v1/out/health/fieldbus' }]);
    using late = await loggedIn(own.port, 'wall', { clientId: 'wall:late' });
    late.subscribe('v1/out/health/#');
    await expect.poll(() => late.all('publish')).toMatchObject([{ retain: true }]);
  });
});

describe('broken clients', () => {
  const cases: [string, Buffer, string][] = [
    ['a reserved packet type', Buffer.from([0xf0, 0]), 'packet type 15 is not one that a client sends'],
    [
      'a remaining length of five bytes',
      Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 1]),
      'the remaining length has more than 4 bytes',
    ],
    [
      'a topic that is not UTF-8',
      Buffer.from([0x30, 4, 0, 2, 0xc3, 0x28]),
      'PUBLISH has a topic that is cut off or not UTF-8',
    ],
    ['packet id 0', Buffer.from([0x32, 5, 0, 1, 0x61, 0, 0]), 'PUBLISH has packet id 0'],
    ['QoS 3', Buffer.from([0x36, 5, 0, 1, 0x61, 0, 1]), 'PUBLISH has QoS 3'],
    ['a wildcard in a topic', publishBytes('zigbee2mqtt/#', 0, 0), 'must not contain the wildcards'],
    ['a control character in a topic', publishBytes('zigbee2mqtt/\u0007', 0, 0), 'control characters'],
    ['a filter ab/+e', Buffer.from([0x82, 10, 0, 1, 0, 5, 0x61, 0x62, 0x2f, 0x2b, 0x65, 0]), '+ is'],
    ['a second CONNECT', generate(connectPacket('bridge')), 'Invalid protocol'],
    ['a packet over the limit', publishBytes(`zigbee2mqtt/${'x'.repeat(9_000)}`, 0, 0), 'was announced; at most 8192'],
  ];
  test.each(cases)('%s is refused with its reason, and others go on', async (_name, bytes, reason) => {
    await using own = await startTestBroker({ limits: { packetBytes: 8_192 } });
    using other = await loggedIn(own.port, 'sensor-1');
    using client = await loggedIn(own.port, 'bridge');
    client.write(bytes);
    await expect.poll(() => own.refusals.map(({ message }) => message).join()).toContain(reason);
    other.publish(topic, samples, 1, 1);
    await expect.poll(() => other.all('puback')).toHaveLength(1);
    expect(own.refusals).toMatchObject([{ client: 'bridge', address: '127.0.0.1' }]);
  });

  test('MQTT 5 is told that it is not spoken', async () => {
    await using own = await startTestBroker();
    using client = new RawClient(own.port);
    client.connect('sensor-1', { protocolVersion: 5 });
    await expect.poll(() => client.all('connack')).toMatchObject([{ returnCode: 1 }]);
    await expect.poll(() => client.closed).toBe(true);
  });

  test('a client that falls silent is cut after 1.5 times its keepalive, at most the longest allowed', async () => {
    await using own = await startTestBroker({ limits: { keepalive: 1, idle: 1.5 } });
    using long = await loggedIn(own.port, 'sensor-1', { keepalive: 3_600 });
    using never = await loggedIn(own.port, 'sensor-2', { keepalive: 0 });
    await expect.poll(() => long.closed && never.closed, { timeout: 6_000 }).toBe(true);
    expect(own.broker.stats().refused['keepalive-timeout']).toBe(2);
  });
});

describe('bounded memory', () => {
  test('a session keeps what its client missed up to its bound, and drops the oldest', async () => {
    await using own = await startTestBroker({ limits: { sessionMessages: 10 } });
    const session = { clientId: 'wall:screen', clean: false };
    {
      using client = await loggedIn(own.port, 'wall', session);
      client.subscribe('v1/out/event/#', 1);
      await expect.poll(() => client.all('suback')).toHaveLength(1);
    }
    await expect.poll(() => own.broker.stats().clients).toBe(0);
    for (let n = 1; n <= 25; n++) await own.broker.bus.publish('v1/out/event/motion', { n }, { qos: 1 });
    expect(own.broker.stats().sessions).toMatchObject({ sessions: 1, messages: 10, dropped: 15 });
    using client = await loggedIn(own.port, 'wall', session);
    expect(client.all('connack')).toMatchObject([{ sessionPresent: true }]);
    await expect.poll(() => client.all('publish').length).toBe(10);
    const numbers = client.all('publish').map((p) => (p.cmd === 'publish' ? JSON.parse(p.payload.toString()).n : 0));
    expect(numbers).toEqual([16, 17, 18, 19, 20, 21, 22, 23, 24, 25]);
    for (const { messageId } of client.all('publish')) client.send({ cmd: 'puback', messageId: messageId ?? 0 });
    await expect.poll(() => own.broker.stats().sessions.messages).toBe(0);
  });

  test('a session is forgotten when its client stays away, and no client keeps more than its share', async () => {
    await using own = await startTestBroker({ limits: { sessionExpiry: 100, sessionsPerClient: 2 } });
    for (const id of ['a', 'b', 'c']) {
      using client = await loggedIn(own.port, 'wall', { clientId: `wall:${id}`, clean: false });
      expect(client.closed).toBe(false);
    }
    expect(own.broker.stats().refused['too-many-sessions']).toBe(1);
    await expect.poll(() => own.broker.stats().sessions, { timeout: 5_000 }).toMatchObject({ sessions: 0, expired: 2 });
  });

  test('foreign trees retain up to a bound; readings of devices never do', async () => {
    await using own = await startTestBroker({ limits: { retainedMessages: 3 } });
    using bridge = await loggedIn(own.port, 'bridge');
    for (let i = 1; i <= 5; i++) bridge.publish(`zigbee2mqtt/lamp-${i}`, 'on', 1, i, true);
    bridge.publish('zigbee2mqtt/lamp-1', 'off', 1, 6, true);
    using sensor = await loggedIn(own.port, 'sensor-1');
    sensor.publish(topic, samples, 1, 1, true);
    await expect.poll(() => bridge.all('puback').length + sensor.all('puback').length).toBe(7);
    expect(own.broker.stats().retained).toMatchObject({ messages: 3, foreignMessages: 3 });
    expect(own.broker.stats().refused['retained-full']).toBe(2);
    using late = await loggedIn(own.port, 'wall');
    late.subscribe('zigbee2mqtt/+');
    await expect.poll(() => late.all('publish').length).toBe(3);
    bridge.publish('zigbee2mqtt/lamp-1', '', 1, 7, true);
    await expect.poll(() => own.broker.stats().retained.foreignMessages).toBe(2);
  });

  test('a new subscriber gets every retained message, though they are more than a slow one may have waiting', async () => {
    await using own = await startTestBroker({ limits: { outboundBytes: 10_000, packetBytes: 10_000 } });
    const text = 'x'.repeat(900);
    for (let i = 0; i < 500; i++) await own.broker.bus.publish(`v1/out/reading/d/p${i}`, { text }, { retain: true });
    using late = await loggedIn(own.port, 'wall');
    late.subscribe('v1/out/#', 1);
    await expect.poll(() => late.all('publish').length, { timeout: 5_000 }).toBe(500);
    expect(own.broker.stats().dropped).toBe(0);
  });
});

describe('transports', () => {
  test('everything works on ::1 alone', async () => {
    await using own = await startTestBroker({ hosts: ['::1'], websocketPort: 0 });
    using listener = await loggedIn(own.port, 'wall', {}, '::1');
    listener.subscribe('zigbee2mqtt/#', 1);
    await expect.poll(() => listener.all('suback')).toHaveLength(1);
    using bridge = await loggedIn(own.port, 'bridge', {}, '::1');
    bridge.publish('zigbee2mqtt/a', 'x', 1, 1);
    await expect.poll(() => bridge.all('puback')).toHaveLength(1);
    await expect.poll(() => listener.all('publish')).toHaveLength(1);
    expect(await overWebSocket(own.broker.ports.websocket ?? 0, '[::1]')).toBe(1);
  });

  test('IPv4 and IPv6 share one port', async () => {
    await using own = await startTestBroker({ hosts: ['127.0.0.1', '::1'] });
    using four = await loggedIn(own.port, 'sensor-1');
    using six = await loggedIn(own.port, 'sensor-2', {}, '::1');
    expect([four.closed, six.closed]).toEqual([false, false]);
  });

  test('MQTT over WebSocket is served, anything else on that port is not', async () => {
    await using own = await startTestBroker({ websocketPort: 0 });
    const port = own.broker.ports.websocket ?? 0;
    expect(await overWebSocket(port, '127.0.0.1')).toBe(1);
    expect(own.messages).toMatchObject([{ client: 'sensor-1', topic }]);
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect([response.status, await response.text()]).toEqual([426, expect.stringContaining('MQTT over WebSocket')]);
    const other = new WebSocket(`ws://127.0.0.1:${port}`, 'chat');
    const error = await new Promise<Error>((resolve) => other.once('error', resolve));
    expect(error.message).toContain('400');
  });

  test('a port that is taken is named with the key that sets it', async () => {
    await using taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const message = (key: string) =>
      `127.0.0.1:${port} is taken by another program; set ${key} in the site file to a free port`;
    await expect(startTestBroker({ port })).rejects.toMatchObject({
      code: 'BROKER_PORT_TAKEN',
      message: message('mqtt.port'),
    });
    await expect(startTestBroker({ websocketPort: port })).rejects.toMatchObject({
      message: message('mqtt.websocketPort'),
    });
  });
});

/** Connects and publishes over WebSocket; how many PUBACKs came. */
async function overWebSocket(port: number, host: string): Promise<number> {
  const socket = new WebSocket(`ws://${host}:${port}/mqtt`, 'mqtt');
  const reader = parser();
  const packets: Packet[] = [];
  reader.on('packet', (packet: Packet) => packets.push(packet));
  socket.on('message', (data: Buffer) => reader.parse(data));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const bytes = Buffer.concat([generate(connectPacket('sensor-1')), publishBytes(topic, 1, 4)]);
  // Packets and frames need not begin together (MQTT-6.0.0-4).
  socket.send(bytes.subarray(0, 11));
  socket.send(bytes.subarray(11));
  await expect.poll(() => packets.map(({ cmd }) => cmd)).toEqual(['connack', 'puback']);
  socket.close();
  return packets.filter(({ cmd }) => cmd === 'puback').length;
}
