import { Readable } from 'node:stream';
import type { Clock } from '#edge/runtime/clock.ts';
import { TopicSet } from './grants.ts';
import type { BrokerLimits } from './limits.ts';
import type { Retained, StoredPacket } from './retained.ts';
import { parseTopic } from './topics.ts';

/*
 * What aedes calls its persistence: retained messages, and the sessions of clients that asked to be remembered
 * (clean session = 0). It lives in memory: the broker owns no truth, the store does. A restart of core answers
 * `session present = 0`, and a client that cares subscribes again.
 */

interface SubscriptionRecord {
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
}

interface ClientRef {
  readonly id: string;
  readonly clean?: boolean;
}

interface Queued {
  readonly packet: StoredPacket;
  messageId: number | undefined;
}

interface Session {
  readonly subscriptions: Map<string, SubscriptionRecord>;
  /** Those at QoS > 0: only they are queued for. */
  queuing: TopicSet;
  /** By aedes' counter, oldest first. */
  readonly queue: Map<number, Queued>;
  bytes: number;
  readonly incoming: Set<number>;
  /** null while the client is connected. */
  offlineSince: number | null;
  dropped: number;
}

export interface SessionsOptions {
  readonly limits: BrokerLimits;
  readonly retained: Retained;
  readonly clock: Clock;
  /** May this client (MQTT client id) hold this subscription? aedes stores refused ones of a packet with the rest. */
  readonly mayHold: (clientId: string, filter: string) => boolean;
  readonly onRetainedFull: (topic: string) => void;
  /** Called once for each time a session begins to lose messages. */
  readonly onDrop: (clientId: string) => void;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, Session>();
  /** Packet ids of QoS 2 messages of clean sessions, until PUBREL. */
  readonly #incoming = new Map<string, Set<number>>();
  #dropped = 0;
  #expired = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get stats(): { sessions: number; messages: number; dropped: number; expired: number } {
    let messages = 0;
    for (const session of this.#sessions.values()) messages += session.queue.size;
    return { sessions: this.#sessions.size, messages, dropped: this.#dropped, expired: this.#expired };
  }

  /** May one more session be kept for this client? Sessions of one client are `<client>` and `<client>:<anything>`. */
  mayKeep(clientId: string, client: string): boolean {
    if (this.#sessions.has(clientId)) return true;
    const { sessions, sessionsPerClient } = this.#options.limits;
    let own = 0;
    for (const id of this.#sessions.keys()) if (id === client || id.startsWith(`${client}:`)) own += 1;
    return own < sessionsPerClient && this.#sessions.size < sessions;
  }

  setOnline(clientId: string): void {
    const session = this.#sessions.get(clientId);
    if (session !== undefined) session.offlineSince = null;
  }

  setOffline(clientId: string): void {
    const session = this.#sessions.get(clientId);
    if (session !== undefined) session.offlineSince = this.#options.clock.monotonic();
  }

  /** Forgets sessions whose client stayed away too long. Call it regularly. */
  sweep(): void {
    const now = this.#options.clock.monotonic();
    for (const [id, session] of this.#sessions) {
      if (session.offlineSince === null || now - session.offlineSince < this.#options.limits.sessionExpiry) continue;
      this.#sessions.delete(id);
      this.#expired += 1;
    }
  }

  /** Is this QoS 2 packet id waiting for its PUBREL? Then the message was committed before. */
  hasIncoming(clientId: string, messageId: number): boolean {
    return this.#incomingOf(clientId)?.has(messageId) === true;
  }

  // --- what aedes asks (its persistence interface; all asynchronous) ------------------------------------------------

  async setup(): Promise<void> {}

  async storeRetained(packet: StoredPacket): Promise<void> {
    if (!this.#options.retained.store(packet)) this.#options.onRetainedFull(packet.topic);
  }

  createRetainedStreamCombi(filters: readonly string[]): Readable {
    return Readable.from(this.#options.retained.matching(filters));
  }

  createRetainedStream(filter: string): Readable {
    return this.createRetainedStreamCombi([filter]);
  }

  /** Only for clients with clean session = 0: their session begins here, at the latest. */
  async subscriptionsByClient(client: ClientRef): Promise<SubscriptionRecord[]> {
    return [...this.#open(client.id).subscriptions.values()];
  }

  async addSubscriptions(client: ClientRef, subscriptions: readonly SubscriptionRecord[]): Promise<void> {
    const session = this.#open(client.id);
    for (const { topic, qos } of subscriptions) {
      if (this.#options.mayHold(client.id, topic)) session.subscriptions.set(topic, { topic, qos });
    }
    indexSession(session);
  }

  async removeSubscriptions(client: ClientRef, filters: readonly string[]): Promise<void> {
    const session = this.#sessions.get(client.id);
    if (session === undefined) return;
    for (const filter of filters) session.subscriptions.delete(filter);
    indexSession(session);
  }

  async cleanSubscriptions(client: ClientRef): Promise<void> {
    this.#sessions.delete(client.id);
  }

  async subscriptionsByTopic(topic: string): Promise<{ clientId: string; topic: string; qos: 1 }[]> {
    const found: { clientId: string; topic: string; qos: 1 }[] = [];
    // Commands live for seconds: never queued, never replayed.
    if (this.#sessions.size === 0 || parseTopic(topic)?.kind === 'command') return found;
    for (const [clientId, session] of this.#sessions) {
      if (session.queuing.has(topic)) found.push({ clientId, topic, qos: 1 });
    }
    return found;
  }

  async countOffline(): Promise<{ subsCount: number; clientsCount: number }> {
    let subsCount = 0;
    for (const session of this.#sessions.values()) subsCount += session.subscriptions.size;
    return { subsCount, clientsCount: this.#sessions.size };
  }

  async outgoingEnqueue(subscription: { clientId: string }, packet: StoredPacket): Promise<void> {
    this.#enqueue(subscription.clientId, packet);
  }

  async outgoingEnqueueCombi(subscriptions: readonly { clientId: string }[], packet: StoredPacket): Promise<void> {
    for (const { clientId } of subscriptions) this.#enqueue(clientId, packet);
  }

  /** A message got its packet id. One that a bound has dropped meanwhile is no fault of the client's. */
  async outgoingUpdate(client: ClientRef, packet: Partial<StoredPacket>): Promise<void> {
    const queued = this.#sessions.get(client.id)?.queue.get(packet.brokerCounter ?? -1);
    if (queued !== undefined) queued.messageId = packet.messageId;
  }

  /** Acknowledged (by packet id), or not forwarded (by aedes' counter). */
  async outgoingClearMessageId(client: ClientRef, packet: Partial<StoredPacket>): Promise<StoredPacket | undefined> {
    const session = this.#sessions.get(client.id);
    if (session === undefined) return undefined;
    for (const [counter, queued] of session.queue) {
      const isIt =
        packet.messageId === undefined ? counter === packet.brokerCounter : queued.messageId === packet.messageId;
      if (!isIt) continue;
      removeQueued(session, counter);
      return queued.packet;
    }
    return undefined;
  }

  /** What waits for a client that is back; what it may have seen before carries DUP (3.3.1.1). */
  outgoingStream(client: ClientRef): Readable {
    const queue = this.#sessions.get(client.id)?.queue.values() ?? [];
    return Readable.from(
      [...queue].map(({ packet, messageId }) =>
        messageId === undefined ? packet : { ...packet, messageId, dup: true },
      ),
    );
  }

  async incomingStorePacket(client: ClientRef, packet: { messageId?: number }): Promise<void> {
    if (packet.messageId === undefined) return;
    const ids = this.#incomingOf(client.id) ?? new Set<number>();
    ids.add(packet.messageId);
    if (!this.#sessions.has(client.id)) this.#incoming.set(client.id, ids);
  }

  async incomingGetPacket(client: ClientRef, packet: { messageId?: number }): Promise<{ messageId?: number }> {
    if (this.hasIncoming(client.id, packet.messageId ?? 0)) return packet;
    throw new Error('no such packet');
  }

  async incomingDelPacket(client: ClientRef, packet: { messageId?: number }): Promise<void> {
    if (this.#incomingOf(client.id)?.delete(packet.messageId ?? 0) !== true) throw new Error('no such packet');
  }

  async cleanIncoming(client: ClientRef): Promise<void> {
    this.#incoming.delete(client.id);
  }

  /** Wills live in their connection: there is no other broker that could have to publish one. */
  async putWill(): Promise<void> {}
  async delWill(): Promise<void> {}
  async getWill(): Promise<undefined> {
    return undefined;
  }
  streamWill(): Readable {
    return Readable.from([]);
  }

  async destroy(): Promise<void> {
    this.#sessions.clear();
    this.#incoming.clear();
  }

  // --- inside -------------------------------------------------------------------------------------------------------

  #incomingOf(clientId: string): Set<number> | undefined {
    return this.#sessions.get(clientId)?.incoming ?? this.#incoming.get(clientId);
  }

  #open(clientId: string): Session {
    const known = this.#sessions.get(clientId);
    if (known !== undefined) return known;
    const session: Session = {
      subscriptions: new Map(),
      queuing: new TopicSet([]),
      queue: new Map(),
      bytes: 0,
      incoming: new Set(),
      offlineSince: null,
      dropped: 0,
    };
    this.#sessions.set(clientId, session);
    return session;
  }

  #enqueue(clientId: string, packet: StoredPacket): void {
    const session = this.#sessions.get(clientId);
    if (session === undefined || packet.brokerCounter === undefined) return;
    const { brokerId, brokerCounter } = packet;
    const stored: StoredPacket = {
      cmd: 'publish',
      topic: packet.topic,
      payload: Buffer.from(packet.payload),
      qos: 1, // a QoS 2 publish counts as QoS 1 here
      retain: false,
      dup: false,
      brokerCounter,
      ...(brokerId === undefined ? {} : { brokerId }),
    };
    session.queue.set(brokerCounter, { packet: stored, messageId: undefined });
    session.bytes += stored.payload.length;
    const { sessionMessages, sessionBytes } = this.#options.limits;
    while (session.queue.size > sessionMessages || (session.bytes > sessionBytes && session.queue.size > 1)) {
      const [oldest] = session.queue.keys();
      if (oldest === undefined) break;
      removeQueued(session, oldest);
      this.#dropped += 1;
      session.dropped += 1;
      if (session.dropped === 1) this.#options.onDrop(clientId);
    }
    if (session.queue.size < sessionMessages / 2) session.dropped = 0;
  }
}

function indexSession(session: Session): void {
  const filters = [...session.subscriptions.values()].filter(({ qos }) => qos > 0).map(({ topic }) => topic);
  session.queuing = new TopicSet(filters);
}

function removeQueued(session: Session, counter: number): void {
  const queued = session.queue.get(counter);
  if (queued === undefined) return;
  session.queue.delete(counter);
  session.bytes -= queued.packet.payload.length;
}
