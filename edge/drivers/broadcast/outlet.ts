import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock } from '#edge/runtime/clock.ts';
import { codeOf, messageOf } from '#edge/runtime/errors.ts';
import { Backoff, delay, Ticker, within } from '#edge/runtime/lifecycle.ts';

export interface Target {
  readonly host: string;
  readonly port: number;
}

export interface Multicast {
  readonly ttl: number;
  /** Name (`eth0`) or address of the interface that the stream leaves by. */
  readonly interface: string;
}

export interface OutletOptions {
  readonly target: Target;
  readonly multicast: Multicast | undefined;
  /** Pause between two empty datagrams while nothing plays, ms; null sends none. Groups are never probed. */
  readonly probeEvery: number | null;
  readonly clock: Clock;
  /** On transitions only. */
  readonly onState: (state: 'online' | 'offline', message: string) => void;
  readonly onCount: (outcome: string) => void;
  readonly onSent: () => void;
  /** The socket is open: where it leads, and where it starts. */
  readonly onOpen: (path: Path) => void;
  /** What the receiver sends back to this socket. */
  readonly onMessage: (message: Buffer) => void;
}

/** Both ends of an open socket. */
export interface Path {
  readonly address: string;
  readonly family: 4 | 6;
  readonly port: number;
  readonly localPort: number;
  /** As setMulticastInterface wants it; undefined: a single receiver. */
  readonly interface: string | undefined;
}

const lookupTimeout = 5000;
/** Silence of errors after which a port that refused is believed again; ICMP is rate-limited to one a second (Linux). */
const trustAfter = 3000;
/** An ICMP answer on a campus network takes a ms or two. */
const icmpPatience = 20;
/** RFC 6263 section 4.1: an empty datagram keeps an RTP path open and means nothing to the receiver. */
const emptyDatagram = Buffer.alloc(0);

/**
 * One UDP socket towards one receiver. It is connected, so that a closed port or a missing host is heard of (ICMP and ARP
 * give ECONNREFUSED, EHOSTUNREACH), with an empty datagram now and then, so that it is heard of before the fire; and it is
 * opened anew after a routing error: a connected socket keeps the source address of its first day, and a new
 * DHCP lease would leave it dead for ever. node:dgram cannot set the DSCP (Node 24 can for TCP only, net.Socket
 * setTypeOfService): marking EF (46) is left to an nftables rule, which README.md has, or to the switch port.
 */
export class Outlet implements AsyncDisposable {
  readonly #options: OutletOptions;
  readonly #backoff = new Backoff({ first: 250, cap: 5000 });
  #socket: Socket | undefined;
  #ready = false;
  #opening = false;
  #timer: NodeJS.Timeout | undefined;
  #state: 'unknown' | 'online' | 'offline' = 'unknown';
  #lastError = Number.NEGATIVE_INFINITY;
  #lastSend = Number.NEGATIVE_INFINITY;
  readonly #prober: Ticker | undefined;
  #disposed = false;
  #path: Path | undefined;
  /** No error for so long that the next one begins a new count. */
  #isTrusted = false;
  #onSoundSent: (error: Error | null) => void = () => {};
  #opened: Promise<void> = Promise.resolve();

