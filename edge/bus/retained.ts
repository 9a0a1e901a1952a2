import { isForeign, matchesFilter } from './topics.ts';

/** A message as aedes stores and forwards it. */
export interface StoredPacket {
  readonly cmd: 'publish';
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly brokerId?: string;
  readonly brokerCounter?: number;
  messageId?: number;
}

/** What a retained message costs beside its topic and payload, bytes (measured as a round figure). */
const overhead = 256;

/** The retained messages: core's own, and those of foreign trees up to a bound. */
export class Retained {
  readonly #packets = new Map<string, StoredPacket>();
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  #foreignMessages = 0;
  #foreignBytes = 0;

  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#packets.size;
  }

  get foreign(): { messages: number; bytes: number } {
    return { messages: this.#foreignMessages, bytes: this.#foreignBytes };
  }

  #hasRoom(topic: string, payloadBytes: number): boolean {
    if (payloadBytes === 0 || !isForeign(topic)) return true;
    const old = this.#packets.get(topic);
    const messages = this.#foreignMessages + (old === undefined ? 1 : 0);
    const bytes = this.#foreignBytes - (old === undefined ? 0 : weigh(old)) + weightOf(topic, payloadBytes);
    return messages <= this.#maxMessages && bytes <= this.#maxBytes;
  }

  /** False when a foreign message was not retained because there are too many. An empty payload clears. */
  store(packet: StoredPacket): boolean {
    const { topic } = packet;
    if (!this.#hasRoom(topic, packet.payload.length)) return false;
    this.#count(topic, -1);
    this.#packets.delete(topic);
    if (packet.payload.length === 0) return true;
    // A payload is a slice of what a socket delivered: without the copy 20 bytes would keep 64 KB alive.
    this.#packets.set(topic, { ...packet, payload: Buffer.from(packet.payload) });
    this.#count(topic, 1);
    return true;
  }

  /** What a new subscriber is to hear of a topic at this moment. */
  current(topic: string): StoredPacket | undefined {
    return this.#packets.get(topic);
  }

  /** Whatever matches one of the filters, once for each filter; gives the event loop a turn after each scan. */
  async *matching(filters: readonly string[]): AsyncGenerator<StoredPacket> {
    for (const filter of filters) {
      if (!/[+#]/.test(filter)) {
        const packet = this.#packets.get(filter);
        if (packet !== undefined) yield packet;
        continue;
      }
      const found = [...this.#packets.values()].filter((packet) => matchesFilter(filter, packet.topic));
      yield* found;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #count(topic: string, sign: 1 | -1): void {
    const packet = this.#packets.get(topic);
    if (packet === undefined || !isForeign(topic)) return;
    this.#foreignMessages += sign;
    this.#foreignBytes += sign * weigh(packet);
  }
}

function weigh(packet: StoredPacket): number {
  return weightOf(packet.topic, packet.payload.length);
}

function weightOf(topic: string, payloadBytes: number): number {
  return topic.length + payloadBytes + overhead;
}
