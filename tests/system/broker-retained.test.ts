import { connectAsync } from 'mqtt';
import { expect, test, vi } from 'vitest';
import { startTestBroker, token } from './broker-harness.ts';

test('a new subscriber ends with the newest retained value of every topic, however fast news come while it subscribes', async () => {
  await using running = await startTestBroker();
  const { bus } = running.broker;
  const topics = Array.from({ length: 300 }, (_, i) => `v1/out/reading/device-${i}/value`);
  for (let round = 0; round < 5; round++) {
    for (const topic of topics) await bus.publish(topic, { round, n: 0 }, { retain: true });
    const client = await connectAsync({
      host: '127.0.0.1',
      port: running.port,
      clientId: 'web',
      username: 'web',
      password: token('web'),
    });
    const last = new Map<string, string>();
    client.on('message', (topic, payload) => last.set(topic, payload.toString()));
    const subscribed = client.subscribeAsync('v1/out/#');
    for (const topic of topics) {
      await new Promise((resolve) => setImmediate(resolve));
      await bus.publish(topic, { round, n: 1 }, { retain: true });
    }
    await subscribed;
    // The broker keeps the order of what it sends: when this one has come, nothing older is under way.
    await bus.publish('v1/out/event/end', { round });
    await vi.waitFor(() => expect(last.get('v1/out/event/end')).toBe(JSON.stringify({ round })));
    expect(topics.filter((topic) => last.get(topic) !== JSON.stringify({ round, n: 1 }))).toEqual([]);
    await client.endAsync(true);
  }
});
