import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { within } from '#edge/runtime/lifecycle.ts';
import { type Garbage, parseDatagram, type SipMessage } from './message.ts';

/** One machine, by its address. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export type Transport = 'UDP' | 'TCP' | 'TLS';

export interface WireListener {
  /** Before it is looked into: whose it is not, costs nothing. */
  admits(from: Endpoint): boolean;
  message(message: SipMessage, from: Endpoint): void;
  /** Counts what was dropped, by a word. */
  dropped(why: string): void;
  /** Nothing that was sent to the far end can be answered: the connection is gone or never came. */
  broken(error: Error): void;
}

/** What carries messages of one device. Nothing here throws or waits. */
export interface Wire extends AsyncDisposable {
  readonly transport: Transport;
  /** What is written into Via and Contact. */
  readonly local: Endpoint;
  send(bytes: Buffer, to: Endpoint): void;
}

const patience = 2_000;
/** Messages from an admitted address that are looked at: bursts of a busy exchange are tens. */
const burst = 200;
const perSecond = 100;

export function familyOf(address: string): 4 | 6 {
  return isIP(address.replace(/%.*$/, '')) === 6 ? 6 : 4;
}

/** The address that this machine has towards another. Sends nothing. */
export async function localAddress(towards: Endpoint): Promise<string> {
  const socket = createSocket(familyOf(towards.address) === 6 ? 'udp6' : 'udp4');
  try {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    socket.once('error', reject);
    socket.connect(towards.port, towards.address, () => resolve(socket.address().address));
    return await within(patience, 'finding the way to it', promise);
  } finally {
    socket.close();
  }
}

/** A bound socket of the family that the far end has; port 0 takes a free one. */
export async function bindSocket(family: 4 | 6, port: number): Promise<Socket> {
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    ipv6Only: family === 6,
    // Addresses come from `resolveHost` or an answer: dgram must not put a packet off by a look-up.
    lookup: (host, _options, answer) => answer(null, host, family),
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('error', reject);
  socket.bind(port, resolve);
  try {
    await within(patience, 'binding a socket', promise);
  } catch (error) {
    socket.close();
    throw error;
  }
  socket.removeListener('error', reject);
  return socket;
}

/** A bucket of `burst` that fills by `perSecond`. */
export function createLimiter(now: () => number): () => boolean {
  let left: number = burst;
  let at = now();
  return () => {
    const passed = now();
    left = Math.min(burst, left + ((passed - at) / 1_000) * perSecond);
    at = passed;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}

export async function openUdpWire(
  far: Endpoint,
  { port, listener, monotonic }: { readonly port: number; readonly listener: WireListener; monotonic(): number },
): Promise<Wire> {
  const [address, socket] = await Promise.all([localAddress(far), bindSocket(familyOf(far.address), port)]);
  const allowed = createLimiter(monotonic);
  let isOpen = true;
  socket.on('message', (bytes, from) => {
    if (!listener.admits(from)) return listener.dropped('foreign');
    // Keep-alives: RFC 5626 section 3.5.1 and makers' own.
    if (bytes.length <= 4) return;
    if (!allowed()) return listener.dropped('flood');
    const message: SipMessage | Garbage = parseDatagram(bytes);
    if (message.kind === 'garbage') listener.dropped(`garbage-${message.why}`);
    else listener.message(message, from);
  });
  socket.on('error', (error) => listener.broken(error));
  return {
    transport: 'UDP',
    local: { address: address.replace(/%.*$/, ''), port: socket.address().port },
    send(bytes, to) {
      if (!isOpen) return;
      socket.send(bytes, to.port, to.address, (error) => {
        if (error !== null && isOpen) listener.broken(error);
      });
    },
    async [Symbol.asyncDispose]() {
      if (!isOpen) return;
      isOpen = false;
      const { promise, resolve } = Promise.withResolvers<void>();
      socket.close(() => resolve());
      await promise;
    },
  };
}
