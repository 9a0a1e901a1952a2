import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type {
  AedesPublishPacket,
  AuthenticateError,
  Client,
  ConnectPacket,
  PublishPacket,
  Subscription as Wish,
} from 'aedes';
import { Aedes } from 'aedes';
import type { Clock } from '#edge/runtime/clock.ts';
import { CodedError, codeOf } from '#edge/runtime/errors.ts';
import { delay, Ticker } from '#edge/runtime/lifecycle.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Access, RefusedLogin } from './access.ts';
import { Admission } from './admission.ts';
import type { Bus, InboundMessage, PublishOptions, Subscription } from './bus.ts';
import type { ConnectionContext, Verdict } from './connection.ts';
import { ClientConnection, identityOf } from './connection.ts';
import type { PublishFields } from './frames.ts';
import { Intake } from './intake.ts';
import type { BrokerLimits } from './limits.ts';
import { defaultLimits } from './limits.ts';
import type { Listener } from './listeners.ts';
import { listenTcp, listenWebSocket } from './listeners.ts';
import type { Refusal } from './refusals.ts';
import { Refusals } from './refusals.ts';
import { Retained } from './retained.ts';
import { Sessions } from './sessions.ts';
import { answerTopic, checkFilter, checkTopic, isForeign, parseTopic } from './topics.ts';

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

