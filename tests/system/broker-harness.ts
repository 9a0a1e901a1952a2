import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate, type Packet, parser } from 'mqtt-packet';
import { createAccess } from '#edge/bus/access.ts';
import type { Broker, BrokerOptions } from '#edge/bus/broker.ts';
import { startBroker } from '#edge/bus/broker.ts';
import type { InboundMessage } from '#edge/bus/bus.ts';
import { type GrantingSite, grantsFor } from '#edge/bus/grants.ts';
import type { Refusal } from '#edge/bus/refusals.ts';
import type { DeviceId } from '#edge/domain/ids.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { silentLog } from '#edge/runtime/log.ts';

/** Names, and the tokens they log in with: internal ones, so that no scrypt disturbs what is measured. */
export const token = (client: string): string => `token-of-${client}`;
const names = ['sensor-1', 'sensor-2', 'bridge', 'wall', 'fieldbus', 'web'];

const site: GrantingSite = {
  clients: [
    { id: 'sensor-1', publish: [], subscribe: [], devices: ['sensor-1' as DeviceId], requests: ['*/*'] },
    { id: 'sensor-2', publish: [], subscribe: [], devices: ['sensor-2' as DeviceId], requests: [] },
    { id: 'bridge', publish: ['zigbee2mqtt/#'], subscribe: ['zigbee2mqtt/#'], devices: [], requests: [] },
    { id: 'wall', publish: [], subscribe: ['v1/out/#', 'zigbee2mqtt/#'], devices: [], requests: [] },
  ],
};

export interface TestBroker extends AsyncDisposable {
  readonly broker: Broker;
  readonly port: number;
  readonly dataFolder: string;
  readonly messages: InboundMessage[];
  readonly refusals: Refusal[];
}

/** A broker on free loopback ports, with everything it heard and refused. */
export async function startTestBroker(options: Partial<BrokerOptions> = {}): Promise<TestBroker> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'broker-'));
  const messages: InboundMessage[] = [];
  const refusals: Refusal[] = [];
  const access = createAccess({
    dataFolder,
    internal: new Map(names.map((name) => [name, token(name)])),
    grants: grantsFor(site, { fieldbus: ['meter-1' as DeviceId] }),
    clock: systemClock,
    log: silentLog,
  });
  const broker = await startBroker({
    hosts: ['127.0.0.1'],
    port: 0,
    websocketPort: null,
    access,
    clock: systemClock,
    log: silentLog,
    onPublish: (message) => void messages.push(message),
    onRefused: (refusal) => refusals.push(refusal),
    ...options,
  });
  return {
    broker,
    port: broker.ports.mqtt,
    dataFolder,
    messages,
    refusals,
    [Symbol.asyncDispose]: async () => {
      await broker[Symbol.asyncDispose]();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}

/** A bare MQTT client: says exactly what it is told to, and remembers what it hears. */
export class RawClient implements Disposable {
  readonly socket: Socket;
  readonly packets: Packet[] = [];
  closed = false;
  readonly #parser = parser();

  constructor(port: number, host = '127.0.0.1') {
    this.socket = connect({ port, host, noDelay: true });
    this.socket.on('data', (chunk: Buffer) => this.#parser.parse(chunk));
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.closed = true;
    });
    this.#parser.on('packet', (packet: Packet) => this.packets.push(packet));
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  send(packet: Packet): void {
    this.socket.write(generate(packet));
  }

  connect(client: string, extra: object = {}): void {
    this.send(connectPacket(client, extra));
  }

  publish(topic: string, payload: string | Buffer, qos: 0 | 1 | 2 = 0, messageId = 1, retain = false): void {
    const id = qos === 0 ? {} : { messageId };
    this.send({ cmd: 'publish', topic, payload, qos, dup: false, retain, ...id });
  }

  subscribe(topic: string, qos: 0 | 1 | 2 = 0, messageId = 1): void {
    this.send({ cmd: 'subscribe', messageId, subscriptions: [{ topic, qos }] });
  }

  /** The packets of one kind, in their order. */
  all(cmd: Packet['cmd']): Packet[] {
    return this.packets.filter((packet) => packet.cmd === cmd);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

export function connectPacket(client: string, extra: object = {}): Packet {
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    clientId: client,
    keepalive: 60,
    username: client,
    password: Buffer.from(token(client)),
    ...extra,
  };
}

/** A child process that loads the broker, so that only the broker is on the measured event loop. */
export class LoadProcess implements Disposable {
  readonly #child: ChildProcess;
  readonly #answers: unknown[] = [];
  #wake: () => void = () => {};

  constructor() {
    this.#child = fork(new URL('./broker-load.ts', import.meta.url), { execArgv: [], stdio: 'inherit' });
    this.#child.on('message', (answer) => {
      this.#answers.push(answer);
      this.#wake();
    });
  }

  /** Sends one order and waits for its answer. */
  async ask(order: { what: string; [key: string]: unknown }): Promise<Record<string, number>> {
    this.#child.send(order);
    if (this.#answers.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const answer = this.#answers.shift();
    if (typeof answer !== 'object' || answer === null) throw new Error('the load process answered nothing');
    return Object.fromEntries(Object.entries(answer).map(([key, value]) => [key, Number(value)]));
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}

/**
 * How late a 5 ms timer fires at most while `run` runs, ms; and how much of that this process itself worked (CPU time):
 * on a busy machine the rest is others' work, which no guard of ours can prevent.
 */
export async function worstDelay<T>(run: () => Promise<T>): Promise<{ worst: number; worstOwn: number; result: T }> {
  const every = 5;
  let worst = 0;
  let worstOwn = 0;
  let before = performance.now();
  let used = process.cpuUsage();
  const timer = setInterval(() => {
    const now = performance.now();
    const { user, system } = process.cpuUsage(used);
    const late = now - before - every;
    worst = Math.max(worst, late);
    worstOwn = Math.max(worstOwn, Math.min(late, (user + system) / 1000));
    before = now;
    used = process.cpuUsage();
  }, every);
  const result = await run();
  clearInterval(timer);
  return { worst, worstOwn, result };
}

export function rssMegabytes(): number {
  return process.memoryUsage.rss() / 1024 / 1024;
}
