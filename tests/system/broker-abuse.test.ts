import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { LoadProcess, RawClient, rssMegabytes, startTestBroker, worstDelay } from './broker-harness.ts';

/** Wide open, so that one guard is measured at a time. */
const crowd = { connections: 20_000, connectionsFromLoopback: 20_000, connectBurst: 10_000, connectsPerSecond: 10_000 };

describe('broker abuse', () => {
  // First in the file: later the heap has room left over, and the figure would flatter.
  test('5,000 idle clients are carried', async () => {
    await using own = await startTestBroker({ limits: crowd });
    using load = new LoadProcess();
    globalThis.gc?.();
    const rss = rssMegabytes();
    const { connected = 0 } = await load.ask({ what: 'idle', port: own.port, count: 5_000 });
    const perClient = ((rssMegabytes() - rss) * 1024) / connected;
    using healthy = new RawClient(own.port);
    healthy.connect('sensor-1');
    healthy.publish('v1/in/sensor-1/samples', '{"s":[["t",1]]}', 1, 7);
    await expect.poll(() => healthy.all('puback')).toHaveLength(1);
    console.log(`broker abuse: ${connected} idle clients: ${perClient.toFixed(1)} KB of memory each`);
    expect(connected).toBe(5_000);
    expect(own.broker.stats().clients).toBe(5_001);
    expect(perClient).toBeLessThan(120);
    await load.ask({ what: 'release' });
    await expect.poll(() => own.broker.stats().clients, { timeout: 10_000 }).toBe(1);
  });

  test('a subscriber that stops reading costs the others nothing and is thrown out', async () => {
    const limits = { ...crowd, outboundStall: 5_000 };
    await using own = await startTestBroker({ limits });
    using load = new LoadProcess();
    const port = own.port;
    await load.ask({ what: 'listen', port });
    await load.ask({ what: 'latency', ms: 500, bytes: 8_192 });
    const before = await bestOfThree(load);

    using frozen = new RawClient(port);
    frozen.connect('wall', { clientId: 'wall:frozen', keepalive: 0 });
    await expect.poll(() => frozen.all('connack')).toHaveLength(1);
    frozen.subscribe('zigbee2mqtt/#');
    await expect.poll(() => frozen.all('suback')).toHaveLength(1);
    frozen.socket.pause();
    const rss = rssMegabytes();
    while (own.broker.stats().dropped === 0) await load.ask({ what: 'latency', ms: 500, bytes: 8_192 });
    const during = await bestOfThree(load);
    const { dropped, backlog } = own.broker.stats();
    const grown = rssMegabytes() - rss;

    // Bare aedes overflows its stack when such a client ends after a few thousand publishes nobody subscribed.
    using other = new RawClient(port);
    other.connect('bridge', { clientId: 'bridge:other' });
    for (let i = 0; i < 5_000; i++) other.publish('zigbee2mqtt/nobody', '1');
    await expect.poll(() => own.refusals.map(({ reason }) => reason), { timeout: 15_000 }).toContain('slow-subscriber');
    await expect.poll(() => own.broker.stats().backlog, { timeout: 5_000 }).toBe(0);
    const after = await load.ask({ what: 'latency', ms: 300, bytes: 100 });

    console.log(
      `broker abuse: frozen subscriber: others p99 ${ms(before.p99)} -> ${ms(during.p99)}, p50 ${ms(before.p50)} -> ` +
        `${ms(during.p50)}, ${dropped} dropped for it, backlog ${backlog} bytes, memory +${grown.toFixed(1)} MB`,
    );
    expect(after.received).toBe(after.sent);
    // Twice, and what a busy machine adds by itself; without the guard it is a minute.
    expect(during.p99).toBeLessThan(2 * (before.p99 ?? 0) + 25);
    expect(backlog).toBeLessThan(1_000_000);
    expect(grown).toBeLessThan(60);
  });

  test('a flood of 500 publishers does not starve the event loop', async () => {
    const limits = { ...crowd, packetsPerSecond: 1e9, packetBurst: 1e9 };
    await using own = await startTestBroker({ limits, onPublish: () => {} });
    using load = new LoadProcess();
    using healthy = new RawClient(own.port);
    healthy.connect('sensor-1');
    await expect.poll(() => healthy.all('connack')).toHaveLength(1);
    const flood = load.ask({ what: 'flood', port: own.port, count: 500, ms: 4_000, bytes: 20 });
    await expect.poll(() => own.broker.stats().received, { timeout: 20_000 }).toBeGreaterThan(1_000);
    let answered = 0;
    const before = own.broker.stats().received;
    const began = performance.now();
    const { worst, worstOwn, result } = await worstDelay(async () => {
      const pings = setInterval(
        () => healthy.publish('v1/in/sensor-1/samples', '{"s":[["t",1]]}', 1, 1 + (answered++ % 9)),
        50,
      );
      const outcome = await flood;
      clearInterval(pings);
      return outcome;
    });
    const rate = (own.broker.stats().received - before) / (performance.now() - began);
    console.log(
      `broker abuse: flood of 500 publishers: event loop at most ${worst.toFixed(0)} ms late ` +
        `(${worstOwn.toFixed(0)} ms of it own work), ` +
        `${rate.toFixed(1)}k messages/s taken, ${result.open} of 500 still connected`,
    );
    expect(result.open).toBe(500);
    expect(worstOwn).toBeLessThan(500);
    await expect.poll(() => healthy.all('puback').length).toBe(answered);
  });

  test('a flood is held to the rate of its client by back-pressure, not by loss', async () => {
    await using own = await startTestBroker({ limits: { packetsPerSecond: 200, packetBurst: 100 } });
    using client = new RawClient(own.port);
    client.connect('sensor-1');
    const began = performance.now();
    for (let i = 1; i <= 300; i++) client.publish('v1/in/sensor-1/samples', `{"s":[["n",${i}]]}`, 1, i);
    await expect.poll(() => client.all('puback').length, { timeout: 10_000 }).toBe(300);
    const took = performance.now() - began;
    console.log(`broker abuse: 300 messages at 200/s after a burst of 100 took ${took.toFixed(0)} ms`);
    expect(took).toBeGreaterThan(700);
    expect(own.messages.map(({ payload }) => JSON.parse(payload.toString()).s[0][1])).toEqual(
      Array.from({ length: 300 }, (_, i) => i + 1),
    );
  });

  test('an announced packet of 256 MB is refused before memory is taken, before and after CONNECT', async () => {
    await using own = await startTestBroker();
    using healthy = new RawClient(own.port);
    healthy.connect('sensor-1');
    const rss = rssMegabytes();
    for (const isConnected of [false, false, false, false, true, true, true, true]) {
      using claimer = new RawClient(own.port);
      if (isConnected) {
        claimer.connect('sensor-2');
        await expect.poll(() => claimer.all('connack')).toHaveLength(1);
      }
      claimer.write(Buffer.from([isConnected ? 0x30 : 0x10, 0xff, 0xff, 0xff, 0x7f]));
      const chunk = Buffer.alloc(65_536);
      for (let i = 0; i < 64 && !claimer.closed; i++) {
        claimer.write(chunk);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await expect.poll(() => claimer.closed).toBe(true);
    }
    const grown = rssMegabytes() - rss;
    console.log(`broker abuse: eight claims of 256 MB: memory +${grown.toFixed(1)} MB`);
    expect(grown).toBeLessThan(20);
    expect(own.broker.stats().refused['frame-too-large']).toBe(8);
    expect(own.refusals.at(-1)?.message).toContain('268435460 bytes was announced; at most 262144');
    expect(healthy.closed).toBe(false);
  });

  test('2,000 silent sockets are closed by the connect timeout while a client works', async () => {
    await using own = await startTestBroker({ limits: { ...crowd, connectTimeout: 2_000 } });
    using load = new LoadProcess();
    using healthy = new RawClient(own.port);
    healthy.connect('sensor-1');
    let sent = 0;
    const work = setInterval(() => healthy.publish('v1/in/sensor-1/samples', '{"s":[["t",1]]}', 1, ++sent), 20);
    const outcome = await load.ask({ what: 'silent', port: own.port, count: 2_000, ms: 10_000 });
    clearInterval(work);
    await expect.poll(() => healthy.all('puback').length).toBe(sent);
    console.log(
      `broker abuse: ${outcome.opened} silent sockets: ${outcome.closed} closed by the connect timeout, ` +
        `${sent} messages of a healthy client acknowledged meanwhile`,
    );
    expect(outcome).toEqual({ opened: 2_000, closed: 2_000 });
    expect(own.broker.stats().refused['connect-timeout']).toBe(2_000);
    await expect.poll(() => own.broker.stats().connections).toBe(1);
  });

  test('connections beyond the bound of an address, or faster than its rate, are not accepted', async () => {
    const limits = { connectionsFromLoopback: 3, connectBurst: 0.4, connectsPerSecond: 0.0001 };
    await using own = await startTestBroker({ limits });
    const sockets = Array.from({ length: 20 }, () =>
      connect({ port: own.port, host: '127.0.0.1' }).on('error', () => {}),
    );
    await expect.poll(() => own.refusals.length).toBe(17);
    expect(own.broker.stats().connections).toBe(3);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => own.broker.stats().connections).toBe(0);
    const late = Array.from({ length: 9 }, () => connect({ port: own.port, host: '127.0.0.1' }).on('error', () => {}));
    await expect.poll(() => own.broker.stats().refused['connecting-too-fast']).toBeGreaterThan(0);
    for (const socket of late) socket.destroy();
  });
});

/** The quietest of three windows: what the broker does, not what else the machine does. Nothing may be lost in any. */
async function bestOfThree(load: LoadProcess): Promise<Record<string, number>> {
  const windows: Record<string, number>[] = [];
  for (let i = 0; i < 3; i++) windows.push(await load.ask({ what: 'latency', ms: 600, bytes: 8_192 }));
  for (const { sent, received } of windows) expect(received).toBe(sent);
  return windows.toSorted((a, b) => (a.p99 ?? 0) - (b.p99 ?? 0))[0] ?? {};
}

function ms(value: number | undefined): string {
  return `${(value ?? Number.NaN).toFixed(1)} ms`;
}