export interface ClientInfo {
  readonly client: string;
  /** As used on the wire: the client, or `<client>:<anything>`. */
  readonly clientId: string;
  readonly address: string;
  readonly transport: 'tcp' | 'websocket';
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

export interface Broker extends AsyncDisposable {
  /** For core, without a socket. */
  readonly bus: Bus;
  readonly ports: { readonly mqtt: number; readonly websocket: number | null };
  stats(): BrokerStats;
}

/** How often slow subscribers, late commits and old sessions are looked for, ms. */
const sweepEvery = 1_000;
/** How long commits may take to end when the broker stops, ms. */
const stopWithin = 5_000;
const longestClientId = 128;
/** CONNACK return codes, MQTT 3.1.1 section 3.2.2.3. */
const returnCodes: Record<RefusedLogin, number> = {
  'no-credentials': 4,
  'bad-credentials': 4,
  'too-many-attempts': 3,
  unavailable: 3,
  'not-in-site': 5,
};

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
  readonly #context: ConnectionContext;
  readonly #connections = new Set<ClientConnection>();
  readonly #clients = new Map<string, Client>();
  readonly #wills = new WeakMap<ClientConnection, string>();
  readonly #sweeper: Ticker;
  readonly #listeners: Listener[] = [];
  #ports: { mqtt: number; websocket: number | null } = { mqtt: 0, websocket: null };
  #received = 0;
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
    const onFault: ConnectionContext['onFault'] = (connection, fault) => {
      this.#refuse(connection, fault.code, fault.message);
      connection.destroy();
    };
    this.#context = {
      limits,
      intake: this.#intake,
      clock,
      onFault,
      onMessage: (connection, message) => this.#takeMessage(connection, message),
      onCommitFailed: (connection, topic, error) => this.#commitFailed(connection, topic, error),
    };
    this.#aedes = this.#createAedes();
    this.bus = { publish: (...input) => this.#publish(...input), subscribe: (...input) => this.#subscribe(...input) };
    this.#sweeper = new Ticker(sweepEvery, () => this.#sweep());
  }

  get ports(): { readonly mqtt: number; readonly websocket: number | null } {
    return this.#ports;
  }

  async listen(): Promise<void> {
    await this.#aedes.listen();
    const { hosts, port, websocketPort } = this.#options;
    const admit = (socket: Socket) => this.#admit(socket);
    const accept = (stream: Duplex, address: string, transport: 'tcp' | 'websocket') =>
      this.#accept(stream, address, transport);
    const tcp = await listenTcp({ hosts, port, siteKey: 'mqtt.port', log: this.#log }, admit, accept);
    this.#listeners.push(tcp);
    this.#ports = { mqtt: tcp.port, websocket: null };
    if (websocketPort === null) return;
    const { packetBytes, connectTimeout } = this.#limits;
    const listen = { hosts, port: websocketPort, siteKey: 'mqtt.websocketPort', log: this.#log };
    const websocket = await listenWebSocket({ ...listen, packetBytes, connectTimeout }, admit, accept);
    this.#listeners.push(websocket);
    this.#ports = { mqtt: tcp.port, websocket: websocket.port };
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
      received: this.#received,
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

  #accept(stream: Duplex, address: string, transport: 'tcp' | 'websocket'): void {
    const connection = new ClientConnection(stream, address, transport, this.#context);
    this.#connections.add(connection);
    const client = this.#aedes.handle(connection);
    stream.once('close', () => {
      this.#connections.delete(connection);
      this.#droppedBefore += connection.droppedInAll;
      if (this.#clients.get(client.id) === client) this.#clients.delete(client.id);
    });
  }

  #createAedes(): Aedes {
    const aedes = new Aedes({
      id: `campus-${randomBytes(6).toString('hex')}`,
      concurrency: 0, // otherwise a subscriber that does not read stops delivery for everybody
      connectTimeout: this.#limits.connectTimeout,
      drainTimeout: this.#limits.outboundStall,
      maxClientsIdLength: longestClientId,
      persistence: this.#sessions,
      preConnect: (client, packet, done) => {
        const error = this.#guarded('preConnect', () => this.#judgeConnect(client, packet));
        done(error, error === null);
      },
      authenticate: (client, username, password, done) => {
        void this.#authenticate(client, username, password).then((error) => done(error, error === null));
      },
      authorizePublish: (client, packet, done) => {
        this.#judgeWill(client, packet, done);
      },
      authorizeSubscribe: (client, wish, done) => {
        let granted: Wish | null = null;
        this.#guarded('authorizeSubscribe', () => {
          granted = this.#judgeSubscribe(client, wish) ? wish : null;
          return null;
        });
        done(null, granted);
      },
      authorizeForward: (client, packet) => this.#judgeForward(client, packet),
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

  /** An exception in a hook of aedes ends the process; here it ends the connection and is logged as what it is: a bug. */
  #guarded(hook: string, run: () => Error | null): Error | null {
    try {
      return run();
    } catch (error) {
      this.#log.error({ error, hook }, 'broker hook failed');
      return new Error('internal error');
    }
  }

  /** Before anybody is authenticated: texts, keepalive, and the session that is asked for. Mutates the packet. */
  #judgeConnect(client: Client, packet: ConnectPacket): Error | null {
    const connection = connectionOf(client);
    if (connection === null) return new Error('not a connection of ours');
    const user = packet.username ?? '';
    const wrong =
      packet.clientId === '' || checkTopic(packet.clientId) === null ? null : 'the client id is not acceptable';
    const will = packet.will === undefined ? null : checkTopic(packet.will.topic);
    if (wrong !== null || will !== null || packet.clientId.length > longestClientId) {
      const message = wrong ?? (will === null ? 'the client id is too long' : `the topic of the last will ${will}`);
      return this.#refuse(connection, 'malformed-packet', message);
    }
    packet.clientId = sessionName(user, packet.clientId);
    const { keepalive, idle } = this.#limits;
    packet.keepalive = packet.keepalive ? Math.min(packet.keepalive, keepalive) : idle / 1.5;
    if (packet.clean === false && !this.#sessions.mayKeep(packet.clientId, user)) {
      packet.clean = true; // CONNACK says so: session present = 0
      this.#refuse(connection, 'too-many-sessions', `no session can be kept for ${packet.clientId}`);
    }
    if (packet.will !== undefined) this.#wills.set(connection, packet.will.topic);
    return null;
  }

  /** Never rejects. */
  async #authenticate(
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<AuthenticateError | null> {
    const connection = connectionOf(client);
    if (connection === null) return refusedLogin(3, 'not a connection of ours');
    try {
      const login = await this.#options.access.authenticate(username, password, connection.address);
      if (!login.ok) {
        this.#refuse(connection, login.reason, login.message, username);
        return refusedLogin(returnCodes[login.reason], login.message);
      }
      const identity = identityOf(login.client, login.grant);
      const will = this.#wills.get(connection);
      if (will !== undefined && will !== login.grant.willTopic && !identity.publish.has(will)) {
        const message = `${login.client} may not have its last will on "${will}"`;
        this.#refuse(connection, 'topic-not-granted', message, login.client, will);
        return refusedLogin(5, message);
      }
      connection.identity = identity;
      connection.clientId = client.id;
      // Already here, because a kept session is restored (and judged) before the client is ready.
      this.#clients.set(client.id, client);
      return null;
    } catch (error) {
      this.#log.error({ error }, 'broker hook failed');
      return refusedLogin(3, 'internal error');
    }
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
    this.#refuse(connection, failureReasons[error.message] ?? 'malformed-packet', error.message);
  }

  // --- messages -----------------------------------------------------------------------------------------------------

  /** Decides on a message that has come from a socket, and gives it to core. */
  #takeMessage(connection: ClientConnection, message: PublishFields): Verdict {
    const { topic, payload, qos, retain } = message;
    const { identity } = connection;
    if (identity === null || this.#stopping) return { take: false };
    const wrong = checkTopic(topic);
    if (wrong !== null) {
      this.#refuse(connection, 'malformed-packet', `the topic of a PUBLISH ${wrong}`);
      connection.destroy();
      return { take: false };
    }
    if (!identity.publish.has(topic) && topic !== this.#wills.get(connection)) {
      this.#refuseTopic(connection, identity.client, topic);
      return { take: false };
    }
    const mayRetain = isForeign(topic) || parseTopic(topic)?.kind === 'health';
    // Committed before, on this session: only the handshake goes on.
    if (qos === 2 && this.#isRepeated(connection, message.messageId)) {
      return { take: true, commit: undefined, retain: mayRetain };
    }
    this.#received += 1;
    try {
      const commit = this.#options.onPublish({ client: identity.client, topic, payload, qos, retain });
      return { take: true, commit: commit ?? undefined, retain: mayRetain };
    } catch (error) {
      this.#commitFailed(connection, topic, error);
      return { take: false };
    }
  }

  #isRepeated(connection: ClientConnection, messageId: number): boolean {
    return connection.isCommitting(messageId) || this.#sessions.hasIncoming(connection.clientId, messageId);
  }

  #commitFailed(connection: ClientConnection, topic: string, error: unknown): void {
    this.#log.error({ error, client: connection.identity?.client, topic }, 'message could not be committed');
    connection.abandonCommits();
    connection.destroy();
  }

  /** aedes asks for every PUBLISH, which is committed by then, and for the last will of a connection that broke. */
  #judgeWill(client: Client | null, packet: PublishPacket, done: (error?: Error | null) => void): void {
    const connection = connectionOf(client);
    if (client === null || connection === null || connection.identity === null || this.#stopping) {
      done(new Refused('stopping'));
      return;
    }
    if (!client.closed) {
      done(null);
      return;
    }
    const { topic, qos, retain } = packet;
    const payload = toBuffer(packet.payload);
    packet.retain = retain && (isForeign(topic) || parseTopic(topic)?.kind === 'health');
    this.#received += 1;
    const message: InboundMessage = { client: connection.identity.client, topic, payload, qos, retain };
    void (async () => this.#options.onPublish(message))().then(
      () => done(null),
      (error) => {
        this.#log.error({ error, client: message.client, topic }, 'last will could not be committed');
        done(new Refused('not committed'));
      },
    );
  }

  #refuseTopic(connection: ClientConnection, client: string, topic: string): void {
    connection.stopTaking();
    const message = `${client} may not publish on "${topic}": the site file grants it no such topic`;
    this.#refuse(connection, 'topic-not-granted', message, client, topic);
    // What came before it is still committed and acknowledged by the time the answer has left, or sent again.
    this.#answer(client, { error: 'topic-not-granted', message, topic }, () => connection.destroy());
  }

  #judgeSubscribe(client: Client, wish: Wish): boolean {
    const connection = connectionOf(client);
    const identity = connection?.identity ?? null;
    if (connection === null || identity === null) return false;
    const wrong = checkFilter(wish.topic);
    const isFull = !connection.subscribed.has(wish.topic) && connection.subscribed.size >= this.#limits.subscriptions;
    if (wrong === null && !isFull && identity.subscribe.covers(wish.topic)) {
      connection.subscribed.add(wish.topic);
      return true;
    }
    const filter = `"${wish.topic.slice(0, 256)}"`;
    const reason = wrong !== null ? 'filter-invalid' : isFull ? 'too-many-subscriptions' : 'filter-not-granted';
    const why = wrong ?? (isFull ? `has too many subscriptions` : 'the site file grants it no such topics');
    const message = `${identity.client} may not subscribe ${filter}: ${why}`;
    this.#refuse(connection, reason, message, identity.client, wish.topic);
    this.#answer(identity.client, { error: reason, message, topic: wish.topic.slice(0, 256) }, () => {});
    return false;
  }

  #judgeForward(client: Client, packet: AedesPublishPacket): AedesPublishPacket | null {
    const connection = connectionOf(client);
    if (connection === null) return null;
    // Retained messages of a new subscription come one by one, each after the one before has left: none is dropped.
    if (!packet.retain && connection.isSlow()) {
      this.#dropFor(connection);
      return null;
    }
    // A QoS 2 publish counts as QoS 1 from here on; aedes would send it on as QoS 2.
    return packet.qos === 2 ? { ...packet, qos: 1 } : packet;
  }

  #dropFor(connection: ClientConnection): void {
    connection.countDrop();
    if (connection.dropped === 1) {
      const fields = { client: connection.identity?.client, address: connection.address, backlog: connection.backlog };
      this.#log.warn(fields, 'subscriber does not read, its messages are dropped');
    }
    if (connection.dropped === this.#limits.outboundDrops) {
      this.#disconnectSlow(connection, `${connection.dropped} messages were dropped`);
    }
  }

  #disconnectSlow(connection: ClientConnection, why: string): void {
    this.#refuse(connection, 'slow-subscriber', `disconnected: it does not read what it subscribed; ${why}`);
    setImmediate(() => connection.destroy());
  }

  #sweep(): void {
    const now = this.#options.clock.monotonic();
    for (const connection of this.#connections) {
      if (connection.destroyed) continue;
      if (connection.commitAge(now) > this.#limits.commitTimeout) {
        this.#refuse(connection, 'commit-timeout', 'disconnected: its message was not committed in time');
        connection.abandonCommits();
        connection.destroy();
      } else if (connection.stalledFor(now) > this.#limits.outboundStall) {
        this.#disconnectSlow(connection, 'nothing left for it in too long a time');
      } else {
        this.#tellWhatWasMissed(connection);
      }
    }
    this.#sessions.sweep();
  }

  #tellWhatWasMissed(connection: ClientConnection): void {
    const missed = connection.dropped;
    const client = connection.identity?.client;
    if (client === undefined || !connection.caughtUp()) return;
    const message = `${missed} messages were not sent to ${client} because it did not read`;
    this.#log.warn({ client, missed }, 'subscriber reads again');
    this.#answer(client, { error: 'messages-dropped', message, topic: '' }, () => {});
  }

  #answer(client: string, answer: { error: string; message: string; topic: string }, done: () => void): void {
    const payload = Buffer.from(JSON.stringify(answer));
    const packet = { cmd: 'publish', topic: answerTopic(client), payload, qos: 0, retain: false, dup: false } as const;
    this.#aedes.publish(packet, done);
  }

  #refuse(connection: ClientConnection, reason: string, message: string, client?: string, topic?: string): Error {
    const name = client ?? connection.identity?.client;
    this.#refusals.report({
      reason,
      message,
      address: connection.address,
      ...(name === undefined ? {} : { client: name }),
      ...(topic === undefined ? {} : { topic }),
    });
    return new Refused(reason);
  }

  // --- the bus of core ----------------------------------------------------------------------------------------------

  async #publish(topic: string, payload: object | null, options?: PublishOptions): Promise<void> {
    const wrong = checkTopic(topic);
    if (wrong !== null) throw new CodedError('BUS_TOPIC_INVALID', `topic "${topic.slice(0, 256)}": ${wrong}`);
    if (this.#stopping) throw new CodedError('BUS_AWAY', 'the broker is stopping');
    const bytes = payload === null ? Buffer.alloc(0) : Buffer.from(JSON.stringify(payload));
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

/** Already counted and told when aedes hears of it. */
class Refused extends Error {}

/**
 * The session a client gets. An id that is not the user's own is put below it (`sensor-1:DVES_4F2A1C`), so that nobody
 * can throw out somebody else by taking his client id (3.1.4-2), and devices whose id cannot be set still come in.
 */
function sessionName(user: string, clientId: string): string {
  if (clientId === user || clientId.startsWith(`${user}:`)) return clientId;
  return `${user}:${clientId === '' ? randomBytes(8).toString('hex') : clientId}`;
}

function connectionOf(client: Client | null): ClientConnection | null {
  const connection = client?.conn;
  return connection instanceof ClientConnection ? connection : null;
}

function refusedLogin(returnCode: number, message: string): AuthenticateError {
  return Object.assign(new Error(message), { returnCode });
}

function toBuffer(payload: Buffer | string): Buffer {
  return typeof payload === 'string' ? Buffer.from(payload) : payload;
}
