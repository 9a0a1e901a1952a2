/** What every room may do with the bus, inside core (no socket) or from another process (MQTT): one interface. */
export interface Bus {
  /**
   * Publishes JSON (null publishes an empty payload, which clears a retained one; bytes go as they are: a gateway has a language of its own). Resolves when the broker has taken
   * it; at QoS 1 from another process that means committed. Rejects with BUS_AWAY when there is no connection.
   */
  publish(topic: string, payload: object | null, options?: PublishOptions): Promise<void>;
  /** The handler gets the topic and the raw payload; an exception in it is logged and reaches nobody else. */
  subscribe(filter: string, handler: (topic: string, payload: Buffer) => void): Promise<Subscription>;
}

/** What goes over the wire for a payload. */
export function payloadBytes(payload: object | null): Buffer {
  if (payload === null) return Buffer.alloc(0);
  return Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload));
}

export interface PublishOptions {
  readonly retain?: boolean;
  readonly qos?: 0 | 1;
}

export interface Subscription extends AsyncDisposable {}

/** A message on its way in. The broker acknowledges it (QoS 1) when the promise it was answered with resolves. */
export interface InboundMessage {
  /** Authenticated client id; never taken from the payload. */
  readonly client: string;
  readonly topic: string;
  /** Shares memory with what the socket delivered: copy what is kept longer than the call, or 64 KB stay alive for it. */
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}
