import type { Socket } from 'node:net';
import { connect as connectSocket } from 'node:net';
import type { IClientOptions } from 'mqtt';
import { MqttClient } from 'mqtt';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { Backoff, delay } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import { type Bus, type PublishOptions, payloadBytes, type Subscription } from './bus.ts';
import { checkFilter, checkTopic, matchesFilter } from './topics.ts';

export interface BusClientOptions {
  readonly host: string;
  readonly port: number;
  /** Client id of the access model; also the user name. */
  readonly client: string;
  readonly password: string;
  /** Published by the broker, retained, when this process goes without saying so. */
  readonly will?: { readonly topic: string; readonly payload: object };
  readonly clock: Clock;
  readonly log: Log;
  /** Ends the client; before the first connection it rejects `connectBus`. */
  readonly signal: AbortSignal;
}

export interface BusClient extends Bus, AsyncDisposable {
  readonly connected: boolean;
  /** Runs at each connection, once all subscriptions stand, and at once when connected now. Dispose to stop. */
  onConnect(listener: () => void): Disposable;
}

/** Pauses between attempts, ms. */
const pauses = { first: 200, cap: 5_000 };
const connectTimeout = 5_000;
/** The broker's host is this machine: half a minute of silence is an eternity, s. */
const keepalive = 20;
const publishTimeout = 30_000;
const subscribeTimeout = 10_000;
const endTimeout = 1_000;
/** CONNACK codes that trying again will not change: 2 client id, 4 user name or password, 5 not authorised. */
const finalRefusals: readonly unknown[] = [2, 4, 5];

/**
 * Connects another process to the broker of core. Resolves at the first connection, however long core takes to come;
 * rejects with BUS_REFUSED when core does not know this client, BUS_AWAY when `signal` ends the wait.
 */
export async function connectBus(options: BusClientOptions): Promise<BusClient> {
  const client = new ReconnectingClient(options);
  try {
    await client.start();
    return client;
  } catch (error) {
    await client[Symbol.asyncDispose]();
    throw error;
  }
}

interface Handler {
  readonly filter: string;
  readonly handle: (topic: string, payload: Buffer) => void;
}

