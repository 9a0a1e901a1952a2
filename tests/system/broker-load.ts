/* The load generator of the broker's abuse tests: bare sockets, prepared bytes, orders over IPC. */
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { generate, parser } from 'mqtt-packet';
import { connectPacket } from './broker-harness.ts';

interface Order {
  readonly what: 'flood' | 'silent' | 'idle' | 'listen' | 'latency' | 'release';
  readonly port: number;
  readonly count: number;
  readonly ms: number;
  readonly bytes: number;
}

const kept: Socket[] = [];

function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      socket.on('error', () => {});
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/** Connects and waits for CONNACK. */
async function login(port: number, client: string, id: string): Promise<Socket> {
  const socket = await dial(port);
  socket.write(generate(connectPacket(client, { clientId: `${client}:${id}`, keepalive: 0 })));
  await new Promise<void>((resolve, reject) => {
    socket.once('data', () => resolve());
    socket.once('close', () => reject(new Error(`${id} was not let in`)));
  });
  return socket;
}

async function inBatches<T>(count: number, size: number, make: (i: number) => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  for (let i = 0; i < count; i += size) {
    const batch = Array.from({ length: Math.min(size, count - i) }, (_, j) => make(i + j));
    made.push(...(await Promise.all(batch)));
  }
  return made;
}

/** `count` publishers that send as fast as they are let, for `ms`. */
async function flood({ port, count, ms, bytes }: Order): Promise<object> {
  const sockets = await inBatches(count, 50, (i) => login(port, 'bridge', `flood-${i}`));
  const payload = Buffer.alloc(bytes, 'x');
  const one = generate({ cmd: 'publish', topic: 'zigbee2mqtt/flood', payload, qos: 0, dup: false, retain: false });
  const burst = Buffer.concat(Array.from({ length: 100 }, () => one));
  let bursts = 0;
  const until = performance.now() + ms;
  await Promise.all(
    sockets.map(async (socket) => {
      while (performance.now() < until && !socket.destroyed) {
        bursts += 1;
        if (!socket.write(burst)) await new Promise((resolve) => setTimeout(resolve, 5));
        else await new Promise((resolve) => setImmediate(resolve));
      }
    }),
  );
  const open = sockets.filter((socket) => !socket.destroyed).length;
  for (const socket of sockets) socket.destroy();
  return { sent: bursts * 100, open };
}

/** Sockets that never say a word: how many the other side has closed after `ms`. */
async function silent({ port, count, ms }: Order): Promise<object> {
  const sockets = await inBatches(count, 100, () => dial(port));
  const closed = sockets.map(
    (socket) => new Promise<void>((resolve) => socket.resume().once('close', () => resolve())),
  );
  let number = 0;
  for (const one of closed) void one.then(() => number++);
  await Promise.race([Promise.all(closed), new Promise((resolve) => setTimeout(resolve, ms))]);
  const answer = { opened: sockets.length, closed: number };
  for (const socket of sockets) socket.destroy();
  return answer;
}

async function idle({ port, count }: Order): Promise<object> {
  kept.push(...(await inBatches(count, 100, (i) => login(port, 'wall', `idle-${i}`))));
  return { connected: kept.filter((socket) => !socket.destroyed).length };
}

const delays: number[] = [];

/** A subscriber that notes how long each message took. */
async function listen({ port }: Order): Promise<object> {
  const socket = await login(port, 'wall', 'healthy');
  kept.push(socket);
  const reader = parser();
  const subscribed = new Promise<void>((resolve) => reader.once('packet', () => resolve()));
  reader.on('packet', (packet) => {
    if (packet.cmd === 'publish') delays.push(performance.now() - Number(packet.payload.toString('latin1', 0, 20)));
  });
  socket.on('data', (chunk: Buffer) => reader.parse(chunk));
  const topic = 'zigbee2mqtt/#';
  socket.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 0 }] }));
  await subscribed;
  const publisher = await login(port, 'bridge', 'steady');
  publisher.resume();
  kept.push(publisher);
  return { listening: 1 };
}

/** 500 messages a second for `ms`; answers with percentiles of their way through the broker. */
async function latency({ ms, bytes }: Order): Promise<object> {
  const publisher = kept.at(-1);
  delays.length = 0;
  let sent = 0;
  const began = performance.now();
  while (performance.now() - began < ms) {
    const due = Math.floor((performance.now() - began) / 2);
    for (; sent < due; sent++) {
      const payload = Buffer.alloc(bytes, ' ');
      payload.write(String(performance.now()).slice(0, 20), 'latin1');
      const topic = 'zigbee2mqtt/lamp';
      publisher?.write(generate({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false }));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const until = performance.now() + 3_000;
  while (delays.length < sent && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 5));
  const sorted = delays.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { sent, received: sorted.length, p50: at(0.5), p99: at(0.99) };
}

function release(): object {
  for (const socket of kept.splice(0)) socket.destroy();
  return { released: 1 };
}

const orders = { flood, silent, idle, listen, latency, release };

process.on('message', (order: Order) => {
  void (async () => {
    const answer = await orders[order.what](order);
    process.send?.(answer);
  })();
});
process.on('disconnect', () => process.exit());
