import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { generate } from 'mqtt-packet';
import { serveOrders } from './rig.ts';

/* The load generator of the ingest bench, in a process of its own: bare sockets, a window of messages in flight each. */

export interface LoadOrder {
  readonly port: number;
  readonly password: string;
  readonly connections: number;
  /** Messages of one connection that wait for their acknowledgement. */
  readonly window: number;
  /** Measured after `warmUp`, for `ms`; or, with `messages`, as soon as so many are acknowledged. */
  readonly warmUp: number;
  readonly ms: number;
  readonly messages?: number;
  /** `puback`: the broker's acknowledgement. `done`: a message on `done/<client>`, for a stack whose PUBACK says nothing of storage. */
  readonly acknowledgedBy: 'puback' | 'done';
}

export const clientName = (n: number): string => `load-${n}`;

/** One reading for `load-<n>`: CO2 that moves by more than its deadband, so that each message is a reading to store. */
function payloadOf(sent: number, begin: number): string {
  return `{"t":${begin + sent},"s":[["co2",${400 + (sent % 500) * 15}]]}`;
}

class Publisher {
  readonly #socket: Socket;
  readonly #order: LoadOrder;
  readonly #topic: Buffer;
  /** In the past, so that no sample is stamped later than it is heard, which would set it to the time of another. */
  readonly #begin = Date.now() - 30_000;
  #rest: Buffer = Buffer.alloc(0);
  #messageId = 0;
  #inFlight = 0;
  #ended = false;
  sent = 0;
  acknowledged = 0;
  #ready: () => void = () => {};

  constructor(n: number, order: LoadOrder, socket: Socket) {
    this.#order = order;
    this.#socket = socket;
    const topic = Buffer.from(`v1/in/${clientName(n)}/samples`);
    this.#topic = Buffer.concat([Buffer.from([topic.length >> 8, topic.length & 0xff]), topic]);
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('error', () => {});
  }

  static async open(n: number, order: LoadOrder): Promise<Publisher> {
    const socket = connect({ port: order.port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const publisher = new Publisher(n, order, socket);
    const clientId = clientName(n);
    const login = { username: clientId, password: Buffer.from(order.password) };
    const ready = new Promise<void>((resolve) => {
      publisher.#ready = resolve;
    });
    socket.write(
      generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clean: true,
        clientId,
        keepalive: 0,
        ...login,
      }),
    );
    const subscriptions = [{ topic: `done/${clientId}`, qos: 0 as const }];
    if (order.acknowledgedBy === 'done') socket.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions }));
    await Promise.race([
      ready,
      once(socket, 'close').then(() => Promise.reject(new Error(`${clientId} was not let in`))),
    ]);
    return publisher;
  }

  fill(): void {
    const packets: Buffer[] = [];
    while (!this.#ended && this.#inFlight < this.#order.window) packets.push(this.#next());
    if (packets.length > 0) this.#socket.write(Buffer.concat(packets));
  }

  end(): void {
    this.#ended = true;
  }

  close(): void {
    this.#socket.destroy();
  }

  #next(): Buffer {
    this.#messageId = (this.#messageId % 65_535) + 1;
    const payload = Buffer.from(payloadOf(this.sent++, this.#begin), 'latin1');
    this.#inFlight++;
    const length = this.#topic.length + 2 + payload.length;
    // PUBLISH, QoS 1; every message here is shorter than 128 bytes.
    const head = Buffer.from([0x32, length]);
    return Buffer.concat([head, this.#topic, Buffer.from([this.#messageId >> 8, this.#messageId & 0xff]), payload]);
  }

  #receive(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    // Every packet that comes here is shorter than 128 bytes.
    while (this.#rest.length - at >= 2) {
      const end = at + 2 + (this.#rest[at + 1] ?? 0);
      if (end > this.#rest.length) break;
      this.#take((this.#rest[at] ?? 0) >> 4, this.#rest[at + 3] ?? 0);
      at = end;
    }
    this.#rest = this.#rest.subarray(at);
    this.fill();
  }

  #take(type: number, returnCode: number): void {
    const { acknowledgedBy } = this.#order;
    if (type === 2 && returnCode !== 0) this.#socket.destroy();
    if (type === (acknowledgedBy === 'done' ? 9 : 2)) this.#ready();
    if (type !== (acknowledgedBy === 'done' ? 3 : 4)) return;
    this.#inFlight--;
    this.acknowledged++;
  }
}

async function load(order: LoadOrder): Promise<object> {
  const publishers = await Promise.all(Array.from({ length: order.connections }, (_, n) => Publisher.open(n, order)));
  const acknowledged = () => publishers.reduce((sum, publisher) => sum + publisher.acknowledged, 0);
  const isDone = () =>
    order.messages !== undefined && publishers.reduce((sum, { sent }) => sum + sent, 0) >= order.messages;
  for (const publisher of publishers) publisher.fill();
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  await pause(order.warmUp);
  const before = acknowledged();
  const began = performance.now();
  const cpu = process.cpuUsage();
  while (performance.now() - began < order.ms && !isDone()) await pause(5);
  const ms = performance.now() - began;
  const measured = acknowledged() - before;
  const { user, system } = process.cpuUsage(cpu);
  for (const publisher of publishers) publisher.end();
  const sent = publishers.reduce((sum, publisher) => sum + publisher.sent, 0);
  // What was sent is answered, or it was not acknowledged: both are counted, neither is guessed.
  for (let i = 0; i < 1_000 && acknowledged() < sent; i++) await pause(5);
  const answer = {
    perSecond: (1000 * measured) / ms,
    sent,
    acknowledged: acknowledged(),
    cores: (user + system) / 1000 / ms,
  };
  for (const publisher of publishers) publisher.close();
  return answer;
}

serveOrders((order) => load(order as unknown as LoadOrder));
