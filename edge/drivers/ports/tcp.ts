import type { Socket } from 'node:net';
import { connect, isIPv6 } from 'node:net';
import { CodedError } from '#edge/runtime/errors.ts';
import type { BytePort, PortSource } from './port.ts';

/** Unsent bytes after which a peer that takes nothing is given up. Requests are a few bytes: this is hundreds of them. */
const maxUnsent = 64 * 1024;

/** A TCP byte port to a name, an IPv4 or an IPv6 address (with or without brackets). */
export function tcpPort(options: { host: string; port: number }): PortSource {
  const host = options.host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const label = isIPv6(host) ? `[${host}]:${options.port}` : `${host}:${options.port}`;
  const open = (timeout: number, signal: AbortSignal) => openTcp({ host, port: options.port, label, timeout, signal });
  return { key: `tcp:${canonical(host)}:${options.port}`, label, open };
}

/** `::1` and `0:0:0:0:0:0:0:1` are one line, not two. */
function canonical(host: string): string {
  return isIPv6(host) && !host.includes('%') ? new URL(`http://[${host}]`).hostname : host;
}

interface OpenTcp {
  readonly host: string;
  readonly port: number;
  readonly label: string;
  readonly timeout: number;
  readonly signal: AbortSignal;
}

function openTcp({ host, port, label, timeout, signal }: OpenTcp): Promise<BytePort> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 });
    const settle = (error: CodedError | null) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      if (error === null) return resolve(wrapSocket(socket));
      // The late error of a destroyed socket must not crash the process.
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const onError = (cause: Error) =>
      settle(new CodedError('PORT_UNREACHABLE', `${label}: ${cause.message}`, { cause }));
    const onAbort = () => settle(new CodedError('PORT_ABORTED', `connecting to ${label} was given up`));
    const timer = setTimeout(
      () => settle(new CodedError('PORT_TIMEOUT', `${label} did not accept a connection within ${timeout} ms`)),
      timeout,
    );
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', onError);
    socket.once('connect', () => settle(null));
    if (signal.aborted) onAbort();
  });
}

function wrapSocket(socket: Socket): BytePort {
  let fault = 'the other side closed the connection';
  const gone = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
  socket.on('error', (error) => {
    fault = error.message;
  });
  return {
    write(bytes) {
      if (socket.destroyed) return;
      socket.write(bytes);
      if (socket.writableLength > maxUnsent) socket.destroy(new Error('the other side takes no more bytes'));
    },
    listen({ data, closed }) {
      socket.on('data', data);
      // A half-closed Modbus peer will never answer: end at once instead of waiting for our own side.
      socket.once('end', () => socket.destroy());
      void gone.then(() => closed(fault));
    },
    async [Symbol.asyncDispose]() {
      fault = 'closed by us';
      socket.destroy();
      await gone;
    },
  };
}
