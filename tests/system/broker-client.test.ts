import { describe, expect, test } from 'vitest';
import type { BusClient, BusClientOptions } from '#edge/bus/client.ts';
import { connectBus } from '#edge/bus/client.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';
import { startTestBroker, token } from './broker-harness.ts';

const topic = 'v1/in/meter-1/samples';

function connectAs(client: string, port: number, options: Partial<BusClientOptions> = {}): Promise<BusClient> {
  return connectBus({
    host: '127.0.0.1',
    port,
    client,
    password: token(client),
    clock: systemClock,
    log: silentLog,
    signal: AbortSignal.timeout(60_000),
    ...options,
  });
}

describe('bus client', () => {
  test('publishing at QoS 1 resolves after the commit, and 200 publishes do not wait 40 ms each', async () => {
    let committed = 0;
    await using own = await startTestBroker({
      onPublish: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        committed += 1;
      },
    });
    await using client = await connectAs('fieldbus', own.port);
    const began = performance.now();
    for (let i = 1; i <= 200; i++) {
      await client.publish(topic, { s: [['power', i]] }, { qos: 1 });
      expect(committed).toBe(i);
    }
    const each = (performance.now() - began) / 200;
    console.log(`bus client: publish to acknowledgement ${each.toFixed(2)} ms one after the other`);
    expect(each).toBeLessThan(20);
  });

  test('in one process and from another it is the same bus', async () => {
    await using own = await startTestBroker();
    await using client = await connectAs('fieldbus', own.port);
    const heard: string[] = [];
    await using _remote = await client.subscribe('v1/command/fieldbus', (on, payload) =>
      heard.push(`remote ${on} ${payload}`),
    );
    await using _local = await own.broker.bus.subscribe('v1/command/+', (on, payload) =>
      heard.push(`local ${on} ${payload}`),
    );
    await own.broker.bus.publish('v1/command/fieldbus', { n: 1 }, { qos: 1 });
    await expect
      .poll(() => heard.toSorted())
      .toEqual(['local v1/command/fieldbus {"n":1}', 'remote v1/command/fieldbus {"n":1}']);
    await own.broker.bus.publish('v1/out/reading/a/b', { v: 1 }, { retain: true });
    await own.broker.bus.publish('v1/out/reading/a/b', null, { retain: true });
    expect(own.broker.stats().retained.messages).toBe(0);
  });

  test('an exception in a handler reaches neither the other handlers nor the process', async () => {
    await using own = await startTestBroker();
    await using client = await connectAs('fieldbus', own.port);
    const heard: string[] = [];
    const broken = () => {
      throw new Error('a bug');
    };
    await using _1 = await client.subscribe('v1/command/fieldbus', broken);
    await using _2 = await client.subscribe('v1/command/fieldbus', () => heard.push('remote'));
    await using _3 = await own.broker.bus.subscribe('v1/command/fieldbus', broken);
    await using _4 = await own.broker.bus.subscribe('v1/command/fieldbus', () => heard.push('local'));
    await own.broker.bus.publish('v1/command/fieldbus', { n: 1 });
    await expect.poll(() => heard.toSorted()).toEqual(['local', 'remote']);
  });

  test('bad credentials and ungranted topics are clear errors', async () => {
    await using own = await startTestBroker();
    await expect(connectAs('fieldbus', own.port, { password: 'guess' })).rejects.toMatchObject({
      code: 'BUS_REFUSED',
      message: expect.stringContaining(`the broker at 127.0.0.1:${own.port} refused the client "fieldbus"`),
    });
    await using client = await connectAs('fieldbus', own.port);
    await expect(client.subscribe('v1/in/#', () => {})).rejects.toMatchObject({
      code: 'BUS_REFUSED',
      message: 'fieldbus may not subscribe v1/in/#',
    });
    await expect(client.publish('a/+', {})).rejects.toMatchObject({ code: 'BUS_TOPIC_INVALID' });
    await expect(client.publish('v1/out/alarm/x', {}, { qos: 1 })).rejects.toMatchObject({ code: 'BUS_AWAY' });
    expect(own.broker.stats().refused['topic-not-granted']).toBe(1);
  });

  test('it waits for a broker that is not there yet, until it is told to stop', async () => {
    const stop = new AbortController();
    const connecting = connectAs('fieldbus', 1, { signal: stop.signal });
    setImmediate(() => stop.abort());
    await expect(connecting).rejects.toMatchObject({ code: 'BUS_AWAY' });
  });

  test('it survives a restart of the broker: away at once, back by itself, subscribed again', async () => {
    const first = await startTestBroker({ onPublish: () => new Promise(() => {}) });
    const { port } = first;
    await using client = await connectAs('fieldbus', port);
    let connections = 0;
    using _watch = client.onConnect(() => {
      connections += 1;
    });
    expect([client.connected, connections]).toEqual([true, 1]);
    const heard: string[] = [];
    await using _subscription = await client.subscribe('v1/command/fieldbus', (_on, payload) =>
      heard.push(payload.toString()),
    );
    const underWay = client.publish(topic, { s: [['power', 1]] }, { qos: 1 });
    const lost = expect(underWay).rejects.toMatchObject({ code: 'BUS_AWAY' });
    await first[Symbol.asyncDispose]();
    await lost;
    expect(client.connected).toBe(false);
    const began = performance.now();
    await expect(client.publish(topic, { s: [['power', 2]] }, { qos: 1 })).rejects.toMatchObject({ code: 'BUS_AWAY' });
    expect(performance.now() - began).toBeLessThan(100);

    await using second = await startTestBroker({ port });
    await expect.poll(() => client.connected, { timeout: 10_000 }).toBe(true);
    await client.publish(topic, { s: [['power', 3]] }, { qos: 1 });
    // What was under way when the broker went is its caller's: it is not sent again behind his back.
    expect(second.messages.map(({ payload }) => payload.toString())).toEqual(['{"s":[["power",3]]}']);
    await second.broker.bus.publish('v1/command/fieldbus', { n: 2 });
    await expect.poll(() => heard).toEqual(['{"n":2}']);
    expect(connections).toBe(2);
  });

  test('its last will is published when it is torn away, and not when it says goodbye', async () => {
    await using own = await startTestBroker();
    const heard: string[] = [];
    await using _listen = await own.broker.bus.subscribe('v1/out/health/#', (_on, payload) =>
      heard.push(payload.toString()),
    );
    const will = { topic: 'v1/out/health/fieldbus', payload: { state: 'stopped' } };
    const polite = await connectAs('fieldbus', own.port, { will });
    await polite[Symbol.asyncDispose]();
    await expect.poll(() => own.broker.stats().clients).toBe(0);
    expect(heard).toEqual([]);
    await using torn = await connectAs('fieldbus', own.port, { will });
    // The same client id again: the broker closes the first connection, which has said no goodbye.
    await using _thief = await connectAs('fieldbus', own.port);
    await expect.poll(() => heard).toEqual(['{"state":"stopped"}']);
    expect(torn).toBeDefined();
  });
});
