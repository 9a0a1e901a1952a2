import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { CodedError } from '#edge/runtime/errors.ts';
import { contentLength, type Garbage, garbage, headEnd, limits, parseHead, type SipMessage } from './message.ts';
import { createLimiter, type Endpoint, localAddress, type Wire, type WireListener } from './wire.ts';

export interface TlsTrust {
  /** PEM of the authority; absent: those that the system trusts. */
  readonly ca?: string | undefined;
  /** SHA-256 of the one certificate that is right, hex: speakers sign their own. */
  readonly fingerprint?: string | undefined;
  readonly serverName?: string | undefined;
}

interface StreamOptions {
  /** null: in the clear. */
  readonly tls: TlsTrust | null;
  readonly listener: WireListener;
  monotonic(): number;
}

const connectPatience = 3_000;
/** Sent while the connection is being made; retransmission is not needed, so this is all there ever is. */
const mostWaiting = 16;
/** The kernel's buffer is full and so are we: the far end does not read. */
const mostUnsent = 262_144;

/** Cuts a stream into messages by their Content-Length (RFC 3261 section 18.3). A stream that lost its place is of no more use. */
export class StreamCutter {
  #waiting = Buffer.alloc(0);

  take(bytes: Buffer): readonly (SipMessage | Garbage)[] {
    this.#waiting = Buffer.concat([this.#waiting, bytes]);
    const found: (SipMessage | Garbage)[] = [];
    for (let next = this.#cut(); next !== null; next = this.#cut()) {
      found.push(next);
      if (next.kind === 'garbage') break;
    }
    return found;
  }

  #cut(): SipMessage | Garbage | null {
    let start = 0;
    // Keep-alives between messages (RFC 5626 section 3.5.1).
    while (this.#waiting[start] === 13 || this.#waiting[start] === 10) start++;
    this.#waiting = this.#waiting.subarray(start);
    const cut = headEnd(this.#waiting);
    if (cut === null) return this.#waiting.length > limits.head ? this.#lost('no-end-of-head') : null;
    const head = parseHead(this.#waiting.toString('latin1', 0, cut.end));
    if (head.kind === 'garbage') return this.#lost(head.why);
    const length = contentLength(head);
    if (length === null || Number.isNaN(length) || length > limits.body) return this.#lost('length');
    if (this.#waiting.length < cut.body + length) return null;
    const body = Buffer.from(this.#waiting.subarray(cut.body, cut.body + length));
    this.#waiting = this.#waiting.subarray(cut.body + length);
    return { ...head, body };
  }

  #lost(why: string): Garbage {
    this.#waiting = Buffer.alloc(0);
    return garbage(why);
  }
}

/**
 * SIP over TCP or TLS: one connection to the far end, made when something is to be sent and again after it broke. What the far end
 * asks comes the same way (RFC 5923), wherever its Contact points to.
 */
export async function openStreamWire(far: Endpoint, options: StreamOptions): Promise<Wire> {
  const address = await localAddress(far);
  return new StreamWire(far, address.replace(/%.*$/, ''), options);
}

class StreamWire implements Wire {
  readonly transport: 'TCP' | 'TLS';
  readonly #far: Endpoint;
  readonly #options: StreamOptions;
  readonly #allowed: () => boolean;
  #address: string;
  #socket: Socket | null = null;
  #isReady = false;
  #isOpen = true;
  #waiting: Buffer[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(far: Endpoint, address: string, options: StreamOptions) {
    this.transport = options.tls === null ? 'TCP' : 'TLS';
    this.#far = far;
    this.#address = address;
    this.#options = options;
    this.#allowed = createLimiter(() => options.monotonic());
  }

  get local(): Endpoint {
    return { address: this.#address, port: this.#socket?.localPort ?? (this.transport === 'TLS' ? 5_061 : 5_060) };
  }

  send(bytes: Buffer): void {
    if (!this.#isOpen) return;
    if (this.#socket !== null && this.#isReady) {
      if (this.#socket.writableLength > mostUnsent) {
        this.#break(new Error('it does not read what is sent'));
        return;
      }
      this.#socket.write(bytes);
      return;
    }
    if (this.#waiting.length >= mostWaiting) this.#options.listener.dropped('not-sent');
    else this.#waiting.push(bytes);
    if (this.#socket === null) this.#connect();
  }

  #connect(): void {
    const { tls } = this.#options;
    const { address: host, port } = this.#far;
    // Of a certificate that is pinned nothing else counts.
    const socket: Socket | TLSSocket =
      tls === null
        ? connect({ host, port })
        : connectTls({
            host,
            port,
            rejectUnauthorized: tls.fingerprint === undefined,
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
            ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
          });
    this.#socket = socket;
    const cutter = new StreamCutter();
    this.#timer = setTimeout(() => this.#break(new Error('no connection within 3 s')), connectPatience);
    socket.setNoDelay(true);
    socket.on(tls === null ? 'connect' : 'secureConnect', () => {
      if (socket !== this.#socket) return;
      const strange = tls === null ? null : strangeness(socket, tls);
      if (strange !== null) this.#break(strange);
      else this.#ready(socket);
    });
    socket.on('data', (bytes) => {
      if (socket === this.#socket && this.#isReady) this.#take(cutter, bytes);
    });
    socket.on('error', (error) => socket === this.#socket && this.#break(error));
    socket.on('close', () => socket === this.#socket && this.#break(new Error('it closed the connection')));
  }

  #ready(socket: Socket): void {
    clearTimeout(this.#timer);
    this.#isReady = true;
    this.#address = socket.localAddress?.replace(/%.*$/, '') ?? this.#address;
    socket.setKeepAlive(true, 15_000);
    for (const bytes of this.#waiting) socket.write(bytes);
    this.#waiting = [];
  }

  #take(cutter: StreamCutter, bytes: Buffer): void {
    const { listener } = this.#options;
    for (const message of cutter.take(bytes)) {
      if (message.kind === 'garbage') {
        listener.dropped(`garbage-${message.why}`);
        this.#break(new Error(`what it says is no SIP: ${message.why}`));
        return;
      }
      if (this.#allowed()) listener.message(message, this.#far);
      else listener.dropped('flood');
    }
  }

  #break(error: Error): void {
    clearTimeout(this.#timer);
    const wasWaiting = !this.#isReady;
    this.#socket?.destroy();
    this.#socket = null;
    this.#isReady = false;
    this.#waiting = [];
    if (!this.#isOpen) return;
    const words = wasWaiting ? `cannot be connected to: ${error.message}` : error.message;
    this.#options.listener.broken(new CodedError('SIP_CONNECTION', words, { cause: error }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOpen = false;
    // What was just written (a BYE) still leaves: end, not destroy; the far end may take its time to close.
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#timer);
    if (socket === null) return;
    socket.removeAllListeners('data');
    socket.on('error', () => {});
    socket.end(() => socket.destroy());
    setTimeout(() => socket.destroy(), 500).unref();
  }
}

function strangeness(socket: Socket, { fingerprint }: TlsTrust): Error | null {
  if (fingerprint === undefined) return null;
  const shown = 'getPeerX509Certificate' in socket ? peerFingerprint(socket) : null;
  const wanted = fingerprint.replaceAll(':', '').toLowerCase();
  return shown === wanted ? null : new Error('its certificate is not the one that was agreed on');
}

function peerFingerprint(socket: Socket): string | null {
  const certificate = (socket as TLSSocket).getPeerX509Certificate();
  return certificate?.fingerprint256.replaceAll(':', '').toLowerCase() ?? null;
}
