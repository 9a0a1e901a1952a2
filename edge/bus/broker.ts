import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AedesPublishPacket, Client, PublishPacket } from 'aedes';
import { Aedes } from 'aedes';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf, messageOf } from '#edge/runtime/errors.ts';
import { delay, Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Pki } from '#edge/runtime/pki.ts';
import type { ClientRegister } from '#edge/runtime/pki-clients.ts';
import type { Access } from './access.ts';
import { Admission } from './admission.ts';
import { type Bus, type InboundMessage, type PublishOptions, payloadBytes, type Subscription } from './bus.ts';
import type { ConnectionContext } from './connection.ts';
import { ClientConnection } from './connection.ts';
import { type CertificateClaim, claimOf, judge } from './device-certificates.ts';
import type { Answer } from './gate.ts';
import { Gate, Refused, toBuffer } from './gate.ts';
import { Intake } from './intake.ts';
import type { BrokerLimits } from './limits.ts';
import { defaultLimits } from './limits.ts';
import type { Accept, Admit, Listener, Transport } from './listeners.ts';
import { listenTcp, listenTls, listenWebSocket } from './listeners.ts';
import type { Refusal } from './refusals.ts';
import { Refusals } from './refusals.ts';
import { Retained } from './retained.ts';
import { Sessions } from './sessions.ts';
import { answerTopic, checkFilter, checkTopic } from './topics.ts';

/*
 * aedes behind guards. Bare aedes is frozen by one subscriber that stops reading, takes 616 MB for one announced
 * packet, delays timers by 10 s under a flood, and dies of an exception in a hook. What it must never see is kept from
 * it by ClientConnection, Intake and Admission; what it must ask is asked here.
 */

export interface BrokerOptions {
  /** Every address listens, all on the same port. */
  readonly hosts: readonly string[];
  /** 0 takes a free one. */
  readonly port: number;
  /** null = no WebSocket. */
  readonly websocketPort: number | null;
  /** Default: no encrypted line. */
  readonly tls?: BrokerTls | null;
  readonly access: Access;
  readonly limits?: Partial<BrokerLimits>;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Gets every message that a client was allowed to publish, in its order of arrival. A QoS 1 message is acknowledged,
   * and any message forwarded, when the promise resolves; when it rejects, the connection is closed unacknowledged.
   */
  readonly onPublish: (message: InboundMessage) => Promise<void> | void;
  readonly onRefused?: (refusal: Refusal) => void;
  readonly onClient?: (info: ClientInfo) => void;
}

export interface BrokerTls {
  readonly hosts: readonly string[];
  /** 0 takes a free one. */
  readonly port: number;
  /** Whether a device may or must show a certificate instead of a password. */
  readonly clientCertificates: 'no' | 'accept' | 'require';
  readonly pki: Pki;
  readonly clients: ClientRegister;
}

export interface ClientInfo {
  readonly client: string;
  /** As used on the wire: the client, or `<client>:<anything>`. */
  readonly clientId: string;
  readonly address: string;
  readonly transport: Transport;
  readonly connected: boolean;
}

export interface BrokerStats {
  readonly connections: number;
  readonly clients: number;
  /** Messages taken from clients since start. */
  readonly received: number;
  /** Messages that wait for their commit. */
  readonly inFlight: number;
  /** Messages that were not forwarded to a subscriber that does not read. */
  readonly dropped: number;
  /** Bytes that wait for subscribers. */
  readonly backlog: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly retained: { readonly messages: number; readonly foreignMessages: number; readonly foreignBytes: number };
  readonly sessions: {
    readonly sessions: number;
    readonly messages: number;
    readonly dropped: number;
    readonly expired: number;
  };
}

export interface BrokerPorts {
  readonly mqtt: number;
  readonly websocket: number | null;
  readonly tls: number | null;
}

export interface Broker extends AsyncDisposable {
  /** For core, without a socket. */
  readonly bus: Bus;
  readonly ports: BrokerPorts;
  stats(): BrokerStats;
}

