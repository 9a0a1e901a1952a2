/** What a client may cost. Every number is a bound that is counted when it bites (`BrokerStats`). */
export interface BrokerLimits {
  /** Largest packet, fixed header included, bytes. */
  readonly packetBytes: number;
  /** Largest first packet, bytes: CONNECT of somebody nobody knows yet. */
  readonly connectBytes: number;
  /** From accept to an accepted CONNECT being here, ms. */
  readonly connectTimeout: number;
  readonly connections: number;
  /** Per IPv4 address or IPv6 /64. */
  readonly connectionsPerAddress: number;
  /** The same for 127.0.0.0/8 and ::1, where our own processes live. */
  readonly connectionsFromLoopback: number;
  /** New connections per address: so many at once, then so many a second. Loopback: ten times as many. */
  readonly connectBurst: number;
  readonly connectsPerSecond: number;
  /** Longest keepalive that is honoured, s; a longer one counts as this. The client is cut after 1.5 times this. */
  readonly keepalive: number;
  /** A client that asked for no keepalive (0) is cut after this much silence, s. */
  readonly idle: number;
  /** Packets a second that are taken from a guest; the rest waits in its socket. Our own processes are not slowed. */
  readonly packetsPerSecond: number;
  readonly packetBurst: number;
  /** Messages of one client that wait for their commit. */
  readonly inFlight: number;
  /** A commit that takes longer ends the connection, unacknowledged, ms. */
  readonly commitTimeout: number;
  /** What may wait for a slow subscriber, bytes; further messages to it are dropped and counted. */
  readonly outboundBytes: number;
  /** Dropped messages and time without any progress after which a slow subscriber is disconnected. */
  readonly outboundDrops: number;
  readonly outboundStall: number;
  readonly subscriptions: number;
  /** Sessions kept for clients that ask for it (clean session = 0): how many, what each may hold, how long, ms. */
  readonly sessions: number;
  readonly sessionsPerClient: number;
  readonly sessionMessages: number;
  readonly sessionBytes: number;
  readonly sessionExpiry: number;
  /** Retained messages of foreign trees, all clients together. */
  readonly retainedMessages: number;
  readonly retainedBytes: number;
}

export const defaultLimits: BrokerLimits = {
  packetBytes: 256 * 1024,
  connectBytes: 1024,
  connectTimeout: 5_000,
  connections: 4_096,
  connectionsPerAddress: 64,
  connectionsFromLoopback: 1_024,
  connectBurst: 40,
  connectsPerSecond: 10,
  keepalive: 600,
  idle: 3_600,
  packetsPerSecond: 2_000,
  packetBurst: 10_000,
  inFlight: 256,
  commitTimeout: 20_000,
  outboundBytes: 256 * 1024,
  outboundDrops: 10_000,
  outboundStall: 15_000,
  subscriptions: 128,
  sessions: 64,
  sessionsPerClient: 4,
  sessionMessages: 1_000,
  sessionBytes: 1024 * 1024,
  sessionExpiry: 3_600_000,
  retainedMessages: 4_096,
  retainedBytes: 16 * 1024 * 1024,
};
