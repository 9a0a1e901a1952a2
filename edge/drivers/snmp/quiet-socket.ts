import { createSocket } from 'node:dgram';

/** What net-snmp needs of a dgram socket. */
interface QuietSocket {
  on(event: string, listener: (...what: never[]) => void): void;
  send(bytes: Buffer, offset: number, length: number, port: number, host: string, done: Sent): void;
  ref(): void;
  unref(): void;
  close(): void;
}
type Sent = (error: Error | null) => void;
type Hear = (bytes: Buffer) => void;

export interface SocketEvents {
  /** Something came that could not be understood. */
  readonly garbage: (error: unknown) => void;
  /** Whether a datagram may be looked at. */
  readonly accepts: (bytes: Buffer) => boolean;
  /** The network refuses: nobody listens there, no route, no such name. */
  readonly fault: (error: Error) => void;
}

/** Datagrams of one session; more than that is a peer that makes us talk for ever (Report after Report, RFC 3414). */
const mostSends = 6;

/**
 * A socket in place of net-snmp's own. It is connected: the kernel lets nobody but the agent answer, and says when nobody is
 * there. What the library throws while it reads a datagram stays here instead of ending the process.
 */
export function quietSocket(
  target: { readonly host: string; readonly port: number },
  transport: 'udp4' | 'udp6',
  { garbage, fault, accepts }: SocketEvents,
): QuietSocket & { allowSends(): void } {
  const socket = createSocket({ type: transport });
  const waiting: (() => void)[] = [];
  let state: 'connecting' | 'connected' | 'closed' = 'connecting';
  let sends = 0;
  socket.on('error', (error) => {
    if (state !== 'closed') fault(error);
  });
  socket.connect(target.port, target.host, (error?: Error) => {
    if (state === 'closed') return;
    if (error) return fault(error);
    state = 'connected';
    for (const go of waiting.splice(0)) go();
  });
  return {
    on: (event, listener) => {
      // Errors and the end are ours to hear.
      if (event !== 'message') return;
      const hear = listener as unknown as Hear; // net-snmp's Session.onMsg
      socket.on('message', (bytes) => {
        if (state === 'closed' || !accepts(bytes)) return;
        try {
          hear(bytes);
        } catch (error) {
          garbage(error);
        }
      });
    },
    send: (bytes, offset, length, _port, _host, done) => {
      if (++sends > mostSends) return garbage(new Error('the agent never comes to an answer'));
      const go = () => {
        if (state !== 'connected') return;
        socket.send(bytes, offset, length, (error) => {
          if (state === 'closed') return;
          if (error) fault(error);
          else done(null);
        });
      };
      if (state === 'connecting') waiting.push(go);
      else go();
    },
    // An open session must not keep nothing alive, nor end the process: its owner closes it.
    ref: () => {},
    unref: () => {},
    allowSends: () => {
      sends = 0;
    },
    close: () => {
      if (state === 'closed') return;
      state = 'closed';
      waiting.length = 0;
      socket.close();
    },
  };
}