/** How often slow subscribers, late commits and old sessions are looked for, ms. */
const sweepEvery = 1_000;
/** How long commits may take to end when the broker stops, ms. */
const stopWithin = 5_000;

/** Starts listening. Throws BROKER_PORT_TAKEN, BROKER_HOST_MISSING or BROKER_LISTEN_FAILED, naming address and site key. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const broker = new GuardedBroker(options);
  try {
    await broker.listen();
    return broker;
  } catch (error) {
    await broker[Symbol.asyncDispose]();
    throw error;
  }
}

class GuardedBroker implements Broker {
  readonly bus: Bus;
  readonly #options: BrokerOptions;
  readonly #limits: BrokerLimits;
  readonly #log: Log;
  readonly #aedes: Aedes;
  readonly #admission: Admission;
  readonly #intake: Intake;
  readonly #refusals: Refusals;
  readonly #retained: Retained;
  readonly #sessions: Sessions;
  readonly #gate: Gate;
  readonly #context: ConnectionContext;
  readonly #connections = new Set<ClientConnection>();
  readonly #clients = new Map<string, Client>();
  readonly #sweeper: Ticker;
  readonly #listeners: Listener[] = [];
  #ports: BrokerPorts = { mqtt: 0, websocket: null, tls: null };
  #droppedBefore = 0;
  #stopping = false;

  constructor(options: BrokerOptions) {
    const { clock, log } = options;
    const limits = { ...defaultLimits, ...options.limits };
    this.#options = options;
    this.#limits = limits;
    this.#log = log;
    this.#admission = new Admission(limits, clock);
    this.#intake = new Intake(clock);
    this.#refusals = new Refusals(log, clock, options.onRefused);
    this.#retained = new Retained(limits.retainedMessages, limits.retainedBytes);
    this.#sessions = new Sessions({
      limits,
      retained: this.#retained,
      clock,
      mayHold: (clientId, filter) => {
        const connection = connectionOf(this.#clients.get(clientId) ?? null);
        return connection?.identity?.subscribe.covers(filter) === true;
      },
      onRetainedFull: (topic) => {
        const message = `"${topic}" is forwarded but not retained: there are too many retained messages`;
        this.#refusals.report({ reason: 'retained-full', message, address: '', topic });
      },
      onDrop: (clientId) => log.warn({ clientId }, 'a session is full and loses its oldest messages'),
    });
    this.#gate = new Gate({
      limits,
      access: options.access,
      sessions: this.#sessions,
      refusals: this.#refusals,
      clock,
      log,
      onPublish: options.onPublish,
      answer: (client, answer, done) => this.#answer(client, answer, done),
    });
    this.#context = {
      limits,
      intake: this.#intake,
      clock,
      onFault: (connection, fault) => {
        this.#gate.refuse(connection, fault.code, fault.message);
        connection.destroy();
      },
      onMessage: (connection, message) => this.#gate.takeMessage(connection, message),
      onCommitFailed: (connection, topic, error) => this.#gate.commitFailed(connection, topic, error),
    };
    this.#aedes = this.#createAedes();
    this.bus = { publish: (...input) => this.#publish(...input), subscribe: (...input) => this.#subscribe(...input) };
    this.#sweeper = new Ticker(sweepEvery, async () => {
      this.#gate.sweep(this.#connections);
      await this.#sweepCertificates();
    });
  }

  get ports(): BrokerPorts {
    return this.#ports;
  }

  async listen(): Promise<void> {
    await this.#aedes.listen();
    const { hosts, port, websocketPort } = this.#options;
    const admit = (socket: Socket) => this.#admit(socket);
    const accept: Accept = (...given) => this.#accept(...given);
    const tcp = await listenTcp({ hosts, port, siteKey: 'mqtt.port', log: this.#log }, admit, accept);
    this.#listeners.push(tcp);
    this.#ports = { ...this.#ports, mqtt: tcp.port };
    if (this.#options.tls) await this.#listenTls(this.#options.tls, admit, accept);
    if (websocketPort === null) return;
    const { packetBytes, connectTimeout } = this.#limits;
    const listen = { hosts, port: websocketPort, siteKey: 'mqtt.websocketPort', log: this.#log };
    const websocket = await listenWebSocket({ ...listen, packetBytes, connectTimeout }, admit, accept);
    this.#listeners.push(websocket);
    this.#ports = { ...this.#ports, websocket: websocket.port };
  }

  async #listenTls(tls: BrokerTls, admit: Admit, accept: Accept): Promise<void> {
    const { hosts, port, pki, clients, clientCertificates } = tls;
    const rules = { clients, isRequired: clientCertificates === 'require' };
    const listener = await listenTls(
      {
        ...{ hosts, port, pki, siteKey: 'mqtt.tls.port', log: this.#log },
        wantsCertificate: clientCertificates !== 'no',
        handshakeTimeout: this.#limits.connectTimeout,
        claimOf: (socket, address) => claimOf(socket, rules, address),
        onHandshakeFailed: (error, address) => {
          const message = `a TLS handshake from ${address} failed: ${messageOf(error).trim().slice(0, 200)}`;
          if (!this.#stopping) this.#refusals.report({ reason: 'handshake-failed', message, address });
        },
      },
      admit,
      accept,
    );
    this.#listeners.push(listener);
    this.#ports = { ...this.#ports, tls: listener.port };
  }

  stats(): BrokerStats {
    let inFlight = 0;
    let backlog = 0;
    let dropped = this.#droppedBefore;
    for (const connection of this.#connections) {
      inFlight += connection.inFlight;
      backlog += connection.backlog;
      dropped += connection.droppedInAll;
    }
    const { messages, bytes } = this.#retained.foreign;
    return {
      connections: this.#admission.connections,
      clients: this.#clients.size,
      received: this.#gate.received,
      inFlight,
      dropped,
      backlog,
      refused: this.#refusals.counts,
      retained: { messages: this.#retained.size, foreignMessages: messages, foreignBytes: bytes },
      sessions: this.#sessions.stats,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    this.#gate.close();
    this.#sweeper[Symbol.dispose]();
    for (const listener of this.#listeners) await listener[Symbol.asyncDispose]();
    for (const connection of this.#connections) connection.stopTaking();
    // What was taken is committed and acknowledged before the doors close.
    const { clock } = this.#options;
    const until = clock.monotonic() + stopWithin;
    while (this.stats().inFlight > 0 && clock.monotonic() < until) await delay(5);
    this.#intake[Symbol.dispose]();
    await new Promise<void>((resolve) => this.#aedes.close(resolve));
    for (const connection of this.#connections) connection.destroy();
    while (this.#connections.size > 0) await delay(5);
  }

  // --- connections --------------------------------------------------------------------------------------------------

  #admit(socket: Socket): boolean {
    const address = socket.remoteAddress ?? '';
    socket.on('error', () => socket.destroy());
    const reason = this.#stopping ? 'stopping' : this.#admission.admit(address);
    if (reason === null) {
      socket.once('close', () => this.#admission.release(address));
      return true;
    }
    socket.destroy();
    this.#refusals.report({ reason, message: `a connection from ${address} was not accepted`, address });
    return false;
  }

  #accept(stream: Duplex, address: string, transport: Transport, claim: CertificateClaim): void {
    if (this.#stopping) return void stream.destroy();
    const connection = new ClientConnection(stream, address, transport, this.#context, claim);
    this.#connections.add(connection);
    const client = this.#aedes.handle(connection);
    stream.once('close', () => {
      this.#connections.delete(connection);
      this.#droppedBefore += connection.droppedInAll;
      if (this.#clients.get(client.id) === client) this.#clients.delete(client.id);
    });
  }

  /** What was revoked or has expired ends the connections that it opened. */
  async #sweepCertificates(): Promise<void> {
    const clients = this.#options.tls?.clients;
    const shown = [...this.#connections].filter(({ claim }) => claim.kind === 'client');
    if (clients === undefined || shown.length === 0) return;
    await clients.refresh();
    for (const connection of shown) {
      const { claim, address } = connection;
      const now = claim.kind === 'client' ? judge(clients, claim.fingerprint, address) : claim;
      if (now.kind !== 'refused' || connection.destroyed) continue;
      this.#gate.refuse(connection, now.reason, now.message);
      connection.destroy();
    }
  }

  #createAedes(): Aedes {
    const aedes = new Aedes({
      id: `campus-${randomBytes(6).toString('hex')}`,
      concurrency: 0, // otherwise a subscriber that does not read stops delivery for everybody
      connectTimeout: this.#limits.connectTimeout,
      drainTimeout: this.#limits.outboundStall,
      maxClientsIdLength: 256, // the gate has judged it
      persistence: this.#sessions,
      preConnect: (client, packet, done) => {
        const error = this.#guarded('preConnect', internalError, () => {
          const connection = connectionOf(client);
          return connection === null ? internalError : this.#gate.judgeConnect(connection, packet);
        });
        done(error, error === null);
      },
      authenticate: (client, username, password, done) => {
        void this.#authenticate(client, username, password).then((error) => done(error, error === null));
      },
      authorizePublish: (client, packet, done) => {
        // A message comes here when it has been judged and committed; only a last will has not.
        if (client?.closed !== true) done(null);
        else void this.#judgeWill(client, packet).then(done);
      },
      authorizeSubscribe: (client, wish, done) => {
        const connection = connectionOf(client);
        const isGranted = this.#guarded(
          'authorizeSubscribe',
          false,
          () => connection !== null && this.#gate.judgeSubscribe(connection, wish.topic),
        );
        done(null, isGranted ? wish : null);
      },
      authorizeForward: (client, packet) => {
        const connection = connectionOf(client);
        if (connection === null || !this.#gate.mayForward(connection, packet.retain)) return null;
        // What was retained when somebody subscribed may have been overtaken by news: an old value must never arrive last.
        const payload = packet.retain ? this.#retained.current(packet.topic)?.payload : packet.payload;
        if (payload === undefined) return null;
        // A QoS 2 publish counts as QoS 1 from here on; aedes would send it on as QoS 2.
        return packet.qos === 2 || payload !== packet.payload
          ? { ...packet, payload, qos: packet.qos === 0 ? 0 : 1 }
          : packet;
      },
    });
    aedes.on('clientReady', (client) => this.#clientReady(client));
    aedes.on('clientDisconnect', (client) => this.#clientGone(client));
    aedes.on('unsubscribe', (filters, client) => {
      for (const filter of filters) connectionOf(client)?.subscribed.delete(filter);
    });
    aedes.on('clientError', (client, error) => this.#connectionFailed(client, error));
    const emitter: EventEmitter = aedes; // its types leave `error` out
    emitter.on('error', (error: unknown) => this.#log.error({ error }, 'broker failed'));
    aedes.on('connectionError', (client, error) => this.#connectionFailed(client, error));
    return aedes;
  }

  /** An exception in a hook of aedes ends the process; here it becomes `otherwise` and is logged as what it is: a bug. */
  #guarded<T>(hook: string, otherwise: T, run: () => T): T {
    try {
      return run();
    } catch (error) {
      this.#log.error({ error, hook }, 'broker hook failed');
      return otherwise;
    }
  }

  /** Never rejects. */
  async #authenticate(client: Client, username?: string, password?: Buffer): Promise<Refused | null> {
    try {
      const connection = connectionOf(client);
      if (connection === null) return internalError;
      const refused = await this.#gate.logIn(connection, client.id, username, password);
      // Already here, because a kept session is restored (and judged) before the client is ready.
      if (refused === null && !client.closed) this.#clients.set(client.id, client);
      return refused;
    } catch (error) {
      this.#log.error({ error, hook: 'authenticate' }, 'broker hook failed');
      return internalError;
    }
  }

  async #judgeWill(client: Client, packet: PublishPacket): Promise<Refused | null> {
    const connection = connectionOf(client);
    return connection === null ? internalError : this.#gate.takeWill(connection, packet);
  }

  #clientReady(client: Client): void {
    const connection = connectionOf(client);
    if (connection === null) return;
    this.#clients.set(client.id, client);
    this.#sessions.setOnline(client.id);
    connection.ready();
    this.#tell(client, connection, true);
  }

  #clientGone(client: Client): void {
    const connection = connectionOf(client);
    if (connection === null) return;
    if (this.#clients.get(client.id) === client) this.#clients.delete(client.id);
    this.#sessions.setOffline(client.id);
    this.#tell(client, connection, false);
  }

  #tell(client: Client, connection: ClientConnection, connected: boolean): void {
    const { address, transport, identity } = connection;
    if (identity === null) return;
    const info: ClientInfo = { client: identity.client, clientId: client.id, address, transport, connected };
    this.#log.debug(info, 'client came or went');
    try {
      this.#options.onClient?.(info);
    } catch (error) {
      this.#log.error({ error }, 'client listener failed');
    }
  }

  #connectionFailed(client: Client, error: Error): void {
    const connection = connectionOf(client);
    if (connection === null || this.#stopping || error instanceof Refused || 'errorCode' in error) return;
    if (codeOf(error) !== '' || harmless.has(error.message)) {
      const fields = { client: connection.identity?.client, address: connection.address, error: error.message };
      this.#log.debug(fields, 'connection ended');
      return;
    }
    // The rest is what the parser and the protocol handlers of aedes say.
    this.#gate.refuse(connection, failureReasons[error.message] ?? 'malformed-packet', error.message);
  }

  #answer(client: string, answer: Answer, done: () => void): void {
    const payload = Buffer.from(JSON.stringify(answer));
    const packet = { cmd: 'publish', topic: answerTopic(client), payload, qos: 0, retain: false, dup: false } as const;
    this.#aedes.publish(packet, done);
  }

  // --- the bus of core ----------------------------------------------------------------------------------------------

  async #publish(topic: string, payload: object | null, options?: PublishOptions): Promise<void> {
    const wrong = checkTopic(topic);
    if (wrong !== null) throw new CodedError('BUS_TOPIC_INVALID', `topic "${topic.slice(0, 256)}": ${wrong}`);
    if (this.#stopping) throw new CodedError('BUS_AWAY', 'the broker is stopping');
    const bytes = payloadBytes(payload);
    const { qos = 0, retain = false } = options ?? {};
    const packet = { cmd: 'publish', topic, payload: bytes, qos, retain, dup: false } as const;
    await new Promise<void>((resolve, reject) => {
      this.#aedes.publish(packet, (error) => (error ? reject(error) : resolve()));
    });
  }

  async #subscribe(filter: string, handler: (topic: string, payload: Buffer) => void): Promise<Subscription> {
    const wrong = checkFilter(filter);
    if (wrong !== null) throw new CodedError('BUS_TOPIC_INVALID', `filter "${filter.slice(0, 256)}": ${wrong}`);
    const deliver = (packet: AedesPublishPacket, done: () => void) => {
      try {
        if (!packet.topic.startsWith('$')) handler(packet.topic, toBuffer(packet.payload));
      } catch (error) {
        this.#log.error({ error, topic: packet.topic }, 'bus handler failed');
      }
      setImmediate(done); // as aedes' own deliveries: a publish in a handler must not grow the stack
    };
    await new Promise<void>((resolve) => this.#aedes.subscribe(filter, deliver, resolve));
    return {
      [Symbol.asyncDispose]: () => new Promise((resolve) => this.#aedes.unsubscribe(filter, deliver, resolve)),
    };
  }
}

/** What aedes says when it ends a connection, as the words we count. */
const failureReasons: Readonly<Record<string, string>> = {
  'connect did not arrive in time': 'connect-timeout',
  'keep alive timeout': 'keepalive-timeout',
};

/** What aedes says of connections that simply ended. */
const harmless: ReadonlySet<string> = new Set(['connection closed', 'packet received not valid', 'drain timeout']);

/** What a client is told when the fault is ours: 3 = server unavailable. */
const internalError = new Refused('internal error', 3);

function connectionOf(client: Client | null): ClientConnection | null {
  const connection = client?.conn;
  return connection instanceof ClientConnection ? connection : null;
}
