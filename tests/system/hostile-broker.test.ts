import { monitorEventLoopDelay } from 'node:perf_hooks';
import { generate } from 'mqtt-packet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RawClient, startTestBroker, type TestBroker } from './broker-harness.ts';

/* What broker-protocol.test.ts leaves: a device with a right password and bad intentions, one trick after another. */

let own: TestBroker;
beforeAll(async () => {
  own = await startTestBroker();
});
afterAll(async () => await own[Symbol.asyncDispose]());

const soon = { timeout: 30_000 };

async function loggedIn(client: string, extra: object = {}): Promise<RawClient> {
  const raw = new RawClient(own.port);
  raw.connect(client, extra);
  await expect.poll(() => raw.all('connack'), soon).toMatchObject([{ returnCode: 0 }]);
  return raw;
}

const payload = '{"s":[["t",1]]}';

describe('a device with bad intentions', () => {
  test.each([
    'v1/command/broadcast',
    'v1/command/fieldbus/x',
    'v1/result/fieldbus',
    'v1/answer/web',
    'v1/request/web',
    'v1/request/sensor-2',
    'v1/request/sensor-1/x',
    'v1/in/sensor-2/event',
    'v1/in/sensor-10/samples',
    'v1/in/sensor-1x/samples',
    'v1/in//samples',
    'V1/in/sensor-1/samples',
    '/v1/in/sensor-1/samples',
    'v1/out/health/sensor-1',
    'v1/out/health/core',
    'v1/out/alarm/0192aaaa-0000-7000-8000-000000000000',
    '$SYS/broker/clients',
    '$share/g/v1/in/sensor-1/samples',
    'zigbee2mqtt/bridge/request/permit_join',
    '__proto__',
    'constructor/prototype',
    '🔥/🔥',
  ])('may not publish on %s', async (topic) => {
    using client = await loggedIn('sensor-1');
    client.publish(topic, payload, 1, 5, true);
    await expect.poll(() => client.closed, soon).toBe(true);
    expect(client.all('puback')).toEqual([]);
    expect(own.messages).toEqual([]);
  });

  test('says what its topics look like only in topics that are sane', async () => {
    const levels = Buffer.alloc(65_535, '/');
    const topics: [Buffer, RegExp][] = [
      [levels, /at most 256 bytes|longer than/],
      [Buffer.from('v1/in/sensor-1/\0'), /not UTF-8/],
      [Buffer.concat([Buffer.from('v1/in/sensor-1/'), Buffer.from([0xed, 0xa0, 0x80])]), /not UTF-8/], // half a pair
      [Buffer.from('v1/in/sensor-1/+'), /wildcards/],
      [Buffer.from(`v1/in/sensor-1${'/x'.repeat(40)}`), /levels/],
    ];
    for (const [topic, said] of topics) {
      using client = await loggedIn('sensor-1');
      const body = Buffer.concat([Buffer.from([topic.length >> 8, topic.length & 0xff]), topic, Buffer.from('x')]);
      const length: number[] = [];
      for (let rest = body.length; rest > 0; rest >>= 7) length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
      client.write(Buffer.concat([Buffer.from([0x30, ...length]), body]));
      await expect.poll(() => client.closed, soon).toBe(true);
      expect(own.refusals.at(-1)?.message).toMatch(said);
    }
    expect(own.messages).toEqual([]);
  });

  test('leaves nothing behind: what it retains on its own topics is not kept, what is foreign to it not taken', async () => {
    using client = await loggedIn('sensor-1');
    client.publish('v1/in/sensor-1/samples', payload, 1, 1, true);
    await expect.poll(() => client.all('puback')).toHaveLength(1);
    own.messages.length = 0;
    expect(own.broker.stats().retained.messages).toBe(0);
  });

  test.each([
    'v1/command/fieldbus',
    'v1/out/health/sensor-1',
    'v1/out/health/core',
    'zigbee2mqtt/x',
    '$SYS/x',
    'v1/in/+/samples',
  ])('may not have its last will on %s', async (topic) => {
    using client = new RawClient(own.port);
    client.connect('sensor-1', { will: { topic, payload: Buffer.from('x'), qos: 1, retain: true } });
    await expect.poll(() => client.closed, soon).toBe(true);
    expect(client.all('connack').filter((packet) => packet.cmd === 'connack' && packet.returnCode === 0)).toEqual([]);
  });

  test.each(['fieldbus', 'web', 'fieldbus:x', 'core', 'sensor-2', ''])(
    'takes nobody over with the client id "%s"',
    async (clientId) => {
      using web = await loggedIn('web');
      using fieldbus = await loggedIn('fieldbus');
      using client = await loggedIn('sensor-1', { clientId });
      client.subscribe('v1/command/fieldbus', 1, 1);
      client.subscribe('v1/answer/fieldbus', 1, 2);
      await expect.poll(() => client.all('suback')).toMatchObject([{ granted: [128] }, { granted: [128] }]);
      expect([web.closed, fieldbus.closed]).toEqual([false, false]);
    },
  );

  test('finds no second door with the password of another: a name that is ours wants our token', async () => {
    for (const username of [
      'web',
      'fieldbus',
      'core',
      'supervisor',
      '__proto__',
      'constructor',
      'SENSOR-1',
      'sensor-1 ',
    ]) {
      using client = new RawClient(own.port);
      client.connect('sensor-1', { username });
      await expect.poll(() => client.closed, soon).toBe(true);
      expect(client.all('connack')).toMatchObject([{ returnCode: expect.toSatisfy((code: number) => code > 0) }]);
    }
  });

  test('does not stop the others with packets of as many filters as fit', async () => {
    using other = await loggedIn('sensor-2');
    using client = await loggedIn('sensor-1');
    client.subscribe('v1/answer/sensor-1');
    await expect.poll(() => client.all('suback')).toHaveLength(1);
    const subscriptions = Array.from({ length: 40_000 }, (_, i) => ({ topic: `${i % 10}`, qos: 1 as const }));
    const lateness = monitorEventLoopDelay({ resolution: 5 });
    lateness.enable();
    for (let id = 2; id <= 6; id++) client.write(generate({ cmd: 'subscribe', messageId: id, subscriptions }));
    other.publish('v1/in/sensor-2/samples', payload, 1, 7);
    await expect.poll(() => other.all('puback'), soon).toHaveLength(1);
    await expect.poll(() => client.all('suback').length >= 6 || client.closed, { timeout: 25_000 }).toBe(true);
    lateness.disable();
    const worst = lateness.max / 1e6;
    console.log(
      `5 packets of 40,000 filters: event loop late by at most ${worst.toFixed(0)} ms, closed: ${client.closed}`,
    );
    expect(worst).toBeLessThan(2_000);
  });
});
