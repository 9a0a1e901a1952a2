import type { MqttClient } from 'mqtt';
import { connect } from 'mqtt';
import { codeOf } from '#edge/runtime/errors.ts';
import { Backoff, within } from '#edge/runtime/lifecycle.ts';

/** A device's connection to the campus's broker, with what a microcontroller does about it: try again, keep nothing. */
export interface SensorClient extends AsyncDisposable {
  readonly id: string;
  readonly connected: boolean;
  /** Lost while there is no connection: a sensor has no memory. */
  publish(topic: string, payload: object | string, how?: { readonly qos?: 0 | 1; readonly retain?: boolean }): void;
  /** The network cable: without it the broker publishes the last will. */
  unplug(): void;
  replug(): void;
}

export interface SensorClientOptions {
  readonly host: string;
  readonly port: number;
  readonly id: string;
  readonly password: string;
  /** s; the broker notices a dead device after one and a half of it. */
  readonly keepalive: number;
  readonly will?: { readonly topic: string; readonly payload: string };
  readonly subscribe?: readonly string[];
  /** At every connection: real devices announce themselves again each time. */
  onConnect(client: SensorClient): void;
  onMessage?(topic: string, payload: string): void;
  /** Once per transition: connected, or why not. */
  onState?(message: string): void;
}

const pauses = { first: 500, cap: 10_000 };
const connectTimeout = 5_000;
const endTimeout = 1_000;

/** Returns at once; connects and reconnects by itself until disposed. */
export function createSensorClient(options: SensorClientOptions): SensorClient {
  const backoff = new Backoff(pauses);
  const mqtt = connect({
    protocol: 'mqtt',
    host: options.host,
    port: options.port,
    clientId: options.id,
    username: options.id,
    password: options.password,
    keepalive: options.keepalive,
    clean: true,
    connectTimeout,
    reconnectPeriod: backoff.next(),
    // Firmware knows no "refused for good": it asks again until somebody sets the password.
    reconnectOnConnackError: true,
    queueQoSZero: false,
    ...(options.will === undefined
      ? {}
      : { will: { topic: options.will.topic, payload: Buffer.from(options.will.payload), qos: 1, retain: true } }),
  });
  const client = new PluggedClient(options.id, mqtt);
  let said = '';
  const say = (message: string) => {
    if (message !== said) options.onState?.(message);
    said = message;
  };
  mqtt.on('connect', () => {
    backoff.reset();
    say('connected');
    for (const filter of options.subscribe ?? []) mqtt.subscribe(filter, { qos: 0 });
    options.onConnect(client);
  });
  // The pause of the attempt after the one that is already scheduled.
  mqtt.on('close', () => {
    mqtt.options.reconnectPeriod = backoff.next();
  });
  mqtt.on('error', (error) => say(`no connection: ${codeOf(error) || error.message}`));
  mqtt.on('message', (topic, payload) => options.onMessage?.(topic, payload.toString()));
  return client;
}

class PluggedClient implements SensorClient {
  readonly id: string;
  readonly #mqtt: MqttClient;

  constructor(id: string, mqtt: MqttClient) {
    this.id = id;
    this.#mqtt = mqtt;
  }

  get connected(): boolean {
    return this.#mqtt.connected;
  }

  publish(
    topic: string,
    payload: object | string,
    how: { readonly qos?: 0 | 1; readonly retain?: boolean } = {},
  ): void {
    if (!this.#mqtt.connected) return;
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    // An error here is the end of the connection, which the client sees by itself.
    this.#mqtt.publish(topic, text, { qos: how.qos ?? 0, retain: how.retain ?? false }, () => undefined);
  }

  unplug(): void {
    // Forced: the socket goes without an MQTT DISCONNECT, as when the power fails.
    this.#mqtt.end(true);
  }

  replug(): void {
    if (!this.#mqtt.connected) this.#mqtt.reconnect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await within(endTimeout, `closing ${this.id}`, this.#mqtt.endAsync());
    } catch {
      await this.#mqtt.endAsync(true);
    }
  }
}
