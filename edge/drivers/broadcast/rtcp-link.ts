import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { within } from '#edge/runtime/lifecycle.ts';
import { decodeRtcp, type Heard } from './rtcp.ts';

export interface RtcpLinkOptions {
  /** Where the sound goes: an address, already looked up. */
  readonly address: string;
  readonly family: 4 | 6;
  /** Of the sound; reports go to the next one. */
  readonly port: number;
  /** The port that the sound leaves by: reports come from the next one if it is free (RFC 3550 section 11). */
  readonly localPort: number;
  /** Receivers of a group report to the group. */
  readonly group?: { readonly ttl: number; readonly interface: string };
  readonly onHeard: (heard: Heard) => void;
}

export interface RtcpLink extends Disposable {
  send(packet: Buffer): void;
}

const bindPatience = 1000;

/** The socket beside the sound's. Nothing that happens to it disturbs the sound: what cannot be sent is not sent. */
export async function openRtcpLink(options: RtcpLinkOptions): Promise<RtcpLink> {
  const { address, family, port, group, onHeard } = options;
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    reuseAddr: group !== undefined,
    lookup: (host, _options, answer) => answer(null, host, family),
  });
  // A receiver without RTCP answers "port unreachable".
  socket.on('error', () => {});
  try {
    await bindNear(socket, group === undefined ? options.localPort + 1 : port + 1);
    if (group !== undefined) {
      socket.setMulticastTTL(group.ttl);
      socket.setMulticastInterface(group.interface);
      socket.addMembership(address.replace(/%.*$/, ''), group.interface);
    }
  } catch (error) {
    socket.close();
    throw error;
  }
  const bare = address.replace(/%.*$/, '');
  socket.on('message', (message, from) => {
    // Of a single receiver nobody else may say that it hears.
    if (group === undefined && from.address.replace(/%.*$/, '') !== bare && isIP(bare) !== 0) return;
    const heard = decodeRtcp(message);
    if (heard !== null) onHeard(heard);
  });
  return {
    send(packet) {
      socket.send(packet, port + 1, address, () => {});
    },
    [Symbol.dispose]: () => void socket.close(),
  };
}

async function bindNear(socket: Socket, wanted: number): Promise<void> {
  try {
    await bindTo(socket, wanted);
  } catch {
    await bindTo(socket, 0);
  }
}

async function bindTo(socket: Socket, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('error', reject);
  try {
    socket.bind(port > 65_535 ? 0 : port, resolve);
    await within(bindPatience, 'binding a socket for RTCP', promise);
  } finally {
    socket.off('error', reject);
  }
}
