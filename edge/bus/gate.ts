import { randomBytes } from 'node:crypto';
import type { Clock } from '#edge/runtime/clock.ts';
import type { Log } from '#edge/runtime/log.ts';
import type { Access, Login, RefusedLogin } from './access.ts';
import type { InboundMessage } from './bus.ts';
import type { ClientConnection, Verdict } from './connection.ts';
import { identityOf } from './connection.ts';
import type { PublishFields } from './frames.ts';
import type { BrokerLimits } from './limits.ts';
import type { Refusals } from './refusals.ts';
import type { Sessions } from './sessions.ts';
import { checkFilter, checkTopic, isForeign, parseTopic } from './topics.ts';

const longestClientId = 128;
/** CONNACK return codes, MQTT 3.1.1 section 3.2.2.3. */
const returnCodes: Record<RefusedLogin, number> = {
  'no-credentials': 4,
  'bad-credentials': 4,
  'too-many-attempts': 3,
  unavailable: 3,
  'not-in-site': 5,
  'certificate-mismatch': 5,
  'certificate-foreign': 5,
  'certificate-revoked': 5,
  'certificate-expired': 5,
  'certificate-required': 5,
  'certificate-unread': 3,
};

/** Already counted and told when the broker hears of it. */
export class Refused extends Error {
  /** For CONNACK. */
  readonly returnCode: number;

  constructor(reason: string, returnCode = 5) {
    super(reason);
    this.returnCode = returnCode;
  }
}

/** What the broker tells a client on `v1/answer/<client>`. */
export interface Answer {
  readonly error: string;
  readonly message: string;
  readonly topic: string;
}

/** CONNECT as far as the gate may change it. */
interface ConnectRequest {
  clientId: string;
  username?: string | undefined;
  keepalive?: number | undefined;
  clean?: boolean | undefined;
  will?: { topic: string } | undefined;
}

interface WillMessage {
  readonly topic: string;
  readonly payload: Buffer | string;
  readonly qos: 0 | 1 | 2;
  retain: boolean;
}

export interface GateOptions {
  readonly limits: BrokerLimits;
  readonly access: Access;
  readonly sessions: Sessions;
  readonly refusals: Refusals;
  readonly clock: Clock;
  readonly log: Log;
  readonly onPublish: (message: InboundMessage) => Promise<void> | void;
  /** Publishes an answer; `done` when it has been written. */
  readonly answer: (client: string, answer: Answer, done: () => void) => void;
}

/** Everything that is decided about a client: who it is, what it may say and hear, and when it must go. */
export class Gate {
  readonly #options: GateOptions;
  readonly #wills = new WeakMap<ClientConnection, string>();
  #received = 0;
  #closed = false;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Messages taken from clients since start. */
  get received(): number {
    return this.#received;
  }

  /** Takes no message from now on, and no last will. */
  close(): void {
    this.#closed = true;
  }

  /** Before anybody is authenticated: texts, keepalive, and the session that is asked for. Mutates the packet. */
  judgeConnect(connection: ClientConnection, packet: ConnectRequest): Refused | null {
    // Who shows a certificate need not say who it is.
    const user = packet.username || (connection.claim.kind === 'client' ? connection.claim.client : '');
    const wrong =
      packet.clientId === '' || checkTopic(packet.clientId) === null ? null : 'the client id is not acceptable';
    const will = packet.will === undefined ? null : checkTopic(packet.will.topic);
    if (wrong !== null || will !== null || packet.clientId.length > longestClientId) {
      const message = wrong ?? (will === null ? 'the client id is too long' : `the topic of the last will ${will}`);
      return this.refuse(connection, 'malformed-packet', message);
    }
    packet.clientId = sessionName(user, packet.clientId);
    const { keepalive, idle } = this.#options.limits;
    packet.keepalive = packet.keepalive ? Math.min(packet.keepalive, keepalive) : idle / 1.5;
    if (packet.clean === false && !this.#options.sessions.mayKeep(packet.clientId, user)) {
      packet.clean = true; // CONNACK says so: session present = 0
      this.refuse(connection, 'too-many-sessions', `no session can be kept for ${packet.clientId}`);
    }
    if (packet.will !== undefined) this.#wills.set(connection, packet.will.topic);
    return null;
  }