  constructor(options: OutletOptions) {
    this.#options = options;
    const { probeEvery, multicast, clock } = options;
    if (probeEvery === null || multicast !== undefined) return;
    this.#prober = new Ticker(probeEvery, () => {
      if (clock.monotonic() - this.#lastSend >= probeEvery) this.#probe();
    });
  }

  /** Opens the socket if it is not open; resolves when the first attempt has ended, well or not. Never rejects. */
  open(): Promise<void> {
    if (this.#ready || this.#opening || this.#disposed) return this.#opened;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#opening = true;
    this.#opened = this.#start();
    return this.#opened;
  }

  /** Sends now, in this turn, or counts why not. */
  send(packet: Buffer): void {
    const socket = this.#socket;
    if (!this.#ready || socket === undefined) {
      this.#options.onCount('not-sent');
      return;
    }
    this.#lastSend = this.#options.clock.monotonic();
    socket.send(packet, this.#onSoundSent);
  }

  /** Sends what is not sound: uncounted, and no harm if it is lost. */
  sendBeside(packet: Buffer): void {
    const socket = this.#socket;
    if (!this.#ready || socket === undefined) return;
    socket.send(packet, (error) => {
      if (error !== null) this.#onSocketError(socket, error);
    });
  }

  async #start(): Promise<void> {
    try {
      const socket = await this.#connect();
      if (this.#disposed) return void socket.close();
      this.#socket = socket;
      // One for all packets of a socket: 200 rooms send 10,000 a second.
      this.#onSoundSent = (error) => {
        if (error !== null) return this.#onSocketError(socket, error);
        this.#options.onSent();
        this.#onDelivered();
      };
      this.#ready = true;
      if (this.#path !== undefined) this.#options.onOpen({ ...this.#path, localPort: socket.address().port });
    } catch (error) {
      this.#fail(error);
      return;
    } finally {
      this.#opening = false;
    }
    const before = this.#lastError;
    if (this.#prober !== undefined) {
      this.#probe();
      await delay(icmpPatience);
    }
    if (this.#disposed || this.#lastError !== before) return;
    this.#say('online', `sends to ${this.#where}; RTP is one-way, so nothing confirms that it is heard`);
  }

  #probe(): void {
    const socket = this.#socket;
    if (!this.#ready || socket === undefined) return;
    socket.send(emptyDatagram, (error) => {
      if (error !== null) this.#onSocketError(socket, error);
      else this.#onDelivered();
    });
  }

  /** The operating system took it, which is all that is ever known. */
  #onDelivered(): void {
    if (this.#state === 'online' && this.#isTrusted) return;
    if (this.#options.clock.monotonic() - this.#lastError > trustAfter) {
      this.#backoff.reset();
      this.#isTrusted = true;
      this.#say('online', `sends to ${this.#where}; no error for ${trustAfter / 1000} s`);
    }
  }

  #onSocketError(socket: Socket, error: Error): void {
    // The last packets of a socket that was closed on purpose.
    if (socket !== this.#socket) return;
    this.#lastError = this.#options.clock.monotonic();
    this.#isTrusted = false;
    const code = codeOf(error);
    this.#options.onCount(code === '' ? 'send-error' : code.toLowerCase());
    if (code === 'ECONNREFUSED') {
      this.#say('offline', `nobody listens at ${this.#where}; what is played is sent all the same`);
      return;
    }
    this.#fail(error);
  }

  #fail(error: unknown): void {
    this.#isTrusted = false;
    this.#close();
    if (this.#disposed) return;
    const pause = this.#backoff.next();
    this.#options.onCount('reconnect');
    this.#say('offline', `cannot send to ${this.#where}: ${messageOf(error)}; tried again after at most 5 s`);
    this.#timer = setTimeout(() => void this.open(), pause);
  }

  #say(state: 'online' | 'offline', message: string): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onState(state, message);
  }

  get #where(): string {
    const { host, port } = this.#options.target;
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  }

  async #connect(): Promise<Socket> {
    const { target, multicast } = this.#options;
    const { address, family } = await resolveHost(target.host);
    const leaving = multicast === undefined ? undefined : interfaceAddress(multicast.interface, family);
    this.#path = { address, family, port: target.port, localPort: 0, interface: leaving };
    // Without an answer in the same turn, dgram would put every packet off by a DNS look-up.
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      lookup: (host, _options, answer) => answer(null, host, family),
    });
    socket.on('error', (error) => this.#onSocketError(socket, error));
    socket.on('message', this.#options.onMessage);
    try {
      await settled(`binding a socket for ${this.#where}`, (done) => socket.bind(0, done));
      // Before connect: Linux picks a multicast route when it connects.
      if (multicast !== undefined && leaving !== undefined) {
        socket.setMulticastTTL(multicast.ttl);
        socket.setMulticastInterface(leaving);
      }
      await settled(`connecting to ${this.#where}`, (done) => socket.connect(target.port, address, done));
      return socket;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  #close(): void {
    this.#ready = false;
    this.#socket?.close();
    this.#socket = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    clearTimeout(this.#timer);
    this.#prober?.[Symbol.dispose]();
    this.#close();
    await this.#opened;
  }
}

/** Runs a dgram call and waits for its callback, which gets an error where connect fails. */
async function settled(what: string, call: (done: (error?: Error) => void) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  call((error) => (error ? reject(error) : resolve()));
  await within(lookupTimeout, what, promise);
}

async function resolveHost(host: string): Promise<{ address: string; family: 4 | 6 }> {
  const bare = host.replace(/%.*$/, '');
  const literal = isIP(bare);
  if (literal !== 0) return { address: host, family: literal === 6 ? 6 : 4 };
  const found = await within(lookupTimeout, `looking up ${host}`, lookup(host));
  return { address: found.address, family: found.family === 6 ? 6 : 4 };
}

/** What setMulticastInterface wants: an IPv4 address, or `::%<name>` for IPv6. Throws when the interface is not there. */
export function interfaceAddress(wanted: string, family: 4 | 6): string {
  const interfaces = networkInterfaces();
  for (const [name, addresses] of Object.entries(interfaces)) {
    for (const entry of addresses ?? []) {
      if (entry.family !== `IPv${family}` || (name !== wanted && entry.address !== wanted)) continue;
      return family === 6 ? `::%${name}` : entry.address;
    }
  }
  const known = Object.keys(interfaces).join(', ');
  throw new Error(`no interface "${wanted}" with an IPv${family} address (there are: ${known})`);
}
