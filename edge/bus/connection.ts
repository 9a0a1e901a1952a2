import { Duplex } from 'node:stream';
import type { Clock } from '#edge/runtime/clock.ts';
import { TokenBucket } from './admission.ts';
import { type CertificateClaim, noCertificate } from './device-certificates.ts';
import type { FrameFault, PublishFields } from './frames.ts';
import { clearRetain, FrameReader, packetTypes, readPublish, unacceptableProtocol } from './frames.ts';
import type { Grant } from './grants.ts';
import { TopicSet } from './grants.ts';
import type { Intake, Source } from './intake.ts';
import type { BrokerLimits } from './limits.ts';
import type { Transport } from './listeners.ts';

/** Received bytes above which a connection that must wait its turn is no longer read, bytes. */
const readAhead = 16 * 1024;
/** How long the last bytes (a refusal) may take to leave after the end, ms. */
const lingerFor = 1_000;
/** What is written at once, bytes. */
const pieceBytes = 32 * 1024;
/** SUBSCRIBE sends retained messages, so it weighs more than a PUBLISH. */
const subscribeCost = 16;

/** Who is behind a connection, once it has proved it. */
export interface Identity {
  readonly client: string;
  readonly publish: TopicSet;
  readonly subscribe: TopicSet;
  readonly internal: boolean;
}

export function identityOf(client: string, grant: Grant): Identity {
  return {
    client,
    publish: new TopicSet(grant.publish),
    subscribe: new TopicSet(grant.subscribe),
    internal: grant.internal === true,
  };
}

/**
 * `new`: CONNECT has not come; `connecting`: it is being judged, and whatever follows it waits; `ready`; `closing`:
 * nothing is taken any more.
 */
export type Phase = 'new' | 'connecting' | 'ready' | 'closing';

/** A PUBLISH that aedes will see, and acknowledge, when it is committed. */
interface Waiting {
  settled: boolean;
  /** It counts among the messages in flight. */
  counted: boolean;
  readonly begun: number;
  readonly bytes: Buffer;
  /** Packet id of a QoS 2 message; 0 for others. */
  readonly exactlyOnce: number;
}

/** What becomes of a message: `commit` is waited for, unless it is undefined. */
export type Verdict =
  | { readonly take: true; readonly commit: Promise<void> | undefined; readonly retain: boolean }
  | { readonly take: false };

export interface ConnectionContext {
  readonly limits: BrokerLimits;
  readonly intake: Intake;
  readonly clock: Clock;
  readonly onFault: (connection: ClientConnection, fault: FrameFault) => void;
  /** Judges a message and begins its commit. Never throws. When it does not take it, it ends the connection. */
  readonly onMessage: (connection: ClientConnection, message: PublishFields) => Verdict;
  readonly onCommitFailed: (connection: ClientConnection, topic: string, error: unknown) => void;
}

/**
 * What stands between a socket (or a WebSocket) and aedes. It hands on whole, checked packets in fair turns. A PUBLISH
 * is handed on when it is committed, in the order of arrival, so that the PUBACK of aedes means just that; waiting in
 * aedes' authorizePublish would hold back everything that comes behind. And it lets aedes write without ever telling it
 * to wait, because aedes would make every publisher wait for the slowest subscriber: `isSlow` is asked before each
 * forward instead.
 */
export class ClientConnection extends Duplex implements Source {
  readonly address: string;
  readonly transport: Transport;
  /** What it showed at its handshake. */
  readonly claim: CertificateClaim;
  identity: Identity | null = null;
  /** The name of its session: the client, or `<client>:<anything>`. */
  clientId = '';
  /** Filters it has subscribed. */
  readonly subscribed = new Set<string>();
  /** Messages that were not forwarded because it does not read, since it last caught up and in all. */
  dropped = 0;
  droppedInAll = 0;
  readonly #socket: Duplex;
  readonly #context: ConnectionContext;
  readonly #reader = new FrameReader();
  readonly #commits: Waiting[] = [];
  #bucket: TokenBucket | null = null;
  #phase: Phase = 'new';
  #wanted = false;
  #ended = false;
  /** When something last left for the client, or began to, monotonic ms. */
  #progress = 0;