  /** Checks user name and password, and what the site grants. Never rejects; null lets it in. */
  async logIn(
    connection: ClientConnection,
    clientId: string,
    username: string | undefined,
    password: Buffer | undefined,
  ): Promise<Refused | null> {
    const login = await this.#judgeLogin(connection, username, password);
    if (!login.ok)
      return this.refuse(connection, login.reason, login.message, username, undefined, returnCodes[login.reason]);
    const identity = identityOf(login.client, login.grant);
    const will = this.#wills.get(connection);
    if (will !== undefined && will !== login.grant.willTopic && !identity.publish.has(will)) {
      const message = `${login.client} may not have its last will on "${will}"`;
      return this.refuse(connection, 'topic-not-granted', message, login.client, will);
    }
    connection.identity = identity;
    connection.clientId = clientId;
    return null;
  }

  /** By what was shown at the handshake, otherwise by name and password. */
  async #judgeLogin(connection: ClientConnection, username?: string, password?: Buffer): Promise<Login> {
    const { access } = this.#options;
    const { claim, address } = connection;
    if (claim.kind === 'none') return access.authenticate(username, password, address);
    if (claim.kind === 'refused') return { ok: false, reason: claim.reason, message: claim.message };
    return access.certified(claim.client, username, address);
  }

  /** Decides on a message that has come from a socket, and gives it to core. */
  takeMessage(connection: ClientConnection, message: PublishFields): Verdict {
    const { topic, payload, qos, retain } = message;
    const { identity } = connection;
    if (identity === null || this.#closed) return { take: false };
    const wrong = checkTopic(topic);
    if (wrong !== null) {
      this.refuse(connection, 'malformed-packet', `the topic of a PUBLISH ${wrong}`);
      connection.destroy();
      return { take: false };
    }
    if (!identity.publish.has(topic) && topic !== this.#wills.get(connection)) {
      this.#refuseTopic(connection, identity.client, topic);
      return { take: false };
    }
    const mayRetain = isRetainable(topic);
    // Committed before, on this session: only the handshake goes on.
    if (qos === 2 && this.#isRepeated(connection, message.messageId)) {
      return { take: true, commit: undefined, retain: mayRetain };
    }
    this.#received += 1;
    try {
      const commit = this.#options.onPublish({ client: identity.client, topic, payload, qos, retain });
      return { take: true, commit: commit ?? undefined, retain: mayRetain };
    } catch (error) {
      this.commitFailed(connection, topic, error);
      return { take: false };
    }
  }

  #isRepeated(connection: ClientConnection, messageId: number): boolean {
    return connection.isCommitting(messageId) || this.#options.sessions.hasIncoming(connection.clientId, messageId);
  }

  commitFailed(connection: ClientConnection, topic: string, error: unknown): void {
    this.#options.log.error({ error, client: connection.identity?.client, topic }, 'message could not be committed');
    connection.abandonCommits();
    connection.destroy();
  }

  /** The last will of a connection that broke; null when it may be published. Its topic was judged at CONNECT. */
  async takeWill(connection: ClientConnection, will: WillMessage): Promise<Refused | null> {
    const { identity } = connection;
    if (identity === null || this.#closed) return new Refused('stopping');
    const { topic, qos, retain } = will;
    will.retain = retain && isRetainable(topic);
    this.#received += 1;
    try {
      await this.#options.onPublish({ client: identity.client, topic, payload: toBuffer(will.payload), qos, retain });
      return null;
    } catch (error) {
      this.#options.log.error({ error, client: identity.client, topic }, 'last will could not be committed');
      return new Refused('not committed');
    }
  }

  #refuseTopic(connection: ClientConnection, client: string, topic: string): void {
    connection.stopTaking();
    const message = `${client} may not publish on "${topic}": the site file grants it no such topic`;
    this.refuse(connection, 'topic-not-granted', message, client, topic);
    // What came before it is still committed and acknowledged by the time the answer has left, or sent again.
    this.#options.answer(client, { error: 'topic-not-granted', message, topic }, () => connection.destroy());
  }

  judgeSubscribe(connection: ClientConnection, filter: string): boolean {
    const { identity, subscribed } = connection;
    if (identity === null) return false;
    const wrong = checkFilter(filter);
    const isFull = !subscribed.has(filter) && subscribed.size >= this.#options.limits.subscriptions;
    if (wrong === null && !isFull && identity.subscribe.covers(filter)) {
      subscribed.add(filter);
      return true;
    }
    const topic = filter.slice(0, 256);
    const reason = wrong !== null ? 'filter-invalid' : isFull ? 'too-many-subscriptions' : 'filter-not-granted';
    const why = wrong ?? (isFull ? 'it has too many subscriptions' : 'the site file grants it no such topics');
    const message = `${identity.client} may not subscribe "${topic}": ${why}`;
    this.refuse(connection, reason, message, identity.client, topic);
    this.#options.answer(identity.client, { error: reason, message, topic }, () => {});
    return false;
  }

  /** May a message be forwarded to it now? Counts it when not. */
  mayForward(connection: ClientConnection, isRetained: boolean): boolean {
    // Retained messages of a new subscription come one by one, each after the one before has left: none is dropped.
    if (isRetained || !connection.isSlow()) return true;
    this.#dropFor(connection);
    return false;
  }

  #dropFor(connection: ClientConnection): void {
    connection.countDrop();
    if (connection.dropped === 1) {
      const fields = { client: connection.identity?.client, address: connection.address, backlog: connection.backlog };
      this.#options.log.warn(fields, 'subscriber does not read, its messages are dropped');
    }
    if (connection.dropped === this.#options.limits.outboundDrops) {
      this.#disconnectSlow(connection, `${connection.dropped} messages were dropped`);
    }
  }

  #disconnectSlow(connection: ClientConnection, why: string): void {
    this.refuse(connection, 'slow-subscriber', `disconnected: it does not read what it subscribed; ${why}`);
    setImmediate(() => connection.destroy());
  }

  /** Ends what has waited too long. Call it regularly. */
  sweep(connections: Iterable<ClientConnection>): void {
    const { clock, limits, sessions } = this.#options;
    const now = clock.monotonic();
    for (const connection of connections) {
      if (connection.destroyed) continue;
      if (connection.commitAge(now) > limits.commitTimeout) {
        this.refuse(connection, 'commit-timeout', 'disconnected: its message was not committed in time');
        connection.abandonCommits();
        connection.destroy();
      } else if (connection.stalledFor(now) > limits.outboundStall) {
        this.#disconnectSlow(connection, 'nothing left for it in too long a time');
      } else {
        this.#tellWhatWasMissed(connection);
      }
    }
    sessions.sweep();
  }

  #tellWhatWasMissed(connection: ClientConnection): void {
    const missed = connection.dropped;
    const client = connection.identity?.client;
    if (client === undefined || !connection.caughtUp()) return;
    const message = `${missed} messages were not sent to ${client} because it did not read`;
    this.#options.log.warn({ client, missed }, 'subscriber reads again');
    this.#options.answer(client, { error: 'messages-dropped', message, topic: '' }, () => {});
  }

  /** Counts and tells a refusal. */
  refuse(
    connection: ClientConnection,
    reason: string,
    message: string,
    client?: string,
    topic?: string,
    returnCode?: number,
  ): Refused {
    const name = client ?? connection.identity?.client;
    this.#options.refusals.report({
      reason,
      message,
      address: connection.address,
      ...(name === undefined ? {} : { client: name.slice(0, 64) }),
      ...(topic === undefined ? {} : { topic }),
    });
    return new Refused(reason, returnCode);
  }
}

/** Of our own topics only health is retained for others than core; foreign trees are, up to a bound. */
function isRetainable(topic: string): boolean {
  return isForeign(topic) || parseTopic(topic)?.kind === 'health';
}

export function toBuffer(payload: Buffer | string): Buffer {
  return typeof payload === 'string' ? Buffer.from(payload) : payload;
}

/**
 * The session a client gets. An id that is not the user's own is put below it (`sensor-1:DVES_4F2A1C`), so that nobody
 * can throw out somebody else by taking his client id (3.1.4-2), and devices whose id cannot be set still come in.
 */
function sessionName(user: string, clientId: string): string {
  if (clientId === user || clientId.startsWith(`${user}:`)) return clientId;
  return `${user}:${clientId === '' ? randomBytes(8).toString('hex') : clientId}`;
}
