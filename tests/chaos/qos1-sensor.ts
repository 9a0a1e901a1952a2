import { randomUUID } from 'node:crypto';
import { connect, type MqttClient } from 'mqtt';
import { eventTopic, samplesTopic } from '#edge/bus/topics.ts';
import { type DeviceId, isSlug } from '#edge/domain/ids.ts';
import { systemClock } from '#edge/runtime/clock.ts';
import { delay, Ticker } from '#edge/runtime/lifecycle.ts';

/*
 * A sensor with a memory, as QoS 1 is meant: it numbers what it says, keeps several messages in flight, and says again
 * what was not acknowledged. It writes down exactly what was, because that is what must never be lost.
 */

export interface SentSample {
  /** The device's clock, strictly increasing. */
  readonly t: number;
  /** The counter, strictly increasing. */
  readonly value: number;
}

export interface Qos1SensorOptions {
  readonly port: number;
  readonly device: string;
  readonly password: string;
  readonly point: string;
  /** Messages that may wait for their PUBACK. */
  readonly inFlight: number;
  /** Every so many messages one is an event; 0: none. */
  readonly eventEvery: number;
}

type Message = { readonly topic: string; readonly body: object } & (
  | { readonly kind: 'sample'; readonly sample: SentSample }
  | { readonly kind: 'event'; readonly id: string }
);

const makeEvery = 4;
const retryAfter = 50;

export class Qos1Sensor implements AsyncDisposable {
  readonly device: string;
  readonly sent = new Map<number, SentSample>();
  readonly acknowledged: SentSample[] = [];
  readonly acknowledgedEvents: string[] = [];
  connections = 0;
  resent = 0;
  readonly #options: Qos1SensorOptions;
  readonly #samples: string;
  readonly #events: string;
  readonly #unacknowledged = new Set<Message>();
  readonly #ending = new AbortController();
  readonly #maker: Ticker;
  readonly #running: Promise<void>;
  #mqtt: MqttClient | null = null;
  #count = 0;
  #lastTime = 0;

  constructor(options: Qos1SensorOptions) {
    this.#options = options;
    this.device = options.device;
    const device = asDevice(options.device);
    this.#samples = samplesTopic(device);
    this.#events = eventTopic(device);
    this.#maker = new Ticker(makeEvery, () => this.#make());
    this.#running = this.#run();
  }

  get waiting(): number {
    return this.#unacknowledged.size;
  }

  /** Makes nothing new; what waits is still said until it is acknowledged. */
  finish(): void {
    this.#maker[Symbol.dispose]();
  }

  #make(): void {
    const t = systemClock.now();
    // A sensor that was away goes on filling its memory only up to a bound.
    if (this.#unacknowledged.size >= this.#options.inFlight || t <= this.#lastTime) return;
    this.#lastTime = t;
    this.#count += 1;
    const message = this.#next(t);
    this.#unacknowledged.add(message);
    this.#say(message);
  }

  #next(t: number): Message {
    const { eventEvery, point } = this.#options;
    if (eventEvery > 0 && this.#count % eventEvery === 0) {
      const id = randomUUID();
      return { kind: 'event', id, topic: this.#events, body: { id, t, type: 'button', data: { action: 'single' } } };
    }
    const sample = { t, value: this.#count };
    this.sent.set(t, sample);
    return { kind: 'sample', sample, topic: this.#samples, body: { t, s: [[point, sample.value]] } };
  }

  #say(message: Message): void {
    const mqtt = this.#mqtt;
    if (mqtt === null) return;
    mqtt.publish(message.topic, JSON.stringify(message.body), { qos: 1 }, (error) => {
      if (error || !this.#unacknowledged.delete(message)) return;
      if (message.kind === 'sample') this.acknowledged.push(message.sample);
      else this.acknowledgedEvents.push(message.id);
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      await this.#connectOnce();
      await delay(retryAfter, signal);
    }
  }

  /** One connection with a client of its own, so that nothing is said again but by our own book. */
  #connectOnce(): Promise<void> {
    const { port, device, password } = this.#options;
    return new Promise((resolve) => {
      const mqtt = connect({
        host: '127.0.0.1',
        port,
        clientId: device,
        username: device,
        password,
        clean: true,
        keepalive: 30,
        connectTimeout: 5_000,
        reconnectPeriod: 0,
      });
      const abort = () => mqtt.end(true);
      this.#ending.signal.addEventListener('abort', abort, { once: true });
      mqtt.on('error', () => mqtt.end(true));
      mqtt.once('connect', () => {
        this.connections += 1;
        this.#mqtt = mqtt;
        this.resent += this.#unacknowledged.size;
        for (const message of this.#unacknowledged) this.#say(message);
      });
      mqtt.once('close', () => {
        this.#ending.signal.removeEventListener('abort', abort);
        this.#mqtt = null;
        mqtt.end(true);
        resolve();
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.finish();
    this.#ending.abort();
    await this.#running;
  }
}

export function asDevice(name: string): DeviceId {
  if (!isSlug(name)) throw new Error(`"${name}" is no device id`);
  return name as DeviceId;
}