  constructor(
    socket: Duplex,
    address: string,
    transport: Transport,
    context: ConnectionContext,
    claim: CertificateClaim = noCertificate,
  ) {
    const { outboundBytes, packetBytes } = context.limits;
    super({ allowHalfOpen: true, decodeStrings: true, writableHighWaterMark: 2 * outboundBytes + packetBytes });
    this.#socket = socket;
    this.#context = context;
    this.address = address;
    this.transport = transport;
    this.claim = claim;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.#receiveEnd());
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => (this.#ended ? undefined : this.destroy()));
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Bytes that wait for the client to read. */
  get backlog(): number {
    return this.writableLength;
  }

  /** Messages that wait for their commit. */
  get inFlight(): number {
    return this.#commits.length;
  }

  isSlow(): boolean {
    return this.writableLength > this.#context.limits.outboundBytes;
  }

  /** CONNECT was accepted: whatever came behind it is let in. */
  ready(): void {
    if (this.#phase !== 'connecting') return;
    this.#phase = 'ready';
    const { packetsPerSecond, packetBurst } = this.#context.limits;
    if (this.identity?.internal !== true) {
      this.#bucket = new TokenBucket(packetsPerSecond, packetBurst, this.#context.clock);
    }
    this.#readOn();
    this.#offer();
  }

  /** Takes nothing more; what was written still leaves. */
  stopTaking(): void {
    this.#phase = 'closing';
    this.#socket.pause();
    this.#context.intake.remove(this);
  }

  /** Is a QoS 2 message of this packet id waiting for its commit? */
  isCommitting(messageId: number): boolean {
    return this.#commits.some(({ exactlyOnce }) => exactlyOnce === messageId);
  }

  /** Forgets what waits for a commit: it will not be acknowledged. */
  abandonCommits(): void {
    for (const waiting of this.#commits.splice(0)) this.#uncount(waiting);
  }

  /** How long the oldest commit has been waited for, ms. */
  commitAge(now: number): number {
    const [oldest] = this.#commits;
    return oldest === undefined ? 0 : now - oldest.begun;
  }

  /** How long the backlog has stood without anything leaving, ms. */
  stalledFor(now: number): number {
    return this.writableLength === 0 ? 0 : now - this.#progress;
  }

  /** Counts a message that was not forwarded to it. */
  countDrop(): void {
    this.dropped += 1;
    this.droppedInAll += 1;
  }

  /** It reads again: forgives what it missed. True when there was something to forgive. */
  caughtUp(): boolean {
    if (this.dropped === 0 || this.isSlow()) return false;
    this.dropped = 0;
    return true;
  }

  handOver(budget: number): number {
    if (!this.#mayTake()) return 0;
    const allowed = this.#allowance(budget);
    if (allowed < 1) {
      this.#context.intake.offerLater(this);
      return 0;
    }
    const cost = this.#handOn(allowed);
    this.#bucket?.spend(cost);
    if (this.#reader.fault !== null) return this.#fail(this.#reader.fault, cost);
    this.#readOn();
    return cost;
  }

  override _read(): void {
    this.#wanted = true;
    this.#offer();
    if (this.#ended) setImmediate(() => this.#finish());
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#writePieces(chunk, 0, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    // One small copy beats one system call with a dozen pieces: a packet of aedes comes in four.
    this.#writePieces(Buffer.concat(chunks.map((entry) => entry.chunk)), 0, done);
  }

  /** Piece by piece, so that a reader that is slow but not dead is seen to make progress. */
  #writePieces(bytes: Buffer, offset: number, done: (error?: Error | null) => void): void {
    const end = offset + pieceBytes;
    if (offset === 0) this.#progress = this.#context.clock.monotonic();
    this.#socket.write(offset === 0 && end >= bytes.length ? bytes : bytes.subarray(offset, end), (error) => {
      this.#progress = this.#context.clock.monotonic();
      if (error || end >= bytes.length) done(error);
      else this.#writePieces(bytes, end, done);
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.stopTaking();
    const socket = this.#socket;
    if (!socket.destroyed) {
      // A refusal or a CONNACK may still be on its way: end politely, but not for ever.
      const timer = setTimeout(() => socket.destroy(), lingerFor);
      socket.once('close', () => clearTimeout(timer));
      socket.once('finish', () => socket.destroy());
      socket.end();
    }
    done(error);
  }

  #receive(chunk: Buffer): void {
    if (this.#phase === 'closing') return;
    this.#reader.push(chunk);
    if (this.#reader.pending > readAhead && this.#reader.isReady(this.#packetCap())) this.#socket.pause();
    this.#offer();
  }

  #receiveEnd(): void {
    this.#ended = true;
    if (this.#phase === 'new') this.destroy();
    else setImmediate(() => this.#finish());
  }

  /** The client has ended its side: ends ours when all that it sent is dealt with. Half a packet is nothing. */
  #finish(): void {
    if (!this.#ended || this.#phase === 'connecting') return;
    if (this.readableLength > 0 || this.#commits.length > 0 || this.#reader.isReady(this.#packetCap())) return;
    this.destroy();
  }

  #readOn(): void {
    if (this.#phase !== 'connecting' && !this.#reader.isReady(this.#packetCap())) this.#socket.resume();
  }

  #offer(): void {
    if (this.#mayTake()) this.#context.intake.offer(this);
  }

  #mayTake(): boolean {
    if (this.#phase === 'closing' || this.#phase === 'connecting') return false;
    // A fault is found whether or not aedes wants more.
    if (!this.#reader.isReady(this.#packetCap())) return false;
    if (this.#reader.fault !== null) return true;
    return this.#wanted && this.#commits.length < this.#context.limits.inFlight;
  }

  #packetCap(): number {
    return this.#phase === 'new' ? this.#context.limits.connectBytes : this.#context.limits.packetBytes;
  }

  #allowance(budget: number): number {
    const room = Math.min(budget, this.#context.limits.inFlight - this.#commits.length);
    return this.#bucket === null ? room : Math.min(room, this.#bucket.available());
  }

  /** CONNECT goes alone; DISCONNECT waits until all before it is acknowledged. */
  #handOn(allowed: number): number {
    const pieces: Buffer[] = [];
    let cost = 0;
    while (cost < allowed) {
      const type = this.#reader.peekType();
      if (type === packetTypes.disconnect && (pieces.length > 0 || this.#commits.length > 0)) break;
      const frame = this.#reader.next(this.#packetCap());
      if (frame === null) break;
      cost += frame.type === packetTypes.subscribe ? subscribeCost : 1;
      if (this.#phase === 'new') {
        pieces.push(frame.bytes);
        this.#phase = 'connecting';
        this.#socket.pause();
        break;
      }
      if (frame.type === packetTypes.publish) this.#takeMessage(frame.bytes, pieces);
      else pieces.push(frame.bytes);
      if (this.#phase !== 'ready') break;
    }
    this.#pushAll(pieces);
    return cost;
  }

  #takeMessage(bytes: Buffer, pieces: Buffer[]): void {
    const message = readPublish(bytes);
    const verdict = this.#context.onMessage(this, message);
    if (!verdict.take) return;
    if (message.retain && !verdict.retain) clearRetain(bytes);
    const { commit } = verdict;
    if (commit === undefined && this.#commits.length === 0) {
      pieces.push(bytes);
      return;
    }
    const waiting: Waiting = {
      settled: commit === undefined,
      counted: commit !== undefined,
      begun: this.#context.clock.monotonic(),
      bytes,
      exactlyOnce: message.qos === 2 ? message.messageId : 0,
    };
    this.#commits.push(waiting);
    if (commit === undefined) return;
    this.#context.intake.begin();
    commit.then(
      () => {
        this.#uncount(waiting);
        waiting.settled = true;
        this.#handOnCommitted();
      },
      (error) => {
        this.#uncount(waiting);
        this.#context.onCommitFailed(this, message.topic, error);
      },
    );
  }

  #uncount(waiting: Waiting): void {
    if (waiting.counted) this.#context.intake.end();
    waiting.counted = false;
  }

  #pushAll(pieces: readonly Buffer[]): void {
    if (pieces.length === 0 || this.destroyed) return;
    this.#wanted = false;
    this.push(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
  }

  #fail(fault: FrameFault, cost: number): number {
    if (fault.code === 'unsupported-protocol') this.#socket.write(unacceptableProtocol);
    this.#context.onFault(this, fault);
    return cost;
  }

  #handOnCommitted(): void {
    let done = 0;
    while (this.#commits[done]?.settled === true) done += 1;
    if (done === 0) return;
    this.#pushAll(this.#commits.splice(0, done).map(({ bytes }) => bytes));
    this.#offer();
    if (this.#ended) setImmediate(() => this.#finish());
  }
}