/** One connection at a time, each with an MqttClient of its own: nothing unsent survives to be sent twice. */
class ReconnectingClient implements BusClient {
  readonly #options: BusClientOptions;
  readonly #handlers = new Set<Handler>();
  readonly #listeners = new Set<() => void>();
  /** Rejects what is under way when the connection is lost. */
  readonly #pending = new Set<(error: Error) => void>();
  readonly #ending = new AbortController();
  #mqtt: MqttClient | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(options: BusClientOptions) {
    this.#options = options;
  }

  get connected(): boolean {
    return this.#mqtt !== null;
  }

  start(): Promise<void> {
    const { signal } = this.#options;
    signal.addEventListener('abort', () => this.#ending.abort(), { once: true, signal: this.#ending.signal });
    if (signal.aborted) this.#ending.abort();
    return new Promise((resolve, reject) => {
      this.#running = this.#run(resolve, reject);
    });
  }

  async publish(topic: string, payload: object | null, options?: PublishOptions): Promise<void> {
    const wrong = checkTopic(topic);
    if (wrong !== null) throw new CodedError('BUS_TOPIC_INVALID', `topic "${topic.slice(0, 256)}": ${wrong}`);
    const mqtt = this.#need();
    const bytes = payloadBytes(payload);
    const { qos = 0, retain = false } = options ?? {};
    await this.#underWay(publishTimeout, `publishing on ${topic}`, (done) => {
      mqtt.publish(topic, bytes, { qos, retain }, (error) => done(error));
    });
  }

  async subscribe(filter: string, handler: (topic: string, payload: Buffer) => void): Promise<Subscription> {
    const wrong = checkFilter(filter);
    if (wrong !== null) throw new CodedError('BUS_TOPIC_INVALID', `filter "${filter.slice(0, 256)}": ${wrong}`);
    const entry: Handler = { filter, handle: handler };
    this.#handlers.add(entry);
    // While away it is enough to remember it: every connection begins with all subscriptions.
    const mqtt = this.#mqtt;
    try {
      if (mqtt !== null) await this.#subscribeOn(mqtt, filter);
    } catch (error) {
      if (codeOf(error) !== 'BUS_AWAY') {
        this.#handlers.delete(entry);
        throw error;
      }
    }
    return { [Symbol.asyncDispose]: () => this.#unsubscribe(entry) };
  }

  onConnect(listener: () => void): Disposable {
    this.#listeners.add(listener);
    if (this.connected) this.#isolated('onConnect', listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  // --- the life of the connection -----------------------------------------------------------------------------------

  async #run(connected: () => void, refused: (error: Error) => void): Promise<void> {
    const { log, client, host, port } = this.#options;
    const { signal } = this.#ending;
    const backoff = new Backoff(pauses);
    let isFirst = true;
    let lastProblem = '';
    while (!signal.aborted) {
      const problem = await this.#connectOnce(() => {
        backoff.reset();
        lastProblem = '';
        log.info({ client, host, port }, 'connected to the broker');
        isFirst = false;
        connected();
      });
      if (signal.aborted) break;
      if (isFirst && codeOf(problem) === 'BUS_REFUSED') return refused(problem);
      if (problem.message !== lastProblem)
        log.warn({ client, host, port, problem: problem.message }, 'no connection to the broker');
      lastProblem = problem.message;
      await delay(backoff.next(), signal);
    }
    if (isFirst)
      refused(new CodedError('BUS_AWAY', `connecting ${client} to ${host}:${port} was given up: ${lastProblem}`));
  }

  /** Resolves when the connection has ended, with the reason. */
  #connectOnce(connected: () => void): Promise<Error> {
    const { host, port, client } = this.#options;
    const { signal } = this.#ending;
    return new Promise((resolve) => {
      let problem: Error = new CodedError('BUS_AWAY', `the connection to ${host}:${port} ended`);
      const mqtt = new MqttClient(() => this.#dial(), this.#mqttOptions());
      const abort = () => void this.#leave(mqtt);
      signal.addEventListener('abort', abort, { once: true });
      mqtt.on('message', (topic, payload) => this.#dispatch(topic, payload));
      mqtt.on('error', (error) => {
        const isFinal = finalRefusals.includes(codeOf(error) === '' ? undefined : Number(codeOf(error)));
        const why = `the broker at ${host}:${port} refused the client "${client}": ${messageOf(error)}`;
        problem = isFinal ? new CodedError('BUS_REFUSED', why, { cause: error }) : asError(error);
        mqtt.end(true);
      });
      mqtt.once('close', () => {
        signal.removeEventListener('abort', abort);
        mqtt.end(true);
        this.#lost(problem);
        resolve(problem);
      });
      mqtt.once('connect', () => {
        this.#subscribeAll(mqtt).then(
          () => {
            if (!mqtt.connected) return;
            this.#mqtt = mqtt;
            connected();
            for (const listener of this.#listeners) this.#isolated('onConnect', listener);
          },
          (error) => {
            problem = asError(error);
            mqtt.end(true);
          },
        );
      });
      mqtt.connect();
    });
  }

  #dial(): Socket {
    const { host, port } = this.#options;
    // Without TCP_NODELAY, Nagle and delayed acknowledgements make 40 ms of every QoS 1 publish.
    return connectSocket({ host, port, noDelay: true, keepAlive: true });
  }

  #mqttOptions(): IClientOptions {
    const { client, password, will } = this.#options;
    return {
      clientId: client,
      username: client,
      password,
      protocolVersion: 4,
      clean: true,
      keepalive,
      connectTimeout,
      reconnectPeriod: 0,
      queueQoSZero: false,
      resubscribe: false,
      manualConnect: true,
      ...(will === undefined
        ? {}
        : { will: { topic: will.topic, payload: Buffer.from(JSON.stringify(will.payload)), qos: 1, retain: true } }),
    };
  }

  /** Says goodbye (no last will), but not for ever. */
  async #leave(mqtt: MqttClient): Promise<void> {
    const timer = setTimeout(() => mqtt.end(true), endTimeout);
    mqtt.once('close', () => clearTimeout(timer));
    mqtt.end(false);
  }

  #lost(problem: Error): void {
    this.#mqtt = null;
    const away = new CodedError('BUS_AWAY', problem.message, { cause: problem });
    for (const reject of this.#pending) reject(away);
    this.#pending.clear();
  }

  #need(): MqttClient {
    if (this.#mqtt !== null) return this.#mqtt;
    const { host, port } = this.#options;
    throw new CodedError('BUS_AWAY', `there is no connection to the broker at ${host}:${port}`);
  }

  /** Runs one exchange with the broker: it ends with its callback, with the connection, or with the time. */
  #underWay(ms: number, what: string, begin: (done: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error?: Error | null) => {
        clearTimeout(timer);
        this.#pending.delete(end);
        if (error)
          reject(error instanceof CodedError ? error : new CodedError('BUS_AWAY', messageOf(error), { cause: error }));
        else resolve();
      };
      const timer = setTimeout(() => end(new CodedError('TIMEOUT', `${what} took longer than ${ms} ms`)), ms);
      this.#pending.add(end);
      begin(end);
    });
  }

  // --- subscriptions ------------------------------------------------------------------------------------------------

  /** Until nothing is missing: somebody may subscribe while the answer is awaited. */
  async #subscribeAll(mqtt: MqttClient): Promise<void> {
    const standing = new Set<string>();
    for (;;) {
      const wanted = new Set([...this.#handlers].map(({ filter }) => filter));
      const missing = [...wanted].filter((filter) => !standing.has(filter));
      if (missing.length === 0) return;
      for (const filter of missing) standing.add(filter);
      await Promise.all(missing.map((filter) => this.#resubscribe(mqtt, filter)));
    }
  }

  /** A filter that is refused now (the site file has changed) must not cost the whole connection. */
  async #resubscribe(mqtt: MqttClient, filter: string): Promise<void> {
    try {
      await this.#subscribeOn(mqtt, filter);
    } catch (error) {
      if (codeOf(error) !== 'BUS_REFUSED') throw error;
      this.#options.log.error({ filter, error }, 'subscription refused');
    }
  }

  async #subscribeOn(mqtt: MqttClient, filter: string): Promise<void> {
    await this.#underWay(subscribeTimeout, `subscribing ${filter}`, (done) => {
      mqtt.subscribe(filter, { qos: 1 }, (error, granted) => {
        // mqtt.js makes an error of return code 0x80 itself, but not in every version.
        const isRefused =
          granted?.some(({ qos }) => Number(qos) === 128) || (error && messageOf(error).includes('Unspecified error'));
        if (!isRefused) return done(error);
        const message = `${this.#options.client} may not subscribe ${filter}`;
        done(new CodedError('BUS_REFUSED', message, { cause: error }));
      });
    });
  }

  async #unsubscribe(entry: Handler): Promise<void> {
    this.#handlers.delete(entry);
    const isUsed = [...this.#handlers].some(({ filter }) => filter === entry.filter);
    const mqtt = this.#mqtt;
    if (isUsed || mqtt === null) return;
    try {
      await this.#underWay(subscribeTimeout, `unsubscribing ${entry.filter}`, (done) => {
        mqtt.unsubscribe(entry.filter, (error) => done(error ?? null));
      });
    } catch (error) {
      // Without a connection there is nothing to unsubscribe from.
      if (codeOf(error) !== 'BUS_AWAY') throw error;
    }
  }

  #dispatch(topic: string, payload: Buffer): void {
    for (const { filter, handle } of this.#handlers) {
      if (matchesFilter(filter, topic)) this.#isolated(topic, () => handle(topic, payload));
    }
  }

  /** One handler's exception reaches no other handler. */
  #isolated(where: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#options.log.error({ error, where }, 'bus handler failed');
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new CodedError('BUS_AWAY', messageOf(error));
}
